"""Distribute items to the workers of a Dask scheduler."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lggshape.errors import InputError
from lggshape.extras import require
from lggshape.parallel.outcomes import Outcome, failed, log_warnings, lost
from lggshape.parallel.sending import UnpackedError, not_sendable, packed, sent

_CONNECT_SECONDS = 10
_LOOK_SECONDS = 5.0  # after which the state of an unfinished item is checked
_WORKERLESS_SECONDS = 600
_UNLIKE_HERE = "Error during deserialization"  # from Dask, if packages are missing there
_AHEAD = 4  # items per thread of a worker that are sent before their turn


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster that does the work.

    Attributes
    ----------
    address : str
        Address of its scheduler.
    client : distributed.Client
        The connection.
    """

    address: str
    client: Any

    @classmethod
    @contextmanager
    def connected(cls, scheduler: str) -> "Iterator[Cluster]":
        """Provide a cluster by the address of its scheduler.

        Raises
        ------
        InputError
            If `distributed` is not installed, or the scheduler does not answer.
        """
        require("distributed", "to use a Dask scheduler")
        from distributed import Client

        try:
            _check_answer(scheduler)
            client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, MemoryError) as error:
            found = str(error).rstrip(".") or "no answer"
            msg = (
                f"Expected a Dask scheduler at {scheduler}, found: {found}. "
                "Start one (`dask scheduler`), and give the address that it prints."
            )
            raise InputError(msg) from error
        with client:
            yield cls(scheduler, client)

    def map(self, function: Callable[[Any], Any], work: list[Any]) -> Iterator[Outcome]:
        """Call a function with items; yield the outcomes in the order of the items.

        Raises
        ------
        InputError
            If the function cannot be sent, or the scheduler or all workers are gone.
        """
        # Results wait for those before them, so only as many as keep the workers busy are sent.
        ahead = _AHEAD * max(1, self._threads())
        call = sent(function)
        items, futures = iter(work), deque[Any]()
        try:
            for item in work:
                for following in islice(items, ahead - len(futures)):
                    futures.append(self._submit(call, following))
                # Each future is dropped once its result is here, so that the workers can free it.
                outcome = self._outcome(item, futures.popleft())
                yield outcome or self._alone(call, item, futures)
        finally:
            if self.client.status == "running":
                self.client.cancel(list(futures))

    def _submit(self, call: Callable[[bytes], Any], item: Any) -> Any:
        return self.client.submit(call, packed(item), pure=False)

    def _threads(self) -> int:
        """Return how many threads all workers have."""
        if self.client.status == "running":
            with suppress(OSError):
                return sum(self.client.nthreads().values())
        raise self._gone("that it is gone")

    def _alone(self, call: Callable[[bytes], Any], item: Any, others: Iterable[Any]) -> Outcome:
        """Try an item while no other is processed, so that no other can be what kills it."""
        for future in others:
            self._error(future)
        found = "that the Dask workers working on it died (out of memory, or killed)"
        return self._outcome(item, self._submit(call, item)) or lost(item, found)

    def _outcome(self, item: Any, future: Any) -> Outcome | None:
        """Return the outcome of an item; None if the workers that were processing it died."""
        from distributed.scheduler import KilledWorker

        error = self._error(future)
        if isinstance(error, KilledWorker):
            return None
        if error is not None:
            if isinstance(error, UnpackedError) or str(error).startswith(_UNLIKE_HERE):
                msg = (
                    "Expected a Dask scheduler and workers with the packages of this environment, "
                    f"found: {error.__cause__ or error}. Install the same packages there."
                )
                raise InputError(msg) from error
            return failed(item, error)
        try:
            value, warned = future.result()
        except TypeError as unsent:
            raise not_sendable(unsent) from unsent
        log_warnings(item, warned)
        return Outcome(item, value, None)

    def _error(self, future: Any) -> BaseException | None:
        """Wait until an item is done, and return the error if it failed."""
        seen = time.monotonic()
        while self.client.status == "running":
            try:
                error: BaseException | None = future.exception(timeout=_LOOK_SECONDS)
            except TimeoutError:
                if self._threads():
                    seen = time.monotonic()
                elif time.monotonic() - seen > _WORKERLESS_SECONDS:
                    raise self._gone(f"no worker for {_WORKERLESS_SECONDS} seconds") from None
                continue
            if not future.cancelled():
                return error
            break
        raise self._gone("that it is gone")

    def _gone(self, found: str) -> InputError:
        return InputError(
            f"Expected the Dask scheduler at {self.address} to run until the work is done, found "
            f"{found}. Start it and its workers again, then repeat the command; segment, compare "
            "and replicate continue with --resume."
        )


def _check_answer(address: str) -> None:
    """Raise unless a scheduler answers: a client would wait forever for another server."""
    from distributed.comm.core import connect
    from distributed.security import Security

    async def answer() -> None:
        options = Security().get_connection_args("client")
        connecting = connect(address, timeout=_CONNECT_SECONDS, **options)
        (await asyncio.wait_for(connecting, _CONNECT_SECONDS + 1)).abort()

    # In a thread, because a notebook has a running loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, answer()).result()
