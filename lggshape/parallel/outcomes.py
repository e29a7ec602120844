"""The outcome of each item, and how the errors of a function become reasons."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from lggshape.errors import CaseError, InputError, InternalError, MissingPackageError

_LOGGER = logging.getLogger("lggshape")
_LONGEST_TEXT = 300


class WrappedError(CaseError):
    """Wraps an error that is neither a `CaseError` nor a bug."""


class Outcome(NamedTuple):
    """The outcome of one item.

    Attributes
    ----------
    item : object
        The item.
    value : object or None
        What the function returned; None if it failed.
    error : CaseError or None
        Why the item failed. An `InternalError` is a bug. Any other error is a fault of the item or
        of the system (no memory, a disk that cannot be read). If the function raised anything but
        a `CaseError`, that is the `__cause__`.
    """

    item: Any
    value: Any
    error: CaseError | None


def outcome_of(function: Callable[[Any], Any], item: Any) -> Outcome:
    """Call a function with an item, and return the outcome.

    Examples
    --------
    >>> outcome_of(abs, -1)
    Outcome(item=-1, value=1, error=None)
    """
    try:
        return Outcome(item, function(item), None)
    except Exception as error:
        return failed(item, error)


def failed(item: Any, error: BaseException) -> Outcome:
    """Return the outcome of an item that raised; a bug becomes an `InternalError`."""
    if isinstance(error, MissingPackageError):  # no case can be processed
        raise error
    if isinstance(error, CaseError):
        return Outcome(item, None, error)
    # Libraries raise pages of text, but a reason has to fit a line and a cell of a table.
    text = " ".join(str(error).split())
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} ..."
    wrapped: CaseError
    if isinstance(error, InputError):
        wrapped = WrappedError(text)
    elif isinstance(error, OSError | MemoryError):
        found = f"{type(error).__name__}: {text}" if text else "no memory left"
        wrapped = WrappedError(f"Expected {_name(item)} to be processed, found {found}.")
    else:
        wrapped = InternalError(f"internal error: {type(error).__name__}: {text}; see the log")
    wrapped.__cause__ = error
    return Outcome(item, None, wrapped)


def lost(item: Any, found: str) -> Outcome:
    """Return the outcome of an item whose process died."""
    return Outcome(item, None, CaseError(f"Expected {_name(item)} to be processed, found {found}."))


def logged(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Pass outcomes on, and log the tracebacks of errors that are not a fault of the item."""
    for outcome in outcomes:
        if isinstance(outcome.error, InternalError):
            _LOGGER.error("%s", _name(outcome.item), exc_info=outcome.error.__cause__)
        elif isinstance(outcome.error, WrappedError):
            _LOGGER.warning("%s", _name(outcome.item), exc_info=outcome.error.__cause__)
        yield outcome


def log_warnings(item: Any, warned: Iterable[str]) -> None:
    """Log the warnings of another process."""
    for text in warned:
        _LOGGER.warning("%s: %s", _name(item), text)


def _name(item: Any) -> str:
    return str(getattr(item, "id", item))
