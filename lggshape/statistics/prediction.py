"""Predictions of a binary outcome: made out of fold, judged, and how many patients they need."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit, xlogy
from scipy.stats import norm
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, finite_vector

# scikit-learn's C, the inverse of the penalty on standardised covariates. Of a hundred patients the
# first leaves hardly more than the prevalence, the last hardly shrinks.
_GRID = 10.0 ** np.arange(-3, 3)
_INNER_FOLDS = 5


class OutOfFold(NamedTuple):
    """Predictions by models that did not see the row.

    Attributes
    ----------
    probability : ndarray of shape (N,)
        Of the outcome being 1; NaN in the folds for which no model could be fitted.
    unpredicted : int
        How many are NaN.
    """

    probability: NDArray[np.float64]
    unpredicted: int


class Calibration(NamedTuple):
    """How well predicted probabilities agree with the outcome.

    Attributes
    ----------
    slope, slope_low, slope_high : float
        Of the outcome's log odds on the predicted ones, with its confidence interval: 1 is ideal,
        below 1 the predictions are too extreme. NaN where the probabilities are all equal or
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
    """Net benefit, in true positives a patient.

    Attributes
    ----------
    model : ndarray of shape (T,)
        Of treating those whose probability reaches the threshold.
    treat_all, treat_none : ndarray of shape (T,)
        Of treating everyone, and no one (0).
    """

    model: NDArray[np.float64]
    treat_all: NDArray[np.float64]
    treat_none: NDArray[np.float64]


class SampleSize(NamedTuple):
    """The least number of patients for a prediction model, by criterion.

    Attributes
    ----------
    shrinkage : int
        For an expected uniform shrinkage factor as asked.
    optimism : int
        For an expected optimism of at most 0.05 in Nagelkerke's R squared.
    risk : int
        For an overall risk that is known to within 0.05 with 95 % confidence.
    required : int
        The largest of the three.
    """

    shrinkage: int
    optimism: int
    risk: int
    required: int


def stratified_folds(outcome: ArrayLike, count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Deal rows into random folds that have about the same share of positives.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1; each row a patient.
    count : int
        Number of folds, from 2 to the number of rows with the rarer outcome.
    seed : int, optional
        Of the random order.

    Returns
    -------
    ndarray of shape (N,)
        The fold of each row, from 0.

    Raises
    ------
    InputError
        If the outcome is not binary, or the number of folds is out of range.

    Examples
    --------
    >>> folds = stratified_folds([0, 0, 0, 0, 1, 1], 2)
    >>> np.bincount(folds).tolist(), np.bincount(folds, [0, 0, 0, 0, 1, 1]).tolist()
    ([3, 3], [1.0, 1.0])
    """
    y = _binary(outcome)
    rarer = int(np.bincount(y).min())
    if not 2 <= count <= rarer:
        msg = f"Expected `count` to be from 2 to the {rarer} of the rarer outcome, found {count}."
        raise InputError(msg)
    folds = np.empty(len(y), dtype=np.int64)
    splits = StratifiedKFold(count, shuffle=True, random_state=seed).split(y, y)
    for fold, (_, held_out) in enumerate(splits):
        folds[held_out] = fold
    return folds


def cross_validated(
    outcome: ArrayLike, covariates: ArrayLike, folds: ArrayLike, *, seed: int = 0
) -> OutOfFold:
    """Predict each row by a ridge logistic regression that is fitted to the other folds.

    Everything is learnt from the training part alone [1]_: the means and standard deviations of
    the covariates, and the penalty. This is the best of six (C from 0.001 to 100) by the log-loss
    in an inner cross-validation, the largest in case of a tie. There are five inner folds,
    stratified, or as many as the training part has rows with the rarer outcome. Where it has fewer
    than two, the held-out fold cannot be predicted.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1; each row a patient.
    covariates : array_like of shape (N, P)
        Finite numbers. They are not imputed: leave out rows that lack one, or impute beforehand.
    folds : array_like of int, shape (N,)
        The part in which each row is held out: random folds, or a number for each institution.
    seed : int, optional
        Of the inner folds.

    Returns
    -------
    OutOfFold
        The probabilities, and how many are missing.

    Raises
    ------
    InputError
        If the outcome is not binary, a covariate is missing, there are fewer than two folds, or the
        arguments differ in length.

    Notes
    -----
    Predictions of several folds come from models with different intercepts. Without any effect
    they are little but the training part's prevalence, which is lower where the held-out part has
    more positives. Their pooled AUC then lies below 0.5 [2]_: about 0.35 with ten random folds of a
    hundred patients, 0.45 if these are stratified, and 0.4 if four institutions are left out.

    References
    ----------
    .. [1] Varma S, Simon R. Bias in error estimation when using cross-validation for model
       selection. BMC Bioinformatics 7 (2006) 91.
    .. [2] Parker BJ, Günter S, Bedo J. Stratification bias in low signal microarray studies. BMC
       Bioinformatics 8 (2007) 326.

    Examples
    --------
    >>> outcome = np.tile([0, 1], 20)
    >>> predicted = cross_validated(outcome, outcome[:, None], stratified_folds(outcome, 4))
    >>> predicted.probability[:2].round(2).tolist(), predicted.unpredicted
    ([0.0, 1.0], 0)
    """
    y = _binary(outcome)
    X = finite_columns(covariates, "covariates", len(y))
    labels = np.asarray(folds)
    if labels.shape != y.shape or labels.dtype.kind not in "iu":
        msg = (
            f"Expected `folds` to be {len(y)} integers, "
            f"found shape {labels.shape} of type {labels.dtype}."
        )
        raise InputError(msg)
    names = np.unique(labels)
    if len(names) < 2:
        msg = f"Expected `folds` to name at least two folds, found {names.tolist()}."
        raise InputError(msg)
    probability = np.full(len(y), np.nan)
    for name in names:
        held_out = labels == name
        rarer = int(np.bincount(y[~held_out], minlength=2).min())
        if rarer < 2:
            continue
        model = make_pipeline(
            StandardScaler(),
            LogisticRegressionCV(
                Cs=_GRID,
                l1_ratios=(0,),
                cv=StratifiedKFold(min(_INNER_FOLDS, rarer), shuffle=True, random_state=seed),
                scoring=_log_likelihood,
                solver="newton-cholesky",
                tol=1e-6,
                use_legacy_attributes=False,
            ),
        ).fit(X[~held_out], y[~held_out])
        probability[held_out] = model.predict_proba(X[held_out])[:, 1]
    return OutOfFold(probability, int(np.isnan(probability).sum()))


def calibration(outcome: ArrayLike, probability: ArrayLike, *, level: float = 0.95) -> Calibration:
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
    Calibration
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
    return Calibration(
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


def cox_snell(outcome: ArrayLike, probability: ArrayLike) -> float:
    """Return Cox and Snell's R squared of predicted probabilities.

    It is 1 - exp(-2 G / N), with G the gain in log-likelihood over predicting the prevalence for
    all. Of predictions for rows that the model did not see it may be negative: then they are worse
    than that.

    Parameters
    ----------
    outcome : array_like of shape (N,)
        0 or 1.
    probability : array_like of shape (N,)
        Predicted for outcome 1, above 0 and below 1.

    Returns
    -------
    float
        At most 0.75, and less if the prevalence is not one half.

    Raises
    ------
    InputError
        If the outcome is not binary or has one value only, a probability is not between 0 and 1, or
        the arguments differ in length.

    References
    ----------
    Cox DR, Snell EJ. Analysis of binary data. 2nd edition. Chapman and Hall (1989), section 5.5.

    Examples
    --------
    >>> round(cox_snell([0, 1, 0, 1], [0.1, 0.8, 0.6, 0.4]), 3)
    0.263
    """
    y, p = _predicted(outcome, probability)
    gain = float(np.mean(np.where(y == 1, np.log(p), np.log1p(-p)))) - _null(float(y.mean()))
    return -math.expm1(-2 * gain)


def cox_snell_from_auc(auc: float, prevalence: float) -> float:
    """Return the Cox-Snell R squared that goes with an AUC.

    It assumes, as Riley et al. do, linear predictors that are normal in those with and without the
    outcome, with the same variance. They simulate a large sample; here is the integral that it
    tends to.

    Parameters
    ----------
    auc : float
        Area under the ROC curve, from 0.5 to below 1.
    prevalence : float
        Of the outcome, between 0 and 1.

    Returns
    -------
    float
        R squared, for `required_sample_size`.

    Raises
    ------
    InputError
        If the AUC or the prevalence is out of range.

    References
    ----------
    Riley RD, Van Calster B, Collins GS. A note on estimating the Cox-Snell R2 from a reported C
    statistic (AUROC) to inform sample size calculations for developing a prediction model with a
    binary outcome. Stat Med 40 (2021) 859-864.

    Examples
    --------
    >>> round(cox_snell_from_auc(0.89, 0.174), 3)
    0.291
    """
    if not 0.5 <= auc < 1:
        msg = f"Expected `auc` to be from 0.5 to below 1, found {auc}."
        raise InputError(msg)
    _between(prevalence, "prevalence", 0, 1)
    distance = math.sqrt(2) * float(norm.ppf(auc))
    # The trapezoidal rule on an analytic function that vanishes at both ends.
    x, step = np.linspace(-10, distance + 10, 5001, retstep=True)
    log_odds = logit(prevalence) + distance * (x - distance / 2)
    ones, zeros = norm.pdf(x, distance), norm.pdf(x)
    expected = -step * np.sum(
        prevalence * ones * np.logaddexp(0, -log_odds)
        + (1 - prevalence) * zeros * np.logaddexp(0, log_odds)
    )
    return -math.expm1(-2 * (float(expected) - _null(prevalence)))


def required_sample_size(
    *, prevalence: float, cox_snell_r2: float, parameters: int, shrinkage: float = 0.9
) -> SampleSize:
    """Return how many patients the development of a model for a binary outcome needs.

    These are the closed-form criteria of Riley et al. A fourth that they mention, for the mean
    absolute error of the predicted risks, rests on simulations and is left out.

    Parameters
    ----------
    prevalence : float
        Of the outcome, between 0 and 1.
    cox_snell_r2 : float
        Cox-Snell R squared that the model is expected to have in new patients: above 0 and below
        its maximum at this prevalence.
    parameters : int
        Number of candidate parameters, the intercept not counted: all that is considered, not only
        what ends up in the model.
    shrinkage : float, optional
        The expected shrinkage factor, above the R squared and below 1.

    Returns
    -------
    SampleSize
        The number by each criterion, and the largest.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Riley RD, Snell KIE, Ensor J, et al. Minimum sample size for developing a multivariable
    prediction model: part II - binary and time-to-event outcomes. Stat Med 38 (2019) 1276-1296.
    Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for developing a
    clinical prediction model. BMJ 368 (2020) m441.

    Examples
    --------
    >>> required_sample_size(prevalence=0.174, cox_snell_r2=0.288, parameters=24)
    SampleSize(shrinkage=623, optimism=662, risk=221, required=662)
    """
    _between(prevalence, "prevalence", 0, 1)
    largest = -math.expm1(2 * _null(prevalence))
    _between(cox_snell_r2, "cox_snell_r2", 0, largest)
    _between(shrinkage, "shrinkage", cox_snell_r2, 1)
    if parameters < 1:
        msg = f"Expected `parameters` to be at least 1, found {parameters}."
        raise InputError(msg)

    def patients(factor: float) -> int:
        return math.ceil(parameters / ((factor - 1) * math.log1p(-cox_snell_r2 / factor)))

    sizes = (
        patients(shrinkage),
        patients(cox_snell_r2 / (cox_snell_r2 + 0.05 * largest)),
        math.ceil((1.96 / 0.05) ** 2 * prevalence * (1 - prevalence)),
    )
    return SampleSize(*sizes, max(sizes))


def _log_likelihood(
    model: LogisticRegressionCV, X: NDArray[np.float64], y: NDArray[np.int64]
) -> float:
    """Score a model by its mean log-likelihood; scikit-learn's own takes ten times as long."""
    return float(-np.logaddexp(0, (1 - 2 * y) * model.decision_function(X)).mean())


def _null(prevalence: float) -> float:
    """Return the mean log-likelihood of predicting the prevalence for all."""
    return float(xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence))


def _between(value: float, name: str, low: float, high: float) -> None:
    if not low < value < high:
        msg = f"Expected `{name}` to be above {low:.4g} and below {high:.4g}, found {value}."
        raise InputError(msg)


def _binary(outcome: ArrayLike) -> NDArray[np.int64]:
    """Return an outcome of zeros and ones, both there."""
    values = zeros_and_ones(outcome, "outcome", np.size(outcome))
    if values.all() or not values.any():
        msg = f"Expected `outcome` to hold 0 and 1, found {[int(values[0])]}."
        raise InputError(msg)
    return values.astype(np.int64)


def _predicted(
    outcome: ArrayLike, probability: ArrayLike, *, certain: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return an outcome and its probabilities, which may be 0 or 1 only if they may be certain."""
    y, p = _binary(outcome), finite_vector(probability, "probability")
    if p.shape != y.shape:
        msg = f"Expected `probability` to have shape {y.shape} as `outcome`, found {p.shape}."
        raise InputError(msg)
    if p.min() < 0 or p.max() > 1 or not (certain or 0 < p.min() <= p.max() < 1):
        expected = "from 0 to 1" if certain else "above 0 and below 1"
        msg = f"Expected `probability` to be {expected}, found {p.min()} to {p.max()}."
        raise InputError(msg)
    return y, p
