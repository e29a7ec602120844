"""Volumes brought from their own grid onto that of another file.

Where both grids have an affine it is known which places are the same. A sequence is interpolated
linearly; of a mask each voxel takes the value of the nearest one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry, corners
from lggshape.extras import require
from lggshape.readers.unusable import UnusableError

_ALL = 0.995  # a share that counts as all
_LATTICE = 32  # points per axis, by which shares are measured
_PLAIN = tuple(map(np.dtype, ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")))
"""The types of numbers that SimpleITK takes."""


class Resampled(NamedTuple):
    """A volume on another grid.

    Attributes
    ----------
    values : ndarray of shape (Z, Y, X)
        The values on the other grid.
    note : str
        What was done, for the tables: how far apart the corners of the grids lie, and how much of
        the grid the volume covers if it is not all.
    """

    values: NDArray[np.generic]
    note: str


def resample_image(
    values: NDArray[np.generic],
    geometry: Geometry,
    onto: Geometry,
    shape: Sequence[int],
    *,
    moved: NDArray[np.float64] | None = None,
) -> Resampled:
    """Interpolate a sequence on another grid.

    Parameters
    ----------
    values : ndarray of shape (Z, Y, X)
        Intensities.
    geometry, onto : Geometry
        Where they lie, and the other grid; both with an affine.
    shape : sequence of int
        (Z, Y, X) of the other grid.
    moved : ndarray of shape (4, 4), optional
        Maps places on the other grid to those in the volume that show the same, in mm, as
        `lggshape.readers.registration.register` finds it. By default they are the same.

    Returns
    -------
    Resampled
        32-bit floats, or 64-bit ones where the volume has larger numbers. Around the volume they
        are its lowest value.

    Raises
    ------
    UnusableError
        If the volume covers nothing of the grid.

    Examples
    --------
    >>> place = np.eye(4)[[2, 1, 0, 3]]
    >>> further = place.copy()
    >>> further[0, 3] = 0.5  # half a voxel along x
    >>> found = resample_image(
    ...     np.arange(4.0).reshape(1, 1, 4),
    ...     Geometry((1.0, 1.0, 1.0), place), Geometry((1.0, 1.0, 1.0), further), (1, 1, 3),
    ... )
    >>> found.values.tolist(), found.note
    ([[[0.5, 1.5, 2.5]]], 'corners up to 0.5 mm apart')
    """
    matrix = _between(geometry, onto, moved)
    covered = _share_inside(matrix, shape, values.shape)
    if not covered:
        msg = f"a volume beside the other, {_apart(geometry, onto, values.shape, shape)}"
        raise UnusableError(msg)
    lowest = np.nanmin(values) if values.dtype.kind == "f" else values.min()
    kind = np.float64 if values.dtype.itemsize > 2 and values.dtype != np.float32 else np.float32
    around = float(lowest) if np.isfinite(lowest) else 0.0
    found = _resampled(values.astype(kind), matrix, shape, nearest=False, around=around)
    note = _apart(geometry, onto, values.shape, shape)
    if covered < _ALL:
        note += f", covers {100 * covered:.0f} % of it"
    return Resampled(found, note)


def resample_mask(
    values: NDArray[np.generic], geometry: Geometry, onto: Geometry, shape: Sequence[int]
) -> Resampled:
    """Bring a mask, or another volume of labels, onto another grid.

    Parameters
    ----------
    values : ndarray of shape (Z, Y, X)
        Labels; 0 is outside.
    geometry, onto, shape
        As for `resample_image`.

    Returns
    -------
    Resampled
        Of each voxel the value of the nearest one, of the type of `values`; 0 around the mask.

    Raises
    ------
    UnusableError
        If all of the mask lies outside the grid.

    Examples
    --------
    >>> place, finer = np.eye(4)[[2, 1, 0, 3]], np.diag([1, 1, 0.5, 1])[[2, 1, 0, 3]]
    >>> finer[0, 3] = -0.25
    >>> found = resample_mask(
    ...     np.array([[[0, 4, 4, 0]]]),
    ...     Geometry((1.0, 1.0, 1.0), place), Geometry((1.0, 1.0, 0.5), finer), (1, 1, 8),
    ... )
    >>> found.values.tolist(), found.note
    ([[[0, 0, 4, 4, 4, 4, 0, 0]]], 'corners up to 0.0 mm apart')
    """
    matrix = _between(geometry, onto, None)
    inside = np.argwhere(values)
    lost = 0.0
    if len(inside):
        placed = _apply(np.linalg.inv(matrix).astype(np.float64), inside)
        lost = 1 - float(_is_inside(placed, shape).mean())
    if lost == 1:
        msg = f"a mask beside the image, {_apart(geometry, onto, values.shape, shape)}"
        raise UnusableError(msg)
    stored = values if values.dtype in _PLAIN else values.astype(np.float64)
    found = _resampled(stored, matrix, shape, nearest=True, around=0.0).astype(values.dtype)
    note = _apart(geometry, onto, values.shape, shape)
    if lost:
        note += f", {100 * lost:.2g} % of it lies outside"
    return Resampled(found, note)


def _between(
    geometry: Geometry, onto: Geometry, moved: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return what maps voxel indices (z, y, x, 1) of the other grid to those of the volume."""
    assert geometry.affine is not None
    assert onto.affine is not None
    placed = onto.affine if moved is None else moved @ onto.affine
    matrix: NDArray[np.float64] = np.linalg.solve(geometry.affine, placed).astype(np.float64)
    return matrix


def _apply(matrix: NDArray[np.float64], points: NDArray[Any]) -> NDArray[np.float64]:
    mapped: NDArray[np.float64] = points @ matrix[:3, :3].T + matrix[:3, 3]
    return mapped


def _is_inside(indices: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.bool_]:
    within: NDArray[np.bool_] = np.all(
        (indices >= -0.5) & (indices <= np.array(shape) - 0.5), axis=1
    )
    return within


def _share_inside(matrix: NDArray[np.float64], shape: Sequence[int], inner: Sequence[int]) -> float:
    """Return how much of a grid lies in a volume of the shape `inner`."""
    axes = [np.linspace(0, length - 1, min(length, _LATTICE)) for length in shape]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return float(_is_inside(_apply(matrix, lattice), inner).mean())


def _apart(
    geometry: Geometry, onto: Geometry, shape: Sequence[int], onto_shape: Sequence[int]
) -> str:
    assert geometry.affine is not None
    assert onto.affine is not None
    shifts = corners(geometry.affine, shape) - corners(onto.affine, onto_shape)
    return f"corners up to {np.linalg.norm(shifts, axis=1).max():.1f} mm apart"


def _resampled(
    values: NDArray[Any],
    matrix: NDArray[np.float64],
    shape: Sequence[int],
    *,
    nearest: bool,
    around: float,
) -> NDArray[np.generic]:
    require("SimpleITK", "to bring a volume onto another grid")
    import SimpleITK as sitk  # noqa: N813

    # Between indices, so that an affine may be as oblique as it likes. Those of ITK are (x, y, z).
    turned = matrix[:3, :3][::-1, ::-1]
    transform = sitk.AffineTransform(turned.ravel().tolist(), matrix[:3, 3][::-1].tolist())
    image = sitk.GetImageFromArray(values)
    found = sitk.Resample(
        image,
        [int(length) for length in reversed(shape)],
        transform,
        sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear,
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
        np.eye(3).ravel().tolist(),
        around,
    )
    result: NDArray[np.generic] = sitk.GetArrayFromImage(found)
    return result
