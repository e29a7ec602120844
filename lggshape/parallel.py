"""Map a function over cases: on the cores of this machine, or on a Dask cluster."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, forkserver
from multiprocessing.context import BaseContext
from types import ModuleType
from typing import Any, NamedTuple

from lggshape.errors import CaseError, InputError

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_CONNECT_SECONDS = 10
_LONGEST_TEXT = 300


class _UnexpectedError(CaseError):
    """What an error of no known kind is wrapped in; that error is the cause."""


class Outcome(NamedTuple):
    """What came of one item.

    Attributes
    ----------
    item : object
        The item.
    value : object or None
        What the function returned; None if it failed.
    error : CaseError or None
        Why the item failed.
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
        Called with one item. More than one job, or a scheduler, needs a function that can be
        pickled: one defined at the top of a module, or a `functools.partial` of one.
    items : iterable
        The items.
    jobs : int, optional
        Number of processes; 1 is this process alone. By default the cores that this process may
        use.
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
        If `jobs` is below 1, `distributed` is not installed, or the scheduler does not answer.

    Notes
    -----
    A worker that dies (out of memory, killed) costs only the items that were being worked on. Each
    of them is tried once more in a process of its own; one whose process dies again fails. A Dask
    scheduler has its own rule for this (`distributed.scheduler.allowed-failures`).

    New processes are forked from a server process that has no threads and does no work, so that
    neither locks nor random states of this process are carried into them. They do not import the
    main script again, so it needs no `if __name__ == "__main__":`, unless `function` is defined in
    that script.
    """
    if scheduler is not None:
        return _map_dask(function, items, scheduler)
    if jobs is None:
        jobs = _usable_cores()
    if jobs < 1:
        msg = f"Expected the number of jobs to be at least 1, found {jobs}."
        raise InputError(msg)
    work = list(items)
    jobs = min(jobs, len(work))
    if jobs <= 1:
        return (_call(function, item) for item in work)
    return _map_processes(function, work, jobs)


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
    for outcome in map_cases(function, items, jobs=jobs):
        if isinstance(outcome.error, _UnexpectedError):
            raise outcome.error.__cause__ or outcome.error
        if outcome.error is not None:
            raise outcome.error
        yield outcome.value


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover (macOS, Windows)


def _call(function: Callable[[Any], Any], item: Any) -> Outcome:
    try:
        return Outcome(item, function(item), None)
    except Exception as error:
        return _failed(item, error)


def _failed(item: Any, error: BaseException) -> Outcome:
    """Give the outcome of an item that raised; an error of no known kind is wrapped."""
    if isinstance(error, CaseError):
        return Outcome(item, None, error)
    name = getattr(item, "id", item)
    # Libraries raise with pages of text; a reason has to fit a line and a cell of a table.
    text = " ".join(str(error).split())
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} ..."
    msg = f"Expected {name} to be processed, found an unexpected {type(error).__name__}: {text}"
    wrapped = _UnexpectedError(msg)
    wrapped.__cause__ = error
    return Outcome(item, None, wrapped)


def _map_processes(function: Callable[[Any], Any], work: list[Any], jobs: int) -> Iterator[Outcome]:
    context = _context(function)
    waiting = deque(range(len(work)))
    outcomes: dict[int, Outcome] = {}
    running: dict[Future[Any], int] = {}
    following = 0
    pool = _pool(context, jobs)
    try:
        while following < len(work):
            broken = False
            try:
                while waiting and len(running) < jobs:
                    running[_submit(pool, function, work[waiting[0]])] = waiting[0]
                    waiting.popleft()
            except BrokenProcessPool:
                broken = True  # a process died while it had nothing to do
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            if broken or any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                # All that run break together, whichever of the processes died.
                done, _ = wait(running)
                pool.shutdown()
                pool = _pool(context, jobs)
            for future in done:
                index = running.pop(future)
                error = future.exception()
                if error is None:
                    outcomes[index] = Outcome(work[index], future.result(), None)
                elif isinstance(error, BrokenProcessPool):
                    outcomes[index] = _alone(context, function, work[index])
                else:
                    outcomes[index] = _failed(work[index], error)
            while following in outcomes:
                yield outcomes.pop(following)
                following += 1
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(context: BaseContext, function: Callable[[Any], Any], item: Any) -> Outcome:
    """Try an item in a process of its own."""
    with _pool(context, 1) as pool:
        future = _submit(pool, function, item)
        error = future.exception()
        if error is None:
            return Outcome(item, future.result(), None)
    if isinstance(error, BrokenProcessPool):
        name = getattr(item, "id", item)
        msg = (
            f"Expected {name} to be processed, found that the process working on it died twice "
            "(out of memory, or killed)."
        )
        return Outcome(item, None, CaseError(msg))
    return _failed(item, error)


def _pool(context: BaseContext, jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_worker)


def _submit(pool: ProcessPoolExecutor, function: Callable[[Any], Any], item: Any) -> Future[Any]:
    """Submit an item; a process that this starts does not import the main script again."""
    main = sys.modules["__main__"]
    if _module(function) != main.__name__:
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        return pool.submit(function, item)
    finally:
        sys.modules["__main__"] = main


def _module(function: Callable[[Any], Any]) -> str:
    """Give the name of the module that a function, or the function of a partial, is from."""
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__module__", None) or __name__


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end when the parent is gone, however it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _context(function: Callable[[Any], Any]) -> BaseContext:
    """Give the start method: fork from a clean server where there is one, else spawn."""
    if "forkserver" not in multiprocessing.get_all_start_methods():  # pragma: no cover (Windows)
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # The server imports what the function needs once, so that a worker starts in milliseconds.
    context.set_forkserver_preload([_module(function)])
    with _environment(_ONE_THREAD):
        # The processes share the cores already. Without threads the server is safe to fork, too.
        forkserver.ensure_running()
    return context


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment that are not set, for as long as the block runs."""
    new = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


def _map_dask(
    function: Callable[[Any], Any], items: Iterable[Any], scheduler: str
) -> Iterator[Outcome]:
    try:
        from distributed import Client
    except ImportError as error:
        msg = (
            "Expected the package distributed for a Dask scheduler, found none: "
            'pip install "lggshape[dask]".'
        )
        raise InputError(msg) from error
    try:
        client = Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError) as error:
        msg = f"Expected a Dask scheduler at {scheduler}, found: {error}."
        raise InputError(msg) from error
    return _gather_dask(client, function, list(items))


def _gather_dask(client: Any, function: Callable[[Any], Any], work: list[Any]) -> Iterator[Outcome]:
    with client:
        futures = deque(client.submit(function, item, pure=False) for item in work)
        try:
            for item in work:
                # Let go of each result once it is here, so that the workers can forget it.
                future = futures.popleft()
                error = future.exception()
                yield _failed(item, error) if error else Outcome(item, future.result(), None)
        finally:
            client.cancel(list(futures))
