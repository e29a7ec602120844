import math

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from lggshape.errors import InputError
from lggshape.statistics.discrimination import auc, auc_difference

# R, by the defining formulas: psi <- outer(x, y, function(a, b) (a > b) + (a == b) / 2);
# v <- c(var(rowMeans(psi)) / P, var(colMeans(psi)) / N); a <- mean(psi);
# g <- function(w) sum(w)^2 / sum(w^2 / (c(P, N) - 1)); q <- qt(0.975, min(g(v), g(1 / c(P, N))));
# plogis(qlogis(a) + c(-1, 1) * q * sqrt(sum(v)) / (a * (1 - a))).
# In the first case both g are 4; g(v) counts in the fourth, the other in the rest. In the fifth
# g(v) is 10.3, though the variance of a group of three decides.
R_VALUES = [
    (
        [3, 4, 5],
        [1, 2, 3],
        (0.944444444444444, 0.210113274410705, 0.9990804162698295, 0.0785674201318386),
    ),
    (
        [2.1, 3.5, 1.7, 4.4, 3.5],
        [1.2, 3.5, 0.4, 2.1, 2.9, 1.7, 5.0],
        (0.657142857142857, 0.259761266436803, 0.912805763270151, 0.168426087465023),
    ),
    (
        [1, 2, 3, 4],
        [2, 3, 4, 5, 6],
        (0.225, 0.0294774338596232, 0.7351058876187744, 0.1642533612035585),
    ),
    (
        [3, 9, 14],
        [1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13],
        (0.606060606060606, 0.0330743467046841, 0.9857539834000323, 0.2484109276596266),
    ),
    (
        [10, 11, 13],
        [1, 2, 4, 5, 6, 7, 8, 9, 12, 14],
        (0.833333333333333, 0.275089522318896, 0.985047736533149, 0.118634202800348),
    ),
]


@pytest.mark.parametrize(("positive", "negative", "expected"), R_VALUES)
def test_area_error_and_interval_r(positive, negative, expected):
    assert auc(positive, negative) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_area_is_the_mann_whitney_statistic_scipy(seed):
    rng = np.random.default_rng(seed)
    positive, negative = rng.integers(0, 12, 40), rng.integers(0, 9, 25)
    statistic = mannwhitneyu(positive, negative).statistic
    assert auc(positive, negative).estimate == pytest.approx(statistic / (40 * 25), rel=1e-12)


def test_swapped_groups_mirror_the_area_invariant():
    rng = np.random.default_rng(7)
    positive, negative = rng.normal(1, 1, 30), rng.normal(0, 1, 50)
    one, other = auc(positive, negative), auc(negative, positive)
    assert other.estimate == pytest.approx(1 - one.estimate)
    assert other.low == pytest.approx(1 - one.high)
    assert other.high == pytest.approx(1 - one.low)
    assert other.standard_error == pytest.approx(one.standard_error)


def test_increasing_transformation_changes_nothing_invariant():
    rng = np.random.default_rng(8)
    positive, negative = rng.normal(1, 1, 20), rng.normal(0, 1, 20)
    assert auc(np.exp(positive), np.exp(negative)) == auc(positive, negative)


def test_perfect_separation_r():
    # R: binom.test(7, 7)$conf.int, for the 7 disjoint pairs
    area = auc(np.arange(10, 17), np.arange(9))
    assert area == pytest.approx((1, 0.590383602774997, 1, 0), rel=1e-12)
    mirrored = auc(np.arange(9), np.arange(10, 17))
    assert mirrored == pytest.approx((0, 0, 1 - 0.590383602774997, 0), abs=1e-12)


def test_nothing_but_ties_analytic():
    area = auc([1, 1, 1, 1], [1, 1, 1, 1, 1])
    assert area.estimate == 0.5
    assert area.standard_error == 0
    # R: binom.test(2, 4)$conf.int
    assert (area.low, area.high) == pytest.approx((0.0675859864888, 0.9324140135112), rel=1e-9)


def test_single_positive_has_no_standard_error_analytic():
    area = auc([2.5], [1, 2, 3, 4])
    assert area.estimate == 0.5
    assert math.isnan(area.standard_error)
    assert 0 < area.low < 0.05
    assert 0.95 < area.high < 1


def test_level_widens_the_interval_invariant():
    positive, negative, _ = R_VALUES[1]
    narrow, wide = auc(positive, negative, level=0.5), auc(positive, negative, level=0.99)
    assert wide.low < narrow.low < narrow.estimate < narrow.high < wide.high


@pytest.mark.parametrize("size", [4, 7, 25])
def test_coverage_of_the_interval_simulated(size):
    # Normal groups a standard deviation apart: the area is Phi(1 / sqrt 2).
    truth = 0.760249938906523
    rng = np.random.default_rng(0)
    areas = [auc(rng.normal(1, 1, size), rng.normal(0, 1, 90)) for _ in range(800)]
    assert 0.935 < np.mean([area.low <= truth <= area.high for area in areas]) < 0.985


def test_large_groups_come_near_the_normal_quantile_analytic():
    rng = np.random.default_rng(3)
    area = auc(rng.normal(1, 1, 900), rng.normal(0, 1, 1100))
    centre = math.log(area.estimate / (1 - area.estimate))
    reach = norm.ppf(0.975) * area.standard_error / (area.estimate * (1 - area.estimate))
    expected = [1 / (1 + math.exp(-centre - side * reach)) for side in (-1, 1)]
    assert (area.low, area.high) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("positive", "negative", "level", "message"),
    [
        ([], [1.0], 0.95, "`positive`"),
        ([1.0], [], 0.95, "`negative`"),
        ([1.0, math.nan], [1.0], 0.95, "finite numbers, found 1 not"),
        ([1.0], [2.0], 95, "`level` to be between 0 and 1, found 95"),
    ],
)
def test_unusable_values(positive, negative, level, message):
    with pytest.raises(InputError, match=message):
        auc(positive, negative, level=level)


MARKERS = [
    [4.1, 2.2, 3.3, 5.6, 1.1, 3.3, 2.7, 0.4, 6.2, 4.1, 1.9, 2.5],
    [2.0, 2.8, 1.6, 4.9, 3.0, 5.1, 0.7, 1.2, 3.9, 3.9, 2.4, 3.1],
]
POSITIVE = [1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1]


# R, from DeLong's structural components: g <- positive == 1
# psi <- function(v) outer(v[g], v[!g], function(s, t) (s > t) + (s == t) / 2)
# A <- psi(first); B <- psi(second); L <- c(1, -1)
# v <- c(L %*% cov(cbind(rowMeans(A), rowMeans(B))) %*% L / P,
#        L %*% cov(cbind(colMeans(A), colMeans(B))) %*% L / N); se <- sqrt(sum(v))
# f <- function(w) sum(w)^2 / sum(w^2 / (c(P, N) - 1)); df <- min(f(v), f(1 / c(P, N)))
# d <- mean(A) - mean(B); q <- qt((1 + level) / 2, df)
# c(mean(A), mean(B), d, d - q * se, d + q * se, 2 * pt(-abs(d) / se, df), se)
# In the first case d + q * se is 1.1, beyond what an area can differ; in the last f(1 / c(P, N)) is
# the smaller.
@pytest.mark.parametrize(
    ("first", "second", "positive", "level", "expected"),
    [
        (
            [5, 6, 7, 3, 1, 2, 4, 3],
            [5, 1, 7, 3, 6, 2, 4, 8],
            [1, 1, 1, 1, 0, 0, 0, 0],
            0.95,
            (0.90625, 0.375, 0.53125, -0.0375528486227704, 1, 0.0623391734519665, 0.23245743337939),
        ),
        (
            *(*MARKERS, POSITIVE, 0.8),
            (
                *(0.857142857142857, 0.842857142857143, 0.0142857142857142),
                *(-0.2114174405679957, 0.2399888691394241),
                *(0.9307485897184786, 0.158113883008419),
            ),
        ),
        (
            [10, 11, 13, 1, 2, 4, 5, 6, 7, 8, 9, 12, 14],
            [3, 9, 13, 1, 2, 14, 5, 6, 12, 8, 4, 10, 7],
            [1] * 3 + [0] * 10,
            0.95,
            (
                *(0.833333333333333, 0.6, 0.233333333333333),
                *(-0.470208522618258, 0.936875189284924),
                *(0.384152813863531, 0.2330686329267),
            ),
        ),
    ],
)
def test_difference_of_areas_r(first, second, positive, level, expected):
    found = auc_difference(first, second, positive, level=level)
    assert found == pytest.approx(expected, rel=1e-10)


def test_each_area_of_a_difference_is_its_own_invariant():
    chosen = np.array(POSITIVE, dtype=bool)
    found = auc_difference(*MARKERS, chosen)
    for area, marker in zip(found[:2], np.array(MARKERS), strict=True):
        assert area == auc(marker[chosen], marker[~chosen]).estimate


def test_difference_from_a_constant_has_the_error_of_the_area_analytic():
    # A constant has area 1/2 in every sample.
    marker, chosen = np.array(MARKERS[0]), np.array(POSITIVE, dtype=bool)
    area = auc(marker[chosen], marker[~chosen])
    found = auc_difference(marker, np.ones(12), chosen)
    assert found.difference == pytest.approx(area.estimate - 0.5)
    assert found.standard_error == pytest.approx(area.standard_error)


def test_swapped_measurements_change_the_sign_invariant():
    one, other = (auc_difference(*pair, POSITIVE) for pair in (MARKERS, MARKERS[::-1]))
    mirrored = (one.second, one.first, -one.difference, -one.high, -one.low, *one[5:])
    assert other == pytest.approx(mirrored)


def test_swapped_groups_change_the_sign_invariant():
    one, other = (
        auc_difference(*MARKERS, POSITIVE),
        auc_difference(*MARKERS, 1 - np.array(POSITIVE)),
    )
    mirrored = (1 - one.first, 1 - one.second, -one.difference, -one.high, -one.low, *one[5:])
    assert other == pytest.approx(mirrored)


def test_order_and_scale_do_not_change_the_difference_invariant():
    order = np.random.default_rng(1).permutation(12)
    first, second, positive = np.array([*MARKERS, POSITIVE])[:, order]
    expected = auc_difference(*MARKERS, POSITIVE)
    assert auc_difference(np.exp(first), 3 * second, positive) == pytest.approx(expected)


@pytest.mark.parametrize("second", [MARKERS[0], np.exp(MARKERS[0])])
def test_measurements_that_rank_alike_do_not_differ_r(second):
    found = auc_difference(MARKERS[0], second, [1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1])
    # Half of 5 pairs; R: 1 - 2 * qbeta(0.025, 2.5, 3.5)
    reach = 1 - 2 * 0.0943903273443
    assert found[2:] == pytest.approx((0, -reach, reach, 1, 0), rel=1e-8)


def test_both_perfect_or_opposite_r():
    positive = np.repeat([True, False], [5, 8])
    values = positive + np.arange(13) / 100
    # R: 2 * binom.test(5, 5)$conf.int - 1; binom.test(5, 5)$p.value
    opposite = auc_difference(values, -values, positive)
    assert opposite == pytest.approx((1, 0, 1, -0.0436475002099628, 1, 0.0625, 0), abs=1e-12)
    perfect = auc_difference(values, values**3, positive)
    assert perfect[:3] == (1, 1, 0)
    assert perfect.low == pytest.approx(-perfect.high)
    assert (perfect.p, perfect.standard_error) == (1, 0)


def test_single_positive_has_no_standard_error_of_the_difference_r():
    found = auc_difference([3, 1, 2, 4, 0], [3, 5, 6, 4, 0], [1, 0, 0, 0, 0])
    assert found.difference == pytest.approx(0.5)
    assert math.isnan(found.standard_error)
    # One pair, three quarters of it won; R: 2 * qbeta(0.025, 0.75, 1.25) - 1
    assert found.low == pytest.approx(2 * 0.00573453113335 - 1, rel=1e-9)
    # R: 2 * qbeta(0.975, 1.75, 0.25) - 1; 2 * pbeta(0.5, 0.75, 1.25) is above 1
    assert found.high == pytest.approx(0.999999623768937, rel=1e-9)
    assert found.p == 1


@pytest.mark.parametrize("sizes", [(8, 90), (23, 87)])
def test_interval_and_p_of_the_difference_simulated(sizes):
    # Two measurements, correlated .6, with the same area Phi(1 / sqrt 2).
    rng = np.random.default_rng(9)
    positive = np.repeat([True, False], sizes)
    held, significant = [], []
    for _ in range(500):
        shared = rng.normal(size=len(positive)) * math.sqrt(0.6) + positive
        first, second = shared + math.sqrt(0.4) * rng.normal(size=(2, len(positive)))
        found = auc_difference(first, second, positive)
        held.append(found.low <= 0 <= found.high)
        significant.append(found.p < 0.05)
    assert 0.93 < np.mean(held) < 0.985
    assert held == [not rejected for rejected in significant]


@pytest.mark.parametrize(
    ("first", "second", "positive", "level", "message"),
    [
        ([1, 2, 3], [1, 2], [1, 0, 0], 0.95, r"`second` to have shape \(3,\) as `first`"),
        ([1, 2, 3], [1, 2, 3], [1, 0], 0.95, r"`positive` to have shape \(3,\) as `first`"),
        ([1, 2], [1, 2], [1, 1], 0.95, "positives and negatives, found 2 and 0"),
        ([1, 2], [1, math.nan], [1, 0], 0.95, "`second` to hold finite numbers"),
        ([1, 2], [1, 2], [1, math.nan], 0.95, "`positive` to hold finite numbers"),
        ([1, 2], [1, 2], [1, 0], 1, "`level` to be between 0 and 1"),
    ],
)
def test_unusable_measurements(first, second, positive, level, message):
    with pytest.raises(InputError, match=message):
        auc_difference(first, second, positive, level=level)
