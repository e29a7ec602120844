"""Values of R come from benchmarks/oracles/detectable.R."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from lggshape.errors import InputError
from lggshape.statistics import (
    detectable_epsilon_squared,
    detectable_hazard_ratio,
    detectable_rank_correlation,
    detectable_somers_d,
    detectable_v,
    jonckheere_terpstra,
    kruskal_wallis,
    power_of_v,
)


@pytest.mark.parametrize(
    ("n", "rows", "columns", "expected"),
    [(92, 4, 4, 0.2932144694), (110, 4, 3, 0.3088421064)],
)
def test_detectable_v_r(n: int, rows: int, columns: int, expected: float) -> None:
    found = detectable_v(n, rows, columns, alpha=0.005, power=0.8)
    assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (detectable_epsilon_squared([30, 30, 30]), 0.1082549311),
        (detectable_epsilon_squared([10, 40], alpha=0.01), 0.2383462887),
        (detectable_somers_d([20, 20]), 0.5178513856),
        (detectable_somers_d([15, 30, 12], alpha=0.01), 0.4545603905),
        (detectable_rank_correlation(30), 0.4997562183),
        (detectable_rank_correlation(100, alpha=0.001), 0.399369097),
    ],
)
def test_detectable_effects_r(found: float, expected: float) -> None:
    assert found == pytest.approx(expected, rel=1e-7)


def test_detectable_hazard_ratio_analytic() -> None:
    # Hsieh and Lavori: the number of events is (1.96 + 0.842)^2 / (log HR)^2.
    ratio = detectable_hazard_ratio(49)
    assert (1.959964 + 0.841621) ** 2 / math.log(ratio) ** 2 == pytest.approx(49, rel=1e-6)


def normal_groups(rng: np.random.Generator, d: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values of two groups whose Somers' d is as asked."""
    groups = np.repeat([0, 1], size)
    return rng.normal(size=2 * size) + groups * math.sqrt(2) * norm.ppf((1 + d) / 2), groups


def p_of_trend(rng: np.random.Generator) -> float:
    return jonckheere_terpstra(*normal_groups(rng, detectable_somers_d([25, 25]), 25)).p


def p_of_groups(rng: np.random.Generator) -> float:
    # Epsilon squared of two equal groups is 3 d^2 / 4 for as small an effect as this.
    d = math.sqrt(detectable_epsilon_squared([60, 60]) * 4 / 3)
    return kruskal_wallis(*normal_groups(rng, d, 60)).p


def p_of_ranks(rng: np.random.Generator) -> float:
    r = 2 * math.sin(math.pi / 6 * detectable_rank_correlation(40))
    one = rng.normal(size=40)
    return float(spearmanr(one, r * one + math.sqrt(1 - r**2) * rng.normal(size=40)).pvalue)


def p_of_hazards(rng: np.random.Generator) -> float:
    """Return p of the score test of a Cox model; of 200 patients the first 100 have the event."""
    feature = rng.normal(size=200)
    times = rng.exponential(size=200) * detectable_hazard_ratio(100) ** -feature
    last_first = np.argsort(-times)
    happened, ordered = last_first < 100, feature[last_first]
    at_risk = np.arange(1, 201)
    mean = np.cumsum(ordered) / at_risk
    variance = np.cumsum(ordered**2) / at_risk - mean**2
    z = (ordered - mean)[happened].sum() / math.sqrt(variance[happened].sum())
    return 2 * float(norm.sf(abs(z)))


@pytest.mark.parametrize("p", [p_of_trend, p_of_groups, p_of_ranks, p_of_hazards])
def test_a_detectable_effect_is_found_in_about_four_of_five_sets_simulation(
    p: Callable[[np.random.Generator], float],
) -> None:
    rng = np.random.default_rng(5)
    found = np.mean([p(rng) <= 0.05 for _ in range(400)])
    # The spread of J is less with a trend than without one, as which it is taken; and those who are
    # at risk become more alike with time.
    assert 0.7 <= found <= 0.89


def test_few_patients_detect_nothing_analytic() -> None:
    assert math.isnan(detectable_v(3, 4, 4, alpha=0.005))
    # Two groups of three have twenty orders: p is at least .1.
    assert math.isnan(detectable_somers_d([3, 3]))
    assert math.isnan(detectable_epsilon_squared([3, 3]))
    # Four patients have 24 orders: p is at least .083.
    assert math.isnan(detectable_rank_correlation(4))
    assert math.isnan(detectable_hazard_ratio(0))


def test_more_patients_detect_smaller_effects_invariant() -> None:
    for smaller, larger in (
        (detectable_v(40, 4, 2), detectable_v(80, 4, 2)),
        (detectable_epsilon_squared([20, 20]), detectable_epsilon_squared([40, 40])),
        (detectable_somers_d([20, 20]), detectable_somers_d([40, 40])),
        (detectable_rank_correlation(40), detectable_rank_correlation(80)),
        (detectable_hazard_ratio(40), detectable_hazard_ratio(80)),
    ):
        assert smaller > larger


@pytest.mark.parametrize("wrong", [{"n": 0}, {"rows": 1}, {"alpha": 0.9}, {"power": 1.0}])
def test_detectable_v_of_nonsense(wrong: dict[str, float]) -> None:
    options = {"n": 50, "rows": 2, "columns": 2, "alpha": 0.05, "power": 0.8} | wrong
    with pytest.raises(InputError, match=r"Expected (patients|0 < alpha)"):
        detectable_v(**options)


@pytest.mark.parametrize("sizes", [[5], [5, 0], [[5, 5]]])
def test_sizes_of_nonsense(sizes: list[int]) -> None:
    with pytest.raises(InputError, match="sizes of two groups"):
        detectable_somers_d(sizes)


def test_power_of_v_is_the_inverse_of_detectable_v_analytic():
    for alpha, power in ((0.05, 0.8), (0.005, 0.5)):
        v = detectable_v(110, 4, 3, alpha=alpha, power=power)
        assert power_of_v(110, 4, 3, v, alpha=alpha) == pytest.approx(power)
    assert power_of_v(110, 4, 3, 0, alpha=0.02) == pytest.approx(0.02)
    for wrong in ({"v": 1.1}, {"v": 0.1, "alpha": 1}):
        with pytest.raises(InputError, match="Expected `alpha` between 0 and 1 and `v`"):
            power_of_v(10, 2, 2, **wrong)
