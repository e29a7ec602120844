"""The share of the variance of ranks that columns explain, with an interval by the bootstrap."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lggshape.checks import check_whole_number
from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, finite_columns, finite_vector
from lggshape.statistics.contingency import Effect, _effect

_DEPENDENT = 1e-10
"""A column of which those before it leave a smaller part of its sum of squares depends on them."""

_AT_ONCE = 512
"""Samples at once, few enough for the cache of a processor."""

_EXPLAINED = 1e-9
"""Where covariates leave no larger share of the variance of ranks, they leave nothing."""


def rank_share(
    values: ArrayLike,
    tested: ArrayLike,
    covariates: ArrayLike | None = None,
    *,
    replicates: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Effect:
    """Return the share of the variance of ranks that columns explain, with a bootstrap interval.

    It is the partial R squared of the ranks of the values given the covariates. Without covariates
    and with indicators of groups it is the epsilon squared of the Kruskal-Wallis test. The estimate
    is not corrected for bias: without any effect it is about K / (N - 1) for K columns.

    The interval has the percentiles of `rank_share_draws`, is cut at 0, and is widened to hold the
    estimate. Plain percentiles, whose draws add a bias of their own to that of the sample, never
    hold a share of 0. ``benchmarks/intervals.py`` prints the coverage.

    Parameters
    ----------
    values : array_like of shape (N,)
        Finite numbers.
    tested : array_like of shape (N, K)
        Design columns, such as indicators of groups.
    covariates : array_like of shape (N, R), optional
        Design columns that are adjusted for, without the intercept.
    replicates : int, optional
        Number of bootstrap samples.
    level : float, optional
        Confidence level.
    seed : int, optional
        Seed of the samples.

    Returns
    -------
    Effect
        The share and its interval; NaN where there is nothing to explain, or nothing is left to
        explain it with.

    Raises
    ------
    InputError
        If the arguments differ in length, a value is not finite, `replicates` is less than 1, or
        the level is not in (0, 1).

    References
    ----------
    Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall (1993), chapter 13.
    Kelley TL. An unbiased correlation ratio measure. PNAS 21 (1935) 554-559.

    Examples
    --------
    >>> groups = [[0], [0], [0], [0], [1], [1], [1], [1]]
    >>> share = rank_share([1, 2, 5, 4, 3, 6, 7, 8], groups)
    >>> round(share.estimate, 3), share.low < 0.3, share.high > 0.7
    (0.429, True, True)
    """
    level = confidence_level(level)
    once = np.ones((1, len(finite_vector(values, "values"))))
    estimate = float(weighted_rank_shares(values, tested, covariates, weights=once).share[0])
    draws = rank_share_draws(values, tested, covariates, replicates=replicates, seed=seed)
    if math.isnan(estimate) or np.isnan(draws).all():
        return Effect(estimate, math.nan, math.nan)
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return _effect(estimate, max(0.0, float(low)), float(high))


def rank_share_draws(
    values: ArrayLike,
    tested: ArrayLike,
    covariates: ArrayLike | None = None,
    *,
    replicates: int = 2000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the share of `rank_share` in bootstrap samples, less the bias of one sample.

    The rows of a sample are ranked anew. Of its share R, 1 - (1 - R) (D + K) / D is kept, where K
    is the rank that the tested columns add and D the degrees of freedom of the residuals. So much
    does a sample overestimate the share in what it is drawn from. The result can be negative.

    Parameters
    ----------
    values, tested, covariates, replicates, seed
        As for `rank_share`.

    Returns
    -------
    ndarray of shape (replicates,)
        The shares; NaN of a sample in which nothing is left to explain.

    Raises
    ------
    InputError
        As for `rank_share`.

    Examples
    --------
    >>> rank_share_draws([1, 2, 3, 4], [[0], [0], [1], [1]], replicates=3).shape
    (3,)
    """
    check_whole_number(replicates, "`replicates`", least=1)
    n = len(finite_vector(values, "values"))
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=replicates)
    found = weighted_rank_shares(values, tested, covariates, weights=weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (found.df_residual + found.df_tested) / found.df_residual
    return 1 - (1 - found.share) * factor


class RankShares(NamedTuple):
    """Shares of the variance of ranks, one for each set of weights.

    Attributes
    ----------
    share : ndarray of shape (B,)
        The share; NaN where nothing is left to explain, or to explain it with.
    df_tested, df_residual : ndarray of int, shape (B,)
        The rank that the tested columns add to the covariates, and what both leave of the rows.
    """

    share: NDArray[np.float64]
    df_tested: NDArray[np.intp]
    df_residual: NDArray[np.intp]


def weighted_rank_shares(
    values: ArrayLike, tested: ArrayLike, covariates: ArrayLike | None = None, *, weights: ArrayLike
) -> RankShares:
    """Return the share of `rank_share` in many samples of the same rows at once.

    Parameters
    ----------
    values, tested, covariates
        As for `rank_share`.
    weights : array_like of int, shape (B, N)
        How often each row is in each sample, from 0.

    Returns
    -------
    RankShares
        One share for each sample, of the ranks within it.

    Raises
    ------
    InputError
        If the arguments differ in length, a value is not finite, or a weight is no whole number
        from 0.

    Examples
    --------
    >>> weights = [[1, 1, 1, 1], [1, 1, 1, 0]]
    >>> found = weighted_rank_shares([1, 3, 2, 4], [[0], [0], [1], [1]], weights=weights)
    >>> found.share.round(3).tolist(), found.df_residual.tolist()
    ([0.2, 0.0], [2, 1])
    """
    numbers = finite_vector(values, "values")
    n = len(numbers)
    columns = finite_columns(tested, "tested", n)
    known = np.empty((n, 0)) if covariates is None else covariates
    counts = np.asarray(weights, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[1] != n or np.any((counts < 0) | (counts % 1 != 0)):
        msg = f"Expected `weights` to be whole numbers of shape (samples, {n}), from 0."
        raise InputError(msg)
    known = finite_columns(known, "covariates", n)
    design = _scaled(np.hstack([np.ones((n, 1)), known, columns]))
    first = 1 + known.shape[1]
    size = counts.sum(axis=1)
    ranks = _weighted_ranks(numbers, counts)
    ranks -= (np.sum(counts * ranks, axis=1) / np.maximum(size, 1))[:, None]
    total = np.sum(counts * ranks**2, axis=1)
    left, rest, rank, rank_full = np.concatenate(
        [
            _eliminated(design, ranks[part], counts[part], first=first)
            for part in (slice(k, k + _AT_ONCE) for k in range(0, len(counts), _AT_ONCE))
        ],
        axis=1,
    )
    df_tested = (rank_full - rank).astype(np.intp)
    df_residual = (size - rank_full).astype(np.intp)
    usable = (left > _EXPLAINED * total) & (total > 0) & (df_tested > 0) & (df_residual > 0)
    share = np.full(len(counts), np.nan)
    share[usable] = np.clip(1 - rest[usable] / left[usable], 0, 1)
    return RankShares(share, df_tested, df_residual)


def _scaled(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns of like size, so that one tolerance serves all; what is constant stays."""
    size = np.abs(columns).max(axis=0, initial=0)
    return columns / np.where(size > 0, size, 1)


def _weighted_ranks(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean rank of each row among the rows of each sample, ties in the middle."""
    codes = np.unique(values, return_inverse=True)[1]
    tied = weights @ np.eye(int(codes.max()) + 1)[codes]
    ranks: NDArray[np.float64] = (np.cumsum(tied, axis=1) - (tied - 1) / 2)[:, codes]
    return ranks


def _eliminated(
    design: NDArray[np.float64],
    ranks: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    first: int,
) -> NDArray[np.float64]:
    """Return what the first columns and all leave of the ranks in each sample, and their rank.

    By Gaussian elimination of the products, in all samples at once: faster than eigenvalues.

    Returns
    -------
    ndarray of shape (4, samples)
        Two sums of squares and two ranks.
    """
    count = design.shape[1]
    pairs = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    products = np.empty((count + 1, count + 1, len(weights)))
    products[:count, :count] = (pairs.T @ weights.T).reshape(count, count, -1)
    products[count, :count] = products[:count, count] = design.T @ (weights * ranks).T
    products[count, count] = np.sum(weights * ranks**2, axis=1)
    least = [_DEPENDENT * products[column, column] for column in range(count)]
    found = np.zeros((4, len(weights)))
    for column in range(count):
        if column == first:
            found[0], found[2] = products[count, count], found[3]
        pivot, after = products[column, column], products[column, column + 1 :]
        kept = pivot > least[column]
        steps = after * np.where(kept, 1 / np.where(kept, pivot, 1), 0)
        products[column + 1 :, column + 1 :] -= after[:, None] * steps
        found[3] += kept
    if first == count:
        found[0], found[2] = products[count, count], found[3]
    found[1] = products[count, count]
    return found
