import nibabel as nib
import numpy as np
import pytest

from lggshape.case import Geometry

# Stored as (x, y, z): all three lengths differ, so that a wrong axis shows.
STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1, 2, 3] = STORED[1, 2, 4] = STORED[4, 0, 0] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["A.nii", "A.nii.gz", "A.NII.GZ"])
def test_a_mask_is_read_as_z_y_x_with_spacing_in_that_order(
    tmp_path, name, kind, save_nifti, read_only
):
    case = read_only(save_nifti(tmp_path / name, kind=kind), masks_only=True)
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)
    assert (case.id, case.patient) == ("A", "A")
    assert case.geometry.spacing == (3.0, 0.8, 0.5)


def test_the_affine_maps_zyx_indices_to_the_same_places_nibabel(tmp_path, save_nifti, read_only):
    path = save_nifti(tmp_path / "A.nii")
    case = read_only(path, masks_only=True)
    assert case.mask[4, 2, 1]
    expected = nib.load(path).affine @ [1, 2, 4, 1]
    np.testing.assert_allclose(case.geometry.affine @ [4, 2, 1, 1], expected)


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "SAR", "PIL", "ASR"])
def test_voxels_keep_their_places_under_any_stored_orientation_invariant(
    tmp_path, orientation, save_nifti, read_only
):
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(orientation)
    )
    turned = nib.Nifti1Image(STORED, AFFINE).as_reoriented(turn)
    nib.save(turned, tmp_path / "A.nii.gz")
    case = read_only(tmp_path / "A.nii.gz", masks_only=True)
    straight = read_only(save_nifti(tmp_path / "B.nii.gz"), masks_only=True)
    np.testing.assert_array_equal(case.mask, straight.mask)
    np.testing.assert_allclose(case.geometry.affine, straight.geometry.affine)
    assert case.geometry.spacing == straight.geometry.spacing


def test_an_oblique_grid_has_the_spacing_of_its_axes_analytic(tmp_path, save_nifti, read_only):
    angle = 0.2
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    case = read_only(save_nifti(tmp_path / "A.nii", affine=turn @ AFFINE), masks_only=True)
    assert case.geometry.spacing == pytest.approx((3.0, 0.8, 0.5))


def test_units_of_the_header_count(tmp_path, save_nifti, rewrite_header, read_only):
    stored = AFFINE * [[100], [100], [100], [1]]
    path = rewrite_header(save_nifti(tmp_path / "A.nii", affine=stored), xyzt_units=3)
    geometry = read_only(path, masks_only=True).geometry
    assert geometry.spacing == pytest.approx((0.3, 0.08, 0.05))
    np.testing.assert_allclose(geometry.affine[:3, 3], [-1, -2, 0.5])


@pytest.mark.parametrize("size", [1e-30, 9e-4, 1001, 1e18])
def test_sizes_of_no_voxel_are_refused(tmp_path, size, save_nifti, rewrite_header, failure):
    affine = AFFINE.copy()
    affine[2, 2] = size
    said = failure(save_nifti(tmp_path / "by_affine.nii", affine=affine), masks_only=True)
    assert f"voxel sizes {size:g}, 0.8, 0.5 (z, y, x) instead of 0.001 to 1000 mm" in said
    assert len(said.splitlines()) == 1
    sizes = [1, 0.5, 0.8, size, 1, 1, 1, 1]
    said = failure(
        rewrite_header(save_nifti(tmp_path / "by_pixdim.nii", affine=None), pixdim=sizes),
        masks_only=True,
    )
    assert f"voxel sizes {size:g}, 0.8, 0.5 (z, y, x) instead of 0.001 to 1000 mm" in said


def test_sizes_that_32_bits_cannot_hold_are_refused(tmp_path, save_nifti, failure):
    affine = AFFINE.copy()
    affine[2, 2] = 1e100
    assert "instead of 0.001 to 1000 mm" in failure(
        save_nifti(tmp_path / "A.nii", affine=affine, kind=nib.Nifti2Image), masks_only=True
    )


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_sizes_at_the_ends_of_the_range_are_read(tmp_path, size, save_nifti, read_only):
    path = save_nifti(tmp_path / "A.nii", affine=np.diag([size, size, size, 1]))
    assert read_only(path, masks_only=True).geometry.spacing == (size, size, size)


@pytest.mark.parametrize(
    ("dtype", "value"), [(np.float32, 1), (np.float64, 255), (np.int16, 7), (np.uint8, 255)]
)
def test_masks_of_other_types(tmp_path, dtype, value, save_nifti, read_only):
    path = save_nifti(tmp_path / "A.nii.gz", (STORED * value).astype(dtype))
    np.testing.assert_array_equal(
        read_only(path, masks_only=True).mask, STORED.transpose(2, 1, 0) == 1
    )


def test_scaled_values_are_the_true_values(tmp_path, save_nifti, rewrite_header, read_only):
    path = save_nifti(tmp_path / "A.nii", STORED)
    rewrite_header(path, scl_slope=2.0, scl_inter=1.0)
    case = read_only(path)
    np.testing.assert_array_equal(case.image[..., 0], 2.0 * STORED.transpose(2, 1, 0) + 1)


def test_an_image_keeps_its_type(tmp_path, save_nifti, read_only):
    assert (
        read_only(save_nifti(tmp_path / "A.nii", STORED.astype(np.int16))).image.dtype == np.int16
    )


def test_a_file_in_big_endian(tmp_path, read_only):
    image = nib.Nifti1Image(STORED.astype(np.int16), AFFINE)
    swapped = nib.Nifti1Image(image.dataobj, AFFINE, image.header.as_byteswapped(">"))
    nib.save(swapped, tmp_path / "A.nii")
    assert (tmp_path / "A.nii").read_bytes()[:4] == (348).to_bytes(4, "big")
    np.testing.assert_array_equal(
        read_only(tmp_path / "A.nii", masks_only=True).mask, STORED.transpose(2, 1, 0) == 1
    )


def test_an_axis_of_length_one_at_the_end_is_dropped(tmp_path, save_nifti, read_only):
    case = read_only(save_nifti(tmp_path / "A.nii", STORED[..., None]), masks_only=True)
    assert case.mask.shape == (7, 6, 5)


def test_pixdim_without_an_affine_is_spacing_without_orientation(
    tmp_path, save_nifti, rewrite_header, read_only
):
    path = rewrite_header(
        save_nifti(tmp_path / "A.nii", affine=None), pixdim=[1, 0.5, 0.8, 3, 1, 1, 1, 1]
    )
    case = read_only(path, masks_only=True)
    assert case.geometry == Geometry(spacing=(3.0, 0.8, 0.5))
    assert case.geometry.affine is None
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)


def test_pixdim_of_ones_without_a_unit_tells_nothing(tmp_path, save_nifti, read_only):
    case = read_only(save_nifti(tmp_path / "A.nii", affine=None), masks_only=True)
    assert case.geometry == Geometry()


def test_pixdim_of_ones_with_a_unit_is_a_millimetre(
    tmp_path, save_nifti, rewrite_header, read_only
):
    path = rewrite_header(save_nifti(tmp_path / "A.nii", affine=None), xyzt_units=2)
    assert read_only(path, masks_only=True).geometry.spacing == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("size", [0, -1, np.nan, np.inf])
def test_pixdim_that_is_no_size_is_unknown_spacing_not_a_guess(
    tmp_path, size, capfd, save_nifti, rewrite_header, read_only
):
    path = rewrite_header(
        save_nifti(tmp_path / "A.nii", affine=None),
        pixdim=[1, 0.5, 0.8, size, 1, 1, 1, 1],
        xyzt_units=2,
    )
    assert read_only(path, masks_only=True).geometry == Geometry()
    assert capfd.readouterr() == ("", "")


def test_a_qform_needs_pixdim(tmp_path, save_nifti, rewrite_header, failure):
    path = rewrite_header(
        save_nifti(tmp_path / "A.nii"),
        sform_code=0,
        qform_code=1,
        pixdim=[1, 0.5, 0.8, 0, 1, 1, 1, 1],
    )
    assert "pixdim [0.5, 0.8" in failure(path, masks_only=True)


def test_a_qform_alone_is_an_affine(tmp_path, read_only):
    image = nib.Nifti1Image(STORED, AFFINE)
    image.set_qform(AFFINE, 1)
    image.set_sform(None, 0)
    nib.save(image, tmp_path / "A.nii")
    geometry = read_only(tmp_path / "A.nii", masks_only=True).geometry
    assert geometry.spacing == (3.0, 0.8, 0.5)
    np.testing.assert_allclose(geometry.affine[:3, 3], AFFINE[:3, 3])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0, 0, 0, 0], "an affine without voxel sizes"),
        ([0, 0, np.nan, 5], "an affine without voxel sizes"),
        ([1, 0, 3, 5], "axes are not at right angles"),
    ],
)
def test_an_affine_without_sizes_or_with_shear(
    tmp_path, row, message, save_nifti, rewrite_header, failure
):
    path = rewrite_header(save_nifti(tmp_path / "A.nii"), srow_z=row, qform_code=0)
    assert message in failure(path, masks_only=True)
