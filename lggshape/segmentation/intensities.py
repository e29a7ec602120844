"""From stored intensities to the codes that networks are shown.

Intensities of MR images have no unit. Here each sequence of each volume is brought to a scale of
its own: 0 is the median of the head, 1 its robust standard deviation (the interquartile range
divided by 1.349). Median and range are those of the foreground, so the size of the background does
not matter, and hardly whether the skull has been stripped. The scale is stored as one byte a voxel:
code 0 says that the sequence is missing, 1 to 255 cover -4 to 8 in steps of 0.047.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.errors import CaseError

LOWEST, HIGHEST = -4.0, 8.0
"""What the codes 1 and 255 stand for, in robust standard deviations from the median."""

MISSING = 0
"""Code of every voxel of a sequence that is missing."""

STEP = (HIGHEST - LOWEST) / 254

_QUARTILES_TO_SD = 1.349
"""Interquartile range of the normal distribution of standard deviation 1."""

_BACKGROUND = 0.05
"""The head begins at this share of the way from the lowest intensity to nearly the highest."""

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
        The sequences to give, FLAIR among them.

    Returns
    -------
    Standardised
        A sequence is missing if the case has no channel of it, if the channel is constant, or if it
        is a copy of FLAIR, as data sets hold that fill gaps in this way.

    Raises
    ------
    CaseError
        If there is no image or no FLAIR, or an intensity is not finite.
    """
    if case.image is None or "FLAIR" not in case.sequences:
        found = "no image" if case.image is None else ", ".join(case.sequences)
        msg = f"Expected case {case.id} to have an image with FLAIR, found: {found}."
        raise CaseError(msg)
    if not np.isfinite(case.image).all():
        msg = f"Expected the intensities of case {case.id} to be finite, found NaN or infinity."
        raise CaseError(msg)
    flair = case.image[..., case.sequences.index("FLAIR")]
    codes = np.full((*flair.shape, len(sequences)), MISSING, dtype=np.uint8)
    missing = []
    for channel, name in enumerate(sequences):
        scaled = None
        if name in case.sequences:
            values = case.image[..., case.sequences.index(name)]
            if name == "FLAIR" or not np.array_equal(values, flair):
                scaled = encode(values)
        if scaled is not None:
            codes[..., channel] = scaled
        elif name == "FLAIR":
            msg = f"Expected FLAIR of case {case.id} to show a head, found hardly any contrast."
            raise CaseError(msg)
        else:
            missing.append(name)
    return Standardised(codes, tuple(missing))


def encode(values: NDArray[np.generic]) -> NDArray[np.uint8] | None:
    """Scale one sequence of one volume robustly and give it as codes.

    Parameters
    ----------
    values : ndarray of shape (Z, Y, X)
        Finite intensities of any numeric type.

    Returns
    -------
    ndarray of uint8, shape (Z, Y, X), or None
        Codes 1 to 255; None if the foreground has no contrast, so that there is no scale.
    """
    intensities = values.astype(np.float32)
    low = float(intensities.min())
    high = float(np.percentile(intensities, _NEARLY_HIGHEST))
    head = intensities[intensities > low + _BACKGROUND * (high - low)]
    if head.size == 0:
        return None
    lower, median, upper = (float(value) for value in np.percentile(head, (25, 50, 75)))
    scale = (upper - lower) / _QUARTILES_TO_SD
    if scale <= 0:
        return None
    levels = ((intensities - median) / scale - LOWEST) / STEP + 1
    codes: NDArray[np.uint8] = np.clip(np.rint(levels), 1, 255).astype(np.uint8)
    return codes
