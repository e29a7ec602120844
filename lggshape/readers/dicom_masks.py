"""Masks in DICOM: segmentations, and RT structure sets.

A segmentation (DICOM-SEG) has frames that lie somewhere. If they lie on the grid of the series that
it refers to, the mask has that grid, and slices without a frame are outside. Else, or if the series
is not there, it has a grid of its own, from its first frame to its last.

A structure set has contours on the slices of the series that it refers to, which has to be there. A
pixel is inside if its centre is, by `skimage.draw.polygon2mask`; a contour within another is a hole
(exclusive or). A contour that is listed twice counts once; contours that cross are refused.

Of several segments or structures each has its number as its value in the mask.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry
from lggshape.readers.dicom_choice import STRUCTURES
from lggshape.readers.dicom_files import (
    numbers_of,
    pydicom_reading,
    quietly,
    read_header,
    text_of,
)
from lggshape.readers.dicom_frames import DicomFrame, decoded_pixels, frames_of
from lggshape.readers.dicom_series import (
    LPS_TO_RAS,
    Stack,
    affine_from,
    check_size,
    depths_of,
    on_grid,
)
from lggshape.readers.unusable import UnusableError
from lggshape.regions import Values

if TYPE_CHECKING:
    from pydicom import Dataset

StackOf = Callable[[str], Stack | None]
"""Returns the slices of the series with a UID; None if it is not there."""

_OFF = 0.05
"""How far a mask may lie from the voxels it belongs to, in voxels."""

_OFF_SLICE = 0.2
"""How far a contour may lie from the middle of its slice, in slices."""

_CROSSING = 0.05
"""Contours cross if they share more than this part of the smaller one, and less than the rest."""

_MOST_NUMBER = 2**16 - 1
"""The largest number of a structure that a mask holds."""

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
"""The kinds of contours that have an inside."""


@quietly()
def load_mask(
    path: Path, stack_of: StackOf, *, wanted: Collection[int] = ()
) -> tuple[NDArray[np.generic], Geometry]:
    """Read a mask (Z, Y, X) and its geometry.

    Parameters
    ----------
    path : Path
        A DICOM segmentation or an RT structure set.
    stack_of : callable
        Returns the slices of a series.
    wanted : collection of int
        The segments or structures to read, which may overlap; all if there are none.

    Returns
    -------
    values : ndarray of shape (Z, Y, X)
        0 outside, and the number of the segment or structure inside. Of a segmentation by fractions
        the fractions, from 0 to 1.
    geometry : Geometry
        Spacing and affine.

    Raises
    ------
    UnusableError
        If the file is damaged, segments overlap, contours lie between slices, or the series that
        they refer to is not there.
    """
    header = read_header(path)
    if text_of(header, "SOPClassUID") == STRUCTURES:
        return _structures(path, header, stack_of, wanted)
    return _segments(path, header, stack_of, wanted)


def names_of_mask(path: Path) -> dict[str, Values]:
    """Read the names of the segments or structures of a mask, with their numbers.

    Raises
    ------
    UnusableError
        If the file is damaged.
    """
    header = read_header(path)
    elements = ("SegmentSequence", "SegmentNumber", "SegmentLabel")
    if text_of(header, "SOPClassUID") == STRUCTURES:
        elements = ("StructureSetROISequence", "ROINumber", "ROIName")
    sequence, number, label = elements
    found: dict[str, Values] = {}
    with pydicom_reading():
        for one in header.get(sequence) or []:
            name = text_of(one, label)
            found[name] = found.get(name, frozenset()) | {int(text_of(one, number))}
    return found


def _segments(
    path: Path, header: "Dataset", stack_of: StackOf, wanted: Collection[int]
) -> tuple[NDArray[np.generic], Geometry]:
    frames = frames_of(path, header)
    kind = text_of(header, "SegmentationType")
    affine, count, slices = _placed(frames, stack_of(_series_of_segmentation(header)))
    rows, columns = frames[0].shape
    check_size(columns, rows, count)
    pixels = decoded_pixels(path).reshape(-1, rows, columns)
    if len(pixels) != len(frames):
        msg = f"{len(pixels)} frames instead of {len(frames)} in {path.name}"
        raise UnusableError(msg)
    numbers = _numbers(path, header, len(frames)) if kind != "LABELMAP" else [0] * len(frames)
    _refuse_doubled(frames, list(zip(numbers, slices.tolist(), strict=True)))
    if kind == "FRACTIONAL":
        fractions = _fractions(path, header, pixels, slices, count, segments=len(set(numbers)))
        return on_grid(fractions.transpose(2, 1, 0), affine)
    values = np.zeros((count, rows, columns), dtype=np.uint16)
    if kind == "LABELMAP":
        values[slices] = pixels
    else:
        for plane, number, place in zip(pixels, numbers, slices, strict=True):
            _add(values[place], plane != 0, number, path, wanted)
    return on_grid(values.transpose(2, 1, 0), affine)


def _add(
    plane: NDArray[np.uint16],
    inside: NDArray[np.bool_],
    number: int,
    path: Path,
    wanted: Collection[int],
) -> None:
    """Set the number of a segment where it is; refuse a pixel of two, unless they are one."""
    if wanted:
        if number in wanted:
            plane[inside] = number
        return
    others = np.unique(plane[inside & (plane != 0) & (plane != number)])
    if others.size:
        msg = (
            f"voxels of more than one segment, {others[0]} and {number}, in {path.name}. Say which "
            "are the tumour with --mask-values (mask_values= in Python)"
        )
        raise UnusableError(msg)
    plane[inside] = number


def _fractions(
    path: Path,
    header: "Dataset",
    pixels: NDArray[np.integer],
    slices: NDArray[np.intp],
    count: int,
    *,
    segments: int,
) -> NDArray[np.float32]:
    """Return the fractions of the one segment of a segmentation by fractions."""
    most = numbers_of(header, "MaximumFractionalValue", 1)
    if segments != 1 or not most or most[0] <= 0:
        msg = f"fractions of {segments} segments instead of one in {path.name}"
        raise UnusableError(msg)
    values = np.zeros((count, *pixels.shape[1:]), dtype=np.float32)
    values[slices] = pixels / most[0]
    return values


def _refuse_doubled(frames: Sequence[DicomFrame], places: Sequence[tuple[int, int]]) -> None:
    """Refuse two frames of one segment in one slice: only one of them would count."""
    first: dict[tuple[int, int], DicomFrame] = {}
    for frame, place in zip(frames, places, strict=True):
        other = first.setdefault(place, frame)
        if other is not frame:
            msg = f"two frames of one segment in one slice, {other.name} and {frame.name}"
            raise UnusableError(msg)


def _numbers(path: Path, header: "Dataset", frames: int) -> list[int]:
    """Return the number of the segment of each frame."""
    with pydicom_reading():
        shared = list(header.get("SharedFunctionalGroupsSequence") or [])[:1]
        groups = list(header.get("PerFrameFunctionalGroupsSequence") or [])
        found = []
        for group in groups:
            parts = (one.get("SegmentIdentificationSequence") for one in (group, *shared))
            found.append(int(next(part for part in parts if part)[0].ReferencedSegmentNumber))
    if len(found) != frames or min(found) < 1:
        msg = f"frames without the numbers of their segments in {path.name}"
        raise UnusableError(msg)
    return found


def _series_of_segmentation(header: "Dataset") -> str:
    """Return the UID of the series that a segmentation refers to; "" if it does not say."""
    with pydicom_reading():
        for one in header.get("ReferencedSeriesSequence") or []:
            return text_of(one, "SeriesInstanceUID")
    return ""


def _placed(
    frames: Sequence[DicomFrame], stack: Stack | None
) -> tuple[NDArray[np.float64], int, NDArray[np.intp]]:
    """Return the grid of a segmentation (affine and slices), and the slice of each frame."""
    if stack is not None:
        positions = np.array([[*frame.position, 1.0] for frame in frames])
        indices = np.linalg.solve(stack.affine, LPS_TO_RAS @ positions.T)[:3].T
        slices = np.round(indices[:, 2]).astype(np.intp)
        off = np.abs(indices - np.column_stack([np.zeros((len(frames), 2)), slices]))
        first = stack.frames[0]
        is_on_it = (
            off.max() <= _OFF
            and slices.min() >= 0
            and slices.max() < len(stack.frames)
            and all(_is_like(frame, first) for frame in frames)
        )
        if is_on_it:
            return stack.affine, len(stack.frames), slices
    depths = depths_of(frames)
    start = int(depths.argmin())
    step = _step(frames[start], np.unique(np.round(depths, 3)))
    exact = (depths - depths[start]) / step
    slices = np.round(exact).astype(np.intp)
    if np.abs(exact - slices).max() > _OFF:
        msg = f"frames at uneven distances in {frames[0].path.name}"
        raise UnusableError(msg)
    return affine_from(frames[start], step), int(slices.max()) + 1, slices


def _step(first: DicomFrame, depths: NDArray[np.float64]) -> float:
    """Return the distance of slices: that in the header, if the frames are multiples of it apart.

    Slices without a segment may have no frame.
    """
    named = first.thickness
    if len(depths) == 1:
        if named is None:
            msg = f"one slice, of unknown thickness, in {first.path.name}"
            raise UnusableError(msg)
        return named
    nearest = float(np.diff(depths).min())
    times = nearest / named if named else 0.0
    return named if named and round(times) >= 1 and abs(times - round(times)) < _OFF else nearest


def _is_like(frame: DicomFrame, other: DicomFrame) -> bool:
    return (
        frame.shape == other.shape
        and np.allclose(frame.orientation, other.orientation, rtol=0, atol=1e-3)
        and np.allclose(frame.spacing, other.spacing, rtol=1e-3)
    )


class _Structure(NamedTuple):
    """The contours of a structure, each an array (points, 3) of mm: left, posterior, superior."""

    number: int
    contours: list[NDArray[np.float64]]


def _structures(
    path: Path, header: "Dataset", stack_of: StackOf, wanted: Collection[int]
) -> tuple[NDArray[np.generic], Geometry]:
    stacks = (stack_of(uid) for uid in _series_of_structures(header))
    stack = next((one for one in stacks if one is not None), None)
    if stack is None:
        msg = f"contours on a series that is not in the folder of the study, in {path.name}"
        raise UnusableError(msg)
    columns, rows, count = stack.stored_shape
    check_size(columns, rows, count)
    values = np.zeros((count, rows, columns), dtype=np.uint16)
    structures = _read_structures(path, header, wanted)
    for structure in structures:
        for place, inside in _filled(structure, stack, path).items():
            _add(values[place], inside, structure.number, path, wanted)
    if structures and not values.any():
        msg = f"contours in which no pixel of the series lies, in {path.name}"
        raise UnusableError(msg)
    return on_grid(values.transpose(2, 1, 0), stack.affine)


def _series_of_structures(header: "Dataset") -> list[str]:
    """Return the UIDs of the series that contours may lie on."""
    with pydicom_reading():
        return [
            text_of(series, "SeriesInstanceUID")
            for frame in header.get("ReferencedFrameOfReferenceSequence") or []
            for study in frame.get("RTReferencedStudySequence") or []
            for series in study.get("RTReferencedSeriesSequence") or []
        ]


def _read_structures(path: Path, header: "Dataset", wanted: Collection[int]) -> list[_Structure]:
    """Read the structures that have contours; refuse what is no closed contour in a plane."""
    found = []
    numbers = []
    with pydicom_reading():
        for one in header.get("ROIContourSequence") or []:
            number = int(one.ReferencedROINumber)
            contours = list(one.get("ContourSequence") or [])
            numbers += [number] if contours else []
            if not contours or (wanted and number not in wanted):
                continue
            if any(text_of(contour, "ContourGeometricType") not in _CLOSED for contour in contours):
                msg = (
                    f"a contour of structure {number} that is not closed, in {path.name}. Say "
                    "which structures are the tumour with --mask-values (mask_values= in Python)"
                )
                raise UnusableError(msg)
            points = [np.array(contour.ContourData, dtype=np.float64) for contour in contours]
            if any(one.size % 3 or not np.isfinite(one).all() for one in points):
                msg = f"a contour of structure {number} without three numbers a point: {path.name}"
                raise UnusableError(msg)
            found.append(_Structure(number, _without_repeats(points)))
    if not numbers or min(numbers) < 1 or max(numbers) > _MOST_NUMBER:
        msg = f"no structures with contours and numbers from 1 to {_MOST_NUMBER} in {path.name}"
        raise UnusableError(msg)
    return found


def _without_repeats(contours: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the contours (points, 3) that have an inside, each once."""
    placed = [points.reshape(-1, 3) for points in contours]
    # The same contour may begin elsewhere, or run the other way.
    different = {np.unique(points, axis=0).tobytes(): points for points in placed}
    return [points for points in different.values() if len(points) > 2]


def _filled(structure: _Structure, stack: Stack, path: Path) -> dict[int, NDArray[np.bool_]]:
    """Return where a structure is in each slice with a contour of it."""
    from skimage.draw import polygon2mask

    to_index = np.linalg.inv(stack.affine) @ LPS_TO_RAS
    found: dict[int, list[NDArray[np.bool_]]] = {}
    for contour in structure.contours:
        points = (np.column_stack([contour, np.ones(len(contour))]) @ to_index.T)[:, :3]
        place = round(float(points[:, 2].mean()))
        if np.abs(points[:, 2] - place).max() > _OFF_SLICE or not 0 <= place < len(stack.frames):
            msg = f"a contour of structure {structure.number} off the slices, in {path.name}"
            raise UnusableError(msg)
        inside = polygon2mask(stack.frames[0].shape, points[:, [1, 0]])
        if any(_cross(inside, other) for other in found.setdefault(place, [])):
            msg = (
                f"contours of structure {structure.number} that cross in "
                f"{stack.frames[place].name}, in {path.name}"
            )
            raise UnusableError(msg)
        found[place].append(inside)
    return {place: np.logical_xor.reduce(planes) for place, planes in found.items()}


def _cross(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    """Return whether two contours share a part of what is inside, and one is not a hole."""
    smaller = min(one.sum(), other.sum())
    shared = np.count_nonzero(one & other)
    return bool(_CROSSING * smaller < shared < (1 - _CROSSING) * smaller)
