"""Differences of independent estimates."""

import math

import pytest

from lggshape.statistics import Effect, difference_of_estimates


def test_errors_of_symmetric_intervals_add_in_squares_analytic() -> None:
    found = difference_of_estimates(Effect(5.0, 2.0, 8.0), Effect(1.0, -3.0, 5.0))
    assert found == pytest.approx((4.0, -1.0, 9.0))


def test_the_order_only_turns_the_sign_invariant() -> None:
    one, other = Effect(0.5, 0.2, 0.6), Effect(0.1, 0.0, 0.5)
    there, back = difference_of_estimates(one, other), difference_of_estimates(other, one)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_an_unknown_end_leaves_that_end_of_the_difference_unknown_analytic() -> None:
    found = difference_of_estimates(Effect(1.0, math.nan, 2.0), Effect(0.0, -1.0, 1.0))
    assert math.isnan(found.low)
    assert found.high == pytest.approx(1 + math.sqrt(2))
