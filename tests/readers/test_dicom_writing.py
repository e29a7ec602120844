"""Masks and maps written for DICOM cases, and files for 3D Slicer."""

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from helpers.dicom_files import edit, oblique, phantom, slices
from lggshape.errors import CaseError
from lggshape.phantoms import write_dicom
from lggshape.readers import open_cases


def written(tmp_path, enhanced=False, **volumes):
    write_dicom(phantom(oblique()), tmp_path / "study", enhanced=enhanced)
    (source,) = open_cases(tmp_path / "study")
    return source, source.write(tmp_path / "out", volumes)


@pytest.mark.parametrize("enhanced", [False, True])
def test_a_segmentation_equals_the_mask_voxel_for_voxel_highdicom(tmp_path, enhanced):
    mask = phantom().mask
    source, (path,) = written(tmp_path, enhanced, mask=mask)
    assert path.name == f"{source.id}_mask.dcm"
    found = highdicom.seg.segread(path)
    assert found.get_segment_description(1).segment_label == "Tumour"
    volume = found.get_volume(combine_segments=True)
    # highdicom sorts the slices the other way round.
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    turn = np.diag([-1.0, 1.0, 1.0, 1.0])
    turn[0, 3] = len(mask) - 1
    np.testing.assert_allclose(to_ras @ volume.affine @ turn, oblique(), atol=1e-4)
    np.testing.assert_array_equal(volume.array[::-1], mask)


def test_a_segmentation_refers_to_its_series_and_names_nobody_pydicom(tmp_path):
    _, (path,) = written(tmp_path, mask=phantom().mask)
    made = pydicom.dcmread(path)
    images = [pydicom.dcmread(file) for file in slices(tmp_path / "study")]
    (series,) = made.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == images[0].SeriesInstanceUID
    referred = {one.ReferencedSOPInstanceUID for one in series.ReferencedInstanceSequence}
    assert referred == {image.SOPInstanceUID for image in images}
    assert made.StudyInstanceUID == images[0].StudyInstanceUID
    assert made.FrameOfReferenceUID == images[0].FrameOfReferenceUID
    assert made.PatientIdentityRemoved == "YES"
    assert not made.PatientName
    assert "Doe" not in str(made)


@pytest.mark.parametrize("enhanced", [False, True])
def test_what_is_written_is_read_again_invariant(tmp_path, enhanced):
    mask = phantom().mask
    probability = mask * np.float32(0.7)
    source, files = written(tmp_path, enhanced, mask=mask, probability=probability)
    assert [path.name for path in files] == [
        f"{source.id}_mask.dcm", f"{source.id}_probability.dcm",
    ]  # fmt: skip
    (again,) = open_cases(tmp_path / "out", masks_only=True)
    assert (again.id, again.patient) == (source.id, source.patient)
    case = again.read()
    np.testing.assert_array_equal(case.mask, mask)
    np.testing.assert_allclose(case.geometry.affine, oblique(), atol=1e-6)
    assert case.geometry.spacing == source.read().geometry.spacing


def test_a_map_has_its_values_pydicom(tmp_path):
    values = np.random.default_rng(0).random(phantom().mask.shape).astype(np.float32)
    _, (path,) = written(tmp_path, probability=values)
    found = pydicom.dcmread(path)
    groups = found.PerFrameFunctionalGroupsSequence
    heights = [group.PlanePositionSequence[0].ImagePositionPatient[2] for group in groups]
    np.testing.assert_array_equal(found.pixel_array[np.argsort(heights)], values)


def test_an_empty_mask_keeps_its_grid_invariant(tmp_path):
    _, _ = written(tmp_path, mask=np.zeros_like(phantom().mask))
    (again,) = open_cases(tmp_path / "out", masks_only=True)
    mask = again.read().mask
    assert mask.shape == phantom().mask.shape
    assert not mask.any()


def test_the_same_mask_gives_the_same_bytes_invariant(tmp_path):
    source, (path,) = written(tmp_path, mask=phantom().mask)
    first = path.read_bytes()
    source.write(tmp_path / "again", {"mask": phantom().mask})
    assert (tmp_path / "again" / path.name).read_bytes() == first


def test_a_series_without_a_frame_of_reference_is_a_failed_case_analytic(tmp_path):
    write_dicom(phantom(), tmp_path / "study")
    for path in slices(tmp_path / "study"):
        edit(path, FrameOfReferenceUID=None)
    (source,) = open_cases(tmp_path / "study")
    with pytest.raises(CaseError, match=r"found a series without FrameOfReferenceUID.*seg\.nrrd"):
        source.write(tmp_path / "out", {"mask": phantom().mask})
    assert source.write(tmp_path / "out", {"mask": phantom().mask}, form="seg.nrrd")


def test_a_series_in_several_multi_frame_files_is_read_and_not_referred_to_analytic(tmp_path):
    write_dicom(phantom(), tmp_path / "study", enhanced=True)
    (expected,) = open_cases(tmp_path / "study")
    image = expected.read().image
    path = tmp_path / "study/series_2/image_1.dcm"
    whole = pydicom.dcmread(path)
    pixels, groups = whole.pixel_array, whole.PerFrameFunctionalGroupsSequence
    for number, kept in enumerate((slice(5, 8), slice(0, 5)), start=1):
        whole.PerFrameFunctionalGroupsSequence = groups[kept]
        whole.NumberOfFrames = len(groups[kept])
        whole.PixelData = pixels[kept].tobytes()
        whole.SOPInstanceUID = whole.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        whole.save_as(path.with_name(f"part_{number}.dcm"))
    path.unlink()
    (source,) = open_cases(tmp_path / "study")
    np.testing.assert_array_equal(source.read().image, image)
    with pytest.raises(CaseError, match="a series of several multi-frame files"):
        source.write(tmp_path / "out", {"mask": phantom().mask})


# --- files for 3D Slicer


def test_a_file_for_slicer_has_place_name_and_colour_simpleitk(tmp_path):
    write_dicom(phantom(oblique()), tmp_path / "study")
    (source,) = open_cases(tmp_path / "study")
    mask = phantom().mask
    (path,) = source.write(tmp_path / "out", {"mask": mask}, form="seg.nrrd")
    assert path.name == f"{source.id}_mask.seg.nrrd"
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), mask)
    corner = image.TransformContinuousIndexToPhysicalPoint((3.0, 2.0, 1.0))
    expected = (oblique() @ [1, 2, 3, 1])[:3] * [-1, -1, 1]
    np.testing.assert_allclose(corner, expected, atol=1e-5)
    assert image.GetMetaData("Segment0_Name") == "tumour"
    assert image.GetMetaData("Segment0_Color") == "0.9 0.2 0.2"
    assert image.GetMetaData("Segment0_LabelValue") == "1"
    (again,) = open_cases(tmp_path / "out", masks_only=True)
    assert again.id == source.id
    np.testing.assert_array_equal(again.read().mask, mask)


def test_maps_lie_beside_a_file_for_slicer_simpleitk(tmp_path):
    write_dicom(phantom(), tmp_path / "study")
    (source,) = open_cases(tmp_path / "study")
    mask = phantom().mask
    values = mask * np.float32(0.25)
    volumes = {"mask": mask, "entropy": values}
    files = source.write(tmp_path / "out", volumes, form="seg.nrrd")
    assert [path.name for path in files] == [
        f"{source.id}_mask.seg.nrrd", f"{source.id}_entropy.nrrd",
    ]  # fmt: skip
    image = sitk.ReadImage(str(files[1]))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), values)
