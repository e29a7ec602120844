import math

import numpy as np
import pytest
from scipy.stats import beta, binomtest, mannwhitneyu

from lggshape.errors import InputError
from lggshape.statistics import (
    auc,
    auc_difference,
    cluster_bootstrap,
    clustered_auc,
    clustered_auc_difference,
    clustered_proportion,
)


def clustered_values(rng, clusters, *, size=8, spread=1.0):
    """Draw values with a shift that a cluster's values share, positives one further up.

    Some clusters have mostly positives, the others mostly negatives.
    """
    sizes = rng.integers(2, size, clusters)
    codes = np.repeat(np.arange(clusters), sizes)
    positive = rng.random(len(codes)) < rng.choice([0.1, 0.8], clusters)[codes]
    values = rng.normal(0, 1, len(codes)) + spread * rng.normal(0, 1, clusters)[codes] + positive
    return values, positive, codes


def test_one_value_a_cluster_is_delong_invariant():
    rng = np.random.default_rng(1)
    values, positive, _ = clustered_values(rng, 40)
    values = values.round(1)  # with ties
    area = clustered_auc(values, positive, np.arange(len(values)))
    simple = auc(values[positive], values[~positive])
    assert area.estimate == pytest.approx(simple.estimate, rel=1e-12)
    assert area.standard_error == pytest.approx(simple.standard_error, rel=1e-12)


def test_variance_is_the_defining_formula_analytic():
    values, positive, codes = clustered_values(np.random.default_rng(2), 12)
    # Obuchowski (1997), with the kernel of every pair written out.
    x, y = values[positive], values[~positive]
    psi = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    theta = psi.mean()
    total = np.unique(codes)
    v10 = np.array([(psi.mean(axis=1) - theta)[codes[positive] == c].sum() for c in total])
    v01 = np.array([(psi.mean(axis=0) - theta)[codes[~positive] == c].sum() for c in total])
    i10, i01, i = len(set(codes[positive])), len(set(codes[~positive])), len(total)
    m, n = len(x), len(y)
    s10 = i10 / ((i10 - 1) * m) * (v10**2).sum()
    s01 = i01 / ((i01 - 1) * n) * (v01**2).sum()
    s11 = i / (i - 1) * (v10 * v01).sum()
    expected = math.sqrt(s10 / m + s01 / n + 2 * s11 / (m * n))
    area = clustered_auc(values, positive, codes)
    assert area.standard_error == pytest.approx(expected, rel=1e-12)
    assert area.estimate == pytest.approx(mannwhitneyu(x, y).statistic / (m * n), rel=1e-12)


def test_standard_error_is_that_of_a_cluster_bootstrap_simulated():
    values, positive, codes = clustered_values(np.random.default_rng(3), 150, spread=1.5)
    areas = []

    def area(rows):
        drawn = positive[rows]
        areas.append(auc(values[rows][drawn], values[rows][~drawn]).estimate)
        return areas[-1]

    cluster_bootstrap(area, codes, replicates=400)
    found = clustered_auc(values, positive, codes)
    assert found.standard_error == pytest.approx(np.std(areas), rel=0.12)
    # As if all values were independent, it would be far smaller.
    plain = auc(values[positive], values[~positive])
    assert found.standard_error > 1.3 * plain.standard_error


def test_coverage_of_the_intervals_simulated():
    rng = np.random.default_rng(4)
    # Two values of all differ by a normal number of variance 2 + 2 spread**2, and shift 1.
    truth = 0.5 * (1 + math.erf(1 / math.sqrt(2 * 4)))
    inside = {"auc": 0, "share": 0}
    for _ in range(400):
        values, positive, codes = clustered_values(rng, 40)
        area = clustered_auc(values, positive, codes)
        inside["auc"] += area.low <= truth <= area.high
        share = clustered_proportion(values - positive > 1, codes)
        expected = 0.5 * (1 - math.erf(1 / math.sqrt(2 * 2)))
        inside["share"] += share.low <= expected <= share.high
    assert 0.92 < inside["auc"] / 400 < 0.985
    assert 0.92 < inside["share"] / 400 < 0.985


def test_names_and_order_of_clusters_do_not_matter_invariant():
    rng = np.random.default_rng(5)
    values, positive, codes = clustered_values(rng, 20)
    order = rng.permutation(len(values))
    names = np.array([f"patient {code}" for code in codes])
    assert clustered_auc(values[order], positive[order], names[order]) == pytest.approx(
        clustered_auc(values, positive, codes)
    )


def test_perfect_separation_counts_pairs_of_clusters_scipy():
    clusters = np.repeat(np.arange(10), 4)
    positive = np.tile([True, True, False, False], 10)
    area = clustered_auc(positive * 1.0, positive, clusters)
    # Ten clusters with both kinds make five pairs of different clusters.
    expected = binomtest(5, 5).proportion_ci(method="exact")
    assert area == pytest.approx((1, expected.low, 1, 0), abs=1e-12)


def test_single_cluster_has_no_standard_error_analytic():
    area = clustered_auc([3, 1, 2], [True, False, True], ["a", "a", "a"])
    assert (area.estimate, area.high) == (1, 1)
    assert math.isnan(area.standard_error)
    share = clustered_proportion([True, False], ["a", "a"])
    assert share.estimate == 0.5
    assert math.isnan(share.standard_error)


def test_share_of_one_trial_a_cluster_is_binomial_analytic():
    outcomes = np.repeat([1, 0], [30, 10])
    share = clustered_proportion(outcomes, np.arange(40))
    # The variance of a mean: p (1 - p) / (n - 1).
    assert share.standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 39))


def test_share_of_equal_trials_is_that_of_one_a_cluster_invariant():
    outcomes = np.repeat([1, 0], [30, 10])
    assert clustered_proportion(np.repeat(outcomes, 7), np.repeat(np.arange(40), 7)) == (
        pytest.approx(clustered_proportion(outcomes, np.arange(40)))
    )


def test_share_of_only_successes_scipy():
    share = clustered_proportion(np.ones(50), np.repeat(np.arange(25), 2))
    expected = binomtest(25, 25).proportion_ci(method="exact")
    assert share == pytest.approx((1, expected.low, 1, 0))


def test_bootstrap_draws_whole_clusters_invariant():
    codes = np.array(["a", "b", "a", "c", "b", "b"])

    def check(rows):
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[2]
        assert counts[1] == counts[4] == counts[5]
        assert counts[0] + counts[1] + counts[3] == 3
        return 0.0

    cluster_bootstrap(check, codes, replicates=50)


def test_bootstrap_of_a_mean_is_near_the_normal_interval_analytic():
    values = np.random.default_rng(6).normal(10, 2, 400)
    ends = cluster_bootstrap(lambda rows: values[rows].mean(), np.arange(400), replicates=2000)
    reach = 1.96 * values.std() / 20
    assert ends[:, 0] == pytest.approx(
        [values.mean() - reach, values.mean() + reach], abs=0.15 * reach
    )


def test_bootstrap_leaves_out_what_is_not_defined_analytic():
    ends = cluster_bootstrap(
        lambda rows: (np.nan, 1.0 if 0 in rows else np.nan), np.arange(3), replicates=100
    )
    assert np.isnan(ends[:, 0]).all()
    assert ends[:, 1].tolist() == [1, 1]
    assert np.isnan(cluster_bootstrap(len, ["a", "a"], replicates=5)).all()


def test_same_seed_gives_the_same_draws_invariant():
    values = np.random.default_rng(7).random(30)
    one, same, other = (
        cluster_bootstrap(lambda rows: values[rows].mean(), np.arange(30), seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [True, True], [1, 2]), "positives and negatives, found 2 and 0"),
        (([1, 2], [True], [1, 2]), r"`positive` to have shape \(2,\), found \(1,\)"),
        (([1, 2], [True, False], [1]), r"`clusters` to be a list of 2, found shape \(1,\)"),
        (([1, math.inf], [True, False], [1, 2]), "finite numbers"),
    ],
)
def test_unusable_values(arguments, message):
    with pytest.raises(InputError, match=message):
        clustered_auc(*arguments)
    values, *others = arguments
    with pytest.raises(InputError, match=message):
        clustered_auc_difference(values, values, *others)


def test_difference_of_a_single_cluster_is_paired_off_scipy():
    """One pair, of which (1 + difference) / 2 speaks for the first: Clopper and Pearson."""
    positive = [True, False, True]
    found = clustered_auc_difference([3, 1, 2], [1, 2, 3], positive, ["a", "a", "a"])
    assert (found.first, found.second, found.difference) == (1, 0.5, 0.5)
    assert math.isnan(found.standard_error)
    assert found.low == pytest.approx(2 * beta.ppf(0.025, 0.75, 1.25) - 1)
    assert found.high == pytest.approx(2 * beta.ppf(0.975, 1.75, 0.25) - 1)
    assert found.p == 1


def test_unusable_clusters():
    with pytest.raises(InputError, match="a list of at least one, found shape"):
        cluster_bootstrap(len, [])
    with pytest.raises(InputError, match="`level` to be between 0 and 1"):
        clustered_proportion([1], [1], level=2)


# --- differences of areas


def paired_values(seed, clusters):
    """Draw two measurements of the same clustered things, the second with more noise."""
    rng = np.random.default_rng(seed)
    first, positive, codes = clustered_values(rng, clusters)
    return first, first + rng.normal(0, 1.5, len(first)), positive, codes


def test_difference_with_one_value_a_cluster_is_delong_invariant():
    first, second, positive, _ = paired_values(11, 40)
    found = clustered_auc_difference(first, second, positive, np.arange(len(first)))
    expected = auc_difference(first, second, positive)
    assert found.difference == pytest.approx(expected.difference, rel=1e-12)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-9)


def test_areas_of_a_difference_are_those_of_each_invariant():
    first, second, positive, codes = paired_values(12, 30)
    found = clustered_auc_difference(first, second, positive, codes)
    areas = [clustered_auc(values, positive, codes).estimate for values in (first, second)]
    assert found.difference == pytest.approx(areas[0] - areas[1], rel=1e-12)
    turned = clustered_auc_difference(second, first, positive, codes)
    assert turned.difference == -found.difference
    assert turned.p == pytest.approx(found.p)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_standard_error_of_a_difference_is_that_of_a_cluster_bootstrap_simulated():
    first, second, positive, codes = paired_values(13, 150)

    def difference(rows):
        areas = [
            auc(values[rows][positive[rows]], values[rows][~positive[rows]]).estimate
            for values in (first, second)
        ]
        return areas[0] - areas[1]

    ends = cluster_bootstrap(difference, codes, replicates=400, seed=1).ravel()
    found = clustered_auc_difference(first, second, positive, codes)
    # Of 400 draws, the distance of the quantiles is right to within a tenth or so.
    assert ends[1] - ends[0] == pytest.approx(2 * 1.96 * found.standard_error, rel=0.2)


def test_p_of_equal_measurements_analytic():
    first, _, positive, codes = paired_values(14, 20)
    found = clustered_auc_difference(first, 2 * first + 1, positive, codes)
    assert (found.difference, found.p) == (0, 1)
    assert found.low == -found.high < 0


@pytest.mark.parametrize("spread", [0.0, 1.5])
def test_null_differences_are_found_as_often_as_they_should_simulated(spread):
    rng = np.random.default_rng(15)
    rejected = 0
    for _ in range(400):
        first, positive, codes = clustered_values(rng, 40, spread=spread)
        noise = rng.normal(0, 1, (2, len(first)))
        found = clustered_auc_difference(*(first + noise), positive, codes)
        rejected += found.p < 0.05
    # 5 % of 400 to within about three standard errors.
    assert 7 <= rejected <= 34
