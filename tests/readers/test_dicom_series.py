"""One series: slices by their places, and what is refused with its reason."""

import shutil

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEGLosslessSV1, RLELossless

from helpers.dicom_files import SIZE, edit, oblique, phantom, slices
from lggshape.errors import CaseError
from lggshape.phantoms import write_dicom
from lggshape.readers import open_cases


def read(folder):
    (source,) = open_cases(folder)
    return source.read()


def refused(folder) -> str:
    (source,) = open_cases(folder)
    with pytest.raises(CaseError) as error:
        source.read()
    return str(error.value)


@pytest.mark.parametrize("enhanced", [False, True])
@pytest.mark.parametrize("affine", [None, oblique(), oblique(angles=(-0.4, 0.3, 0.2))])
def test_a_phantom_is_the_same_as_nifti_and_as_dicom_nibabel(tmp_path, affine, enhanced):
    case = phantom(affine)
    write_dicom(case, tmp_path / "dicom", enhanced=enhanced)
    found = read(tmp_path / "dicom")
    placed = case.geometry.affine
    if placed is None:  # slices upward, rows to the back, columns to the left
        placed = np.diag([*case.geometry.spacing, 1.0])[[2, 1, 0, 3]] * [[-1], [-1], [1], [1]]
    (tmp_path / "nifti").mkdir()
    for channel, role in enumerate(("t1", "flair", "t1ce")):
        stored = case.image[..., channel].transpose(2, 1, 0)
        image = nib.Nifti1Image(stored, placed[:, [2, 1, 0, 3]])
        nib.save(image, tmp_path / f"nifti/P_{role}.nii.gz")
    expected = read(tmp_path / "nifti")

    assert found.sequences == expected.sequences
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_allclose(found.geometry.affine, expected.geometry.affine, atol=1e-4)
    assert found.geometry.spacing == expected.geometry.spacing


def test_slices_are_sorted_by_place_not_by_number_invariant(study):
    expected = read(study)
    files = slices(study)
    for number, path in enumerate(files):
        edit(path, InstanceNumber=len(files) - number)
        path.rename(path.with_name(f"IM{(number * 5) % 8}"))  # no endings, and in another order
    found = read(study)
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.geometry.affine, expected.geometry.affine)


def test_slices_that_run_downward_are_turned_invariant(tmp_path):
    affine = oblique()
    down = affine.copy()
    down[:3, 3] += affine[:3, 0] * (SIZE[0] - 1)
    down[:3, 0] *= -1
    case = phantom(down)
    write_dicom(case, tmp_path)
    found = read(tmp_path)
    np.testing.assert_array_equal(found.image, case.image[::-1])
    np.testing.assert_allclose(found.geometry.affine, affine, atol=1e-6)


def test_slope_and_intercept_are_applied_analytic(study):
    for path in slices(study):
        edit(path, RescaleSlope="2.5", RescaleIntercept="-7")
    case = phantom()
    flair = read(study).image[..., 1]
    np.testing.assert_array_equal(flair, case.image[:, ::-1, ::-1, 1] * 2.5 - 7)


def test_compressed_pixels_are_decoded_invariant(study):
    expected = read(study).image
    for path in slices(study):
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless)
        dataset.save_as(path)
    np.testing.assert_array_equal(read(study).image, expected)


def test_pixels_without_a_decoder_are_refused_by_name_analytic(study):
    path = slices(study)[0]
    dataset = pydicom.dcmread(path)
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 32])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.save_as(path)
    reason = refused(study)
    assert (
        "image_1.dcm compressed as JPEG Lossless, Non-Hierarchical, First-Order Prediction ("
        in reason
    )
    assert "pip install 'pylibjpeg[all]'" in reason


def test_a_missing_slice_is_refused_with_its_neighbours_analytic(study):
    slices(study)[3].unlink()
    reason = refused(study)
    assert "missing slices: 33.75 mm from image_3.dcm to image_5.dcm, 16.88 mm elsewhere" in reason


def test_uneven_distances_are_refused_analytic(study):
    edit(slices(study)[7], ImagePositionPatient=[0, 0, 7 * 16.875 + 5])
    assert "uneven distances of slices: 21.88 mm from image_7.dcm to image_8.dcm" in refused(study)


def test_a_place_with_two_slices_is_refused_with_both_analytic(study):
    path = slices(study)[2]
    shutil.copy(path, path.with_name("copy"))
    edit(path.with_name("copy"), SOPInstanceUID="1.2.3")
    reason = refused(study)
    assert "1 place with two slices in one series (copy and image_3.dcm)" in reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "slices of several orientations"),
        ({"PixelSpacing": [1, 1]}, "slices of several pixels"),
        ({"Rows": 20, "Columns": 24}, "slices of several sizes"),
        ({"ImagePositionPatient": [0, 3, 33.75]}, "slices shifted within their planes by 3 mm"),
        ({"ImagePositionPatient": None}, "no ImagePositionPatient in image_3.dcm"),
        ({"PixelSpacing": ""}, "no PixelSpacing in image_3.dcm"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "MONOCHROME1 instead of MONOCHROME2"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "slices of several orientations"),
    ],
)
def test_a_slice_unlike_the_others_is_refused_analytic(study, change, reason):
    edit(slices(study)[2], **change)
    found = refused(study)
    assert reason in found
    assert "image_3.dcm" in found


def test_rows_and_columns_have_to_be_at_right_angles_analytic(study):
    for path in slices(study):
        edit(path, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])
    assert "rows and columns that are not at right angles" in refused(study)


def test_sizes_that_are_absurd_are_refused_before_memory_is_taken_analytic(study):
    for path in slices(study):
        edit(path, Rows=60000, Columns=60000)
    assert "8 slices of 60000 x 60000, at most" in refused(study)


def test_pixels_that_are_cut_off_are_a_failed_case_analytic(study):
    path = slices(study)[0]
    path.write_bytes(path.read_bytes()[:-100])
    assert "damaged DICOM pixels in image_1.dcm" in refused(study)


def test_frames_without_places_are_refused_analytic(tmp_path):
    write_dicom(phantom(), tmp_path, enhanced=True)
    edit(tmp_path / "series_2/image_1.dcm", PerFrameFunctionalGroupsSequence=None)
    assert "8 frames without their places in image_1.dcm" in refused(tmp_path)


def test_frames_that_lie_in_one_place_are_refused_analytic(tmp_path):
    write_dicom(phantom(), tmp_path, enhanced=True)
    path = tmp_path / "series_2/image_1.dcm"
    dataset = pydicom.dcmread(path)
    groups = dataset.PerFrameFunctionalGroupsSequence
    groups[4].PlanePositionSequence = groups[3].PlanePositionSequence
    dataset.save_as(path)
    assert "(image_1.dcm frame 4 and image_1.dcm frame 5)" in refused(tmp_path)


def test_a_series_of_one_slice_needs_its_thickness_analytic(tmp_path):
    write_dicom(phantom(), tmp_path)
    for series in (1, 2, 3):
        for path in slices(tmp_path, series)[1:]:
            path.unlink()
    assert read(tmp_path).geometry.spacing == (16.875, 9.375, 11.25)
    for series in (1, 2, 3):
        path = slices(tmp_path, series)[0]
        edit(path, SliceThickness=None, SpacingBetweenSlices=None)
    assert "one slice, of unknown thickness" in refused(tmp_path)


def test_pixels_that_show_nothing_have_the_lowest_value_of_the_others_analytic(study):
    expected = read(study).image.copy()
    for path in slices(study):
        dataset = pydicom.dcmread(path)
        pixels = dataset.pixel_array.copy()
        pixels[:, :3] = 60000
        dataset.add_new("PixelPaddingValue", "US", 60000)
        dataset.PixelData = pixels.tobytes()
        dataset.save_as(path)
    found = read(study).image
    rest, padded = found[:, :, :-3, 1], found[:, :, -3:, 1]  # columns run to the left
    np.testing.assert_array_equal(rest, expected[:, :, :-3, 1])
    assert np.all(padded == rest.min())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"RescaleSlope": "0", "RescaleIntercept": "3"}, "rescale slope 0 and intercept 3"),
        ({"ModalityLUTSequence": [pydicom.Dataset()]}, "ModalityLUTSequence"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "the kind PALETTE COLOR"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "the kind MONOCHROME1"),
    ],
)
def test_values_that_are_not_those_of_pixels_are_refused_analytic(study, change, reason):
    for path in slices(study):
        edit(path, **change)
    assert f"{reason}" in refused(study)
    assert "image_1.dcm" in refused(study)


def test_a_slope_that_is_no_number_is_refused_analytic(study):
    with pytest.warns(UserWarning, match="Invalid value"):
        edit(slices(study)[0], RescaleSlope="nan", RescaleIntercept="0")
    assert "rescale slope nan and intercept 0 in image_1.dcm" in refused(study)


def without_preamble(path, *, meta: bool) -> None:
    """Take the preamble of a file away, and its file meta information too."""
    if meta:
        path.write_bytes(path.read_bytes()[132:])
    else:
        dataset = pydicom.dcmread(path)
        dataset.file_meta, dataset.preamble = pydicom.dataset.FileMetaDataset(), None
        pydicom.dcmwrite(path, dataset, implicit_vr=True, little_endian=True)
    path.rename(path.with_suffix(""))


@pytest.mark.parametrize("meta", [True, False])
def test_files_without_a_preamble_and_without_an_ending_are_read_invariant(study, meta):
    expected = read(study).image
    for path in slices(study):
        without_preamble(path, meta=meta)
    np.testing.assert_array_equal(read(study).image, expected)


def test_a_syntax_that_is_none_is_refused_by_name_analytic(study):
    path = slices(study)[2]
    path.write_bytes(
        path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.3.4.5.6.7.8.9.1\0", 1)
    )
    reason = refused(study)
    assert "image_3.dcm compressed as what is no syntax of DICOM" in reason


def test_slices_of_one_name_are_told_apart_by_their_folders_analytic(study):
    shutil.copytree(study / "series_2", study / "more/series_2")
    assert "more/series_2/image_1.dcm and series_2/image_1.dcm" in refused(study)
