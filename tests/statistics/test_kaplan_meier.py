"""Values of R come from benchmarks/oracles/kinds_of_label.R."""

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics import kaplan_meier

TIME = [5, 14, 9, 30, 22, 3, 17, 26, 8, 12, 9, 21]
EVENT = [1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0]


def test_survival_r() -> None:
    curve = kaplan_meier(TIME, EVENT)
    assert curve.times.tolist() == [0, 3, 5, 8, 9, 12, 14, 17, 30]
    expected = [
        1, 0.9166666667, 0.8333333333, 0.75, 0.6666666667, 0.5714285714, 0.4761904762,
        0.380952381, 0,
    ]  # fmt: skip
    assert curve.surviving == pytest.approx(np.array(expected), abs=1e-9)
    assert curve.censored.tolist() == [9, 21, 22, 26]
    assert curve.end == 30


def test_between_events_nothing_changes_analytic() -> None:
    curve = kaplan_meier([1, 2, 3], [0, 1, 0])
    assert curve.at([0, 1.9, 2, 99]).tolist() == [1, 1, 0.5, 0.5]


def test_without_events_all_survive_analytic() -> None:
    curve = kaplan_meier([1, 2], [0, 0])
    assert (curve.times.tolist(), curve.surviving.tolist()) == ([0], [1])


def test_times_before_the_beginning_are_refused() -> None:
    with pytest.raises(InputError, match="no negative times, found -1"):
        kaplan_meier([1, -1], [0, 1])
