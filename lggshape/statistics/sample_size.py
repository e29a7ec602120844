"""How many patients a prediction model needs."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import logit, xlogy
from scipy.stats import norm

from lggshape.errors import InputError


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


def cox_snell_from_auc(auc: float, prevalence: float) -> float:
    """Return the Cox-Snell R squared that corresponds to an AUC.

    It assumes, as Riley et al. do, linear predictors that are normal in those with and without the
    outcome, with the same variance. They simulate a large sample; here is the integral that it
    tends to.

    Parameters
    ----------
    auc : float
        Area under the ROC curve, from 0.5 to below 1.
    prevalence : float
        Prevalence of the outcome, between 0 and 1.

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
        Prevalence of the outcome, between 0 and 1.
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


def _null(prevalence: float) -> float:
    """Return the mean log-likelihood of predicting the prevalence for all."""
    return float(xlogy(prevalence, prevalence) + xlogy(1 - prevalence, 1 - prevalence))


def _between(value: float, name: str, low: float, high: float) -> None:
    if not low < value < high:
        msg = f"Expected `{name}` to be above {low:.4g} and below {high:.4g}, found {value}."
        raise InputError(msg)
