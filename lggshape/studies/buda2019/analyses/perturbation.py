"""Masks changed in known ways, to see how the features react.

Masks are boolean arrays (Z, Y, X) with axial slices; lengths in the plane are in pixels. What lies
beyond the array counts as outside. Nothing modifies its input, and a change of size 0 is none.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.special import ndtri

from lggshape.errors import InputError
from lggshape.masks import Mask, as_mask

_Floats = NDArray[np.floating]

_CROSS = ndimage.generate_binary_structure(2, 1)[np.newaxis]
_HALF = 0.5 - 1e-9  # a share of just one half is inside, whichever way it was rounded
_NEGLIGIBLE = 1e-6  # of the variance of a voxel
_INDEPENDENT = 1e-2  # of a voxel: a Gaussian of this sigma does not reach the next one


def erode(mask: ArrayLike, pixels: int = 1) -> Mask:
    """Remove layers of pixels from the outline in each slice.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask.
    pixels : int
        Number of steps. Each removes the pixels of which one of the four neighbours in the slice is
        outside.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X), or `pixels` is negative.

    Examples
    --------
    >>> erode([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]]).astype(int).tolist()
    [[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]
    """
    return _in_steps(ndimage.binary_erosion, mask, pixels)


def dilate(mask: ArrayLike, pixels: int = 1) -> Mask:
    """Add layers of pixels around the outline in each slice.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask.
    pixels : int
        Number of steps. Each adds the four neighbours, in the slice, of every pixel inside.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X), or `pixels` is negative.

    Examples
    --------
    >>> dilate([[[0, 0, 0], [0, 1, 0], [0, 0, 0]]]).astype(int).tolist()
    [[[0, 1, 0], [1, 1, 1], [0, 1, 0]]]
    """
    return _in_steps(ndimage.binary_dilation, mask, pixels)


def smooth(mask: ArrayLike, sigma: float) -> Mask:
    """Smooth the outline in each slice: blur the mask by a Gaussian and cut it at one half.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask.
    sigma : float
        Standard deviation of the Gaussian in pixels.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X), or `sigma` is not a number from 0 upwards.
    """
    inside = as_mask(mask, ndim=3)
    _check_length("sigma", sigma)
    share = ndimage.gaussian_filter(inside.astype(float), (0, sigma, sigma), mode="constant")
    return np.asarray(share >= _HALF)


def jitter(
    mask: ArrayLike, *, amplitude: float, length: tuple[float, float], rng: np.random.Generator
) -> Mask:
    """Move the outline in each slice by a random distance, similar in neighbouring places.

    The distance of each pixel's centre to the outline (the points halfway between neighbouring
    pixels inside and outside), negative inside, plus `amplitude` times a random field, is
    cut at 0. The field does not depend on the mask: two masks of one shape and generators of one
    seed are moved in the same way.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask.
    amplitude : float
        Standard deviation of the distance in pixels. The mask does not change where the outline is
        moved by less than half a pixel.
    length : tuple of float
        How far the movement is similar (across slices, in the plane), as for `random_field`.
    rng : Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        Slices without tumour stay empty: they have no outline to move.

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X), or a length or the amplitude is not a number from 0
        upwards.
    """
    inside = as_mask(mask, ndim=3)
    _check_length("amplitude", amplitude)
    field = random_field(inside.shape, length=length, rng=rng)
    moved = np.zeros_like(inside)
    for number in np.flatnonzero(inside.any(axis=(1, 2))):
        moved[number] = _signed_distance(inside[number]) + amplitude * field[number] < 0
    return moved


def random_field(
    shape: tuple[int, ...], *, length: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw a smooth Gaussian random field.

    White noise is smoothed by a Gaussian along each axis. The weights of each voxel have a sum of
    squares of 1, also at the border, where they are cut off. So every voxel is standard normal and
    opposite borders are independent; near a border the field is somewhat smoother than elsewhere.
    A smooth field needs fewer random numbers than it has voxels: along each axis, one for each
    eigenvalue of the covariance that is not negligible [1]_.

    Parameters
    ----------
    shape : tuple of int
        (Z, Y, X).
    length : tuple of float
        Sigma of the smoothing (across slices, in the plane), in slices and pixels. From a length of
        1, and away from the borders, voxels at a distance of d along an axis have a correlation of
        exp(-(d / (2 length))**2). With a length of 0 they are independent.
    rng : Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of float32, shape (Z, Y, X)

    Raises
    ------
    InputError
        If `shape` is not three positive numbers, or a length is not a number from 0 upwards.

    References
    ----------
    .. [1] Ghanem RG, Spanos PD. Stochastic Finite Elements: A Spectral Approach. Springer 1991,
       chapter 2 (Karhunen-Loève expansion).

    Examples
    --------
    >>> field = random_field((3, 8, 8), length=(1.0, 2.0), rng=np.random.default_rng(0))
    >>> field.shape, str(field.dtype)
    ((3, 8, 8), 'float32')
    """
    if len(shape) != 3 or min(shape) < 1:
        msg = f"Expected `shape` to be three positive numbers (Z, Y, X), found {shape}."
        raise InputError(msg)
    for sigma in length:
        _check_length("length", sigma)
    across, plane = length
    slices, rows, columns = (
        _factor(size, sigma) for size, sigma in zip(shape, (across, plane, plane), strict=True)
    )
    count = (slices.shape[1], rows.shape[1], columns.shape[1])
    in_plane = rows @ rng.standard_normal(count, dtype=np.float32) @ columns.T
    return np.tensordot(slices, in_plane, axes=1).astype(np.float32, copy=False)


def draw_mask(probability: ArrayLike, field: ArrayLike) -> Mask:
    """Draw a mask from probabilities, so that neighbours agree.

    Inside is where the standard normal distribution function of the field is below the
    probability. So each voxel is inside with its own probability, and two voxels are as dependent
    as their fields (a Gaussian copula).

    Parameters
    ----------
    probability : array_like, shape (Z, Y, X)
        Calibrated probability of tumour.
    field : array_like, shape (Z, Y, X)
        Standard normal in every voxel, as from `random_field`.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)

    Raises
    ------
    InputError
        If the shapes differ, or a probability is not from 0 to 1.

    Examples
    --------
    >>> draw_mask([[[0.0, 0.3, 0.6, 1.0]]], [[[-9.0, 0.0, 0.0, 9.0]]])
    array([[[False, False,  True,  True]]])
    """
    chances, heights = np.asarray(probability), np.asarray(field)
    if chances.shape != heights.shape:
        msg = (
            "Expected `probability` and `field` to have one shape, found "
            f"{chances.shape} and {heights.shape}."
        )
        raise InputError(msg)
    # A NaN fails both comparisons.
    if not np.all((chances >= 0) & (chances <= 1)):
        msg = "Expected `probability` to hold numbers from 0 to 1, found others."
        raise InputError(msg)
    # The quantile is infinite at 0 and 1, so that these are certain whatever the field.
    return np.asarray(heights < ndtri(chances))


def resample(mask: ArrayLike, factor: float) -> Mask:
    """Draw the mask on larger or smaller pixels.

    A new pixel is inside if at least half of a square around its centre is. If new pixels are
    larger than old ones, this square is the new pixel (averaging over areas); otherwise it has the
    size of an old pixel (linear interpolation). If pixels are doubled in size, many new ones are
    exactly half inside, so small masks grow a little.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask.
    factor : float
        Number of new pixels per old one, along either side of a slice. 0.5 makes half as many.

    Returns
    -------
    ndarray of bool, shape (Z, Y', X')
        Sides are rounded to whole pixels, which are stretched to cover the same field.

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X), or `factor` leaves no pixel.

    Examples
    --------
    >>> resample([[[0, 0, 1, 1], [0, 0, 1, 1]]], 0.5)
    array([[[False,  True]]])
    """
    inside = as_mask(mask, ndim=3)
    height, width = inside.shape[1:]
    # A NaN fails the comparison.
    if not 0.5 < factor * min(height, width) < math.inf:
        msg = f"Expected `factor` to leave a pixel of {height} x {width}, found {factor}."
        raise InputError(msg)
    rows, columns = (_averaging(size, round(size * factor)) for size in (height, width))
    return np.asarray(rows @ inside.astype(float) @ columns.T >= _HALF)


def thin(mask: ArrayLike, step: int) -> Mask:
    """Keep every `step`-th slice, including the slice of the largest area.

    Parameters
    ----------
    mask : array_like of bool, shape (Z, Y, X)
        A mask.
    step : int
        One of so many slices is kept.

    Returns
    -------
    ndarray of bool, shape (Z', Y, X)
        The slice of the largest area (on a tie, the one with the lowest number) and all slices that
        are whole steps away from it.

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X), or `step` is not positive.

    Examples
    --------
    >>> thin([[[0, 0]], [[0, 1]], [[1, 1]], [[0, 1]], [[1, 0]]], 2).sum(axis=(1, 2)).tolist()
    [0, 2, 1]
    """
    inside = as_mask(mask, ndim=3)
    if step < 1:
        msg = f"Expected `step` to be at least 1, found {step}."
        raise InputError(msg)
    largest = int(inside.sum(axis=(1, 2)).argmax())
    return inside[largest % step :: step].copy()


def _in_steps(change: Callable[..., Mask], mask: ArrayLike, pixels: int) -> Mask:
    inside = as_mask(mask, ndim=3)
    if pixels < 0:
        msg = f"Expected `pixels` to be at least 0, found {pixels}."
        raise InputError(msg)
    # SciPy takes 0 iterations for as many as change anything.
    return change(inside, _CROSS, iterations=pixels) if pixels else inside.copy()


def _signed_distance(area: Mask) -> _Floats:
    """Measure from the centre of each pixel of a slice to the outline; negative inside.

    The outline is the points halfway between neighbouring pixels inside and outside: every second
    place of a grid of half pixels, between the centres.
    """
    padded = np.pad(area, 1)
    off_outline = np.ones([2 * side - 1 for side in padded.shape], dtype=bool)
    off_outline[1::2, ::2] = padded[1:] == padded[:-1]
    off_outline[::2, 1::2] = padded[:, 1:] == padded[:, :-1]
    distance = ndimage.distance_transform_edt(off_outline, sampling=0.5)[2:-2:2, 2:-2:2]
    signed: _Floats = np.where(area, -distance, distance)
    return signed


@lru_cache(maxsize=128)
def _factor(size: int, sigma: float) -> NDArray[np.float32]:
    """Return a factor (size, rank) of the covariance along an axis; each row has the norm 1."""
    places = np.arange(size)
    distances = (places[:, np.newaxis] - places) / max(sigma, _INDEPENDENT)
    weights = _of_norm_1(np.exp(-(distances**2) / 2))
    variances, vectors = np.linalg.eigh(weights @ weights.T)  # from the smallest up
    kept = np.cumsum(variances) > _NEGLIGIBLE
    if not kept.all():
        weights = _of_norm_1(vectors[:, kept] * np.sqrt(variances[kept]))
    factor: NDArray[np.float32] = weights.astype(np.float32)
    factor.flags.writeable = False  # it is shared
    return factor


def _of_norm_1(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    normalised: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return normalised


def _averaging(size: int, new_size: int) -> NDArray[np.float64]:
    """Return the weight of each old pixel (columns) in the average of each new one (rows)."""
    pixel = size / new_size
    width = max(1.0, pixel)
    centres = (np.arange(new_size) + 0.5) * pixel - 0.5
    distances = np.abs(centres[:, np.newaxis] - np.arange(size))
    shares: NDArray[np.float64] = np.clip((1 + width) / 2 - distances, 0, 1) / width
    return shares


def _check_length(name: str, value: float) -> None:
    # A NaN fails both comparisons.
    if not 0 <= value < math.inf:
        msg = f"Expected `{name}` to be a number from 0 upwards, found {value}."
        raise InputError(msg)
