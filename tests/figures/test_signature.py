import numpy as np
import pytest

from lggshape.figures import render
from lggshape.figures.signature import Shadow, Signature, feature_panels

ANGLES = np.array([-135.0, -45.0, 45.0, 135.0])
POINTS = np.array([[4.0, 4.0], [4.0, 8.0], [6.0, 8.0], [6.0, 4.0]])
DEVIATIONS = np.array([0.1, np.nan, *np.linspace(0.2, 0.9, 8)])
CIRCLE = np.array([[0, 3], [3, 0], [0, -3], [-3, 0], [0, 3]], dtype=float) + 4


def drawn(*, image=None, aspect=None, oriented=False):
    signature = Signature(
        POINTS,
        np.array([5.0, 6.0]),
        ANGLES,
        np.array([0.8, 1.2, 0.9, 1.1]),
        np.array([0.9, 1.0, 1.0, 1.1]),
        DEVIATIONS,
        image=image,
        aspect=aspect or 1.0,
    )
    shadow = Shadow(np.eye(8, dtype=bool), CIRCLE, CIRCLE[:2], aspect)
    return feature_panels(
        signature,
        [shadow] * 3,
        title="title",
        slice_name="slice 1",
        features=("asd", "mf", "bevr"),
        spreads=(0.5, 0.2),
        oriented=oriented,
    )


def by_title(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_the_signature_is_drawn_by_angle_analytic():
    panels = by_title(drawn())
    contour, average = panels["distance from the centre to the contour"].lines
    np.testing.assert_array_equal(contour.get_xydata().T, [ANGLES, [0.8, 1.2, 0.9, 1.1]])
    np.testing.assert_array_equal(average.get_xydata().T, [ANGLES, [0.9, 1.0, 1.0, 1.1]])
    (rest,) = panels["mf"].lines
    np.testing.assert_allclose(rest.get_ydata(), [-0.1, 0.2, -0.1, 0], atol=1e-12)
    bars = panels["asd"].patches
    np.testing.assert_array_equal([bar.get_height() for bar in bars], DEVIATIONS)
    np.testing.assert_allclose(
        [bar.get_x() + bar.get_width() / 2 for bar in bars], np.arange(-162, 180, 36)
    )
    assert set(panels["asd"].lines[0].get_ydata()) == {0.5}


@pytest.mark.parametrize("aspect", [1.0, 2.0])
def test_bins_begin_at_minus_180_and_turn_from_columns_to_rows_analytic(aspect):
    axes = by_title(drawn(aspect=aspect))["slice 1"]
    *edges, ring, centre = axes.lines
    np.testing.assert_array_equal(centre.get_xydata(), [(6, 5)])
    np.testing.assert_array_equal(ring.get_xydata()[[0, -1]], [(4, 4), (4, 4)])
    # Lengths count in heights of a pixel: a column is 1 / aspect of one.
    ends = (np.array([edge.get_xydata()[1] for edge in edges]) - (6, 5)) / (aspect, 1)
    angles = np.degrees(np.arctan2(ends[:, 1], ends[:, 0]))
    np.testing.assert_allclose((angles + 360) % 360, np.arange(180, 540, 36) % 360, atol=1e-9)
    np.testing.assert_allclose(np.hypot(*ends.T), np.hypot(2 / aspect, 1) * 1.2)
    assert [text.get_text() for text in axes.texts] == [str(n) for n in range(1, 11)]


def test_shadows_show_mask_ellipse_and_support_analytic():
    for axes in drawn(aspect=2.0, oriented=True).axes[-3:]:
        ellipse, support = axes.lines
        np.testing.assert_array_equal(ellipse.get_xydata(), CIRCLE[:, ::-1])
        np.testing.assert_array_equal(support.get_xydata(), CIRCLE[:2, ::-1])
        assert axes.images[0].get_array().compressed().tolist() == [1] * 8
        assert axes.get_aspect() == 2


def test_what_is_not_to_scale_is_said_analytic():
    titles = [axes.get_title() for axes in drawn().axes[-3:]]
    assert titles == ["height not to scale"] * 3
    titles = [axes.get_title() for axes in drawn(aspect=1.0, oriented=True).axes[-3:]]
    assert titles == ["axial", "coronal", "sagittal"]


def test_files_are_the_same_on_every_run_invariant():
    image = np.zeros((12, 12))
    assert render(drawn(image=image)) == render(drawn(image=image))
