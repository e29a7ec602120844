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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import CaseError
from lggshape.head import find_head
from lggshape.segmentation.preprocessing.slabs import Slabs
from lggshape.slabwise import SlabComponents, high_percentile, slabs_of

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


class Scale(NamedTuple):
    """The scale of one sequence of one volume.

    Attributes
    ----------
    lowest : float
        The lowest intensity.
    median, deviation : float
        Median and robust standard deviation of the head.
    air : ndarray of uint8, shape (Z, Y, ceil(X / 8)), or None
        The bits of the air that is brought to the lowest intensity; None if there is none.
    """

    lowest: float
    median: float
    deviation: float
    air: NDArray[np.uint8] | None

    def encode(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Return the codes (1 to 255) of the volume."""
        codes = np.empty(values.shape, dtype=np.uint8)
        # Slice by slice: the steps of a large volume would take gigabytes.
        for number, one in enumerate(values):
            intensities = one.astype(np.float32)
            if self.air is not None:
                air = np.unpackbits(self.air[number], axis=-1, count=one.shape[-1])
                intensities[air.view(bool)] = self.lowest
            levels = ((intensities - self.median) / self.deviation - LOWEST) / STEP + 1
            codes[number] = np.clip(np.rint(levels), 1, 255)
        return codes


@dataclass(frozen=True)
class Standardised:
    """The image of a case on the scale that networks are trained on.

    Attributes
    ----------
    case : Case
        With the image.
    sequences : tuple of str
        The sequences that were asked for.
    slabs : Slabs
        How the slices are averaged.
    scales : dict of str to Scale
        Those of the sequences that are not missing.
    """

    case: Case
    sequences: tuple[str, ...]
    slabs: Slabs
    scales: Mapping[str, Scale]

    @property
    def missing(self) -> tuple[str, ...]:
        """The sequences that the case lacks."""
        return tuple(name for name in self.sequences if name not in self.scales)

    def codes_of(self, name: str) -> NDArray[np.uint8]:
        """Return the codes (S, Y, X) of a sequence that is not missing."""
        return self.scales[name].encode(_averaged(self.case, name, self.slabs))

    def codes(self) -> NDArray[np.uint8]:
        """Return the codes (S, Y, X, C): a channel per sequence, in their order."""
        assert self.case.image is not None  # it has scales
        shape = (self.slabs.number, *self.case.image.shape[1:3], len(self.sequences))
        codes = np.full(shape, MISSING, dtype=np.uint8)
        for channel, name in enumerate(self.sequences):
            if name in self.scales:
                codes[..., channel] = self.codes_of(name)
        return codes


def standardise(case: Case, sequences: Sequence[str], slabs: Slabs | None = None) -> Standardised:
    """Bring the image of a case to the scale that networks are trained on.

    Parameters
    ----------
    case : Case
        With an image (Z, Y, X, C) whose channels are named.
    sequences : sequence of str
        The sequences to return, FLAIR among them.
    slabs : Slabs, optional
        How the slices are averaged before; by default they are not.

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
    slabs = slabs or Slabs(len(case.image))
    missing = case.missing_sequences(sequences)
    # One sequence after the other, as numbers of 32 bits and as codes: all of a large image would
    # take gigabytes.
    found_scales = {
        name: find_scale(_averaged(case, name, slabs)) for name in sequences if name not in missing
    }
    scales = {name: scale for name, scale in found_scales.items() if scale is not None}
    if FLAIR not in scales:
        msg = f"Expected FLAIR of case {case.id} to show a head, found hardly any contrast."
        raise CaseError(msg)
    return Standardised(case, tuple(sequences), slabs, scales)


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
    scale = find_scale(values)
    return None if scale is None else scale.encode(values)


def find_scale(values: NDArray[np.generic]) -> Scale | None:
    """Find the scale of one sequence (Z, Y, X); None if its foreground has no contrast."""
    slabs = [values[part] for part in slabs_of(values.shape)]
    low, high = float(np.float32(values.min())), high_percentile(slabs, _NEARLY_HIGHEST)
    if low == high:
        return None
    outer = np.zeros(values.shape[1:], dtype=bool)
    outer[[0, -1]] = outer[:, [0, -1]] = True
    edges = values[:, outer].astype(np.float32)
    air, reach = float(np.median(edges)), _BACKGROUND * (high - low)
    around = None
    if low + reach < air and np.mean(edges == air) > _FLAT:
        flat = np.empty(values.shape, dtype=bool)
        for one, equal in zip(values, flat, strict=True):
            np.equal(one.astype(np.float32), air, out=equal)
        around = SlabComponents(flat).touching(outer)
    # Air may be noisy: what of it is bright enough does not lie in the head.
    head = find_head(values)
    for number, one in enumerate(values):
        intensities = one.astype(np.float32)
        if around is not None:
            head[number] &= ~around[number]
        elif air <= low + reach:
            head[number] &= intensities > low + reach
        else:
            head[number] &= np.abs(intensities - air) > reach
    inside = np.empty(np.count_nonzero(head), dtype=np.float32)
    if inside.size == 0:
        return None
    ends = np.cumsum(np.count_nonzero(head, axis=(1, 2)))
    for one, where, part in zip(values, head, np.split(inside, ends[:-1]), strict=True):
        part[:] = one[where]
    quartiles = np.percentile(inside, (25, 50, 75), overwrite_input=True)
    lower, median, upper = (float(value) for value in quartiles)
    deviation = (upper - lower) / _QUARTILES_TO_SD
    if deviation <= 0:
        return None
    return Scale(low, median, deviation, None if around is None else np.packbits(around, axis=-1))


def _averaged(case: Case, name: str, slabs: Slabs) -> NDArray[np.generic]:
    assert case.image is not None
    return slabs.average(case.image[..., case.sequences.index(name)])
