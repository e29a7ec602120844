"""Associations of a measurement with groups, for many bootstrap samples at once.

Arrays have the patients on the last axis, so that one call does for one sample and for thousands.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from lggshape.statistics.agreement_draws import Reliability

Floats = NDArray[np.float64]

ABSOLUTE: Reliability = "ICC(A,1)"
CONSISTENCY: Reliability = "ICC(C,1)"

RELIABILITIES = (ABSOLUTE, CONSISTENCY)


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
