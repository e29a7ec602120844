"""The features and the test of a public attempt at the study, to see what made it fail.

The attempt (AIscend-Research/lgg-imaging-repro, 2026) found no association in automatic masks. Its
definitions differ from those of `lggshape.shape`: every island of a mask counts, the ellipsoid has
the principal axes of the voxels instead of the smallest volume, the radial features look at one
distance in each of 180 directions instead of a contour, and the test is one cluster against the
rest at the median instead of quartiles by clusters. Written anew from the definitions, so that each
can be exchanged for ours by itself.

References
----------
https://github.com/AIscend-Research/lgg-imaging-repro, `src/lgg/shape_features.py` and
`src/lgg/radiogenomics.py`.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import fisher_exact

from lggshape.errors import InputError
from lggshape.masks import as_mask

DIRECTIONS = 180
"""Number of equal angular bins of the radial signature."""

_HARMONICS = 5  # those of the signature that are not margin fluctuation
_FEWEST_VOXELS = 4
_FEWEST_PIXELS = 8
_FEWEST_FILLED = 4
_FEWEST_PATIENTS = 2


def measure(mask: ArrayLike) -> dict[str, float]:
    """Measure a mask by the definitions of the attempt.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask, with every island. Voxels count as cubes.

    Returns
    -------
    dict of str to float
        By the names of `lggshape.shape.FEATURES`; NaN if it cannot be computed:

        - ``bounding_ellipsoid_volume_ratio``: see the function of this name.
        - ``angular_standard_deviation``: population standard deviation of the radial signature of
          the slice of the largest area (the lowest-numbered on a tie), over its mean.
        - ``margin_fluctuation``: the same of what is left of the signature without its Fourier
          components 0 to 5, over the mean of the whole.

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X).

    Examples
    --------
    >>> measured = measure(np.ones((3, 5, 5)))
    >>> [round(value, 3) for value in measured.values()]
    [0.861, 0.104, 0.037]
    """
    inside = as_mask(mask, ndim=3)
    signature = radial_signature(inside[inside.sum(axis=(1, 2)).argmax()])
    spectrum = np.fft.rfft(signature)
    spectrum[: _HARMONICS + 1] = 0
    residual = np.fft.irfft(spectrum, DIRECTIONS)
    return {
        "bounding_ellipsoid_volume_ratio": bounding_ellipsoid_volume_ratio(inside),
        "angular_standard_deviation": float(signature.std() / signature.mean()),
        "margin_fluctuation": float(residual.std() / signature.mean()),
    }


def bounding_ellipsoid_volume_ratio(mask: ArrayLike) -> float:
    """Compute the volume over that of an ellipsoid with the principal axes of the voxel centres.

    The ellipsoid has its centre at their mean. Its semi-axes are the largest distances of a centre
    along each axis, but at least half a voxel; all are then multiplied by the same number, so
    that the ellipsoid just encloses every centre.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask, with every island.

    Returns
    -------
    float
        At most 1. NaN with fewer than four voxels.

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X).
    """
    centres = np.argwhere(as_mask(mask, ndim=3)).astype(float)
    voxels = len(centres)
    if voxels < _FEWEST_VOXELS:
        return math.nan
    _, axes = np.linalg.eigh(np.cov(centres, rowvar=False))
    projections = np.abs((centres - centres.mean(axis=0)) @ axes)
    semi_axes = np.maximum(projections.max(axis=0), 0.5)
    growth = math.sqrt(((projections / semi_axes) ** 2).sum(axis=1).max())
    volume = 4 / 3 * math.pi * float(np.prod(growth * semi_axes))
    return min(1.0, voxels / volume)


def radial_signature(area: ArrayLike) -> NDArray[np.float64]:
    """Return the distance of the farthest pixel from the centroid in each of 180 directions.

    Parameters
    ----------
    area : array_like of bool, shape (Y, X)
        A slice of a mask. All its pixels count, of whichever part, for the centroid as well.

    Returns
    -------
    ndarray of shape (180,)
        In pixels, in bins of 2 degrees of `arctan2(row, column)` from -180 degrees. Bins without a
        pixel are filled by linear interpolation around the circle. NaN with fewer than eight
        pixels, or fewer than four bins that hold any.

    Raises
    ------
    InputError
        If `area` is not an array (Y, X).
    """
    pixels = np.argwhere(as_mask(area, ndim=2))
    missing = np.full(DIRECTIONS, math.nan)
    if len(pixels) < _FEWEST_PIXELS:
        return missing
    rows, columns = (pixels - pixels.mean(axis=0)).T
    edges = np.linspace(-math.pi, math.pi, DIRECTIONS + 1)
    bins = np.digitize(np.arctan2(rows, columns), edges[1:-1])
    farthest = np.full(DIRECTIONS, -1.0)
    np.maximum.at(farthest, bins, np.hypot(rows, columns))
    filled = np.flatnonzero(farthest >= 0)
    if len(filled) < _FEWEST_FILLED:
        return missing
    signature: NDArray[np.float64] = np.interp(
        np.arange(DIRECTIONS), filled, farthest[filled], period=DIRECTIONS
    )
    return signature


def one_against_rest(
    feature: ArrayLike, level: ArrayLike, levels: Sequence[str]
) -> dict[str, float]:
    """Test each level of a label against all others, with the feature cut at its median.

    The attempt reports the smallest p of the levels, with a Bonferroni correction over all tests of
    all features and labels.

    Parameters
    ----------
    feature : array_like of shape (N,)
        The feature of each patient, NaN where missing.
    level : array_like of int, shape (N,)
        Position of each patient's level in `levels`, -1 where missing.
    levels : sequence of str
        The levels of the label.

    Returns
    -------
    dict of str to float
        Two-sided p of Fisher's exact test for each level: value above the median of the patients
        that have both, or not, by level or any other. NaN with fewer than two patients on either
        side, or if no value is above the median.

    Raises
    ------
    InputError
        If `feature` and `level` are not lists of one length.

    Examples
    --------
    >>> ps = one_against_rest([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1], ["R1", "R2"])
    >>> {name: round(p, 9) for name, p in ps.items()}
    {'R1': 0.1, 'R2': 0.1}
    """
    values, codes = np.asarray(feature, dtype=float), np.asarray(level)
    if values.ndim != 1 or values.shape != codes.shape:
        msg = (
            "Expected `feature` and `level` to be lists of one length, found shapes "
            f"{values.shape} and {codes.shape}."
        )
        raise InputError(msg)
    complete = ~np.isnan(values) & (codes >= 0)
    values, codes = values[complete], codes[complete]
    high = values > np.median(values) if len(values) else np.zeros(0, dtype=bool)
    return {name: _two_by_two(high, codes == code) for code, name in enumerate(levels)}


def _two_by_two(high: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> float:
    if min(chosen.sum(), (~chosen).sum()) < _FEWEST_PATIENTS or not high.any():
        return math.nan
    table = [[np.sum(row & column) for column in (chosen, ~chosen)] for row in (high, ~high)]
    return float(fisher_exact(table).pvalue)
