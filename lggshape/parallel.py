"""Map a function over cases: on the cores of this machine, or on a Dask cluster."""

import logging
import multiprocessing
import os
import pickle
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from lggshape.checks import check_whole_number
from lggshape.errors import CaseError, InputError, InternalError, MissingPackageError
from lggshape.extras import require

_LOGGER = logging.getLogger("lggshape")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_CONNECT_SECONDS = 10
_LONGEST_TEXT = 300
_UNLIKE_HERE = "Error during deserialization"  # what Dask says of packages that are not there
_AHEAD = 4  # items per thread of a Dask worker that are sent before their turn
_IDLE_SECONDS = 20  # for which processes that have nothing to do wait for more work

_in_worker = False


class _WrappedError(CaseError):
    """What an error that is no `CaseError`, and no bug either, is wrapped in."""


class _UnpackedError(Exception):
    """A function or an item that another process got cannot be made there from what was sent."""


class Outcome(NamedTuple):
    """What came of one item.

    Attributes
    ----------
    item : object
        The item.
    value : object or None
        What the function returned; None if it failed.
    error : CaseError or None
        Why the item failed. An `InternalError` is a bug; any other is a fault of the item, or of
        the system (no memory, a disk that cannot be read). What is no `CaseError` itself is the
        `__cause__`.
    """

    item: Any
    value: Any
    error: CaseError | None


def map_cases(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
) -> Iterator[Outcome]:
    """Call a function with every item; one that fails does not keep the others from going on.

    Parameters
    ----------
    function : callable
        Called with one item. For more than one job, or a scheduler, it is sent to other processes:
        a function of a module, of a script or of a notebook, or a `functools.partial` of one.
    items : iterable
        The items.
    jobs : int, optional
        Number of processes; 1 is this process alone. By default the cores that this process may
        use, or 1 in a process that already is one of several.
    scheduler : str, optional
        Address of a Dask scheduler ("tcp://host:8786"), whose workers do the work in place of
        processes of this machine.

    Yields
    ------
    Outcome
        In the order of the items.

    Raises
    ------
    InputError
        If `jobs` is below 1, the function cannot be sent to other processes, `distributed` is not
        installed, or the scheduler does not answer.

    Notes
    -----
    A worker that dies (out of memory, killed) costs only the items that were being worked on. Each
    of them is tried once more in a process of its own; one whose process dies again fails. A Dask
    scheduler has its own rule for this (`distributed.scheduler.allowed-failures`).

    The processes are new ones of joblib's, so that neither locks nor random states of this process
    are carried into them. They do not import the main script again: it needs no
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
    return logged(_outcomes(function, items, jobs, scheduler))


def _outcomes(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    jobs: int | None,
    scheduler: str | None = None,
) -> Iterator[Outcome]:
    if scheduler is not None:
        return _map_dask(function, items, scheduler)
    if jobs is None:
        jobs = _usable_cores()
    check_whole_number(jobs, "the number of jobs", least=1)
    work = list(items)
    jobs = min(jobs, len(work))
    # A process that is one of several may not, or should not, start more of them.
    if jobs <= 1 or _in_worker or multiprocessing.current_process().daemon:
        return (outcome_of(function, item) for item in work)
    return _map_processes(function, work, jobs)


def logged(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Pass outcomes on, and keep the tracebacks of what is not a fault of the item."""
    for outcome in outcomes:
        if isinstance(outcome.error, InternalError):
            _LOGGER.error("%s", _name(outcome.item), exc_info=outcome.error.__cause__)
        elif isinstance(outcome.error, _WrappedError):
            _LOGGER.warning("%s", _name(outcome.item), exc_info=outcome.error.__cause__)
        yield outcome


def map_all(
    function: Callable[[Any], Any], items: Iterable[Any], *, jobs: int | None = None
) -> Iterator[Any]:
    """Call a function with every item, where a failure of one is a failure of all.

    Parameters
    ----------
    function, items, jobs
        As for `map_cases`.

    Yields
    ------
    object
        What the function returned, in the order of the items.

    Raises
    ------
    Exception
        What the function raised, or a CaseError if a process died.
    """
    for outcome in _outcomes(function, items, jobs):
        if isinstance(outcome.error, InternalError | _WrappedError):
            raise outcome.error.__cause__ or outcome.error
        if outcome.error is not None:
            raise outcome.error
        yield outcome.value


def _usable_cores() -> int:
    known = hasattr(os, "sched_getaffinity")  # not on macOS and Windows
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1


def outcome_of(function: Callable[[Any], Any], item: Any) -> Outcome:
    """Call a function with an item, and return what came of it."""
    try:
        return Outcome(item, function(item), None)
    except Exception as error:
        return _failed(item, error)


def _failed(item: Any, error: BaseException) -> Outcome:
    """Return the outcome of an item that raised; a bug becomes an `InternalError`."""
    if isinstance(error, MissingPackageError):  # no case can be processed
        raise error
    if isinstance(error, CaseError):
        return Outcome(item, None, error)
    # Libraries raise with pages of text; a reason has to fit a line and a cell of a table.
    text = " ".join(str(error).split())
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} ..."
    wrapped: CaseError
    if isinstance(error, InputError):
        wrapped = _WrappedError(text)
    elif isinstance(error, OSError | MemoryError):
        found = f"{type(error).__name__}: {text}" if text else "no memory left"
        wrapped = _WrappedError(f"Expected {_name(item)} to be processed, found {found}.")
    else:
        wrapped = InternalError(f"internal error: {type(error).__name__}: {text}; see the log")
    wrapped.__cause__ = error
    return Outcome(item, None, wrapped)


def _name(item: Any) -> str:
    return str(getattr(item, "id", item))


def _map_processes(function: Callable[[Any], Any], work: list[Any], jobs: int) -> Iterator[Outcome]:
    waiting = deque(range(len(work)))
    outcomes: dict[int, Outcome] = {}
    running: dict[Future[Any], int] = {}
    following = 0
    call = partial(_work, _packed(function), folder=Path.cwd())
    pool = _pool(jobs)
    try:
        while following < len(work):
            broken = False
            try:
                while waiting and len(running) < jobs:
                    future = pool.submit(call, _packed(work[waiting[0]]))
                    running[future] = waiting.popleft()
            except BrokenProcessPool:
                broken = True  # a process died while it had nothing to do
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            if broken or any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                # All that run break together, whichever of the processes died.
                done, _ = wait(running)
                pool = _pool(jobs)
            for future in done:
                index = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    outcomes[index] = _alone(call, work[index])
                    pool = _pool(jobs)
                else:
                    outcomes[index] = _outcome(work[index], future)
            while following in outcomes:
                yield outcomes.pop(following)
                following += 1
    finally:
        for future in running:
            future.cancel()


def _alone(call: Callable[[bytes], Any], item: Any) -> Outcome:
    """Try an item in a process of its own."""
    future = _pool(1).submit(call, _packed(item))
    if not isinstance(future.exception(), BrokenProcessPool):
        return _outcome(item, future)
    return _lost(item, "that the process working on it died twice (out of memory, or killed)")


def _lost(item: Any, found: str) -> Outcome:
    return Outcome(item, None, CaseError(f"Expected {_name(item)} to be processed, found {found}."))


def _not_sendable(error: BaseException) -> InputError:
    # The cause is a whole traceback as text; what it ends with says what is wrong.
    reason = str(error.__cause__ or error).strip('"\n').splitlines()[-1]
    return InputError(
        f"Expected a function and cases that can be sent to other processes, found: {reason}. "
        "Use jobs=1, or define the function without such parts."
    )


def _outcome(item: Any, future: Future[Any]) -> Outcome:
    """Return what came of an item in another process, and pass on what it was warned of."""
    error = future.exception()
    if isinstance(error, pickle.PicklingError | _UnpackedError):
        raise _not_sendable(error) from error
    if error is not None:
        return _failed(item, error)
    value, warned = future.result()
    for text in warned:
        _LOGGER.warning("%s: %s", _name(item), text)
    return Outcome(item, value, None)


def _pool(jobs: int) -> Any:
    """Return processes: those of an earlier call, if they are as many and none has died."""
    try:
        from loky import get_reusable_executor
    except ImportError:  # joblib brings its own
        from joblib.externals.loky import get_reusable_executor

    # The processes share the cores already, so each computes with one thread.
    threads = {name: os.environ.get(name, one) for name, one in _ONE_THREAD.items()}
    return get_reusable_executor(
        jobs, timeout=_IDLE_SECONDS, initializer=_begin_worker, env=threads
    )


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and do what comes alone."""
    global _in_worker  # noqa: PLW0603
    _in_worker = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _packed(value: Any) -> bytes:
    """Return what is sent to another process, those parts by value that it cannot import."""
    try:
        import cloudpickle
    except ImportError:  # joblib brings its own
        from joblib.externals import cloudpickle
    try:
        packed: bytes = cloudpickle.dumps(value)
    except Exception as error:
        raise _not_sendable(error) from error
    return packed


@lru_cache(maxsize=1)
def _function_in(packed: bytes) -> Any:
    return _unpacked(packed)


def _unpacked(packed: bytes) -> Any:
    # Of an error outside the task the parent would learn no more than that the process is gone.
    try:
        return pickle.loads(packed)
    except Exception as error:
        raise _UnpackedError(f"{type(error).__name__}: {error}") from None


def _work(function: bytes, item: bytes, *, folder: Path) -> tuple[Any, list[str]]:
    """Call a function in another process, and keep its warnings."""
    # A process that is kept from an earlier call stands where the parent stood then.
    os.chdir(folder)
    call, value = _function_in(function), _unpacked(item)
    with warnings.catch_warnings(record=True) as caught:
        result = call(value)
    return result, [f"{one.category.__name__}: {one.message}" for one in caught]


def _map_dask(
    function: Callable[[Any], Any], items: Iterable[Any], scheduler: str
) -> Iterator[Outcome]:
    require("distributed", "to use a Dask scheduler")
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        msg = f"Expected a Dask scheduler at {scheduler}, found: {error}."
        raise InputError(msg) from error
    return _gather_dask(client, function, list(items))


def _gather_dask(client: Any, function: Callable[[Any], Any], work: list[Any]) -> Iterator[Outcome]:
    with client:
        # Results wait for those before them: no more of them than the workers need to be busy.
        ahead = _AHEAD * max(1, sum(client.nthreads().values()))
        call = partial(_call_in, Path.cwd(), function)
        items, futures = iter(work), deque[Any]()
        try:
            for item in work:
                for following in islice(items, ahead - len(futures)):
                    futures.append(client.submit(call, following, pure=False))
                # Each result is let go once it is here, so that the workers can forget it.
                yield _dask_outcome(item, futures.popleft())
        except TypeError as error:
            raise _not_sendable(error) from error
        finally:
            client.cancel(list(futures))


def _call_in(folder: Path, function: Callable[[Any], Any], item: Any) -> Any:
    """Call a function on a worker, where relative paths are to lead where they lead here."""
    with suppress(OSError):  # no such folder there, and none needed if all paths are absolute
        os.chdir(folder)
    return function(item)


def _dask_outcome(item: Any, future: Any) -> Outcome:
    """Return what came of an item on a cluster, whose own failures are no bugs of the function."""
    from distributed.scheduler import KilledWorker

    try:
        error = future.exception()
        value = None if error else future.result()
    except (CancelledError, OSError) as lost:
        return _lost(item, f"the Dask scheduler lost: {' '.join(str(lost).split())}")
    except TypeError as unsent:
        raise _not_sendable(unsent) from unsent
    if isinstance(error, KilledWorker):
        return _lost(item, "that the Dask workers working on it died (out of memory, or killed)")
    if isinstance(error, RuntimeError) and str(error).startswith(_UNLIKE_HERE):
        msg = (
            "Expected a Dask scheduler and workers with the packages of this environment, found: "
            f"{error.__cause__ or error}."
        )
        raise InputError(msg) from error
    return _failed(item, error) if error else Outcome(item, value, None)
