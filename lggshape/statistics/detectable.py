"""The smallest effects that tests of some size are likely to find, and how likely.

They are those of a design: of numbers of patients, not of what was found in them. All rest on
distributions for many patients, so that they are rough for a few. NaN means that not even the
largest possible effect would be found.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import chi2, ncx2, norm

from lggshape.errors import InputError


def detectable_v(
    n: int, rows: int, columns: int, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return the smallest Cramér's V that a test of n patients is likely to find.

    Parameters
    ----------
    n : int
        Number of patients.
    rows, columns : int
        Numbers of rows and of columns of the table, at least 2 each.
    alpha : float
        Level of the test.
    power : float
        Probability with which it finds an association of that V.

    Returns
    -------
    float
        V in the population, by the noncentral chi-squared distribution of Pearson's statistic; NaN
        if not even V = 1 would be found.

    Raises
    ------
    InputError
        If the table has fewer than two rows or columns, there is nobody, or `alpha` < `power` < 1
        does not hold.

    References
    ----------
    Cohen J. Statistical power analysis for the behavioral sciences. 2nd ed. Erlbaum (1988),
    chapter 7.

    Examples
    --------
    >>> round(detectable_v(92, 4, 4, alpha=0.005), 3)
    0.293
    """
    _check_power(alpha, power)
    _check_table(n, rows, columns)
    needed = _needed_noncentrality((rows - 1) * (columns - 1), alpha, power)
    most = n * (min(rows, columns) - 1)
    return math.sqrt(needed / most) if needed <= most else math.nan


def power_of_v(n: int, rows: int, columns: int, v: float, *, alpha: float = 0.05) -> float:
    """Return how likely a test of n patients is to find an association of a given Cramér's V.

    Parameters
    ----------
    n, rows, columns
        As for `detectable_v`, of which this is the inverse.
    v : float
        V in the population, from 0 to 1.
    alpha : float
        Level of the test: the bound that its p is to fall below.

    Returns
    -------
    float
        The probability, by the noncentral chi-squared distribution of Pearson's statistic.

    Raises
    ------
    InputError
        If the table has fewer than two rows or columns, there is nobody, V is not from 0 to 1, or
        `alpha` is not in (0, 1).

    Examples
    --------
    >>> round(power_of_v(92, 4, 4, detectable_v(92, 4, 4, alpha=0.005), alpha=0.005), 3)
    0.8
    """
    _check_table(n, rows, columns)
    if not (0 < alpha < 1 and 0 <= v <= 1):
        msg = f"Expected `alpha` between 0 and 1 and `v` from 0 to 1, found {alpha} and {v}."
        raise InputError(msg)
    freedom = (rows - 1) * (columns - 1)
    noncentrality = n * (min(rows, columns) - 1) * v**2
    return float(ncx2.sf(chi2.isf(alpha, freedom), freedom, noncentrality))


def detectable_epsilon_squared(
    sizes: ArrayLike, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return the smallest epsilon squared that the Kruskal-Wallis test is likely to find.

    Parameters
    ----------
    sizes : array_like of int, shape (K,)
        Number of patients in each of at least two groups.
    alpha, power : float
        As for `detectable_v`.

    Returns
    -------
    float
        The share of the variance of the ranks that lies between groups in the population, by the
        noncentral chi-squared distribution of H; NaN if not even groups that do not overlap would
        be found.

    Raises
    ------
    InputError
        If there are fewer than two groups, one is empty, or `alpha` < `power` < 1 does not hold.

    References
    ----------
    Cohen J. Statistical power analysis for the behavioral sciences. 2nd ed. Erlbaum (1988),
    chapter 8.

    Examples
    --------
    >>> round(detectable_epsilon_squared([30, 30, 30]), 3)
    0.108
    """
    _check_power(alpha, power)
    groups = _group_sizes(sizes)
    n = float(groups.sum())
    # The ranks of groups that do not overlap are consecutive within each.
    most = 1 - float((groups * (groups**2 - 1)).sum()) / (n * (n**2 - 1))
    found = _needed_noncentrality(len(groups) - 1, alpha, power) / (n - 1)
    return found if found <= most else math.nan


def detectable_somers_d(sizes: ArrayLike, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest Somers' d that the Jonckheere-Terpstra test is likely to find.

    As Noether proposes, the statistic is taken to spread as without a trend. With two levels it is
    his formula for the Mann-Whitney test.

    Parameters
    ----------
    sizes : array_like of int, shape (K,)
        Number of patients in each of at least two levels.
    alpha, power : float
        As for `detectable_v`; the test is two-sided.

    Returns
    -------
    float
        The absolute value of d in the population, for values without ties; NaN if not even levels
        that do not overlap would be found.

    Raises
    ------
    InputError
        If there are fewer than two levels, one is empty, or `alpha` < `power` < 1 does not hold.

    References
    ----------
    Noether GE. Sample size determination for some common nonparametric tests. Journal of the
    American Statistical Association 82 (1987) 645-647.

    Examples
    --------
    >>> round(detectable_somers_d([20, 20]), 3)
    0.518
    """
    _check_power(alpha, power)
    levels = _group_sizes(sizes)
    n = float(levels.sum())
    arrangements = gammaln(n + 1) - float(gammaln(levels + 1).sum())
    if math.log(2 / alpha) > arrangements:
        return math.nan
    pairs = (n**2 - float((levels**2).sum())) / 2
    variance = (n**2 * (2 * n + 3) - float((levels**2 * (2 * levels + 3)).sum())) / 72
    found = _distance(alpha, power) * 2 * math.sqrt(variance) / pairs
    return found if found <= 1 else math.nan


def detectable_rank_correlation(n: int, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest rank correlation that a test of n patients is likely to find.

    Parameters
    ----------
    n : int
        Number of patients.
    alpha, power : float
        As for `detectable_v`; the test is two-sided.

    Returns
    -------
    float
        The absolute value of Spearman's rho in the population, by Fisher's z with the variance of
        Bonett and Wright; NaN if not even a correlation of 1 would be found.

    Raises
    ------
    InputError
        If `alpha` < `power` < 1 does not hold.

    References
    ----------
    Bonett DG, Wright TA. Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations. Psychometrika 65 (2000) 23-28.

    Examples
    --------
    >>> round(detectable_rank_correlation(30), 3)
    0.5
    """
    _check_power(alpha, power)
    if n < 4 or math.log(2 / alpha) > gammaln(n + 1):
        return math.nan
    critical, beyond = float(norm.isf(alpha / 2)), float(norm.ppf(power))

    def excess(z: float) -> float:
        return z * math.sqrt(n - 3) - critical - beyond * math.sqrt(1 + math.tanh(z) ** 2 / 2)

    return math.tanh(brentq(excess, 0.0, 2 * (critical + beyond)))


def detectable_hazard_ratio(events: int, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest hazard ratio that a Cox regression is likely to find.

    Parameters
    ----------
    events : int
        Number of events.
    alpha, power : float
        As for `detectable_v`; the test is two-sided.

    Returns
    -------
    float
        The hazard ratio of a standard deviation more, above 1; as likely to be found is a ratio of
        1 divided by it. NaN without events.

    Raises
    ------
    InputError
        If `alpha` < `power` < 1 does not hold.

    References
    ----------
    Hsieh FY, Lavori PW. Sample-size calculations for the Cox proportional hazards regression model
    with nonbinary covariates. Controlled Clinical Trials 21 (2000) 552-560.

    Examples
    --------
    >>> round(detectable_hazard_ratio(50), 3)
    1.486
    """
    _check_power(alpha, power)
    return math.exp(_distance(alpha, power) / math.sqrt(events)) if events > 0 else math.nan


def _check_table(n: int, rows: int, columns: int) -> None:
    if n < 1 or min(rows, columns) < 2:
        msg = f"Expected patients, and a table of at least 2 x 2, found {n} and {rows} x {columns}."
        raise InputError(msg)


def _check_power(alpha: float, power: float) -> None:
    if not 0 < alpha < power < 1:
        msg = f"Expected 0 < alpha < power < 1, found {alpha} and {power}."
        raise InputError(msg)


def _group_sizes(sizes: ArrayLike) -> NDArray[np.float64]:
    groups = np.asarray(sizes, dtype=np.float64)
    if groups.ndim != 1 or len(groups) < 2 or groups.min() < 1:
        msg = f"Expected the sizes of two groups or more, none empty, found {groups.tolist()}."
        raise InputError(msg)
    return groups


def _distance(alpha: float, power: float) -> float:
    """Return how many standard errors an effect has to lie from none, if its test is two-sided."""
    return float(norm.isf(alpha / 2) + norm.ppf(power))


def _needed_noncentrality(freedom: int, alpha: float, power: float) -> float:
    """Return the noncentrality at which a chi-squared test has the power."""
    critical = chi2.isf(alpha, freedom)

    def excess(noncentrality: float) -> float:
        return float(ncx2.sf(critical, freedom, noncentrality)) - power

    beyond = float(critical) + 10
    while excess(beyond) < 0:
        beyond *= 2
    return float(brentq(excess, 1e-9, beyond))
