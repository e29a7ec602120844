"""Scores of a predicted mask against a reference mask.

Masks are arrays (Z, Y, X) of one shape, with 0 outside and one positive value inside. A score that
is not defined is NaN. Two empty masks agree perfectly; if one is empty, overlap and surface Dice
are 0.

Distances are between the borders of the masks: the voxels of a mask of which a face lies outside of
it (or at the edge of the array).

- With `spacing` they are distances in three dimensions, in mm.
- Without, the distance between slices is unknown. Each slice is then measured by itself, in pixels,
  with the edges of pixels in place of the faces of voxels, and the border pixels of all slices are
  pooled. In a slice that only one of the masks reaches, there is no border of the other to measure
  to. No pixel of such a border is within the tolerance of the surface Dice, and its distance is the
  one to the mean of the pixels of that border. This is the distance that results if the missing
  outline shrinks evenly to a point, so missing a slice is no better than finding only its middle.

References
----------
Taha AA, Hanbury A. Metrics for evaluating 3D medical image segmentation: analysis, selection, and
tool. BMC Medical Imaging 15 (2015) 29.
Maier-Hein L, Reinke A, Godau P, et al. Metrics reloaded: recommendations for image analysis
validation. Nature Methods 21 (2024) 195-212.
Nikolov S, Blackwell S, Zverovitch A, et al. Clinically applicable segmentation of head and neck
anatomy for radiotherapy: deep learning algorithm development and validation study. Journal of
Medical Internet Research 23 (2021) e26151: the surface Dice.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_erosion, generate_binary_structure
from scipy.spatial import KDTree

from lggshape.case import Spacing
from lggshape.errors import InputError
from lggshape.masks import Mask, as_volumes, bounding_box, dice

_Floats = NDArray[np.float64]

PERCENTILE = 95
"""The percentile of the distances that the Hausdorff distance is."""


class Scores(NamedTuple):
    """All scores of one predicted mask; see the functions of the same names."""

    dice: float
    iou: float
    precision: float
    recall: float
    hd95: float
    surface_dice: float
    volume_error: float


class SurfaceDistances(NamedTuple):
    """The distances from each border voxel of a mask to the border of the other.

    Attributes
    ----------
    predicted : ndarray of shape (P,)
        From the border of the predicted mask to that of the reference.
    reference : ndarray of shape (R,)
        From the border of the reference mask to that of the predicted one.
    predicted_faced, reference_faced : ndarray of bool, of the same shapes
        Whether there was a border to measure to.
    """

    predicted: _Floats
    reference: _Floats
    predicted_faced: Mask
    reference_faced: Mask


def score_masks(
    predicted: ArrayLike,
    reference: ArrayLike,
    *,
    spacing: Spacing | None = None,
    tolerance: float = 1.0,
) -> Scores:
    """Compute all scores of a predicted mask.

    Parameters
    ----------
    predicted, reference : array_like, shape (Z, Y, X)
        The masks.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm; None if unknown.
    tolerance : float
        Tolerance of the surface Dice, in mm; in pixels without `spacing`.

    Returns
    -------
    Scores
        NaN if a score is not defined.

    Raises
    ------
    InputError
        If the masks are not volumes of one shape, or the tolerance is negative.

    Examples
    --------
    >>> reference = np.zeros((3, 8, 8), dtype=bool)
    >>> reference[1, 2:6, 2:6] = True
    >>> predicted = np.roll(reference, 1, axis=2)
    >>> score_masks(predicted, reference).dice
    0.75
    """
    one, other = as_volumes(predicted, reference)
    check_tolerance(tolerance)
    distances = surface_distances(one, other, spacing=spacing)
    return Scores(
        dice=dice(one, other),
        iou=iou(one, other),
        precision=precision(one, other),
        recall=recall(one, other),
        hd95=_hd95(distances),
        surface_dice=_surface_dice(distances, tolerance),
        volume_error=volume_error(one, other),
    )


def iou(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Return the volume in both masks over that in either (intersection over union, Jaccard).

    1 if both masks are empty, 0 if one is.
    """
    one, other = as_volumes(predicted, reference)
    either = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / either if either else 1.0


def precision(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Return the share of the predicted mask that is in the reference.

    1 if both masks are empty; NaN if the predicted one alone is; 0 if the reference alone is.
    """
    one, other = as_volumes(predicted, reference)
    return _share_inside(one, other)


def recall(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Return the share of the reference mask that is in the predicted one (sensitivity).

    1 if both masks are empty; NaN if the reference alone is; 0 if the predicted one alone is.
    """
    one, other = as_volumes(predicted, reference)
    return _share_inside(other, one)


def volume_error(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Return the difference of the volumes, predicted less reference, over the reference's.

    0 if both masks are empty; NaN if the reference alone is; -1 if the predicted one alone is.
    """
    one, other = (int(np.count_nonzero(mask)) for mask in as_volumes(predicted, reference))
    if not other:
        return math.nan if one else 0.0
    return (one - other) / other


def hd95(predicted: ArrayLike, reference: ArrayLike, *, spacing: Spacing | None = None) -> float:
    """Return the 95th percentile Hausdorff distance.

    The larger of two 95th percentiles (linear interpolation): of the distances from the predicted
    border to the reference's, and of those back. In mm; in pixels within the slices if the spacing
    is unknown (see the module). 0 if both masks are empty; NaN if one is.
    """
    return _hd95(surface_distances(predicted, reference, spacing=spacing))


def surface_dice(
    predicted: ArrayLike,
    reference: ArrayLike,
    *,
    tolerance: float = 1.0,
    spacing: Spacing | None = None,
) -> float:
    """Return the share of both borders that lies within a tolerance of the other border.

    Every border voxel counts the same. The tolerance is in mm; in pixels within the slices if the
    spacing is unknown (see the module). 1 if both masks are empty; 0 if one is.
    """
    check_tolerance(tolerance)
    return _surface_dice(surface_distances(predicted, reference, spacing=spacing), tolerance)


def surface_distances(
    predicted: ArrayLike, reference: ArrayLike, *, spacing: Spacing | None = None
) -> SurfaceDistances:
    """Measure the distances between the borders of two masks.

    Parameters
    ----------
    predicted, reference : array_like, shape (Z, Y, X)
        The masks.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm. Without them each slice is measured
        by itself, in pixels (see the module).

    Returns
    -------
    SurfaceDistances
        In the order of the voxels. Without a border to measure to (in the slice, or with `spacing`
        anywhere) the distance is that to the centre of the border itself.

    Raises
    ------
    InputError
        If the masks are not volumes of one shape.
    """
    one, other = _cut(*as_volumes(predicted, reference))
    if spacing is None:
        pairs = [(_border_points(a), _border_points(b)) for a, b in zip(one, other, strict=True)]
    else:
        pairs = [(_border_points(one) * spacing, _border_points(other) * spacing)]
    predicted_parts = [_nearest(a, b) for a, b in pairs]
    reference_parts = [_nearest(b, a) for a, b in pairs]
    return SurfaceDistances(
        predicted=np.concatenate([distances for distances, _ in predicted_parts]),
        reference=np.concatenate([distances for distances, _ in reference_parts]),
        predicted_faced=np.concatenate([faced for _, faced in predicted_parts]),
        reference_faced=np.concatenate([faced for _, faced in reference_parts]),
    )


def check_tolerance(tolerance: float) -> None:
    """Raise InputError unless a tolerance is a number from 0 upwards."""
    if not 0 <= tolerance < math.inf:
        msg = f"Expected the tolerance to be a number from 0 upwards, found {tolerance}."
        raise InputError(msg)


def _share_inside(mask: Mask, other: Mask) -> float:
    volume = int(np.count_nonzero(mask))
    if not volume:
        return math.nan if other.any() else 1.0
    return int(np.count_nonzero(mask & other)) / volume


def _cut(one: Mask, other: Mask) -> tuple[Mask, Mask]:
    """Cut both masks to the box that holds them; one voxel is left of two empty ones."""
    part = bounding_box(one | other) or (slice(1),) * 3
    return one[part], other[part]


def _border_points(mask: Mask) -> _Floats:
    """Return the places (N, mask.ndim) of the voxels of which a face (edge) lies outside."""
    faces = generate_binary_structure(mask.ndim, 1)
    return np.argwhere(mask & ~binary_erosion(mask, faces)).astype(np.float64)


def _nearest(points: _Floats, others: _Floats) -> tuple[_Floats, Mask]:
    """Return the distance from each point to the nearest of the others, and whether there is one.

    Without others it is the distance to the centre of the points.
    """
    if not len(points):
        return np.empty(0), np.empty(0, dtype=bool)
    faced = len(others) > 0
    targets = others if faced else points.mean(axis=0, keepdims=True)
    return KDTree(targets).query(points)[0], np.full(len(points), faced)


def _hd95(distances: SurfaceDistances) -> float:
    sides = distances.predicted, distances.reference
    if not all(side.size for side in sides):
        return math.nan if any(side.size for side in sides) else 0.0
    return max(float(np.percentile(side, PERCENTILE)) for side in sides)


def _surface_dice(distances: SurfaceDistances, tolerance: float) -> float:
    near = np.concatenate(
        [
            distances.predicted_faced & (distances.predicted <= tolerance),
            distances.reference_faced & (distances.reference <= tolerance),
        ]
    )
    return float(near.mean()) if near.size else 1.0
