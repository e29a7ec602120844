"""Masks as arrays: their values, components, bounding box and overlap."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lggshape.errors import InputError

Mask = NDArray[np.bool_]

_SHOWN_VALUES = 10
_ROUNDING = 1e-6
_DIGITS = range(6, 18)  # with 17 no two 64-bit floats look the same


class Components(NamedTuple):
    """The connected components of a mask.

    Attributes
    ----------
    labels : ndarray of int, shape of the mask
        0 outside, the number of the component inside. The numbers follow the order of the array.
    number : int
        How many there are.
    """

    labels: NDArray[np.int32]
    number: int

    def largest(self) -> Mask:
        """Return the largest component; the first of several that have the same size."""
        sizes = np.bincount(self.labels.ravel(), minlength=2)
        kept: Mask = self.labels == sizes[1:].argmax() + 1
        return kept


def as_mask(values: ArrayLike, *, ndim: int | None = None, called: str = "the mask") -> Mask:
    """Return the values of a mask as True (inside) and False (outside).

    A mask has the value 0 and at most one other, a positive whole number. The type does not matter:
    masks of 0 and 1, of 0 and 255, booleans and floats are all accepted. A fraction may be a
    probability, of which nothing tells whether it is inside.

    Parameters
    ----------
    values : array_like
        The values.
    ndim : int, optional
        Number of axes that the mask has to have: 3 for a volume (Z, Y, X), 2 for a slice (Y, X).
    called : str
        What to call the mask in the message of an error.

    Returns
    -------
    ndarray of bool
        True where the value is not 0. `values` itself, not a copy, if it has this type already.

    Raises
    ------
    InputError
        If the values are not numbers, not finite, negative, fractions, or more than two, or if
        there are not as many axes as expected.

    Examples
    --------
    >>> as_mask([0, 255, 0])
    array([False,  True, False])
    """
    array = np.asarray(values)
    if ndim is not None and array.ndim != ndim:
        axes = ", ".join("ZYX"[-ndim:])
        msg = f"Expected {called} to be an array ({axes}), found shape {array.shape}."
        raise InputError(msg)
    if array.dtype == bool:
        return array
    if array.dtype.kind not in "iuf":
        msg = f"Expected {called} to hold numbers, found {array.dtype}."
        raise InputError(msg)
    inside: Mask = np.not_equal(array, 0)
    if not inside.any():
        return inside
    highest = array.max()
    # NaN fails both comparisons, infinity the last.
    if not (np.all((array == highest) == inside) and 0 < highest < np.inf and is_whole(highest)):
        msg = (
            f"Expected {called} to have two values, 0 and a positive whole one, found "
            f"{_listed_values(array)}."
        )
        raise InputError(msg)
    return inside


def is_whole(value: Any) -> bool:
    """Test whether a value of a mask is a whole number above 0, but for rounding.

    Masks are stored as bytes with a factor of 1/255, which gives 1.00000006.

    Examples
    --------
    >>> is_whole(1.00000006), is_whole(0.5)
    (True, False)
    """
    number = float(value)
    return round(number) > 0 and abs(number - round(number)) <= _ROUNDING * number


def as_volumes(predicted: ArrayLike, reference: ArrayLike) -> tuple[Mask, Mask]:
    """Return two masks on one grid as True (inside) and False (outside).

    Parameters
    ----------
    predicted, reference : array_like, shape (Z, Y, X)
        0 outside and one positive value inside, as for `as_mask`.

    Returns
    -------
    tuple of ndarray of bool, shape (Z, Y, X)

    Raises
    ------
    InputError
        If the values are not those of masks, or the masks are not volumes of one shape.
    """
    one = as_mask(predicted, ndim=3, called="the predicted mask")
    other = as_mask(reference, ndim=3, called="the reference mask")
    if one.shape != other.shape:
        msg = (
            "Expected the predicted and the reference mask to have one shape (Z, Y, X), found "
            f"{one.shape} and {other.shape}."
        )
        raise InputError(msg)
    return one, other


def find_components(mask: Mask, *, diagonal: bool = False) -> Components:
    """Return the connected components of a mask.

    Parameters
    ----------
    mask : ndarray of bool
        A volume (Z, Y, X) or a slice (Y, X).
    diagonal : bool
        Whether elements that touch only in an edge or a corner are connected: 26-connected voxels
        and 8-connected pixels, in place of 6-connected voxels and 4-connected pixels.

    Returns
    -------
    Components

    Examples
    --------
    >>> mask = np.array([[True, False], [False, True]])
    >>> find_components(mask).number, find_components(mask, diagonal=True).number
    (2, 1)
    """
    # Imported here because importing this module should be fast.
    from scipy.ndimage import label

    return Components(*label(mask, np.ones((3,) * mask.ndim) if diagonal else None))


def fill_slices(mask: Mask) -> Mask:
    """Fill what a mask encloses within each slice, along its rows and columns.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        True inside.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        As `scipy.ndimage.binary_fill_holes` gives of each slice, in less time.

    Examples
    --------
    >>> ring = np.array([[[0, 1, 0], [1, 0, 1], [0, 1, 0]]], dtype=bool)
    >>> fill_slices(ring).astype(int).tolist()
    [[[0, 1, 0], [1, 1, 1], [0, 1, 0]]]
    """
    from scipy.ndimage import generate_binary_structure, label

    within = np.zeros((3, 3, 3), dtype=bool)
    within[1] = generate_binary_structure(2, 1)
    labels, count = label(~mask, within)
    outside = np.zeros(count + 1, dtype=bool)
    outside[labels[:, [0, -1]]] = outside[labels[:, :, [0, -1]]] = True
    outside[0] = False  # the mask
    filled: Mask = ~outside[labels]
    return filled


def largest_component(mask: Mask, *, diagonal: bool = False) -> Mask:
    """Return the largest connected component of a mask.

    Parameters
    ----------
    mask : ndarray of bool
        A volume (Z, Y, X) or a slice (Y, X).
    diagonal : bool
        Whether elements that touch only in an edge or a corner are connected.

    Returns
    -------
    ndarray of bool, shape of `mask`
        Of several components that have the same size, the first in the order of the array: of
        slices, then rows, then columns. Nothing if the mask is empty.

    Examples
    --------
    >>> largest_component(np.array([[[True, False, True, True]]])).astype(int)
    array([[[0, 0, 1, 1]]])
    """
    components = find_components(mask, diagonal=diagonal)
    return mask if components.number < 2 else components.largest()


def split_lesions(mask: Mask) -> Iterator[Mask]:
    """Return the lesions of a mask: its 26-connected components, the largest first.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        The mask.

    Yields
    ------
    ndarray of bool, shape (Z, Y, X)
        One lesion on the grid of the mask. Of lesions of the same size, the one that comes first in
        the order of slices, rows and columns.

    Examples
    --------
    >>> mask = np.array([[[True, False, True, True]]])
    >>> [one.astype(int).tolist() for one in split_lesions(mask)]
    [[[[0, 0, 1, 1]]], [[[1, 0, 0, 0]]]]
    """
    box = bounding_box(mask)
    if box is None:
        return
    components = find_components(mask[box], diagonal=True)
    sizes = np.bincount(components.labels.ravel(), minlength=2)[1:]
    for number in np.argsort(-sizes, kind="stable") + 1:
        lesion = np.zeros_like(mask)
        lesion[box] = components.labels == number
        yield lesion


def count_faces(mask: Mask) -> int:
    """Count the faces of voxels that lie between inside and outside.

    Parameters
    ----------
    mask : ndarray of bool, shape (Z, Y, X)
        A mask. Beyond its border is outside.

    Returns
    -------
    int
        Their number.

    Examples
    --------
    >>> count_faces(np.ones((1, 2, 3), dtype=bool))
    22
    """
    total = 0
    for axis in range(mask.ndim):
        along = np.moveaxis(mask, axis, 0)
        total += int(np.count_nonzero(along[1:] != along[:-1]))
        total += int(np.count_nonzero(along[0]) + np.count_nonzero(along[-1]))
    return total


def bounding_box(mask: Mask) -> tuple[slice, ...] | None:
    """Return the smallest box that holds all that is inside a mask.

    Parameters
    ----------
    mask : ndarray of bool
        A mask with any number of axes.

    Returns
    -------
    tuple of slice or None
        A range of indices along each axis; None if the mask is empty.

    Examples
    --------
    >>> bounding_box(np.array([[False, False, False], [False, True, True]]))
    (slice(1, 2, None), slice(1, 3, None))
    """
    box: list[slice] = []
    rest = mask
    # From the last axis on, along which memory is contiguous.
    while rest.ndim:
        inside = np.flatnonzero(rest.any(axis=tuple(range(rest.ndim - 1))))
        if not inside.size:
            return None
        box.append(slice(int(inside[0]), int(inside[-1]) + 1))
        rest = np.any(rest, axis=-1)
    return tuple(reversed(box))


def dice(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Compute the Dice coefficient: twice the volume in both masks over the sum of their volumes.

    Parameters
    ----------
    predicted, reference : array_like, shape (Z, Y, X)
        The masks, on one grid.

    Returns
    -------
    float
        1 if both masks are empty, 0 if one is.

    Raises
    ------
    InputError
        If the masks are not volumes of one shape.

    Examples
    --------
    >>> dice([[[1, 1, 0, 0]]], [[[0, 1, 0, 0]]])
    0.6666666666666666
    """
    one, other = as_volumes(predicted, reference)
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * int(np.count_nonzero(one & other)) / total if total else 1.0


def _listed_values(array: NDArray[np.generic]) -> str:
    """List the first values of an array, each with the number of its voxels."""
    values, counts = np.unique(array, return_counts=True)
    names = _told_apart(values[:_SHOWN_VALUES])
    first, *others = (f"{name} ({count})" for name, count in zip(names, counts, strict=False))
    first = first.removesuffix(")") + (" voxels)" if counts[0] > 1 else " voxel)")
    left = values.size - len(names)
    return ", ".join([first, *others]) + (f" and {left} other values" if left else "")


def _told_apart(values: NDArray[np.generic]) -> list[str]:
    """Return different values with the fewest digits that show the differences."""
    full = [str(value) for value in values]
    if values.dtype.kind != "f":
        return full
    shorter = ([f"{value:.{digits}g}" for value in values] for digits in _DIGITS)
    return next((shown for shown in shorter if len(set(shown)) == len(shown)), full)
