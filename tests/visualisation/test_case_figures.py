import numpy as np
import pytest
from matplotlib.figure import Figure

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError
from lggshape.shape import extract_features, minimum_volume_ellipsoid
from lggshape.visualisation import case_figures, write_case_figures
from lggshape.visualisation.case_features import plot_features
from lggshape.visualisation.case_figures import draw_case
from lggshape.visualisation.case_slices import MOST_SLICES
from lggshape.visualisation.shown_cases import find_cases

LETTERS = {"R", "L", "A", "P"}


@pytest.fixture
def figures(monkeypatch):
    """Return figures in place of their files."""
    monkeypatch.setattr(case_figures, "render", lambda figure, journal: figure)


def drawn(folder, predicted=None) -> tuple[Figure, Figure]:
    (shown,) = find_cases(folder, predicted=predicted)
    found = draw_case(shown).figures
    assert list(found) == ["a", "a-features"]
    return found["a"], found["a-features"]


def texts(figure):
    return [text.get_text() for text in figure.texts]


def numbers(montage):
    """Return the numbers of the slices that are shown."""
    written = [text.get_text() for axes in montage.axes if axes.axison for text in axes.texts]
    return [int(text) for text in written if text not in LETTERS]


def test_slices_outlines_and_dice_are_those_of_the_masks_analytic(
    tmp_path, write_nifti, head, tumour, figures
):
    write_nifti(tmp_path / "data", "a", flair=head, mask=tumour)
    # Moved by one of five voxels.
    write_nifti(tmp_path / "predicted", "a", mask=np.roll(tumour, 1, axis=2))
    montage, _ = drawn(tmp_path / "data", tmp_path / "predicted")
    assert texts(montage) == [
        "a   Dice 0.800",
        "Slices 4 to 7 of 10, 4 shown. Radiological view: the patient's right is on the left.",
    ]
    assert numbers(montage) == [4, 5, 6, 7]
    assert [len(axes.lines) for axes in montage.axes] == [0, 2, 2, 0]
    reference, predicted = (line.get_xydata() for line in montage.axes[1].lines)
    # The contour runs half a pixel outside the centres of the block, corners cut.
    np.testing.assert_array_equal(reference.min(axis=0), (13.5, 19.5))
    np.testing.assert_array_equal(reference.max(axis=0), (18.5, 25.5))
    np.testing.assert_array_equal(predicted.min(axis=0), (14.5, 19.5))
    # Cropped to the head, columns 4 to 23, with a margin; the right of the patient on the left.
    left, right = montage.axes[0].get_xlim()
    assert 24 < left < 26.5
    assert 1 < right < 3.5


def test_the_features_shown_are_those_of_the_table_invariant(
    tmp_path, write_nifti, head, tumour, figures
):
    mask = tumour.copy()
    mask[4, 26:30, 15] = True
    # A second part, which is not measured.
    mask[8, 5, 5] = True
    write_nifti(tmp_path, "a", flair=head, mask=mask)
    _, features = drawn(tmp_path)
    values = extract_features(mask, spacing=(3.0, 2.0, 1.0)).values
    titles = " ".join(axes.get_title(loc="left") for axes in features.axes)
    deviation = values["angular_standard_deviation"]
    fluctuation = values["margin_fluctuation"]
    assert f"ASD = {deviation:.4f}" in titles
    assert f"MF = {fluctuation:.4f}" in titles
    assert "slice 5, the largest area" in titles
    below = features.subfigs[1].get_suptitle()
    ratio = values["bounding_ellipsoid_volume_ratio"]
    assert f"BEVR = 64 / {64 / ratio:.0f} voxels = {ratio:.4f}" in below
    # What is drawn gives the same values.
    _, _, rest, bins = features.axes[:4]
    heights = [bar.get_height() for bar in bins.patches]
    assert np.nanmean(heights) == pytest.approx(deviation)
    assert rest.lines[0].get_ydata().std() == pytest.approx(fluctuation)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_contour_is_drawn_in_the_plane_of_acquisition_invariant(tumour, axis):
    mask = tumour.copy()
    mask[4, 26:30, 15] = True
    steps = tuple(np.insert([2.0, 1.0], axis, 9.0).tolist())
    turned = np.moveaxis(mask, 0, axis)
    case = Case("a", "p", turned[..., None] * 7, turned, ("FLAIR",), Geometry(steps, np.eye(4)))
    figure = plot_features(case)
    shown, _, rest, bins = figure.axes[:4]
    name = ("slice 5", "coronal slice 5", "sagittal slice 5")[axis]
    assert shown.get_title(loc="left") == f"{name}, the largest area"
    np.testing.assert_array_equal(shown.images[0].get_array(), mask[4] * 7)
    assert shown.get_aspect() == 2
    values = extract_features(mask, spacing=(9.0, 2.0, 1.0)).values
    assert rest.lines[0].get_ydata().std() == pytest.approx(values["margin_fluctuation"])
    heights = np.nanmean([bar.get_height() for bar in bins.patches])
    assert heights == pytest.approx(values["angular_standard_deviation"])


def test_the_ellipse_holds_the_mask_on_every_side_invariant(tmp_path, write_nifti, tumour, figures):
    write_nifti(tmp_path, "a", mask=tumour)
    _, features = drawn(tmp_path)
    for axes in features.axes[-3:]:
        ellipse, support = (line.get_xydata() for line in axes.lines)
        centre = (ellipse.min(axis=0) + ellipse.max(axis=0)) / 2
        # A block touches its smallest ellipsoid with its corners alone, and is centred in it.
        upright, across = (sorted(set(column.tolist())) for column in support.T)
        assert (len(upright), len(across)) == (2, 2)
        np.testing.assert_allclose(centre, support.mean(axis=0), atol=1e-3)
        assert (ellipse.max(axis=0) > support.max(axis=0)).all()


def test_many_slices_are_thinned_evenly_analytic(tmp_path, write_nifti, figures):
    mask = np.zeros((50, 8, 8), dtype=bool)
    mask[2:45, 2:6, 2:6] = True
    write_nifti(tmp_path, "a", mask=mask)
    shown = numbers(drawn(tmp_path)[0])
    assert len(shown) == MOST_SLICES + 2
    # Counted from 1: the tumour is in slices 3 to 45.
    assert (shown[0], shown[1], shown[-2], shown[-1]) == (2, 3, 45, 46)
    assert set(np.diff(shown)[1:-1]) == {2}


def test_a_tumour_at_the_ends_of_the_volume_has_no_slice_beyond_analytic(
    tmp_path, write_nifti, figures
):
    write_nifti(tmp_path, "a", mask=np.ones((2, 4, 4), dtype=bool))
    montage, _ = drawn(tmp_path)
    assert numbers(montage) == [1, 2]
    assert not montage.axes[0].images


def test_one_voxel_can_be_drawn_analytic(tmp_path, write_nifti):
    mask = np.zeros((3, 4, 4), dtype=bool)
    mask[1, 1, 2] = True
    write_nifti(tmp_path, "a", mask=mask)
    (shown,) = find_cases(tmp_path)
    # A cube fills 2 / (pi sqrt 3) of its circumscribed ball.
    assert "BEVR = 1 / 3 voxels = 0.3676" in draw_case(shown).figures["a-features"].svg


def test_without_a_reference_the_predicted_mask_is_shown_analytic(
    tmp_path, write_nifti, head, tumour, figures
):
    write_nifti(tmp_path / "data", "a", flair=head)
    write_nifti(tmp_path / "predicted", "a", mask=tumour)
    montage, features = drawn(tmp_path / "data", tmp_path / "predicted")
    assert texts(montage)[0] == "a"
    assert [text.get_text() for text in montage.legends[0].get_texts()] == ["predicted"]
    assert features.get_suptitle() == "a   features of the predicted mask"


def test_an_empty_reference_beside_a_predicted_tumour_is_shown_analytic(
    tmp_path, write_nifti, head, tumour, figures
):
    write_nifti(tmp_path / "data", "a", flair=head, mask=np.zeros_like(tumour))
    write_nifti(tmp_path / "predicted", "a", mask=tumour)
    montage, features = drawn(tmp_path / "data", tmp_path / "predicted")
    assert texts(montage)[0] == "a   Dice 0.000"
    assert "predicted" in features.get_suptitle()


def test_a_case_without_a_tumour_is_an_error_analytic(tmp_path, write_nifti, head, tumour):
    write_nifti(tmp_path / "data", "a", flair=head)
    write_nifti(tmp_path / "data", "b", flair=head, mask=np.zeros_like(tumour))
    one, other = find_cases(tmp_path / "data")
    with pytest.raises(CaseError, match="case a to have a mask with a tumour, found none"):
        draw_case(one)
    with pytest.raises(CaseError, match=r"case b .* found empty reference"):
        draw_case(other)


def test_one_bad_case_does_not_keep_the_others_from_their_files_analytic(
    tmp_path, write_nifti, tumour
):
    for name in "ab":
        write_nifti(tmp_path / "data", name, mask=tumour)
    (tmp_path / "data" / "a_mask.nii.gz").write_bytes(b"broken")
    calls = []
    out = tmp_path / "out"
    reasons = write_case_figures(tmp_path / "data", str(out), jobs=1, on_progress=calls.append)
    assert "a_mask.nii.gz" in reasons["a"]
    assert reasons["b"] == ""
    assert [(call.done, call.total) for call in calls] == [(0, 2), (1, 2), (2, 2)]
    assert sorted(path.name for path in out.iterdir()) == [
        "b-features.png", "b-features.svg", "b.png", "b.svg",
    ]  # fmt: skip


@pytest.mark.parametrize("axes", [(0, 1), (0, 2), (1, 2)])
def test_a_shadow_is_touched_by_the_tangents_of_the_ellipsoid_analytic(axes):
    # The support function of an ellipsoid in direction u is u c + sqrt(u A^-1 u).
    points = np.random.default_rng(1).normal(size=(30, 3)) * (1, 2, 3) + (5, 6, 7)
    ellipsoid = minimum_volume_ellipsoid(points)
    outline = ellipsoid.shadow(axes)
    np.testing.assert_allclose(outline[0], outline[-1])
    inverse = np.linalg.inv(ellipsoid.matrix)
    for turn in np.linspace(0, np.pi, 7):
        direction = np.zeros(3)
        direction[list(axes)] = np.cos(turn), np.sin(turn)
        reach = direction @ ellipsoid.centre + np.sqrt(direction @ inverse @ direction)
        # The outline is a polygon of 199 sides.
        assert (outline @ direction[list(axes)]).max() == pytest.approx(reach, rel=1e-3)
