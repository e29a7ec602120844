import math

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics import adjust

P = [0.01, 0.04, 0.03, 0.002, 0.5, 0.03]


def test_adjusted_p_r():
    # R: p.adjust(p, "bonferroni"), "holm", "BH"
    adjusted = adjust(P)
    np.testing.assert_allclose(adjusted.bonferroni, [0.06, 0.24, 0.18, 0.012, 1, 0.18])
    np.testing.assert_allclose(adjusted.holm, [0.05, 0.12, 0.12, 0.012, 0.5, 0.12])
    np.testing.assert_allclose(adjusted.bh, [0.03, 0.048, 0.045, 0.012, 0.5, 0.045])


def test_planned_family_r():
    # R: p.adjust(c(.01, .04, .03), method, n = 5)
    adjusted = adjust([0.01, 0.04, 0.03], family=5)
    np.testing.assert_allclose(adjusted.bonferroni, [0.05, 0.2, 0.15])
    np.testing.assert_allclose(adjusted.holm, [0.05, 0.12, 0.12])
    np.testing.assert_allclose(adjusted.bh, [0.05, 1 / 15, 1 / 15])


def test_missing_p_stays_missing_and_does_not_count_invariant():
    with_gap = adjust([P[0], math.nan, *P[1:]])
    for gap, whole in zip(with_gap, adjust(P), strict=True):
        assert math.isnan(gap[1])
        np.testing.assert_array_equal(np.delete(gap, 1), whole)


@pytest.mark.parametrize("p", [[], [math.nan, math.nan]])
def test_nothing_to_adjust(p):
    assert all(len(values) == len(p) and np.isnan(values).all() for values in adjust(p))


@pytest.mark.parametrize(
    ("p", "family", "message"),
    [
        ([0.5, 1.2], None, "values from 0 to 1"),
        ([-0.1], None, "values from 0 to 1"),
        ([[0.5]], None, "a list of p-values"),
        ([0.1, 0.2], 1, "at least the 2 hypotheses with a p, found 1"),
    ],
)
def test_unusable_p(p, family, message):
    with pytest.raises(InputError, match=message):
        adjust(p, family=family)
