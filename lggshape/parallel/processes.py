"""Distribute items to processes of this machine."""

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.resource_tracker import ensure_running
from typing import Any
from weakref import WeakSet

from lggshape.parallel.outcomes import Outcome, failed, log_warnings, lost
from lggshape.parallel.sending import UnpackedError, not_sendable, packed, sent

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_IDLE_SECONDS = 20  # for which idle processes wait for more work
_POOLS: WeakSet[Any] = WeakSet()
"""The pools that may still have processes."""


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    known = hasattr(os, "sched_getaffinity")  # not on macOS and Windows
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1


def map_processes(function: Callable[[Any], Any], work: list[Any], jobs: int) -> Iterator[Outcome]:
    """Call a function with items in new processes; yield the outcomes in the order of the items."""
    waiting = deque(range(len(work)))
    outcomes: dict[int, Outcome] = {}
    running: dict[Future[Any], int] = {}
    following = 0
    call = sent(function)
    pool = _pool(jobs)
    try:
        while following < len(work):
            broken = False
            try:
                while waiting and len(running) < jobs:
                    future = _submit(pool, call, work[waiting[0]])
                    running[future] = waiting.popleft()
            except BrokenProcessPool:
                broken = True  # a process died while it had nothing to do
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            if broken or any(isinstance(future.exception(), BrokenProcessPool) for future in done):
                # If one process dies, all running items break.
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
    future = _submit(_pool(1), call, item)
    if not isinstance(future.exception(), BrokenProcessPool):
        return _outcome(item, future)
    return lost(item, "that the process working on it died twice (out of memory, or killed)")


def _outcome(item: Any, future: Future[Any]) -> Outcome:
    """Return the outcome of an item in another process, and log its warnings."""
    error = future.exception()
    if isinstance(error, pickle.PicklingError | UnpackedError):
        raise not_sendable(error) from error
    if error is not None:
        return failed(item, error)
    value, warned = future.result()
    log_warnings(item, warned)
    return Outcome(item, value, None)


def _pool(jobs: int) -> Any:
    """Return processes: those of an earlier call, if they are as many and none has died."""
    try:
        from loky import get_reusable_executor
    except ImportError:  # joblib brings its own
        from joblib.externals.loky import get_reusable_executor

    # The processes share the cores already, so each computes with one thread.
    threads = {name: os.environ.get(name, one) for name, one in _ONE_THREAD.items()}
    pool = get_reusable_executor(
        jobs, timeout=_IDLE_SECONDS, initializer=_begin_worker, env=threads
    )
    _POOLS.add(pool)
    return pool


def end_processes(*, at_once: bool) -> None:
    """End the processes of earlier calls, whether they are at work or idle.

    Parameters
    ----------
    at_once : bool
        Whether to kill them. Otherwise, they finish what they are doing.

    Examples
    --------
    >>> from lggshape.parallel import map_cases
    >>> [outcome.value for outcome in map_cases(abs, [-1, 2], jobs=2)]
    [1, 2]
    >>> end_processes(at_once=False)
    """
    for pool in [*_POOLS]:
        pool.shutdown(kill_workers=at_once)
        _POOLS.discard(pool)


def _submit(pool: Any, call: Callable[[bytes], Any], item: Any) -> Any:
    """Submit an item, for which processes may be started: they inherit that Ctrl-C is kept away.

    A terminal sends it to all processes, and a new one would be torn out of its imports.
    """
    content = packed(item)
    if not hasattr(signal, "pthread_sigmask"):  # pragma: no cover (Windows)
        return pool.submit(call, content)
    ensure_running()  # otherwise it begins with the first process, and unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(call, content)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
