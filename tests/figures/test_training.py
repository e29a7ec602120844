import numpy as np

from lggshape.figures import render, training_curve
from lggshape.figures.training import curves_side_by_side, learning_curves

CURVES = {"loss": [0.9, 0.5, 0.4], "Dice of the inner split": [0.2, 0.6, 0.7]}


def test_each_curve_has_a_panel_and_epochs_begin_with_one_invariant() -> None:
    panels = training_curve(CURVES).axes
    assert [axes.get_ylabel() for axes in panels] == list(CURVES)
    for axes, values in zip(panels, CURVES.values(), strict=True):
        (line,) = axes.lines
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([[1, 2, 3], values]))
    assert [axes.get_xlabel() for axes in panels] == ["", "epoch"]


def test_epochs_that_were_not_measured_are_left_out_invariant() -> None:
    (axes,) = training_curve({"Dice": [np.nan, 0.6, np.nan, 0.7]}).axes
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), [[2, 0.6], [4, 0.7]])


def test_epochs_are_whole_numbers_invariant() -> None:
    figure = training_curve({"loss": [0.9, 0.5]})
    render(figure)
    ticks = figure.axes[0].get_xticks()
    np.testing.assert_array_equal(ticks, ticks.round())


def test_one_epoch_is_drawn() -> None:
    drawn = render(training_curve({"loss": [0.9]}))
    assert ">loss</text>" in drawn.svg
    assert drawn == render(training_curve({"loss": [0.9]}))


def test_curves_side_by_side_and_their_names_invariant() -> None:
    curves = {f"run {number}": ([1, 2, 3], [0.1 * number, 0.5, 0.6]) for number in range(8)}
    figure = curves_side_by_side(curves, x_name="epoch", y_name="Dice")
    (axes,) = figure.axes
    for line, (name, points) in zip(axes.lines, curves.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack(points))
    # Colours come again with another line.
    looks = {(line.get_color(), str(line.get_linestyle())) for line in axes.lines}
    assert len(looks) == len(curves)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == list(curves)


def test_learning_curves_have_points_and_intervals_invariant() -> None:
    curves = {"a": [(20, 0.5, 0.4, 0.6), (80, 0.8, 0.7, 0.85)], "b": [(20, 0.4, 0.3, 0.5)]}
    axes = learning_curves(curves, x_name="patients", y_name="Dice").axes[0]
    for line, bars, points in zip(axes.lines, axes.collections, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), [point[1] for point in points])
        np.testing.assert_allclose(line.get_xdata(), [point[0] for point in points], atol=1)
        ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
        assert ends == [[low, high] for _, _, low, high in points]
