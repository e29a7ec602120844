import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.figures import decision_curves, render

THRESHOLDS = [0.1, 0.2, 0.5]
# Treating all at a prevalence of 0.3: 0.3 - 0.7 t / (1 - t).
TREAT_ALL = [0.2222, 0.125, -0.4]


def drawn(curves):
    return decision_curves(
        THRESHOLDS, {name: banded(curve) for name, curve in curves.items()}, TREAT_ALL
    )


def banded(curve):
    return np.array(curve) + np.array([[0], [-0.03], [0.02]])


def test_each_model_is_a_panel_beside_treating_all_and_none_analytic() -> None:
    curves = {"age": [0.24, 0.2, 0.1], "shape": [0.23, np.nan, 0.05]}
    figure = drawn(curves)
    for axes, (name, curve) in zip(figure.axes, curves.items(), strict=False):
        assert axes.get_title(loc="left") == name
        for line, values in zip(axes.lines, (curve, TREAT_ALL, [0, 0, 0]), strict=True):
            np.testing.assert_array_equal(line.get_xydata(), np.column_stack([THRESHOLDS, values]))
        (band,) = axes.collections
        points = np.concatenate([path.vertices for path in band.get_paths()])
        for end in banded(curve)[1:]:
            for point in np.column_stack([THRESHOLDS, end]):
                if np.isfinite(point).all():
                    assert np.isclose(points, point).all(axis=1).any()
    assert [axes.get_visible() for axes in figure.axes] == [True, True, False]


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
    figure = decision_curves([0.7, 0.8], {"model": np.zeros((3, 2))}, [-0.4, -0.9])
    low, high = figure.axes[0].get_ylim()
    assert low < 0 < high


def test_files_are_the_same_on_every_run_invariant() -> None:
    def draw():
        return render(drawn({"age": [0.24, 0.2, 0.1]}))

    assert draw() == draw()


@pytest.mark.parametrize("thresholds", [[0.1], [0.2, 0.1], [0.1, np.nan], [[0.1, 0.2]]])
def test_thresholds_ascend(thresholds) -> None:
    with pytest.raises(InputError, match="two or more, ascending"):
        decision_curves(thresholds, {"age": np.zeros((3, 2))}, thresholds)


def test_curves_are_as_long_as_the_thresholds() -> None:
    with pytest.raises(InputError, match=r"`age` to have shape \(3, 3\), found \(3, 2\)"):
        decision_curves(THRESHOLDS, {"age": np.zeros((3, 2))}, TREAT_ALL)
    with pytest.raises(InputError, match="`treat_all`"):
        decision_curves([0.1, 0.2], {"age": np.zeros((3, 2))}, [0.1])
    with pytest.raises(InputError, match="at least one model"):
        decision_curves([0.1, 0.2], {}, [0.1, 0.1])
