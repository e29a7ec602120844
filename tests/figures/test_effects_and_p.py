"""Effects beside p-values."""

import numpy as np

from lggshape.figures import EffectsAndP, effects_beside_p, render

ONE = EffectsAndP("one set", 92, [0.3], 0.1, 0.5, {"ranks": [1e-5], "bins": [1e-3]})
SEVERAL = EffectsAndP(
    "three", 43, [0.2, 0.3, 0.4], np.nan, np.nan, {"ranks": [np.nan], "bins": [1e-9, 0.1, 1]}
)


def test_every_row_is_named_and_the_bound_is_drawn_analytic() -> None:
    figure = effects_beside_p(
        {"first": [ONE, SEVERAL], "second": [ONE]}, effect_name="V", bounds={"first": 0.01}
    )
    left, right, _, without = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["one set", "three"]
    bounds = [[line.get_xdata() for line in axes.lines] for axes in (right, without)]
    assert [0.01, 0.01] in [list(np.ravel(x)) for x in bounds[0]]
    assert len(bounds[0]) == len(bounds[1]) + 2  # the bound, and the line between the rows
    assert left.get_xlim() == figure.axes[2].get_xlim()


def test_a_p_below_the_axis_is_drawn_at_its_beginning_analytic() -> None:
    figure = effects_beside_p({"": [SEVERAL]}, effect_name="V", bounds={})
    drawn = np.asarray(figure.axes[1].collections[-1].get_offsets())
    assert sorted(drawn[:, 0]) == [1e-7, 0.1, 1.0]


def test_names_are_text_in_the_svg() -> None:
    figure = effects_beside_p({"title": [ONE]}, effect_name="V", bounds={})
    assert "one set" in render(figure).svg
