import math

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from lggshape.errors import InputError
from lggshape.statistics import auc

# R, by the defining formulas: psi <- outer(x, y, function(a, b) (a > b) + (a == b) / 2);
# v <- var(rowMeans(psi)) / P + var(colMeans(psi)) / N; interval on the logit scale.
R_VALUES = [
    (
        [3, 4, 5],
        [1, 2, 3],
        (0.944444444444444, 0.474611400481517, 0.996883950967954, 0.0785674201318386),
    ),
    (
        [2.1, 3.5, 1.7, 4.4, 3.5],
        [1.2, 3.5, 0.4, 2.1, 2.9, 1.7, 5.0],
        (0.657142857142857, 0.306917422164718, 0.892424170370977, 0.168426087465023),
    ),
    (
        [1, 2, 3, 4],
        [2, 3, 4, 5, 6],
        (0.225, 0.0438156348620849, 0.647811856228882, 0.164253361203559),
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


def test_coverage_of_the_interval_simulated():
    # Normal groups a standard deviation apart: the area is Phi(1 / sqrt 2).
    truth = 0.760249938906523
    rng = np.random.default_rng(0)
    areas = [auc(rng.normal(1, 1, 25), rng.normal(0, 1, 70)) for _ in range(400)]
    assert 0.92 < np.mean([area.low <= truth <= area.high for area in areas]) < 0.98


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
