"""Logistic regression that stays finite: normal priors on the slopes."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import norm

from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, finite_columns, zeros_and_ones
from lggshape.statistics.contingency import Effect
from lggshape.statistics.survival import _ratio


class RidgeLogisticResult(NamedTuple):
    """Result of a logistic regression with normal priors.

    Attributes
    ----------
    odds_ratios : tuple of Effect
        For each column, the odds ratio for one standard deviation more.
    intercept : float
        Logarithm of the odds where all columns are at their means.
    n : int
        Number of rows.
    events : int
        Number of rows with the outcome.
    """

    odds_ratios: tuple[Effect, ...]
    intercept: float
    n: int
    events: int


def ridge_logistic(
    outcome: ArrayLike,
    covariates: ArrayLike,
    *,
    prior_scale: float = 2.5,
    level: float = 0.95,
) -> RidgeLogisticResult:
    """Fit a logistic regression with independent normal priors on its slopes.

    The columns are standardised first (mean 0, standard deviation 1 with the divisor N - 1), and
    each slope has a normal prior with mean 0; the intercept has none. The estimate is the
    posterior mode, that is ridge regression with the penalty 1 / prior_scale**2. It is finite even
    if the columns separate the outcomes completely, or depend on each other.

    The intervals are Laplace's approximation of credible intervals: a normal posterior whose
    covariance is the inverse of the information, that of the prior included. Where the rows say
    nothing they are the prior's, from exp(-1.96 prior_scale) to exp(1.96 prior_scale) at a level
    of 0.95. The default prior is weak: odds ratios between 1/12 and 12 have a probability of 0.68.
    Its scale is that of Gelman and others, who use a Cauchy distribution, and columns with a
    standard deviation of 0.5.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        1 or True for the outcome, 0 or False without it; both must occur.
    covariates : array_like of shape (N, K)
        Columns of finite numbers, at least one, none constant; no intercept.
    prior_scale : float, optional
        Standard deviation of the priors, in logarithms of odds for a standard deviation of the
        column.
    level : float, optional
        Level of the intervals.

    Returns
    -------
    RidgeLogisticResult
        The odds ratios with their intervals.

    Raises
    ------
    InputError
        If the arguments differ in length, a value is not finite, the outcome is the same for all,
        a column is constant, the scale is not positive, or the level is not in (0, 1).

    References
    ----------
    Le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression. Applied Statistics 41
    (1992) 191-201.
    Gelman A, Jakulin A, Pittau MG, Su YS. A weakly informative default prior distribution for
    logistic and other regression models. Annals of Applied Statistics 2 (2008) 1360-1383.

    Examples
    --------
    >>> result = ridge_logistic([0, 0, 0, 1, 1, 1], [[1], [2], [3], [4], [5], [6]])
    >>> ratio = result.odds_ratios[0]
    >>> round(ratio.estimate, 1), round(ratio.low, 2), round(ratio.high)
    (14.1, 0.67, 298)
    """
    level = confidence_level(level)
    if not 0 < prior_scale < math.inf:
        msg = f"Expected `prior_scale` to be positive and finite, found {prior_scale}."
        raise InputError(msg)
    happened = zeros_and_ones(outcome, "outcome", np.size(outcome))
    n, events = len(happened), int(happened.sum())
    if events in {0, n}:
        msg = f"Expected `outcome` to hold both 0 and 1, found {events} of {n} to be 1."
        raise InputError(msg)
    matrix = finite_columns(covariates, "covariates", n)
    spread = matrix.std(axis=0, ddof=1)
    constant = np.flatnonzero(spread <= 1e-12 * np.abs(matrix).max(axis=0))
    if constant.size or not matrix.shape[1]:
        found = f"column {constant[0] + 1} constant" if constant.size else "no column"
        msg = f"Expected `covariates` to have columns that vary, found {found}."
        raise InputError(msg)
    matrix = (matrix - matrix.mean(axis=0)) / spread
    coefficients, information = _mode(np.column_stack([np.ones(n), matrix]), happened, prior_scale)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))[1:]
    reach = float(norm.isf((1 - level) / 2))
    intercept, *slopes = coefficients.tolist()
    return RidgeLogisticResult(
        tuple(map(_ratio, slopes, (reach * errors).tolist())), intercept, n, events
    )


def _mode(
    design: NDArray[np.float64], happened: NDArray[np.bool_], prior_scale: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the posterior mode, intercept first, and the information there."""
    penalty = np.full(design.shape[1], prior_scale**-2.0)
    penalty[0] = 0
    signs = np.where(happened, 1.0, -1.0)

    def loss(beta: NDArray[np.float64]) -> float:
        return float(-log_expit(signs * (design @ beta)).sum() + penalty @ beta**2 / 2)

    def slope(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        residuals: NDArray[np.float64] = expit(design @ beta) - happened
        return design.T @ residuals + penalty * beta

    def information(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        chances: NDArray[np.float64] = expit(design @ beta)
        return design.T * (chances * (1 - chances)) @ design + np.diag(penalty)

    start = np.zeros(design.shape[1])
    found = minimize(
        loss, start, method="trust-exact", jac=slope, hess=information, options={"gtol": 1e-9}
    )
    return found.x, information(found.x)
