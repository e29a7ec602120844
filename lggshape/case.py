"""A case: the images and the mask of one examination of one patient."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FLAIR = "FLAIR"
"""Name of the sequence that shows the tumour, which every image has to have to be segmented."""

Spacing = tuple[float, float, float]
"""Distances between voxel centres along (z, y, x), in mm."""

_GRID_TOLERANCE = 0.01
"""How far apart the corners of two grids in one place may lie, in voxels: enough for the rounding
of qform and sform, far below what shifts a mask."""


@dataclass(frozen=True)
class Geometry:
    """Where the voxels of a case lie.

    Attributes
    ----------
    spacing : tuple of float or None
        Distances between voxel centres along (z, y, x) in mm; None if the files do not tell.
    affine : ndarray of shape (4, 4) or None
        Maps voxel indices (z, y, x, 1) to millimetres, right-anterior-superior; None if the files
        do not tell.
    """

    spacing: Spacing | None = None
    affine: NDArray[np.float64] | None = field(default=None, compare=False)

    def difference(self, other: "Geometry", shape: Sequence[int]) -> str:
        """Say in what two grids of one shape differ, as far as both are known.

        Parameters
        ----------
        other : Geometry
            Of the other grid.
        shape : sequence of int
            (Z, Y, X) of both.

        Returns
        -------
        str
            Empty if they lie in one place: corners to within a hundredth of a voxel.
        """
        if (
            self.spacing
            and other.spacing
            and not np.allclose(self.spacing, other.spacing, rtol=_GRID_TOLERANCE, atol=0)
        ):
            return f"voxels of {self.spacing} and {other.spacing} mm (z, y, x)"
        if self.affine is None or other.affine is None:
            return ""
        corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)], dtype=np.float64)
        corners[:, :3] *= np.array(shape) - 1
        shift = np.linalg.norm(corners @ (self.affine - other.affine).T, axis=1).max()
        reach = _GRID_TOLERANCE * min(self.spacing or (1.0,))
        return "different affines" if shift > reach else ""


@dataclass(frozen=True)
class Case:
    """The images and the mask of one examination of one patient.

    Attributes
    ----------
    id : str
        Name of the examination, unique within a data set.
    patient : str
        Key of the patient, the one that label tables use.
    image : ndarray of shape (Z, Y, X, C) or None
        Intensities as stored, one channel a sequence; None if the case has masks alone or the image
        was not asked for.
    mask : ndarray of bool, shape (Z, Y, X), or None
        True inside the tumour; None if the case has no mask or the mask was not asked for.
    sequences : tuple of str
        Names of the channels of `image`, in order: "pre-contrast", "FLAIR", "post-contrast".
    geometry : Geometry
        Where the voxels lie, as far as it is known.
    """

    id: str
    patient: str
    image: NDArray[np.generic] | None = field(default=None, compare=False)
    mask: NDArray[np.bool_] | None = field(default=None, compare=False)
    sequences: tuple[str, ...] = ()
    geometry: Geometry = field(default_factory=Geometry)

    def missing_sequences(self, names: Sequence[str]) -> tuple[str, ...]:
        """Name the sequences of which the image holds nothing of their own.

        Parameters
        ----------
        names : sequence of str
            The sequences that an image may have.

        Returns
        -------
        tuple of str
            Those of `names` without a channel, with a channel of one value throughout, or with a
            copy of FLAIR, by which data sets fill gaps. All, if there is no image.
        """
        if self.image is None:
            return tuple(names)
        channels = dict(zip(self.sequences, np.moveaxis(self.image, -1, 0), strict=True))
        return tuple(
            name
            for name in names
            if (channel := channels.get(name)) is None
            or channel.min() == channel.max()
            or (name != FLAIR and FLAIR in channels and np.array_equal(channel, channels[FLAIR]))
        )
