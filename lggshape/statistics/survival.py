"""Cox regression: how columns are associated with the time to an event."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog
from scipy.stats import chi2, norm

from lggshape.errors import InputError
from lggshape.extras import require
from lggshape.statistics._validators import (
    confidence_level,
    finite_columns,
    finite_vector,
    numbered_strata,
    zeros_and_ones,
)
from lggshape.statistics.contingency import Effect
from lggshape.statistics.proportional_hazards import proportional_hazards

if TYPE_CHECKING:
    from statsmodels.duration.hazard_regression import PHReg


class CoxTerm(NamedTuple):
    """What a Cox model says about one of its columns, given the others.

    Attributes
    ----------
    name : str
        Name of the column.
    coefficient : float
        Logarithm of the hazard ratio.
    standard_error : float
        Standard error of the coefficient, by the observed information.
    hazard_ratio : Effect
        For one unit of the column more; the interval is Wald's.
    p : float
        p-value by Wald's test.
    p_likelihood_ratio : float
        p-value by the likelihood ratio of the models with and without the column.
    p_proportional : float
        p-value of the test that the hazard ratio does not change with time; NaN if all events are
        of the same time.
    """

    name: str
    coefficient: float
    standard_error: float
    hazard_ratio: Effect
    p: float
    p_likelihood_ratio: float
    p_proportional: float


class CoxResult(NamedTuple):
    """Result of a Cox regression.

    Attributes
    ----------
    terms : tuple of CoxTerm
        One a tested column, in their order.
    n : int
        Number of rows.
    events : int
        Number of events among them.
    log_likelihood : float
        Maximum of the logarithm of the partial likelihood.
    """

    terms: tuple[CoxTerm, ...]
    n: int
    events: int
    log_likelihood: float


def cox(
    time: ArrayLike,
    event: ArrayLike,
    covariates: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    tested: int | None = None,
    level: float = 0.95,
) -> CoxResult:
    """Fit a Cox proportional hazards model, ties by Efron's method.

    With strata, each has a baseline hazard of its own: rows are compared within their stratum, and
    the coefficients are the same in all.

    Proportional hazards are tested for each column by the score test of its product with time
    (`proportional_hazards`), as by ``cox.zph(fit, transform="km")`` of R's survival package from
    version 3 on. Time counts as 1 less the Kaplan-Meier estimate just before it, so that no late
    event has much weight of its own.

    If some combination of the columns is never larger in a row at risk than in the row that has
    the event, the likelihood has no maximum: it grows with the coefficients without end. A dummy
    without a single event is the usual case. That is found out beforehand and exactly, by linear
    programming, and is an error: the estimate that a program prints for it is where it stopped.

    Parameters
    ----------
    time : array_like of shape (N,)
        Time to the event or the end of follow-up, from 0.
    event : array_like of shape (N,)
        1 or True at an event, 0 or False where follow-up ended without one.
    covariates : array_like of shape (N, K)
        Design columns, at least one; no intercept.
    strata : array_like of shape (N,), optional
        The stratum of each row: numbers or names.
    names : sequence of str, optional
        Names of the columns. By default "column 1" and so on.
    tested : int, optional
        How many columns, from the first, have a term; the others are only adjusted for. By default
        all have one.
    level : float, optional
        Confidence level.

    Returns
    -------
    CoxResult
        What the model says about each column, and how well it fits.

    Raises
    ------
    InputError
        If the arguments differ in length, a value is not finite, a time is negative, there is no
        event, the columns are constant or depend on each other among the rows that are at risk at
        the first event (of their stratum, and within it), the likelihood has no maximum or it is
        not found, or the level is not in (0, 1).

    References
    ----------
    Cox DR. Regression models and life-tables. J R Stat Soc B 34 (1972) 187-220.
    Efron B. The efficiency of Cox's likelihood function for censored data. J Am Stat Assoc 72
    (1977) 557-565.
    Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on weighted
    residuals. Biometrika 81 (1994) 515-526.
    Jacobsen M. Existence and unicity of MLEs in discrete exponential family distributions. Scand J
    Stat 16 (1989) 335-349: when the likelihood has a maximum.

    Examples
    --------
    >>> result = cox([5, 8, 2, 9, 4, 7], [1, 1, 1, 0, 1, 0], [[1], [0], [1], [1], [0], [0]])
    >>> ratio = result.terms[0].hazard_ratio
    >>> round(ratio.estimate, 3), round(ratio.low, 3), round(ratio.high, 3)
    (1.106, 0.155, 7.911)
    """
    level = confidence_level(level)
    times = finite_vector(time, "time")
    n = len(times)
    if times.min() < 0:
        msg = f"Expected `time` to hold no negative times, found {times.min()}."
        raise InputError(msg)
    happened = zeros_and_ones(event, "event", n)
    if not happened.any():
        msg = "Expected `event` to hold at least one event, found none."
        raise InputError(msg)
    matrix = finite_columns(covariates, "covariates", n)
    titles = _titles(names, matrix.shape[1])
    tested = len(titles) if tested is None else tested
    codes = numbered_strata(strata, n)
    before = _not_surviving_before(times, happened)
    # Rows that leave before the first event of their stratum are never compared with another.
    first = np.full(codes.max() + 1, np.inf)
    np.minimum.at(first, codes[happened], times[happened])
    compared = times >= first[codes]
    rows = _Rows(times[compared], happened[compared], codes[compared])
    before = before[compared]
    matrix, spread = _standardised(matrix[compared], rows.strata, titles)
    _check_maximum(rows, matrix, titles)
    model, slopes = _fit(rows, matrix)
    log_likelihood = float(model.loglike(slopes))
    gains = [log_likelihood - without for without in _without_each(rows, matrix, tested)]
    covariance = np.linalg.inv(-model.hessian(slopes))
    errors = np.sqrt(np.diag(covariance))
    p_proportional = proportional_hazards(*rows, matrix, slopes, clock=before)
    reach = float(norm.isf((1 - level) / 2))
    terms = tuple(
        CoxTerm(
            name,
            coefficient,
            error,
            _ratio(coefficient, reach * error),
            float(2 * norm.sf(abs(coefficient) / error)),
            float(chi2.sf(2 * max(0.0, gain), 1)),
            float(proportional),
        )
        for name, coefficient, error, gain, proportional in zip(
            titles[:tested],
            (slopes / spread)[:tested].tolist(),
            (errors / spread)[:tested].tolist(),
            gains,
            p_proportional[:tested],
            strict=True,
        )
    )
    return CoxResult(terms, n, int(happened.sum()), log_likelihood)


class _Rows(NamedTuple):
    """The rows that are compared with others: their times, events and numbers of strata."""

    times: NDArray[np.float64]
    happened: NDArray[np.bool_]
    strata: NDArray[np.intp]

    def of_each_stratum(self) -> Iterator[NDArray[np.intp]]:
        """Yield the places of the rows of each stratum."""
        for stratum in np.unique(self.strata):
            yield np.flatnonzero(self.strata == stratum)


def _model(rows: _Rows, matrix: NDArray[np.float64]) -> "PHReg":
    require("statsmodels", "to fit a Cox model")
    from statsmodels.duration.hazard_regression import PHReg

    return PHReg(
        rows.times,
        matrix,
        status=rows.happened.astype(np.float64),
        strata=rows.strata if np.ptp(rows.strata) else None,
        ties="efron",
    )


def _fit(rows: _Rows, matrix: NDArray[np.float64]) -> "tuple[PHReg, NDArray[np.float64]]":
    """Return the model and the coefficients at its maximum."""
    model = _model(rows, matrix)
    # PHReg.fit takes whole steps of Newton's, which overshoot where a column is skewed or sparse.
    slopes = np.zeros(matrix.shape[1])
    best = model.loglike(slopes)
    with np.errstate(all="ignore"):
        for _ in range(100):
            slope, information = model.score(slopes), -model.hessian(slopes)
            if not np.isfinite(information).all():
                break
            step = np.linalg.pinv(information) @ slope
            # As near as this a whole step lands on the maximum, but for rounding.
            if slope @ step < 1e-8:
                return model, slopes + step
            for part in 0.5 ** np.arange(30):
                value = model.loglike(slopes + part * step)
                # Infinite after a step so far that the sums underflow.
                if best < value < math.inf:
                    slopes, best = slopes + part * step, value
                    break
            else:
                break
    msg = "Expected Newton's method to find the maximum of the likelihood, found no convergence."
    raise InputError(msg)


def _without_each(rows: _Rows, matrix: NDArray[np.float64], tested: int) -> list[float]:
    """Return the maximum of the log likelihood without each of the first columns."""
    count = matrix.shape[1]
    if tested and count == 1:
        return [float(_model(rows, matrix).loglike(np.zeros(1)))]
    fits = (_fit(rows, np.delete(matrix, column, axis=1)) for column in range(tested))
    return [float(reduced.loglike(slopes)) for reduced, slopes in fits]


def _not_surviving_before(
    times: NDArray[np.float64], happened: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return for each row 1 less the Kaplan-Meier estimate just before its time, of all rows."""
    moments = np.unique(times[happened])
    deaths = (times[happened] == moments[:, None]).sum(axis=1)
    at_risk = (times >= moments[:, None]).sum(axis=1)
    surviving = np.append(1.0, np.cumprod(1 - deaths / at_risk))
    before: NDArray[np.float64] = 1 - surviving[np.searchsorted(moments, times)]
    return before


def _check_maximum(rows: _Rows, matrix: NDArray[np.float64], titles: Sequence[str]) -> None:
    """Raise an error if some combination of columns is largest at every event of all at risk."""
    behind = np.concatenate(
        [
            _behind(rows.times[stratum], rows.happened[stratum], matrix[stratum])
            for stratum in rows.of_each_stratum()
        ]
    )
    direction = linprog(
        -behind.sum(axis=0), A_ub=-behind, b_ub=np.zeros(len(behind)), bounds=(-1, 1)
    ).x
    # The bounds stop it, or it is 0 but for rounding.
    if np.abs(direction).max() > 0.5:
        alone = (behind >= 0).all(axis=0) | (behind <= 0).all(axis=0)
        found = _quoted(titles, alone if alone.any() else np.abs(direction) > 1e-6)
        msg = (
            "Expected finite hazard ratios, found that the row with the event always has the "
            f"highest or the lowest value of {found} of all rows at risk. The likelihood then has "
            "no maximum, and a ratio or p that a program prints is where it stopped. More events "
            "may give it one."
        )
        raise InputError(msg)


def _behind(
    times: NDArray[np.float64], happened: NDArray[np.bool_], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far rows at risk lie behind those with the event, of one stratum."""
    moments, first = np.unique(times[happened], return_index=True)
    at_event = matrix[happened][first]
    # Each row against the event at which it is last at risk, both ways if it ties with that event,
    # and each event against the next: all other comparisons follow from these.
    last = np.searchsorted(moments, times, side="right") - 1
    behind = at_event[last] - matrix
    return np.concatenate([behind, -behind[happened], at_event[:-1] - at_event[1:]])


def _standardised(
    matrix: NDArray[np.float64], strata: NDArray[np.intp], titles: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the columns with mean 0 in each stratum and a standard deviation of 1, and the latter.

    The arithmetic is then the same in all units. Nothing else of a column counts within strata.
    """
    size = np.abs(matrix).max(axis=0)
    matrix = matrix - _means(matrix, strata)
    spread: NDArray[np.float64] = matrix.std(axis=0)
    constant = spread <= 1e-12 * size
    if constant.any():
        found = _quoted(titles, constant)
        msg = (
            f"Expected columns that vary among the rows at risk, found {found} constant. Rows that "
            "leave before the first event are compared with none."
        )
        raise InputError(msg)
    scaled = matrix / spread
    rank = np.linalg.matrix_rank(scaled, rtol=1e-7)
    if rank < matrix.shape[1]:
        msg = (
            "Expected columns that do not depend on each other among the rows at risk, found "
            f"{rank} independent ones of {matrix.shape[1]}."
        )
        raise InputError(msg)
    return scaled, spread


def _means(matrix: NDArray[np.float64], strata: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the mean of each column in the stratum of each row."""
    means = np.zeros((int(strata.max()) + 1, matrix.shape[1]))
    for stratum in np.unique(strata):
        means[stratum] = matrix[strata == stratum].mean(axis=0)
    found: NDArray[np.float64] = means[strata]
    return found


def _ratio(coefficient: float, reach: float) -> Effect:
    """Return the ratio of a logarithm and its interval, infinite rather than an overflow."""
    with np.errstate(over="ignore"):
        return Effect(*np.exp([coefficient, coefficient - reach, coefficient + reach]).tolist())


def _titles(names: Sequence[str] | None, count: int) -> Sequence[str]:
    """Return a name for each column, of which there must be at least one."""
    if not count:
        msg = "Expected `covariates` to have at least one column, found none."
        raise InputError(msg)
    if names is None:
        return [f"column {number}" for number in range(1, count + 1)]
    if len(names) != count:
        msg = f"Expected `names` to hold {count}, one per column, found {len(names)}."
        raise InputError(msg)
    return names


def _quoted(titles: Sequence[str], chosen: ArrayLike) -> str:
    """Return the chosen names for a message."""
    return ", ".join(f"`{titles[int(column)]}`" for column in np.flatnonzero(chosen))
