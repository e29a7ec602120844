"""Values of R come from benchmarks/oracles/kinds_of_label.R."""

import math
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, somersd

from lggshape.errors import InputError
from lggshape.statistics import auc, jonckheere_terpstra, somers_d

VALUES = [2.1, 3.4, 1.9, 4.4, 5.0, 3.3, 6.1, 4.9, 7.2, 2.6, 5.8, 6.6]
TIED = [2, 3, 2, 4, 5, 3, 6, 5, 7, 3, 6, 7]
LEVELS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_jonckheere_of_ties_r() -> None:
    result = jonckheere_terpstra(TIED, LEVELS)
    assert result.method == "normal"
    assert result.statistic == 41
    assert result.p == pytest.approx(0.01148513351, rel=1e-9)


def test_jonckheere_of_many_values_is_normal_analytic() -> None:
    # 12 values, each nine times and moved by less than any distance: no ties, but more than 100.
    values = np.repeat(VALUES, 9) + np.tile(np.arange(9), 12) / 1000
    result = jonckheere_terpstra(values, np.repeat(LEVELS, 9))
    assert (result.statistic, result.method) == (39 * 81, "normal")


def test_jonckheere_without_ties_is_exact_r() -> None:
    result = jonckheere_terpstra(VALUES[:9], LEVELS[:9])
    assert result.method == "exact"
    assert result.p == pytest.approx(0.02222222222, rel=1e-9)


def test_the_exact_p_counts_all_orders_analytic() -> None:
    levels = np.array([0, 0, 1, 1, 1, 2, 2])
    above = levels[None, :] > levels[:, None]

    def score(order: np.ndarray) -> int:
        return int((above & (order[None, :] > order[:, None])).sum())

    scores = np.array([score(np.array(order)) for order in permutations(range(7))])
    for observed in ([3, 1, 2, 5, 4, 6, 0], [6, 5, 4, 3, 2, 1, 0], [0, 3, 1, 4, 2, 6, 5]):
        place = score(np.array(observed))
        tails = np.mean(scores >= place), np.mean(scores <= place)
        result = jonckheere_terpstra(observed, levels)
        assert result.statistic == place
        assert result.p == pytest.approx(min(1.0, 2 * min(tails)), rel=1e-12)


def test_two_levels_are_the_test_of_mann_and_whitney_scipy() -> None:
    rng = np.random.default_rng(3)
    values, levels = rng.normal(size=60), rng.integers(0, 2, 60)
    expected = mannwhitneyu(values[levels == 1], values[levels == 0], method="exact")
    result = jonckheere_terpstra(values, levels)
    assert result[:2] == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    area = auc(values[levels == 1], values[levels == 0])
    assert somers_d(values, levels) == pytest.approx([2 * end - 1 for end in area[:3]], rel=1e-12)


def test_somers_d_scipy() -> None:
    for values in (VALUES, TIED):
        expected = somersd(LEVELS, values).statistic
        assert somers_d(values, LEVELS).estimate == pytest.approx(expected, rel=1e-12)


def test_only_the_order_matters_invariant() -> None:
    effect = somers_d(VALUES, LEVELS)
    assert somers_d(np.exp(VALUES), np.array(LEVELS) * 10 + 3) == pytest.approx(effect)
    turned = somers_d(-np.array(VALUES), LEVELS)
    assert turned == pytest.approx((-effect.estimate, -effect.high, -effect.low))
    assert jonckheere_terpstra(-np.array(VALUES), LEVELS).p == pytest.approx(
        jonckheere_terpstra(VALUES, LEVELS).p
    )


def test_an_effect_without_error_has_the_interval_of_disjoint_pairs_analytic() -> None:
    # Six pairs of twelve values, all in order: Clopper and Pearson of 6 successes of 6.
    effect = somers_d(sorted(VALUES), LEVELS)
    assert effect == pytest.approx((1.0, 2 * 0.025 ** (1 / 6) - 1, 1.0))
    assert somers_d([1] * 12, LEVELS).estimate == 0


def test_a_level_of_one_thing_has_an_interval_analytic() -> None:
    effect = somers_d(VALUES, [0] * 6 + [1] * 5 + [2])
    assert -1 < effect.low < effect.estimate < effect.high < 1


def test_without_levels_or_values_there_is_nothing_to_test_analytic() -> None:
    assert math.isnan(jonckheere_terpstra([1, 2, 3], [1, 1, 1]).p)
    assert math.isnan(jonckheere_terpstra([2, 2, 2], [0, 1, 2]).p)
    assert math.isnan(somers_d([1, 2, 3], [1, 1, 1]).estimate)
    with pytest.raises(InputError, match="shape"):
        jonckheere_terpstra([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="level"):
        somers_d([1, 2], [1, 2], level=95)


def test_size_and_coverage_simulation() -> None:
    """A fast version of benchmarks/kinds_of_label.py: 300 sets of 15 patients in three levels."""
    rng = np.random.default_rng(21)
    below, covered = 0, 0
    for _ in range(300):
        levels = rng.integers(0, 3, 15)
        values = np.round(rng.normal(size=15), 1)
        below += jonckheere_terpstra(values, levels).p < 0.05
        effect = somers_d(values, levels)
        covered += effect.low <= 0 <= effect.high
    assert below / 300 <= 0.08
    assert covered / 300 >= 0.93
