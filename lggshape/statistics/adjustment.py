"""Corrections of p-values for the number of hypotheses."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control

from lggshape.errors import InputError


class Adjusted(NamedTuple):
    """Adjusted p-values, in the order of the raw ones; NaN where these are.

    Attributes
    ----------
    bonferroni, holm : ndarray of shape (N,)
        Control of the family-wise error rate.
    bh : ndarray of shape (N,)
        Control of the false discovery rate (Benjamini and Hochberg).
    """

    bonferroni: NDArray[np.float64]
    holm: NDArray[np.float64]
    bh: NDArray[np.float64]


def adjust(p: ArrayLike, *, family: int | None = None) -> Adjusted:
    """Adjust p-values for the number of hypotheses.

    Parameters
    ----------
    p : array_like of shape (N,)
        Raw p-values. NaN is a hypothesis that could not be tested: it stays NaN and does not count.
    family : int, optional
        Number of hypotheses that were planned, those without a p-value included: these count as
        hypotheses with p = 1. By default the number of p-values.

    Returns
    -------
    Adjusted
        Bonferroni, Holm, and Benjamini and Hochberg.

    Raises
    ------
    InputError
        If a p-value is not in [0, 1], or the family is smaller than the number of p-values.

    References
    ----------
    Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 6 (1979) 65-70.
    Benjamini Y, Hochberg Y. Controlling the false discovery rate. J R Stat Soc B 57 (1995) 289-300.

    Examples
    --------
    >>> adjust([0.01, 0.04, float("nan"), 0.03]).holm.round(4).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    raw = np.asarray(p, dtype=np.float64)
    if raw.ndim != 1:
        msg = f"Expected `p` to be a list of p-values, found shape {raw.shape}."
        raise InputError(msg)
    tested = ~np.isnan(raw)
    count = int(tested.sum())
    if np.any((raw[tested] < 0) | (raw[tested] > 1)):
        msg = f"Expected `p` to hold values from 0 to 1, found {raw[tested].tolist()}."
        raise InputError(msg)
    if family is not None and family < count:
        msg = f"Expected `family` to be at least the {count} hypotheses with a p, found {family}."
        raise InputError(msg)
    padded = np.concatenate([raw[tested], np.ones((family or count) - count)])
    adjusted = []
    for method in (_bonferroni, _holm, false_discovery_control):
        values = np.full(raw.shape, np.nan)
        if count:
            values[tested] = method(padded)[:count]
        adjusted.append(values)
    return Adjusted(*adjusted)


def _bonferroni(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.minimum(p * len(p), 1)


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1)
