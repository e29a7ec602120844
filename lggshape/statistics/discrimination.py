"""How well values tell one group from the others: the area under the ROC curve."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta, rankdata, t

from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, finite_vector, same_length

_NO_ERROR = 1e-9
"""Rounding leaves a trace of error where there is none."""


class AUC(NamedTuple):
    """Area under the ROC curve.

    Attributes
    ----------
    estimate : float
        Probability that a positive has the larger value of the two, ties counted as half.
    low, high : float
        Confidence interval.
    standard_error : float
        By DeLong; NaN with a single positive or negative.
    """

    estimate: float
    low: float
    high: float
    standard_error: float


class AUCDifference(NamedTuple):
    """Difference of the areas under the ROC curves of two measurements of the same things.

    Attributes
    ----------
    first, second : float
        Area of each.
    difference : float
        The first area less the second.
    low, high : float
        Confidence interval for the difference.
    p : float
        Two-sided p-value of equal areas.
    standard_error : float
        Standard error of the difference, by DeLong; NaN with a single positive or negative.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    standard_error: float


def auc(positive: ArrayLike, negative: ArrayLike, *, level: float = 0.95) -> AUC:
    """Return the area under the ROC curve, with a confidence interval.

    The area is the Mann-Whitney statistic divided by the number of pairs, its variance is
    DeLong's, and the interval is symmetric on the logit scale, so that it keeps to (0, 1). It uses
    a quantile of Student's t, since a small group tells its own part of the variance badly. The
    degrees of freedom are Satterthwaite's: once from the two parts of DeLong's variance, as Brunner
    and Munzel do, and once from the parts that two equal distributions have. The smaller number
    counts. The first alone is too large where a small group's part is small by chance.

    Where DeLong's standard error is 0 or unknown (an area of 0 or 1, nothing but ties, a single
    value of one kind) the interval comes from pairing off the values instead: min(P, N) pairs of a
    positive and a negative that share no value are independent, each in the right order with the
    probability that the area is. So the interval of Clopper and Pearson for that many trials
    holds. Of an area of 1 it is from (alpha / 2) ** (1 / min(P, N)) to 1.

    Parameters
    ----------
    positive : array_like of shape (P,)
        Values of the group that is expected to have the larger ones.
    negative : array_like of shape (N,)
        Values of the others.
    level : float, optional
        Confidence level.

    Returns
    -------
    AUC
        The area, its interval and its standard error.

    Raises
    ------
    InputError
        If either group is empty or holds values that are not finite, or the level is not in (0, 1).

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated
    receiver operating characteristic curves: a nonparametric approach. Biometrics 44 (1988)
    837-845.
    Sun X, Xu W. Fast implementation of DeLong's algorithm for comparing the areas under correlated
    receiver operating characteristic curves. IEEE Signal Processing Letters 21 (2014) 1389-1393.
    Brunner E, Munzel U. The nonparametric Behrens-Fisher problem: asymptotic theory and a
    small-sample approximation. Biometrical Journal 42 (2000) 17-25.
    Pepe MS. The statistical evaluation of medical tests for classification and prediction. Oxford
    University Press (2003), section 5.2: the logit scale.

    Examples
    --------
    >>> area = auc([3, 4, 5], [1, 2, 3])
    >>> round(area.estimate, 4), round(area.standard_error, 4)
    (0.9444, 0.0786)
    """
    level = confidence_level(level)
    above, below = finite_vector(positive, "positive"), finite_vector(negative, "negative")
    wins, losses = placements(above, below)
    estimate = float(np.mean(wins))
    parts = _variance_of_mean(wins), _variance_of_mean(losses)
    error = math.sqrt(sum(parts))
    tail = (1 - level) / 2
    if math.isnan(error) or error < _NO_ERROR:
        pairs = min(len(above), len(below))
        low, high = paired_off(estimate, pairs, tail)
        return AUC(estimate, low, high, error if math.isnan(error) else 0.0)
    centre = math.log(estimate / (1 - estimate))
    freedom = _freedom(parts, (len(above), len(below)))
    reach = -float(t.ppf(tail, freedom)) * error / (estimate * (1 - estimate))
    return AUC(estimate, _logistic(centre - reach), _logistic(centre + reach), error)


def auc_difference(
    first: ArrayLike, second: ArrayLike, positive: ArrayLike, *, level: float = 0.95
) -> AUCDifference:
    """Compare the areas under the ROC curves of two measurements of the same things.

    The variance of the difference is that of DeLong, DeLong and Clarke-Pearson, with the
    covariance of the two areas. Interval and p-value take the difference over its standard error
    for Student's t, with the degrees of freedom that `auc` has; in large groups that is DeLong's
    test, which takes it for normal.

    Where the standard error is 0 or unknown (two measurements that rank alike, or both separate
    perfectly; a single thing of one kind) the interval and the p-value come from pairing off, as
    with `auc`. Each of min(P, N) disjoint pairs of a positive and a negative scores 1 where the
    first measurement alone orders it rightly, 0 where the second alone does, half where neither is
    ahead; the scores' mean is (1 + difference) / 2. A mean of scores between 0 and 1 spreads most
    where all are 0 or 1, so the binomial interval of Clopper and Pearson is wide rather than short:
    of equal areas it is (-0.46, 0.46) with 20 pairs, and p is 1.

    Parameters
    ----------
    first, second : array_like of shape (N,)
        The two measurements; the positives are expected to have the larger values in both.
    positive : array_like of bool, shape (N,)
        Which things are of the group that is expected to have the larger values.
    level : float, optional
        Confidence level.

    Returns
    -------
    AUCDifference
        Both areas, their difference with its interval, p-value and standard error.

    Raises
    ------
    InputError
        If there is no positive or no negative, a value is not finite, the arguments differ in
        length, or the level is not in (0, 1).

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated
    receiver operating characteristic curves: a nonparametric approach. Biometrics 44 (1988)
    837-845.

    Examples
    --------
    >>> positive = [1, 1, 1, 1, 0, 0, 0, 0]
    >>> areas = auc_difference([5, 6, 7, 3, 1, 2, 4, 3], [5, 1, 7, 3, 6, 2, 4, 8], positive)
    >>> areas.difference, round(areas.standard_error, 4), round(areas.p, 4)
    (0.53125, 0.2325, 0.0623)
    """
    level = confidence_level(level)
    one, other, codes = same_length(first=first, second=second, positive=positive)
    chosen = codes != 0
    sizes = int(chosen.sum()), int((~chosen).sum())
    if not all(sizes):
        msg = f"Expected positives and negatives, found {sizes[0]} and {sizes[1]}."
        raise InputError(msg)
    wins, losses = placements(one[chosen], one[~chosen])
    other_wins, other_losses = placements(other[chosen], other[~chosen])
    areas = float(np.mean(wins)), float(np.mean(other_wins))
    parts = _variance_of_mean(wins - other_wins), _variance_of_mean(losses - other_losses)
    error = math.sqrt(sum(parts))
    # Degrees of freedom are those of an error that there is.
    freedom = math.nan if math.isnan(error) or error < _NO_ERROR else _freedom(parts, sizes)
    return area_difference(areas, error, freedom=freedom, pairs=min(sizes), level=level)


def area_difference(
    areas: tuple[float, float], error: float, *, freedom: float, pairs: int, level: float
) -> AUCDifference:
    """Return the difference of two areas for its standard error, as `auc_difference` describes.

    Parameters
    ----------
    areas : tuple of float
        The two areas.
    error : float
        Standard error of their difference; 0 or NaN for an interval from pairing off.
    freedom : float
        Degrees of freedom of the error.
    pairs : int
        Disjoint pairs of a positive and a negative that can be made.
    level : float
        Confidence level.
    """
    difference = areas[0] - areas[1]
    tail = (1 - level) / 2
    if math.isnan(error) or error < _NO_ERROR:
        low, high = (2 * end - 1 for end in paired_off((1 + difference) / 2, pairs, tail))
        ahead = (1 + min(1.0, abs(difference))) / 2 * pairs
        p = min(1.0, 2 * float(beta.cdf(0.5, ahead, pairs - ahead + 1)))
        return AUCDifference(*areas, difference, low, high, p, error if math.isnan(error) else 0.0)
    reach = -float(t.ppf(tail, freedom)) * error
    low, high = max(-1.0, difference - reach), min(1.0, difference + reach)
    p = 2 * float(t.sf(abs(difference) / error, freedom))
    return AUCDifference(*areas, difference, low, high, p, error)


def placements(
    above: NDArray[np.float64], below: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of the other group that each positive beats, and each negative loses to."""
    # The ranks within one's own group go out.
    ranks = rankdata(np.concatenate([above, below]))
    wins = (ranks[: len(above)] - rankdata(above)) / len(below)
    losses = 1 - (ranks[len(above) :] - rankdata(below)) / len(above)
    return wins, losses


def _variance_of_mean(values: NDArray[np.float64]) -> float:
    """Return the estimated variance of the mean; NaN of a single value."""
    return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else math.nan


def _freedom(parts: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Return the degrees of freedom of DeLong's standard error, from the parts of its square."""
    # A value of one of two equal distributions beats a uniform share of the other: variance 1/12.
    equal = 1 / (12 * sizes[0]), 1 / (12 * sizes[1])
    return min(_satterthwaite(parts, sizes), _satterthwaite(equal, sizes))


def _satterthwaite(parts: tuple[float, float], sizes: tuple[int, int]) -> float:
    """Return the degrees of freedom of a sum of two variances of means, each of so many values."""
    squares = sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return sum(parts) ** 2 / squares


def paired_off(estimate: float, pairs: int, tail: float) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson, with the estimate as the share of successes."""
    wins = min(1.0, max(0.0, estimate)) * pairs
    # As is usual, the bound beyond no failure is 1 and below no success 0.
    low = float(beta.ppf(tail, wins, pairs - wins + 1)) if wins > 0 else 0.0
    high = float(beta.ppf(1 - tail, wins + 1, pairs - wins)) if wins < pairs else 1.0
    return low, high


def _logistic(value: float) -> float:
    """Return the inverse of the logit, without overflow."""
    return 0.5 * (1 + math.tanh(value / 2))
