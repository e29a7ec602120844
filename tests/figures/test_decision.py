import re

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.figures import decision_curves, render
from lggshape.figures.style import LEVELS

THRESHOLDS = [0.1, 0.2, 0.5]
# Treating all at a prevalence of 0.3: 0.3 - 0.7 t / (1 - t).
TREAT_ALL = [0.2222, 0.125, -0.4]


def drawn(curves):
    return decision_curves(THRESHOLDS, curves, TREAT_ALL)


def test_each_model_is_a_line_beside_treating_all_and_none_analytic() -> None:
    figure = drawn({"age": [0.24, 0.2, 0.1], "shape": [0.23, np.nan, 0.05]})
    axes = figure.axes[0]
    for line, values in zip(
        axes.lines, ([0.24, 0.2, 0.1], [0.23, np.nan, 0.05], TREAT_ALL, [0, 0, 0]), strict=True
    ):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([THRESHOLDS, values]))
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["age", "shape", "treat all", "treat none"]


def test_more_models_than_colours_still_differ_invariant() -> None:
    count = 2 * len(LEVELS)
    svg = render(drawn({f"model {i}": TREAT_ALL for i in range(count)})).svg
    # Each look is there twice, in the axes and in the legend.
    looks = re.findall(r'style="(fill: none;[^"]* stroke-width: 1.6[^"]*)"', svg)
    assert len(looks) == 2 * count
    assert len(set(looks)) == count


@pytest.mark.parametrize(
    ("curve", "low", "high"),
    [
        ([0.3, 0.2, 0.1], 0, 0.3),  # treating all leaves the axis below
        ([0.3, 0.2, -0.1], -0.1, 0.3),  # a model does not
        ([0.3, 0.2, -0.9], -0.3, 0.3),  # unless it does more harm than good
    ],
)
def test_limits_hold_the_models_analytic(curve, low, high) -> None:
    margin = 0.06 * (high - low)
    limits = drawn({"model": curve}).axes[0].get_ylim()
    assert limits == pytest.approx((low - margin, high + margin))


def test_without_any_benefit_there_is_an_axis() -> None:
    figure = decision_curves([0.7, 0.8], {"model": [0, 0]}, [-0.4, -0.9])
    low, high = figure.axes[0].get_ylim()
    assert low < 0 < high


def test_files_are_the_same_on_every_run_invariant() -> None:
    def draw():
        return render(drawn({"age": [0.24, 0.2, 0.1]}))

    assert draw() == draw()


@pytest.mark.parametrize("thresholds", [[0.1], [0.2, 0.1], [0.1, np.nan], [[0.1, 0.2]]])
def test_thresholds_ascend(thresholds) -> None:
    with pytest.raises(InputError, match="two or more, ascending"):
        decision_curves(thresholds, {}, thresholds)


def test_curves_are_as_long_as_the_thresholds() -> None:
    with pytest.raises(InputError, match=r"`age` to have 3 values, found shape \(2,"):
        drawn({"age": [0.1, 0.2]})
    with pytest.raises(InputError, match="`treat_all`"):
        decision_curves([0.1, 0.2], {}, [0.1])
