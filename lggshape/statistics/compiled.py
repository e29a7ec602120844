"""Functions that are compiled when they are first called."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from lggshape.extras import is_installed

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return a function compiled by Numba, which keeps it for the next process if it can.

    Without Numba, which the extra `fast` installs, the function is returned as it is: its results
    are the same but for rounding, and take longer.

    Compiling takes seconds. What is compiled is kept beside the module or, if that folder cannot be
    written, in the user's folder for caches (`NUMBA_CACHE_DIR` names another one). Without any, as
    in some containers, each process compiles anew.

    Examples
    --------
    >>> @compiled
    ... def twice(number):
    ...     return 2 * number
    >>> twice(3)
    6
    """
    if not is_installed("numba"):
        return function
    from numba import njit

    try:
        return cast("Function", njit(cache=True)(function))
    except RuntimeError:  # Numba finds no folder
        return cast("Function", njit(error_model="numpy")(function))
