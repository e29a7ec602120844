"""One DICOM series: its slices in the order of their places, and where its voxels lie.

Slices are sorted by where they lie along the normal of their plane, not by their numbers. A series
is read only if its slices fill a grid: one orientation, one size, one distance, each place once. If
not, what is wrong is said with the names of the files. A file holds one slice, or a frame per slice
(enhanced, multi-frame).

Values are the stored ones, times the rescale slope, plus the intercept. Pixels that show nothing
(padding) have the lowest value of the others. The places are those of the
header in DICOM's axes (left, posterior, superior), turned to right, anterior, superior.
"""

from collections.abc import Sequence
from os.path import commonpath
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry
from lggshape.names import counted, first_few
from lggshape.readers.dicom_files import quietly, read_header
from lggshape.readers.dicom_frames import DicomFrame, check_kind, decoded_pixels, frames_of
from lggshape.readers.grids import (
    checked_spacing,
    orientation_of,
    shape_in_zyx,
    turned_to_ras,
    voxel_sizes,
    zyx_values,
)
from lggshape.readers.source import MOST_VALUES
from lggshape.readers.unusable import UnusableError

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Turns DICOM's axes (left, posterior, superior) into right, anterior, superior."""

_DIRECTIONS = 1e-3
"""How far the cosines of two slices of one orientation may differ."""

_DISTANCES = 0.01
"""By which part of their distance slices may be nearer or farther."""

_MISSING = 0.05
"""How far a gap may be from a whole number of distances where slices are missing."""

_SHIFT = 0.05
"""By which part of a pixel slices may be shifted against each other within their planes."""

_THIN = 1e-3
"""Slices nearer than this, in mm, lie in one place."""


class Stack(NamedTuple):
    """Slices that fill a grid.

    Attributes
    ----------
    frames : tuple of DicomFrame
        The slices, from the first along their normal to the last.
    affine : ndarray of shape (4, 4)
        Maps the indices (column, row, slice) to mm: right, anterior, superior.
    """

    frames: tuple[DicomFrame, ...]
    affine: NDArray[np.float64]

    @property
    def stored_shape(self) -> tuple[int, int, int]:
        """How many columns, rows and slices."""
        rows, columns = self.frames[0].shape
        return columns, rows, len(self.frames)


def on_grid(
    stored: NDArray[np.generic], affine: NDArray[np.float64]
) -> tuple[NDArray[np.generic], Geometry]:
    """Turn values (column, row, slice) to (Z, Y, X), and return their geometry too.

    Parameters
    ----------
    stored : ndarray of shape (columns, rows, slices)
        The values.
    affine : ndarray of shape (4, 4)
        Maps the indices (column, row, slice) to mm: right, anterior, superior.
    """
    turned, affine = turned_to_ras(stored, affine)
    affine = affine[:, [2, 1, 0, 3]]
    spacing = checked_spacing(voxel_sizes(affine))
    return zyx_values(turned), Geometry(spacing, affine)


def described_grid(stack: Stack) -> tuple[tuple[int, ...], Geometry, int]:
    """Return shape (Z, Y, X) and geometry of a series, and the axis that its slices lie along."""
    orientation = orientation_of(stack.affine)
    shape = shape_in_zyx(stack.stored_shape, orientation)
    # Of no values: one byte stands for all.
    empty = np.broadcast_to(np.uint8(0), stack.stored_shape)
    _, affine = turned_to_ras(empty, stack.affine)
    affine = affine[:, [2, 1, 0, 3]]
    geometry = Geometry(checked_spacing(voxel_sizes(affine)), affine)
    return shape, geometry, 2 - int(orientation[2, 0])


def check_size(columns: int, rows: int, slices: int) -> None:
    """Raise UnusableError for more values than anything but a damaged header promises."""
    if columns * rows * slices > MOST_VALUES:
        msg = f"{slices} slices of {rows} x {columns}, at most {MOST_VALUES} values expected"
        raise UnusableError(msg)


def load_series(files: Sequence[Path]) -> tuple[NDArray[np.generic], Geometry]:
    """Read the values (Z, Y, X) and the geometry of a series.

    Parameters
    ----------
    files : sequence of Path
        The files of the series, in any order.

    Returns
    -------
    values : ndarray of shape (Z, Y, X)
        As `lggshape.readers.grids` has them: z towards superior, y towards anterior, x towards the
        right.
    geometry : Geometry
        Spacing and affine.

    Raises
    ------
    UnusableError
        If the slices do not fill a grid, or a file cannot be decoded.
    """
    stack = read_stack(files)
    check_size(*stack.stored_shape)
    decoded: dict[Path, NDArray[np.integer]] = {}
    planes, padded = [], []
    scaled = any(frame.scale != (1.0, 0.0) for frame in stack.frames)
    for frame in stack.frames:
        if frame.path not in decoded:
            if frame.index is None:
                decoded.clear()
            decoded[frame.path] = decoded_pixels(frame.path)
        plane = decoded[frame.path]
        if frame.index is not None:
            plane = plane.reshape(-1, *plane.shape[-2:])[frame.index]
        if plane.shape != frame.shape:
            msg = f"{plane.shape} pixels instead of {frame.shape} in {frame.name}"
            raise UnusableError(msg)
        slope, intercept = frame.scale
        planes.append(plane * slope + intercept if scaled else plane)
        low, high = frame.padding or (np.inf, -np.inf)
        padded.append((plane >= low) & (plane <= high))
    values, without = np.stack(planes), np.stack(padded)
    if without.any() and not without.all():
        values[without] = values[~without].min()
    return on_grid(values.transpose(2, 1, 0), stack.affine)


@quietly()
def read_stack(files: Sequence[Path]) -> Stack:
    """Read the headers of a series and put its slices in order; raises UnusableError."""
    frames = []
    for path in files:
        header = read_header(path)
        check_kind(path, header)
        frames += frames_of(path, header)
    return stacked(frames)


def stacked(frames: Sequence[DicomFrame]) -> Stack:
    """Put slices in order along their normal; raises UnusableError if they do not fill a grid."""
    depths = depths_of(frames)
    order = np.argsort(depths, kind="stable")
    ordered = tuple(frames[index] for index in order)
    step = _distance(ordered, depths[order])
    return Stack(ordered, affine_from(ordered[0], step))


def affine_from(first: DicomFrame, step: float) -> NDArray[np.float64]:
    """Return what maps (column, row, slice) to mm, from the first slice and their distance."""
    row, column = np.array(first.orientation).reshape(2, 3)
    between_rows, between_columns = first.spacing
    affine = np.eye(4)
    affine[:3, 0] = row * between_columns
    affine[:3, 1] = column * between_rows
    affine[:3, 2] = _normal(first) * step
    affine[:3, 3] = first.position
    return LPS_TO_RAS @ affine


def depths_of(frames: Sequence[DicomFrame]) -> NDArray[np.float64]:
    """Return where slices lie along their normal, in mm; refuse those that are not of one stack."""
    if not frames:
        msg = "no slices"
        raise UnusableError(msg)
    _check_alike(frames)
    normal = _normal(frames[0])
    places = np.array([frame.position for frame in frames])
    # Slices lie above each other, unlike those of a tilted gantry.
    ways = places - places[0]
    shifts = np.linalg.norm(ways - np.outer(ways @ normal, normal), axis=1)
    worst = int(shifts.argmax())
    if shifts[worst] > _SHIFT * min(frames[0].spacing):
        msg = (
            f"slices shifted within their planes by {shifts[worst]:.4g} mm, from "
            f"{frames[0].name} to {frames[worst].name}"
        )
        raise UnusableError(msg)
    depths: NDArray[np.float64] = places @ normal
    return depths


def _normal(frame: DicomFrame) -> NDArray[np.float64]:
    row, column = np.array(frame.orientation).reshape(2, 3)
    lengths = np.linalg.norm([row, column], axis=1)
    if np.abs(lengths - 1).max() > _DISTANCES or abs(row @ column) > _DISTANCES:
        msg = f"rows and columns that are not at right angles in {frame.name}"
        raise UnusableError(msg)
    normal: NDArray[np.float64] = np.cross(row, column)
    return normal / np.linalg.norm(normal)


def _check_alike(frames: Sequence[DicomFrame]) -> None:
    """Refuse slices of several sizes, pixel sizes or orientations."""
    first = frames[0]
    others = [frame for frame in frames if frame.shape != first.shape]
    what = "sizes"
    if not others:
        others, what = [f for f in frames if not np.allclose(f.spacing, first.spacing)], "pixels"
    if not others:
        others, what = (
            [
                frame
                for frame in frames
                if not np.allclose(frame.orientation, first.orientation, rtol=0, atol=_DIRECTIONS)
            ],
            "orientations",
        )
    if others:
        msg = (
            f"slices of several {what} in one series: {counted(len(others), 'slice')} "
            f"({first_few([frame.name for frame in others], 3)}) unlike {first.name}"
        )
        raise UnusableError(msg)
    if min(first.shape) < 1 or min(first.spacing) <= 0:
        msg = f"a slice of {first.shape} pixels of {first.spacing} mm in {first.name}"
        raise UnusableError(msg)


def _distance(frames: Sequence[DicomFrame], depths: NDArray[np.float64]) -> float:
    """Return the distance between slices; refuse doubled places, gaps and uneven distances."""
    if len(frames) == 1:
        if frames[0].thickness is None:
            msg = f"one slice, of unknown thickness, in {frames[0].name}"
            raise UnusableError(msg)
        return frames[0].thickness
    steps = np.diff(depths)
    doubled = np.flatnonzero(steps < _THIN)
    if doubled.size:
        pairs = [_both_names(frames[one], frames[one + 1]) for one in doubled.tolist()]
        count = counted(doubled.size, "place")
        msg = (
            f"{count} with two slices in one series ({first_few(pairs, 3)}). If they are copies, "
            "move one of each away; if they differ in echo, time or b-value, name another series "
            "in a manifest"
        )
        raise UnusableError(msg)
    usual = float(np.median(steps))
    uneven = np.flatnonzero(np.abs(steps - usual) > _DISTANCES * usual)
    if uneven.size:
        found = [
            f"{steps[one]:.4g} mm from {frames[one].name} to {frames[one + 1].name}"
            for one in uneven.tolist()
        ]
        times = steps[uneven] / usual
        missing = times.min() > 1.5 and np.abs(times - np.round(times)).max() < _MISSING
        what = "missing slices" if missing else "uneven distances of slices"
        msg = (
            f"{what}: {first_few(found, 3)}, {usual:.4g} mm elsewhere. Export the series again, "
            "or name another one in a manifest"
        )
        raise UnusableError(msg)
    return float((depths[-1] - depths[0]) / (len(frames) - 1))


def _both_names(one: DicomFrame, other: DicomFrame) -> str:
    if one.path == other.path or one.path.name != other.path.name:
        return f"{one.name} and {other.name}"
    above = Path(commonpath([one.path.parent, other.path.parent]))
    places = (each.path.parent.relative_to(above).as_posix() for each in (one, other))
    first, second = (
        f"{place}/{each.name}" for place, each in zip(places, (one, other), strict=True)
    )
    return f"{first} and {second}"
