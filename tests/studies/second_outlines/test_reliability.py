"""Statistics of pairs, for many samples at once."""

import numpy as np
import pytest

from lggshape.statistics import cramers_v, epsilon_squared, intraclass_correlation, quantile_bins
from lggshape.statistics.agreement_draws import intraclass_draws, resamples, with_interval
from lggshape.studies.second_outlines.reliability import (
    ABSOLUTE,
    CONSISTENCY,
    explained_ranks,
    quartile_association,
)

RNG = np.random.default_rng(3)
ONE, OTHER = RNG.normal(size=(2, 40)) + RNG.normal(size=40)
GROUPS = np.arange(40) % 3
MEMBERS = np.stack([group == GROUPS for group in range(3)])


def test_absolute_agreement_is_that_of_the_library_invariant() -> None:
    found = intraclass_draws(ONE, OTHER + 0.7, ABSOLUTE)
    expected = intraclass_correlation(np.column_stack([ONE, OTHER + 0.7])).estimate
    assert found == pytest.approx(expected, rel=1e-12)


def test_consistency_is_covariance_over_the_mean_variance_analytic() -> None:
    (first, covariance), (_, second) = np.cov(ONE, OTHER)
    for shift in (0.0, 5.0):
        found = intraclass_draws(ONE, OTHER + shift, CONSISTENCY)
        assert found == pytest.approx(2 * covariance / (first + second), rel=1e-9)


def test_effects_are_those_of_the_library_invariant() -> None:
    rounded = ONE.round(1)
    expected = epsilon_squared(rounded, GROUPS).estimate
    assert explained_ranks(rounded, MEMBERS) == pytest.approx(expected, rel=1e-9)
    bins = quantile_bins(ONE, 4).codes - 1
    table = [[np.sum((bins == row) & (group == GROUPS)) for group in range(3)] for row in range(4)]
    expected = cramers_v(table).estimate
    assert quartile_association(ONE, MEMBERS) == pytest.approx(expected, abs=1e-9)


def test_many_samples_at_once_are_each_by_itself_invariant() -> None:
    draws = resamples(40, number=5, seed=1)
    for effect in (explained_ranks, quartile_association):
        together = effect(ONE[draws], MEMBERS[:, draws])
        alone = [effect(ONE[draw], MEMBERS[:, draw]) for draw in draws]
        np.testing.assert_allclose(together, alone)
    together = intraclass_draws(ONE[draws], OTHER[draws], ABSOLUTE)
    np.testing.assert_allclose(
        together, [intraclass_draws(ONE[draw], OTHER[draw], ABSOLUTE) for draw in draws]
    )


def test_an_interval_is_of_the_percentiles_analytic() -> None:
    found = with_interval(50.0, np.array([*np.arange(101.0), np.nan]))
    assert tuple(found) == pytest.approx((50.0, 2.5, 97.5))
    assert np.isnan(with_interval(1.0, np.array([np.nan])).low)
