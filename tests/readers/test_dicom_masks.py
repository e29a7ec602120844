"""Masks of DICOM: segmentations that others wrote, and contours."""

from contextlib import nullcontext

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from skimage.draw import polygon2mask

from helpers.dicom_files import edit, oblique, phantom, slices, structure_set
from lggshape.errors import CaseError
from lggshape.phantoms import write_dicom
from lggshape.readers import open_cases


@pytest.fixture(scope="module")
def written_study(tmp_path_factory):
    """Folder of a study that lies obliquely. Not to be changed."""
    folder = tmp_path_factory.mktemp("written") / "study"
    write_dicom(phantom(oblique()), folder)
    return folder


def read(folder, **options):
    (source,) = open_cases(folder, **options)
    return source.read()


def refused(folder) -> str:
    (source,) = open_cases(folder, masks_only=True)
    with pytest.raises(CaseError) as error:
        source.read()
    return str(error.value)


def save_segmentation(folder, masks, *, series=2, name="seg/1.dcm", **options):
    """Save segments (Z, Y, X) of the phantom, in its own axes, by highdicom."""
    images = [pydicom.dcmread(path) for path in slices(folder, series)]
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=f"part {number}",
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type="MANUAL",
        )
        for number in range(1, len(masks) + 1)
    ]
    made = highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=np.stack(masks, axis=-1),
        segmentation_type=options.pop("segmentation_type", "BINARY"),
        segment_descriptions=described,
        series_instance_uid=pydicom.uid.generate_uid(),
        series_number=50,
        sop_instance_uid=pydicom.uid.generate_uid(),
        instance_number=1,
        manufacturer="another",
        manufacturer_model_name="tool",
        software_versions="1",
        device_serial_number="1",
        **options,
    )
    (folder / name).parent.mkdir(exist_ok=True)
    made.save_as(folder / name)


@pytest.mark.parametrize("omit_empty_frames", [True, False])
def test_a_segmentation_lies_on_its_series_highdicom(study, omit_empty_frames):
    mask = phantom().mask
    assert not mask.any(axis=(1, 2)).all()  # so that there are slices to leave out
    save_segmentation(study, [mask], omit_empty_frames=omit_empty_frames)
    case = read(study)
    np.testing.assert_array_equal(case.mask, mask)
    np.testing.assert_allclose(case.geometry.affine, oblique(), atol=1e-6)


def test_a_segmentation_without_its_series_has_the_slices_between_its_frames_highdicom(study):
    mask = np.zeros_like(phantom().mask)
    mask[[2, 3, 5], 4:9, 3:12] = True
    save_segmentation(study, [mask])
    alone = study.parent / "alone"
    (study / "seg").rename(alone)
    case = read(alone, masks_only=True)
    np.testing.assert_array_equal(case.mask, mask[2:6])
    assert case.geometry.spacing == (5.0, 1.25, 0.75)


def test_the_label_map_of_a_segmentation_is_read_highdicom(study):
    mask = phantom().mask
    save_segmentation(study, [mask], segmentation_type="LABELMAP")
    np.testing.assert_array_equal(read(study).mask, mask)


def test_fractions_need_a_threshold_highdicom(study):
    mask = phantom().mask
    save_segmentation(study, [mask * 0.8 + 0.1], segmentation_type="FRACTIONAL")
    assert "--threshold" in refused(study)
    np.testing.assert_array_equal(read(study, threshold=0.5).mask, mask)


def test_several_segments_are_several_values_highdicom(study):
    core = np.zeros_like(phantom().mask)
    core[3, 10:12, 8:10] = True
    edema = np.zeros_like(core)
    edema[3:5, 12:15, 8:10] = True
    save_segmentation(study, [core, edema])
    reason = refused(study)
    assert "found 0 (3824 voxels), 1 (4" in reason
    assert "--mask-values" in reason
    np.testing.assert_array_equal(read(study, mask_values=[2]).mask, edema)


def test_segments_that_overlap_are_refused_unless_some_are_chosen_highdicom(study):
    core = np.zeros_like(phantom().mask)
    core[3, 10:12, 8:10] = True
    whole = core.copy()
    whole[3:5, 9:15, 7:12] = True
    save_segmentation(study, [core, whole])
    reason = refused(study)
    assert "voxels of more than one segment, 1 and 2, in 1.dcm" in reason
    assert "--mask-values" in reason
    np.testing.assert_array_equal(read(study, mask_values=[1]).mask, core)
    np.testing.assert_array_equal(read(study, mask_values=[2]).mask, whole)
    np.testing.assert_array_equal(read(study, mask_values=[1, 2]).mask, whole)


def test_two_masks_are_named_and_none_is_chosen_highdicom(study):
    mask = phantom().mask
    save_segmentation(study, [mask])
    save_segmentation(study, [mask], name="seg/2.dcm")
    reason = refused(study)
    assert "one series of mask, found 2: " in reason
    assert "column mask of a manifest" in reason


def test_two_masks_of_one_folder_are_told_apart_by_their_files_analytic(study):
    for name in ("seg/1.dcm", "seg/2.dcm"):
        save_segmentation(study, [phantom().mask], name=name)
    assert "50 (seg/1.dcm); 50 (seg/2.dcm). Name one in the column mask" in refused(study)


def test_a_damaged_segmentation_is_a_failed_case_invariant(study):
    save_segmentation(study, [phantom().mask])
    edit(study / "seg/1.dcm", PerFrameFunctionalGroupsSequence=[])
    assert "frames without their places" in refused(study)


# --- contours


def in_mm(indices: np.ndarray) -> np.ndarray:
    """Turn indices (z, y, x) of the phantom to DICOM's millimetres."""
    affine = oblique()
    return (indices @ affine[:3, :3].T + affine[:3, 3]) * [-1, -1, 1]


def polygon(z, y, x) -> np.ndarray:
    return np.column_stack([np.full(len(y), z), y, x]).astype(float)


OUTER = polygon(3, [4.2, 4.2, 15.7, 15.7], [3.3, 14.6, 14.6, 3.3])
HOLE = polygon(3, [7.5, 7.5, 11.5, 11.5], [6.5, 10.5, 10.5, 6.5])


def test_contours_are_filled_and_holes_left_out_polygon2mask(study):
    structure_set(study / "rt/1.dcm", slices(study), {1: [in_mm(OUTER), in_mm(HOLE)]})
    mask = read(study).mask
    expected = np.zeros_like(mask)
    shape = mask.shape[1:]
    expected[3] = polygon2mask(shape, OUTER[:, 1:]) & ~polygon2mask(shape, HOLE[:, 1:])
    np.testing.assert_array_equal(mask, expected)
    assert mask[3].sum() == 11 * 11 - 4 * 4


def test_structures_that_share_no_voxel_are_several_values_analytic(study):
    other = polygon(5, [4.2, 4.2, 9.7], [3.3, 9.6, 9.6])
    structure_set(study / "rt/1.dcm", slices(study), {2: [in_mm(OUTER)], 7: [in_mm(other)]})
    assert "--mask-values" in refused(study)
    expected = polygon2mask(phantom().mask.shape[1:], other[:, 1:])
    np.testing.assert_array_equal(read(study, mask_values=[7]).mask[5], expected)
    regions = read(study, regions="names").regions
    assert list(regions) == ["structure 2", "structure 7"]
    np.testing.assert_array_equal(regions["structure 7"][5], expected)


def test_contours_between_slices_are_refused_analytic(study):
    between = OUTER + np.array([0.5, 0, 0])
    structure_set(study / "rt/1.dcm", slices(study), {1: [in_mm(between)]})
    assert "a contour of structure 1 off the slices, in 1.dcm" in refused(study)


def test_contours_need_their_series_analytic(study):
    structure_set(study / "rt/1.dcm", slices(study), {1: [in_mm(OUTER)]})
    for path in slices(study):
        path.unlink()
    assert "contours on a series that is not in the folder of the study" in refused(study)


def test_open_contours_are_refused_analytic(study):
    structure_set(study / "rt/1.dcm", slices(study), {1: [in_mm(OUTER)]})
    dataset = pydicom.dcmread(study / "rt/1.dcm")
    dataset.ROIContourSequence[0].ContourSequence[0].ContourGeometricType = "OPEN_PLANAR"
    dataset.save_as(study / "rt/1.dcm")
    assert "a contour of structure 1 that is not closed" in refused(study)


def in_slice_3(*corners) -> np.ndarray:
    """Return a rectangle between pixels of slice 3, from (y, x) to (y, x)."""
    top, left, bottom, right = corners
    return in_mm(polygon(3, [top, top, bottom, bottom], [left, right, right, left]))


SQUARE = (3.5, 3.5, 8.5, 8.5)  # 25 pixels


@pytest.mark.parametrize("again", [slice(None), slice(None, None, -1), [2, 3, 0, 1]])
def test_a_contour_that_is_listed_twice_counts_once_analytic(study, again):
    contour = in_slice_3(*SQUARE)
    structure_set(study / "rt/1.dcm", slices(study), {1: [contour, contour[again]]})
    assert read(study).mask.sum() == 25


def test_contours_that_cross_are_refused_analytic(study):
    both = [in_slice_3(*SQUARE), in_slice_3(6.5, 3.5, 12.5, 8.5)]
    structure_set(study / "rt/1.dcm", slices(study), {1: both})
    assert "contours of structure 1 that cross in image_4.dcm, in 1.dcm" in refused(study)


def test_a_contour_without_an_inside_takes_nothing_away_analytic(study):
    point = in_mm(polygon(3, [5], [5]))
    structure_set(study / "rt/1.dcm", slices(study), {1: [in_slice_3(*SQUARE), point]})
    assert read(study).mask.sum() == 25


def changed_structures(study, change, contours=None) -> None:
    structure_set(study / "rt/1.dcm", slices(study), contours or {1: [in_slice_3(*SQUARE)]})
    dataset = pydicom.dcmread(study / "rt/1.dcm")
    change(dataset)
    dataset.save_as(study / "rt/1.dcm")


def test_points_of_other_structures_may_be_there_analytic(study):
    def change(dataset):
        dataset.ROIContourSequence[1].ContourSequence[0].ContourGeometricType = "POINT"

    point = in_mm(polygon(3, [5], [5]))
    changed_structures(study, change, {1: [in_slice_3(*SQUARE)], 2: [point]})
    assert "a contour of structure 2 that is not closed, in 1.dcm. Say which" in refused(study)
    assert read(study, mask_values=[1]).mask.sum() == 25


def test_contours_that_are_holes_by_their_kind_are_read_analytic(study):
    def change(dataset):
        for one in dataset.ROIContourSequence[0].ContourSequence:
            one.ContourGeometricType = "CLOSEDPLANAR_XOR"

    both = [in_slice_3(*SQUARE), in_slice_3(4.5, 4.5, 6.5, 6.5)]
    changed_structures(study, change, {1: both})
    assert read(study).mask.sum() == 21


def test_contours_lie_on_the_referenced_series_that_is_there_analytic(study):
    def change(dataset):
        (frame,) = dataset.ReferencedFrameOfReferenceSequence
        absent = pydicom.Dataset()
        absent.SeriesInstanceUID = "1.2.3.4.5"
        frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence.insert(0, absent)

    changed_structures(study, change)
    assert read(study).mask.sum() == 25


def set_first_contour(dataset, numbers):
    dataset.ROIContourSequence[0].ContourSequence[0].ContourData = numbers


@pytest.mark.parametrize("numbers", [["nan"] * 12, ["1"] * 11])
def test_numbers_that_are_no_points_are_refused_analytic(study, numbers):
    with pytest.warns(UserWarning, match="Invalid value") if "nan" in numbers else nullcontext():
        changed_structures(study, lambda dataset: set_first_contour(dataset, numbers))
    assert "a contour of structure 1 without three numbers a point" in refused(study)


def test_the_number_of_a_structure_has_to_fit_a_mask_analytic(study):
    contours = {70000: [in_slice_3(*SQUARE)]}
    structure_set(study / "rt/1.dcm", slices(study), contours)
    assert "numbers from 1 to 65535 in 1.dcm" in refused(study)


def test_contours_beside_the_pixels_are_refused_analytic(study):
    structure_set(study / "rt/1.dcm", slices(study), {1: [in_slice_3(-9.5, -9.5, -3.5, -3.5)]})
    assert "contours in which no pixel of the series lies, in 1.dcm" in refused(study)


@pytest.mark.parametrize("kind", ["FRACTIONAL", "LABELMAP", "BINARY"])
def test_two_frames_of_a_segment_in_one_slice_are_refused_analytic(study, kind):
    mask = phantom().mask
    save_segmentation(
        study, [mask * 1.0 if kind == "FRACTIONAL" else mask],
        segmentation_type=kind, omit_empty_frames=False,
    )  # fmt: skip
    dataset = pydicom.dcmread(study / "seg/1.dcm")
    groups = dataset.PerFrameFunctionalGroupsSequence
    groups[4].PlanePositionSequence = groups[3].PlanePositionSequence
    dataset.save_as(study / "seg/1.dcm")
    assert "two frames of one segment in one slice, 1.dcm frame 4 and 1.dcm frame 5" in refused(
        study
    )


def test_the_names_of_segments_are_regions_highdicom(study):
    edema = phantom().mask
    core = np.zeros_like(edema)
    z, y, x = (int(numbers.mean()) for numbers in np.nonzero(edema))
    core[z, y, x] = edema[z, y, x]
    edema = edema & ~core
    save_segmentation(study, [core, edema])
    assert "--regions names" in refused(study)
    (source,) = open_cases(study, regions="names")
    assert source.region_names == ("part 1", "part 2")
    regions = source.read().regions
    assert [one.sum() for one in regions.values()] == [core.sum(), edema.sum()]
