"""Phantoms: shapes that are known, and a synthetic cohort with or without a planted association.

The solids are star-shaped: a radius in every direction from the centre. All coordinates are
(z, y, x). The heads are drawn well enough for a picture and for a network that was trained on real
slices; they are no anatomical model.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import tifffile
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from lggshape.case import Case, Geometry, Spacing
from lggshape.errors import InputError
from lggshape.files import write_table

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Radius = Callable[[Floats], Floats]
"""Gives the radius of a solid in each direction: unit vectors (..., 3) to lengths (...)."""

_SEQUENCES = ("pre-contrast", "FLAIR", "post-contrast")
_UNIT: Spacing = (1.0, 1.0, 1.0)

# --- solids


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
    return _drawn(_ellipsoidal((radius, radius, radius)), radius, spacing)


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
    """
    return _drawn(_turned(_ellipsoidal(semi_axes), rotation), max(semi_axes), spacing)


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
    """
    share = _lobes(lobes, depth)
    return _drawn(_turned(lambda d: radius * share(d), rotation), radius, spacing)


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
    """
    share = _spikes(spikes, width)
    return _drawn(_turned(lambda d: radius + length * share(d), rotation), radius + length, spacing)


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
    """
    half = int(np.ceil(radius * (1 + depth))) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    inside: Mask = np.hypot(y, x) <= radius * (1 + depth * np.cos(lobes * np.arctan2(y, x)))
    return inside


def _ellipsoidal(semi_axes: ArrayLike) -> Radius:
    axes = np.asarray(semi_axes, dtype=np.float64)

    def radius_at(directions: Floats) -> Floats:
        radius: Floats = 1 / _length(directions / axes)
        return radius

    return radius_at


def _lobes(count: int, depth: float) -> Radius:
    """Give the share of the radius that is left: 1 on the lobes, 1 - depth between them."""
    centres = _spread(count)
    # Half the distance between neighbours if each has the same part of the sphere to itself.
    reach = np.sqrt(np.pi / count)

    def share(directions: Floats) -> Floats:
        height = np.cos(np.pi * np.minimum(_angle(directions, centres) / reach, 1)) / 2 + 0.5
        left: Floats = 1 - depth * (1 - height)
        return left

    return share


def _spikes(count: int, width: float) -> Radius:
    """Give the share of the spikes' length: 1 at the tips, 0 beside the spikes."""
    centres = _spread(count)

    def share(directions: Floats) -> Floats:
        height: Floats = np.maximum(1 - _angle(directions, centres) / width, 0)
        return height

    return share


def _angle(directions: Floats, centres: Floats) -> Floats:
    """Give the angle to the nearest centre."""
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


def _turned(radius_at: Radius, rotation: Rotation | None) -> Radius:
    if rotation is None:
        return radius_at
    matrix = rotation.as_matrix()
    return lambda directions: radius_at(directions @ matrix)


def _drawn(radius_at: Radius, reach: float, spacing: Spacing) -> Mask:
    half = [int(np.ceil(reach / size)) + 1 for size in spacing]
    axes = [np.arange(-n, n + 1) * size for n, size in zip(half, spacing, strict=True)]
    return _inside(radius_at, np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))


def _inside(radius_at: Radius, points: Floats) -> Mask:
    """Tell which points (..., 3) are inside a solid around the origin."""
    distance = _length(points)[..., None]
    # The centre itself has no direction; any will do.
    centre = distance == 0
    directions = np.where(centre, [1.0, 0.0, 0.0], points) / np.where(centre, 1, distance)
    inside: Mask = distance[..., 0] <= radius_at(directions)
    return inside


def _length(vectors: Floats) -> Floats:
    """Give the lengths of vectors (..., 3); three times as fast as numpy.linalg.norm."""
    length: Floats = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return length


# --- heads

_SIZE = (24, 96, 96)
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
    size: tuple[int, int, int] = _SIZE,
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
    """
    spacing = ((_TOP - _BOTTOM) / size[0], _WIDTH / size[1], _WIDTH / size[2])
    points = _points(size, spacing)
    depth = _length(points / (_HEAD * rng.uniform(0.95, 1.05, 3)))
    brain = depth < _BRAIN
    mask = _tumour(rng, irregularity, points, depth)

    tissues = [*_anatomy(rng, points, depth, spacing), ("tumour", mask)]
    if rng.random() < 0.5:
        tissues.append(("enhancing", mask & (_texture(rng, size, spacing, 4.0) > 0.8)))
    # A smooth field of at most a sixth more or less, as a receive coil leaves it.
    bias = np.exp((points / _WIDTH) @ rng.uniform(-0.3, 0.3, 3))
    patches = 1 + 0.05 * _texture(rng, size, spacing, 5.0) * brain
    image = np.empty((*size, len(_SEQUENCES)), dtype=np.uint8)
    for channel in range(len(_SEQUENCES)):
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
        sequences=_SEQUENCES,
        geometry=Geometry(spacing=spacing),
    )


def _points(size: tuple[int, int, int], spacing: Spacing) -> Floats:
    """Give the places (Z, Y, X, 3) of the voxel centres in mm from the middle of the head."""
    z, y, x = ((np.arange(n) + 0.5) * step for n, step in zip(size, spacing, strict=True))
    axes = (z + _BOTTOM, y - _WIDTH / 2, x - _WIDTH / 2)
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _texture(
    rng: np.random.Generator, size: tuple[int, int, int], spacing: Spacing, grain: float
) -> Floats:
    """Give smooth noise of mean 0 and variance 1, with a grain in mm."""
    noise = rng.standard_normal(size, dtype=np.float32)
    smooth = gaussian_filter(noise, [grain / step for step in spacing], mode="wrap")
    scaled: Floats = smooth / smooth.std()
    return scaled


def _anatomy(
    rng: np.random.Generator, points: Floats, depth: Floats, spacing: Spacing
) -> list[tuple[str, Mask]]:
    """Give the tissues of a healthy head; a later one covers the earlier ones."""
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
        ventricles |= _length(middle / horns) < 1
        nucleus = np.stack([z - 4, y + 2, side * x - 21], axis=-1)
        nuclei |= _length(nucleus / [14.0, 22.0, 8.0]) < 1
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
    body = _ellipsoidal(semi_axes)
    lobes = _lobes(int(rng.integers(5, 10)), 0.05 + 0.4 * irregularity)
    spikes = _spikes(int(rng.integers(8, 16)), 0.35)

    def radius_at(directions: Floats) -> Floats:
        return body(directions) * lobes(directions) + length * spikes(directions)

    centre = rng.uniform([-8, -40, 18], [36, 40, 34])
    centre[2] *= rng.choice([-1, 1])
    rotation = Rotation.from_quat(rng.normal(size=4))
    mask: Mask = (depth < _BRAIN) & (_length(points - centre) <= semi_axes.max() + length)
    mask[mask] = _inside(_turned(radius_at, rotation), points[mask] - centre)
    return mask


# --- labels and cohorts

_INSTITUTIONS = "ABCD"
_IDH = "idh_1p19q_buda_table2"
_IDH_LEVELS = ("IDHwt", "IDHmut-non-codel", "IDHmut-codel")
_LOCATIONS = tuple(
    f"Supratentorial, {lobe} Lobe" for lobe in ("Frontal", "Parietal", "Temporal", "Occipital")
)

# Probabilities of the levels in indolent and in aggressive tumours; share of missing values.
_CLUSTERS: dict[str, tuple[tuple[float, ...], tuple[float, ...], float]] = {
    "RNASeqCluster": ((0.40, 0.05, 0.35, 0.20), (0.05, 0.85, 0.05, 0.05), 0.10),
    "MethylationCluster": ((0.10, 0.30, 0.30, 0.05, 0.25), (0.10, 0.10, 0.10, 0.60, 0.10), 0.02),
    "miRNACluster": ((0.40, 0.30, 0.20, 0.10), (0.15, 0.15, 0.15, 0.55), 0.05),
    "CNCluster": ((0.45, 0.10, 0.45), (0.20, 0.65, 0.15), 0.03),
    "COCCluster": ((0.50, 0.10, 0.40), (0.10, 0.80, 0.10), 0.08),
    _IDH: ((0.05, 0.60, 0.35), (0.85, 0.10, 0.05), 0.03),
}


class Cohort(NamedTuple):
    """A synthetic cohort.

    Attributes
    ----------
    irregularity : ndarray of shape (patients,)
        What the shape of each tumour was drawn from, 0 to 1.
    labels : DataFrame
        The labels, a row a patient, as `label_table` makes them.
    clinical : DataFrame
        Clinical data, a row a patient, as `clinical_table` makes them.
    cases : iterator of Case
        The heads, one a patient, made as they are asked for.
    """

    irregularity: Floats
    labels: pd.DataFrame
    clinical: pd.DataFrame
    cases: Iterator[Case]


def label_table(
    irregularity: ArrayLike, *, rng: np.random.Generator, association: bool = True
) -> pd.DataFrame:
    """Make labels that go with the irregularity of tumours, or that do not.

    Each patient's tumour is indolent or aggressive, and all labels but the gender depend on that:
    aggressive tumours are mostly R2 and IDH wild type, and their patients older. With an
    association, irregular tumours are more often aggressive; without, 28 % of all are. So the
    labels go with each other in either case.

    Parameters
    ----------
    irregularity : array_like of shape (patients,)
        Irregularity of each patient's tumour, 0 to 1.
    rng : numpy Generator
        Source of the labels.
    association : bool
        Whether the labels depend on the irregularity.

    Returns
    -------
    DataFrame
        A row a patient. `Patient`; the clusters, gender and age under the names and codes of the
        Kaggle table, some of them missing; and `idh_1p19q_buda_table2` in words.
    """
    shares = np.asarray(irregularity, dtype=np.float64)
    count = shares.size
    chance = 1 / (1 + np.exp(1.5 - 16 * (shares - 0.5))) if association else np.full(count, 0.28)
    aggressive = rng.random(count) < chance
    institutions = rng.choice(list(_INSTITUTIONS), count)
    table = pd.DataFrame(
        {"Patient": [f"PHANTOM_{one}_{i:04d}" for i, one in enumerate(institutions, start=1)]}
    )
    for column, (indolent, other, missing) in _CLUSTERS.items():
        levels = np.arange(1, len(indolent) + 1)
        codes = np.where(
            aggressive, rng.choice(levels, count, p=other), rng.choice(levels, count, p=indolent)
        )
        table[column] = pd.Series(codes, dtype="Int64").mask(rng.random(count) < missing)
    age = np.where(aggressive, rng.normal(54, 12, count), rng.normal(39, 11, count))
    table["gender"] = pd.Series(rng.integers(1, 3, count), dtype="Int64")
    table["age_at_initial_pathologic"] = (
        pd.Series(age.round().clip(16, 85)).astype("Int64").mask(rng.random(count) < 0.01)
    )
    table[_IDH] = table[_IDH].map(dict(enumerate(_IDH_LEVELS, start=1)))
    return table


def clinical_table(labels: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Make a clinical table that goes with labels: older patients and wild types fare worse.

    Parameters
    ----------
    labels : DataFrame
        As from `label_table`.
    rng : numpy Generator
        Source of the values.

    Returns
    -------
    DataFrame
        A row a patient, in the words of the public clinical table: `Patient`,
        `neoplasm_histologic_grade`, `laterality`, `tumor_location`; `OS` and `PFI` (1: an event)
        with `OS.time` and `PFI.time` in days, censored within five years.
    """
    count = len(labels)
    wild_type = (labels[_IDH] == _IDH_LEVELS[0]).to_numpy()
    age = labels["age_at_initial_pathologic"].astype("Float64").fillna(45).to_numpy(float)
    table = labels[["Patient"]].copy()
    grade = rng.random(count) < np.where(wild_type, 0.8, 0.45)
    table["neoplasm_histologic_grade"] = np.where(grade, "G3", "G2")
    table["laterality"] = rng.choice(["Left", "Right"], count)
    table["tumor_location"] = rng.choice(_LOCATIONS, count)
    hazard = np.exp(1.2 * wild_type + 0.03 * (age - 45)) / 2500
    for endpoint, faster in (("OS", 1.0), ("PFI", 1.8)):
        event = rng.exponential(1 / (faster * hazard))
        censored = rng.uniform(200, 5 * 365, count)
        table[endpoint] = (event <= censored).astype(int)
        table[f"{endpoint}.time"] = np.ceil(np.minimum(event, censored)).astype(int)
    return table


def cohort(
    *,
    patients: int = 40,
    seed: int = 0,
    association: bool = True,
    size: tuple[int, int, int] = _SIZE,
) -> Cohort:
    """Make a synthetic cohort.

    Every tenth patient lacks the post-contrast sequence; FLAIR stands in for it, as in the Kaggle
    data set.

    Parameters
    ----------
    patients : int
        Number of patients.
    seed : int
        Seed of all random numbers. Patient n of a seed has the same head in a cohort of any number.
    association : bool
        Whether the labels depend on the irregularity of the tumours.
    size : tuple of int
        Shape (Z, Y, X) of every case.

    Returns
    -------
    Cohort
        Irregularity, labels, clinical table, and the cases as an iterator.

    Examples
    --------
    >>> made = cohort(patients=3, seed=1)
    >>> next(made.cases).image.shape
    (24, 96, 96, 3)
    """
    shape_seed, label_seed, *head_seeds = np.random.SeedSequence(seed).spawn(patients + 2)
    irregularity = np.random.default_rng(shape_seed).random(patients)
    labels = label_table(
        irregularity, rng=np.random.default_rng(label_seed), association=association
    )

    def cases() -> Iterator[Case]:
        for index, name in enumerate(labels["Patient"]):
            case = make_phantom(
                np.random.default_rng(head_seeds[index]),
                irregularity=irregularity[index],
                size=size,
                name=name,
            )
            if index % 10 == 9 and case.image is not None:
                case.image[..., 2] = case.image[..., 1]
            yield case

    clinical = clinical_table(labels, rng=np.random.default_rng(label_seed.spawn(1)[0]))
    return Cohort(irregularity, labels, clinical, cases())


def write_cohort(
    folder: Path,
    *,
    patients: int = 40,
    seed: int = 0,
    association: bool = True,
    size: tuple[int, int, int] = _SIZE,
) -> Path:
    """Write a synthetic cohort as a data set.

    Parameters
    ----------
    folder : Path
        Where to write: a new or empty folder.
    patients, seed, association, size
        As for `cohort`.

    Returns
    -------
    Path
        The folder. It holds a folder a patient with a TIFF image and mask a slice,
        `labels.csv`, `idh_1p19q.csv` and `clinical.csv`.

    Raises
    ------
    InputError
        If the folder is not empty, or is a file.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        msg = f"Expected {folder} to be a new or empty folder, found something in it."
        raise InputError(msg)
    made = cohort(patients=patients, seed=seed, association=association, size=size)
    for case in made.cases:
        place = folder / case.id
        place.mkdir(parents=True)
        for kind, slices in (("", case.image), ("_mask", case.mask)):
            assert slices is not None
            values = slices.astype(np.uint8) * (255 if kind else 1)
            for number, one in enumerate(values, start=1):
                tifffile.imwrite(
                    place / f"{case.id}_{number}{kind}.tif",
                    one,
                    photometric="minisblack" if kind else "rgb",
                    compression="deflate",
                    metadata=None,
                )
    write_table(folder / "labels.csv", made.labels.drop(columns=_IDH))
    write_table(folder / "idh_1p19q.csv", made.labels[["Patient", _IDH]])
    write_table(folder / "clinical.csv", made.clinical)
    return folder
