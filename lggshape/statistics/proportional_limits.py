"""Limits of agreement where differences grow with what is measured."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from lggshape.checks import check_whole_number
from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, finite_vector, same_length
from lggshape.statistics.agreement_draws import resamples, with_interval
from lggshape.statistics.contingency import Effect

_Floats = NDArray[np.float64]

_HALF_NORMAL = math.sqrt(math.pi / 2)
"""Standard deviation of a normal variable by the mean of its absolute value."""


class LimitsAt(NamedTuple):
    """Limits of agreement where the mean of the two measurements has some value.

    Attributes
    ----------
    mean : float
        The mean of the two measurements.
    bias : Effect
        Mean of measured minus reference there.
    lower, upper : Effect
        Limits between which 95 % of the differences lie there.
    """

    mean: float
    bias: Effect
    lower: Effect
    upper: Effect


def proportional_limits(
    measured: ArrayLike,
    reference: ArrayLike,
    at: ArrayLike,
    *,
    replicates: int = 9999,
    level: float = 0.95,
    seed: int = 0,
) -> list[LimitsAt]:
    """Return limits of agreement that are straight lines of the mean of the two measurements.

    The bias is the linear regression of the differences on the means. The standard deviation is
    that of the absolute residuals on the means, times the square root of pi / 2, and not below 0.
    The limits are the bias less and plus 1.96 standard deviations. The intervals are percentiles of
    bootstrap samples, at the same means.

    Parameters
    ----------
    measured, reference : array_like of shape (N,)
        Finite numbers, in the same unit; at least three.
    at : array_like of shape (K,)
        The means at which the limits are wanted.
    replicates : int, optional
        Number of bootstrap samples.
    level : float, optional
        Confidence level of the intervals; the limits are those of 95 % of the differences always.
    seed : int, optional
        Seed of the samples.

    Returns
    -------
    list of LimitsAt
        One for each of `at`; NaN if all means are equal.

    Raises
    ------
    InputError
        If the two differ in length, are fewer than three or hold values that are not finite,
        `replicates` is less than 1, or the level is not in (0, 1).

    References
    ----------
    Bland JM, Altman DG. Measuring agreement in method comparison studies. Statistical Methods in
    Medical Research 8 (1999) 135-160, section 3.2.

    Examples
    --------
    >>> reference = [1.0, 2, 3, 4, 5, 6, 7, 8]
    >>> measured = [1.1, 1.8, 3.3, 3.6, 5.5, 5.4, 7.7, 7.2]  # a tenth more or less
    >>> for found in proportional_limits(measured, reference, [2, 6]):
    ...     print(found.mean, round(found.lower.estimate, 1), round(found.upper.estimate, 1))
    2.0 -0.5 0.5
    6.0 -1.5 1.4
    """
    level = confidence_level(level)
    check_whole_number(replicates, "`replicates`", least=1)
    one, other = same_length(measured=measured, reference=reference)
    places = finite_vector(at, "at")
    if len(one) < 3:
        msg = f"Expected at least 3 pairs of measurements, found {len(one)}."
        raise InputError(msg)
    rows = resamples(len(one), number=replicates, seed=seed)
    difference, mean = one - other, (one + other) / 2
    estimates = _lines(difference, mean, places)
    draws = _lines(difference[rows], mean[rows], places)
    return [
        LimitsAt(
            float(place),
            *(
                with_interval(estimate[k], drawn[k], level=level)
                for estimate, drawn in zip(estimates, draws, strict=True)
            ),
        )
        for k, place in enumerate(places)
    ]


def _lines(difference: _Floats, mean: _Floats, places: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return bias, lower and upper limit, each of shape (K, ...), of differences (..., N)."""
    residuals, bias = _regression(difference, mean, places)
    _, absolute = _regression(np.abs(residuals), mean, places)
    reach = norm.ppf(0.975) * _HALF_NORMAL * np.maximum(absolute, 0)
    return bias, bias - reach, bias + reach


def _regression(values: _Floats, on: _Floats, places: _Floats) -> tuple[_Floats, _Floats]:
    """Return what a straight line leaves of the values, and the line at some places."""
    centre, height = on.mean(axis=-1, keepdims=True), values.mean(axis=-1, keepdims=True)
    centred = on - centre
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.sum(centred * values, axis=-1, keepdims=True) / np.sum(
            centred**2, axis=-1, keepdims=True
        )
    line = np.moveaxis(height + slope * (places - centre), -1, 0)
    return values - height - slope * centred, line
