"""Effects of two measurements of the same patients, compared.

Whether an interval of one effect overlaps with that of another says little where both were measured
in the same patients, and less where one is significant and the other is not: what is asked is the
interval of their difference.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from lggshape.checks import check_whole_number
from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, numbered_strata, same_length
from lggshape.statistics.contingency import _bias_corrected_v

_Floats = NDArray[np.float64]
_Codes = NDArray[np.intp]
_Effects = Callable[[_Floats, _Codes], _Floats]
"""Effects of rows of values (B, N) and the groups (B, N) that they belong to."""

_TIE = 1e-12


class PairedEffects(NamedTuple):
    """Two effects in the same patients, and how they differ.

    Attributes
    ----------
    first, second : float
        The effects; NaN with fewer than two groups.
    difference : float
        The first less the second.
    low, high : float
        Bootstrap percentile interval of the difference.
    standard_error : float
        Standard deviation of the difference over the resamples.
    jackknife_error : float
        Its standard error by leaving out each patient in turn; NaN for Cramér's V, since quantiles
        are not smooth.
    p : float
        By exchange of the two measurements of patients at random.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    standard_error: float
    jackknife_error: float
    p: float


def paired_effects(
    first: ArrayLike,
    second: ArrayLike,
    groups: ArrayLike,
    *,
    effect: Literal["epsilon_squared", "cramers_v"] = "epsilon_squared",
    bins: int = 4,
    draws: int = 9999,
    seed: int | np.random.SeedSequence = 0,
    level: float = 0.95,
) -> PairedEffects:
    """Compare how strongly two measurements of the same patients differ between groups.

    The effects are the estimates of `epsilon_squared`, or of `cramers_v` for the quantile bins of
    each measurement. For the interval, patients are drawn with replacement and both effects are
    computed anew, with new ranks and new cut-points. In resamples both effects are larger than in
    the patients themselves, but their difference hardly is. In simulations of 92 patients in four
    groups, 95 % intervals contained the true difference of epsilon squared in 94 to 96 % (in 100 %
    if there is no effect at all), and that of V in 99 to 100 %: they are too wide for V.

    The p-value exchanges the two ranks of each patient (the rank among the first measurements with
    that among the second) or leaves them, at random. So it does not take a shift of all values for
    a difference.

    Parameters
    ----------
    first, second : array_like of shape (N,)
        Finite numbers: two measurements of each patient.
    groups : array_like of shape (N,)
        The group of each patient; text or numbers, none missing.
    effect : {"epsilon_squared", "cramers_v"}
        Which effect is compared.
    bins : int
        Number of quantile bins for V.
    draws : int
        Number of resamples, and of random exchanges.
    seed : int or SeedSequence
        Seed of both.
    level : float
        Confidence level.

    Returns
    -------
    PairedEffects
        Both effects, their difference with its interval and standard errors, and p. NaN with fewer
        than two groups.

    Raises
    ------
    InputError
        If the arguments differ in length, a value is not finite, a group is missing, the effect is
        unknown, a number is too small, or the level is not in (0, 1).

    References
    ----------
    Davison AC, Hinkley DV. Bootstrap methods and their application. Cambridge University Press
    (1997), sections 2.4 and 4.3.
    Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall (1993), chapter 11.

    Examples
    --------
    >>> exact, blurred = [1, 2, 3, 4, 5, 6, 7, 8], [1, 5, 3, 6, 2, 4, 7, 8]
    >>> found = paired_effects(exact, blurred, list("aaaabbbb"), draws=199)
    >>> round(found.first, 3), round(found.second, 3), round(found.difference, 3)
    (0.762, 0.107, 0.655)
    """
    tail = (1 - confidence_level(level)) / 2
    check_whole_number(bins, "`bins`", least=2)
    check_whole_number(draws, "`draws`", least=1)
    values = np.stack(same_length(first=first, second=second))
    codes = numbered_strata(groups, values.shape[1])
    known: dict[str, _Effects] = {
        "epsilon_squared": epsilons_squared,
        "cramers_v": partial(cramers_vs, bins=bins),
    }
    if effect not in known:
        msg = f"Expected `effect` to be among {', '.join(known)}, found {effect!r}."
        raise InputError(msg)
    measure = known[effect]
    if codes.max() == 0:
        return PairedEffects(*[math.nan] * 8)

    found = measure(values, np.broadcast_to(codes, values.shape))
    difference = float(found[0] - found[1])
    resampling, exchange = _generators(seed)
    n = len(codes)
    drawn = _differences(measure, values, codes, resampling.integers(n, size=(draws, n)))
    low, high = np.nanquantile(drawn, [tail, 1 - tail]).tolist()
    jackknife = math.nan
    if effect == "epsilon_squared":
        others = np.array([np.delete(np.arange(n), left) for left in range(n)])
        left_out = _differences(measure, values, codes, others)
        jackknife = math.sqrt((n - 1) * float(np.nanvar(left_out)))
    return PairedEffects(
        float(found[0]), float(found[1]), difference, low, high, float(np.nanstd(drawn)), jackknife,
        _exchange_p(measure, values, codes, abs(difference), draws, exchange),
    )  # fmt: skip


def epsilons_squared(values: ArrayLike, groups: ArrayLike) -> NDArray[np.float64]:
    """Return the estimate of `epsilon_squared` of each row.

    Parameters
    ----------
    values : array_like of shape (B, N)
        Rows of finite numbers.
    groups : array_like of int, shape (B, N)
        The group of each value, from 0.

    Returns
    -------
    ndarray of shape (B,)
        The share of the variance of the ranks that lies between groups: 0 if all values of a row
        are equal, NaN if it has fewer than two groups.

    Examples
    --------
    >>> epsilons_squared([[1, 2, 3, 4, 5, 6]], [[0, 0, 0, 1, 1, 1]]).round(3).tolist()
    [0.771]
    """
    ranks, codes = rankdata(values, axis=1), np.asarray(groups)
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    total = np.sum(centred**2, axis=1)
    between, present = np.zeros(len(ranks)), np.zeros(len(ranks))
    for code in range(int(codes.max()) + 1):
        inside = codes == code
        count = inside.sum(axis=1)
        sums = np.sum(centred * inside, axis=1)
        between += np.divide(sums**2, count, out=np.zeros_like(sums), where=count > 0)
        present += count > 0
    shares = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    return np.where(present > 1, shares, np.nan)


def cramers_vs(values: ArrayLike, groups: ArrayLike, *, bins: int = 4) -> NDArray[np.float64]:
    """Return the estimate of `cramers_v` of each row, for its quantile bins.

    Parameters
    ----------
    values, groups
        As for `epsilons_squared`.
    bins : int
        Number of quantile bins, cut in each row as by `quantile_bins`.

    Returns
    -------
    ndarray of shape (B,)
        The bias-corrected V; NaN if a row has fewer than two groups or bins.

    Examples
    --------
    >>> cramers_vs([[1, 2, 3, 4, 5, 6]], [[0, 0, 0, 1, 1, 1]], bins=2).tolist()
    [1.0]
    """
    numbers, codes = np.asarray(values, dtype=np.float64), np.asarray(groups)
    draws, n = numbers.shape
    levels = int(codes.max()) + 1
    cuts = np.quantile(numbers, np.arange(1, bins) / bins, axis=1)
    binned = np.sum(numbers > cuts[:, :, None], axis=0)
    cells = (np.arange(draws)[:, None] * bins + binned) * levels + codes
    tables = np.bincount(cells.ravel(), minlength=draws * bins * levels)
    counts = tables.reshape(draws, bins, levels).astype(np.float64)
    rows, columns = counts.sum(axis=2), counts.sum(axis=1)
    expected = rows[:, :, None] * columns[:, None, :] / n
    # A row or a column without anybody expects nobody, and adds nothing.
    parts = np.divide(
        (counts - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0
    )
    phi_squared = parts.sum(axis=(1, 2)) / n
    sizes = zip((rows > 0).sum(axis=1).tolist(), (columns > 0).sum(axis=1).tolist(), strict=True)
    return np.array(
        [
            _bias_corrected_v(phi, n, *size) if min(size) > 1 else math.nan
            for phi, size in zip(phi_squared.tolist(), sizes, strict=True)
        ]
    )


def _generators(
    seed: int | np.random.SeedSequence,
) -> tuple[np.random.Generator, np.random.Generator]:
    """Return what resamples and what exchanges, independent of each other."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    one, other = root.spawn(2)
    return np.random.default_rng(one), np.random.default_rng(other)


def _differences(
    measure: _Effects, values: _Floats, codes: _Codes, chosen: NDArray[np.integer]
) -> _Floats:
    """Return the difference of the effects for each row of chosen patients."""
    groups = codes[chosen]
    return measure(values[0][chosen], groups) - measure(values[1][chosen], groups)


def _exchange_p(
    measure: _Effects,
    values: _Floats,
    codes: _Codes,
    difference: float,
    draws: int,
    rng: np.random.Generator,
) -> float:
    ranks = rankdata(values, axis=1)
    exchanged = rng.random((draws, len(codes))) < 0.5
    groups = np.broadcast_to(codes, exchanged.shape)
    one, other = (
        measure(np.where(exchanged, ranks[there], ranks[here]), groups)
        for here, there in ((0, 1), (1, 0))
    )
    larger = int(np.sum(np.abs(one - other) >= difference - _TIE))
    return (larger + 1) / (draws + 1)
