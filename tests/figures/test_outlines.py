import numpy as np

from lggshape.figures import render
from lggshape.figures.outlines import outline_panels

SQUARE = np.array([[0, 0], [0, 9], [5, 9], [5, 0], [0, 0]], dtype=float)


def test_rows_run_down_and_every_part_is_a_line_analytic() -> None:
    panels = [("one", {"automatic": [SQUARE, SQUARE + 20], "manual": [SQUARE]}), ("two", {})]
    figure = outline_panels(panels)
    one, two = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    assert (len(one.lines), len(two.lines)) == (3, 0)
    np.testing.assert_array_equal(one.lines[1].get_xydata(), SQUARE[:, ::-1] + 20)
    low, high = one.get_ylim()
    assert low > high
    assert one.lines[0].get_color() == one.lines[1].get_color() != one.lines[2].get_color()
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["automatic", "manual"]


def test_nothing_to_draw_is_an_empty_figure() -> None:
    assert render(outline_panels([])).svg.startswith("<?xml")
