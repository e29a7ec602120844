"""Do hazard ratios change with time? The score test of a Cox model."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

_ROUNDING = 1e-9
"""A variance below this share of what it is the rest of is none."""


def proportional_hazards(
    times: NDArray[np.float64],
    happened: NDArray[np.bool_],
    strata: NDArray[np.intp],
    columns: NDArray[np.float64],
    slopes: NDArray[np.float64],
    *,
    clock: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the p-values of the test that the hazard ratio of each column is constant.

    It is the score test of a product of the column with time beside all columns, in a Cox model
    with ties by Efron's method, where the other terms are at their maximum. The variance of the
    columns is that at each event; the older test of scaled Schoenfeld residuals takes its mean over
    the events, which errs where the columns of those at risk change. This is ``cox.zph(fit)`` of
    R's survival package from version 3 on.

    Parameters
    ----------
    times : ndarray of shape (N,)
        Time to the event or the end of follow-up.
    happened : ndarray of bool, shape (N,)
        Who has the event then.
    strata : ndarray of int, shape (N,)
        The stratum of each row.
    columns : ndarray of shape (N, K)
        Design columns.
    slopes : ndarray of shape (K,)
        The coefficients at the maximum of the partial likelihood.
    clock : ndarray of shape (N,)
        Each time as it counts in the product, such as 1 less the Kaplan-Meier estimate before it.

    Returns
    -------
    ndarray of shape (K,)
        The p-values; NaN if all events are of the same time, or those at risk differ at one time
        alone.

    References
    ----------
    Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted
    residuals. Biometrika 81 (1994) 515-526.
    Therneau TM. A package for survival analysis in R (survival 3.5), vignette "Approximating a Cox
    model", section on cox.zph.

    Examples
    --------
    >>> import numpy as np
    >>> times = np.array([5.0, 8, 2, 9, 4, 7])
    >>> happened = np.array([True, True, True, False, True, False])
    >>> columns = np.array([[1.0], [0], [1], [1], [0], [0]])
    >>> strata = np.zeros(6, dtype=int)
    >>> slopes = np.array([0.1009])  # as `cox` finds
    >>> found = proportional_hazards(times, happened, strata, columns, slopes, clock=times)
    >>> found.round(3).tolist()
    [0.233]
    """
    count = columns.shape[1]
    predictor = columns @ slopes
    hazards = np.exp(predictor - predictor.max())
    # Where the clock begins does not matter at the maximum.
    trend = clock - clock[happened].mean()
    if not np.ptp(clock[happened]):
        return np.full(count, np.nan)
    score, information = np.zeros(count), np.zeros((3, count, count))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        for moment in np.unique(times[rows][happened[rows]]):
            at_risk = rows[times[rows] >= moment]
            dying = happened[at_risk] & (times[at_risk] == moment)
            residual, variance = _at_event(columns[at_risk], hazards[at_risk], dying)
            late = trend[at_risk][dying][0]
            score += late * residual
            information += np.multiply.outer(late ** np.arange(3), variance)
    # The variance of each product beyond what the columns themselves explain of it.
    constant, mixed, products = information
    explained = np.einsum("jk,kj->j", mixed, np.linalg.solve(constant, mixed))
    beyond = np.diag(products) - explained
    beyond = np.where(beyond > _ROUNDING * np.diag(products), beyond, np.nan)
    return np.asarray(chi2.sf(score**2 / beyond, 1))


def _at_event(
    columns: NDArray[np.float64], hazards: NDArray[np.float64], dying: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the residuals at an event, summed over those who have it, and their variance."""
    deaths = int(dying.sum())
    # Efron: of rows that tie, each in turn meets a smaller part of the others' hazard.
    weights = hazards * (1 - np.outer(np.arange(deaths) / deaths, dying))
    weights /= weights.sum(axis=1, keepdims=True)
    means = weights @ columns
    squares = np.einsum("dn,np,nq->pq", weights, columns, columns)
    return columns[dying].sum(axis=0) - means.sum(axis=0), squares - means.T @ means
