import gzip
import logging
import pickle
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from lggshape.case import Geometry
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases

# Stored as (x, y, z): all three lengths differ, so that a wrong axis shows.
STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1, 2, 3] = STORED[1, 2, 4] = STORED[4, 0, 0] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])


def save(path, values=STORED, affine=AFFINE, *, kind=nib.Nifti1Image, **header):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = kind(values, affine)
    if affine is not None:
        image.header.set_xyzt_units("mm")
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def rewrite(path, **header):
    """Change fields of the header of an uncompressed file as they lie there."""
    content = bytearray(path.read_bytes())
    raw = nib.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in header.items():
        raw[name] = value
    content[:348] = raw.binaryblock
    path.write_bytes(bytes(content))
    return path


def read_only(path, *, masks_only=False):
    (source,) = open_cases(path, masks_only=masks_only)
    return source.read()


def failure(path, *, masks_only=True):
    (source,) = open_cases(path, masks_only=masks_only)
    with pytest.raises(CaseError) as caught:
        source.read()
    assert f"case {source.id} " in str(caught.value)
    return str(caught.value)


# --- one file


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["A.nii", "A.nii.gz", "A.NII.GZ"])
def test_a_mask_is_read_as_z_y_x_with_spacing_in_that_order(tmp_path, name, kind):
    case = read_only(save(tmp_path / name, kind=kind), masks_only=True)
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)
    assert (case.id, case.patient) == ("A", "A")
    assert case.geometry.spacing == (3.0, 0.8, 0.5)


def test_the_affine_maps_zyx_indices_to_the_same_places_nibabel(tmp_path):
    path = save(tmp_path / "A.nii")
    case = read_only(path, masks_only=True)
    assert case.mask[4, 2, 1]
    expected = nib.load(path).affine @ [1, 2, 4, 1]
    np.testing.assert_allclose(case.geometry.affine @ [4, 2, 1, 1], expected)


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "SAR", "PIL", "ASR"])
def test_voxels_keep_their_places_under_any_stored_orientation_invariant(tmp_path, orientation):
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(orientation)
    )
    turned = nib.Nifti1Image(STORED, AFFINE).as_reoriented(turn)
    nib.save(turned, tmp_path / "A.nii.gz")
    case = read_only(tmp_path / "A.nii.gz", masks_only=True)
    straight = read_only(save(tmp_path / "B.nii.gz"), masks_only=True)
    np.testing.assert_array_equal(case.mask, straight.mask)
    np.testing.assert_allclose(case.geometry.affine, straight.geometry.affine)
    assert case.geometry.spacing == straight.geometry.spacing


def test_an_oblique_grid_has_the_spacing_of_its_axes_analytic(tmp_path):
    angle = 0.2
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    case = read_only(save(tmp_path / "A.nii", affine=turn @ AFFINE), masks_only=True)
    assert case.geometry.spacing == pytest.approx((3.0, 0.8, 0.5))


def test_units_of_the_header_count(tmp_path):
    stored = AFFINE * [[100], [100], [100], [1]]
    path = rewrite(save(tmp_path / "A.nii", affine=stored), xyzt_units=3)
    geometry = read_only(path, masks_only=True).geometry
    assert geometry.spacing == pytest.approx((0.3, 0.08, 0.05))
    np.testing.assert_allclose(geometry.affine[:3, 3], [-1, -2, 0.5])


@pytest.mark.parametrize("size", [1e-30, 9e-4, 1001, 1e18])
def test_sizes_of_no_voxel_are_refused(tmp_path, size):
    affine = AFFINE.copy()
    affine[2, 2] = size
    said = failure(save(tmp_path / "by_affine.nii", affine=affine))
    assert f"voxel sizes {size:g}, 0.8, 0.5 (z, y, x) instead of 0.001 to 1000 mm" in said
    assert len(said.splitlines()) == 1
    sizes = [1, 0.5, 0.8, size, 1, 1, 1, 1]
    said = failure(rewrite(save(tmp_path / "by_pixdim.nii", affine=None), pixdim=sizes))
    assert f"voxel sizes {size:g}, 0.8, 0.5 (z, y, x) instead of 0.001 to 1000 mm" in said


def test_sizes_that_32_bits_cannot_hold_are_refused(tmp_path):
    affine = AFFINE.copy()
    affine[2, 2] = 1e100
    assert "instead of 0.001 to 1000 mm" in failure(
        save(tmp_path / "A.nii", affine=affine, kind=nib.Nifti2Image)
    )


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_sizes_at_the_ends_of_the_range_are_read(tmp_path, size):
    path = save(tmp_path / "A.nii", affine=np.diag([size, size, size, 1]))
    assert read_only(path, masks_only=True).geometry.spacing == (size, size, size)


@pytest.mark.parametrize(
    ("dtype", "value"), [(np.float32, 1), (np.float64, 255), (np.int16, 7), (np.uint8, 255)]
)
def test_masks_of_other_types(tmp_path, dtype, value):
    path = save(tmp_path / "A.nii.gz", (STORED * value).astype(dtype))
    np.testing.assert_array_equal(
        read_only(path, masks_only=True).mask, STORED.transpose(2, 1, 0) == 1
    )


def test_scaled_values_are_the_true_values(tmp_path):
    path = save(tmp_path / "A.nii", STORED)
    rewrite(path, scl_slope=2.0, scl_inter=1.0)
    case = read_only(path)
    np.testing.assert_array_equal(case.image[..., 0], 2.0 * STORED.transpose(2, 1, 0) + 1)


def test_an_image_keeps_its_type(tmp_path):
    assert read_only(save(tmp_path / "A.nii", STORED.astype(np.int16))).image.dtype == np.int16


def test_a_file_in_big_endian(tmp_path):
    image = nib.Nifti1Image(STORED.astype(np.int16), AFFINE)
    swapped = nib.Nifti1Image(image.dataobj, AFFINE, image.header.as_byteswapped(">"))
    nib.save(swapped, tmp_path / "A.nii")
    assert (tmp_path / "A.nii").read_bytes()[:4] == (348).to_bytes(4, "big")
    np.testing.assert_array_equal(
        read_only(tmp_path / "A.nii", masks_only=True).mask, STORED.transpose(2, 1, 0) == 1
    )


def test_an_axis_of_length_one_at_the_end_is_dropped(tmp_path):
    case = read_only(save(tmp_path / "A.nii", STORED[..., None]), masks_only=True)
    assert case.mask.shape == (7, 6, 5)


# --- a file without sform and qform


def test_pixdim_without_an_affine_is_spacing_without_orientation(tmp_path):
    path = rewrite(save(tmp_path / "A.nii", affine=None), pixdim=[1, 0.5, 0.8, 3, 1, 1, 1, 1])
    case = read_only(path, masks_only=True)
    assert case.geometry == Geometry(spacing=(3.0, 0.8, 0.5))
    assert case.geometry.affine is None
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)


def test_pixdim_of_ones_without_a_unit_tells_nothing(tmp_path):
    case = read_only(save(tmp_path / "A.nii", affine=None), masks_only=True)
    assert case.geometry == Geometry()


def test_pixdim_of_ones_with_a_unit_is_a_millimetre(tmp_path):
    path = rewrite(save(tmp_path / "A.nii", affine=None), xyzt_units=2)
    assert read_only(path, masks_only=True).geometry.spacing == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("size", [0, -1, np.nan, np.inf])
def test_pixdim_that_is_no_size_is_unknown_spacing_not_a_guess(tmp_path, size, capfd):
    path = rewrite(
        save(tmp_path / "A.nii", affine=None), pixdim=[1, 0.5, 0.8, size, 1, 1, 1, 1], xyzt_units=2
    )
    assert read_only(path, masks_only=True).geometry == Geometry()
    assert capfd.readouterr() == ("", "")


def test_a_qform_needs_pixdim(tmp_path):
    path = rewrite(
        save(tmp_path / "A.nii"), sform_code=0, qform_code=1, pixdim=[1, 0.5, 0.8, 0, 1, 1, 1, 1]
    )
    assert "pixdim [0.5, 0.8" in failure(path)


def test_a_qform_alone_is_an_affine(tmp_path):
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
def test_an_affine_without_sizes_or_with_shear(tmp_path, row, message):
    path = rewrite(save(tmp_path / "A.nii"), srow_z=row, qform_code=0)
    assert message in failure(path)


# --- damaged files


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ((STORED * np.arange(7)).astype(np.uint8), "found 0, 3, 4"),
        (np.where(STORED == 1, np.nan, 0).astype(np.float32), "found 0, nan"),
    ],
)
def test_masks_of_several_labels_or_nan(tmp_path, values, found):
    message = failure(save(tmp_path / "A.nii.gz", values))
    assert found in message
    assert "A.nii.gz" in message


@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.95])
@pytest.mark.parametrize("name", ["A.nii", "A.nii.gz"])
def test_truncated_files(tmp_path, capfd, caplog, name, kept):
    noise = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    path = save(tmp_path / name, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with caplog.at_level(logging.DEBUG):
        message = failure(path, masks_only=False)
    assert "to be readable NIfTI, found: " in message
    assert str(path) in message
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_flipped_bit_in_a_compressed_file_is_noticed(tmp_path):
    path = save(tmp_path / "A.nii")
    # Stored, not deflated: only the checksum at the end of the stream can tell.
    content = bytearray(gzip.compress(path.read_bytes(), compresslevel=0))
    content[-20] ^= 1
    (tmp_path / "B.nii.gz").write_bytes(bytes(content))
    assert "CRC check failed" in failure(tmp_path / "B.nii.gz")


def test_a_file_that_is_no_nifti(tmp_path):
    (tmp_path / "A.nii").write_bytes(b"\x89PNG" + bytes(1000))
    assert "found: no NIfTI header" in failure(tmp_path / "A.nii")


def test_absurd_dimensions(tmp_path):
    path = rewrite(save(tmp_path / "A.nii"), dim=[3, 32767, 32767, 32767, 1, 1, 1, 1])
    assert "to be readable NIfTI" in failure(path)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (STORED[0], "shape (6, 7) instead of a volume"),
        (np.zeros((2, 2, 2, 2, 2), np.uint8), "shape (2, 2, 2, 2, 2) instead of a volume"),
        (np.zeros((5, 6, 7), np.complex64), "complex64 instead of plain numbers"),
    ],
)
def test_contents_that_are_no_volume(tmp_path, values, found):
    assert found in failure(save(tmp_path / "A.nii", values))


# --- what a file is


def test_a_folder_of_masks(tmp_path):
    for name in ("case_10.nii.gz", "case_9.nii", "case_11_mask.nii.gz", "case_12-seg.nii"):
        save(tmp_path / name)
    sources = open_cases(tmp_path, masks_only=True)
    assert [source.id for source in sources] == ["case_9", "case_10", "case_11", "case_12"]
    for source in sources:
        assert (source.has_image, source.has_mask) == (False, True)
        np.testing.assert_array_equal(source.read().mask, STORED.transpose(2, 1, 0) == 1)


def test_a_file_without_a_role_is_the_image_unless_masks_are_wanted(tmp_path):
    path = save(tmp_path / "A.nii")
    image = read_only(path)
    assert image.sequences == ("FLAIR",)
    assert image.image.shape == (7, 6, 5, 1)
    assert image.mask is None
    mask = read_only(path, masks_only=True)
    assert mask.image is None
    assert mask.mask is not None


def test_beside_a_mask_a_file_without_a_role_is_the_image_in_any_case(tmp_path):
    values = np.random.default_rng(0).random((5, 6, 7, 3)).astype(np.float32)
    save(tmp_path / "A.nii.gz", values)
    save(tmp_path / "A_mask.nii.gz")
    for masks_only in (False, True):
        case = read_only(tmp_path, masks_only=masks_only)
        np.testing.assert_array_equal(case.image, values.transpose(2, 1, 0, 3))
        assert case.sequences == ("pre-contrast", "FLAIR", "post-contrast")
        np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)


NAMES = [
    ("B_t1.nii.gz", "B_flair.nii.gz", "B_t1ce.nii.gz", "B_seg.nii.gz", "B_t2.nii.gz"),
    ("B-t1n.nii.gz", "B-t2f.nii.gz", "B-t1c.nii.gz", "B-seg.nii.gz", "B-t2w.nii.gz"),
    ("B_pre.nii", "B_FLAIR.nii", "B_post.nii", "B_Mask.nii", "B_T2.nii"),
    ("B_T1.nii", "B_Flair.nii", "B_T1Gd.nii", "B_segmentation.nii", "B_t2w.nii"),
    ("t1.nii", "flair.nii", "t1ce.nii", "mask.nii", "t2.nii"),
]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
@pytest.mark.parametrize("opened", ["", "B"])
def test_a_file_a_sequence(tmp_path, names, opened):
    """In a folder of case folders, and opened by the case folder itself."""
    values = np.random.default_rng(0).random((3, 5, 6, 7)).astype(np.float32)
    for name, sequence in zip(names, [*values, STORED, values[0]], strict=True):
        save(tmp_path / "B" / name, sequence)
    case = read_only(tmp_path / opened)
    assert case.id == "B"
    assert case.sequences == ("pre-contrast", "FLAIR", "post-contrast")
    np.testing.assert_array_equal(case.image, values.transpose(3, 2, 1, 0))
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)


def test_flat_files_of_several_cases(tmp_path):
    for case in ("P_2", "P_10"):
        for role in ("flair", "post", "mask"):
            save(tmp_path / f"{case}_{role}.nii.gz")
    sources = open_cases(tmp_path)
    assert [source.id for source in sources] == ["P_2", "P_10"]
    assert sources[0].read().sequences == ("FLAIR", "post-contrast")


def test_what_is_not_asked_for_is_not_read(tmp_path):
    save(tmp_path / "A_mask.nii.gz")
    (tmp_path / "A_flair.nii.gz").write_bytes(b"damaged")
    (source,) = open_cases(tmp_path)
    assert source.read(image=False).mask is not None
    assert source.read(image=False, mask=False).geometry == Geometry()


def test_images_without_a_mask_fail_where_masks_are_wanted(tmp_path):
    save(tmp_path / "A_flair.nii.gz")
    assert "case A to have a mask, found none" in failure(tmp_path)


def test_a_case_of_unused_files_alone(tmp_path):
    save(tmp_path / "A_t2.nii.gz")
    assert "case A to have an image or a mask" in failure(tmp_path, masks_only=False)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("A_mask.nii", "A_mask.nii.gz"), "one mask file, found A_mask.nii and A_mask.nii.gz"),
        (("A_mask.nii", "A_seg.nii"), "one mask file, found A_mask.nii and A_seg.nii"),
        (("A_t1.nii", "A_pre.nii"), "one pre-contrast file, found A_pre.nii and A_t1.nii"),
        (("A.nii", "A.nii.gz"), "one file without a role in its name"),
        (("A.nii", "A_flair.nii"), "one file or a file a sequence, found A.nii and A_flair.nii"),
    ],
)
def test_two_files_for_one_thing(tmp_path, names, found):
    for name in names:
        save(tmp_path / name)
    assert found in failure(tmp_path, masks_only=False)


def test_images_in_folders_and_masks_beside_them_are_one_case(tmp_path):
    save(tmp_path / "A" / "flair.nii.gz")
    save(tmp_path / "A_mask.nii.gz")
    case = read_only(tmp_path)
    assert case.image is not None
    assert case.mask is not None


def test_an_image_of_two_volumes(tmp_path):
    path = save(tmp_path / "A.nii", np.zeros((5, 6, 7, 2), np.uint8))
    assert "one volume (FLAIR) or three" in failure(path, masks_only=False)


@pytest.mark.parametrize("name", ["A_flair.nii", "A_mask.nii"])
def test_a_sequence_or_mask_of_several_volumes(tmp_path, name):
    path = save(tmp_path / name, np.zeros((5, 6, 7, 2), np.uint8))
    assert "to hold one volume, found 2" in failure(path, masks_only=False)


# --- one grid


def shifted(millimetres):
    affine = AFFINE.copy()
    affine[0, 3] += millimetres
    return affine


@pytest.mark.parametrize(
    ("values", "affine"),
    [
        (STORED[:-1], AFFINE),
        (STORED, shifted(0.1)),
        (STORED, np.diag([1.01, 1, 1, 1]) @ AFFINE),
        (STORED, None),
    ],
)
def test_image_and_mask_on_different_grids(tmp_path, values, affine):
    save(tmp_path / "A_flair.nii.gz")
    save(tmp_path / "A_mask.nii.gz", values, affine)
    message = failure(tmp_path)
    assert "to lie on one grid" in message
    assert "A_flair.nii.gz" in message
    assert "A_mask.nii.gz" in message


def test_rounding_of_the_affine_is_the_same_grid(tmp_path):
    save(tmp_path / "A_flair.nii.gz")
    save(tmp_path / "A_mask.nii.gz", affine=shifted(1e-5))
    assert read_only(tmp_path).mask is not None


@pytest.mark.parametrize(("size", "same"), [(3, True), (2, False), (0, False)])
def test_spacing_alone_has_to_agree(tmp_path, size, same):
    sizes = [1, 0.5, 0.8, 3, 1, 1, 1, 1]
    rewrite(save(tmp_path / "A_flair.nii", affine=None), pixdim=sizes)
    sizes[3] = size
    rewrite(save(tmp_path / "A_mask.nii", affine=None), pixdim=sizes)
    if same:
        assert read_only(tmp_path).mask is not None
    else:
        assert "different affines or voxel sizes" in failure(tmp_path)


def test_sources_can_be_sent_to_another_process(tmp_path):
    save(tmp_path / "A_mask.nii.gz")
    (source,) = open_cases(tmp_path)
    copy = pickle.loads(pickle.dumps(source))
    assert copy == source
    assert copy.read().mask is not None


# --- writing

# As they are read: (z, y, x).
MASK = STORED.transpose(2, 1, 0) == 1
MAP = np.random.default_rng(0).random(MASK.shape).astype(np.float32)


def write(path, out, **volumes):
    (source,) = open_cases(path)
    return source.write(out, volumes)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SAR", "PIL", "ASR", "LAI"])
def test_what_is_written_lies_on_the_stored_array_nibabel(tmp_path, orientation, kind):
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(orientation)
    )
    angle = 0.1  # so that the grid is oblique
    tilt = np.eye(4)
    tilt[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    stored = kind(STORED.astype(np.int16) * 300, tilt @ AFFINE).as_reoriented(turn)
    stored.header.set_xyzt_units("mm", "sec")
    (tmp_path / "in").mkdir()
    nib.save(stored, tmp_path / "in/A.nii.gz")
    case = read_only(tmp_path / "in")

    mask = case.image[..., 0] > 0
    files = write(tmp_path / "in", tmp_path / "out", mask=mask, probability=mask * np.float32(0.7))
    assert files == [tmp_path / "out/A_mask.nii.gz", tmp_path / "out/A_probability.nii.gz"]
    for file, dtype, value in zip(files, (np.uint8, np.float32), (1, np.float32(0.7)), strict=True):
        back = nib.load(file)
        assert type(back) is kind
        assert back.get_data_dtype() == dtype
        source = np.asarray(stored.dataobj)
        np.testing.assert_array_equal(np.asarray(back.dataobj), (source > 0) * value)
        original = nib.load(tmp_path / "in/A.nii.gz")
        np.testing.assert_array_equal(back.affine, original.affine)
        for form in ("sform", "qform"):
            assert back.header[f"{form}_code"] == original.header[f"{form}_code"]
            np.testing.assert_array_equal(
                getattr(back, f"get_{form}")(), getattr(original, f"get_{form}")()
            )
        assert back.header.get_xyzt_units() == ("mm", "sec")
        np.testing.assert_array_equal(back.header.get_zooms(), original.header.get_zooms())

    again = read_only(tmp_path / "out", masks_only=True)
    np.testing.assert_array_equal(again.mask, mask)
    assert (again.id, again.geometry) == (case.id, case.geometry)
    np.testing.assert_array_equal(again.geometry.affine, case.geometry.affine)


@pytest.mark.parametrize(
    "header",
    [
        {"sform_code": 0, "qform_code": 0},
        {"sform_code": 0, "qform_code": 0, "pixdim": [1, 0.5, 0.8, 3, 1, 1, 1, 1]},
        {"sform_code": 0},
        {"qform_code": 0, "xyzt_units": 3},
    ],
)
def test_the_geometry_is_what_the_input_has_known_or_not_invariant(tmp_path, header):
    affine = AFFINE * [[100], [100], [100], [1]] if "xyzt_units" in header else AFFINE
    path = rewrite(save(tmp_path / "in/A.nii", affine=affine), **header)
    case = read_only(path)
    write(path, tmp_path / "out", mask=MASK)
    again = read_only(tmp_path / "out", masks_only=True)
    np.testing.assert_array_equal(again.mask, MASK)
    assert again.geometry == case.geometry
    if case.geometry.affine is None:
        assert again.geometry.affine is None
    else:
        np.testing.assert_array_equal(again.geometry.affine, case.geometry.affine)


def test_one_volume_of_three_along_the_fourth_axis_gives_the_grid(tmp_path):
    path = save(tmp_path / "in/A.nii.gz", np.stack([STORED] * 3, axis=3))
    (file,) = write(path, tmp_path / "out", mask=MASK)
    np.testing.assert_array_equal(np.asarray(nib.load(file).dataobj), STORED)


def test_a_big_endian_input(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    header.set_sform(AFFINE, code=1)
    (tmp_path / "in").mkdir()
    nib.save(nib.Nifti1Image(STORED.astype(">i2"), None, header), tmp_path / "in/A.nii")
    (file,) = write(tmp_path / "in", tmp_path / "out", mask=MASK)
    back = nib.load(file)
    np.testing.assert_array_equal(np.asarray(back.dataobj), STORED)
    np.testing.assert_array_equal(back.affine, nib.load(tmp_path / "in/A.nii").affine)


def test_nothing_of_the_header_but_the_place_is_copied(tmp_path):
    path = save(tmp_path / "in/A.nii", descrip=b"Name of the patient", cal_max=7)
    (file,) = write(path, tmp_path / "out", mask=MASK)
    header = nib.load(file).header
    assert header["descrip"].item() == b""
    assert header["cal_max"] == 0


def test_flat_cases_are_written_flat_and_folders_as_folders(tmp_path):
    save(tmp_path / "flat/A_flair.nii.gz")
    save(tmp_path / "flat/A_t1.nii.gz")
    save(tmp_path / "flat/B.nii")
    for source in open_cases(tmp_path / "flat"):
        source.write(tmp_path / "flat out", {"mask": MASK, "entropy": MAP})
    names = {"A_mask.nii.gz", "A_entropy.nii.gz", "B_mask.nii.gz", "B_entropy.nii.gz"}
    assert {path.name for path in (tmp_path / "flat out").iterdir()} == names
    assert [one.id for one in open_cases(tmp_path / "flat out", masks_only=True)] == ["A", "B"]

    save(tmp_path / "folders/A/anything.nii.gz")
    save(tmp_path / "folders/B/flair.nii.gz")
    save(tmp_path / "folders/B/t1.nii.gz")
    for source in (*open_cases(tmp_path / "folders"), *open_cases(tmp_path / "folders/B")):
        (file,) = source.write(tmp_path / "folders out", {"mask": MASK})
        assert file == tmp_path / f"folders out/{source.id}/{source.id}_mask.nii.gz"
    assert [one.id for one in open_cases(tmp_path / "folders out", masks_only=True)] == ["A", "B"]


def test_maps_are_neither_images_nor_masks(tmp_path):
    path = save(tmp_path / "in/A.nii.gz")
    write(path, tmp_path / "out", mask=MASK, probability=MAP, uncertainty=MAP, entropy=MAP)
    (source,) = open_cases(tmp_path / "out")
    assert (source.has_image, source.has_mask) == (False, True)
    np.testing.assert_array_equal(source.read().mask, MASK)


def test_the_same_volumes_give_the_same_bytes_invariant(tmp_path):
    path = save(tmp_path / "in/A.nii.gz")
    one, two = (write(path, tmp_path / out, mask=MASK, entropy=MAP) for out in ("one", "two"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
    assert one[0].read_bytes()[4:8] == bytes(4)  # gzip's time


def test_an_earlier_output_is_replaced_with_the_mask_first_and_last(tmp_path, monkeypatch):
    path = save(tmp_path / "in/A.nii.gz")
    out = tmp_path / "out"
    write(path, out, mask=MASK, probability=MAP, entropy=MAP)
    seen = []
    replace = Path.replace

    def watch(self, target):
        seen.append(self.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watch)
    write(path, out, mask=~MASK, entropy=MAP)
    assert (seen[0], seen[-1]) == ("A_mask.nii.gz", "A_mask.nii.gz")
    assert {file.name for file in out.iterdir()} == {"A_mask.nii.gz", "A_entropy.nii.gz"}
    np.testing.assert_array_equal(read_only(out).mask, ~MASK)


def test_the_input_is_never_written_over(tmp_path):
    save(tmp_path / "A_flair.nii.gz")
    before = save(tmp_path / "A_mask.nii.gz").read_bytes()
    for path in (tmp_path, tmp_path / "A_flair.nii.gz"):
        with pytest.raises(InputError, match="another folder than case A is read from"):
            write(path, tmp_path, mask=~MASK)
    assert (tmp_path / "A_mask.nii.gz").read_bytes() == before


def test_a_volume_of_the_stored_shape_is_refused(tmp_path):
    path = save(tmp_path / "in/A.nii.gz")
    with pytest.raises(ValueError, match=r"to be \(7, 6, 5\), found \(5, 6, 7\)"):
        write(path, tmp_path / "out", mask=STORED)


def test_a_case_whose_file_has_gone_is_a_case_error(tmp_path):
    path = save(tmp_path / "in/A.nii.gz")
    (source,) = open_cases(path)
    path.unlink()
    with pytest.raises(CaseError, match="case A to be readable NIfTI"):
        source.write(tmp_path / "out", {"mask": MASK})


def test_a_case_of_files_that_are_not_used(tmp_path):
    save(tmp_path / "in/A_t2.nii.gz")
    with pytest.raises(CaseError, match="to have an image or a mask, found none"):
        write(tmp_path / "in", tmp_path / "out", mask=MASK)
