"""Do several columns together add to a Cox model? The likelihood ratio and its effect."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from lggshape.errors import InputError
from lggshape.statistics._validators import finite_columns, finite_vector
from lggshape.statistics.contingency import Effect, _effect, _noncentrality_interval
from lggshape.statistics.survival import cox


class CoxComparison(NamedTuple):
    """Comparison of two nested Cox models.

    Attributes
    ----------
    statistic : float
        Twice the difference of their log likelihoods.
    df : int
        Number of columns that the larger one has more.
    p : float
        p-value by the chi-squared distribution.
    effect : Effect
        Explained randomness, and its interval.
    """

    statistic: float
    df: int
    p: float
    effect: Effect


def compare_cox(
    time: ArrayLike,
    event: ArrayLike,
    tested: ArrayLike,
    covariates: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    level: float = 0.95,
) -> CoxComparison:
    """Test whether columns add to a Cox model of covariates, by the likelihood ratio.

    The effect is the share of randomness that the columns explain beyond the covariates,
    1 - exp(-X / E) of the statistic X and the number of events E (O'Quigley, Xu and Stare). It is
    not corrected for bias. The interval inverts the noncentral chi-squared distribution of X; its
    upper limit is power-constrained.

    Parameters
    ----------
    time, event : array_like of shape (N,)
        As for `cox`.
    tested : array_like of shape (N, Q)
        Design columns that are tested together.
    covariates : array_like of shape (N, R)
        Design columns of both models, at least one.
    strata : array_like of shape (N,), optional
        The stratum of each row.
    names : sequence of str, optional
        Names of the columns, those of `covariates` first.
    level : float, optional
        Confidence level.

    Returns
    -------
    CoxComparison
        The statistic, p, and the effect with its interval.

    Raises
    ------
    InputError
        As for `cox`, of the larger model, and if there is no tested column.

    References
    ----------
    O'Quigley J, Xu R, Stare J. Explained randomness in proportional hazards models. Statistics in
    Medicine 24 (2005) 479-489.

    Examples
    --------
    >>> time, event = [5, 8, 2, 9, 4, 7, 6, 3], [1, 1, 1, 0, 1, 0, 1, 1]
    >>> age = [[3], [1], [4], [1], [5], [9], [2], [6]]
    >>> round(compare_cox(time, event, [[1], [0], [1], [1], [0], [0], [1], [0]], age).p, 3)
    0.856
    """
    n = len(finite_vector(time, "time"))
    new, known = finite_columns(tested, "tested", n), finite_columns(covariates, "covariates", n)
    df = new.shape[1]
    if not df:
        msg = "Expected `tested` to have at least one column, found none."
        raise InputError(msg)
    larger = cox(time, event, np.hstack([known, new]), strata=strata, names=names, tested=0)
    smaller = cox(time, event, known, strata=strata, tested=0)
    statistic = 2 * max(0.0, larger.log_likelihood - smaller.log_likelihood)
    low, high = _noncentrality_interval(statistic, df, level)
    shares = (1 - math.exp(-value / larger.events) for value in (statistic, low, high))
    return CoxComparison(statistic, df, float(chi2.sf(statistic, df)), _effect(*shares))
