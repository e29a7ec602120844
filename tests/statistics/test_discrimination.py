import math

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from lggshape.errors import InputError
from lggshape.statistics import auc

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
