"""Association of labels with bins or with values: tests and effect sizes with intervals.

The intervals invert the noncentral chi-squared distribution of the test statistic. It is the
statistic's distribution for weak associations; for strong ones the statistic of a sample spreads
less than it says, so that the interval is wider than it must be. ``benchmarks/intervals.py`` prints
how often the intervals hold the truth. The bootstrap does not serve here: near independence both
effects pile up at zero.

The upper limits are power-constrained. A sample may look more independent than chance makes
independent ones look. The plain inversion then has an upper limit near 0, or of 0, as if so few
patients could rule out every association. So the statistic counts for the upper limit as no less
than the median of its distribution under independence: no sample claims more than a typical one
without any association. This can only raise an upper limit, hence not lose coverage.

References
----------
Cowan G, Cranmer K, Gross E, Vitells O. Power-constrained limits. arXiv:1105.3166 (2011).
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import chi2, chi2_contingency, kruskal, ncx2

from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, contingency_table, finite_vector


class Effect(NamedTuple):
    """An effect size and its confidence interval; NaN where there is nothing to compare.

    Attributes
    ----------
    estimate : float
        The effect size in the sample.
    low, high : float
        Confidence interval for the effect size in the population.
    """

    estimate: float
    low: float
    high: float


class KruskalResult(NamedTuple):
    """Result of the Kruskal-Wallis test; NaN with fewer than two groups.

    Attributes
    ----------
    statistic : float
        H, corrected for ties.
    p : float
        p-value by the chi-squared distribution with (groups - 1) degrees of freedom.
    """

    statistic: float
    p: float


def cramers_v(table: ArrayLike, *, level: float = 0.95) -> Effect:
    """Return Cramér's V of a table of counts, with a confidence interval.

    The estimate is Bergsma's bias-corrected V: 0, not about 0.19, is what it tends to if rows and
    columns of a 4 x 5 table of 110 patients are independent. The interval is for V in the
    population: it inverts the noncentral chi-squared distribution of Pearson's statistic, with a
    power-constrained upper limit (no lower than that of a table whose statistic is the median
    under independence), and is widened to hold the estimate where that lies at its edge.

    Parameters
    ----------
    table : array_like of shape (R, C)
        Counts. Empty rows and columns are dropped; with less than two of either V is NaN.
    level : float, optional
        Confidence level.

    Returns
    -------
    Effect
        V and its interval, from 0 (independent) to 1.

    Raises
    ------
    InputError
        If the table does not hold counts in two dimensions, or the level is not in (0, 1).

    References
    ----------
    Bergsma W. A bias-correction for Cramér's V and Tschuprow's T. J Korean Stat Soc 42 (2013)
    323-328.
    Smithson M. Confidence intervals. Sage (2003), chapter 4.
    Cowan G, Cranmer K, Gross E, Vitells O. Power-constrained limits. arXiv:1105.3166 (2011).

    Examples
    --------
    >>> effect = cramers_v([[20, 5], [5, 20]])
    >>> round(effect.estimate, 3), round(effect.low, 3), round(effect.high, 3)
    (0.589, 0.323, 0.877)
    """
    counts = contingency_table(table)
    level = confidence_level(level)
    rows, columns = counts.shape
    if min(rows, columns) < 2:
        return Effect(math.nan, math.nan, math.nan)
    n = int(counts.sum())
    statistic = float(chi2_contingency(counts, correction=False).statistic)
    freedom = (rows - 1) * (columns - 1)
    low, high = _noncentrality_interval(statistic, freedom, level)
    most = n * (min(rows, columns) - 1)
    return _effect(bias_corrected_v(table), math.sqrt(low / most), math.sqrt(high / most))


def bias_corrected_v(table: ArrayLike) -> float:
    """Return the estimate of `cramers_v` alone, where many tables leave no time for intervals.

    Parameters
    ----------
    table : array_like of shape (R, C)
        Counts. Empty rows and columns are dropped.

    Returns
    -------
    float
        Bergsma's V; NaN with less than two rows or columns.

    Raises
    ------
    InputError
        If the table does not hold counts in two dimensions.

    Examples
    --------
    >>> round(bias_corrected_v([[20, 5], [5, 20]]), 3)
    0.589
    """
    counts = contingency_table(table)
    rows, columns = counts.shape
    if min(rows, columns) < 2:
        return math.nan
    n = int(counts.sum())
    statistic = float(chi2_contingency(counts, correction=False).statistic)
    return _bias_corrected_v(statistic / n, n, rows, columns)


def _bias_corrected_v(phi_squared: float, n: int, rows: int, columns: int) -> float:
    """Return Bergsma's V from the mean-square contingency of a sample."""
    bias = (rows - 1) * (columns - 1) / (n - 1)
    # The square root would make a visible V of the rounding error of equal terms.
    corrected = phi_squared - bias if phi_squared > bias * (1 + 1e-12) else 0.0
    smaller = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1))
    return min(1.0, math.sqrt(corrected / (smaller - 1))) if smaller > 1 else 0.0


def kruskal_wallis(values: ArrayLike, groups: ArrayLike) -> KruskalResult:
    """Test whether groups differ in the location of their values (Kruskal-Wallis, tie-corrected).

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.
    groups : array_like of shape (N,)
        The group of each value; text or numbers, none missing.

    Returns
    -------
    KruskalResult
        H and its p-value; 0 and 1 if all values are equal.

    Raises
    ------
    InputError
        If values and groups do not match, or some are missing.

    References
    ----------
    Kruskal WH, Wallis WA. Use of ranks in one-criterion variance analysis. J Am Stat Assoc 47
    (1952) 583-621.

    Examples
    --------
    >>> round(kruskal_wallis([1, 2, 3, 4, 5, 6], ["a", "a", "a", "b", "b", "b"]).statistic, 3)
    3.857
    """
    parts = _by_group(values, groups)
    if len(parts) < 2:
        return KruskalResult(math.nan, math.nan)
    everything = np.concatenate(parts)
    if everything.min() == everything.max():
        return KruskalResult(0.0, 1.0)
    result = kruskal(*parts)
    return KruskalResult(float(result.statistic), float(result.pvalue))


def epsilon_squared(values: ArrayLike, groups: ArrayLike, *, level: float = 0.95) -> Effect:
    """Return the rank epsilon squared of the Kruskal-Wallis test, with a confidence interval.

    The estimate is H / (N - 1), the share of the variance of the ranks that lies between groups.
    It is not corrected for bias: without any effect it is about (groups - 1) / (N - 1). The
    interval is for the same share in the population: it inverts the noncentral chi-squared
    distribution of H, with a power-constrained upper limit (no lower than that of a sample whose H
    is the median without any effect), and is widened to hold the estimate where that lies at its
    edge.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.
    groups : array_like of shape (N,)
        The group of each value; text or numbers, none missing.
    level : float, optional
        Confidence level.

    Returns
    -------
    Effect
        Epsilon squared and its interval, from 0 to 1; NaN with fewer than two groups.

    Raises
    ------
    InputError
        If values and groups do not match, some are missing, or the level is not in (0, 1).

    References
    ----------
    Tomczak M, Tomczak E. The need to report effect size estimates revisited. Trends in Sport
    Sciences 21 (2014) 19-25.
    Steiger JH. Beyond the F test: effect size confidence intervals and tests of close fit in the
    analysis of variance and contrast analysis. Psychological Methods 9 (2004) 164-182.
    Cowan G, Cranmer K, Gross E, Vitells O. Power-constrained limits. arXiv:1105.3166 (2011).

    Examples
    --------
    >>> round(epsilon_squared([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1]).estimate, 3)
    0.771
    """
    level = confidence_level(level)
    statistic = kruskal_wallis(values, groups).statistic
    if math.isnan(statistic):
        return Effect(math.nan, math.nan, math.nan)
    n, count = np.size(groups), len(np.unique(np.asarray(groups)))
    low, high = _noncentrality_interval(statistic, count - 1, level)
    return _effect(statistic / (n - 1), low / (n - 1), high / (n - 1))


def _by_group(values: ArrayLike, groups: ArrayLike) -> list[NDArray[np.float64]]:
    """Return the values of each group."""
    numbers = finite_vector(values, "values")
    labels = np.asarray(groups)
    if labels.shape != numbers.shape:
        msg = f"Expected `groups` to have shape {numbers.shape} as `values`, found {labels.shape}."
        raise InputError(msg)
    missing = int(pd.isna(labels).sum())
    if missing:
        msg = f"Expected `groups` to name a group for every value, found {missing} missing."
        raise InputError(msg)
    return [numbers[labels == label] for label in np.unique(labels)]


def _noncentrality_interval(statistic: float, freedom: int, level: float) -> tuple[float, float]:
    """Return the noncentralities at which the statistic is just not too large, or too small.

    The upper one is power-constrained: that of the median under independence at least.
    """
    tail = (1 - level) / 2
    typical = max(statistic, float(chi2.median(freedom)))
    low = _noncentrality(statistic, freedom, 1 - tail)
    return low, _noncentrality(typical, freedom, tail)


def _noncentrality(statistic: float, freedom: int, probability: float) -> float:
    """Return the noncentrality that makes the statistic this quantile; 0 where it is beyond."""

    def excess(noncentrality: float) -> float:
        return float(ncx2.cdf(statistic, freedom, noncentrality)) - probability

    if excess(0.0) <= 0:
        return 0.0
    beyond = statistic + 10
    while excess(beyond) > 0:
        beyond *= 2
    return float(brentq(excess, 0.0, beyond, xtol=1e-9))


def _effect(estimate: float, low: float, high: float) -> Effect:
    """Return an effect whose interval holds the estimate and keeps to [0, 1]."""
    estimate = min(1.0, estimate)
    return Effect(estimate, min(low, estimate), min(1.0, max(high, estimate)))
