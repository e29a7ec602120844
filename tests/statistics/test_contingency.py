import math

import numpy as np
import pytest
from scipy.stats import chi2, kruskal, ncx2

from lggshape.errors import InputError
from lggshape.statistics import (
    cramers_v,
    epsilon_squared,
    kruskal_wallis,
    quantile_bins,
)

TABLE = [[10, 5, 3], [4, 9, 6], [2, 7, 14]]
VALUES = [1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 6, 7]
GROUPS = [1, 1, 2, 1, 2, 2, 3, 1, 3, 3, 2, 3]


def upper_noncentrality_of_the_median(freedom, tail=0.025):
    """Bisect for the noncentrality whose tail quantile is the median without association."""
    median = chi2.ppf(0.5, freedom)
    low, high = 0.0, 1000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if ncx2.ppf(tail, freedom, middle) < median else (low, middle)
    return low


def test_v_and_its_interval_r():
    # R: Bergsma's formula; uniroot on pchisq(chisq.test(table)$statistic, 4, ncp)
    expected = (0.312051501188, 0.120531096205, 0.507203662675)
    assert cramers_v(TABLE) == pytest.approx(expected, rel=1e-9)


def test_v_of_a_two_by_two_table_analytic():
    # Phi squared is 0.36 of 50 patients; its bias is 1 / 49, and the corrected side 2 - 1 / 49.
    expected = math.sqrt((0.36 - 1 / 49) / (1 - 1 / 49))
    assert cramers_v([[20, 5], [5, 20]]).estimate == pytest.approx(expected, rel=1e-12)


def test_order_and_empty_lines_do_not_matter_invariant():
    table = np.array(TABLE)
    expected = cramers_v(table)
    assert cramers_v(table.T) == pytest.approx(expected)
    assert cramers_v(table[::-1, [2, 0, 1]]) == pytest.approx(expected)
    assert cramers_v(np.pad(table, ((0, 1), (2, 0)))) == pytest.approx(expected)


def test_exact_independence_analytic():
    effect = cramers_v([[10, 20, 30], [20, 40, 60]])
    assert effect.estimate == effect.low == 0
    # 2 degrees of freedom, 180 patients, two rows; the statistic is 0 and counts as the median.
    expected = math.sqrt(upper_noncentrality_of_the_median(2) / 180)
    assert effect.high == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_too_independent_tables_claim_no_more_than_the_median_one_analytic(level):
    # Statistics 1.2 and 0.19 with 4 degrees of freedom lie below the median, 3.36.
    expected = math.sqrt(upper_noncentrality_of_the_median(4, (1 - level) / 2) / (120 * 2))
    for table in ([[16, 12, 12], [12, 14, 14], [12, 14, 14]], [[14, 13, 13], [13] * 3, [13] * 3]):
        counts = np.array(table)
        counts[2, 2] += 120 - counts.sum()
        assert cramers_v(counts, level=level).high == pytest.approx(expected, rel=1e-8)


def test_upper_limit_above_the_median_follows_the_statistic_analytic():
    # Statistic 4 of a 2 x 2 table of 100 patients; its own tail, by scipy's distribution.
    high = cramers_v([[30, 20], [20, 30]]).high
    assert ncx2.cdf(4, 1, 100 * high**2) == pytest.approx(0.025, rel=1e-6)


@pytest.mark.parametrize(
    "table",
    # Five and six patients whose statistic over n equals its bias, 6 / 4 and 2 / 5.
    [[[0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]], [[1, 3, 1], [1, 0, 0]]],
)
def test_rounding_error_makes_no_association_analytic(table):
    assert cramers_v(table).estimate == 0


def test_complete_association_analytic():
    effect = cramers_v(np.diag([30, 30, 30]))
    assert effect.estimate == pytest.approx(1)
    assert 0.5 < effect.low < 1
    assert effect.high == 1


@pytest.mark.parametrize("table", [[[3, 4]], [[3], [4]], [[0, 3], [0, 4]]])
def test_nothing_to_compare(table):
    assert all(math.isnan(value) for value in cramers_v(table))


@pytest.mark.parametrize("table", [[[1, 0], [0, 0], [0, 1]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]])
def test_a_handful_of_patients_stays_in_bounds(table):
    effect = cramers_v(table)
    assert 0 <= effect.low <= effect.estimate <= effect.high <= 1


@pytest.mark.parametrize(
    ("values", "groups", "statistic", "p"),
    [
        # R: kruskal.test(values, groups); Hollander and Wolfe (1973), 116; and one with ties
        (
            [2.9, 3.0, 2.5, 2.6, 3.2, 3.8, 2.7, 4.0, 2.4, 2.8, 3.4, 3.7, 2.2, 2.0],
            list("aaaaabbbbccccc"),
            0.771428571428572,
            0.679964773578894,
        ),
        (VALUES, GROUPS, 5.48028673835126, 0.0645610901593454),
    ],
)
def test_kruskal_wallis_r(values, groups, statistic, p):
    assert kruskal_wallis(values, groups) == pytest.approx((statistic, p), rel=1e-10)


def test_kruskal_wallis_of_equal_values_analytic():
    assert kruskal_wallis([2, 2, 2, 2], [1, 1, 2, 2]) == (0, 1)


def test_one_group_cannot_be_compared():
    assert all(math.isnan(value) for value in kruskal_wallis([1, 2], ["a", "a"]))
    assert all(math.isnan(value) for value in epsilon_squared([1, 2], ["a", "a"]))


def test_epsilon_squared_is_the_share_of_rank_variance_analytic():
    # Ranks 1 to 6 in groups of their own halves: 13.5 of the 17.5 lie between the groups.
    effect = epsilon_squared([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1])
    assert effect.estimate == pytest.approx(13.5 / 17.5)
    assert effect.low < effect.estimate < effect.high


def test_epsilon_squared_scipy():
    parts = [np.array(VALUES)[np.array(GROUPS) == g] for g in (1, 2, 3)]
    expected = kruskal(*parts).statistic / (len(VALUES) - 1)
    assert epsilon_squared(VALUES, GROUPS).estimate == pytest.approx(expected)


def test_epsilon_squared_follows_ranks_alone_invariant():
    values = np.exp(np.array(VALUES, dtype=float))
    assert epsilon_squared(values, GROUPS) == epsilon_squared(VALUES, GROUPS)


def test_interval_holds_an_estimate_at_its_edge_invariant():
    # H is 5.42 of three groups: at level 0.01 both limits lie below the estimate, H / 8.
    effect = epsilon_squared([1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 0, 0, 2, 1, 1, 2, 1, 2], level=0.01)
    assert effect.estimate == effect.high
    assert 0 <= effect.low < effect.estimate


def test_epsilon_squared_claims_no_more_than_the_median_sample_analytic():
    # H is below 1.39, the median of the chi-squared with 2 degrees of freedom; 60 values.
    effect = epsilon_squared(np.arange(60), np.tile([0, 1, 2, 2, 1, 0], 10))
    assert effect.low == 0
    expected = upper_noncentrality_of_the_median(2) / 59
    assert effect.high == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_level_orders_the_intervals_invariant(level):
    wide, narrow = cramers_v(TABLE, level=level + 0.009), cramers_v(TABLE, level=level)
    assert wide.low < narrow.low <= narrow.estimate <= narrow.high < wide.high


@pytest.mark.parametrize(
    ("shift", "v", "epsilon"),
    # The truth of the population, by quadrature (benchmarks/intervals.py, five equal clusters with
    # means shift * (-1, -0.5, 0, 0.5, 1)).
    [(0.0, 0.0, 0.0), (0.5, 0.1831489, 0.1085751), (1.5, 0.4525377, 0.5461511)],
)
def test_intervals_hold_the_truth_simulated(shift, v, epsilon):
    rng = np.random.default_rng(11)
    held = []
    for _ in range(200):
        cluster = rng.integers(5, size=110)
        values = rng.normal(size=110) + shift * (cluster / 2 - 1)
        table = np.zeros((4, 5), dtype=int)
        np.add.at(table, (quantile_bins(values).codes - 1, cluster), 1)
        effect, share = cramers_v(table), epsilon_squared(values, cluster)
        held.append((effect.low <= v <= effect.high, share.low <= epsilon <= share.high))
    assert np.mean(held, axis=0).min() >= 0.93


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [
        ([1, 2, 3], ["a", "b"], r"shape \(3,\) as `values`, found \(2,\)"),
        ([1, 2], ["a", None], "found 1 missing"),
        ([1, 2], [1.0, math.nan], "found 1 missing"),
        ([1, math.inf], [1, 2], "finite numbers, found 1 not"),
    ],
)
def test_unusable_groups(values, groups, message):
    with pytest.raises(InputError, match=message):
        kruskal_wallis(values, groups)


@pytest.mark.parametrize("level", [0, 1, 1.5])
def test_unusable_level(level):
    with pytest.raises(InputError, match="between 0 and 1"):
        cramers_v(TABLE, level=level)
