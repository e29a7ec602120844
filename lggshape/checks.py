"""Checks of arguments that functions of several parts share."""

from numbers import Integral
from typing import Any

from lggshape.errors import InputError


def check_whole_number(value: Any, name: str, *, least: int, most: int | None = None) -> None:
    """Raise InputError unless a value is a whole number within limits.

    Parameters
    ----------
    value : object
        The value; a number of NumPy will do, True and False will not.
    name : str
        What it is, for the message.
    least, most : int
        The limits; without `most` it may be as large as it likes.

    Examples
    --------
    >>> check_whole_number(3, "seed", least=0)
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if whole and least <= value and (most is None or value <= most):
        return
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"
    msg = f"Expected {name} to be a whole number {limits}, found {value!r}."
    raise InputError(msg)


def check_seed(seed: Any) -> None:
    """Raise InputError unless a seed of random numbers is a whole number of at least 0."""
    check_whole_number(seed, "seed", least=0)
