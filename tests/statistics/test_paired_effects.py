import math

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics import (
    cramers_v,
    epsilon_squared,
    paired_effects,
    quantile_bins,
)
from lggshape.statistics.paired_effects import cramers_vs, epsilons_squared

NAMES = np.array(["a", "b", "c"])


def cohort(rng: np.random.Generator, n: int = 60, effects: tuple[float, float] = (1, 1)):
    """Two measurements with a part in common, of patients in three groups."""
    groups = rng.integers(3, size=n)
    shared = rng.standard_normal(n)
    values = [effect * groups + shared + rng.standard_normal(n) for effect in effects]
    return (*values, NAMES[groups])


def table_of(values, groups) -> np.ndarray:
    bins = quantile_bins(values).codes
    return np.array([[np.sum((bins == b) & (groups == g)) for g in NAMES] for b in range(1, 5)])


def test_effects_of_rows_are_those_of_each_row_invariant() -> None:
    rng = np.random.default_rng(0)
    for ties in (False, True):
        values = rng.standard_normal((20, 30))
        values = values.round(0) if ties else values
        groups = rng.integers(3, size=(20, 30))
        ranks = [epsilon_squared(v, g).estimate for v, g in zip(values, groups, strict=True)]
        bins = [
            cramers_v(table_of(v, NAMES[g])).estimate for v, g in zip(values, groups, strict=True)
        ]
        assert epsilons_squared(values, groups) == pytest.approx(ranks)
        assert cramers_vs(values, groups) == pytest.approx(bins)


def test_rows_without_two_groups_or_values_analytic() -> None:
    values, groups = [[1, 2, 3, 4], [5, 5, 5, 5]], [[0, 0, 0, 0], [0, 0, 1, 1]]
    assert epsilons_squared(values, groups) == pytest.approx([math.nan, 0], nan_ok=True)
    assert cramers_vs(values, groups) == pytest.approx([math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize("effect", ["epsilon_squared", "cramers_v"])
def test_a_measurement_does_not_differ_from_itself_analytic(effect) -> None:
    first, _, groups = cohort(np.random.default_rng(1))
    # Effects by ranks and by quantiles do not depend on the scale.
    found = paired_effects(first, np.exp(first), groups, effect=effect, draws=99)
    assert found.first == found.second > 0.1
    assert found[2:6] == (0, 0, 0, 0)
    assert found.p == 1


def test_estimates_and_order_invariant() -> None:
    first, second, groups = cohort(np.random.default_rng(2))
    one = paired_effects(first, second, groups, effect="cramers_v", draws=49, seed=3)
    other = paired_effects(second, first, groups, effect="cramers_v", draws=49, seed=3)
    assert one.first == cramers_v(table_of(first, groups)).estimate
    assert one.second == cramers_v(table_of(second, groups)).estimate
    swapped = (-other.difference, -other.high, -other.low)
    assert (one.difference, one.low, one.high) == pytest.approx(swapped)
    assert (one.standard_error, one.p) == pytest.approx((other.standard_error, other.p))
    assert math.isnan(one.jackknife_error)


def test_bootstrap_and_jackknife_agree_simulation() -> None:
    """Epsilon squared is smooth, so that both estimate the same standard error."""
    first, second, groups = cohort(np.random.default_rng(4), n=200, effects=(1.0, 0.5))
    found = paired_effects(first, second, groups, draws=999)
    assert found.standard_error == pytest.approx(found.jackknife_error, rel=0.1)
    assert found.low < found.difference < found.high


def test_intervals_hold_the_true_difference_simulation() -> None:
    """Measurements of the same effect differ by 0; of 100 intervals of 95 %, 89 to 99 hold it."""
    rng = np.random.default_rng(5)
    found = [paired_effects(*cohort(rng), draws=199, seed=number) for number in range(100)]
    assert 89 <= sum(one.low <= 0 <= one.high for one in found) <= 99
    assert 0 <= sum(one.p <= 0.05 for one in found) <= 12  # binomial, 99.8 %


def test_a_difference_is_found_simulation() -> None:
    first, second, groups = cohort(np.random.default_rng(6), n=200, effects=(2, 0))
    for effect in ("epsilon_squared", "cramers_v"):
        found = paired_effects(first, second, groups, effect=effect, draws=199)
        assert found.low > 0.2
        assert found.p == 1 / 200


def test_one_group_has_no_effect_analytic() -> None:
    found = paired_effects([1, 2, 3], [3, 1, 2], ["a"] * 3, draws=9)
    assert all(map(math.isnan, found))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"second": [1, 2]}, "Expected `second` to have shape"),
        ({"effect": "eta"}, "Expected `effect` to be among epsilon_squared, cramers_v"),
        ({"draws": 0}, "`draws`"),
        ({"bins": 1}, "`bins`"),
        ({"level": 1}, "Expected `level` to be between 0 and 1"),
        ({"groups": ["a", None, "b"]}, "found 1 missing"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, message: str) -> None:
    known = {"first": [1, 2, 3], "second": [3, 1, 2], "groups": list("aab")} | options
    with pytest.raises(InputError, match=message):
        paired_effects(known.pop("first"), known.pop("second"), known.pop("groups"), **known)
