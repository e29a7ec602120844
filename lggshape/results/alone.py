"""One run at a time in a folder of results."""

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lggshape.errors import InputError
from lggshape.files import StrPath
from lggshape.results.places import not_writable

_LOGGER = logging.getLogger("lggshape")

_PATIENCE = 10.0
"""Seconds to wait for other runs that move their results."""


@contextmanager
def alone_in(folder: StrPath) -> Iterator[None]:
    """Keep other runs from writing to a folder in place while the block runs.

    The system releases the lock when the process ends, however it ends. Some file systems, such as
    those of networks, have no locks. There, nothing is kept out, and a warning says so.

    Parameters
    ----------
    folder : str or Path
        The folder. It is created if it is missing.

    Raises
    ------
    InputError
        If another run is writing there, or the folder cannot be created.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, alone_in(folder), alone_in(folder):
    ...     pass
    Traceback (most recent call last):
    lggshape.errors.InputError: Expected no other run to be writing to ..., found one. Wait until...
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(folder, error) from error
    if sys.platform == "win32":  # pragma: no cover
        yield  # folders cannot be opened there
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise not_writable(folder, error) from error
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


@contextmanager
def in_turn(folder: StrPath) -> Iterator[None]:
    """Let runs that move their results into the same folder do so one after the other.

    Moving them takes moments. Whatever holds the folder for longer than ten seconds is a run that
    writes there in place, with `alone_in`: it has files of its own, and is not waited for. Without
    locks, or if the folder is closed to readers, nothing is waited for either.

    Parameters
    ----------
    folder : str or Path
        A folder that exists.
    """
    end = time.monotonic() + _PATIENCE
    handle: int | None
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        handle = None
    try:
        while handle is not None and not _is_free(handle) and time.monotonic() < end:
            time.sleep(0.02)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _is_free(handle: int) -> bool:
    """Lock a folder and return True, also on a file system without locks; False if another has."""
    try:
        _flock(handle)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _lock(handle: int, folder: Path) -> None:
    try:
        _flock(handle)
    except BlockingIOError as error:
        msg = (
            f"Expected no other run to be writing to {folder}, found one. Wait until it has ended, "
            "or choose another folder."
        )
        raise InputError(msg) from error
    except OSError as error:  # a file system without locks
        _LOGGER.warning(
            "Expected a file system that can lock %s, found: %s. Do not start another run there "
            "before this one has ended.",
            folder,
            error.strerror or error,
        )


def _flock(handle: int) -> None:
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
