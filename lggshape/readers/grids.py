"""Stored axes and the axes (Z, Y, X), whatever the format of a file.

Files store (X, Y, Z), in any orientation. Everywhere else the axes are (Z, Y, X), with z towards
superior, y towards anterior and x towards the right where the orientation is known.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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

    back = ornt_transform(RAS, orientation)  # type: ignore[no-untyped-call]
    stored: NDArray[np.generic] = apply_orientation(  # type: ignore[no-untyped-call]
        values.transpose(2, 1, 0), back
    )
    return stored.astype(np.uint8) if values.dtype == bool else stored
