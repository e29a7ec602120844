"""The radial features of a contour: angular standard deviation and margin fluctuation.

Both look at the distances from the centroid of a plane mask to the points of its contour, divided
by their mean. So both are pure numbers, and apart from the pixel grid a larger mask of the same
shape has the same value.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import find_contours

from lggshape.errors import InputError
from lggshape.masks import largest_component
from lggshape.shape.conventions import WindowRule

BINS = 10
"""Number of equal angular bins."""

OFFSETS = (0.0, 18.0)
"""Bin offsets, in degrees, whose mean does not change with a quarter-turn."""

_BIN_WIDTH = 360 / BINS
_EDGE_TOLERANCE = 1e-9  # of a bin's width
_FEWEST_POINTS = 3


class Contour(NamedTuple):
    """The contour of a plane mask.

    Attributes
    ----------
    points : ndarray of shape (n, 2)
        The points in order around the mask, as (row, column) in pixels of the slice; pixel centres
        are whole numbers. The first point is not repeated at the end.
    centroid : ndarray of shape (2,)
        Mean (row, column) of the pixels inside.
    spacing : tuple of float
        Size of a pixel along (row, column), in mm; (1, 1) if unknown.
    """

    points: NDArray[np.float64]
    centroid: NDArray[np.float64]
    spacing: tuple[float, float] = (1.0, 1.0)

    def offsets(self) -> NDArray[np.float64]:
        """Return the points relative to the centroid, (row, column) times spacing, shape (n, 2)."""
        seen: NDArray[np.float64] = (self.points - self.centroid) * self.spacing
        return seen

    def distances(self) -> NDArray[np.float64]:
        """Return the distances from the centroid divided by their mean, shape (n,)."""
        lengths: NDArray[np.float64] = np.hypot(*self.offsets().T)
        normalised: NDArray[np.float64] = lengths / lengths.mean()
        return normalised

    def angles(self) -> NDArray[np.float64]:
        """Return `arctan2(row, column)` about the centroid in degrees, -180 to 180, shape (n,)."""
        rows, columns = self.offsets().T
        angles: NDArray[np.float64] = np.degrees(np.arctan2(rows, columns))
        return angles


class AngularDeviation(NamedTuple):
    """The angular standard deviation of a contour.

    Attributes
    ----------
    value : float
        Mean over the bins of the standard deviation within them; NaN if the contour has fewer than
        three distinct points.
    empty_bins : int
        How many of the ten bins hold no point. They are left out of the mean.
    """

    value: float
    empty_bins: int


def largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest 8-connected part of a slice, with its holes filled.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X)
        A slice of a mask. On a tie the first part in the order of rows counts.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        All False if `mask` is.
    """
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(largest_component(mask, diagonal=True))
    return filled


def trace_contour(
    mask: NDArray[np.bool_], *, spacing: tuple[float, float] | None = None
) -> Contour:
    """Trace the contour of the largest part of a slice.

    The contour runs at level 0.5 between the pixels inside and outside, so its points are midpoints
    between neighbouring pixels. Pixels that touch by a corner are joined. The slice is padded, so
    that a mask may touch its border.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X)
        A slice of a mask.
    spacing : tuple of float, optional
        Size of a pixel along (row, column), in mm.

    Returns
    -------
    Contour
        Contour and centroid, both of the largest 8-connected part with its holes filled.

    Raises
    ------
    InputError
        If the slice is empty.

    Examples
    --------
    >>> contour = trace_contour(np.ones((1, 1), dtype=bool))
    >>> contour.points.tolist()
    [[0.5, 0.0], [0.0, -0.5], [-0.5, 0.0], [0.0, 0.5]]
    """
    if not mask.any():
        msg = "Expected a slice with at least one pixel inside, found an empty one."
        raise InputError(msg)
    return trace_part(largest_part(mask), spacing=spacing)


def trace_part(part: NDArray[np.bool_], *, spacing: tuple[float, float] | None = None) -> Contour:
    """Trace the contour of a part of a slice that is in one piece and has no holes.

    Parameters
    ----------
    part : ndarray of bool, shape (Y, X)
        As from `largest_part`.
    spacing : tuple of float, optional
        Size of a pixel along (row, column), in mm.

    Returns
    -------
    Contour
        As from `trace_contour`.
    """
    (ring,) = trace_rings(part)
    # The first point is repeated at the end.
    return Contour(ring[:-1], np.argwhere(part).mean(axis=0), spacing or (1.0, 1.0))


def trace_rings(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Trace all outlines of a slice at the level 0.5; diagonal neighbours are one part.

    Parameters
    ----------
    mask : ndarray of bool, shape (Y, X)
        The slice.

    Returns
    -------
    list of ndarray, shape (N, 2)
        (row, column) of each closed ring; the first point is repeated at the end.
    """
    padded = np.pad(mask, 1).astype(float)
    rings = find_contours(padded, 0.5, fully_connected="high")
    return [ring - 1 for ring in rings]


def angular_standard_deviation(contour: Contour, *, offset: float = 0.0) -> AngularDeviation:
    """Compute the angular standard deviation.

    The contour is cut into ten bins of 36 degrees about the centroid. Within each the population
    standard deviation of the normalised distances is taken; the mean of the ten is the feature.

    Bins are half-open, but a point exactly on an edge counts half in each of its two bins.
    Otherwise a reflection would move it from one bin to the other. Only the angles 0 and 180 can be
    hit exactly or, with an offset of 18 degrees, only 90 and -90.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.
    offset : float
        Where the first bin starts, in degrees from -180.

    Returns
    -------
    AngularDeviation
        NaN with ten empty bins if the contour has fewer than three distinct points.

    References
    ----------
    Georgiou H, Mavroforakis M, Dimitropoulos N, Cavouras D, Theodoridis S. Multi-scaled
    morphological features for the characterization of mammographic masses using statistical
    classification schemes. Artif Intell Med 2007;41:39-55.

    Examples
    --------
    >>> contour = trace_contour(np.ones((21, 21), dtype=bool))
    >>> round(angular_standard_deviation(contour).value, 4)
    0.0627
    """
    if _too_few_points(contour):
        return AngularDeviation(math.nan, BINS)
    deviations = bin_deviations(contour, offset=offset)
    filled = deviations[~np.isnan(deviations)]
    return AngularDeviation(float(np.mean(filled)), BINS - len(filled))


def bin_deviations(contour: Contour, *, offset: float = 0.0) -> NDArray[np.float64]:
    """Compute the standard deviation of the normalised distances within each angular bin.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.
    offset : float
        Where the first bin starts, in degrees from -180.

    Returns
    -------
    ndarray of shape (10,)
        NaN for a bin without points. The mean of the others is the angular standard deviation.
    """
    position = (contour.angles() + 180 - offset) / _BIN_WIDTH
    nearest = np.round(position)
    on_edge = np.abs(position - nearest) < _EDGE_TOLERANCE
    above = np.where(on_edge, nearest, np.floor(position)).astype(int) % BINS
    below = np.where(on_edge, above - 1, above) % BINS
    # Every point enters twice, so that one on an edge weighs half as much in each bin as others.
    bins = np.concatenate([above, below])
    distances = np.tile(contour.distances(), 2)
    deviations = np.full(BINS, math.nan)
    for number in np.unique(bins):
        deviations[number] = distances[bins == number].std()
    return deviations


def offset_averaged_angular_standard_deviation(contour: Contour) -> float:
    """Compute the mean of the angular standard deviation at bin offsets of 0 and 18 degrees.

    A quarter-turn is two and a half bins, so it exchanges the two offsets. Unlike the angular
    standard deviation itself, the mean does not change with it.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.

    Returns
    -------
    float
        NaN if the contour has fewer than three distinct points.

    Examples
    --------
    >>> contour = trace_contour(np.ones((21, 21), dtype=bool))
    >>> round(offset_averaged_angular_standard_deviation(contour), 4)
    0.0627
    """
    values = [angular_standard_deviation(contour, offset=offset).value for offset in OFFSETS]
    return math.fsum(values) / len(values)


def margin_fluctuation(contour: Contour, *, window: WindowRule = "round") -> float:
    """Compute the margin fluctuation.

    It is the population standard deviation of the normalised distances minus their circular moving
    average over a tenth of the points. An even window reaches one point further to one side than to
    the other. The side makes no difference: both have the same power at every frequency, hence the
    same standard deviation.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.
    window : {"round", "up", "down", "odd"}
        How a tenth of the points becomes the length of the window.

    Returns
    -------
    float
        NaN if the contour has fewer than three distinct points.

    References
    ----------
    Giger ML, Vyborny CJ, Schmidt RA. Computerized characterization of mammographic masses: analysis
    of spiculation. Cancer Lett 1994;77:201-211.
    Pohlman S, Powell KA, Obuchowski NA, Chilcote WA, Grundfest-Broniatowski S. Quantitative
    classification of breast tumors in digitized mammograms. Med Phys 1996;23:1337-1345.

    Examples
    --------
    >>> contour = trace_contour(np.ones((21, 21), dtype=bool))
    >>> round(margin_fluctuation(contour), 4)
    0.0342
    """
    if _too_few_points(contour):
        return math.nan
    return float((contour.distances() - moving_average(contour, window=window)).std())


def moving_average(contour: Contour, *, window: WindowRule = "round") -> NDArray[np.float64]:
    """Compute the circular moving average of the normalised distances over a tenth of the contour.

    Parameters
    ----------
    contour : Contour
        As from `trace_contour`.
    window : {"round", "up", "down", "odd"}
        How a tenth of the points becomes the length of the window.

    Returns
    -------
    ndarray of shape (n,)
        The average from which the margin fluctuation measures the difference.
    """
    distances = contour.distances()
    size = window_length(len(distances), window)
    smooth: NDArray[np.float64] = ndimage.uniform_filter1d(distances, size, mode="wrap")
    return smooth


def window_length(points: int, rule: WindowRule = "round") -> int:
    """Return the length of the moving average for a number of points, at least 1.

    The contour of a mask has an even number of points. A tenth of it is never halfway between two
    whole numbers, so the rounding of halves does not matter.

    Examples
    --------
    >>> [window_length(n) for n in (4, 14, 16, 36)]
    [1, 1, 2, 4]
    >>> window_length(36, "up"), window_length(36, "down"), window_length(36, "odd")
    (4, 3, 3)
    """
    tenth = points / 10
    lengths = {
        "round": round(tenth),
        "up": math.ceil(tenth),
        "down": math.floor(tenth),
        "odd": 2 * math.floor(tenth / 2) + 1,
    }
    return max(1, lengths[rule])


def _too_few_points(contour: Contour) -> bool:
    return len(np.unique(contour.points, axis=0)) < _FEWEST_POINTS
