"""Slices of two masks of one tumour on different grids."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lggshape.masks import Mask

SYMMETRIES = tuple(
    f"{turned}{flipped}"
    for flipped in ("", ", mirrored")
    for turned in ("as it is", "turned by 90", "turned by 180", "turned by 270")
)
"""The eight ways to lay a square on itself."""

_SIDE = 128
_RADIUS = 32.0  # of a disc of the area to which outlines are scaled, in pixels


def extent(mask: Mask) -> tuple[int, int]:
    """Return the first slice of a mask, and the number of slices to its last one."""
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    return int(used[0]), int(used[-1] - used[0] + 1)


def step_between(thick: Mask, thin: Mask) -> int:
    """Return how many slices of a mask of thin slices make a slice of one of thick slices."""
    return max(1, round(extent(thin)[1] / extent(thick)[1]))


def every_step(mask: Mask, step: int) -> Mask:
    """Return one of so many slices, beginning with the middle one of the first of them.

    Slices are counted from the first with tumour.
    """
    first, count = extent(mask)
    return mask[first + min(step // 2, count - 1) : first + count : step]


def in_thick_slices(mask: Mask, step: int) -> Mask:
    """Return slices of so many each: inside where at least half of the voxels are."""
    first, count = extent(mask)
    missing = -count % step
    used = np.pad(mask[first : first + count], ((0, missing), (0, 0), (0, 0)))
    blocks = used.reshape(-1, step, *mask.shape[1:])
    return np.asarray(2 * blocks.sum(axis=1) >= step)


def same_height(number: int, mask: Mask, other: Mask, *, upwards: bool) -> int:
    """Return the slice of another mask that lies as high, between its first and last, as one does.

    Parameters
    ----------
    number : int
        The slice of `mask`.
    mask, other : ndarray of bool, shape (Z, Y, X)
        The masks.
    upwards : bool
        Whether slices are counted in the same direction in both.
    """
    first, count = extent(mask)
    height = (number + 0.5 - first) / count
    start, number_of_slices = extent(other)
    within = height if upwards else 1 - height
    return start + min(int(within * number_of_slices), number_of_slices - 1)


def only_slice(mask: Mask, number: int) -> Mask:
    """Return a mask without all slices but one."""
    return mask[number : number + 1]


def profile_correlation(mask: Mask, other: Mask, *, upwards: bool, points: int = 20) -> float:
    """Return the correlation of the areas of the slices of two masks from first to last slice."""
    profiles = []
    for one in (mask, other):
        first, count = extent(one)
        areas = one[first : first + count].sum(axis=(1, 2))
        centres = (np.arange(count) + 0.5) / count
        heights = (np.arange(points) + 0.5) / points
        profiles.append(np.interp(heights, centres, areas))
    if any(np.ptp(profile) == 0 for profile in profiles):
        return math.nan
    second = profiles[1] if upwards else profiles[1][::-1]
    return float(np.corrcoef(profiles[0], second)[0, 1])


def normalised(part: Mask) -> Mask:
    """Return a plane mask moved to the middle of a square and scaled to one area."""
    centre = np.array(ndimage.center_of_mass(part))
    scale = math.sqrt(part.sum() / math.pi) / _RADIUS
    middle = (_SIDE - 1) / 2
    drawn = ndimage.affine_transform(
        part.astype(float), [scale, scale], offset=centre - scale * middle, order=1,
        output_shape=(_SIDE, _SIDE),
    )  # fmt: skip
    return np.asarray(drawn >= 0.5)


def overlaps(one: Mask, other: Mask) -> dict[str, float]:
    """Return the Dice of two normalised plane masks, for each symmetry of the second."""
    ways = [np.rot90(way, turns) for way in (other, other[:, ::-1]) for turns in range(4)]
    return dict(zip(SYMMETRIES, _dice(one, ways), strict=True))


def _dice(one: Mask, others: Sequence[NDArray[np.bool_]]) -> list[float]:
    return [float(2 * (one & other).sum() / (one.sum() + other.sum())) for other in others]
