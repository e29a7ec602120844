"""Stored axes and the axes (Z, Y, X), whatever the format of a file.

Files store (X, Y, Z), in any orientation. Everywhere else the axes are (Z, Y, X), with z towards
superior, y towards anterior and x towards the right where the orientation is known.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Spacing
from lggshape.readers.spacing import VOXEL_SIZES
from lggshape.readers.unusable import UnusableError

_COSINE_TOLERANCE = 0.01

RAS = np.array([[0, 1], [1, 1], [2, 1]])
"""The orientation of the canonical axes, as nibabel notes it: axis and direction."""


def shape_in_zyx(stored: Sequence[int], orientation: NDArray[np.generic]) -> tuple[int, ...]:
    """Return the shape (Z, Y, X) of a volume whose stored axes have these lengths.

    Examples
    --------
    >>> shape_in_zyx((5, 6, 7), RAS)
    (7, 6, 5)
    """
    order = np.argsort(orientation[:, 0])[::-1]
    return tuple(int(stored[axis]) for axis in order)


def in_stored_axes(
    values: NDArray[np.generic], orientation: NDArray[np.generic]
) -> NDArray[np.generic]:
    """Turn values (Z, Y, X) to stored axes; bool becomes 0 and 1 of 8 bits.

    Parameters
    ----------
    values : ndarray of shape (Z, Y, X)
        The values.
    orientation : ndarray of shape (3, 2)
        To which axis each stored axis runs, and in which direction, in nibabel's form.

    Returns
    -------
    ndarray
        The same values with the axes as they are stored.

    Examples
    --------
    >>> in_stored_axes(np.zeros((7, 6, 5), dtype=bool), RAS).shape
    (5, 6, 7)
    """
    from nibabel.orientations import apply_orientation, ornt_transform

    back = ornt_transform(RAS, orientation)
    stored: NDArray[np.generic] = apply_orientation(values.transpose(2, 1, 0), back)
    return stored.astype(np.uint8) if values.dtype == bool else stored


def orientation_of(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return to which axis each stored axis (X, Y, Z) runs, and in which direction.

    Examples
    --------
    >>> orientation_of(np.diag([-2.0, 1, 1, 1])).tolist()
    [[0.0, -1.0], [1.0, 1.0], [2.0, 1.0]]
    """
    from nibabel.orientations import io_orientation

    orientation: NDArray[np.float64] = io_orientation(affine)
    return orientation


def affine_in_ras(
    affine: NDArray[np.float64], orientation: NDArray[np.generic], shape: Sequence[int]
) -> NDArray[np.float64]:
    """Return the affine of stored axes of a shape (X, Y, Z) after they are turned to the canonical.

    Examples
    --------
    >>> affine = np.diag([-2.0, 1, 1, 1])
    >>> affine_in_ras(affine, orientation_of(affine), (3, 1, 1))[0]
    array([ 2.,  0.,  0., -4.])
    """
    from nibabel.orientations import inv_ornt_aff

    turn: NDArray[np.float64] = inv_ornt_aff(orientation, shape)
    return affine @ turn


def turned_to_ras(
    stored: NDArray[np.generic], affine: NDArray[np.float64]
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Turn stored axes to the nearest canonical ones.

    Parameters
    ----------
    stored : ndarray of shape (X, Y, Z[, C])
        The values, with the axes in the order and the directions in which they are stored.
    affine : ndarray of shape (4, 4)
        Maps the indices of the stored axes to millimetres, right-anterior-superior.

    Returns
    -------
    turned : ndarray of shape (X, Y, Z[, C])
        The same values with x towards the right, y towards anterior and z towards superior.
    affine : ndarray of shape (4, 4)
        Maps the indices (x, y, z) of the turned axes to millimetres.

    Examples
    --------
    >>> turned, affine = turned_to_ras(np.arange(3).reshape(3, 1, 1), np.diag([-2.0, 1, 1, 1]))
    >>> turned.ravel(), affine[0]
    (array([2, 1, 0]), array([ 2.,  0.,  0., -4.]))
    """
    from nibabel.orientations import apply_orientation

    orientation = orientation_of(affine)
    turned = apply_orientation(stored, orientation)
    return turned, affine_in_ras(affine, orientation, stored.shape[:3])


def zyx_values(stored: NDArray[np.generic]) -> NDArray[np.generic]:
    """Turn stored (X, Y, Z[, C]) into (Z, Y, X[, C]), without axes of length one at the end.

    Raises UnusableError for what is no volume of plain numbers.

    Examples
    --------
    >>> zyx_values(np.zeros((5, 6, 7, 1))).shape
    (7, 6, 5)
    """
    shape = stored.shape
    while stored.ndim > 3 and stored.shape[-1] == 1:
        stored = stored[..., 0]
    if stored.ndim not in {3, 4} or stored.size == 0:
        msg = f"shape {shape} instead of a volume of three axes"
        raise UnusableError(msg)
    if stored.dtype.kind not in "biuf":
        msg = f"{stored.dtype} instead of plain numbers"
        raise UnusableError(msg)
    return np.ascontiguousarray(stored.transpose(2, 1, 0, *range(3, stored.ndim)))


def checked_spacing(sizes: NDArray[np.float64]) -> Spacing:
    """Return voxel sizes (z, y, x) in mm as a spacing; raises UnusableError for those of no voxel.

    Examples
    --------
    >>> checked_spacing(np.array([5, 1.2000000477, 1.2000000477]))
    (5.0, 1.2, 1.2)
    """
    # Headers hold 32-bit numbers: 1.2 is what was meant by 1.2000000477.
    with np.errstate(over="ignore"):
        z, y, x = (float(str(size)) for size in sizes.astype(np.float32))
    low, high = VOXEL_SIZES
    if not all(low <= size <= high for size in (z, y, x)):
        found = ", ".join(f"{size:g}" for size in sizes)
        msg = f"voxel sizes {found} (z, y, x) instead of {low:g} to {high:g} mm"
        raise UnusableError(msg)
    return z, y, x


def voxel_sizes(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between voxels along the axes of an affine (4, 4), whatever it holds.

    Examples
    --------
    >>> voxel_sizes(np.diag([3.0, -0.5, 1e200, 1])).tolist()
    [3.0, 0.5, inf]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        sizes: NDArray[np.float64] = np.linalg.norm(affine[:3, :3], axis=0)
    return sizes


def are_sizes(numbers: NDArray[np.float64]) -> bool:
    """Test whether all numbers can be sizes: finite, and more than 0.

    Examples
    --------
    >>> are_sizes(np.array([1.0, 0, 1]))
    False
    """
    return bool(np.all(np.isfinite(numbers) & (numbers > 0)))


def check_affine(affine: NDArray[np.float64]) -> None:
    """Refuse an affine (4, 4) without voxel sizes, or whose axes are not at right angles.

    Examples
    --------
    >>> check_affine(np.diag([0.5, 0.5, 3, 1]))
    """
    axes = affine[:3, :3]
    sizes = voxel_sizes(affine)
    if not (np.all(np.isfinite(affine)) and are_sizes(sizes)):
        msg = f"an affine without voxel sizes, {affine.tolist()}"
        raise UnusableError(msg)
    cosines = (axes / sizes).T @ (axes / sizes) - np.eye(3)
    if np.abs(cosines).max() > _COSINE_TOLERANCE:
        msg = f"an affine whose axes are not at right angles, {affine.tolist()}"
        raise UnusableError(msg)
