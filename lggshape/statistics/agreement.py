"""How well measurements of the same things agree, and how far their ranks go together.

Of fewer than three things nothing is estimated: all but their number is NaN. Where the measurements
agree perfectly, an interval would have no width however few they are: its ends are NaN. That of
ranks in perfect order comes from disjoint pairs.
"""

import math
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f, nct, norm, rankdata, spearmanr, t

from lggshape.errors import InputError
from lggshape.statistics._validators import confidence_level, finite_vector, same_length
from lggshape.statistics.contingency import Effect
from lggshape.statistics.discrimination import paired_off

_UNDEFINED = Effect(math.nan, math.nan, math.nan)

# Beyond this a coefficient is 1 but for rounding.
_PERFECT = 1 - 1e-12

# Up to this many things the p-value of a rank correlation counts all orders: 40 320 of them.
_EXACT = 8


class LimitsOfAgreement(NamedTuple):
    """Limits of agreement of Bland and Altman, in the unit of the measurements.

    Attributes
    ----------
    n : int
        Number of things measured.
    bias : Effect
        Mean of measured minus reference.
    lower, upper : Effect
        Limits between which 95 % of the differences lie.
    standard_deviation : float
        Standard deviation of the differences.
    """

    n: int
    bias: Effect
    lower: Effect
    upper: Effect
    standard_deviation: float


class RankCorrelation(NamedTuple):
    """A rank correlation; NaN where one of the two does not vary.

    Attributes
    ----------
    estimate : float
        Spearman's rho.
    low, high : float
        Confidence interval for rho in the population.
    p : float
        Two-sided p-value of no association.
    """

    estimate: float
    low: float
    high: float
    p: float


def intraclass_correlation(values: ArrayLike, *, level: float = 0.95) -> Effect:
    """Return the intraclass correlation of single measurements, for absolute agreement.

    It is ICC(A,1) of McGraw and Wong, which Shrout and Fleiss call ICC(2,1): two-way, each thing
    measured once by each measurer, a shift between measurers counted as disagreement. The interval
    is theirs, by Satterthwaite's approximation. Its degrees of freedom take an estimate below 0
    for 0, since a negative one leaves next to none.

    Parameters
    ----------
    values : array_like of shape (N, K)
        A row a thing, a column a measurer; finite, at least two columns.
    level : float, optional
        Confidence level.

    Returns
    -------
    Effect
        The correlation and its interval; NaN of fewer than three things, or where all rows are
        the same. Of perfect agreement the ends are NaN.

    Raises
    ------
    InputError
        If the values are not a table of finite numbers with two columns or more, or the level is
        not in (0, 1).

    References
    ----------
    McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients.
    Psychological Methods 1 (1996) 30-46, tables 4 and 7; correction on page 390.
    Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater reliability.
    Psychological Bulletin 86 (1979) 420-428.

    Examples
    --------
    >>> effect = intraclass_correlation([[9, 8], [6, 7], [8, 8], [7, 6], [10, 10]])
    >>> round(effect.estimate, 3), round(effect.low, 3), round(effect.high, 3)
    (0.87, 0.22, 0.986)
    """
    level = confidence_level(level)
    table = _table(values)
    n, k = table.shape
    if n < 3 or not np.ptp(table, axis=0).any():
        return _UNDEFINED
    table = table - table.mean()
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    # The mean squares of rows, columns and error.
    msr = k * float(rows @ rows) / (n - 1)
    msc = n * float(columns @ columns) / (k - 1)
    mse = float(np.sum((table - rows[:, None] - columns) ** 2)) / ((n - 1) * (k - 1))
    estimate = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
    if estimate > _PERFECT:
        return Effect(estimate, math.nan, math.nan)
    # a and b of McGraw and Wong, times n (1 - estimate).
    share = max(estimate, 0.0)
    a, b = k * share * msc, (n * (1 + (k - 1) * share) - k * share) * mse
    freedom = (a + b) ** 2 / (a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1)))
    tail = (1 - level) / 2
    below, above = float(f.isf(tail, n - 1, freedom)), float(f.isf(tail, freedom, n - 1))
    rest = k * msc + (k * n - k - n) * mse
    low = n * (msr - below * mse) / (below * rest + n * msr)
    high = n * (above * msr - mse) / (rest + n * above * msr)
    return Effect(estimate, low, high)


def concordance(measured: ArrayLike, reference: ArrayLike, *, level: float = 0.95) -> Effect:
    """Return Lin's concordance correlation coefficient, with a confidence interval.

    It falls short of Pearson's correlation where the two differ in mean or in spread. Moments
    divide by N, as Lin's do. The interval is symmetric on Fisher's z scale, with the variance of
    the erratum.

    Parameters
    ----------
    measured, reference : array_like of shape (N,)
        Finite numbers, in the same unit.
    level : float, optional
        Confidence level.

    Returns
    -------
    Effect
        The coefficient and its interval; NaN of fewer than three things, or where one of the two
        does not vary. The ends are NaN of a coefficient of 1 or -1, and where the two have the
        same mean and differ by a factor alone.

    Raises
    ------
    InputError
        If the two differ in length, hold values that are not finite, or the level is not in (0, 1).

    References
    ----------
    Lin LI. A concordance correlation coefficient to evaluate reproducibility. Biometrics 45 (1989)
    255-268.
    Lin LI. A note on the concordance correlation coefficient. Biometrics 56 (2000) 324-325.

    Examples
    --------
    >>> effect = concordance([1, 2, 3, 4, 6], [1, 3, 3, 5, 6])
    >>> round(effect.estimate, 3), round(effect.low, 3), round(effect.high, 3)
    (0.935, 0.558, 0.992)
    """
    level = confidence_level(level)
    one, other = same_length(measured=measured, reference=reference)
    n = len(one)
    if n < 3 or not np.ptp(one) or not np.ptp(other):
        return _UNDEFINED
    (one_variance, covariance), (_, other_variance) = np.cov(one, other, ddof=0)
    spread = math.sqrt(one_variance * other_variance)
    # The squared shift of the means, in units of the spread; and Lin's bias correction C_b.
    shift = float(one.mean() - other.mean()) ** 2 / spread
    accuracy = 2 / ((one_variance + other_variance) / spread + shift)
    correlation = covariance / spread
    estimate = float(correlation * accuracy)
    if abs(estimate) > _PERFECT:
        return Effect(estimate, math.nan, math.nan)
    # Where Lin divides the estimate by the correlation this has the quotient, which is `accuracy`.
    variance = (
        accuracy**2 * (1 - correlation**2) / (1 - estimate**2)
        + 2 * accuracy * estimate**2 * (1 - estimate) * shift / (1 - estimate**2) ** 2
        - (accuracy * estimate * shift) ** 2 / (2 * (1 - estimate**2) ** 2)
    ) / (n - 2)
    # A perfect correlation about the same mean leaves a trace of variance, or less than none.
    return fisher_interval(estimate, math.sqrt(variance) if variance > 1e-15 else math.nan, level)


def limits_of_agreement(
    measured: ArrayLike, reference: ArrayLike, *, level: float = 0.95
) -> LimitsOfAgreement:
    """Return the limits between which 95 % of the differences lie, each with an interval.

    The limits are the mean difference, the bias, less and plus 1.96 standard deviations. The
    differences are taken to be normal. Then the interval of the bias, by Student's t, and those of
    the limits, by the noncentral t, are exact; Bland and Altman approximate the latter.

    Parameters
    ----------
    measured, reference : array_like of shape (N,)
        Finite numbers, in the same unit.
    level : float, optional
        Confidence level of the intervals; the limits are those of 95 % of the differences always.

    Returns
    -------
    LimitsOfAgreement
        Bias and limits; NaN of fewer than three things. If all differences are equal the ends of
        the intervals are NaN.

    Raises
    ------
    InputError
        If the two differ in length, hold values that are not finite, or the level is not in (0, 1).

    References
    ----------
    Bland JM, Altman DG. Measuring agreement in method comparison studies. Statistical Methods in
    Medical Research 8 (1999) 135-160.
    Carkeet A. Exact parametric confidence intervals for Bland-Altman limits of agreement.
    Optometry and Vision Science 92 (2015) e71-e80.

    Examples
    --------
    >>> limits = limits_of_agreement([4, 7, 9, 12], [5, 6, 9, 10])
    >>> limits.bias.estimate, round(limits.lower.estimate, 2), round(limits.upper.estimate, 2)
    (0.5, -2.03, 3.03)
    """
    level = confidence_level(level)
    one, other = same_length(measured=measured, reference=reference)
    n = len(one)
    if n < 3:
        return LimitsOfAgreement(n, _UNDEFINED, _UNDEFINED, _UNDEFINED, math.nan)
    differences = one - other
    bias, deviation = float(differences.mean()), float(differences.std(ddof=1))
    error = deviation / math.sqrt(n)
    # Equal differences have a standard deviation of nothing but rounding.
    if deviation < 1e-12 * max(np.abs(one).max(), np.abs(other).max()) or not deviation:
        deviation, error = 0.0, math.nan
    z, tails = float(norm.ppf(0.975)), [(1 - level) / 2, (1 + level) / 2]
    inner, outer = error * nct.ppf(tails, n - 1, z * math.sqrt(n))
    reach = error * float(t.ppf(tails[1], n - 1))
    return LimitsOfAgreement(
        n,
        bias=Effect(bias, bias - reach, bias + reach),
        lower=Effect(bias - z * deviation, float(bias - outer), float(bias - inner)),
        upper=Effect(bias + z * deviation, float(bias + inner), float(bias + outer)),
        standard_deviation=deviation,
    )


def rank_correlation(
    first: ArrayLike, second: ArrayLike, *, level: float = 0.95
) -> RankCorrelation:
    """Return Spearman's rank correlation, with a confidence interval and a p-value.

    The interval is symmetric on Fisher's z scale, with the variance of Bonett and Wright,
    (1 + rho^2 / 2) / (N - 3); with three things it has no ends (NaN). It is too short where the
    correlation in the population is above .95. Of a rho of 1 or -1, which has no such interval,
    N / 2 disjoint pairs are in order: one end is rho, and the other is the limit of Clopper and
    Pearson for the share of such pairs, as the rho of a normal population with that share (by
    Kruskal's formulas of Kendall's tau and of rho). The p-value counts all orders of up to eight
    things, twice the smaller tail, and is that of Student's t beyond.

    Parameters
    ----------
    first, second : array_like of shape (N,)
        Finite numbers; ties have their mean rank.
    level : float, optional
        Confidence level.

    Returns
    -------
    RankCorrelation
        Rho, its interval and its p-value; NaN of fewer than three things, or where one of the two
        does not vary.

    Raises
    ------
    InputError
        If the two differ in length, hold values that are not finite, or the level is not in (0, 1).

    References
    ----------
    Bonett DG, Wright TA. Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations. Psychometrika 65 (2000) 23-28.
    Kruskal WH. Ordinal measures of association. J Am Stat Assoc 53 (1958) 814-861.

    Examples
    --------
    >>> correlation = rank_correlation([1, 2, 3, 4, 5, 6], [1, 3, 2, 5, 4, 6])
    >>> round(correlation.estimate, 4), round(correlation.p, 4)
    (0.8857, 0.0333)
    """
    level = confidence_level(level)
    one, other = same_length(first=first, second=second)
    n = len(one)
    if n < 3 or not np.ptp(one) or not np.ptp(other):
        return RankCorrelation(*_UNDEFINED, math.nan)
    estimate, p = map(float, spearmanr(one, other))
    if n <= _EXACT:
        p = _exact_p(rankdata(one), rankdata(other))
    if n > 3 and abs(estimate) > _PERFECT:
        return RankCorrelation(*_in_order(estimate, n, level), p)
    error = math.sqrt((1 + estimate**2 / 2) / (n - 3)) if n > 3 else math.nan
    return RankCorrelation(*fisher_interval(estimate, error, level), p)


def _in_order(estimate: float, n: int, level: float) -> Effect:
    """Return a rho of 1 or -1 with the interval from disjoint pairs."""
    share, _ = paired_off(1.0, n // 2, (1 - level) / 2)
    tau = 2 * share - 1
    least = 6 / math.pi * math.asin(math.sin(math.pi * tau / 2) / 2)
    ends = (least, 1.0) if estimate > 0 else (-1.0, -least)
    return Effect(estimate, *ends)


def _table(values: ArrayLike) -> NDArray[np.float64]:
    """Return values as finite numbers in rows and two columns or more."""
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"Expected `values` to be a table of numbers, found: {error}."
        raise InputError(msg) from error
    if table.ndim != 2 or table.shape[1] < 2:
        msg = f"Expected `values` to have two columns or more, found shape {table.shape}."
        raise InputError(msg)
    return finite_vector(table.ravel(), "values").reshape(table.shape)


def fisher_interval(estimate: float, error: float, level: float) -> Effect:
    """Return a correlation with the interval that is symmetric on Fisher's z scale."""
    if abs(estimate) > _PERFECT:
        return Effect(estimate, math.nan, math.nan)
    z, reach = math.atanh(estimate), float(norm.ppf((1 + level) / 2)) * error
    return Effect(estimate, math.tanh(z - reach), math.tanh(z + reach))


def _exact_p(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the two-sided p-value among all orders of the ranks."""
    # Ranks are halves, so these sums of products have no rounding error.
    sums = np.array(list(permutations(other))) @ one
    observed = one @ other
    tail = min(float(np.mean(sums >= observed)), float(np.mean(sums <= observed)))
    return min(1.0, 2 * tail)
