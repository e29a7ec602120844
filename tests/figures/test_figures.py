import math
from collections.abc import Callable
from html import escape
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from lggshape.figures import (
    Rendered,
    box_and_points,
    heat_map,
    interval_plot,
    render,
    scatter_plot,
    strip_plot,
)
from lggshape.figures.agreement import agreement_plot
from lggshape.figures.forest import ForestPanel, ForestRow, forest_plot
from lggshape.figures.style import INK, MUTED


def test_box_and_points_shows_every_value_invariant() -> None:
    groups = [np.array([1.0, 2.0, 2.0, 5.0]), np.array([3.0]), np.array([])]
    axes = box_and_points(groups, ["a", "b", "c"], value_name="value", cuts=[2.5]).axes[0]
    drawn = [points.get_offsets()[:, 1] for points in axes.collections]
    for values, points in zip(groups, drawn, strict=True):
        np.testing.assert_array_equal(np.sort(points), np.sort(values))
    assert [t.get_text() for t in axes.get_xticklabels()] == ["a\nn = 4", "b\nn = 1", "c\nn = 0"]
    assert axes.get_ylabel() == "value"


def test_equal_values_are_spread_sideways_invariant() -> None:
    axes = box_and_points([np.ones(7)], ["a"], value_name="value").axes[0]
    assert len(np.unique(axes.collections[0].get_offsets()[:, 0])) == 7


def test_interval_plot_marks_published_values_where_there_are_any() -> None:
    figure = interval_plot(
        ["a", "b"],
        [0.6, np.nan],
        [0.5, np.nan],
        [0.7, np.nan],
        value_name="AUC",
        no_effect=0.5,
        limits=(0, 1),
        references=[None, 0.4],
    )
    diamonds = figure.axes[0].collections[-1].get_offsets()
    np.testing.assert_allclose(diamonds, [[0.4, 1]])


def test_heat_map_writes_a_text_into_each_cell_that_has_a_value() -> None:
    figure = heat_map(
        [[0.1, np.nan], [0.9, 0.2]],
        [["0.10", ""], ["0.90*", "0.20"]],
        rows=["r1", "r2"],
        columns=["c1", "c2"],
        value_name="V",
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.10", "0.90*", "0.20"]


def test_files_are_the_same_on_every_run_invariant() -> None:
    def draw() -> Rendered:
        return render(box_and_points([[1.0, 2.0]], ["a"], value_name="value"))

    assert draw() == draw()
    assert ">value</text>" in draw().svg
    assert draw().png.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", [r"$\frac$", "US$", "between $1 and $2", "<b>&"])
@pytest.mark.parametrize(
    "draw",
    [
        lambda name: box_and_points([[1.0, 2.0]], [name], value_name=name),
        lambda name: heat_map([[0.1]], [["0.1"]], rows=[name], columns=[name], value_name=name),
        lambda name: interval_plot(
            [name], [0.6], [0.5], [0.7], value_name=name, no_effect=0.5, limits=(0, 1)
        ),
        lambda name: strip_plot(
            [name], {name: [[0.1]]}, marked={name: [0.1]}, bounds=[0.2], level=0.1, value_name=name
        ),
    ],
)
def test_names_from_data_are_shown_as_they_are(draw: Callable[[str], Figure], name: str) -> None:
    assert escape(name, quote=False) in render(draw(name)).svg


def test_a_notebook_shows_a_figure_without_pyplot_analytic() -> None:
    from lggshape.figures import heat_map

    figure = heat_map([[0.5]], [["0.50"]], rows=["a"], columns=["b"], value_name="effect")
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_long_names_leave_a_heat_map_room_invariant() -> None:
    names = ["1p/19q of IDH mutants in grade 2 and 3"]
    figure = heat_map([[0.5]], [["0.5"]], rows=names, columns=["volume"], value_name="effect")
    render(figure)  # a warning that there is no room is an error
    assert figure.axes[0].get_position().width > 0.1


def test_many_points_show_through_invariant() -> None:
    many = np.linspace(0, 1, 398)
    figure = box_and_points([many, many[:20]], ["many", "few"], value_name="volume")
    large, small = figure.axes[0].collections
    assert large.get_alpha() < small.get_alpha()
    assert large.get_sizes()[0] < small.get_sizes()[0]


def test_forest_plot_draws_each_series_and_what_was_published() -> None:
    rows = [
        ForestRow("MF × IDH", [(0.3, 0.1, 0.5), (0.2, 0.0, 0.4)], "p 0.002"),
        ForestRow("ASD × IDH", [(math.nan,) * 3, (0.1, 0.0, 0.3)], published=0.25),
    ]
    panels = [
        ForestPanel(rows, "Cramér's V", 0.0, (0.0, 0.6)),
        ForestPanel([ForestRow("age", [(1.5, 1.1, 2.0)] * 2)], "hazard ratio", 1.0, is_ratio=True),
    ]
    figure = forest_plot(panels, ["manual", "automatic"], note_name="p")
    first, second = figure.axes
    assert [text.get_text() for text in first.get_yticklabels()] == ["MF × IDH", "ASD × IDH"]
    assert (first.get_xlim(), second.get_xscale()) == ((0.0, 0.6), "log")
    assert [text.get_text() for text in first.texts] == ["p 0.002", "p"]
    # The line of no effect, three intervals with their estimates and the published value.
    assert len(first.lines) == 1 + 2 * 3 + 1
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.texts] == ["manual", "automatic", "published"]


@pytest.mark.parametrize(("low", "high"), [(0.8, 1.3), (0.4, 3.2), (0.05, 20), (0.001, 900)])
def test_labels_of_a_logarithmic_axis_do_not_touch_invariant(low: float, high: float) -> None:
    panel = ForestPanel([ForestRow("age", [(1.0, low, high)])], "hazard ratio", 1.0, is_ratio=True)
    (axes,) = forest_plot([panel], ["manual"]).axes
    axes.figure.draw_without_rendering()
    assert axes.get_xlim()[0] < low < high < axes.get_xlim()[1]
    labels = [*axes.get_xticklabels(), *axes.get_xticklabels(minor=True)]
    boxes = [label.get_window_extent() for label in labels if label.get_text()]
    left, right = axes.get_window_extent().intervalx
    shown = sorted((box.x0, box.x1) for box in boxes if left <= box.x0 + box.width / 2 <= right)
    assert len(shown) >= 2
    assert all(end < start for (_, end), (start, _) in pairwise(shown))


@pytest.mark.filterwarnings("ignore:Glyph")  # no font has them
def test_a_figure_is_valid_xml_whatever_the_names_hold_invariant() -> None:
    groups = ["a\x1b[31mred\x07", "\uffff"]
    svg = render(box_and_points([[1, 2], [2, 3]], groups, value_name="MF\0")).svg
    assert "a\ufffd[31mred\ufffd" in "".join(ElementTree.fromstring(svg).itertext())


def test_points_lead_where_the_links_say() -> None:
    links = ["#a", None, "#b"]
    figures = [
        box_and_points([[1, 2, 3]], ["all"], value_name="MF", links=[links], limits=(0.0, 4.0)),
        scatter_plot([1, 2, 3], [1, 2, 3], x_name="x", y_name="y", links=links),
        agreement_plot(
            [1, 2, 3], [1, 2, 3], measured_name="a", reference_name="b", quantity="MF", links=links
        ),
    ]
    for figure, count in zip(figures, (1, 1, 2), strict=True):
        text = render(figure).svg
        assert text.count('xlink:href="#a"') == count
        assert text.count('xlink:href="#b"') == count


def test_very_many_points_are_an_image_of_the_same_size_invariant() -> None:
    sizes = []
    for count in (2_000, 20_000):
        values = np.random.default_rng(0).random(count)
        figure = box_and_points([values], ["a"], value_name="value", links=[["page#x"] * count])
        svg = render(figure).svg
        assert svg.count("<image") == 1
        assert "page#x" not in svg
        sizes.append(len(svg))
    assert max(sizes) < 100_000


@pytest.mark.parametrize("colour", [INK, MUTED])
def test_text_can_be_read_on_white_analytic(colour: str) -> None:
    # Relative luminance and contrast of the Web Content Accessibility Guidelines 2.2.
    parts = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    assert 1.05 / (linear @ (0.2126, 0.7152, 0.0722) + 0.05) >= 4.5
