"""Is a variable associated with others beyond what covariates explain? A permutation test."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import f, ncf

from lggshape.checks import check_whole_number
from lggshape.statistics._validators import (
    confidence_level,
    finite_columns,
    finite_vector,
    numbered_strata,
)
from lggshape.statistics.contingency import Effect, _effect

_BATCH = 2**20
"""Numbers that are permuted at a time: 8 MiB."""

_RANK_TOLERANCE = 1e-7
"""A column of length 1 of which no more than this is left is explained, as for R's lm."""

_TIE = 1e-12
"""A smaller relative difference is rounding."""


class FreedmanLaneResult(NamedTuple):
    """Result of the test of Freedman and Lane.

    Statistic, p and effect are NaN where there is nothing to test: if the covariates explain the
    tested columns or the response completely, or leave no degree of freedom for the residuals.

    Attributes
    ----------
    statistic : float
        Partial F of the tested columns given the covariates; infinite if both together explain the
        response completely.
    df_tested, df_residual : int
        Its degrees of freedom: the rank that the tested columns add to that of the covariates, and
        what both leave of the rows.
    p : float
        p-value by permutation.
    effect : Effect
        Partial R squared, and its interval.
    permutations : int
        Number of random permutations.
    n : int
        Number of rows.
    """

    statistic: float
    df_tested: int
    df_residual: int
    p: float
    effect: Effect
    permutations: int
    n: int


def freedman_lane(
    response: ArrayLike,
    tested: ArrayLike,
    covariates: ArrayLike,
    *,
    strata: ArrayLike | None,
    permutations: int = 99_999,
    seed: int = 0,
    level: float = 0.95,
) -> FreedmanLaneResult:
    """Test whether columns explain a response beyond what covariates do, by permutation.

    The response is a linear model of an intercept, the covariates and the tested columns, and the
    statistic is the partial F of the latter. The residuals of the model without the tested columns
    are permuted within strata and added to its fit, and the whole model is fitted to the sum. p is
    (b + 1) / (permutations + 1), where b counts the sums with an F at least as large as that of
    the response. Without covariates this is the permutation of the response itself. Strata hold
    rows that are exchangeable; they are no covariates, so that strata whose means differ need
    columns among these as well.

    The effect is the share that the tested columns take away of the variance that the covariates
    leave. It is not corrected for bias: without any effect it is about
    df_tested / (df_tested + df_residual). The interval is for the same share in the population:
    it inverts the noncentral F distribution, hence assumes normal residuals of equal variance,
    which the p-value does not, and takes lambda / (lambda + n) of the noncentrality lambda. Its
    upper limit is power-constrained (no lower than that of a sample whose F is the median without
    any effect), and it is widened to hold the estimate where that lies at its edge.

    Parameters
    ----------
    response : array_like of shape (N,)
        Finite numbers.
    tested : array_like of shape (N, Q)
        Design columns that are tested together.
    covariates : array_like of shape (N, R)
        Design columns that are adjusted for, without the intercept; R may be 0. They may depend on
        each other or be constant.
    strata : array_like of shape (N,), or None
        The stratum of each row: numbers or names. None lets every row change with every other.
    permutations : int, optional
        Number of random permutations.
    seed : int, optional
        Seed of the permutations.
    level : float, optional
        Confidence level.

    Returns
    -------
    FreedmanLaneResult
        F, p by permutation, and partial R squared with its interval.

    Raises
    ------
    InputError
        If the arguments differ in length, a value is not finite, there is no permutation, or the
        level is not in (0, 1).

    References
    ----------
    Freedman D, Lane D. A nonstochastic interpretation of reported significance levels. Journal of
    Business & Economic Statistics 1 (1983) 292-298.
    Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE. Permutation inference for the general
    linear model. NeuroImage 92 (2014) 381-397.
    Phipson B, Smyth GK. Permutation p-values should never be zero. Stat Appl Genet Mol Biol 9
    (2010) 39.
    Smithson M. Confidence intervals. Sage (2003), chapter 4.
    Cowan G, Cranmer K, Gross E, Vitells O. Power-constrained limits. arXiv:1105.3166 (2011).

    Examples
    --------
    >>> result = freedman_lane(
    ...     [1.2, 2.9, 3.1, 4.8, 5.2, 7.1, 6.8, 9.0],
    ...     [[0], [1], [0], [1], [0], [1], [0], [1]],
    ...     [[1], [2], [3], [4], [5], [6], [7], [8]],
    ...     strata=None,
    ...     permutations=9999,
    ... )
    >>> round(result.statistic, 1), round(result.effect.estimate, 3), result.p < 0.01
    (49.6, 0.908, True)
    """
    level = confidence_level(level)
    values = finite_vector(response, "response")
    n = len(values)
    known = finite_columns(covariates, "covariates", n)
    new = finite_columns(tested, "tested", n)
    codes = numbered_strata(strata, n)
    check_whole_number(permutations, "`permutations`", least=1)
    # Orthonormal columns: the intercept, the covariates beyond it, the tested beyond both.
    intercept = np.full((n, 1), 1 / math.sqrt(n))
    reduced = np.hstack([intercept, _basis(_beyond(intercept, known))])
    added = _basis(_beyond(reduced, new))
    residuals = _beyond(reduced, values[:, None])[:, 0]
    length = float(np.linalg.norm(residuals))
    df_tested, df_residual = added.shape[1], n - reduced.shape[1] - added.shape[1]
    if not df_tested or df_residual < 1 or length <= _RANK_TOLERANCE:
        nothing = Effect(math.nan, math.nan, math.nan)
        return FreedmanLaneResult(
            math.nan, df_tested, df_residual, math.nan, nothing, permutations, n
        )
    residuals /= length
    share = float(np.sum((residuals @ added) ** 2))
    left = 1 - share
    statistic = share / df_tested / (left / df_residual) if left > _TIE else math.inf
    larger = _larger(residuals, reduced, added, codes, share, permutations, seed)
    return FreedmanLaneResult(
        statistic,
        df_tested,
        df_residual,
        (larger + 1) / (permutations + 1),
        _effect(share, *_interval(statistic, df_tested, df_residual, n, level)),
        permutations,
        n,
    )


def _beyond(basis: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what an orthonormal basis leaves of each column, which is centred and of length 1.

    The basis holds the intercept. Of a constant column, 0 is left.
    """
    centred = columns - columns.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    varies = lengths > _TIE * np.linalg.norm(columns, axis=0)
    unit = np.divide(centred, lengths, out=np.zeros_like(centred), where=varies)
    left: NDArray[np.float64] = unit - basis @ (basis.T @ unit)
    return left


def _basis(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return orthonormal columns with the same span."""
    vectors, lengths, _ = np.linalg.svd(columns, full_matrices=False)
    basis: NDArray[np.float64] = vectors[:, lengths > _RANK_TOLERANCE]
    return basis


def _larger(
    residuals: NDArray[np.float64],
    reduced: NDArray[np.float64],
    added: NDArray[np.float64],
    strata: NDArray[np.intp],
    share: float,
    permutations: int,
    seed: int,
) -> int:
    """Count the permutations of residuals of length 1 with at least this share explained.

    The fit of the reduced model, to which they are added, is orthogonal to all that F depends on.
    F grows with the share that the added columns explain of what the reduced ones leave. A
    permutation of which these leave nothing counts.
    """
    rng = np.random.default_rng(seed)
    n = len(residuals)
    order = np.argsort(strata, kind="stable")
    strata, residuals = strata[order], residuals[order]
    reduced, added = reduced[order], added[order]
    larger, batch = 0, max(1, _BATCH // n)
    for start in range(0, permutations, batch):
        # The order of uniform numbers is a random permutation; the whole numbers that are added
        # keep each stratum in its place.
        keys = rng.random((min(batch, permutations - start), n)) + strata
        permuted = residuals[np.argsort(keys, axis=1)]
        explained = np.sum((permuted @ added) ** 2, axis=1)
        unexplained = 1 - np.sum((permuted @ reduced) ** 2, axis=1)
        larger += int(np.sum(explained >= share * unexplained - _TIE))
    return larger


def _interval(
    statistic: float, df_tested: int, df_residual: int, n: int, level: float
) -> tuple[float, float]:
    """Return the interval of partial R squared by inversion of the noncentral F distribution."""
    tail = (1 - level) / 2
    # Beyond this both ends are 1 but for a millionth, and the distribution function fails.
    statistic = min(statistic, 1e8)
    typical = max(statistic, float(f.median(df_tested, df_residual)))
    low = _noncentrality(statistic, df_tested, df_residual, 1 - tail)
    high = _noncentrality(typical, df_tested, df_residual, tail)
    return low / (low + n), high / (high + n)


def _noncentrality(statistic: float, df_tested: int, df_residual: int, probability: float) -> float:
    """Return the noncentrality that makes the statistic this quantile; 0 where it is beyond."""

    def excess(noncentrality: float) -> float:
        return float(ncf.cdf(statistic, df_tested, df_residual, noncentrality)) - probability

    if excess(0.0) <= 0:
        return 0.0
    beyond = df_tested * statistic + 10
    while excess(beyond) > 0:
        beyond *= 2
    return float(brentq(excess, 0.0, beyond, xtol=1e-9))
