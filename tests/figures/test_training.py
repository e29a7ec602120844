import numpy as np

from lggshape.figures import render, training_curve

CURVES = {"loss": [0.9, 0.5, 0.4], "Dice of the inner split": [0.2, 0.6, 0.7]}


def test_each_curve_has_a_panel_and_epochs_begin_with_one_invariant() -> None:
    panels = training_curve(CURVES).axes
    assert [axes.get_ylabel() for axes in panels] == list(CURVES)
    for axes, values in zip(panels, CURVES.values(), strict=True):
        (line,) = axes.lines
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([[1, 2, 3], values]))
    assert [axes.get_xlabel() for axes in panels] == ["", "epoch"]


def test_epochs_are_whole_numbers_invariant() -> None:
    figure = training_curve({"loss": [0.9, 0.5]})
    render(figure)
    ticks = figure.axes[0].get_xticks()
    np.testing.assert_array_equal(ticks, ticks.round())


def test_one_epoch_is_drawn() -> None:
    drawn = render(training_curve({"loss": [0.9]}))
    assert ">loss</text>" in drawn.svg
    assert drawn == render(training_curve({"loss": [0.9]}))
