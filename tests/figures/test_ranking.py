import numpy as np

from lggshape.figures.ranking import ranking


def drawn(values, **options):
    names = [f"p{i}" for i in range(len(values))]
    figure = ranking(
        values, names, value_name="Dice", item_name="cases", named_below=0.5, **options
    )
    return figure.axes[0]


def test_values_ascend_and_the_low_ones_are_named_analytic() -> None:
    axes = drawn([0.9, 0.2, np.nan, 0.4, 0.7])
    points = [points.get_offsets() for points in axes.collections]
    np.testing.assert_allclose(points[0], [[3, 0.7], [4, 0.9]])
    np.testing.assert_allclose(points[1], [[1, 0.2], [2, 0.4]])
    assert [text.get_text() for text in axes.texts] == ["median 0.55", "p1  0.20\np3  0.40"]
    assert axes.get_xlabel() == "cases, from the lowest to the highest (n = 4)"
    assert all(float(place).is_integer() for place in axes.get_xticks())


def test_points_lead_where_their_items_do_analytic() -> None:
    axes = drawn([0.9, 0.2, np.nan, 0.4, 0.7], links=[f"#{i}" for i in range(5)])
    assert [points.get_urls() for points in axes.collections] == [["#4", "#0"], ["#1", "#3"]]


def test_of_many_low_values_the_lowest_are_named() -> None:
    text = drawn(np.arange(20) / 100).texts[-1].get_text().splitlines()
    assert len(text) == 13
    assert text[-1] == "and 8 more"


def test_without_values_nothing_is_drawn() -> None:
    axes = drawn([np.nan])
    assert [text.get_text() for text in axes.texts] == [""]
