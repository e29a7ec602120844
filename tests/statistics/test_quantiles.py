import math

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics import quantile_bins


def test_quartiles_with_ties_r():
    # R: q <- quantile(x, 1:3 / 4); cut(x, c(-Inf, q, Inf))
    values = [5.1, 2.2, 2.2, 2.2, 9.4, 7.7, 2.2, 3.3, 8.1, 6.0, 2.2]
    binned = quantile_bins(values)
    np.testing.assert_allclose(binned.cuts, [2.2, 3.3, 6.85], rtol=1e-15)
    assert binned.codes.tolist() == [3, 1, 1, 1, 4, 4, 1, 2, 4, 3, 1]
    assert binned.counts == (5, 1, 2, 3)
    assert binned.on_cut == 6
    assert binned.empty == ()


@pytest.mark.parametrize(
    ("rule", "third"), [("linear", 6.85), ("weibull", 7.7), ("median_unbiased", 7.4166666666666667)]
)
def test_rules_of_quantiles_r(rule, third):
    # R: quantile(x, 1:3 / 4, type = 7), and 6 and 8
    values = [5.1, 2.2, 2.2, 2.2, 9.4, 7.7, 2.2, 3.3, 8.1, 6.0, 2.2]
    np.testing.assert_allclose(quantile_bins(values, rule=rule).cuts, [2.2, 3.3, third], rtol=1e-12)


def test_values_on_a_cut_point_belong_below_analytic():
    binned = quantile_bins([1, 2, 3, 4, 5])
    assert binned.cuts.tolist() == [2, 3, 4]
    assert binned.codes.tolist() == [1, 1, 2, 3, 4]
    assert binned.on_cut == 3


def test_equal_cut_points_leave_bins_empty_analytic():
    binned = quantile_bins([0, 0, 0, 0, 0, 0, 1, 2])
    assert binned.cuts.tolist() == [0, 0, 0.25]
    assert binned.counts == (6, 0, 0, 2)
    assert binned.empty == (2, 3)
    assert binned.on_cut == 6


def test_constant_values_share_the_first_bin_analytic():
    binned = quantile_bins([3.3] * 7)
    assert binned.counts == (7, 0, 0, 0)
    assert binned.empty == (2, 3, 4)


@pytest.mark.parametrize("n", [92, 108, 110])
def test_quartiles_are_even_without_ties_invariant(n):
    binned = quantile_bins(np.random.default_rng(n).normal(size=n))
    assert max(binned.counts) - min(binned.counts) <= 1
    assert sum(binned.counts) == n


def test_increasing_transformation_keeps_the_bins_invariant():
    values = np.random.default_rng(0).gamma(2, size=101)
    np.testing.assert_array_equal(quantile_bins(values).codes, quantile_bins(3 * values + 1).codes)


def test_halves_analytic():
    assert quantile_bins([4, 1, 3, 2], bins=2).codes.tolist() == [2, 1, 2, 1]


@pytest.mark.parametrize(
    ("values", "bins", "message"),
    [
        ([], 4, "at least one number"),
        ([1.0, math.nan], 4, "finite numbers, found 1 not"),
        ([[1.0, 2.0]], 4, r"found shape \(1, 2\)"),
        (["a"], 4, "hold numbers"),
        ([1.0, 2.0], 1, "`bins` to be a whole number of at least 2, found 1"),
        ([1.0, 2.0], float("nan"), "`bins` to be a whole number of at least 2, found nan"),
        ([1.0, 2.0], 2.5, "`bins` to be a whole number of at least 2, found 2.5"),
    ],
)
def test_unusable_values(values, bins, message):
    with pytest.raises(InputError, match=message):
        quantile_bins(values, bins)
