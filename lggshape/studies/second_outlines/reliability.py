"""Statistics of pairs of measurements, for many bootstrap samples at once.

Arrays have the patients on the last axis, so that one call does for one sample and for thousands.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from lggshape.statistics import Effect

Floats = NDArray[np.float64]

ABSOLUTE, CONSISTENCY = "ICC(A,1)", "ICC(C,1)"

RELIABILITIES = (ABSOLUTE, CONSISTENCY)


def resamples(patients: int, *, number: int, seed: int) -> NDArray[np.intp]:
    """Return bootstrap samples of patients: their indices, shape (number, patients)."""
    return np.random.default_rng(seed).integers(0, patients, (number, patients))


def intraclass(one: Floats, other: Floats, measure: str) -> Floats:
    """Return the intraclass correlation of two measurements of each patient.

    Parameters
    ----------
    one, other : ndarray of float, shape (..., N)
        The two measurements.
    measure : {"ICC(A,1)", "ICC(C,1)"}
        For absolute agreement, where a shift between the two counts as disagreement, or for
        consistency, where it does not. Two-way, of single measurements.

    Returns
    -------
    ndarray of float, shape (...)
        NaN where neither of the two varies.

    References
    ----------
    McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients.
    Psychological Methods 1 (1996) 30-46.
    """
    n = one.shape[-1]
    difference = one - other
    rows = 2 * ((one + other) / 2).var(axis=-1, ddof=1)
    error = difference.var(axis=-1, ddof=1) / 2
    columns = n * difference.mean(axis=-1) ** 2 / 2
    shift = 2 * (columns - error) / n if measure == ABSOLUTE else 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.asarray((rows - error) / (rows + error + shift))
    return found


def explained_ranks(values: Floats, members: NDArray[np.bool_]) -> Floats:
    """Return the share of the variance of the ranks that lies between groups (epsilon squared).

    Parameters
    ----------
    values : ndarray of float, shape (..., N)
        A feature.
    members : ndarray of bool, shape (groups, ..., N)
        Who is in which group; everybody is in one.

    Returns
    -------
    ndarray of float, shape (...)
    """
    ranks = rankdata(values, axis=-1)
    centred = ranks - ranks.mean(axis=-1, keepdims=True)
    sizes = members.sum(axis=-1)
    sums = (centred * members).sum(axis=-1)
    between = (sums**2 / np.maximum(sizes, 1)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.asarray(between / (centred**2).sum(axis=-1))
    return found


def quartile_association(values: Floats, members: NDArray[np.bool_]) -> Floats:
    """Return the bias-corrected Cramér's V of the quartiles of a feature and groups.

    Parameters
    ----------
    values, members
        As for `explained_ranks`.

    Returns
    -------
    ndarray of float, shape (...)
        As `lggshape.statistics.cramers_v` estimates it; quartiles are cut in each sample.
    """
    n = values.shape[-1]
    cuts = np.quantile(values, [0.25, 0.5, 0.75], axis=-1)
    bins = (values > cuts[..., np.newaxis]).sum(axis=0)
    table = np.stack(
        [(members & (bins == number)).sum(axis=-1) for number in range(4)], axis=0
    ).astype(float)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.nansum(table**2 / (rows[:, np.newaxis] * columns[np.newaxis]), axis=(0, 1)) - 1
        r, c = (rows > 0).sum(axis=0), (columns > 0).sum(axis=0)
        bias = (r - 1) * (c - 1) / (n - 1)
        corrected = np.maximum(share - bias, 0.0)
        smaller = np.minimum(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
        found: Floats = np.sqrt(np.minimum(corrected / smaller, 1.0))
    return np.asarray(found)


def with_interval(estimate: Any, draws: Floats, *, level: float = 0.95) -> Effect:
    """Return an estimate with the percentile interval of its bootstrap samples."""
    kept = draws[np.isfinite(draws)]
    if not len(kept):
        return Effect(float(estimate), np.nan, np.nan)
    tail = 50 * (1 - level)
    low, high = np.percentile(kept, [tail, 100 - tail])
    return Effect(float(estimate), float(low), float(high))
