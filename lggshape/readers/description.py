"""What there is of a case, file by file, from names and headers alone."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lggshape.case import CLEARLY_LARGER, Geometry

_PLANES = ("axial", "coronal", "sagittal")
"""The plane of slices that are stacked along (Z, Y, X)."""

_MOST_TILT = np.cos(np.radians(30))
"""Slices that are tilted by more from each of the three planes are oblique."""


class FileDescription(NamedTuple):
    """A file of a case, or a folder of files that are read together.

    Attributes
    ----------
    path : Path
        The file.
    role : str
        What it shows: "mask", sequences joined by " + ", or what is not used.
    shape : tuple of int
        Shape (Z, Y, X[, C]); empty if it is not known.
    geometry : Geometry
        Where its voxels lie, as far as it is known.
    plane : str
        "axial", "coronal", "sagittal" or "oblique"; empty if it is not known.
    reason : str
        Why it is not used, or cannot be read; empty if it can be.
    """

    path: Path
    role: str
    shape: tuple[int, ...] = ()
    geometry: Geometry = Geometry()
    plane: str = ""
    reason: str = ""


def plane_of(geometry: Geometry, slice_axis: int | None = None) -> str:
    """Return the plane of the slices of a volume.

    Parameters
    ----------
    geometry : Geometry
        Where the voxels lie.
    slice_axis : int, optional
        Which of the axes (Z, Y, X) slices were stacked along when they were stored. It decides if
        voxels are about as long in all directions.

    Returns
    -------
    str
        "axial", "coronal" or "sagittal"; "oblique" if the slices are tilted by more than 30 degrees
        from each of them. Empty if the orientation is not known, or nothing tells the direction
        of slices.

    Examples
    --------
    >>> affine = np.array([[0, 0, 1, 0], [0, 5, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    >>> plane_of(Geometry((1.0, 5.0, 1.0), affine))
    'coronal'
    """
    if geometry.spacing is None or geometry.affine is None:
        return ""
    _, middle, largest = sorted(geometry.spacing)
    axis = geometry.plane.axis if largest > CLEARLY_LARGER * middle else slice_axis
    if axis is None:
        return ""
    normal = geometry.affine[:3, axis] / np.linalg.norm(geometry.affine[:3, axis])
    # The rows of an affine are x, y, z.
    towards = int(np.abs(normal).argmax())
    return _PLANES[2 - towards] if abs(normal[towards]) >= _MOST_TILT else "oblique"
