import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import norm

from lggshape.errors import InputError
from lggshape.statistics.agreement import (
    concordance,
    intraclass_correlation,
    limits_of_agreement,
    rank_correlation,
)

# Shrout and Fleiss (1979), table 2: six targets, four judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]

# Bland and Altman (1986), table 1: first readings by the large and by the mini Wright meter, l/min.
LARGE = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

X = [12.1, 15.3, 9.8, 20.4, 17.7, 13.2, 11.5, 18.9]
Y = [11.0, 16.1, 10.9, 18.2, 17.0, 14.4, 10.1, 20.3]

OF_TWO = [concordance, limits_of_agreement, rank_correlation]


def test_intraclass_correlation_published():
    # Shrout and Fleiss (1979): ICC(2,1) is .29; its interval as R's psych prints it for their data.
    effect = intraclass_correlation(JUDGES)
    assert [round(value, 2) for value in effect] == [0.29, 0.02, 0.76]


# R: ms <- anova(lm(y ~ row + column))[["Mean Sq"]]; R <- ms[1]; C <- ms[2]; E <- ms[3]
# r <- (R - E) / (R + (k - 1) * E + k / n * (C - E)); s <- max(r, 0)
# a <- k * s / (n * (1 - s)); b <- 1 + k * s * (n - 1) / (n * (1 - s))
# v <- (a * C + b * E)^2 / ((a * C)^2 / (k - 1) + (b * E)^2 / ((n - 1) * (k - 1)))
# fl <- qf(q, n - 1, v); fu <- qf(q, v, n - 1); m <- k * C + (k * n - k - n) * E
# c(r, n * (R - fl * E) / (fl * m + n * R), n * (fu * R - E) / (m + n * fu * R))
@pytest.mark.parametrize(
    ("values", "level", "expected"),
    [
        (JUDGES, 0.95, (0.289763779527559, 0.018786513374712, 0.761084369648953)),
        (JUDGES, 0.9, (0.289763779527559, 0.0429011915405399, 0.6910706066183567)),
        (
            [[1.2, 1.5], [3.4, 3.1], [2.2, 2.9], [5.1, 5], [4, 4.4], [6.3, 6.9], [7.7, 7.2]],
            0.95,
            (0.978524881516588, 0.894218161147914, 0.996199268839467),
        ),
        (
            [[1, 5], [2, 3], [3, 4], [4, 1], [5, 2]],
            0.95,
            (-1.25, -1.616223200542533, 0.0402898250973102),
        ),
    ],
)
def test_intraclass_correlation_r(values, level, expected):
    assert intraclass_correlation(values, level=level) == pytest.approx(expected, rel=1e-10)


def test_shift_between_measurers_lowers_the_intraclass_correlation_analytic():
    # Rows vary by 2.5 and columns by 4.5, without error: 2.5 / (2.5 + 4.5).
    first = np.arange(1.0, 6.0)
    effect = intraclass_correlation(np.stack([first, first + 3], axis=1))
    assert effect.estimate == pytest.approx(2.5 / 7, rel=1e-12)
    assert effect.low < effect.estimate < effect.high


def test_unit_and_order_do_not_matter_to_the_intraclass_correlation_invariant():
    table = np.array(JUDGES)
    expected = intraclass_correlation(table)
    assert intraclass_correlation(table[::-1, [2, 0, 3, 1]]) == pytest.approx(expected)
    assert intraclass_correlation(1e6 - 0.1 * table) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shift", [0, 1, 4])
def test_negative_intraclass_correlation_keeps_its_interval_invariant(shift):
    # The published degrees of freedom, with the estimate as it is, are 7, 0.24 and 0.02 here.
    noise = np.array([1, -1, 2, -2, 1, -1, 0.5, -0.5])
    effect = intraclass_correlation(np.stack([noise, shift - noise / 2], axis=1))
    assert -1.5 < effect.low < effect.estimate < effect.high < 0


def test_upper_end_lies_below_no_correlation_by_chance_alone_simulated():
    # Without variance of things the upper end is below 0 where an F test of their variance is in
    # its lower 2.5 %.
    rng = np.random.default_rng(3)
    tables = rng.normal(size=(800, 8, 2)) + np.array([0.0, 1.0])
    below = [intraclass_correlation(table).high < 0 for table in tables]
    assert 0.01 < np.mean(below) < 0.04


def test_intraclass_correlation_holds_the_truth_simulated():
    # Variances of things, measurers and error: 3, 0.5, 1.
    rng = np.random.default_rng(5)
    held = []
    for _ in range(600):
        table = (
            rng.normal(0, math.sqrt(3), (25, 1))
            + rng.normal(0, math.sqrt(0.5), (1, 4))
            + rng.normal(0, 1, (25, 4))
        )
        effect = intraclass_correlation(table)
        held.append(effect.low <= 3 / 4.5 <= effect.high)
    assert 0.93 < np.mean(held) < 0.97


@pytest.mark.parametrize("values", [[[1, 2], [3, 4]], [[1, 2]] * 5, [[0.1, 0.1]] * 5])
def test_nothing_to_correlate_within_classes(values):
    assert all(math.isnan(value) for value in intraclass_correlation(values))


# R: f <- (n - 1) / n; a <- var(x) * f; b <- var(y) * f
# p <- 2 * cov(x, y) * f / (a + b + (mean(x) - mean(y))^2)
# r <- cor(x, y); u <- (mean(x) - mean(y)) / (a * b)^0.25
# v <- ((1 - r^2) * p^2 / ((1 - p^2) * r^2) + 2 * p^3 * (1 - p) * u^2 / (r * (1 - p^2)^2) -
#       p^4 * u^4 / (2 * r^2 * (1 - p^2)^2)) / (n - 2)
# c(p, tanh(atanh(p) + c(-1, 1) * qnorm((1 + level) / 2) * sqrt(v)))
@pytest.mark.parametrize(
    ("measured", "level", "expected"),
    [
        (np.array(Y), 0.95, (0.932219264517401, 0.704226570496005, 0.985919130517818)),
        (np.array(Y) + 4, 0.9, (0.584285979113885, 0.266942036648437, 0.787312874803331)),
        (30 - np.array(Y), 0.95, (-0.927191606197293, -0.995048615021808, -0.269764353890701)),
    ],
)
def test_concordance_r(measured, level, expected):
    assert concordance(measured, X, level=level) == pytest.approx(expected, rel=1e-10)


def test_concordance_of_a_shift_analytic():
    # Both have variance 2 and the means lie 3 apart: 2 * 2 / (2 + 2 + 9). With a correlation of 1
    # Lin's variance of the coefficient is 2 p^2 (1 - p)^2 / (n - 2); over (1 - p^2)^2, that of z.
    p = 4 / 13
    effect = concordance([4, 5, 6, 7, 8], [1, 2, 3, 4, 5])
    error = math.sqrt(2 / 3) * p * (1 - p) / (1 - p**2)
    ends = [math.tanh(math.atanh(p) + side * norm.ppf(0.975) * error) for side in (-1, 1)]
    assert effect == pytest.approx((p, *ends), rel=1e-12)


def test_concordance_without_correlation_analytic():
    # Means and variances are equal, so that C_b is 1 and the standard error 1 / sqrt(n - 2).
    low = math.tanh(-norm.ppf(0.975) / math.sqrt(2))
    assert concordance([1, -1, 1, -1], [1, 1, -1, -1]) == pytest.approx((0, low, -low), abs=1e-12)


def test_concordance_of_a_factor_has_no_interval_analytic():
    # x and 2 x about the same mean: 2 * 2 / (1 + 4), and Lin's variance is 0.
    estimate, low, high = concordance([-0.1, 0, 0.1], [-0.2, 0, 0.2])
    assert estimate == pytest.approx(0.8)
    assert math.isnan(low)
    assert math.isnan(high)


def test_concordance_holds_the_truth_simulated():
    # Standard deviations 1 and 1.2, correlation .9, means .3 apart.
    truth = 2 * 0.9 * 1.2 / (1 + 1.44 + 0.09)
    rng = np.random.default_rng(6)
    held = []
    for _ in range(800):
        one, noise = rng.normal(size=(2, 60))
        other = 0.3 + 1.2 * (0.9 * one + math.sqrt(1 - 0.81) * noise)
        effect = concordance(one, other)
        held.append(effect.low <= truth <= effect.high)
    assert 0.925 < np.mean(held) < 0.97


def test_limits_of_agreement_published():
    # Bland and Altman (1986): bias -2.1 (-22.0 to 17.8), SD 38.8, limits at 2 SD -79.7 and 75.5.
    limits = limits_of_agreement(LARGE, MINI)
    assert limits.n == 17
    assert [round(value, 1) for value in limits.bias] == [-2.1, -22.0, 17.8]
    assert round(limits.standard_deviation, 1) == 38.8
    for limit, published in ((limits.lower, -79.7), (limits.upper, 75.5)):
        at_two = limits.bias.estimate + (limit.estimate - limits.bias.estimate) * 2 / 1.959964
        assert at_two == pytest.approx(published, abs=0.1)


# R: z <- qnorm(0.975); q <- c((1 - level) / 2, (1 + level) / 2)
# k <- qt(q, n - 1, ncp = z * sqrt(n)) / sqrt(n); mean(d) + qt(q, n - 1) * sd(d) / sqrt(n)
# c(mean(d) - z * sd(d), mean(d) - rev(k) * sd(d)); c(mean(d) + z * sd(d), mean(d) + k * sd(d))
@pytest.mark.parametrize(
    ("level", "bias", "lower", "upper"),
    [
        (
            0.95,
            (-2.11764705882353, -22.04883769664517, 17.81354357899811),
            (-78.0959054671117, -124.1607982948396, -53.0949314167422),
            (73.8606113494646, 48.8596372990951, 119.9255041771925),
        ),
        (
            0.8,
            (-2.11764705882353, -14.68573769393940, 10.45044357629234),
            (-78.0959054671117, -105.6299269637528, -60.9966835678659),
            (73.8606113494646, 56.7613894502188, 101.3946328461057),
        ),
    ],
)
def test_limits_of_agreement_r(level, bias, lower, upper):
    limits = limits_of_agreement(LARGE, MINI, level=level)
    assert limits.bias == pytest.approx(bias, rel=1e-8)
    assert limits.lower == pytest.approx(lower, rel=1e-8)
    assert limits.upper == pytest.approx(upper, rel=1e-8)


def test_swapped_measurements_mirror_the_limits_invariant():
    one, other = limits_of_agreement(X, Y), limits_of_agreement(Y, X)
    assert other.bias.estimate == pytest.approx(-one.bias.estimate)
    assert other.lower == pytest.approx((-one.upper[0], -one.upper[2], -one.upper[1]))
    assert other.standard_deviation == pytest.approx(one.standard_deviation)


def test_limits_of_few_things_hold_the_truth_simulated():
    rng = np.random.default_rng(4)
    truth = norm.ppf(0.975)
    uppers = [limits_of_agreement(rng.normal(size=6), np.zeros(6)).upper for _ in range(500)]
    assert 0.93 < np.mean([upper.low <= truth <= upper.high for upper in uppers]) < 0.97


def test_equal_differences_have_no_intervals_analytic():
    limits = limits_of_agreement(np.array(X) + 0.1, X)
    assert limits.standard_deviation == 0
    for effect in limits[1:4]:
        assert effect.estimate == pytest.approx(0.1)
        assert math.isnan(effect.low)
        assert math.isnan(effect.high)


# R: r <- cor(x, y, method = "spearman")
# tanh(atanh(r) + c(-1, 1) * qnorm((1 + level) / 2) * sqrt((1 + r^2 / 2) / (n - 3)))
# cor.test(x, y, method = "spearman", exact = n <= 8)$p.value
@pytest.mark.parametrize(
    ("first", "second", "level", "expected"),
    [
        (
            LARGE,
            MINI,
            0.95,
            (0.899509803921569, 0.690464083903150, 0.969890653627779, 8.96481837550701e-07),
        ),
        (
            LARGE,
            MINI,
            0.9,
            (0.899509803921569, 0.739171666087880, 0.963360292656535, 8.96481837550701e-07),
        ),
        (
            X,
            Y,
            0.95,
            (0.952380952380953, 0.664056163040859, 0.994123946556469, 0.00114087301587302),
        ),
        (
            [1, 2, 3, 4, 5],
            [5, 3, 4, 1, 2],
            0.95,
            (-0.8, -0.990842947877804, 0.457124388805297, 0.133333333333333),
        ),
    ],
)
def test_rank_correlation_r(first, second, level, expected):
    assert rank_correlation(first, second, level=level) == pytest.approx(expected, rel=1e-10)


def test_tied_ranks_analytic():
    # Of the 6 orders of the second, whose ranks are 1.5, 1.5, 3, two give 1, 2, 3 the largest sum.
    correlation = rank_correlation([1, 2, 3], [4, 4, 5])
    assert correlation.estimate == pytest.approx(math.sqrt(3) / 2)
    assert Fraction(correlation.p).limit_denominator(10) == Fraction(2, 3)


def test_increasing_transformation_keeps_the_rank_correlation_invariant():
    assert rank_correlation(np.exp(X), Y) == rank_correlation(X, Y)


def test_rank_correlation_of_the_reverse_invariant():
    one, other = rank_correlation(LARGE, MINI), rank_correlation(LARGE, -np.array(MINI))
    assert other == pytest.approx((-one.estimate, -one.high, -one.low, one.p))


def test_rank_correlation_holds_the_truth_simulated():
    # Of normal variables with correlation r, rho is 6 / pi asin(r / 2).
    truth = 6 / math.pi * math.asin(0.3)
    rng = np.random.default_rng(2)
    held = []
    for _ in range(500):
        one, noise = rng.normal(size=(2, 40))
        correlation = rank_correlation(one, 0.6 * one + 0.8 * noise)
        held.append(correlation.low <= truth <= correlation.high)
    assert 0.925 < np.mean(held) < 0.975


@pytest.mark.parametrize("sign", [1, -1])
def test_perfect_agreement_has_no_interval_analytic(sign):
    # 24 orders of four things; one is as extreme on either side.
    first = np.array([0.1, 0.2, 0.3, 0.6])
    second = sign * (first - first.mean()) + first.mean()
    assert rank_correlation(first, second).p == pytest.approx(2 / 24)
    effects = [concordance(first, second)]
    if sign == 1:
        effects.append(intraclass_correlation(np.stack([first, first, first], axis=1)))
    for estimate, low, high in effects:
        assert estimate == pytest.approx(sign)
        assert math.isnan(low)
        assert math.isnan(high)


def test_ranks_in_order_have_the_interval_of_pairs_analytic():
    # Ten pairs in order of ten: their share is at least s with s^10 = .025, and tau 2 s - 1.
    correlation = rank_correlation(range(20), [*range(18), 30, 40])
    share = 0.025 ** (1 / 10)
    pearson = math.sin(math.pi / 2 * (2 * share - 1))
    assert correlation[:3] == pytest.approx((1, 6 / math.pi * math.asin(pearson / 2), 1))
    opposite = rank_correlation(range(20), -np.arange(20))
    assert opposite[:3] == pytest.approx((-1, -1, -correlation.low))


def test_three_things_have_no_interval_of_ranks_analytic():
    correlation = rank_correlation([1, 2, 3], [1, 3, 2])
    assert correlation.estimate == pytest.approx(0.5)
    assert math.isnan(correlation.low)
    assert math.isnan(correlation.high)
    assert correlation.p == 1


@pytest.mark.parametrize("statistic", [concordance, rank_correlation])
@pytest.mark.parametrize(
    ("first", "second"), [([1, 2], [2, 1]), ([1, 2, 3], [4, 4, 4]), ([0.1] * 4, [1, 2, 3, 4])]
)
def test_nothing_to_compare(statistic, first, second):
    assert all(math.isnan(value) for value in statistic(first, second))


def test_two_things_have_no_limits():
    limits = limits_of_agreement([1, 2], [3, 4])
    assert limits.n == 2
    assert math.isnan(limits.standard_deviation)
    assert np.isnan(limits[1:4]).all()


@pytest.mark.parametrize("statistic", OF_TWO)
@pytest.mark.parametrize(
    ("first", "second", "level", "message"),
    [
        ([1, 2, 3], [1, 2], 0.95, r"to have shape \(3,\) as `\w+`, found \(2,\)"),
        ([1, 2, math.nan], [1, 2, 3], 0.95, "finite numbers, found 1 not"),
        ([1, 2, 3], ["a", "b", "c"], 0.95, "to hold numbers, found"),
        ([], [], 0.95, "at least one number"),
        ([1, 2, 3], [1, 2, 3], 1, "`level` to be between 0 and 1, found 1"),
    ],
)
def test_unusable_pairs(statistic, first, second, level, message):
    with pytest.raises(InputError, match=message):
        statistic(first, second, level=level)


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [
        ([1, 2, 3], 0.95, r"two columns or more, found shape \(3,\)"),
        ([[1], [2], [3]], 0.95, r"two columns or more, found shape \(3, 1\)"),
        ([[1, 2], [3]], 0.95, "table of numbers, found"),
        ([[1, 2], [3, math.inf], [4, 5]], 0.95, "finite numbers, found 1 not"),
        (np.empty((0, 2)), 0.95, "at least one number"),
        (JUDGES, 0, "`level` to be between 0 and 1, found 0"),
    ],
)
def test_unusable_tables(values, level, message):
    with pytest.raises(InputError, match=message):
        intraclass_correlation(values, level=level)
