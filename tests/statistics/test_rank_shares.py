import math

import numpy as np
import pytest
from scipy.stats import rankdata

from lggshape.errors import InputError
from lggshape.statistics import epsilon_squared, freedman_lane
from lggshape.statistics.contingency import bias_corrected_v, cramers_v
from lggshape.statistics.rank_shares import (
    rank_share,
    rank_share_draws,
    weighted_rank_shares,
)

RNG = np.random.default_rng(4)
GROUP = RNG.integers(0, 4, 60)
VALUES = np.round(RNG.normal(size=60) + 0.6 * GROUP, 1)
"""With ties."""
DUMMIES = np.eye(4)[GROUP][:, 1:]
COVARIATES = np.column_stack([RNG.normal(size=(60, 2)), np.repeat([0.0, 1.0], 30)])


def test_of_groups_it_is_epsilon_squared_invariant() -> None:
    expected = epsilon_squared(VALUES, GROUP)
    found = rank_share(VALUES, DUMMIES, replicates=500)
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-10)
    assert 0 < found.low < found.estimate < found.high < 1


def test_given_covariates_it_is_partial_r_squared_invariant() -> None:
    twice = np.column_stack([COVARIATES, COVARIATES[:, 0] * 3])  # one depends on another
    expected = freedman_lane(rankdata(VALUES), DUMMIES, twice, strata=None, permutations=9)
    found = rank_share(VALUES, DUMMIES, twice, replicates=10)
    assert found.estimate == pytest.approx(expected.effect.estimate, rel=1e-9)


def test_a_weight_is_so_many_copies_of_a_row_invariant() -> None:
    weights = np.random.default_rng(1).multinomial(60, np.full(60, 1 / 60), size=5)
    found = weighted_rank_shares(VALUES, DUMMIES, COVARIATES, weights=weights)
    for place, counts in enumerate(weights):
        rows = np.repeat(np.arange(60), counts)
        expected = freedman_lane(
            rankdata(VALUES[rows]), DUMMIES[rows], COVARIATES[rows], strata=None, permutations=9
        )
        assert found.share[place] == pytest.approx(expected.effect.estimate, rel=1e-9)
        freedom = (found.df_tested[place], found.df_residual[place])
        assert freedom == (expected.df_tested, expected.df_residual)


def test_draws_are_about_the_estimate_simulation() -> None:
    # The bias of a sample is taken off once, so that the draws keep that of the data alone.
    draws = rank_share_draws(VALUES, DUMMIES, replicates=4000)
    assert np.mean(draws) == pytest.approx(rank_share(VALUES, DUMMIES).estimate, abs=0.01)


def test_the_interval_holds_a_share_of_nothing_simulation() -> None:
    rng = np.random.default_rng(2)
    low = [rank_share(rng.permutation(VALUES), DUMMIES, replicates=200).low for _ in range(60)]
    assert np.mean(np.array(low) == 0) > 0.85


def test_nothing_to_explain_has_no_share_analytic() -> None:
    for values, tested in ((np.ones(60), DUMMIES), (VALUES, np.ones((60, 1)))):
        found = rank_share(values, tested, replicates=10)
        assert all(map(math.isnan, found))
    # What the covariates explain completely, too.
    assert math.isnan(rank_share(VALUES, DUMMIES, rankdata(VALUES)[:, None], replicates=10)[0])


def test_weights_that_are_no_counts_are_refused() -> None:
    for weights in ([[0.5] * 60], [[1] * 59], [[-1] * 60]):
        with pytest.raises(InputError, match="whole numbers of shape"):
            weighted_rank_shares(VALUES, DUMMIES, weights=weights)


def test_bias_corrected_v_is_the_estimate_invariant() -> None:
    table = [[9, 2, 0, 4], [3, 8, 0, 1], [2, 2, 0, 9]]
    assert bias_corrected_v(table) == cramers_v(table).estimate
    assert math.isnan(bias_corrected_v([[3, 4]]))
