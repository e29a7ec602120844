"""Cases that pass from one function to the next, so that one is read while another is computed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from lggshape.parallel.outcomes import Outcome, logged, outcome_of


def map_stages(
    before: Callable[[Any], Any],
    beside: Callable[[Any], Any],
    after: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    alone: Callable[[Any], bool] = lambda _: False,
) -> Iterator[Outcome]:
    """Call three functions one after the other with every item, the second in a thread beside.

    While it works on an item, the third is called for the item before and the first for the next
    one. This is for a library that computes on all cores and does not wait for files. The first and
    the third function are never called at once, because to silence warnings is safe in one thread
    alone.

    Parameters
    ----------
    before, beside, after : callable
        Called with an item, with what `before` returned, and with what `beside` returned.
    items : iterable
        The items.
    alone : callable
        Whether what `before` returned is so large that nothing else is done until its item is.

    Yields
    ------
    Outcome
        In the order of the items, with what `after` returned. Where a function fails, the next ones
        are not called for the item.

    Examples
    --------
    >>> for item, value, error in map_stages(int, str, list, ["12", "one"]):
    ...     print(item, value, type(error).__name__)
    12 ['1', '2'] NoneType
    one None InternalError
    """
    return logged(_stages(before, beside, after, items, alone))


def _stages(
    before: Callable[[Any], Any],
    beside: Callable[[Any], Any],
    after: Callable[[Any], Any],
    items: Iterable[Any],
    alone: Callable[[Any], bool],
) -> Iterator[Outcome]:
    with ThreadPoolExecutor(1) as thread:
        working: Future[Outcome] | None = None
        for item in items:
            first = outcome_of(before, item)
            is_alone = first.error is None and alone(first.value)
            following = thread.submit(_after, first, beside)
            del first  # it is not kept in memory for longer than it is needed
            if working is not None:
                yield _after(working.result(), after)
            working = following
            if is_alone:
                yield _after(working.result(), after)
                working = None
            del following
        if working is not None:
            yield _after(working.result(), after)


def _after(earlier: Outcome, function: Callable[[Any], Any]) -> Outcome:
    """Call the next function for an item, unless an earlier one failed."""
    if earlier.error is not None:
        return earlier
    return outcome_of(lambda _: function(earlier.value), earlier.item)
