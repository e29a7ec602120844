"""Hypotheses on all cores, if there are many."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lggshape.parallel import map_all

_ALONE_SECONDS = 2.0
"""What is done within this time is not worth the start of further processes."""


def map_if_long(
    function: Callable[[Any], Any], items: Iterable[Any], *, jobs: int | None = None
) -> Iterator[Any]:
    """Call a function with every item, as `map_all`, but in this process as long as that is quick.

    Parameters
    ----------
    function, items, jobs
        As for `map_cases`. What is not done after two seconds is done on all cores.

    Yields
    ------
    object
        What the function returned, in the order of the items.

    Examples
    --------
    >>> list(map_if_long(abs, [-1, 2]))
    [1, 2]
    """
    begun = time.monotonic()
    left = deque(items)
    while left and time.monotonic() - begun < _ALONE_SECONDS:
        yield function(left.popleft())
    yield from map_all(function, left, jobs=jobs)
