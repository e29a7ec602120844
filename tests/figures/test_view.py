import pytest
from matplotlib.figure import Figure

from lggshape.figures.view import name_axes, set_view


def panel(along, *, oriented):
    axes = Figure().subplots()
    set_view(axes, along, (0.0, 4.0), (1.0, 9.0), oriented=oriented)
    letters = {text.get_text(): text.get_position() for text in axes.texts}
    return axes.get_xlim(), axes.get_ylim(), letters


@pytest.mark.parametrize(
    ("along", "left", "right", "top", "bottom"), [(0, *"RLAP"), (1, *"RLSI"), (2, *"APSI")]
)
def test_known_sides_lie_where_radiologists_expect_them_analytic(along, left, right, top, bottom):
    # The arrays run towards superior, anterior and right.
    across, upright, letters = panel(along, oriented=True)
    assert (across, upright) == ((9, 1), (0, 4))
    assert letters == {left: (0.02, 0.5), right: (0.98, 0.5), top: (0.5, 0.98), bottom: (0.5, 0.02)}


@pytest.mark.parametrize(("along", "upright"), [(0, (4, 0)), (1, (0, 4)), (2, (0, 4))])
def test_unknown_sides_are_as_stored_and_have_no_letters_analytic(along, upright):
    assert panel(along, oriented=False) == ((1, 9), upright, {})


def test_axes_are_named_in_the_direction_they_run_analytic():
    axes = Figure().subplots()
    name_axes(axes, 0)
    # The text upright runs upward, so an arrow to its left points down.
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("column →", "row ←")
    name_axes(axes, 2)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("row →", "slice →")
