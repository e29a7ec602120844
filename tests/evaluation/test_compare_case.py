from dataclasses import replace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from lggshape.errors import CaseError
from lggshape.evaluation.compare_case import compare_case
from lggshape.evaluation.matching import match_cases
from lggshape.evaluation.scores import score_masks

SHAPE = (3, 12, 14)


@pytest.fixture
def masks():
    reference = np.zeros(SHAPE, dtype=bool)
    reference[1:, 3:9, 3:10] = True
    predicted = np.zeros_like(reference)
    predicted[:2, 4:9, 3:10] = True
    return predicted, reference


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)


def save(path, mask, *, spacing=(1.0, 1.0, 1.0), shift=0.0):
    affine = np.diag([*spacing[::-1], 1.0])
    affine[0, 3] = shift
    path.parent.mkdir(exist_ok=True)
    volume = nib.Nifti1Image(mask.astype(np.uint8).transpose(2, 1, 0), affine)
    volume.header.set_xyzt_units("mm")
    nib.save(volume, path)


def compare(tmp_path, **options):
    pair = match_cases(tmp_path / "predicted", tmp_path / "reference").pairs[0]
    (one,) = compare_case(pair, **options)
    return one


def test_slice_folders(tmp_path, masks, image, write_case):
    predicted, reference = masks
    write_case(tmp_path / "predicted", "TCGA_AB_1234_20000101", predicted)
    write_case(tmp_path / "reference", "TCGA_AB_1234_20000101", reference, image)
    row, slices, _ = compare(tmp_path, surface_tolerance=2)
    scores = score_masks(predicted, reference, tolerance=2)._asdict()
    assert {name: row[name] for name in scores} == scores
    assert (row["patient"], row["site"]) == ("TCGA_AB_1234", "AB")
    assert (row["predicted_volume"], row["reference_volume"]) == (70, 84)
    assert (row["spacing_known"], row["missing_sequences"], row["reason"]) == (False, "none", "")
    assert slices["slice"].tolist() == [1, 2, 3]
    assert slices["reference_area"].tolist() == [0, 42, 42]
    assert slices["predicted_area"].tolist() == slices["score"].tolist() == [35, 35, 0]


def test_outlines_are_those_of_the_slice_of_the_largest_area_analytic(tmp_path, masks, write_case):
    predicted, reference = masks
    write_case(tmp_path / "predicted", "a", predicted)
    write_case(tmp_path / "reference", "a", reference)
    assert compare(tmp_path).portrait is None
    portrait = compare(tmp_path, outlines=True).portrait
    assert (portrait.slice, list(portrait.outlines)) == (2, ["reference", "predicted"])
    # Of pixels 3 to 9 along x; 3 and 4 to 8 along y.
    for name, top in (("reference", 2.5), ("predicted", 3.5)):
        (ring,) = portrait.outlines[name]
        np.testing.assert_allclose(ring.min(axis=0), (2.5, top))
        np.testing.assert_allclose(ring.max(axis=0), (9.5, 8.5))


def test_nifti_is_measured_in_millimetres(tmp_path, masks):
    spacing = (4.0, 0.5, 0.8)
    save(tmp_path / "predicted" / "a_mask.nii.gz", masks[0], spacing=spacing)
    save(tmp_path / "reference" / "a_mask.nii.gz", masks[1], spacing=spacing)
    row, *_ = compare(tmp_path)
    scores = score_masks(*masks, spacing=spacing)._asdict()
    assert {name: row[name] for name in scores} == scores
    assert row["spacing_known"] is True
    assert row["reference_volume"] == pytest.approx(84 * 4 * 0.5 * 0.8)
    assert row["missing_sequences"] is None  # there is no image that could tell


def test_missing_sequences_are_named(tmp_path, masks, image, write_case):
    image[..., 2] = image[..., 1]
    image[..., 0] = 7
    write_case(tmp_path / "predicted", "a", masks[0])
    write_case(tmp_path / "reference", "a", masks[1], image)
    assert compare(tmp_path).row["missing_sequences"] == "pre-contrast; post-contrast"


def test_a_damaged_image_costs_nothing_but_the_missing_sequences(
    tmp_path, masks, image, write_case
):
    write_case(tmp_path / "predicted", "a", masks[0])
    write_case(tmp_path / "reference", "a", masks[1], image)
    whole, slices, _ = compare(tmp_path)
    damaged = tmp_path / "reference" / "a" / "a_2.tif"
    damaged.write_bytes(b"no TIFF")
    row, same_slices, _ = compare(tmp_path)
    assert row["missing_sequences"] is None
    assert row["reason"].startswith("no missing_sequences: Expected a slice of case a to be a")
    assert str(damaged) in row["reason"]
    told = {"missing_sequences", "reason"}
    assert {name: row[name] for name in row.keys() - told} == {
        name: whole[name] for name in whole.keys() - told
    }
    pd.testing.assert_frame_equal(same_slices, slices)


def test_an_absent_sequence_is_missing(tmp_path, masks, image):
    save(tmp_path / "predicted" / "a_mask.nii.gz", masks[0])
    save(tmp_path / "reference" / "a_mask.nii.gz", masks[1])
    save(tmp_path / "reference" / "a_flair.nii.gz", image[..., 1])
    assert compare(tmp_path).row["missing_sequences"] == "pre-contrast; post-contrast"


def test_an_empty_mask_is_a_reason_and_no_failure(tmp_path, masks, write_case):
    write_case(tmp_path / "predicted", "a", np.zeros(SHAPE, dtype=bool))
    write_case(tmp_path / "reference", "a", masks[1])
    row, *_ = compare(tmp_path)
    assert row["dice"] == 0
    assert row["reason"] == "the predicted mask is empty: no precision, hd95"


def test_an_empty_reference_is_a_reason(tmp_path, masks, write_case):
    write_case(tmp_path / "predicted", "a", masks[0])
    write_case(tmp_path / "reference", "a", np.zeros(SHAPE, dtype=bool))
    reason = compare(tmp_path).row["reason"]
    assert reason == "the reference mask is empty: no recall, hd95, volume_error"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"spacing": (1.0, 1.0, 1.1)}, "voxels of 1 x 1 x 1.1 and 1 x 1 x 1 mm"),
        ({"shift": 0.5}, "a corner at"),
    ],
)
def test_two_grids_are_refused(tmp_path, masks, options, found):
    save(tmp_path / "predicted" / "a_mask.nii.gz", masks[0], **options)
    save(tmp_path / "reference" / "a_mask.nii.gz", masks[1])
    with pytest.raises(
        CaseError, match=f"case a and its predicted mask to lie on one grid, found {found}"
    ):
        compare(tmp_path)


def test_two_shapes_are_refused(tmp_path, masks, write_case):
    write_case(tmp_path / "predicted", "a", masks[0][:2])
    write_case(tmp_path / "reference", "a", masks[1])
    with pytest.raises(CaseError, match=r"shapes \(2, 12, 14\) and \(3, 12, 14\)"):
        compare(tmp_path)


@pytest.mark.parametrize("scores", [(0.1, 0.2), (), (0.1, 0.2, float("nan"))])
def test_every_slice_needs_a_score(tmp_path, masks, write_case, scores):
    write_case(tmp_path / "predicted", "a", masks[0])
    write_case(tmp_path / "reference", "a", masks[1])
    pair = match_cases(tmp_path / "predicted", tmp_path / "reference").pairs[0]
    with pytest.raises(CaseError, match="a score for each of the 3 slices of case a, found"):
        compare_case(replace(pair, slice_scores=scores))
