"""A function mapped over cases, wherever the work is done."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from lggshape.checks import check_whole_number
from lggshape.errors import InternalError
from lggshape.parallel.cluster import Cluster
from lggshape.parallel.outcomes import Outcome, WrappedError, logged, outcome_of
from lggshape.parallel.processes import map_processes, usable_cores
from lggshape.parallel.sending import is_one_of_several

_IN_WORKERS = ContextVar("in_workers", default=False)
_CLUSTER = ContextVar[Cluster | None]("cluster", default=None)


@contextmanager
def in_workers(scheduler: str | None = None) -> Iterator[None]:
    """Let other processes do all work on cases within the block, even on a single case.

    A case that crashes its process then fails, and the program continues.

    Parameters
    ----------
    scheduler : str, optional
        Address of a Dask scheduler ("tcp://host:8786"). Its workers do the work within the block
        instead of processes of this machine. The argument `jobs` then has no effect.

    Raises
    ------
    InputError
        If `distributed` is not installed, or the scheduler does not answer.

    Examples
    --------
    >>> from lggshape.parallel import in_workers, map_cases
    >>> with in_workers():
    ...     [outcome] = map_cases(abs, [-1], jobs=1)
    >>> outcome.value
    1
    """
    with nullcontext() if scheduler is None else Cluster.connected(scheduler) as cluster:
        apart, known = _IN_WORKERS.set(True), _CLUSTER.set(cluster)
        try:
            yield
        finally:
            _IN_WORKERS.reset(apart)
            _CLUSTER.reset(known)


def on_cluster() -> bool:
    """Return whether the work is done by the workers of a Dask scheduler.

    Examples
    --------
    >>> on_cluster()
    False
    """
    return _CLUSTER.get() is not None


def map_cases(
    function: Callable[[Any], Any], items: Iterable[Any], *, jobs: int | None = None
) -> Iterator[Outcome]:
    """Call a function with every item; if one fails, the others are still processed.

    Parameters
    ----------
    function : callable
        Called with one item. For more than one job, or within `in_workers`, it is sent to other
        processes. It may be a function of a module, a script or a notebook, or a
        `functools.partial` of one.
    items : iterable
        The items.
    jobs : int, optional
        Number of processes; 1 is this process alone, except within `in_workers`. By default, the
        number of cores that this process may use, or 1 in a process that is already a worker.

    Yields
    ------
    Outcome
        In the order of the items.

    Raises
    ------
    InputError
        If `jobs` is below 1, the function cannot be sent to other processes, or a Dask scheduler
        or all its workers are gone.

    Notes
    -----
    If a worker dies (out of memory, killed), only the items that were being processed are affected.
    Each of them is tried once more in a process of its own, and fails if that process dies, too. A
    Dask scheduler first tries it on other workers (`distributed.scheduler.allowed-failures`).

    The processes are started by joblib, and inherit neither locks nor random states of this
    process. They do not import the main script again, so it needs no
    `if __name__ == "__main__":`. They are kept for the next call, and end when they are idle.

    Warnings of other processes, and the tracebacks of bugs, go to the logger "lggshape".

    Examples
    --------
    >>> import math
    >>> for item, value, error in map_cases(math.sqrt, [4, -1], jobs=1):
    ...     print(item, value, type(error).__name__)
    4 2.0 NoneType
    -1 None InternalError
    """
    return logged(_outcomes(function, items, jobs, apart=_IN_WORKERS.get()))


def map_all(
    function: Callable[[Any], Any], items: Iterable[Any], *, jobs: int | None = None
) -> Iterator[Any]:
    """Call a function with every item; if one fails, raise its error.

    Parameters
    ----------
    function, items, jobs
        As for `map_cases`; 1 is this process alone unless there is a cluster.

    Yields
    ------
    object
        What the function returned, in the order of the items.

    Raises
    ------
    Exception
        What the function raised, or a CaseError if a process died.

    Examples
    --------
    >>> list(map_all(abs, [-1, 2]))
    [1, 2]
    """
    for outcome in _outcomes(function, items, jobs, apart=False):
        if isinstance(outcome.error, InternalError | WrappedError):
            raise outcome.error.__cause__ or outcome.error
        if outcome.error is not None:
            raise outcome.error
        yield outcome.value


def _outcomes(
    function: Callable[[Any], Any], items: Iterable[Any], jobs: int | None, *, apart: bool
) -> Iterator[Outcome]:
    if jobs is None:
        jobs = usable_cores()
    check_whole_number(jobs, "the number of jobs", least=1)
    work = list(items)
    cluster = _CLUSTER.get()
    if cluster is not None:
        return cluster.map(function, work)
    jobs = min(jobs, len(work))
    if jobs == 0 or (jobs == 1 and not apart) or is_one_of_several():
        return (outcome_of(function, item) for item in work)
    return map_processes(function, work, jobs)
