"""Heads with a tumour.

They are drawn well enough for a picture and for a network that was trained on real slices; they are
no anatomical model.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from lggshape.case import SEQUENCES, Case, Geometry, Spacing
from lggshape.masks import Mask
from lggshape.phantoms.radii import (
    Floats,
    ellipsoidal_radius,
    is_inside,
    lengths,
    lobe_share,
    spike_share,
    turned,
)

SIZE = (24, 96, 96)
"""Shape (Z, Y, X) of a case by default."""

# The part of the head that the slices show, in mm: from the base of the skull to the vertex.
_BOTTOM, _TOP, _WIDTH = -55.0, 80.0, 225.0
_HEAD = np.array([76.0, 96.0, 74.0])
# Where the layers begin, as shares of the head's radius.
_SKULL, _DURA, _BRAIN = 0.94, 0.89, 0.86

# Of the sequences pre-contrast, FLAIR and post-contrast, on the scale of 8-bit slices.
_TISSUES = {
    "scalp": (140, 125, 150),
    "skull": (14, 14, 16),
    "liquor": (22, 14, 25),
    "grey": (57, 74, 62),
    "white": (74, 60, 80),
    "tumour": (50, 122, 54),
    "enhancing": (56, 128, 150),
}


def make_phantom(
    rng: np.random.Generator,
    *,
    irregularity: float = 0.5,
    size: tuple[int, int, int] = SIZE,
    name: str = "PHANTOM",
) -> Case:
    """Make a head with a tumour.

    Parameters
    ----------
    rng : numpy Generator
        Source of everything that differs from head to head.
    irregularity : float
        From 0, a tumour close to an ellipsoid, to 1, one with deep lobes and long spikes.
    size : tuple of int
        Shape (Z, Y, X). The head fills it, whatever it is.
    name : str
        Name of the case and of its patient.

    Returns
    -------
    Case
        The image (Z, Y, X, 3), uint8, with the sequences pre-contrast, FLAIR and post-contrast, the
        tumour's mask, and the spacing. Slices run upward, rows from front to back.

    Examples
    --------
    >>> case = make_phantom(np.random.default_rng(0), size=(6, 32, 32))
    >>> case.image.shape, case.mask.any()
    ((6, 32, 32, 3), np.True_)
    """
    spacing = ((_TOP - _BOTTOM) / size[0], _WIDTH / size[1], _WIDTH / size[2])
    points = _points(size, spacing)
    depth = lengths(points / (_HEAD * rng.uniform(0.95, 1.05, 3)))
    brain = depth < _BRAIN
    mask = _tumour(rng, irregularity, points, depth)

    tissues = [*_anatomy(rng, points, depth, spacing), ("tumour", mask)]
    if rng.random() < 0.5:
        tissues.append(("enhancing", mask & (_texture(rng, size, spacing, 4.0) > 0.8)))
    # A smooth field of at most a sixth more or less, as a receive coil leaves it.
    bias = np.exp((points / _WIDTH) @ rng.uniform(-0.3, 0.3, 3))
    patches = 1 + 0.05 * _texture(rng, size, spacing, 5.0) * brain
    image = np.empty((*size, len(SEQUENCES)), dtype=np.uint8)
    for channel in range(len(SEQUENCES)):
        signal = np.zeros(size, dtype=np.float32)
        for tissue, where in tissues:
            signal[where] = _TISSUES[tissue][channel]
        # A little blur within the slice, as where a voxel holds two tissues.
        signal = gaussian_filter(signal * patches, (0, 0.5, 0.5)) * bias * rng.uniform(0.85, 1.2)
        # The magnitude of a complex signal with noise in both parts: Rician.
        noise = 2.5 * rng.standard_normal((2, *size), dtype=np.float32)
        image[..., channel] = np.clip(np.hypot(signal + noise[0], noise[1]), 0, 255).round()
    return Case(
        id=name,
        patient=name,
        image=image,
        mask=mask,
        sequences=SEQUENCES,
        geometry=Geometry(spacing=spacing),
    )


def _points(size: tuple[int, int, int], spacing: Spacing) -> Floats:
    """Return the places (Z, Y, X, 3) of the voxel centres in mm from the middle of the head."""
    z, y, x = ((np.arange(n) + 0.5) * step for n, step in zip(size, spacing, strict=True))
    axes = (z + _BOTTOM, y - _WIDTH / 2, x - _WIDTH / 2)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _texture(
    rng: np.random.Generator, size: tuple[int, int, int], spacing: Spacing, grain: float
) -> Floats:
    """Return smooth noise of mean 0 and variance 1, with a grain in mm."""
    noise = rng.standard_normal(size, dtype=np.float32)
    smooth = gaussian_filter(noise, [grain / step for step in spacing], mode="wrap")
    scaled: Floats = smooth / smooth.std()
    return scaled


def _anatomy(
    rng: np.random.Generator, points: Floats, depth: Floats, spacing: Spacing
) -> list[tuple[str, Mask]]:
    """Return the tissues of a healthy head; a later one covers the earlier ones."""
    z, y, x = np.moveaxis(points, -1, 0)
    size = z.shape
    folds = _texture(rng, size, spacing, 5.0)
    brain = depth < _BRAIN
    white = depth < 0.7 + 0.05 * _texture(rng, size, spacing, 4.0)
    sulci = brain & (depth > 0.68) & (np.abs(folds) < 0.12)
    fissure = brain & (np.abs(x) < 1.5) & ((depth > 0.55) | (z > 25))
    ventricles = np.zeros(size, dtype=bool)
    nuclei = np.zeros(size, dtype=bool)
    horns = np.array([14.0, 34.0, 7.0]) * rng.uniform(0.7, 1.2)
    for side in (-1, 1):
        # The horns part towards the back.
        middle = np.stack([z - 12, y - 4, side * x - 9 - 0.2 * np.maximum(y, 0)], axis=-1)
        ventricles |= lengths(middle / horns) < 1
        nucleus = np.stack([z - 4, y + 2, side * x - 21], axis=-1)
        nuclei |= lengths(nucleus / [14.0, 22.0, 8.0]) < 1
    return [
        ("scalp", depth < 1),
        ("skull", depth < _SKULL),
        ("liquor", depth < _DURA),
        ("grey", brain),
        ("white", white & ~nuclei),
        ("liquor", sulci | fissure | ventricles),
    ]


def _tumour(
    rng: np.random.Generator,
    irregularity: float,
    points: Floats,
    depth: Floats,
) -> Mask:
    """Draw a tumour somewhere in one half of the brain, cut where the brain ends."""
    radius = rng.uniform(20, 34)
    stretch = np.exp(rng.normal(0, 0.12, 3))
    semi_axes = radius * stretch / np.cbrt(stretch.prod())
    length = 0.45 * irregularity * radius
    body = ellipsoidal_radius(semi_axes)
    lobes = lobe_share(int(rng.integers(5, 10)), 0.05 + 0.4 * irregularity)
    spikes = spike_share(int(rng.integers(8, 16)), 0.35)

    def radius_at(directions: Floats) -> Floats:
        return body(directions) * lobes(directions) + length * spikes(directions)

    centre = rng.uniform([-8, -40, 18], [36, 40, 34])
    centre[2] *= rng.choice([-1, 1])
    rotation = Rotation.from_quat(rng.normal(size=4))
    mask: Mask = (depth < _BRAIN) & (lengths(points - centre) <= semi_axes.max() + length)
    mask[mask] = is_inside(turned(radius_at, rotation), points[mask] - centre)
    return mask
