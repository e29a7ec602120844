"""From stored intensities to the codes that networks are shown.

Intensities of MR images have no unit. Here each sequence of each volume is brought to a scale of
its own: 0 is the median of the head, 1 its robust standard deviation (the interquartile range
divided by 1.349). Median and range are those of the foreground, so the size of the background does
not matter. Where the skull has been stripped the median hardly moves, but the brain alone spreads
less than the whole head and so gets more contrast. The scale is stored as one byte per voxel:
code 0 stands for a missing sequence, and 1 to 255 cover -4 to 8 in steps of 0.047.

Air is no head, however noisy: of what is bright enough, only what lies within the head as
`find_head` finds it counts. In some images the air around the head lies amid the intensities
inside: at 0 in those that were normalised before, at an offset in those of inversion recovery that
keep the sign. Where it is one value throughout, it is brought to the lowest.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import CaseError
from lggshape.head import find_head

LOWEST, HIGHEST = -4.0, 8.0
"""What the codes 1 and 255 stand for, in robust standard deviations from the median."""

MISSING = 0
"""Code of every voxel of a sequence that is missing."""

STEP = (HIGHEST - LOWEST) / 254

_QUARTILES_TO_SD = 1.349
"""Interquartile range of the normal distribution of standard deviation 1."""

_BACKGROUND = 0.05
"""The head begins at this share of the way from the lowest intensity to nearly the highest, or this
far from the air."""

_FLAT = 0.95  # of the outer rows and columns: some of a head may be cut off by them

_NEARLY_HIGHEST = 99.5  # percent: a few hot voxels do not count


class Standardised(NamedTuple):
    """The image of a case as codes.

    Attributes
    ----------
    codes : ndarray of uint8, shape (Z, Y, X, C)
        One channel for each of the sequences that were asked for, in their order.
    missing : tuple of str
        The sequences that the case lacks.
    """

    codes: NDArray[np.uint8]
    missing: tuple[str, ...]


def standardise(case: Case, sequences: Sequence[str]) -> Standardised:
    """Bring the image of a case to the scale that networks are trained on.

    Parameters
    ----------
    case : Case
        With an image (Z, Y, X, C) whose channels are named.
    sequences : sequence of str
        The sequences to return, FLAIR among them.

    Returns
    -------
    Standardised
        A sequence is missing if `Case.missing_sequences` says so, or if it has no contrast.

    Raises
    ------
    CaseError
        If there is no image or no FLAIR, or an intensity is not finite.
    """
    if case.image is None or FLAIR not in case.sequences:
        found = "no image" if case.image is None else ", ".join(case.sequences)
        msg = f"Expected case {case.id} to have an image with FLAIR, found: {found}."
        raise CaseError(msg)
    if not all(np.isfinite(one).all() for one in case.image):
        msg = f"Expected the intensities of case {case.id} to be finite, found NaN or infinity."
        raise CaseError(msg)
    missing = set(case.missing_sequences(sequences))
    codes = np.full((*case.image.shape[:3], len(sequences)), MISSING, dtype=np.uint8)
    for channel, name in enumerate(sequences):
        if name not in missing:
            scaled = encode(case.image[..., case.sequences.index(name)])
            if scaled is None:
                missing.add(name)
            else:
                codes[..., channel] = scaled
    if FLAIR in missing:
        msg = f"Expected FLAIR of case {case.id} to show a head, found hardly any contrast."
        raise CaseError(msg)
    return Standardised(codes, tuple(name for name in sequences if name in missing))


def encode(values: NDArray[np.generic]) -> NDArray[np.uint8] | None:
    """Scale one sequence of one volume robustly, and return it as codes.

    Parameters
    ----------
    values : ndarray of shape (Z, Y, X)
        Finite intensities of any numeric type.

    Returns
    -------
    ndarray of uint8, shape (Z, Y, X), or None
        Codes 1 to 255; None if the foreground has no contrast, so that there is no scale.
    """
    low, high = _extent(values.astype(np.float32))
    if low == high:
        return None
    inside = find_head(values)  # before the volume is in memory as numbers of 32 bits
    intensities = values.astype(np.float32)
    reach = _BACKGROUND * (high - low)
    outer = np.zeros(intensities.shape, dtype=bool)
    outer[:, [0, -1]] = outer[:, :, [0, -1]] = True
    air = float(np.median(intensities[outer]))
    if air <= low + reach:
        foreground = intensities > low + reach
    elif np.mean(intensities[outer] == air) > _FLAT:
        around = _reached_from(outer, intensities == air)
        foreground = ~around
        intensities[around] = low
    else:
        foreground = np.stack([np.abs(one - air) > reach for one in intensities])
    # Air may be noisy: what of it is bright enough does not lie in the head.
    head = intensities[foreground & inside]
    if head.size == 0:
        return None
    quartiles = np.percentile(head, (25, 50, 75), overwrite_input=True)
    lower, median, upper = (float(value) for value in quartiles)
    del head
    scale = (upper - lower) / _QUARTILES_TO_SD
    if scale <= 0:
        return None
    codes = np.empty(intensities.shape, dtype=np.uint8)
    # Slice by slice: the steps of a large volume would take gigabytes.
    for one, coded in zip(intensities, codes, strict=True):
        levels = ((one - median) / scale - LOWEST) / STEP + 1
        coded[:] = np.clip(np.rint(levels), 1, 255)
    return codes


def _extent(intensities: NDArray[np.float32]) -> tuple[float, float]:
    """Return the lowest and nearly the highest intensity; changes their order."""
    low = float(intensities.min())
    return low, float(np.percentile(intensities, _NEARLY_HIGHEST, overwrite_input=True))


def _reached_from(start: NDArray[np.bool_], region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the parts of a region (Z, Y, X) that hold a voxel of `start`."""
    from scipy.ndimage import label

    labels, count = label(region)
    reached = np.zeros(count + 1, dtype=bool)
    reached[labels[start]] = True
    reached[0] = False
    parts: NDArray[np.bool_] = reached[labels]
    return parts
