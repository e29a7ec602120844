"""NRRD and MetaImage, against nibabel and SimpleITK, and by hand-written headers."""

import gzip
import os

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from lggshape.case import SEQUENCES
from lggshape.readers import open_cases
from lggshape.readers.itk_file import META, NRRD, write_nrrd

STORED = np.zeros((5, 6, 7), dtype=np.uint8)
STORED[1, 2, 3] = STORED[1, 2, 4] = STORED[4, 0, 0] = 1
AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])
ENDINGS = [".nrrd", ".nhdr", ".mha", ".mhd"]


def as_nrrd(path, *fields, values=STORED, encoding="raw", data=None):
    """Write an NRRD file with a header by hand."""
    lines = [
        "NRRD0004", "# by hand", "type: uint8", f"dimension: {values.ndim}",
        f"sizes: {' '.join(map(str, values.shape))}", f"encoding: {encoding}", *fields,
    ]  # fmt: skip
    content = values.tobytes(order="F") if data is None else data
    path.write_bytes("\n".join(lines).encode() + b"\n\n" + content)
    return path


def as_meta(path, *fields, values=STORED, data=None, place="LOCAL"):
    lines = [
        "ObjectType = Image", "NDims = 3", "BinaryData = True", *fields,
        f"DimSize = {' '.join(map(str, values.shape))}", "ElementType = MET_UCHAR",
        f"ElementDataFile = {place}",
    ]  # fmt: skip
    content = values.tobytes(order="F") if data is None else data
    path.write_bytes("\n".join(lines).encode() + b"\n" + content)
    return path


# --- the same as NIfTI


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("orientation", ["LPS", "RAS", "SAR", "PIL"])
def test_a_converted_file_gives_the_same_case_nibabel(tmp_path, ending, orientation, read_only):
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(orientation)
    )
    source = tmp_path / "nifti" / "A.nii.gz"
    source.parent.mkdir()
    nib.save(nib.Nifti1Image(STORED, AFFINE).as_reoriented(turn), source)
    (tmp_path / "itk").mkdir()
    SimpleITK.WriteImage(SimpleITK.ReadImage(source), tmp_path / "itk" / f"A{ending}")
    case = read_only(tmp_path / "itk", masks_only=True)
    expected = read_only(source, masks_only=True)
    np.testing.assert_array_equal(case.mask, expected.mask)
    np.testing.assert_allclose(case.geometry.affine, expected.geometry.affine, atol=1e-6)
    assert (case.id, case.geometry.spacing) == ("A", expected.geometry.spacing)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_pixels_of_three_numbers_are_three_sequences_simpleitk(tmp_path, ending, read_only):
    values = np.random.default_rng(0).integers(0, 999, (7, 6, 5, 3), dtype=np.int16)
    SimpleITK.WriteImage(
        SimpleITK.GetImageFromArray(values, isVector=True), tmp_path / f"A{ending}"
    )
    case = read_only(tmp_path, sequences=SEQUENCES)
    np.testing.assert_array_equal(case.image, values)
    assert case.sequences == SEQUENCES


def test_volumes_along_the_fourth_axis_are_three_sequences_simpleitk(tmp_path, read_only):
    values = np.random.default_rng(0).integers(0, 999, (3, 7, 6, 5), dtype=np.int16)
    image = SimpleITK.GetImageFromArray(values, isVector=False)
    SimpleITK.WriteImage(image, tmp_path / "A.mha")
    case = read_only(tmp_path / "A.mha", sequences=SEQUENCES)
    np.testing.assert_array_equal(case.image, np.moveaxis(values, 0, 3))


@pytest.mark.parametrize("kind", [NRRD, META])
@pytest.mark.parametrize("orientation", ["LPS", "PIL"])
def test_the_header_alone_says_the_same_invariant(tmp_path, kind, orientation):
    image = SimpleITK.GetImageFromArray(np.zeros((7, 6, 5, 3), np.float32), isVector=True)
    image.SetSpacing((0.5, 0.8, 3.0))
    path = tmp_path / f"A{kind.endings[0]}"
    SimpleITK.WriteImage(SimpleITK.DICOMOrient(image, orientation), path)
    said, (values, geometry) = kind.describe(path), kind.load(path)
    assert said.shape == values.shape == (7, 6, 5, 3)
    assert said.geometry.spacing == geometry.spacing == (3.0, 0.8, 0.5)
    np.testing.assert_array_equal(said.geometry.affine, geometry.affine)
    assert said.slice_axis == {"LPS": 0, "PIL": 2}[orientation]


# --- what the header says of the place


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (-1, -1, 1)),
        ("LPS", (-1, -1, 1)),
        ("right-anterior-superior", (1, 1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
    ],
)
def test_the_space_of_an_nrrd_file_counts_analytic(tmp_path, space, signs, read_only):
    as_nrrd(
        tmp_path / "A.nrrd",
        f"space: {space}",
        "space directions: (0.5,0,0) (0,0.8,0) (0,0,3)",
        "space origin: (-10,-20,5)",
    )
    case = read_only(tmp_path, masks_only=True)
    turned = STORED[:: signs[0], :: signs[1]].transpose(2, 1, 0)
    np.testing.assert_array_equal(case.mask, turned == 1)
    assert case.geometry.spacing == (3.0, 0.8, 0.5)
    # The corner of the smallest coordinates.
    x, y = -10.0 if signs[0] > 0 else 10 - 4 * 0.5, -20.0 if signs[1] > 0 else 20 - 5 * 0.8
    np.testing.assert_allclose(case.geometry.affine @ [0, 0, 0, 1], [x, y, 5, 1])


STRAIGHT = "space directions: (1,0,0) (0,1,0) (0,0,1)"


@pytest.mark.parametrize(
    ("fields", "spacing"),
    [
        ([], None),
        (["spacings: 1 1 1"], None),
        (["spacings: 0.5 0.8 3"], (3.0, 0.8, 0.5)),
        (["spacings: 1 1 1", 'units: "mm" "mm" "mm"'], (1.0, 1.0, 1.0)),
        (["spacings: 500 800 3000", 'units: "um" "um" "um"'], (3.0, 0.8, 0.5)),
        (["space: scanner-xyz", "space directions: (0.5,0,0) (0,0.8,0) (0,0,3)"], (3.0, 0.8, 0.5)),
        (["space: LPS", STRAIGHT, "space origin: (0,0,0)"], None),
    ],
)
def test_without_a_space_of_the_patient_axes_are_only_transposed_analytic(
    tmp_path, fields, spacing, read_only
):
    case = read_only(as_nrrd(tmp_path / "A.nrrd", *fields), masks_only=True)
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)
    assert (case.geometry.spacing, case.geometry.affine) == (spacing, None)


@pytest.mark.parametrize(
    "fields",
    [
        ["space: LPS", STRAIGHT, "space origin: (0,-5,0)"],
        ["space: LPS", STRAIGHT, "space origin: (0,0,0)", 'space units: "mm" "mm" "mm"'],
    ],
)
def test_voxels_of_a_millimetre_are_known_if_anything_else_is_said_analytic(
    tmp_path, fields, read_only
):
    geometry = read_only(as_nrrd(tmp_path / "A.nrrd", *fields), masks_only=True).geometry
    assert geometry.spacing == (1.0, 1.0, 1.0)
    assert geometry.affine is not None


@pytest.mark.parametrize(
    ("fields", "spacing"),
    [
        ([], None),
        (["ElementSpacing = 1 1 1"], None),
        (["ElementSpacing = 0.5 0.8 3"], (3.0, 0.8, 0.5)),
    ],
)
def test_a_meta_image_without_a_matrix_has_no_orientation_analytic(
    tmp_path, fields, spacing, read_only
):
    case = read_only(as_meta(tmp_path / "A.mha", *fields), masks_only=True)
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)
    assert (case.geometry.spacing, case.geometry.affine) == (spacing, None)


# --- what cannot be used


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (["sizes: 5 6 7"], "says sizes twice"),
        (['space units: "furlong" "furlong" "furlong"', "space: LPS", STRAIGHT], "in furlong"),
        (["kinds: domain domain list"], "3 axes, 2 of them of space"),
        (["kinds: domain domain"], "of space"),
        (["data file: ../B.raw"], "'../B.raw' instead of a file of the same folder"),
        (["data file: B%03d.raw 1 3 1"], "no file 'B%03d.raw 1 3 1' beside it"),
        (["data file: LIST"], "no file 'LIST' beside it"),
        (["nonsense"], "no NRRD header: the line 'nonsense'"),
        (["space: LPS", "space directions: (0,0,0) (0,1,0) (0,0,1)"], "found: "),
        (["space: LPS", "space directions: (1,1,0) (0,1,0) (0,0,1)"], "found: "),
        (["space: LPS", "space directions: (2000,0,0) (0,1,0) (0,0,1)"], "voxel sizes"),
    ],
)
def test_headers_that_cannot_be_used_are_refused_analytic(tmp_path, fields, found, failure):
    assert found in failure(as_nrrd(tmp_path / "A.nrrd", *fields), masks_only=True)


def test_a_number_that_no_grid_has_is_refused_before_itk_computes_for_ever(tmp_path, failure):
    path = as_meta(tmp_path / "A.mha", "TransformMatrix = 1 0 0 0 1 0 -1e308 0 1")
    assert "-1e308, a number that no grid has" in failure(path, masks_only=True)


@pytest.mark.parametrize("encoding", ["hex", "bzip2", ""])
def test_other_encodings_are_refused_analytic(tmp_path, encoding, failure):
    path = as_nrrd(tmp_path / "A.nrrd", encoding=encoding)
    assert f"the encoding {encoding!r}" in failure(path, masks_only=True)


@pytest.mark.parametrize("write", [as_nrrd, as_meta])
def test_sizes_are_checked_before_room_is_made_analytic(tmp_path, write, failure):
    path = write(tmp_path / ("A.nrrd" if write is as_nrrd else "A.mha"))
    content = path.read_bytes().replace(b"5 6 7", b"100000 100000 100000")
    path.write_bytes(content)
    assert "at most 268435456 values expected" in failure(path, masks_only=True)
    path.write_bytes(content.replace(b"100000 100000 100000", b"500 500 500"))
    assert "bytes (raw) for the 125000000" in failure(path, masks_only=True)


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_was_cut_is_refused_invariant(tmp_path, ending, keep, packed, failure):
    values = np.random.default_rng(0).integers(0, 99, (7, 60, 50), dtype=np.uint8)
    path = tmp_path / f"A{ending}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), path, useCompression=packed)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    assert "to be readable" in failure(path)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_packed_values_that_were_changed_are_refused_invariant(tmp_path, ending, failure):
    values = np.random.default_rng(0).integers(0, 99, (7, 60, 50), dtype=np.uint8)
    path = tmp_path / f"A{ending}"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), path, useCompression=True)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    assert "to be readable" in failure(path)


@pytest.mark.parametrize("name", ["A.nrrd", "A.mha", "A.tif", "A.seg.nrrd"])
def test_a_pipe_is_not_opened(tmp_path, name, failure):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / name).symlink_to(tmp_path / "pipe")
    assert "instead of a file" in failure(tmp_path / name)


# --- what is written


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_mask_lies_on_the_stored_grid_simpleitk(tmp_path, ending, read_only):
    image = SimpleITK.GetImageFromArray(STORED.transpose(2, 1, 0).astype(np.int16))
    image.SetSpacing((0.5, 0.8, 3.0))
    image.SetOrigin((1.5, -2.25, 1 / 3))
    image.SetDirection((0.8, -0.6, 0, 0, 0, -1, 0.6, 0.8, 0))
    (tmp_path / "images").mkdir()
    SimpleITK.WriteImage(image, tmp_path / "images" / f"A_flair{ending}")
    (source,) = open_cases(tmp_path / "images")
    case = source.read()
    written = source.write(
        tmp_path / "masks", {"mask": case.image[..., 0] == 1, "probability": case.image[..., 0] / 2}
    )
    suffix = {".nhdr": ".nrrd", ".mhd": ".mha"}.get(ending, ending)
    assert [path.name for path in written] == [f"A_mask{suffix}", f"A_probability{suffix}"]
    for path, factor in zip(written, (1, 0.5), strict=True):
        found = SimpleITK.ReadImage(path)
        np.testing.assert_array_equal(
            SimpleITK.GetArrayFromImage(found), SimpleITK.GetArrayFromImage(image) * factor
        )
        for place in ("GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(found, place)() == getattr(SimpleITK.ReadImage(source.path), place)()
    again = read_only(tmp_path / "masks", masks_only=True)
    np.testing.assert_array_equal(again.mask, case.image[..., 0] == 1)
    np.testing.assert_array_equal(again.geometry.affine, case.geometry.affine)


def test_a_written_file_has_the_same_bytes_each_time_invariant(tmp_path):
    path = as_nrrd(tmp_path / "A.nrrd", "spacings: 0.5 0.8 3")
    mask = STORED.transpose(2, 1, 0) == 1
    for kind, name in ((NRRD, "nrrd"), (META, "mha")):
        source = path if kind is NRRD else as_meta(tmp_path / "A.mha")
        for number in range(2):
            kind.write(tmp_path / f"{number}.{name}", mask, kind.grid_of(source))
        assert (tmp_path / f"0.{name}").read_bytes() == (tmp_path / f"1.{name}").read_bytes()


def test_the_layers_of_an_image_are_no_part_of_its_grid_simpleitk(tmp_path):
    image = SimpleITK.GetImageFromArray(np.zeros((7, 6, 5, 3), np.float32), isVector=True)
    image.SetSpacing((0.5, 0.8, 3.0))
    SimpleITK.WriteImage(image, tmp_path / "A.nrrd")
    write_nrrd(tmp_path / "B.nrrd", np.ones((7, 6, 5), bool), NRRD.grid_of(tmp_path / "A.nrrd"))
    found = SimpleITK.ReadImage(tmp_path / "B.nrrd")
    assert found.GetSize() == (5, 6, 7)
    assert found.GetSpacing() == (0.5, 0.8, 3.0)


def test_a_gzip_file_by_hand_is_read_analytic(tmp_path, read_only):
    data = gzip.compress(STORED.tobytes(order="F"))
    case = read_only(as_nrrd(tmp_path / "A.nrrd", encoding="gzip", data=data), masks_only=True)
    np.testing.assert_array_equal(case.mask, STORED.transpose(2, 1, 0) == 1)
