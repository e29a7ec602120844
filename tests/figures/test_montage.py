import numpy as np
import pytest

from lggshape.figures import render
from lggshape.figures.montage import OUTLINES, Slice, montage

SQUARE = np.array([[2, 3], [2, 9], [5, 9], [5, 3], [2, 3]], dtype=float)
IMAGE = np.arange(80.0).reshape(8, 10)
WINDOW = ((0.5, 6.5), (1.5, 9.5))


def drawn(count=2, **options):
    slices = [Slice(f"{n}", {"one": [SQUARE], "two": [SQUARE + 1]}, IMAGE) for n in range(count)]
    return montage(slices, title="A", note="B", window=WINDOW, **options)


def test_outlines_and_image_lie_in_the_coordinates_of_the_slice_analytic():
    axes = drawn(grey=(10, 60)).axes[0]
    one, two = axes.lines
    np.testing.assert_array_equal(one.get_xydata(), SQUARE[:, ::-1])
    np.testing.assert_array_equal(two.get_xydata(), SQUARE[:, ::-1] + 1)
    assert (one.get_color(), two.get_color()) == OUTLINES[:2]
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), IMAGE)
    assert image.get_clim() == (10, 60)
    assert (axes.get_xlim(), axes.get_ylim()) == ((1.5, 9.5), (6.5, 0.5))
    assert [text.get_text() for text in axes.texts] == ["0"]


@pytest.mark.parametrize(("count", "panels"), [(1, 4), (5, 5), (6, 6), (7, 12)])
def test_panels_without_a_slice_are_blank_analytic(count, panels):
    axes = drawn(count).axes
    assert len(axes) == panels
    assert [one.axison for one in axes] == [True] * count + [False] * (panels - count)


def test_panels_have_the_shape_of_the_window_analytic():
    # Six rows of a pixel twice as high as wide by eight columns.
    figure = drawn(aspect=2.0)
    box = figure.axes[0].get_position()
    width, height = figure.get_size_inches() * (box.width, box.height)
    assert height / width == pytest.approx(2 * 6 / 8, rel=0.01)


def test_without_an_image_outlines_lie_on_white_analytic():
    axes = montage([Slice("1", {"one": [SQUARE]})], title="", note="", window=WINDOW).axes[0]
    assert not axes.images
    assert axes.get_facecolor() == (1, 1, 1, 1)
    assert len(axes.lines) == 1


def test_files_are_the_same_on_every_run_invariant():
    assert render(drawn(oriented=True)) == render(drawn(oriented=True))
