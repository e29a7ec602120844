"""DICOM files for tests: a small phantom, and changes to its headers."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.sequence import Sequence

from lggshape.case import Case, Geometry
from lggshape.phantoms import make_phantom

SIZE = (8, 24, 20)


@cache
def _head() -> Case:
    return make_phantom(np.random.default_rng(0), size=SIZE, name="Doe-4711")


def phantom(affine: Any = None, *, name: str = "Doe-4711") -> Case:
    """Return a head; with an affine (of z, y, x, in RAS), it lies there."""
    case = replace(_head(), id=name, patient=name)
    if affine is None:
        return case
    spacing = tuple(float(size) for size in np.linalg.norm(affine[:3, :3], axis=0))
    return replace(case, geometry=Geometry(spacing, np.asarray(affine, dtype=np.float64)))


def oblique(spacing=(5.0, 1.25, 0.75), angles=(0.2, -0.1, 0.3)) -> np.ndarray:
    """Return an affine of axes (z, y, x) near superior, anterior and right, but turned."""
    from scipy.spatial.transform import Rotation

    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", angles).as_matrix()
    affine[:3, :3] = turn[:, [2, 1, 0]] * spacing
    affine[:3, 3] = [-11.5, 7.25, 3.125]
    return affine


def edit(path: Path, **values: Any) -> None:
    """Set elements of a file; None takes an element away."""
    dataset = pydicom.dcmread(path)
    for name, value in values.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.save_as(path)


def slices(folder: Path, series: int = 2) -> list[Path]:
    """List the files of a series in the order of their numbers."""
    files = (folder / f"series_{series}").iterdir()
    return sorted(files, key=lambda path: int(path.stem.split("_")[1]))


def structure_set(path: Path, images: list[Path], structures: dict[int, list[np.ndarray]]) -> None:
    """Write contours (points, 3) in mm on a series as an RT structure set."""
    first = pydicom.dcmread(images[0])
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    dataset.SOPInstanceUID = pydicom.uid.generate_uid()
    dataset.SeriesInstanceUID = pydicom.uid.generate_uid()
    dataset.StudyInstanceUID = first.StudyInstanceUID
    dataset.PatientID, dataset.Modality = first.PatientID, "RTSTRUCT"
    series, study, frame = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    series.SeriesInstanceUID = first.SeriesInstanceUID
    study.RTReferencedSeriesSequence = Sequence([series])
    frame.RTReferencedStudySequence = Sequence([study])
    dataset.ReferencedFrameOfReferenceSequence = Sequence([frame])
    rois, named = [], []
    for number, contours in structures.items():
        name = pydicom.Dataset()
        name.ROINumber, name.ROIName = number, f"structure {number}"
        named.append(name)
        roi = pydicom.Dataset()
        roi.ReferencedROINumber = number
        items = []
        for points in contours:
            one = pydicom.Dataset()
            one.ContourGeometricType = "CLOSED_PLANAR"
            one.NumberOfContourPoints = len(points)
            one.ContourData = [f"{value:.6f}" for value in np.ravel(points)]
            items.append(one)
        roi.ContourSequence = Sequence(items)
        rois.append(roi)
    dataset.ROIContourSequence = Sequence(rois)
    dataset.StructureSetROISequence = Sequence(named)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    path.parent.mkdir(exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
