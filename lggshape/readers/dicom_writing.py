"""Masks and maps as DICOM objects that refer to the series that they were made of.

A mask becomes a segmentation (DICOM-SEG), a map of probabilities a parametric map. Of the header of
the series they hold where its voxels lie, and the UIDs of study, series and images: that is what
refers to them. The patient is the key of the case. No name, date or number of a person is copied,
and dates that DICOM demands are 1 January 1900. The same mask of the same series gives the same
bytes.
"""

import hashlib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.readers.dicom_files import highdicom, pydicom_reading, read_header, text_of
from lggshape.readers.dicom_series import Stack, read_stack
from lggshape.readers.grids import in_stored_axes, orientation_of, shape_in_zyx
from lggshape.readers.unusable import UnusableError
from lggshape.readers.volume_format import Grid

if TYPE_CHECKING:
    from pydicom import Dataset

OURS = "lggshape"
"""The manufacturer of what is written."""

_COPIED = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPClassUID")
_BLANK = (
    "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName", "PositionReferenceIndicator",
)  # fmt: skip
_NO_DATE, _NO_TIME = "19000101", "000000"
_COLOUR = (230, 75, 50)


class _Source(NamedTuple):
    """What is written refers to this series."""

    stack: Stack
    header: "Dataset"


def grid_of_series(files: Sequence[Path]) -> Grid:
    """Read the grid of a series; raises UnusableError if its slices do not fill one."""
    stack = read_stack(files)
    orientation = orientation_of(stack.affine)
    shape = shape_in_zyx(stack.stored_shape, orientation)
    header = read_header(stack.frames[0].path, _COPIED)
    return Grid(shape, orientation, _Source(stack, header))


def write_volume(path: Path, values: NDArray[np.generic], grid: Grid, *, patient: str) -> None:
    """Write a mask (bool) or a map (float32) of the shape (Z, Y, X) as a DICOM object.

    Parameters
    ----------
    path : Path
        The file.
    values : ndarray of shape (Z, Y, X)
        The values, on the grid.
    grid : Grid
        What `grid_of_series` returns.
    patient : str
        The key of the patient.

    Raises
    ------
    UnusableError
        If the series lacks what an object that refers to it has to have.
    """
    library = highdicom()
    stack: Stack = grid.stored.stack
    planes = in_stored_axes(values, grid.orientation).transpose(2, 1, 0)
    sources, order = _sources(stack, grid.stored.header, patient)
    planes = np.ascontiguousarray(planes[order])
    content = hashlib.sha256(planes.tobytes()).hexdigest()
    identity = [text_of(grid.stored.header, "SeriesInstanceUID"), str(planes.dtype), content]
    common = {
        "source_images": sources,
        "pixel_array": planes,
        "series_instance_uid": _uid(*identity, "series"),
        "sop_instance_uid": _uid(*identity, "instance"),
        "series_number": 1000,
        "instance_number": 1,
        "manufacturer": OURS,
        "manufacturer_model_name": OURS,
        "software_versions": _version(),
        "device_serial_number": "0",
        "content_description": None,
        "series_description": path.name.removesuffix(path.suffix).rpartition("_")[2],
    }
    with pydicom_reading("a header that highdicom refuses"):
        if values.dtype == bool:
            made = library.seg.Segmentation(**common, **_of_segmentation(library))
        else:
            made = library.pm.ParametricMap(**common, **_of_map(library))
        _make_reproducible(made, _uid(*identity, "dimensions"))
        made.save_as(path, enforce_file_format=True)


def _of_segmentation(library: Any) -> dict[str, Any]:
    from pydicom.sr.codedict import codes

    algorithm = library.AlgorithmIdentificationSequence(
        name=OURS, version=_version(), family=codes.DCM.ArtificialIntelligence
    )
    description = library.seg.SegmentDescription(
        segment_number=1,
        segment_label="Tumour",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        display_color=library.color.CIELabColor.from_rgb(*_COLOUR),
    )
    # Slices without tumour have a frame as well: the grid is then known without the series.
    return {
        "segmentation_type": "BINARY",
        "segment_descriptions": [description],
        "omit_empty_frames": False,
        "content_label": "TUMOUR",
    }


def _of_map(library: Any) -> dict[str, Any]:
    from pydicom.sr.codedict import codes

    mapping = library.pm.RealWorldValueMapping(
        lut_label="1",
        lut_explanation="the values as they are",
        unit=codes.UCUM.NoUnits,
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
    )
    return {
        "contains_recognizable_visual_features": False,
        "real_world_value_mappings": [mapping],
        "window_center": 0.5,
        "window_width": 1.0,
        "content_label": "MAP",
    }


def _sources(
    stack: Stack, header: "Dataset", patient: str
) -> tuple[list["Dataset"], NDArray[np.intp]]:
    """Return headers with nothing but places and UIDs, and the slice of each of their frames."""
    frames = stack.frames
    if frames[0].index is None:
        found = []
        for frame in frames:
            one = _header(header, patient, frame.uid, frame.shape)
            _fill(one, {"ImagePositionPatient": list(frame.position), **_shared(stack)})
            found.append(one)
        return found, np.arange(len(frames))
    if len({frame.path for frame in frames}) > 1:
        msg = "a series of several multi-frame files, to which a DICOM segmentation cannot refer"
        raise UnusableError(msg)
    order = np.argsort([frame.index or 0 for frame in frames])
    one = _header(header, patient, frames[0].uid, frames[0].shape)
    shared = _shared(stack)
    orientation = shared.pop("ImageOrientationPatient")
    groups = [
        _filled({
            "PlanePositionSequence": [
                _filled({"ImagePositionPatient": list(frames[index].position)})
            ]
        })
        for index in order
    ]  # fmt: skip
    both = {
        "PlaneOrientationSequence": [_filled({"ImageOrientationPatient": orientation})],
        "PixelMeasuresSequence": [_filled(shared)],
    }
    _fill(
        one,
        {
            "NumberOfFrames": len(frames),
            "SharedFunctionalGroupsSequence": [_filled(both)],
            "PerFrameFunctionalGroupsSequence": groups,
        },
    )
    return [one], order


def _shared(stack: Stack) -> dict[str, Any]:
    frame = stack.frames[0]
    step = float(np.linalg.norm(stack.affine[:3, 2]))
    return {
        "ImageOrientationPatient": list(frame.orientation),
        "PixelSpacing": list(frame.spacing),
        "SliceThickness": _short(step),
        "SpacingBetweenSlices": _short(step),
    }


def _short(value: float) -> str:
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(value)


def _header(header: "Dataset", patient: str, uid: str, shape: tuple[int, int]) -> "Dataset":
    copied = {name: text_of(header, name) for name in _COPIED}
    without = [name for name, value in copied.items() if not value]
    if without or not uid:
        msg = f"a series without {', '.join(without or ['SOPInstanceUID'])}"
        raise UnusableError(msg)
    blank = dict.fromkeys(_BLANK, "")
    return _filled({
        **blank,
        **copied,
        "SOPInstanceUID": uid,
        "PatientID": patient,
        "Modality": "MR",
        "Rows": shape[0],
        "Columns": shape[1],
    })  # fmt: skip


def _filled(values: dict[str, Any]) -> "Dataset":
    from pydicom import Dataset

    dataset = Dataset()
    _fill(dataset, values)
    return dataset


def _fill(dataset: "Dataset", values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(dataset, name, value)


def _make_reproducible(made: "Dataset", dimensions: str) -> None:
    """Take away what differs from run to run, and say that the patient is only a key."""
    for name in ("InstanceCreationDate", "InstanceCreationTime"):
        if name in made:
            delattr(made, name)
    _fill(
        made,
        {
            "ContentDate": _NO_DATE,
            "ContentTime": _NO_TIME,
            "PatientIdentityRemoved": "YES",
            "DeidentificationMethod": "nothing but places and UIDs was copied",
        },
    )
    for one in made.get("ContributingEquipmentSequence") or []:
        one.pop("ContributionDateTime", None)
    for sequence in (made.DimensionOrganizationSequence, made.DimensionIndexSequence):
        for one in sequence:
            one.DimensionOrganizationUID = dimensions


def _uid(*parts: str) -> str:
    from pydicom.uid import generate_uid

    return generate_uid(entropy_srcs=[OURS, *parts])


def _version() -> str:
    try:
        return version(OURS)
    except PackageNotFoundError:
        return "0"
