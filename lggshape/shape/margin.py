"""How far a contour is from convex: solidity, convexity and total curvature.

All are pure numbers. They do not depend on where the contour begins, and do not change with
quarter-turns and reflections.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from lggshape.shape.radial import Contour

CONVEXITY_SCALE = 0.005
"""Standard deviation of the smoothing before the convexity, as a share of the contour's length."""

_NEGLIGIBLE = 1e-4  # weight of a harmonic that is left out


class SmoothContour(NamedTuple):
    """A contour after smoothing, at the points that the contour has.

    Points of the plane are complex numbers: column + 1j * row from the centroid of the contour, in
    mm or pixels.

    Attributes
    ----------
    points, tangents : ndarray of complex, shape (n,)
        The places of the points, and their derivatives by the length along the contour before
        smoothing.
    """

    points: NDArray[np.complex128]
    tangents: NDArray[np.complex128]


def solidity(contour: Contour) -> float:
    """Compute the area within a contour, divided by that of its convex hull.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.

    Returns
    -------
    float
        1 for a convex shape, less the more bays there are.

    References
    ----------
    Yang M, Kpalma K, Ronsin J. A survey of shape feature extraction techniques. In: Yin PY (ed).
    Pattern recognition techniques, technology and applications. I-Tech 2008, 43-90.

    Examples
    --------
    >>> from lggshape.shape.radial import trace_contour
    >>> shape = np.ones((20, 30), dtype=bool)
    >>> shape[5:15, 10:] = False
    >>> round(solidity(trace_contour(shape)), 3)
    0.666
    """
    points = _as_complex(contour)
    area = abs(np.sum(points.conj() * np.roll(points, -1)).imag) / 2
    return float(area / _hull(points).volume)


def convexity(contour: Contour) -> float:
    """Compute the length of the convex hull of a contour, divided by that of the contour.

    A staircase of pixels is up to 1.08 times as long as the line that it stands for, however small
    the pixels are. So the contour is smoothed first, by a Gaussian whose standard deviation is
    half a percent of its length.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.

    Returns
    -------
    float
        1 for a convex shape, less the longer the way around its bays and spikes is.

    References
    ----------
    Yang M, Kpalma K, Ronsin J. A survey of shape feature extraction techniques. In: Yin PY (ed).
    Pattern recognition techniques, technology and applications. I-Tech 2008, 43-90.

    Examples
    --------
    >>> from lggshape.shape.radial import trace_contour
    >>> round(convexity(trace_contour(np.ones((20, 30), dtype=bool))), 3)
    1.0
    """
    points = smooth_contour(contour, scale=CONVEXITY_SCALE).points
    length = np.abs(np.roll(points, -1) - points).sum()
    return float(_hull(points).area / length)


def total_curvature(contour: Contour, *, scale: float) -> float:
    """Compute the total absolute curvature of a contour at one scale, in whole turns.

    The contour is smoothed by a Gaussian whose standard deviation is a share of its length. Then
    the angles by which it turns are added up, to whichever side, and divided by 2 pi.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.
    scale : float
        Standard deviation of the Gaussian, as a share of the length of the contour.

    Returns
    -------
    float
        1 for a convex shape. Every bay and every spike adds twice the angle by which the contour
        turns back.

    References
    ----------
    Fenchel W. Ueber Kruemmung und Windung geschlossener Raumkurven. Math Ann 1929;101:238-252.
    Mokhtarian F, Mackworth AK. A theory of multiscale, curvature-based shape representation for
    planar curves. IEEE Trans Pattern Anal Mach Intell 1992;14:789-805.

    Examples
    --------
    >>> from lggshape.shape.radial import trace_contour
    >>> round(total_curvature(trace_contour(np.ones((20, 30), dtype=bool)), scale=0.02), 3)
    1.0
    """
    tangents = smooth_contour(contour, scale=scale).tangents
    turns = np.angle(np.roll(tangents, -1) * tangents.conj())
    return float(np.abs(turns).sum() / (2 * math.pi))


def smooth_contour(contour: Contour, *, scale: float) -> SmoothContour:
    """Smooth a contour by a Gaussian along its length.

    The contour is a polygon, so its Fourier series by arc length is known exactly (Kuhl and
    Giardina). Each harmonic is multiplied by the transfer of the Gaussian, and the series is summed
    at the corners of the polygon. What is smoothed does not depend on where the contour begins.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.
    scale : float
        Standard deviation of the Gaussian, as a share of the length of the contour.

    Returns
    -------
    SmoothContour

    References
    ----------
    Kuhl FP, Giardina CR. Elliptic Fourier features of a closed contour. Comput Graph Image Process
    1982;18:236-258.

    Examples
    --------
    >>> from lggshape.shape.radial import trace_contour
    >>> smooth = smooth_contour(trace_contour(np.ones((9, 9), dtype=bool)), scale=0.1)
    >>> round(float(np.ptp(abs(smooth.points)) / abs(smooth.points).mean()), 2)
    0.04
    """
    corners = _as_complex(contour)
    sides = np.roll(corners, -1) - corners
    lengths = np.abs(sides)
    length = lengths.sum()
    at = np.cumsum(lengths) - lengths
    harmonics = np.arange(1, 1 + math.ceil(math.sqrt(-math.log(_NEGLIGIBLE) / 2) / math.pi / scale))
    rates = 2j * math.pi / length * harmonics
    # Row k is exp(rate k * arc length): the row before times the first.
    first = np.broadcast_to(np.exp(rates[0] * at), (len(harmonics), len(at)))
    waves = np.multiply.accumulate(first, axis=0)
    # The direction is constant along a side: its Fourier series is a sum over its jumps at corners.
    jumps = sides / lengths - np.roll(sides / lengths, 1)
    sums = waves @ np.column_stack([jumps.conj(), jumps])
    weights = np.exp(-2 * (math.pi * scale * harmonics) ** 2) / (rates * length)
    forward, backward = weights * sums[:, 0].conj(), weights.conj() * sums[:, 1]
    orders = rates ** np.array([[-1], [0]])
    points, tangents = (orders * forward) @ waves + ((orders * backward.conj()) @ waves).conj()
    return SmoothContour(points, tangents)


def _as_complex(contour: Contour) -> NDArray[np.complex128]:
    rows, columns = contour.offsets().T
    points: NDArray[np.complex128] = columns + 1j * rows
    return points


def _hull(points: NDArray[np.complex128]) -> ConvexHull:
    """Return the hull in the plane: its `volume` is an area and its `area` a length."""
    return ConvexHull(np.column_stack([points.real, points.imag]))
