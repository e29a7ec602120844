"""Augmentation that is right for MR: drawn on the host, applied on the device.

A few numbers are drawn for each slice. They come from NumPy's generator, so that a seed gives the
same slices on every backend. What is done with them is done by `keras.ops` inside the compiled
training step.

Geometry: flips, rotation, scale, shear and shift. Intensities, on the standardised scale and for
each sequence apart: contrast, brightness, gamma and a smooth bias field, all monotone in each
voxel, as scanners differ. A sequence is taken away from a slice now and then, so that the network
learns to do without. FLAIR is never taken away. For reconstruction, squares of all sequences are
hidden.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.decode_codes import decode
from lggshape.segmentation.preprocessing.intensities import MISSING

Tensor = Any
Floats = NDArray[np.float32]

_ROTATION = np.deg2rad(20.0)
_SCALE = 0.15
_SHEAR = 0.1
_SHIFT = 0.06  # of the side
_CONTRAST = 0.25
_BRIGHTNESS = 0.25  # standard deviations
_GAMMA = 0.2
_BIAS = 0.15
_GEOMETRIC = 0.8  # of the slices; the others are flipped alone
_FIELDS = 5  # x, y, xy, x^2, y^2

_SQUARE = 16  # pixels per side of a hidden square
_HIDDEN = 0.5  # of the squares

_AIR = 2.5
"""About how far below the median of the head the intensity 0 lies: a bias field multiplies what is
measured from there."""


class Draws(NamedTuple):
    """What was drawn for a batch.

    Attributes
    ----------
    transforms : ndarray of shape (B, 8)
        Projective transforms as `keras.ops.image.affine_transform` takes them.
    contrast, brightness, gamma : ndarray of shape (B, C)
        How each input channel is changed.
    bias : ndarray of shape (B, C, 5)
        Coefficients of the logarithm of the bias field.
    present : ndarray of shape (B, C)
        1, or 0 for a channel that is taken away.
    hidden : ndarray of shape (B, crop / 16, crop / 16)
        1 for a square that is hidden, all 0 but for reconstruction.
    """

    transforms: Floats
    contrast: Floats
    brightness: Floats
    gamma: Floats
    bias: Floats
    present: Floats
    hidden: Floats


def draw(
    rng: np.random.Generator,
    count: int,
    configuration: NetworkConfiguration,
    *,
    crop: int,
    sequence_dropout: float,
) -> Draws:
    """Draw the augmentation of some slices.

    Parameters
    ----------
    rng : Generator
        Source of the random numbers.
    count : int
        Number of slices, B.
    configuration : NetworkConfiguration
        Says what the channels are. Neighbouring FLAIR slices share the numbers of FLAIR.
    crop : int
        Side of the square that is cut from anywhere in the slice, at most its whole side.
    sequence_dropout : float
        Probability of each sequence but FLAIR to be taken away.

    Returns
    -------
    Draws
        Numbers per slice, or per slice and channel.
    """
    sequences = len(configuration.sequences)
    flair = configuration.sequences.index(FLAIR)
    source = [*range(sequences), *[flair] * (2 * configuration.neighbours)]

    def uniform(reach: float, *shape: int) -> Floats:
        return rng.uniform(-reach, reach, (count, sequences, *shape)).astype(np.float32)[:, source]

    kept = rng.random((count, sequences)) >= sequence_dropout
    kept[:, flair] = True
    draws = Draws(
        transforms=_transforms(rng, count, size=configuration.size, crop=crop),
        contrast=np.exp(uniform(_CONTRAST)),
        brightness=uniform(_BRIGHTNESS),
        gamma=np.exp(uniform(_GAMMA)),
        bias=uniform(_BIAS, _FIELDS),
        present=kept.astype(np.float32)[:, source],
        hidden=np.zeros((count, *[max(1, crop // _SQUARE)] * 2), dtype=np.float32),
    )
    if configuration.task != "reconstruction":
        return draws
    return draws._replace(hidden=(rng.random(draws.hidden.shape) < _HIDDEN).astype(np.float32))


def _transforms(rng: np.random.Generator, count: int, *, size: int, crop: int) -> Floats:
    """Draw maps from the pixels (x, y) of what is cut out to those of the stored slice."""
    moved = rng.random(count) < _GEOMETRIC

    def uniform(reach: float) -> NDArray[np.float64]:
        return np.asarray(np.where(moved, rng.uniform(-reach, reach, count), 0.0))

    angle, shear, scale = uniform(_ROTATION), uniform(_SHEAR), np.exp(uniform(_SCALE))
    shift = np.stack([uniform(_SHIFT), uniform(_SHIFT)], axis=1) * size
    flips = rng.choice([-1.0, 1.0], (count, 2))
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = np.stack(
        [
            np.stack([cosine, -sine + shear * cosine], axis=1),
            np.stack([sine, cosine + shear * sine], axis=1),
        ],
        axis=1,
    )
    matrix = matrix * flips[:, None, :]
    # The centre of the square stays where it is but for the shift.
    centre = np.full(2, (size - 1) / 2)
    corner = rng.integers(0, size - crop, (count, 2), endpoint=True)
    offset = centre + shift + (matrix @ (corner - centre)[..., None])[..., 0]
    zeros = np.zeros((count, 2))
    rows = [matrix[:, 0], offset[:, :1], matrix[:, 1], offset[:, 1:], zeros]
    return np.concatenate(rows, axis=1).astype(np.float32)


def augment(codes: Tensor, masks: Tensor, draws: Draws, *, crop: int) -> tuple[Tensor, Tensor]:
    """Apply what was drawn to slices and their masks.

    Parameters
    ----------
    codes : tensor of uint8, shape (B, size, size, C)
        Standardised slices.
    masks : tensor of uint8, shape (B, size, size)
        1 inside the tumour, else 0.
    draws : Draws
        What to do, drawn for the same B, C and crop.
    crop : int
        Side of the squares to return.

    Returns
    -------
    slices : tensor of float32, shape (B, crop, crop, C)
        The input of the network.
    masks : tensor of float32, shape (B, crop, crop, 1)
        0 or 1.
    """
    ops = keras.ops
    # A sequence that is missing has the code 0 everywhere, any other nowhere.
    there = ops.cast(ops.any(codes != MISSING, axis=(1, 2), keepdims=True), "float32")
    both = ops.concatenate([decode(codes), ops.cast(masks[..., None], "float32")], axis=-1)
    both = _transformed(both, draws.transforms, crop)
    slices, masks = both[..., :-1], ops.cast(both[..., -1:] > 0.5, "float32")

    def channels(values: Tensor) -> Tensor:
        return ops.reshape(values, (-1, 1, 1, slices.shape[-1]))

    slices = ops.sign(slices) * ops.power(ops.abs(slices), channels(draws.gamma))
    field = ops.matmul(_polynomials(slices.shape[1]), ops.transpose(draws.bias, (0, 2, 1)))
    field = ops.reshape(field, (-1, slices.shape[1], slices.shape[2], slices.shape[3]))
    slices = (slices + _AIR) * ops.exp(field) - _AIR
    slices = slices * channels(draws.contrast) + channels(draws.brightness)
    return slices * there * channels(draws.present), masks


def hide(slices: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Hide squares of slices: the network is shown 0 there, as where a sequence is missing.

    Parameters
    ----------
    slices : tensor of shape (B, crop, crop, C)
        As `augment` returns them.
    hidden : tensor of shape (B, crop / 16, crop / 16)
        As they were drawn.

    Returns
    -------
    slices : tensor of shape (B, crop, crop, C)
        0 where they are hidden.
    hidden : tensor of shape (B, crop, crop, 1)
        1 there.
    """
    ops = keras.ops
    crop, count = slices.shape[1], hidden.shape[1]
    side = -(-crop // count)
    pixels = ops.repeat(ops.repeat(hidden, side, axis=1), side, axis=2)[:, :crop, :crop, None]
    return slices * (1 - pixels), pixels


def _transformed(images: Tensor, transforms: Tensor, crop: int) -> Tensor:
    whole = keras.ops.image.affine_transform(
        images,
        transforms,
        interpolation="bilinear",
        fill_mode="nearest",
        data_format="channels_last",
    )
    return whole[:, :crop, :crop]


def _polynomials(size: int) -> Floats:
    """Return the terms of the bias field at each pixel, (size * size, 5), each of mean 0."""
    row, column = np.meshgrid(*[np.linspace(-1, 1, size)] * 2, indexing="ij")
    terms = [column, row, row * column, row**2, column**2]
    stacked = np.stack([(term - term.mean()).ravel() for term in terms], axis=1)
    return stacked.astype(np.float32)
