"""Headers that contradict themselves, and headers that know nothing."""

import nibabel as nib
import numpy as np
import pytest

from lggshape import feature_table
from lggshape.case import Geometry
from lggshape.readers import open_cases

STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1:3, 2:4, 3:6] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])


def with_both_forms(path, qform):
    image = nib.Nifti1Image(STORED, AFFINE)
    image.header.set_xyzt_units("mm")
    image.set_sform(AFFINE, 1)
    image.set_qform(qform, 1)
    nib.save(image, path)
    return path


def test_sform_and_qform_of_other_voxel_sizes_are_refused_with_both(tmp_path, failure):
    other = np.diag([0.5, 0.8, 8.9, 1.0])
    said = failure(with_both_forms(tmp_path / "A.nii", other), masks_only=True)
    assert "voxels of 0.5 x 0.8 x 3 by the sform and of 0.5 x 0.8 x 8.9 by the qform" in said
    # So no volume comes of it: 12 voxels of 1.2 mm3 would be 14.4 mm3, of 3.56 mm3 42.7.
    measured = feature_table(tmp_path / "A.nii", jobs=1)
    assert list(measured.failures) == ["A"]
    assert measured.table["volume"].isna().all()


def test_sform_and_pixdim_of_other_voxel_sizes_are_refused_with_both(
    tmp_path, save_nifti, rewrite_header, failure
):
    path = save_nifti(tmp_path / "A.nii")
    rewrite_header(path, pixdim=[1, 0.5, 0.8, 8.9, 1, 1, 1, 1], qform_code=0)
    said = failure(path, masks_only=True)
    assert "voxels of 0.5 x 0.8 x 3 by the sform and of 0.5 x 0.8 x 8.9 by the pixdim" in said
    assert "write the true sizes to both" in said


@pytest.mark.parametrize(("factor", "same"), [(1.009, True), (0.991, True), (1.011, False)])
def test_a_hundredth_of_a_size_is_rounding_analytic(
    tmp_path, factor, same, save_nifti, rewrite_header
):
    path = save_nifti(tmp_path / "A.nii", STORED)
    rewrite_header(path, pixdim=[1, 0.5, 0.8, 3 * factor, 1, 1, 1, 1])
    measured = feature_table(path, jobs=1)
    assert bool(measured.failures) != same
    if same:  # the sform counts
        assert measured.table["volume"].tolist() == pytest.approx([12 * 1.2])


def test_the_true_sizes_in_both_are_read_whatever_the_rotation(tmp_path, read_only):
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    case = read_only(with_both_forms(tmp_path / "A.nii", turn @ AFFINE), masks_only=True)
    assert case.geometry.spacing == (3.0, 0.8, 0.5)


@pytest.mark.parametrize("form", ["sform", "qform", "both"])
@pytest.mark.parametrize("unit", [0, 2])
def test_the_identity_is_a_place_only_with_a_unit(tmp_path, form, unit, read_only):
    image = nib.Nifti1Image(STORED, None)
    if form != "qform":
        image.set_sform(np.eye(4), 2)
    if form != "sform":
        image.set_qform(np.eye(4), 1)
    image.header["xyzt_units"] = unit
    nib.save(image, tmp_path / "A.nii")
    geometry = read_only(tmp_path / "A.nii", masks_only=True).geometry
    assert (geometry == Geometry()) == (unit == 0)
    assert (geometry.affine is None) == (unit == 0)


def test_a_place_beside_the_identity_counts_without_a_unit(tmp_path, read_only):
    affine = np.eye(4)
    affine[0, 3] = -90
    nib.save(nib.Nifti1Image(STORED, affine), tmp_path / "A.nii")
    assert read_only(tmp_path / "A.nii", masks_only=True).geometry.spacing == (1.0, 1.0, 1.0)


def test_a_mask_on_an_image_that_knows_nothing_is_written_and_read_on_its_grid_invariant(tmp_path):
    nib.save(nib.Nifti1Image(STORED.astype(np.int16), np.eye(4)), tmp_path / "A_flair.nii.gz")
    (source,) = open_cases(tmp_path)
    mask = STORED.transpose(2, 1, 0) == 1
    source.write(tmp_path / "out", {"mask": mask})
    (written,) = open_cases(tmp_path / "out", masks_only=True)
    np.testing.assert_array_equal(written.read().mask, mask)
    assert written.read().geometry == Geometry()
