"""How good predicted probabilities of a binary outcome are: calibration, and net benefit."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from lggshape.errors import InputError
from lggshape.statistics._validators import binary_outcome, confidence_level, finite_vector


class ObservedCalibration(NamedTuple):
    """How well predicted probabilities agree with the outcome.

    Attributes
    ----------
    slope, slope_low, slope_high : float
        Slope of the outcome's log odds on the predicted ones, with its confidence interval: 1 is
        ideal, below 1 the predictions are too extreme. NaN where the probabilities are all equal or
        separate the outcomes completely.
    intercept, intercept_low, intercept_high : float
        Calibration in the large: the intercept at a slope of 1, with its confidence interval. 0 is
        ideal, above 0 the predictions are too low.
    brier : float
        Mean squared difference of probability and outcome, from 0.
    scaled_brier : float
        1 - Brier score / that of predicting the prevalence for all: 1 is perfect, 0 or less no
        better than that.
    """

    slope: float
    slope_low: float
    slope_high: float
    intercept: float
    intercept_low: float
    intercept_high: float
    brier: float
    scaled_brier: float


class DecisionCurve(NamedTuple):
    """Net benefit, in true positives per patient.

    Attributes
    ----------
    model : ndarray of shape (T,)
        Net benefit of treating those whose probability reaches the threshold.
    treat_all, treat_none : ndarray of shape (T,)
        Net benefit of treating everyone, and no one (0).
    """

    model: NDArray[np.float64]
    treat_all: NDArray[np.float64]
    treat_none: NDArray[np.float64]


def calibration(
    outcome: ArrayLike, probability: ArrayLike, *, level: float = 0.95
) -> ObservedCalibration:
    """Return how well predicted probabilities agree with the outcome.

    Slope and intercept are those of logistic recalibration [1]_ [2]_ [3]_: a regression of the
    outcome on the log odds of the prediction, and one in which these are an offset. The intervals
    are Wald's.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1.
    probability : array_like of shape (N,)
        Predicted for outcome 1, above 0 and below 1, by a model that did not see the row.
    level : float, optional
        Confidence level.

    Returns
    -------
    ObservedCalibration
        Slope and intercept with their intervals, and the Brier scores [4]_.

    Raises
    ------
    InputError
        If the outcome is not binary or has one value only, a probability is not between 0 and 1,
        the arguments differ in length, or the level is not in (0, 1).

    References
    ----------
    .. [1] Cox DR. Two further applications of a model for binary regression. Biometrika 45 (1958)
       562-565.
    .. [2] Van Calster B, Nieboer D, Vergouwe Y, De Cock B, Pencina MJ, Steyerberg EW. A calibration
       hierarchy for risk models was defined: from utopia to empirical data. J Clin Epidemiol 74
       (2016) 167-176.
    .. [3] Van Calster B, McLernon DJ, van Smeden M, Wynants L, Steyerberg EW. Calibration: the
       Achilles heel of predictive analytics. BMC Medicine 17 (2019) 230.
    .. [4] Steyerberg EW, Vickers AJ, Cook NR, et al. Assessing the performance of prediction
       models: a framework for traditional and novel measures. Epidemiology 21 (2010) 128-138.

    Examples
    --------
    >>> result = calibration([0, 1, 0, 1, 1, 0], [0.2, 0.4, 0.5, 0.7, 0.9, 0.1])
    >>> round(result.slope, 3), round(result.intercept, 3), round(result.brier, 3)
    (2.085, 0.191, 0.127)
    """
    level = confidence_level(level)
    y, p = _predicted(outcome, probability)
    log_odds = logit(p)
    # The score falls from above 0 to below; least squares can diverge with offsets far from 0.
    middle = float(logit(y.mean())) - log_odds
    intercept = float(
        brentq(lambda a: np.sum(expit(a + log_odds) - y), middle.min() - 1, middle.max() + 1)
    )
    risk = expit(intercept + log_odds)
    reach = float(norm.isf((1 - level) / 2) / np.sqrt(np.sum(risk * (1 - risk))))
    slope = math.nan, math.nan, math.nan
    one, zero = p[y == 1], p[y == 0]
    # Without overlap the likelihood has no maximum.
    if one.min() < zero.max() and one.max() > zero.min():
        fitted = GLM(y, np.column_stack([np.ones(len(y)), log_odds]), family=Binomial()).fit()
        slope = float(fitted.params[1]), *fitted.conf_int(1 - level)[1].tolist()
    brier = float(np.mean((p - y) ** 2))
    return ObservedCalibration(
        *slope, intercept, intercept - reach, intercept + reach, brier, 1 - brier / float(y.var())
    )


def decision_curve(
    outcome: ArrayLike, probability: ArrayLike, thresholds: ArrayLike
) -> DecisionCurve:
    """Return the net benefit of treating by a model, of treating all, and of treating no one.

    It is the share of true positives less that of false positives, these weighted by the odds of
    the threshold: whoever treats at a probability of 0.2 takes four needless treatments for one
    that is needed.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1.
    probability : array_like of shape (N,)
        Predicted for outcome 1, from 0 to 1.
    thresholds : array_like of shape (T,)
        Probabilities from which on one would treat, from 0 to below 1.

    Returns
    -------
    DecisionCurve
        The three net benefits at each threshold.

    Raises
    ------
    InputError
        If the outcome is not binary or has one value only, a probability or threshold is out of
        range, or the arguments differ in length.

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models.
    Med Decis Making 26 (2006) 565-574.

    Examples
    --------
    >>> curve = decision_curve([0, 1, 0, 1], [0.1, 0.8, 0.6, 0.4], [0.2, 0.5])
    >>> curve.model.tolist(), curve.treat_all.tolist()
    ([0.4375, 0.0], [0.375, 0.0])
    """
    y, p = _predicted(outcome, probability, certain=True)
    t = finite_vector(thresholds, "thresholds")
    if np.any((t < 0) | (t >= 1)):
        msg = f"Expected `thresholds` to be from 0 to below 1, found {t.min()} to {t.max()}."
        raise InputError(msg)
    odds = t / (1 - t)
    treated = p >= t[:, None]
    model = (treated @ y - odds * (treated @ (1 - y))) / len(y)
    prevalence = y.mean()
    return DecisionCurve(model, prevalence - odds * (1 - prevalence), np.zeros(len(t)))


def net_benefit_interval(
    outcome: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    *,
    level: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return an interval of the median net benefit over repeated predictions of the same patients.

    Percentiles over bootstrap samples of patients, the predictions being given: the models are not
    fitted again, so the interval does not hold what another fit would have changed.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1.
    probabilities : array_like of shape (R, N)
        Predicted for outcome 1 in each repetition, NaN where nothing was predicted.
    thresholds : array_like of shape (T,)
        Probabilities from which on one would treat, from 0 to below 1.
    level : float
        Confidence level.
    replicates : int
        Number of bootstrap samples.
    seed : int
        Seed of the samples.

    Returns
    -------
    low, high : ndarray of shape (T,)
        The ends of the interval.

    Raises
    ------
    InputError
        If the outcome is not binary, or the arguments differ in length.

    Examples
    --------
    >>> certain = [[0.0, 1.0, 0.0, 1.0]]
    >>> low, high = net_benefit_interval([0, 1, 0, 1], certain, [0.5])
    >>> low.tolist(), high.tolist()
    ([0.0], [1.0])
    """
    y, p = binary_outcome(outcome), np.asarray(probabilities, dtype=float)
    t = finite_vector(thresholds, "thresholds")
    if p.ndim != 2 or p.shape[1:] != y.shape:
        msg = f"Expected `probabilities` to have shape (R, {len(y)}), found {p.shape}."
        raise InputError(msg)
    odds = (t / (1 - t))[:, None, None]
    gains = np.where(p >= t[:, None, None], y - odds * (1 - y), 0.0)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=replicates)
    predicted = weights @ np.isfinite(p).T  # how many of a sample have a prediction
    benefits = np.tensordot(weights, gains, axes=(1, 2)) / predicted[:, None]
    tails = (1 - level) / 2, (1 + level) / 2
    low, high = np.quantile(np.median(benefits, axis=2), tails, axis=0)
    return low, high


def _predicted(
    outcome: ArrayLike, probability: ArrayLike, *, certain: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return an outcome and its probabilities, which may be 0 or 1 only if they may be certain."""
    y, p = binary_outcome(outcome), finite_vector(probability, "probability")
    if p.shape != y.shape:
        msg = f"Expected `probability` to have shape {y.shape} as `outcome`, found {p.shape}."
        raise InputError(msg)
    if p.min() < 0 or p.max() > 1 or not (certain or 0 < p.min() <= p.max() < 1):
        expected = "from 0 to 1" if certain else "above 0 and below 1"
        msg = f"Expected `probability` to be {expected}, found {p.min()} to {p.max()}."
        raise InputError(msg)
    return y, p
