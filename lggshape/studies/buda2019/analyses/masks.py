"""Masks of a case to be measured: its own, changed in known ways, and by its probability."""

from collections.abc import Callable
from pathlib import Path

from lggshape.case import Case
from lggshape.masks import Mask
from lggshape.studies.buda2019.analyses.perturbation import jitter
from lggshape.studies.buda2019.analyses.probabilities import generator, read_probability

JITTER_AMPLITUDE = 1.0
"""Standard deviation of the random move of an outline, in pixels."""

JITTER_LENGTH = (1.0, 5.0)
"""Correlation length of this move in slices and in pixels."""

JITTER_DRAWS = 5


def own_mask(case: Case) -> Mask:
    """Return the mask that the case comes with."""
    assert case.mask is not None  # it is read to be measured
    return case.mask


def changed(case: Case, *, by: Callable[[Mask], Mask]) -> Mask:
    """Return the mask that the case comes with, after a change."""
    return by(own_mask(case))


def jittered(case: Case, *, seed: int, draw: int) -> Mask:
    """Move the outline of the mask that the case comes with at random."""
    rng = generator(seed, case.id, draw)
    return jitter(own_mask(case), amplitude=JITTER_AMPLITUDE, length=JITTER_LENGTH, rng=rng)


def above_threshold(case: Case, *, folder: Path, threshold: float | None = None) -> Mask:
    """Return all that lies above the threshold, before a component was chosen.

    Parameters
    ----------
    case : Case
        The case.
    folder : Path
        The folder in which its probability is kept.
    threshold : float, optional
        The lowest probability inside; by default that of the automatic mask.
    """
    found = read_probability(folder, case.id)
    cut = found.threshold if threshold is None else threshold
    return found.whole(found.values >= cut)


def component_above(case: Case, *, folder: Path, threshold: float) -> Mask:
    """Return the component that is chosen of what lies above a threshold."""
    return read_probability(folder, case.id).mask(threshold)
