"""The points of a mask that can be vertices of its convex hull."""

import numpy as np
from numpy.typing import NDArray

from lggshape.shape.conventions import EllipsoidPoints


def extreme_points(
    mask: NDArray[np.bool_], *, points: EllipsoidPoints = "corners"
) -> NDArray[np.float64]:
    """Return the corners, or centres, of voxels that can be vertices of the convex hull.

    A vertex of the hull is the first or last point of its row along x, so only these are returned.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        A mask with at least one voxel inside.
    points : {"corners", "centres"}
        Which points of a voxel are used.

    Returns
    -------
    ndarray of shape (n, 3)
        Points (z, y, x) in voxels; voxel centres are whole numbers. Some may occur twice.

    Examples
    --------
    >>> extreme_points(np.ones((1, 1, 4), dtype=bool), points="centres").tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]
    """
    width = mask.shape[2]
    filled = mask.any(axis=2)
    first = np.where(filled, mask.argmax(axis=2), width)
    last = np.where(filled, width - 1 - mask[:, :, ::-1].argmax(axis=2), -1)
    if points == "corners":
        first = _at_corners(first, np.minimum, width) - 0.5
        last = _at_corners(last, np.maximum, -1) + 0.5
    rows = np.argwhere(last >= 0).astype(float)
    inside = last >= 0
    ends = [np.column_stack([rows, end[inside]]) for end in (first, last)]
    return np.concatenate(ends) - ([0.5, 0.5, 0] if points == "corners" else 0)


def _at_corners(ends: NDArray[np.int_], choose: np.ufunc, outside: int) -> NDArray[np.int_]:
    """Return the extreme of the four rows of voxels around each row of corners."""
    padded = np.pad(ends, 1, constant_values=outside)
    reached: NDArray[np.int_] = choose.reduce(
        [padded[1:, 1:], padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]]
    )
    return reached
