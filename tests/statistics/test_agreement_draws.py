import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics import concordance, intraclass_correlation
from lggshape.statistics.agreement_draws import (
    agreement_coefficients,
    concordance_draws,
    intraclass_draws,
    resamples,
)

RNG = np.random.default_rng(6)
ONE, OTHER = np.exp(RNG.normal(size=(2, 60)) * 0.3 + RNG.normal(size=60))


def test_each_draw_is_the_coefficient_of_its_sample_invariant() -> None:
    rows = resamples(60, number=4, seed=2)
    lin = concordance_draws(ONE[rows], OTHER[rows])
    intraclass = intraclass_draws(ONE[rows], OTHER[rows])
    for number, row in enumerate(rows):
        assert lin[number] == pytest.approx(concordance(ONE[row], OTHER[row]).estimate)
        table = np.column_stack([ONE[row], OTHER[row]])
        assert intraclass[number] == pytest.approx(intraclass_correlation(table).estimate)


def test_intervals_are_percentiles_of_the_draws_invariant() -> None:
    found = agreement_coefficients(ONE, OTHER, replicates=300, seed=5)
    rows = resamples(60, number=300, seed=5)
    for effect, draws in zip(found, (intraclass_draws, concordance_draws), strict=True):
        ends = np.percentile(draws(ONE[rows], OTHER[rows]), [2.5, 97.5])
        assert (effect.low, effect.high) == pytest.approx(tuple(ends))
        assert effect.low < effect.estimate < effect.high


def test_skewed_measurements_have_wider_intervals_than_normal_ones_would_simulation() -> None:
    # As volumes: few large things decide, which an interval for normal values does not know.
    rng = np.random.default_rng(8)
    held = {"bootstrap": 0, "normal": 0}
    truth = intraclass_draws(*_skewed(rng, 400_000))
    for _ in range(80):
        one, other = _skewed(rng, 110)
        found = agreement_coefficients(one, other, replicates=200).intraclass
        normal = intraclass_correlation(np.column_stack([one, other]))
        held["bootstrap"] += found.low <= truth <= found.high
        held["normal"] += normal.low <= truth <= normal.high
    assert held["bootstrap"] / 80 > 0.85
    assert held["normal"] < held["bootstrap"] - 5


def _skewed(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    size = rng.lognormal(0, 1, n)
    return size * rng.lognormal(0, 0.2, n), size * rng.lognormal(0, 0.2, n)


def test_few_things_and_perfect_agreement_have_no_interval_analytic() -> None:
    found = agreement_coefficients([1.0, 2], [1.0, 3], replicates=5)
    assert np.isnan([*found.intraclass, *found.concordance]).all()
    found = agreement_coefficients(ONE, ONE, replicates=5)
    assert found.intraclass.estimate == found.concordance.estimate == pytest.approx(1)
    assert np.isnan([found.intraclass.low, found.concordance.high]).all()


def test_no_samples_are_refused() -> None:
    with pytest.raises(InputError, match="replicates"):
        agreement_coefficients(ONE, OTHER, replicates=0)
