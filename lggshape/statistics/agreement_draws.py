"""How two measurements agree, in many bootstrap samples at once.

The closed intervals of ICC and concordance assume normal measurements, and are far too narrow for
skewed ones, such as volumes. Arrays have the things measured on the last axis, so that one call
does for one sample and for thousands.
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lggshape.checks import check_whole_number
from lggshape.statistics._validators import confidence_level, same_length
from lggshape.statistics.agreement import concordance, intraclass_correlation
from lggshape.statistics.contingency import Effect

Reliability = Literal["ICC(A,1)", "ICC(C,1)"]

_Floats = NDArray[np.float64]


class Agreement(NamedTuple):
    """How two measurements agree, with bootstrap intervals.

    Attributes
    ----------
    intraclass : Effect
        ICC(A,1), for absolute agreement.
    concordance : Effect
        Lin's coefficient.
    """

    intraclass: Effect
    concordance: Effect


def agreement_coefficients(
    measured: ArrayLike,
    reference: ArrayLike,
    *,
    replicates: int = 9999,
    level: float = 0.95,
    seed: int = 0,
) -> Agreement:
    """Return the intraclass and the concordance correlation, with percentile intervals.

    Parameters
    ----------
    measured, reference : array_like of shape (N,)
        Finite numbers, in the same unit.
    replicates : int, optional
        Number of bootstrap samples of things.
    level : float, optional
        Confidence level.
    seed : int, optional
        Seed of the samples.

    Returns
    -------
    Agreement
        The estimates are those of `intraclass_correlation` and `concordance`. NaN of fewer than
        three things, and the ends where the two agree perfectly.

    Raises
    ------
    InputError
        If the two differ in length, hold values that are not finite, `replicates` is less than 1,
        or the level is not in (0, 1).

    References
    ----------
    Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall (1993), chapter 13.

    Examples
    --------
    >>> found = agreement_coefficients([1, 2, 3, 4, 6], [1, 3, 3, 5, 6], seed=1)
    >>> round(found.intraclass.estimate, 3), round(found.concordance.estimate, 3)
    (0.947, 0.935)
    """
    level = confidence_level(level)
    check_whole_number(replicates, "`replicates`", least=1)
    one, other = same_length(measured=measured, reference=reference)
    intraclass = intraclass_correlation(np.column_stack([one, other]))
    lin = concordance(one, other)
    if len(one) < 3:
        return Agreement(intraclass, lin)
    rows = resamples(len(one), number=replicates, seed=seed)
    draws = one[rows], other[rows]
    return Agreement(
        *(
            with_interval(effect.estimate, values, level=level)
            # Of perfect agreement the estimate's own interval has no ends.
            if np.isfinite(effect.low)
            else effect
            for effect, values in (
                (intraclass, intraclass_draws(*draws)),
                (lin, concordance_draws(*draws)),
            )
        )
    )


def resamples(things: int, *, number: int, seed: int) -> NDArray[np.intp]:
    """Return bootstrap samples of things: their indices.

    Parameters
    ----------
    things, number : int
        How many things, and how many samples.
    seed : int
        Seed of the samples.

    Returns
    -------
    ndarray of int, shape (number, things)

    Examples
    --------
    >>> resamples(5, number=2, seed=0).shape
    (2, 5)
    """
    return np.random.default_rng(seed).integers(0, things, (number, things))


def intraclass_draws(one: _Floats, other: _Floats, measure: Reliability = "ICC(A,1)") -> _Floats:
    """Return the intraclass correlation of two measurements in each sample.

    Parameters
    ----------
    one, other : ndarray of float, shape (..., N)
        The two measurements.
    measure : {"ICC(A,1)", "ICC(C,1)"}, optional
        For absolute agreement, where a shift between the two counts as disagreement, or for
        consistency, where it does not. Two-way, of single measurements.

    Returns
    -------
    ndarray of float, shape (...)
        NaN where neither of the two varies.

    References
    ----------
    McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients.
    Psychological Methods 1 (1996) 30-46.

    Examples
    --------
    >>> one, other = np.array([9.0, 6, 8, 7, 10]), np.array([8.0, 7, 8, 6, 10])
    >>> intraclass_draws(one, other).round(3).tolist()
    0.87
    """
    n = one.shape[-1]
    difference = one - other
    rows = 2 * ((one + other) / 2).var(axis=-1, ddof=1)
    error = difference.var(axis=-1, ddof=1) / 2
    columns = n * difference.mean(axis=-1) ** 2 / 2
    shift = 2 * (columns - error) / n if measure == "ICC(A,1)" else 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        found: _Floats = np.asarray((rows - error) / (rows + error + shift))
    return found


def concordance_draws(one: _Floats, other: _Floats) -> _Floats:
    """Return Lin's concordance correlation coefficient of two measurements in each sample.

    Parameters
    ----------
    one, other : ndarray of float, shape (..., N)
        The two measurements.

    Returns
    -------
    ndarray of float, shape (...)
        NaN where neither of the two varies and both are equal.

    Examples
    --------
    >>> one, other = np.array([1.0, 2, 3, 4, 6]), np.array([1.0, 3, 3, 5, 6])
    >>> concordance_draws(one, other).round(3).tolist()
    0.935
    """
    spread = one.var(axis=-1) + other.var(axis=-1)
    shift = (one.mean(axis=-1) - other.mean(axis=-1)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found: _Floats = np.asarray((spread - (one - other).var(axis=-1)) / (spread + shift))
    return found


def with_interval(estimate: Any, draws: _Floats, *, level: float = 0.95) -> Effect:
    """Return an estimate with the percentile interval of its bootstrap samples.

    Parameters
    ----------
    estimate : float
        The estimate.
    draws : ndarray of float, shape (B,)
        The same of each sample; those that are not finite are left out.
    level : float, optional
        Confidence level.

    Returns
    -------
    Effect
        The ends are NaN without a finite draw.

    Examples
    --------
    >>> found = with_interval(50, np.arange(101))
    >>> round(found.low, 6), round(found.high, 6)
    (2.5, 97.5)
    """
    kept = draws[np.isfinite(draws)]
    if not len(kept):
        return Effect(float(estimate), np.nan, np.nan)
    tail = 50 * (1 - level)
    low, high = np.percentile(kept, [tail, 100 - tail])
    return Effect(float(estimate), float(low), float(high))
