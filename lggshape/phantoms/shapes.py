"""Solids and discs of known shape. All coordinates are (z, y, x)."""

import numpy as np
from scipy.spatial.transform import Rotation

from lggshape.case import Spacing
from lggshape.masks import Mask
from lggshape.phantoms.radii import (
    Radius,
    ellipsoidal_radius,
    is_inside,
    lobe_share,
    spike_share,
    turned,
)

_UNIT: Spacing = (1.0, 1.0, 1.0)


def ball(radius: float, *, spacing: Spacing = _UNIT) -> Mask:
    """Draw a ball.

    Parameters
    ----------
    radius : float
        Radius, in the unit of `spacing`.
    spacing : tuple of float
        Distances between voxel centres along (z, y, x).

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        True where the voxel's centre is inside. The centre of the solid is the centre of the array,
        and at least one empty voxel surrounds it. The volume is that of the ball, 4/3 pi radius**3,
        as far as voxels can tell.

    Examples
    --------
    >>> int(ball(1).sum())
    7
    """
    return _drawn(ellipsoidal_radius((radius, radius, radius)), radius, spacing)


def ellipsoid(
    semi_axes: tuple[float, float, float],
    *,
    rotation: Rotation | None = None,
    spacing: Spacing = _UNIT,
) -> Mask:
    """Draw an ellipsoid.

    Parameters
    ----------
    semi_axes : tuple of float
        Half lengths along (z, y, x) before it is rotated, in the unit of `spacing`.
    rotation : scipy Rotation, optional
        Turns the ellipsoid; it acts on (z, y, x).
    spacing : tuple of float
        Distances between voxel centres along (z, y, x).

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        As `ball`. The volume is 4/3 pi times the product of the semi-axes.

    Examples
    --------
    >>> ellipsoid((2, 4, 4)).any(axis=(1, 2)).sum()  # slices
    np.int64(5)
    """
    return _drawn(turned(ellipsoidal_radius(semi_axes), rotation), max(semi_axes), spacing)


def lobulated(
    radius: float,
    lobes: int,
    depth: float,
    *,
    rotation: Rotation | None = None,
    spacing: Spacing = _UNIT,
) -> Mask:
    """Draw a ball with smooth lobes spread evenly over it.

    Parameters
    ----------
    radius : float
        Distance of the tops of the lobes from the centre, in the unit of `spacing`.
    lobes : int
        Number of lobes.
    depth : float
        Depth of the valleys between them as a share of `radius`, from 0 (a ball) to below 1.
    rotation : scipy Rotation, optional
        Turns the solid; it acts on (z, y, x).
    spacing : tuple of float
        Distances between voxel centres along (z, y, x).

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        As `ball`.

    Examples
    --------
    >>> int(lobulated(6, 5, 0.3).sum()) < int(ball(6).sum())
    True
    """
    share = lobe_share(lobes, depth)
    return _drawn(turned(lambda d: radius * share(d), rotation), radius, spacing)


def spiculated(
    radius: float,
    spikes: int,
    length: float,
    *,
    width: float = 0.3,
    rotation: Rotation | None = None,
    spacing: Spacing = _UNIT,
) -> Mask:
    """Draw a ball with pointed spikes spread evenly over it.

    Parameters
    ----------
    radius : float
        Radius of the ball, in the unit of `spacing`.
    spikes : int
        Number of spikes.
    length : float
        How far the spikes reach beyond the ball, in the unit of `spacing`.
    width : float
        Half the angle under which the centre sees the foot of a spike, in radians.
    rotation : scipy Rotation, optional
        Turns the solid; it acts on (z, y, x).
    spacing : tuple of float
        Distances between voxel centres along (z, y, x).

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        As `ball`.

    Examples
    --------
    >>> int(spiculated(6, 8, 3.0).sum()) > int(ball(6).sum())
    True
    """
    share = spike_share(spikes, width)
    return _drawn(turned(lambda d: radius + length * share(d), rotation), radius + length, spacing)


def lobulated_disc(radius: float, lobes: int, depth: float) -> Mask:
    """Draw a disc whose radius swings `lobes` times around it.

    The radius in direction t is ``radius * (1 + depth * cos(lobes * t))``. So the shape is the same
    at any `radius`, and its area is ``pi * radius**2 * (1 + depth**2 / 2)``.

    Parameters
    ----------
    radius : float
        Mean radius in pixels.
    lobes : int
        Number of lobes.
    depth : float
        Amplitude as a share of `radius`, from 0 (a disc) to below 1.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        True where the pixel's centre is inside; at least one empty pixel surrounds it.

    Examples
    --------
    >>> lobulated_disc(10, 5, 0.3).ndim
    2
    """
    half = int(np.ceil(radius * (1 + depth))) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    inside: Mask = np.hypot(y, x) <= radius * (1 + depth * np.cos(lobes * np.arctan2(y, x)))
    return inside


def _drawn(radius_at: Radius, reach: float, spacing: Spacing) -> Mask:
    half = [int(np.ceil(reach / size)) + 1 for size in spacing]
    axes = [np.arange(-n, n + 1) * size for n, size in zip(half, spacing, strict=True)]
    return is_inside(radius_at, np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
