"""Cases as DICOM series, as a scanner writes them: a file per slice, or a file per sequence."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import InputError
from lggshape.readers.dicom_files import pydicom
from lggshape.readers.dicom_series import on_grid, read_stack
from lggshape.readers.dicom_writing import grid_of_series, write_volume

if TYPE_CHECKING:
    from pydicom import Dataset

_MR, _ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"

# What the headers of a scanner say of each sequence: times in ms.
_SEQUENCES: dict[str, dict[str, Any]] = {
    "pre-contrast": {
        "SeriesDescription": "AX T1",
        "ScanningSequence": "SE",
        "RepetitionTime": "600",
        "EchoTime": "10",
    },
    FLAIR: {
        "SeriesDescription": "AX T2 FLAIR",
        "ScanningSequence": ["SE", "IR"],
        "RepetitionTime": "9000",
        "EchoTime": "120",
        "InversionTime": "2500",
    },
    "post-contrast": {
        "SeriesDescription": "AX T1 POST",
        "ScanningSequence": "SE",
        "RepetitionTime": "600",
        "EchoTime": "10",
        "ContrastBolusAgent": "Gadolinium",
    },
}


class _Grid(NamedTuple):
    """Where the voxels of a series lie: left, posterior, superior, in mm.

    Attributes
    ----------
    origin : ndarray of shape (3,)
        The centre of the first voxel.
    steps : ndarray of shape (3, 3)
        The ways from a voxel to the next along (z, y, x), in rows.
    """

    origin: NDArray[np.float64]
    steps: NDArray[np.float64]


def write_dicom(
    case: Case,
    folder: str | os.PathLike[str],
    *,
    enhanced: bool = False,
    mask: bool = False,
    header: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the image of a case as DICOM series, one per sequence.

    Parameters
    ----------
    case : Case
        A case with an image of whole numbers from 0 to 65535 and a known spacing. Without an affine
        its slices run upward, its rows from front to back and its columns from right to left.
    folder : str or Path
        Where to write. Each series gets a folder in it, `series_1` and so on.
    enhanced : bool
        Whether a series is one file with a frame per slice, and not a file per slice.
    mask : bool
        Whether the mask is written as well: a DICOM segmentation, in the folder `mask`.
    header : mapping, optional
        Further elements of every header by their keywords, such as `PatientName`. Those of the
        phantom, such as `PatientID`, the key of the patient, give way.

    Returns
    -------
    list of Path
        The files, series by series, from the first slice to the last; that of the mask comes last.

    Raises
    ------
    InputError
        If the case has no image, other numbers or no spacing, or pydicom is not installed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import make_phantom
    >>> case = make_phantom(np.random.default_rng(0), size=(6, 32, 32))
    >>> with TemporaryDirectory() as folder:
    ...     files = write_dicom(case, folder)
    >>> len(files), files[0].name
    (18, 'image_1.dcm')
    """
    pydicom()  # raises if it is missing
    image = case.image
    if image is None or image.dtype.kind not in "iu" or case.geometry.spacing is None:
        msg = f"Expected case {case.id} to have an image of whole numbers and a spacing."
        raise InputError(msg)
    grid = _grid(case)
    files = []
    for channel, sequence in enumerate(case.sequences):
        place = Path(folder) / f"series_{channel + 1}"
        place.mkdir(parents=True, exist_ok=True)
        base = _SEQUENCES[sequence] | {"SeriesNumber": channel + 1}
        values = np.ascontiguousarray(image[..., channel]).astype("<u2")
        write = _enhanced if enhanced else _classic
        for number, dataset in enumerate(write(case, base, values, grid, header or {}), start=1):
            path = place / f"image_{number}.dcm"
            dataset.save_as(path, enforce_file_format=True)
            files.append(path)
    if mask and case.mask is not None:
        series = case.sequences.index(FLAIR) if FLAIR in case.sequences else 0
        count = len(files) // len(case.sequences)
        path = Path(folder) / "mask" / "mask.dcm"
        _write_mask(path, case, files[series * count : (series + 1) * count])
        files.append(path)
    return files


def _write_mask(path: Path, case: Case, images: list[Path]) -> None:
    """Write the mask as a segmentation of a series, which lies where the header says."""
    assert case.mask is not None
    grid = grid_of_series(images)
    values, _ = on_grid(case.mask.transpose(2, 1, 0), read_stack(images).affine)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, values, grid, patient=case.patient)


def _grid(case: Case) -> _Grid:
    """Return the grid of a case, in DICOM's axes."""
    if case.geometry.affine is None:
        return _Grid(np.zeros(3), np.diag(case.geometry.spacing or ())[:, ::-1].copy())
    to_lps = np.diag([-1.0, -1.0, 1.0])
    return _Grid(to_lps @ case.geometry.affine[:3, 3], (to_lps @ case.geometry.affine[:3, :3]).T)


def _classic(
    case: Case,
    base: Mapping[str, Any],
    values: NDArray[np.uint16],
    grid: _Grid,
    header: Mapping[str, Any],
) -> "Iterator[Dataset]":
    for number, one in enumerate(values):
        dataset = _dataset(case, base, _MR, number, header)
        place = {**_position(grid, number), **_orientation(grid), **_measures(grid)}
        _fill(dataset, place | {"SliceLocation": f"{number * np.linalg.norm(grid.steps[0]):.6g}"})
        _set_pixels(dataset, one[None])
        yield dataset


def _enhanced(
    case: Case,
    base: Mapping[str, Any],
    values: NDArray[np.uint16],
    grid: _Grid,
    header: Mapping[str, Any],
) -> "Iterator[Dataset]":
    times = {"EchoTime": "EffectiveEchoTime", "InversionTime": "InversionTimes"}
    moved = {name: float(base[name]) for name in times if name in base}
    plain = {name: value for name, value in base.items() if name not in times}
    plain.pop("ScanningSequence")
    dataset = _dataset(case, plain, _ENHANCED_MR, 0, header)
    shared = {
        "PlaneOrientationSequence": [_filled(_orientation(grid))],
        "PixelMeasuresSequence": [_filled(_measures(grid))],
        "MREchoSequence": [_filled({times["EchoTime"]: moved["EchoTime"]})],
    }
    if "InversionTime" in moved:
        shared["MRModifierSequence"] = [_filled({times["InversionTime"]: moved["InversionTime"]})]
    frames = []
    for number in range(len(values)):
        content = {"StackID": "1", "InStackPositionNumber": number + 1}
        content["DimensionIndexValues"] = [1, number + 1]
        parts = {"FrameContentSequence": content, "PlanePositionSequence": _position(grid, number)}
        frames.append(_filled({name: [_filled(part)] for name, part in parts.items()}))
    dataset.SharedFunctionalGroupsSequence = [_filled(shared)]
    dataset.PerFrameFunctionalGroupsSequence = frames
    dataset.NumberOfFrames = len(values)
    _set_pixels(dataset, values)
    yield dataset


def _position(grid: _Grid, number: int) -> dict[str, Any]:
    return {"ImagePositionPatient": _decimals(grid.origin + number * grid.steps[0])}


def _orientation(grid: _Grid) -> dict[str, Any]:
    rows, columns = (step / np.linalg.norm(step) for step in grid.steps[1:])
    # The way along a row, and the way along a column.
    return {"ImageOrientationPatient": _decimals(np.concatenate([columns, rows]))}


def _measures(grid: _Grid) -> dict[str, Any]:
    slices, rows, columns = (np.linalg.norm(step) for step in grid.steps)
    thickness = _decimals([slices])[0]
    return {
        "PixelSpacing": _decimals([rows, columns]),
        "SliceThickness": thickness,
        "SpacingBetweenSlices": thickness,
    }


def _decimals(values: Any) -> list[str]:
    """Return numbers as DICOM spells them, with as many digits as 16 characters hold."""
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(value)) for value in values]


def _dataset(
    case: Case, base: Mapping[str, Any], kind: str, number: int, header: Mapping[str, Any]
) -> "Dataset":
    """Return a header without a place and without pixels."""
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    series = str(base["SeriesNumber"])
    dataset = Dataset()
    standard = {
        "SOPClassUID": kind,
        "SOPInstanceUID": _uid(case, series, kind, str(number)),
        "StudyInstanceUID": _uid(case),
        "SeriesInstanceUID": _uid(case, series, kind),
        "FrameOfReferenceUID": _uid(case, "frame"),
        "Modality": "MR",
        "Manufacturer": "lggshape",
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "PatientID": case.patient,
        "PatientName": "",
        "PatientBirthDate": "",
        "PatientSex": "",
        "AccessionNumber": "",
        "StudyID": "",
        "StudyDate": "",
        "StudyTime": "",
        "ReferringPhysicianName": "",
        "PositionReferenceIndicator": "",
        "InstanceNumber": number + 1,
    }
    _fill(dataset, {**standard, **base, **header})
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def _uid(case: Case, *parts: str) -> str:
    from pydicom.uid import generate_uid

    return generate_uid(entropy_srcs=["lggshape phantom", case.id, case.patient, *parts])


def _filled(values: Mapping[str, Any]) -> "Dataset":
    from pydicom import Dataset

    dataset = Dataset()
    _fill(dataset, values)
    return dataset


def _fill(dataset: "Dataset", values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(dataset, name, value)


def _set_pixels(dataset: "Dataset", values: NDArray[np.uint16]) -> None:
    _fill(
        dataset,
        {
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": values.shape[1],
            "Columns": values.shape[2],
            "BitsAllocated": 16,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelRepresentation": 0,
            "PixelData": values.tobytes(),
        },
    )
