"""Bins between quantiles."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lggshape.checks import check_whole_number
from lggshape.statistics._validators import finite_vector

QuantileRule = Literal["linear", "weibull", "median_unbiased"]
"""Quantiles of types 7, 6 and 8 by Hyndman and Fan, as NumPy calls them."""


class Binned(NamedTuple):
    """Values sorted into bins.

    Attributes
    ----------
    codes : ndarray of int, shape (N,)
        The bin of each value, from 1.
    cuts : ndarray of shape (bins - 1,)
        The cut-points. Equal ones leave the bins between them empty.
    counts : tuple of int
        Number of values in each bin.
    on_cut : int
        Number of values equal to a cut-point: they belong to the lower bin.
    empty : tuple of int
        The bins without a value.
    """

    codes: NDArray[np.int64]
    cuts: NDArray[np.float64]
    counts: tuple[int, ...]
    on_cut: int
    empty: tuple[int, ...]


def quantile_bins(values: ArrayLike, bins: int = 4, *, rule: QuantileRule = "linear") -> Binned:
    """Sort values into bins between their quantiles.

    The cut-points are the quantiles among the values given, by default of type 7 (linear
    interpolation, the default of R and NumPy). Bins are closed on the right: a value equal to a
    cut-point belongs to the bin below it. In R: ``cut(x, c(-Inf, quantile(x, 1:3 / 4), Inf))``.
    Tied values stay together, so the bins can be uneven, or empty; `counts` and `empty` say so.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.
    bins : int, optional
        Number of bins; 4 are quartiles.
    rule : {"linear", "weibull", "median_unbiased"}
        How a quantile between two values is found: types 7, 6 and 8.

    Returns
    -------
    Binned
        The bins' numbers, cut-points and counts.

    Raises
    ------
    InputError
        If there is no value or one that is not finite, or fewer than two bins are asked for.

    References
    ----------
    Hyndman RJ, Fan Y. Sample quantiles in statistical packages. Am Stat 50 (1996) 361-365.

    Examples
    --------
    >>> quantile_bins([5, 1, 3, 2, 4]).codes.tolist()
    [4, 1, 2, 1, 3]
    """
    numbers = finite_vector(values, "values")
    check_whole_number(bins, "`bins`", least=2)
    cuts = np.quantile(numbers, np.arange(1, bins) / bins, method=rule)
    codes = np.searchsorted(cuts, numbers, side="left") + 1
    counts = np.bincount(codes, minlength=bins + 1)[1:]
    return Binned(
        codes=codes.astype(np.int64),
        cuts=cuts,
        counts=tuple(counts.tolist()),
        on_cut=int(np.isin(numbers, cuts).sum()),
        empty=tuple((np.flatnonzero(counts == 0) + 1).tolist()),
    )
