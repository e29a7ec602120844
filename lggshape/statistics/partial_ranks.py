"""Ranks of a variable beyond what covariates explain."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from lggshape.statistics._validators import (
    confidence_level,
    finite_columns,
    finite_vector,
    same_length,
)
from lggshape.statistics.agreement import fisher_interval
from lggshape.statistics.contingency import Effect

_EXPLAINED = 1e-9
"""Where covariates leave no larger share of the variance of ranks, they leave nothing."""


def normal_scores(values: ArrayLike) -> NDArray[np.float64]:
    """Return the normal scores of van der Waerden, which depend on ranks alone.

    They are the quantiles of the standard normal distribution at rank / (N + 1); ties have their
    mean rank. Of a normal variable they are nearly itself, of a lognormal one nearly its
    logarithm, in standard deviations.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.

    Returns
    -------
    ndarray of shape (N,)
        The scores.

    Raises
    ------
    InputError
        If there is no value, or one that is not finite.

    References
    ----------
    van der Waerden BL. Order tests for the two-sample problem and their power. Indagationes
    Mathematicae 14 (1952) 453-458.

    Examples
    --------
    >>> normal_scores([10, 1000, 100]).round(3).tolist()
    [-0.674, 0.674, 0.0]
    """
    numbers = finite_vector(values, "values")
    scores: NDArray[np.float64] = norm.ppf(rankdata(numbers) / (len(numbers) + 1))
    return scores


def partial_rank_correlation(
    first: ArrayLike, second: ArrayLike, covariates: ArrayLike, *, level: float = 0.95
) -> Effect:
    """Return the correlation of the ranks of two variables given covariates, with an interval.

    It is the correlation of what a linear model of the covariates leaves of the ranks of each. The
    interval is symmetric on Fisher's z scale, with the variance of Bonett and Wright of a sample
    that is smaller by the number of independent covariates: (1 + r^2 / 2) / (N - K - 3).

    Parameters
    ----------
    first, second : array_like of shape (N,)
        Finite numbers; ties have their mean rank.
    covariates : array_like of shape (N, R)
        Design columns, without the intercept; R may be 0. They may depend on each other.
    level : float, optional
        Confidence level.

    Returns
    -------
    Effect
        The partial correlation; NaN where the covariates explain one of the two completely. The
        interval is NaN with too few rows, or of a correlation of 1 or -1.

    Raises
    ------
    InputError
        If the arguments differ in length, a value is not finite, or the level is not in (0, 1).

    References
    ----------
    Fisher RA. The distribution of the partial correlation coefficient. Metron 3 (1924) 329-332.
    Bonett DG, Wright TA. Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations. Psychometrika 65 (2000) 23-28.

    Examples
    --------
    >>> age = [[61], [35], [48], [52], [70], [44]]
    >>> round(partial_rank_correlation([1, 2, 3, 4, 5, 6], [1, 3, 2, 5, 4, 6], age).estimate, 3)
    0.92
    """
    level = confidence_level(level)
    one, other = same_length(first=first, second=second)
    known = finite_columns(covariates, "covariates", len(one))
    (one, one_left), (other, other_left) = (_left(values, known) for values in (one, other))
    if min(one_left, other_left) <= _EXPLAINED:
        return Effect(math.nan, math.nan, math.nan)
    estimate = float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    rows = len(one) - _rank(known) - 3
    error = math.sqrt((1 + estimate**2 / 2) / rows) if rows > 0 else math.nan
    return fisher_interval(estimate, error, level)


def variance_inflation(values: ArrayLike, covariates: ArrayLike) -> float:
    """Return how far covariates inflate the variance of the coefficient of a variable's ranks.

    It is 1 / (1 - R^2) of a linear model of the ranks by the covariates. Above 10, the covariates
    tell the variable nearly, and little is left of it that could be tested beyond them.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers; ties have their mean rank.
    covariates : array_like of shape (N, R)
        Design columns, without the intercept; R may be 0.

    Returns
    -------
    float
        The variance inflation factor, at least 1; infinite where the covariates explain the ranks
        completely, NaN if all values are equal.

    Raises
    ------
    InputError
        If the arguments differ in length, or a value is not finite.

    References
    ----------
    Marquardt DW. Generalized inverses, ridge regression, biased linear estimation, and nonlinear
    estimation. Technometrics 12 (1970) 591-612: the limit of 10.

    Examples
    --------
    >>> variance_inflation([1, 2, 3, 4], [[1], [0], [0], [1]])
    1.0
    """
    numbers = finite_vector(values, "values")
    if not np.ptp(numbers):
        return math.nan
    _, left = _left(numbers, finite_columns(covariates, "covariates", len(numbers)))
    return 1 / left if left > _EXPLAINED else math.inf


def _left(
    values: NDArray[np.float64], covariates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return what covariates leave of the ranks of values, and its share of their variance."""
    ranks = rankdata(values)
    ranks -= ranks.mean()
    design = covariates - covariates.mean(axis=0)
    residuals = ranks - design @ np.linalg.lstsq(design, ranks)[0]
    total = float(ranks @ ranks)
    return residuals, float(residuals @ residuals) / total if total else 0.0


def _rank(covariates: NDArray[np.float64]) -> int:
    """Return how many of the covariates are independent, beyond the intercept."""
    if not covariates.shape[1]:
        return 0
    return int(np.linalg.matrix_rank(covariates - covariates.mean(axis=0)))
