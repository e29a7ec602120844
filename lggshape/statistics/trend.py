"""Tests and effects for a measurement that may rise or fall from level to level.

With two levels all of this is the Mann-Whitney test and the area under the ROC curve: J is U, and
Somers' d is twice the area less 1.
"""

import math
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau, t

from lggshape.statistics._validators import confidence_level, same_length
from lggshape.statistics.contingency import Effect
from lggshape.statistics.discrimination import auc, paired_off

_LARGEST_EXACT = 100
"""Up to this many values without ties the p-value is exact, as in R's packages."""

_NO_ERROR = 1e-9
"""Rounding leaves a trace of error where there is none."""


class TrendResult(NamedTuple):
    """Result of the Jonckheere-Terpstra test; NaN where values or levels do not vary.

    Attributes
    ----------
    statistic : float
        J: pairs of values of different levels in which the one of the higher level is larger;
        equal values count as half.
    p : float
        Two-sided p-value.
    method : {"exact", "normal"}
        Which distribution of J it comes from.
    """

    statistic: float
    p: float
    method: Literal["exact", "normal"]


def jonckheere_terpstra(values: ArrayLike, levels: ArrayLike) -> TrendResult:
    """Test whether values rise or fall with the levels of an ordered group.

    Up to 100 values of which no two are equal, p is twice the smaller tail of the exact
    distribution of J under independence. With ties, or more values, it comes from the normal
    distribution with the variance that both kinds of ties leave, without a correction for
    continuity. That is Kendall's test of the values against the levels, since J differs from
    Kendall's score by a constant and a factor.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.
    levels : array_like of shape (N,)
        The level of each value, as a number in the order of the levels.

    Returns
    -------
    TrendResult
        J and its p-value.

    Raises
    ------
    InputError
        If the two differ in length or hold values that are not finite.

    References
    ----------
    Jonckheere AR. A distribution-free k-sample test against ordered alternatives. Biometrika 41
    (1954) 133-145.
    Terpstra TJ. The asymptotic normality and consistency of Kendall's test against trend, when
    ties are present in one ranking. Indagationes Mathematicae 14 (1952) 327-333.
    Hollander M, Wolfe DA, Chicken E. Nonparametric statistical methods. 3rd ed. Wiley (2014),
    section 6.2.

    Examples
    --------
    >>> result = jonckheere_terpstra([1, 2, 4, 3, 5, 6], [0, 0, 0, 1, 1, 2])
    >>> result.statistic, round(result.p, 4), result.method
    (10.0, 0.1, 'exact')
    """
    one, other = same_length(values=values, levels=levels)
    if not np.ptp(one) or not np.ptp(other):
        return TrendResult(math.nan, math.nan, "normal")
    _, sizes = np.unique(other, return_counts=True)
    pairs = (len(other) ** 2 - int(sizes @ sizes)) / 2
    statistic = (pairs + float(_scores(one, other).sum()) / 2) / 2
    if len(one) > _LARGEST_EXACT or len(np.unique(one)) < len(one):
        p = float(kendalltau(one, other, method="asymptotic").pvalue)
        return TrendResult(statistic, p, "normal")
    chances = _distribution(tuple(sorted(sizes.tolist())))
    place = round(statistic)
    tail = min(float(chances[place:].sum()), float(chances[: place + 1].sum()))
    return TrendResult(statistic, min(1.0, 2 * tail), "exact")


def somers_d(values: ArrayLike, levels: ArrayLike, *, level: float = 0.95) -> Effect:
    """Return Somers' d of values by ordered levels, with a confidence interval.

    Of two things of different levels, it is the probability that the one of the higher level has
    the larger value less the probability that it has the smaller one: 1 if all values rise with
    the levels, 0 without a trend. It is the effect that belongs to the Jonckheere-Terpstra test.

    The interval is symmetric on Fisher's z scale, as Newson advises; its standard error is that of
    the ratio of two U-statistics. It uses Student's t with N less the number of levels as degrees
    of freedom. With two levels it is the interval of the area under the curve, by `auc`, on the
    scale of d. Where the standard error is 0 (all pairs in order, or nothing but ties) the interval
    comes from disjoint pairs of different levels, as that of `auc` does.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.
    levels : array_like of shape (N,)
        The level of each value, as a number in the order of the levels.
    level : float, optional
        Confidence level.

    Returns
    -------
    Effect
        d and its interval, from -1 to 1; NaN with fewer than two levels.

    Raises
    ------
    InputError
        If the two differ in length, hold values that are not finite, or `level` is not in (0, 1).

    References
    ----------
    Somers RH. A new asymmetric measure of association for ordinal variables. American Sociological
    Review 27 (1962) 799-811.
    Newson R. Confidence intervals for rank statistics: Somers' D and extensions. Stata Journal 6
    (2006) 309-334.

    Examples
    --------
    >>> effect = somers_d([1, 2, 4, 3, 5, 6, 8, 7], [0, 0, 0, 1, 1, 1, 2, 2])
    >>> round(effect.estimate, 3), round(effect.low, 3), round(effect.high, 3)
    (0.905, -0.471, 0.998)
    """
    confidence = confidence_level(level)
    one, other = same_length(values=values, levels=levels)
    groups, place, sizes = np.unique(other, return_inverse=True, return_counts=True)
    if len(groups) < 2:
        return Effect(math.nan, math.nan, math.nan)
    if len(groups) == 2:
        area = auc(one[place == 1], one[place == 0], level=confidence)
        return Effect(*(2 * float(end) - 1 for end in area[:3]))
    n = len(one)
    scores = _scores(one, other)
    total = float(n**2 - sizes @ sizes)
    estimate = float(scores.sum()) / total
    error = _standard_error(scores - estimate * (n - sizes[place]), place, sizes, total)
    tail = (1 - confidence) / 2
    if error < _NO_ERROR:
        pairs = min(n // 2, n - int(sizes.max()))
        low, high = (2 * end - 1 for end in paired_off((1 + estimate) / 2, pairs, tail))
        return Effect(estimate, low, high)
    z = math.atanh(estimate)
    reach = -float(t.ppf(tail, max(1, n - len(sizes)))) * error / (1 - estimate**2)
    return Effect(estimate, math.tanh(z - reach), math.tanh(z + reach))


def _scores(values: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each thing its pairs that are in order less those in the other order."""
    scores = np.zeros(len(values))
    for one in np.unique(levels):
        own = np.sort(values[levels == one])
        # How many of this level are smaller than each value, less how many are larger.
        ahead = np.searchsorted(own, values, "left") + np.searchsorted(own, values, "right")
        scores += np.sign(levels - one) * (ahead - len(own))
    return scores


def _standard_error(
    influence: NDArray[np.float64], place: NDArray[np.int64], sizes: NDArray[np.int64], total: float
) -> float:
    """Return the standard error of d, from what each thing adds to d."""
    if not influence.any():
        return 0.0
    below = np.cumsum(sizes) - sizes
    variance = 0.0
    for level, size in enumerate(sizes.tolist()):
        own = influence[place == level]
        # One thing does not show how its level spreads. Without a trend what it adds is uniform,
        # and the wider, the more its level is at an end.
        lead = 2 * int(below[level]) + size - len(place)
        within = float(np.var(own, ddof=1)) if size > 1 else lead**2 / 3
        variance += 4 * size * (within + float(own.mean()) ** 2) / total**2
    return math.sqrt(variance)


@lru_cache(maxsize=256)
def _distribution(sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the chances of J = 0, 1, ... under independence, for values without ties.

    J is a sum of independent Mann-Whitney statistics: of each level against all before it.
    """
    chances, before = np.ones(1), sizes[0]
    for size in sizes[1:]:
        chances = np.convolve(chances, _mann_whitney(before, size))
        before += size
    return chances


def _mann_whitney(first: int, second: int) -> NDArray[np.float64]:
    """Return the chances of U = 0, 1, ... first * second under independence, without ties.

    By the recursion of Mann and Whitney (1947) over which group the largest value belongs to. All
    its terms are positive, so that small tails keep their digits.
    """
    row = [np.ones(1) for _ in range(second + 1)]
    for one in range(1, first + 1):
        left = np.ones(1)
        new = [left]
        for other in range(1, second + 1):
            chances = np.zeros(one * other + 1)
            # The largest is of the first group, above all of the second, or of the second.
            chances[other:] += one / (one + other) * row[other]
            chances[: len(left)] += other / (one + other) * left
            left = chances
            new.append(left)
        row = new
    return row[second]
