"""The Kaplan-Meier estimate of survival."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lggshape.errors import InputError
from lggshape.extras import require
from lggshape.statistics._validators import finite_vector, zeros_and_ones


class SurvivalCurve(NamedTuple):
    """A Kaplan-Meier estimate.

    Attributes
    ----------
    times : ndarray of float, shape (K,)
        0 and each time of an event, ascending.
    surviving : ndarray of float, shape (K,)
        Estimated share without an event from each of these times to the next.
    censored : ndarray of float, shape (C,)
        Times at which follow-up ended without an event, ascending.
    end : float
        The last time of anybody.
    """

    times: NDArray[np.float64]
    surviving: NDArray[np.float64]
    censored: NDArray[np.float64]
    end: float

    def at(self, moments: ArrayLike) -> NDArray[np.float64]:
        """Return the estimated share without an event at these times.

        Examples
        --------
        >>> kaplan_meier([2, 4, 5], [1, 0, 1]).at([1, 4.5]).round(3).tolist()
        [1.0, 0.667]
        """
        place = np.searchsorted(self.times, np.asarray(moments, dtype=float), side="right") - 1
        return np.asarray(self.surviving[np.maximum(place, 0)])


def kaplan_meier(time: ArrayLike, event: ArrayLike) -> SurvivalCurve:
    """Return the Kaplan-Meier estimate of survival.

    Parameters
    ----------
    time : array_like of shape (N,)
        Time to the event or the end of follow-up, from 0.
    event : array_like of shape (N,)
        1 or True at an event, 0 or False where follow-up ended without one.

    Returns
    -------
    SurvivalCurve
        The estimate.

    Raises
    ------
    InputError
        If the two differ in length, a value is not finite, or a time is negative.

    References
    ----------
    Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. Journal of the
    American Statistical Association 53 (1958) 457-481.

    Examples
    --------
    >>> curve = kaplan_meier([2, 4, 5, 5], [1, 0, 1, 0])
    >>> curve.times.tolist(), curve.surviving.tolist()
    ([0.0, 2.0, 5.0], [1.0, 0.75, 0.375])
    """
    require("statsmodels", "to estimate survival curves")
    from statsmodels.duration.survfunc import SurvfuncRight

    times = finite_vector(time, "time")
    if times.min() < 0:
        msg = f"Expected `time` to hold no negative times, found {times.min()}."
        raise InputError(msg)
    happened = zeros_and_ones(event, "event", len(times))
    moments, shares = np.zeros(0), np.zeros(0)
    if happened.any():
        fitted = SurvfuncRight(times, happened.astype(int))
        moments, shares = fitted.surv_times, fitted.surv_prob
    return SurvivalCurve(
        np.concatenate([[0.0], moments]),
        np.concatenate([[1.0], shares]),
        np.sort(times[~happened]),
        float(times.max()),
    )
