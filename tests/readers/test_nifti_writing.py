from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases

# Stored as (x, y, z): all three lengths differ, so that a wrong axis shows.
STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1, 2, 3] = STORED[1, 2, 4] = STORED[4, 0, 0] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])


MASK = STORED.transpose(2, 1, 0) == 1


MAP = np.random.default_rng(0).random(MASK.shape).astype(np.float32)


def write(path, out, **volumes):
    (source,) = open_cases(path)
    return source.write(out, volumes)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SAR", "PIL", "ASR", "LAI"])
def test_what_is_written_lies_on_the_stored_array_nibabel(tmp_path, orientation, kind, read_only):
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(orientation)
    )
    angle = 0.1  # so that the grid is oblique
    tilt = np.eye(4)
    tilt[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    stored = kind(STORED.astype(np.int16) * 300, tilt @ AFFINE).as_reoriented(turn)
    stored.header.set_xyzt_units("mm", "sec")
    (tmp_path / "in").mkdir()
    nib.save(stored, tmp_path / "in/A_flair.nii.gz")
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
        original = nib.load(tmp_path / "in/A_flair.nii.gz")
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
def test_the_geometry_is_what_the_input_has_known_or_not_invariant(
    tmp_path, header, save_nifti, rewrite_header, read_only
):
    affine = AFFINE * [[100], [100], [100], [1]] if "xyzt_units" in header else AFFINE
    path = rewrite_header(save_nifti(tmp_path / "in/A_flair.nii", affine=affine), **header)
    case = read_only(path)
    write(path, tmp_path / "out", mask=MASK)
    again = read_only(tmp_path / "out", masks_only=True)
    np.testing.assert_array_equal(again.mask, MASK)
    assert again.geometry == case.geometry
    if case.geometry.affine is None:
        assert again.geometry.affine is None
    else:
        np.testing.assert_array_equal(again.geometry.affine, case.geometry.affine)


def test_one_volume_of_three_along_the_fourth_axis_gives_the_grid(tmp_path, save_nifti):
    path = save_nifti(tmp_path / "in/A.nii.gz", np.stack([STORED] * 3, axis=3))
    (source,) = open_cases(path, sequences=["FLAIR", "pre-contrast", "post-contrast"])
    (file,) = source.write(tmp_path / "out", {"mask": MASK})
    np.testing.assert_array_equal(np.asarray(nib.load(file).dataobj), STORED)


def test_a_big_endian_input(tmp_path):
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    header.set_sform(AFFINE, code=1)
    (tmp_path / "in").mkdir()
    nib.save(nib.Nifti1Image(STORED.astype(">i2"), None, header), tmp_path / "in/A_flair.nii")
    (file,) = write(tmp_path / "in", tmp_path / "out", mask=MASK)
    back = nib.load(file)
    np.testing.assert_array_equal(np.asarray(back.dataobj), STORED)
    np.testing.assert_array_equal(back.affine, nib.load(tmp_path / "in/A_flair.nii").affine)


def test_nothing_of_the_header_but_the_place_is_copied(tmp_path, save_nifti):
    path = save_nifti(tmp_path / "in/A_flair.nii", descrip=b"Name of the patient", cal_max=7)
    (file,) = write(path, tmp_path / "out", mask=MASK)
    header = nib.load(file).header
    assert header["descrip"].item() == b""
    assert header["cal_max"] == 0


def test_flat_cases_are_written_flat_and_folders_as_folders(tmp_path, save_nifti):
    save_nifti(tmp_path / "flat/A_flair.nii.gz")
    save_nifti(tmp_path / "flat/A_t1.nii.gz")
    save_nifti(tmp_path / "flat/B_flair.nii")
    for source in open_cases(tmp_path / "flat"):
        source.write(tmp_path / "flat out", {"mask": MASK, "entropy": MAP})
    names = {"A_mask.nii.gz", "A_entropy.nii.gz", "B_mask.nii.gz", "B_entropy.nii.gz"}
    assert {path.name for path in (tmp_path / "flat out").iterdir()} == names
    assert [one.id for one in open_cases(tmp_path / "flat out", masks_only=True)] == ["A", "B"]

    save_nifti(tmp_path / "folders/A/flair.nii.gz")
    save_nifti(tmp_path / "folders/B/flair.nii.gz")
    save_nifti(tmp_path / "folders/B/t1.nii.gz")
    for source in (*open_cases(tmp_path / "folders"), *open_cases(tmp_path / "folders/B")):
        (file,) = source.write(tmp_path / "folders out", {"mask": MASK})
        assert file == tmp_path / f"folders out/{source.id}/{source.id}_mask.nii.gz"
    assert [one.id for one in open_cases(tmp_path / "folders out", masks_only=True)] == ["A", "B"]


def test_maps_are_neither_images_nor_masks(tmp_path, save_nifti):
    path = save_nifti(tmp_path / "in/A_flair.nii.gz")
    write(path, tmp_path / "out", mask=MASK, probability=MAP, uncertainty=MAP, entropy=MAP)
    (source,) = open_cases(tmp_path / "out")
    assert (source.has_image, source.has_mask) == (False, True)
    np.testing.assert_array_equal(source.read().mask, MASK)


def test_the_same_volumes_give_the_same_bytes_invariant(tmp_path, save_nifti):
    path = save_nifti(tmp_path / "in/A_flair.nii.gz")
    one, two = (write(path, tmp_path / out, mask=MASK, entropy=MAP) for out in ("one", "two"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
    assert one[0].read_bytes()[4:8] == bytes(4)  # gzip's time


def test_an_earlier_output_is_replaced_with_the_mask_first_and_last(
    tmp_path, monkeypatch, save_nifti, read_only
):
    path = save_nifti(tmp_path / "in/A_flair.nii.gz")
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


def test_the_input_is_never_written_over(tmp_path, save_nifti):
    save_nifti(tmp_path / "A_flair.nii.gz")
    before = save_nifti(tmp_path / "A_mask.nii.gz").read_bytes()
    for path in (tmp_path, tmp_path / "A_flair.nii.gz"):
        with pytest.raises(InputError, match="another folder than case A is read from"):
            write(path, tmp_path, mask=~MASK)
    assert (tmp_path / "A_mask.nii.gz").read_bytes() == before


def test_a_volume_of_the_stored_shape_is_refused(tmp_path, save_nifti):
    path = save_nifti(tmp_path / "in/A_flair.nii.gz")
    with pytest.raises(ValueError, match=r"to be \(7, 6, 5\), found \(5, 6, 7\)"):
        write(path, tmp_path / "out", mask=STORED)


def test_a_case_whose_file_has_gone_is_a_case_error(tmp_path, save_nifti):
    path = save_nifti(tmp_path / "in/A_flair.nii.gz")
    (source,) = open_cases(path)
    path.unlink()
    with pytest.raises(CaseError, match="case A to be readable NIfTI"):
        source.write(tmp_path / "out", {"mask": MASK})


def test_a_case_of_files_that_are_not_used(tmp_path, save_nifti):
    save_nifti(tmp_path / "in/A_t2.nii.gz")
    with pytest.raises(CaseError, match="to have an image or a mask, found none"):
        write(tmp_path / "in", tmp_path / "out", mask=MASK)
