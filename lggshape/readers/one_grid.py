"""The files of a case on one grid: that of FLAIR, or of the first sequence of a case without FLAIR.

What lies on another grid is resampled if both affines are known: a sequence always, and a mask if
the user wants it. What was done is noted. Everything else is refused with both grids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Geometry
from lggshape.errors import CaseError
from lggshape.readers.registration import register as find_motion
from lggshape.readers.resampling import resample_image, resample_mask
from lggshape.readers.unusable import UnusableError

_NO_AFFINE = "Without an affine in both headers nothing can be resampled."
_SAY_RESAMPLE = (
    "To resample the mask onto the grid of the image, say --resample-masks (resample_masks=True in "
    "Python)."
)


@dataclass(frozen=True)
class FileGrid:
    """The grid of a file.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X).
    geometry : Geometry
        Where it lies.
    path : Path
        The file.
    """

    shape: tuple[int, ...]
    geometry: Geometry
    path: Path

    def difference(self, other: "FileGrid") -> str:
        """Return in what two grids differ, also in what is known of them; empty if in nothing."""
        found = self.geometry.difference(other.geometry, self.shape, other.shape)
        if found:
            return found
        for what, known in (
            ("voxel sizes", [one.geometry.spacing is not None for one in (self, other)]),
            (
                "an orientation (an affine)",
                [one.geometry.affine is not None for one in (self, other)],
            ),
        ):
            if known[0] != known[1]:
                return f"{what} in the {'first' if known[0] else 'second'} file alone"
        return ""

    def refusal(self, other: "FileGrid", found: str, *, case: str, way_out: str) -> CaseError:
        """Return the error of a case whose files lie on two grids."""
        has_affines = self.geometry.affine is not None and other.geometry.affine is not None
        msg = (
            f"Expected the files of case {case} to lie on one grid, found {found}: {self.path}, "
            f"{other.path}. {way_out if has_affines else _NO_AFFINE}"
        )
        return CaseError(msg)


@dataclass(frozen=True)
class Placed(FileGrid):
    """What one file holds, and where it lies.

    Attributes
    ----------
    values : ndarray of shape (Z, Y, X) or (Z, Y, X, C)
        The values.
    """

    values: NDArray[np.generic]

    @property
    def without_values(self) -> FileGrid:
        """The grid alone, which does not keep the values in memory."""
        return FileGrid(self.shape, self.geometry, self.path)


def reference_of(names: Mapping[str, object]) -> str:
    """Return the sequence onto whose grid the others are brought.

    Examples
    --------
    >>> reference_of({"pre-contrast": 1, "FLAIR": 2})
    'FLAIR'
    """
    return FLAIR if FLAIR in names else next(iter(names))


def sequences_on_one_grid(
    volumes: Mapping[str, Placed], *, case: str, register: bool
) -> tuple[list[NDArray[np.generic]], tuple[str, ...]]:
    """Bring the sequences of a case onto one grid.

    Parameters
    ----------
    volumes : mapping of str to Placed
        The sequences by name.
    case : str
        Name of the case, for messages.
    register : bool
        Whether each sequence is first aligned with FLAIR by a rigid motion.

    Returns
    -------
    values : list of ndarray of shape (Z, Y, X)
        The sequences in the order of `volumes`; as they are where they lie on the grid.
    notes : tuple of str
        What was done, and by how many millimetres.

    Raises
    ------
    CaseError
        If a grid is not known well enough to resample, two volumes have no place in common, or no
        motion was found that is to be believed.
    """
    name_of_reference = reference_of(volumes)
    reference = volumes[name_of_reference]
    values, notes = [], []
    for name, volume in volumes.items():
        found = reference.difference(volume)
        if volume is reference or not (found or register):
            values.append(volume.values)
            continue
        if reference.geometry.affine is None or volume.geometry.affine is None:
            found = found or "no affine, which --register needs"
            raise reference.refusal(volume, found, case=case, way_out="")
        try:
            motion = None
            if register:
                motion = find_motion(
                    volume.values, volume.geometry, reference.values, reference.geometry
                )
                notes.append(f"{name} registered: moved by {motion.moved:.1f} mm")
            if motion is None or motion.moved or found:
                resampled = resample_image(
                    volume.values,
                    volume.geometry,
                    reference.geometry,
                    reference.shape,
                    moved=None if motion is None else motion.matrix,
                )
                values.append(resampled.values)
            else:
                values.append(volume.values)
        except UnusableError as error:
            way_out = " Leave --register out (register= in Python)." if register else ""
            msg = (
                f"Expected {name} of case {case} to show the head that {name_of_reference} shows, "
                f"found {error}: {volume.path}, {reference.path}.{way_out}"
            )
            raise CaseError(msg) from error
        if found:
            done = f"{name} resampled onto {name_of_reference}'s grid"
            notes.append(f"{done} ({resampled.note})")
    return values, tuple(notes)


def as_channels(values: list[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Return sequences (Z, Y, X) as the channels of an image (Z, Y, X, C).

    They are taken from the list one after the other, so that a large image is not in memory twice.
    Those of a channel lie together in memory.

    Examples
    --------
    >>> as_channels([np.zeros((2, 3, 4)), np.ones((2, 3, 4))]).shape
    (2, 3, 4, 2)
    """
    kind = np.result_type(*(one.dtype for one in values))
    channels = np.empty((len(values), *values[0].shape), dtype=kind)
    for channel in channels:
        channel[:] = values.pop(0)
    return np.moveaxis(channels, 0, -1)


def mask_on_grid(
    mask: Placed, image: FileGrid, *, case: str, resample: bool
) -> tuple[Placed, tuple[str, ...]]:
    """Bring a mask onto the grid of its image.

    Parameters
    ----------
    mask : Placed
        The mask.
    image : FileGrid
        The grid of the image.
    case : str
        Name of the case, for messages.
    resample : bool
        Whether a mask on another grid is resampled.

    Returns
    -------
    mask : Placed
        The mask itself if it lies on the grid.
    notes : tuple of str
        What was done, and by how many millimetres.

    Raises
    ------
    CaseError
        If it lies on another grid and is not resampled, or all of it lies outside.
    """
    found = image.difference(mask)
    if not found:
        return mask, ()
    has_affines = mask.geometry.affine is not None and image.geometry.affine is not None
    if not (resample and has_affines):
        raise image.refusal(mask, found, case=case, way_out=_SAY_RESAMPLE)
    try:
        resampled = resample_mask(mask.values, mask.geometry, image.geometry, image.shape)
    except UnusableError as error:
        msg = (
            f"Expected the mask of case {case} to lie on its image, found {error}: {mask.path}, "
            f"{image.path}."
        )
        raise CaseError(msg) from error
    placed = Placed(image.shape, image.geometry, mask.path, resampled.values)
    return placed, (f"mask resampled onto the image's grid ({resampled.note})",)
