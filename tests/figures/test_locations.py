import numpy as np
import pytest

from lggshape.figures import render
from lggshape.figures.locations import location_maps

SHARE = np.zeros((2, 3, 4))
SHARE[0, 1, 2] = 0.5
SHARE[1, 1, 2] = 0.25
SHARE[1, 2, 3] = 0.125
HEAD = np.ones((2, 3, 4))


def drawn(shares=None, **options):
    options = {"size": (10.0, 12.0, 20.0), "oriented": False, **options}
    return location_maps(
        {"one": SHARE} if shares is None else shares, HEAD, value_name="v", note="n", **options
    )


def test_each_panel_shows_the_largest_share_along_its_axis_analytic():
    axial, coronal, sagittal = (axes.images[0].get_array() for axes in drawn().axes[:3])
    assert axial.shape == (3, 4)
    assert axial.compressed().tolist() == [0.5, 0.125]
    assert (coronal[0, 2], coronal[1, 2], coronal[1, 3]) == (0.5, 0.25, 0.125)
    assert (sagittal[0, 1], sagittal[1, 1], sagittal[1, 2]) == (0.5, 0.25, 0.125)


def test_where_nothing_lies_there_is_no_colour_analytic():
    for along, axes in enumerate(drawn().axes[:3]):
        blank = ~np.any(SHARE, axis=along)
        np.testing.assert_array_equal(axes.images[0].get_array().mask, blank)


def test_panels_have_the_extent_of_the_grid_and_one_scale_of_colours_analytic():
    figure = drawn({"one": SHARE, "two": SHARE / 10})
    images = [axes.images[0] for axes in figure.axes[:6]]
    assert [image.get_clim() for image in images] == [(0, 0.5)] * 6
    assert [tuple(image.get_extent()) for image in images[:3]] == [
        (0, 20, 0, 12), (0, 20, 0, 10), (0, 12, 0, 10),
    ]  # fmt: skip
    titles = [axes.get_title(loc="left").strip() for axes in figure.axes[:6]]
    assert titles == ["one", "", "", "two", "", ""]


def test_the_outline_is_that_of_what_half_of_the_heads_cover_analytic():
    head = np.full((6, 6, 6), 0.4)
    head[:, 2:4, 1:5] = 0.6
    figure = location_maps(
        {"one": np.zeros((6, 6, 6))}, head, size=(6, 6, 6), oriented=True, value_name="", note=""
    )
    (line,) = figure.axes[0].collections
    low, high = line.get_paths()[0].vertices.min(axis=0), line.get_paths()[0].vertices.max(axis=0)
    # Half a cell at most from the edges of the block.
    np.testing.assert_allclose(low, (1, 2), atol=0.5)
    np.testing.assert_allclose(high, (5, 4), atol=0.5)


@pytest.mark.parametrize(
    ("oriented", "titles"),
    [
        (True, ["axial", "coronal", "sagittal"]),
        (False, ["along the slices", "along the rows", "along the columns"]),
    ],
)
def test_views_have_names_of_anatomy_only_where_it_is_known_analytic(oriented, titles):
    axes = drawn(oriented=oriented).axes[:3]
    assert [one.get_title() for one in axes] == titles
    assert [bool(one.texts) for one in axes] == [oriented] * 3


def test_files_are_the_same_on_every_run_invariant():
    assert render(drawn()) == render(drawn())
