"""Box counting and lacunarity: how boxes of several sizes meet the outline, or the mask itself.

The sides of the boxes grow with the mask, from 1/16 to 1/4 of the diameter of a disc or ball of its
size. So, apart from the voxel grid, a larger mask of the same shape has the same values. Boxes are
put at every place of the grid, and the mean over all places is taken. So no value depends on where
a grid of boxes begins.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.masks import Mask

TOO_SMALL = "it spans too few voxels for boxes of several sizes"
"""Why a mask has no fractal dimension and no lacunarity."""

_SMALLEST, _LARGEST = 1 / 16, 1 / 4  # side of a box, of the diameter
_SIZES = 5
_FEWEST_STEPS = 2  # of the coarsest axis, along a side of the largest box


class Box(NamedTuple):
    """A box of one size.

    Attributes
    ----------
    steps : tuple of int
        Length of its side along each axis, in distances between voxel centres.
    side : float
        Length of its sides, in mm or voxels; their geometric mean if rounding makes them differ.
    """

    steps: tuple[int, ...]
    side: float


def choose_boxes(mask: Mask, *, spacing: Sequence[float]) -> list[Box]:
    """Return the boxes that a mask is measured with.

    Sides are whole multiples of the largest distance between voxel centres, because nothing is
    known about what lies between two slices. Along the other axes they are rounded to whole voxels.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X) or (Z, Y, X)
        A mask with at least one voxel inside.
    spacing : sequence of float
        Distances between voxel centres along each axis, in mm; steps of 1 if they are unknown.

    Returns
    -------
    list of Box
        Up to five sizes in geometric steps, the smallest first. Empty if a quarter of the diameter
        is less than twice the largest distance between voxel centres.

    Examples
    --------
    >>> square = np.ones((40, 40), dtype=bool)
    >>> [box.steps for box in choose_boxes(square, spacing=(1.0, 1.0))]
    [(3, 3), (4, 4), (6, 6), (8, 8), (11, 11)]
    >>> [box.steps for box in choose_boxes(square, spacing=(4.0, 1.0))]
    [(1, 4), (2, 8), (3, 12), (4, 16), (6, 24)]
    """
    coarsest = max(spacing)
    size = float(np.count_nonzero(mask)) * math.prod(spacing)
    diameter = 2 * math.sqrt(size / math.pi) if mask.ndim == 2 else (6 * size / math.pi) ** (1 / 3)
    largest = _LARGEST * diameter / coarsest
    if largest < _FEWEST_STEPS:
        return []
    smallest = max(1, _SMALLEST * diameter / coarsest)
    multiples = dict.fromkeys(map(round, np.geomspace(smallest, largest, _SIZES).tolist()))
    boxes = []
    for multiple in multiples:
        steps = tuple(round(multiple * coarsest / step) for step in spacing)
        volume = math.prod(n * step for n, step in zip(steps, spacing, strict=True))
        boxes.append(Box(steps, volume ** (1 / mask.ndim)))
    return boxes


def fractal_dimension(mask: Mask, *, spacing: Sequence[float]) -> float:
    """Compute the fractal dimension of the outline of a mask by box counting.

    A box meets the outline if it holds voxel centres both inside and outside the mask. The number
    of boxes of a grid that do so is averaged over all places of the grid. The dimension is minus
    the slope of the regression of the logarithm of this mean on that of the side.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X) or (Z, Y, X)
        A mask with at least one voxel inside. It may touch the border.
    spacing : sequence of float
        Distances between voxel centres along each axis, in mm; steps of 1 if they are unknown.

    Returns
    -------
    float
        1 for a smooth contour, 2 for a smooth surface; larger the more the outline fills the plane
        or space. NaN if the mask is too small.

    References
    ----------
    Falconer K. Fractal geometry: mathematical foundations and applications. 3rd edition. Wiley
    2014, chapter 2.
    Foroutan-pour K, Dutilleul P, Smith DL. Advances in the implementation of the box-counting
    method of fractal dimension estimation. Appl Math Comput 1999;105:195-210.

    Examples
    --------
    >>> round(fractal_dimension(np.ones((40, 40), dtype=bool), spacing=(1.0, 1.0)), 6)
    1.0
    """
    boxes = choose_boxes(mask, spacing=spacing)
    if not boxes:
        return math.nan
    counts = outline_counts(mask, [box.steps for box in boxes])
    slope, _ = np.polyfit(np.log([box.side for box in boxes]), np.log(counts), 1)
    return -float(slope)


def outline_counts(mask: Mask, steps: Sequence[tuple[int, ...]]) -> list[float]:
    """Count the boxes of a grid that meet the outline of a mask, averaged over all grids.

    A box has `n + 1` voxel centres along a side of `n` steps, the outer ones on its border. As many
    boxes hold a voxel inside as the dilated mask has voxels, and as many hold nothing else as the
    eroded mask has. The difference of the two meets the outline. There are as many places of a grid
    as a box has volume.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X) or (Z, Y, X)
        The mask. It may touch the border.
    steps : sequence of tuple of int
        The sizes of the boxes, the smallest first.

    Returns
    -------
    list of float
        The mean number of boxes of each size.

    Examples
    --------
    >>> outline_counts(np.ones((10, 10), dtype=bool), [(1, 1), (2, 2)])
    [40.0, 20.0]
    """
    met, filled = _count_places(mask, steps)
    return [
        float(one - other) / math.prod(size)
        for one, other, size in zip(met, filled, steps, strict=True)
    ]


def lacunarity(mask: NDArray[np.bool_], *, spacing: Sequence[float]) -> float:
    """Compute the lacunarity of a mask with the largest of its boxes.

    The box glides over the mask, and the voxels inside both are counted at each place where the two
    meet. The lacunarity is the mean of their squared number, divided by their squared mean.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X)
        A mask with at least one voxel inside. It may touch the border.
    spacing : sequence of float
        Distances between voxel centres along each axis, in mm; steps of 1 if they are unknown.

    Returns
    -------
    float
        1 if every box holds as much; larger the more unevenly the mask fills the boxes that it
        meets. NaN if the mask is too small.

    References
    ----------
    Allain C, Cloitre M. Characterizing the lacunarity of random and deterministic fractal sets.
    Phys Rev A 1991;44:3552-3558.

    Examples
    --------
    >>> round(lacunarity(np.ones((40, 40), dtype=bool), spacing=(1.0, 1.0)), 4)
    1.3435
    """
    boxes = choose_boxes(mask, spacing=spacing)
    if not boxes:
        return math.nan
    height, width = steps = boxes[-1].steps
    before = np.pad(mask, ((height, height), (width, width))).cumsum(axis=0).cumsum(axis=1)
    rows = before[height:] - before[:-height]
    masses = (rows[:, width:] - rows[:, :-width]).astype(float)
    # Where box and mask only touch, two places count as one, as in the rule of trapezoids.
    (places,), _ = _count_places(mask, [steps])
    return float(places * np.sum(masses**2) / masses.sum() ** 2)


def _count_places(mask: Mask, steps: Sequence[tuple[int, ...]]) -> tuple[list[int], list[int]]:
    """Count the places where a box holds a voxel of the mask, and where it holds nothing else.

    The voxels lie in one row, because that is several times as fast. Zeros lie before each line and
    plane, and a box that reaches beyond the end of a line goes on in those before the next one.
    """
    longest = steps[-1]
    shape = [n + reach for n, reach in zip(mask.shape, longest, strict=True)]
    strides = [math.prod(shape[axis + 1 :]) for axis in range(mask.ndim)]
    beyond = sum(n * stride for n, stride in zip(longest, strides, strict=True))
    row = np.zeros(math.prod(shape) + beyond, dtype=bool)
    inner = tuple(slice(reach, None) for reach in longest)
    row[: math.prod(shape)].reshape(shape)[inner] = mask
    rooms = np.empty_like(row), np.empty_like(row)
    met = _join_boxes(row, strides, steps, np.logical_or, rooms)
    filled = _join_boxes(row, strides, steps, np.logical_and, rooms)
    return met, filled


def _join_boxes(
    row: NDArray[np.bool_],
    strides: Sequence[int],
    steps: Sequence[tuple[int, ...]],
    join: np.ufunc,
    rooms: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> list[int]:
    """Count the places where any (or all) of a box is inside, for each size; write into rooms."""
    joined, (free, other) = row, rooms
    reached, places = [0] * len(strides), len(row)
    counts = []
    for size in steps:
        for axis, goal in enumerate(size):
            while reached[axis] < goal:
                # Two boxes that overlap or meet make one with up to twice as many voxels.
                shift = min(reached[axis] + 1, goal - reached[axis])
                begin = shift * strides[axis]
                join(joined[: places - begin], joined[begin:places], out=free[: places - begin])
                joined, free, other = free, other, free
                places -= begin
                reached[axis] += shift
        counts.append(int(np.count_nonzero(joined[:places])))
    return counts
