"""How far a piece of work has come: one form for every function that takes long."""

from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """How far a piece of work has come.

    Attributes
    ----------
    doing : str
        What is being done, as "measuring".
    done, total : int
        How many of how many units are finished.
    """

    doing: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]
"""Called after each unit of work."""


def counter(on_progress: OnProgress | None, doing: str, total: int) -> Callable[[], None]:
    """Return a function to call after each unit of work.

    Parameters
    ----------
    on_progress : callable or None
        Told how far the work has come: at once, and after each unit.
    doing : str
        What is being done.
    total : int
        Number of units.

    Returns
    -------
    callable
        Takes no argument. Without `on_progress` it does nothing.

    Examples
    --------
    >>> advance = counter(print, "measuring", 2)
    Progress(doing='measuring', done=0, total=2)
    >>> advance()
    Progress(doing='measuring', done=1, total=2)
    """
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(Progress(doing, done, total))

    if on_progress is not None:
        on_progress(Progress(doing, 0, total))
    return advance
