"""Checks of arguments that several statistics share."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lggshape.errors import InputError


def contingency_table(table: ArrayLike) -> NDArray[np.int64]:
    """Return a contingency table as integers, its empty rows and columns dropped."""
    try:
        counts = np.asarray(table)
    except ValueError as error:
        msg = f"Expected `table` to have rows of equal length, found: {error}."
        raise InputError(msg) from error
    if counts.ndim != 2:
        msg = f"Expected `table` to have 2 dimensions, found {counts.ndim}."
        raise InputError(msg)
    if counts.dtype.kind not in "iuf":
        msg = f"Expected `table` to hold counts, found values of type {counts.dtype}."
        raise InputError(msg)
    if not np.all(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))):
        msg = f"Expected `table` to hold non-negative integers, found {counts.tolist()}."
        raise InputError(msg)
    if not counts.sum():
        msg = "Expected `table` to count at least one thing, found none."
        raise InputError(msg)
    integers = counts.astype(np.int64)
    return integers[integers.any(axis=1)][:, integers.any(axis=0)]


def finite_vector(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return values as a one-dimensional array of finite numbers, at least one."""
    try:
        vector = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"Expected `{name}` to hold numbers, found: {error}."
        raise InputError(msg) from error
    if vector.ndim != 1 or not vector.size:
        msg = f"Expected `{name}` to be a list of at least one number, found shape {vector.shape}."
        raise InputError(msg)
    if not np.isfinite(vector).all():
        found = np.sum(~np.isfinite(vector))
        msg = f"Expected `{name}` to hold finite numbers, found {found} not finite."
        raise InputError(msg)
    return vector


def same_length(**named: ArrayLike) -> list[NDArray[np.float64]]:
    """Return arguments as finite vectors, all as long as the first."""
    vectors = {name: finite_vector(values, name) for name, values in named.items()}
    first, *others = vectors
    for name in others:
        if vectors[name].shape != vectors[first].shape:
            msg = (
                f"Expected `{name}` to have shape {vectors[first].shape} as `{first}`, "
                f"found {vectors[name].shape}."
            )
            raise InputError(msg)
    return list(vectors.values())


def confidence_level(level: float) -> float:
    """Return a confidence level that lies between 0 and 1."""
    if not 0 < level < 1:
        msg = f"Expected `level` to be between 0 and 1, found {level}."
        raise InputError(msg)
    return float(level)


def finite_columns(values: ArrayLike, name: str, length: int) -> NDArray[np.float64]:
    """Return design columns as a matrix of finite numbers with this many rows."""
    try:
        matrix = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"Expected `{name}` to hold numbers in rows of equal length, found: {error}."
        raise InputError(msg) from error
    if matrix.ndim != 2 or len(matrix) != length:
        msg = f"Expected `{name}` to have shape ({length}, columns), found {matrix.shape}."
        raise InputError(msg)
    if not np.isfinite(matrix).all():
        found = np.sum(~np.isfinite(matrix))
        msg = f"Expected `{name}` to hold finite numbers, found {found} not finite."
        raise InputError(msg)
    return matrix


def zeros_and_ones(values: ArrayLike, name: str, length: int) -> NDArray[np.bool_]:
    """Return as many values as stated, each 0 or 1, as booleans."""
    numbers = finite_vector(values, name)
    if len(numbers) != length:
        msg = f"Expected `{name}` to hold {length} values, found {len(numbers)}."
        raise InputError(msg)
    if not np.isin(numbers, (0, 1)).all():
        msg = f"Expected `{name}` to hold 0 and 1, found {np.unique(numbers)[:5].tolist()}."
        raise InputError(msg)
    return numbers.astype(bool)


def binary_outcome(outcome: ArrayLike) -> NDArray[np.int64]:
    """Return an outcome of zeros and ones, both there."""
    values = zeros_and_ones(outcome, "outcome", np.size(outcome))
    if values.all() or not values.any():
        msg = f"Expected `outcome` to hold 0 and 1, found {[int(values[0])]}."
        raise InputError(msg)
    return values.astype(np.int64)


def numbered_strata(strata: ArrayLike | None, length: int) -> NDArray[np.intp]:
    """Return the number of each row's stratum, from 0; None is one stratum."""
    if strata is None:
        return np.zeros(length, dtype=np.intp)
    names = np.asarray(strata)
    if names.shape != (length,):
        msg = f"Expected `strata` to have shape ({length},), one per row, found {names.shape}."
        raise InputError(msg)
    missing = int(pd.isna(names).sum())
    if missing:
        msg = f"Expected `strata` to name a stratum for every row, found {missing} missing."
        raise InputError(msg)
    return np.unique(names, return_inverse=True)[1]
