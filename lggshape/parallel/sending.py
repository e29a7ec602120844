"""Send functions and items to another process, and call them there."""

import os
import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache, partial
from multiprocessing import current_process
from pathlib import Path
from threading import Lock
from typing import Any

from lggshape.errors import InputError

_ONE_AT_A_TIME = Lock()
_SENT_HERE = ContextVar("sent_here", default=False)


class UnpackedError(Exception):
    """A function or an item cannot be unpickled in another process."""


def sent(function: Callable[[Any], Any]) -> Callable[[bytes], tuple[Any, list[str]]]:
    """Return what another process calls with a packed item: the function, in this working folder.

    It returns what the function returned, and the warnings.
    """
    return partial(_call, packed(function), Path.cwd())


def _call(function: bytes, folder: Path, item: bytes) -> tuple[Any, list[str]]:
    with suppress(OSError):  # no such folder there, and none needed if all paths are absolute
        os.chdir(folder)
    here = _SENT_HERE.set(True)
    try:
        # Networks, figures and warnings are not safe in the threads of a Dask worker.
        with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as caught:
            result = _function_in(function)(_unpacked(item))
    finally:
        _SENT_HERE.reset(here)
    return result, [f"{one.category.__name__}: {one.message}" for one in caught]


def is_one_of_several() -> bool:
    """Return whether this process is a worker, which must not start further processes."""
    return _SENT_HERE.get() or current_process().daemon


def packed(value: Any) -> bytes:
    """Return what is sent to another process; parts that it cannot import go by value."""
    try:
        import cloudpickle
    except ImportError:  # joblib brings its own
        from joblib.externals import cloudpickle
    try:
        found: bytes = cloudpickle.dumps(value)
    except Exception as error:
        raise not_sendable(error) from error
    return found


def not_sendable(error: BaseException) -> InputError:
    """Return the error for a function, an item or a result that cannot be sent."""
    # The cause is a whole traceback as text, whose last line says what is wrong.
    reason = str(error.__cause__ or error).strip('"\n').splitlines()[-1]
    return InputError(
        f"Expected a function and cases that can be sent to other processes, found: {reason}. "
        "Use jobs=1, or change the function so that it does not need such an object."
    )


@lru_cache(maxsize=1)
def _function_in(function: bytes) -> Any:
    return _unpacked(function)


def _unpacked(value: bytes) -> Any:
    # Of an error outside the task, the parent would learn only that the process is gone.
    try:
        return pickle.loads(value)
    except Exception as error:
        raise UnpackedError(f"{type(error).__name__}: {error}") from None
