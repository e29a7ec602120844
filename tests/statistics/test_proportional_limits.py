import numpy as np
import pytest
from scipy.stats import linregress

from lggshape.errors import InputError
from lggshape.statistics import limits_of_agreement
from lggshape.statistics.proportional_limits import proportional_limits

RNG = np.random.default_rng(1)
REFERENCE = RNG.uniform(1, 10, 80)
MEASURED = REFERENCE * (1.1 + 0.2 * RNG.normal(size=80))


def test_lines_are_those_of_two_regressions_scipy() -> None:
    difference, mean = MEASURED - REFERENCE, (MEASURED + REFERENCE) / 2
    bias = linregress(mean, difference)
    residuals = np.abs(difference - bias.intercept - bias.slope * mean)
    spread = linregress(mean, residuals)
    for found in proportional_limits(MEASURED, REFERENCE, [2.0, 8.0], replicates=200):
        middle = bias.intercept + bias.slope * found.mean
        # 2.46 is 1.96 times the square root of pi / 2 (Bland and Altman).
        reach = 2.4565 * (spread.intercept + spread.slope * found.mean)
        assert found.bias.estimate == pytest.approx(middle)
        assert found.lower.estimate == pytest.approx(middle - reach, rel=1e-4)
        assert found.upper.estimate == pytest.approx(middle + reach, rel=1e-4)
        for effect in found[1:]:
            assert effect.low < effect.estimate < effect.high


def test_95_percent_of_differences_lie_between_simulation() -> None:
    rng = np.random.default_rng(2)
    reference = rng.uniform(1, 10, 20_000)
    measured = reference * (1 + 0.1 * rng.normal(size=20_000))
    difference, mean = measured - reference, (measured + reference) / 2
    low, high = proportional_limits(measured, reference, [3.0, 7.0], replicates=1)
    for found in (low, high):
        near = np.abs(mean - found.mean) < 0.3
        inside = (difference[near] > found.lower.estimate) & (
            difference[near] < found.upper.estimate
        )
        assert inside.mean() == pytest.approx(0.95, abs=0.02)
    constant = limits_of_agreement(measured, reference)
    width = constant.upper.estimate - constant.lower.estimate
    assert low.upper.estimate - low.lower.estimate < 0.6 * width
    assert high.upper.estimate - high.lower.estimate > width


def test_too_few_pairs_are_refused_and_equal_means_have_no_lines() -> None:
    with pytest.raises(InputError, match="at least 3 pairs"):
        proportional_limits([1, 2], [1, 2], [1.5])
    (found,) = proportional_limits([1, 2, 3], [3, 2, 1], [2.0], replicates=3)
    assert np.isnan(found.lower.estimate)
