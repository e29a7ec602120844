"""Intervals for values that come in clusters, such as the slices of a patient.

What is measured several times in one patient tells less than as many patients would. Here the
clusters are independent of each other, and nothing is assumed about the values within one.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

from lggshape.checks import check_whole_number
from lggshape.errors import InputError
from lggshape.statistics._validators import (
    confidence_level,
    finite_vector,
    same_length,
)
from lggshape.statistics.discrimination import (
    AUC,
    AUCDifference,
    _logistic,
    area_difference,
    paired_off,
    placements,
)


class Proportion(NamedTuple):
    """A share.

    Attributes
    ----------
    estimate : float
        Successes over trials.
    low, high : float
        Confidence interval.
    standard_error : float
        NaN with a single cluster.
    """

    estimate: float
    low: float
    high: float
    standard_error: float


def clustered_auc(
    values: ArrayLike, positive: ArrayLike, clusters: ArrayLike, *, level: float = 0.95
) -> AUC:
    """Return the area under the ROC curve of clustered values, with a confidence interval.

    The area is the Mann-Whitney statistic over the number of pairs. Its variance is Obuchowski's:
    DeLong's structural components are summed within each cluster, and the covariance of the sums of
    a cluster's positives and negatives counts as well. With one value per cluster, it is DeLong's
    variance. The interval is symmetric on the logit scale, with Student's t; its degrees of freedom
    are the clusters with a positive or those with a negative, whichever are fewer, less 1.

    Where the standard error is 0 or unknown (an area of 0 or 1, a single cluster with a positive)
    the interval is that of Clopper and Pearson for as many pairs of a positive and a negative as
    can be made of different clusters, no cluster twice: these are independent.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.
    positive : array_like of bool, shape (N,)
        Which of them are of the group that is expected to have the larger ones.
    clusters : array_like of shape (N,)
        The cluster of each: numbers or names.
    level : float, optional
        Confidence level.

    Returns
    -------
    AUC
        The area, its interval and its standard error.

    Raises
    ------
    InputError
        If there is no positive or no negative, a value is not finite, the arguments differ in
        length, or the level is not in (0, 1).

    References
    ----------
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 53 (1997) 567-578.

    Examples
    --------
    >>> area = clustered_auc([3, 4, 5, 1, 2, 3], [1, 1, 1, 0, 0, 0], list("abcdef"))
    >>> round(area.estimate, 4), round(area.standard_error, 4)
    (0.9444, 0.0786)
    """
    level = confidence_level(level)
    numbers = finite_vector(values, "values")
    design = _Design(positive, clusters, len(numbers))
    estimate, components = design.placed(numbers)
    return AUC(
        *_logit_interval(
            estimate,
            design.variance(components),
            freedom=design.freedom,
            trials=design.pairs,
            level=level,
        )
    )


def clustered_auc_difference(
    first: ArrayLike,
    second: ArrayLike,
    positive: ArrayLike,
    clusters: ArrayLike,
    *,
    level: float = 0.95,
) -> AUCDifference:
    """Compare the areas under the ROC curves of two measurements of the same clustered things.

    The variance of the difference is that of `clustered_auc`, of the differences of the structural
    components. Interval and p-value take the difference over its standard error for Student's t,
    with the degrees of freedom of `clustered_auc`; where that error is 0 or unknown, they come
    from pairing off as with `auc_difference`, no cluster twice.

    Parameters
    ----------
    first, second, positive, level
        As for `lggshape.statistics.auc_difference`.
    clusters : array_like of shape (N,)
        The cluster of each thing: numbers or names.

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
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. Biometrics 53 (1997) 567-578,
    section 4.

    Examples
    --------
    >>> positive = [1, 1, 1, 1, 0, 0, 0, 0]
    >>> second = [5, 1, 7, 3, 6, 2, 4, 8]
    >>> areas = clustered_auc_difference([5, 6, 7, 3, 1, 2, 4, 3], second, positive, range(8))
    >>> areas.difference, round(areas.standard_error, 4)
    (0.53125, 0.2325)
    """
    level = confidence_level(level)
    one, other = same_length(first=first, second=second)
    design = _Design(positive, clusters, len(one))
    (area, components), (other_area, others) = design.placed(one), design.placed(other)
    differences = _Components(*np.subtract(components, others))
    variance = design.variance(differences)
    return area_difference(
        (area, other_area),
        math.nan if math.isnan(variance) else math.sqrt(max(0.0, variance)),
        freedom=design.freedom,
        pairs=design.pairs,
        level=level,
    )


class _Components(NamedTuple):
    """DeLong's structural components less their mean, summed within each cluster."""

    of_positives: NDArray[np.float64]
    of_negatives: NDArray[np.float64]


class _Design:
    """Which things are positive, and of which cluster: what areas under the curve depend on."""

    def __init__(self, positive: ArrayLike, clusters: ArrayLike, length: int) -> None:
        self._chosen = np.asarray(positive, dtype=bool)
        self._codes = _codes(clusters, length)
        if self._chosen.shape != (length,):
            msg = f"Expected `positive` to have shape {(length,)}, found {self._chosen.shape}."
            raise InputError(msg)
        self._sizes = int(self._chosen.sum()), int((~self._chosen).sum())
        if not all(self._sizes):
            msg = f"Expected positives and negatives, found {self._sizes[0]} and {self._sizes[1]}."
            raise InputError(msg)
        self._total = int(self._codes.max()) + 1
        self._with_positive = len(np.unique(self._codes[self._chosen]))
        self._with_negative = len(np.unique(self._codes[~self._chosen]))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of a standard error."""
        return min(self._with_positive, self._with_negative) - 1

    @property
    def pairs(self) -> int:
        """Pairs of a positive and a negative of different clusters, no cluster twice."""
        return min(self._with_positive, self._with_negative, max(1, self._total // 2))

    def placed(self, values: NDArray[np.float64]) -> tuple[float, _Components]:
        """Return the area, and its components."""
        chosen, codes = self._chosen, self._codes
        # The share of the other group that each value beats, or loses to.
        wins, losses = placements(values[chosen], values[~chosen])
        estimate = float(wins.mean())
        return estimate, _Components(
            np.bincount(codes[chosen], wins - estimate, self._total) / self._sizes[0],
            np.bincount(codes[~chosen], losses - estimate, self._total) / self._sizes[1],
        )

    def variance(self, components: _Components) -> float:
        """Return Obuchowski's variance of an area, or of a difference of two."""
        of_positives, of_negatives = components
        return (
            _sum_of_squares(of_positives, of_positives, self._with_positive)
            + _sum_of_squares(of_negatives, of_negatives, self._with_negative)
            + 2 * _sum_of_squares(of_positives, of_negatives, self._total)
        )


def clustered_proportion(
    successes: ArrayLike, clusters: ArrayLike, *, level: float = 0.95
) -> Proportion:
    """Return the share of successes among clustered trials, with a confidence interval.

    The share is a ratio of two sums over clusters, successes and trials, and has the variance of
    one. The interval is symmetric on the logit scale, with Student's t on as many degrees of
    freedom as there are clusters less 1. Where the standard error is 0 or unknown it is the
    interval of Clopper and Pearson for one trial per cluster.

    Parameters
    ----------
    successes : array_like of bool, shape (N,)
        Whether each trial succeeded.
    clusters : array_like of shape (N,)
        The cluster of each: numbers or names.
    level : float, optional
        Confidence level.

    Returns
    -------
    Proportion
        The share, its interval and its standard error.

    Raises
    ------
    InputError
        If there is no trial, the arguments differ in length, or the level is not in (0, 1).

    References
    ----------
    Rao JNK, Scott AJ. A simple method for the analysis of clustered binary data. Biometrics 48
    (1992) 577-585.

    Examples
    --------
    >>> share = clustered_proportion([1, 1, 0, 1], list("aabc"))
    >>> share.estimate, round(share.standard_error, 4)
    (0.75, 0.2864)
    """
    level = confidence_level(level)
    outcomes = finite_vector(successes, "successes")
    codes = _codes(clusters, len(outcomes))
    total = int(codes.max()) + 1
    estimate = float(outcomes.mean())
    residuals = np.bincount(codes, outcomes - estimate, total) / len(outcomes)
    variance = _sum_of_squares(residuals, residuals, total)
    return Proportion(
        *_logit_interval(estimate, variance, freedom=total - 1, trials=total, level=level)
    )


def cluster_bootstrap(
    statistic: Callable[[NDArray[np.intp]], ArrayLike],
    clusters: ArrayLike,
    *,
    replicates: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return percentile intervals from drawing whole clusters with replacement.

    Parameters
    ----------
    statistic : callable
        Called with the indices of the rows of each draw; returns one number or several. A draw in
        which a number is not defined (NaN) is left out for that number.
    clusters : array_like of shape (N,)
        The cluster of each row: numbers or names.
    replicates : int, optional
        Number of draws.
    level : float, optional
        Confidence level.
    seed : int, optional
        Seed of the draws. The same seed and clusters give the same draws.

    Returns
    -------
    ndarray of shape (2, numbers)
        The lower and the upper ends; NaN with a single cluster, or where no draw gave a number.

    Raises
    ------
    InputError
        If there is no row, `replicates` is less than 1, or the level is not in (0, 1).

    References
    ----------
    Davison AC, Hinkley DV. Bootstrap methods and their application. Cambridge University Press
    (1997), section 3.8.

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> ends = cluster_bootstrap(lambda rows: values[rows].mean(), np.arange(100), replicates=2000)
    >>> ends.round(1).ravel()
    array([44.1, 55.1])
    """
    tail = (1 - confidence_level(level)) / 2
    check_whole_number(replicates, "`replicates`", least=1)
    codes = _codes(clusters, None)
    total = int(codes.max()) + 1
    rng = np.random.default_rng(seed)
    rows = np.arange(len(codes))
    chances = np.full(total, 1 / total)
    draws = np.array(
        [
            np.atleast_1d(statistic(np.repeat(rows, rng.multinomial(total, chances)[codes])))
            for _ in range(replicates)
        ],
        dtype=np.float64,
    )
    ends = np.full((2, draws.shape[1]), np.nan)
    if total > 1:
        defined = ~np.isnan(draws).all(axis=0)
        ends[:, defined] = np.nanquantile(draws[:, defined], [tail, 1 - tail], axis=0)
    return ends


def _codes(clusters: ArrayLike, length: int | None) -> NDArray[np.intp]:
    """Return the number of each row's cluster, from 0."""
    names = np.asarray(clusters)
    if names.ndim != 1 or not names.size or length not in {None, len(names)}:
        expected = "at least one" if length is None else str(length)
        msg = f"Expected `clusters` to be a list of {expected}, found shape {names.shape}."
        raise InputError(msg)
    return np.unique(names, return_inverse=True)[1]


def _sum_of_squares(one: NDArray[np.float64], other: NDArray[np.float64], clusters: int) -> float:
    """Return the (co)variance of sums over clusters; NaN of a single cluster."""
    return float(one @ other) * clusters / (clusters - 1) if clusters > 1 else math.nan


def _logit_interval(
    estimate: float, variance: float, *, freedom: int, trials: int, level: float
) -> tuple[float, float, float, float]:
    """Return the estimate, the ends of its interval and its standard error."""
    tail = (1 - level) / 2
    # Rounding leaves a trace of variance where there is none, or a negative one.
    if math.isnan(variance) or variance < 1e-18:
        low, high = paired_off(estimate, trials, tail)
        return estimate, low, high, math.nan if math.isnan(variance) else 0.0
    error = math.sqrt(variance)
    centre = math.log(estimate / (1 - estimate))
    reach = -float(t.ppf(tail, freedom)) * error / (estimate * (1 - estimate))
    return estimate, _logistic(centre - reach), _logistic(centre + reach), error
