"""Star-shaped solids: a radius in every direction from the centre, in coordinates (z, y, x)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from lggshape.masks import Mask

Floats = NDArray[np.float64]
Radius = Callable[[Floats], Floats]
"""Returns the radius of a solid in each direction: unit vectors (..., 3) to lengths (...)."""


def ellipsoidal_radius(semi_axes: ArrayLike) -> Radius:
    """Return the radius of an ellipsoid with semi-axes along (z, y, x)."""
    axes = np.asarray(semi_axes, dtype=np.float64)

    def radius_at(directions: Floats) -> Floats:
        radius: Floats = 1 / lengths(directions / axes)
        return radius

    return radius_at


def lobe_share(count: int, depth: float) -> Radius:
    """Return the share of the radius that is left: 1 on the lobes, 1 - depth between them."""
    centres = _spread(count)
    # Half the distance between neighbours if each has the same part of the sphere to itself.
    reach = np.sqrt(np.pi / count)

    def share(directions: Floats) -> Floats:
        height = np.cos(np.pi * np.minimum(_angle(directions, centres) / reach, 1)) / 2 + 0.5
        left: Floats = 1 - depth * (1 - height)
        return left

    return share


def spike_share(count: int, width: float) -> Radius:
    """Return the share of the spikes' length: 1 at the tips, 0 beside the spikes."""
    centres = _spread(count)

    def share(directions: Floats) -> Floats:
        height: Floats = np.maximum(1 - _angle(directions, centres) / width, 0)
        return height

    return share


def _angle(directions: Floats, centres: Floats) -> Floats:
    """Return the angle to the nearest centre."""
    cosine = np.full(directions.shape[:-1], -1.0)
    for centre in centres:
        np.maximum(cosine, directions @ centre, out=cosine)
    angle: Floats = np.arccos(np.minimum(cosine, 1))
    return angle


def _spread(count: int) -> Floats:
    """Spread unit vectors evenly: the Fibonacci lattice on the sphere."""
    index = np.arange(count)
    height = 1 - (2 * index + 1) / count
    angle = index * np.pi * (3 - np.sqrt(5))
    across = np.sqrt(1 - height**2)
    return np.stack([height, across * np.sin(angle), across * np.cos(angle)], axis=1)


def turned(radius_at: Radius, rotation: Rotation | None) -> Radius:
    """Return the radius of a solid after a rotation."""
    if rotation is None:
        return radius_at
    matrix = rotation.as_matrix()
    return lambda directions: radius_at(directions @ matrix)


def is_inside(radius_at: Radius, points: Floats) -> Mask:
    """Return which points (..., 3) are inside a solid around the origin."""
    distance = lengths(points)[..., None]
    # The centre itself has no direction; any will do.
    centre = distance == 0
    directions = np.where(centre, [1.0, 0.0, 0.0], points) / np.where(centre, 1, distance)
    inside: Mask = distance[..., 0] <= radius_at(directions)
    return inside


def lengths(vectors: Floats) -> Floats:
    """Return the lengths of vectors (..., 3); three times as fast as numpy.linalg.norm."""
    length: Floats = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return length
