"""The features of one kind of mask, by other conventions and of changed masks."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.readers import CaseSource
from lggshape.replication.probabilities import generator, read_probability
from lggshape.replication.sensitivity import Analysis
from lggshape.shape import Conventions, feature_table
from lggshape.shape.perturbation import dilate, erode, jitter, smooth
from lggshape.shape.table import Change

ASD, OFFSETS = "angular_standard_deviation", "angular_standard_deviation_offset_averaged"
MF, BEVR = "margin_fluctuation", "bounding_ellipsoid_volume_ratio"

JITTER_AMPLITUDE = 1.0
"""Of the random move of an outline: its standard deviation in pixels."""

JITTER_LENGTH = (1.0, 5.0)
"""Its correlation length in slices and in pixels."""

JITTER_DRAWS = 5
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)


class _Choice(NamedTuple):
    group: str
    analysis: str
    conventions: Conventions
    features: tuple[str, ...] = ()


CHOICES = (
    _Choice("slice", "mean over all slices", Conventions(slices="all"), (ASD, MF)),
    _Choice("ellipsoid", "voxel centres", Conventions(points="centres"), (BEVR,)),
    _Choice("ASD", "bins offset by 9 degrees", Conventions(bin_offset=9), (ASD,)),
    _Choice("ASD", "bins offset by 18 degrees", Conventions(bin_offset=18), (ASD,)),
    _Choice("ASD", "bins offset by 27 degrees", Conventions(bin_offset=27), (ASD,)),
    _Choice("MF", "window rounded up", Conventions(window="up"), (MF,)),
    _Choice("MF", "window rounded down", Conventions(window="down"), (MF,)),
    _Choice("MF", "window odd", Conventions(window="odd"), (MF,)),
    _Choice("component", "all of the mask", Conventions(component="all")),
)
"""The conventions of the features that could have been others, one at a time."""


def other_conventions(
    table: pd.DataFrame, sources: Sequence[CaseSource], *, jobs: int | None = None
) -> Iterator[Analysis]:
    """Measure masks by other conventions.

    Parameters
    ----------
    table : DataFrame
        The feature table of these masks by the conventions of the study.
    sources : sequence of CaseSource
        The masks.
    jobs : int, optional
        Number of processes; all cores by default.

    Yields
    ------
    Analysis
        One a choice.
    """
    kind = str(table["masks"].iloc[0])
    for choice in CHOICES:
        other = feature_table(sources, masks=kind, conventions=choice.conventions, jobs=jobs).table
        yield Analysis(choice.group, choice.analysis, other, choice.features)
    yield Analysis("ASD", "mean of offsets 0 and 18", table.assign(**{ASD: table[OFFSETS]}), (ASD,))


def changed_masks(
    kind: str, sources: Sequence[CaseSource], *, seed: int, jobs: int | None = None
) -> Iterator[Analysis]:
    """Measure masks that were eroded, dilated, smoothed, or whose outline was moved at random."""
    changes: dict[str, Change] = {
        "eroded by a pixel": _eroded,
        "dilated by a pixel": _dilated,
        "smoothed, 1 pixel": partial(_smoothed, sigma=1.0),
        "smoothed, 2 pixels": partial(_smoothed, sigma=2.0),
    }
    for draw in range(JITTER_DRAWS):
        changes[f"outline jittered, draw {draw + 1}"] = partial(jittered, seed=seed, draw=draw)
    for name, change in changes.items():
        table = feature_table(sources, masks=kind, change=change, jobs=jobs).table
        yield Analysis("mask", name, table)


def other_thresholds(
    kind: str, sources: Sequence[CaseSource], probabilities: Path, *, jobs: int | None = None
) -> Iterator[Analysis]:
    """Measure automatic masks at other thresholds, and without a choice of the component."""
    for threshold in THRESHOLDS:
        change = partial(_cut, folder=probabilities, threshold=threshold)
        table = feature_table(sources, masks=kind, change=change, jobs=jobs).table
        yield Analysis("threshold", f"probability {threshold:g}", table)
    everything = partial(above_threshold, folder=probabilities)
    conventions = Conventions(component="all")
    table = feature_table(
        sources, masks=kind, change=everything, conventions=conventions, jobs=jobs
    ).table
    yield Analysis("component", "all above the threshold", table)


def jittered(case: Case, *, seed: int, draw: int) -> NDArray[np.bool_]:
    """Move the outline of the mask at random."""
    rng = generator(seed, case.id, draw)
    return jitter(_mask(case), amplitude=JITTER_AMPLITUDE, length=JITTER_LENGTH, rng=rng)


def above_threshold(
    case: Case, *, folder: Path, threshold: float | None = None
) -> NDArray[np.bool_]:
    """Give all that lies above the threshold, before a component was chosen."""
    found = read_probability(folder, case.id)
    cut = found.threshold if threshold is None else threshold
    return found.whole(found.values >= cut)


def _cut(case: Case, *, folder: Path, threshold: float) -> NDArray[np.bool_]:
    return read_probability(folder, case.id).mask(threshold)


def _eroded(case: Case) -> NDArray[np.bool_]:
    return erode(_mask(case))


def _dilated(case: Case) -> NDArray[np.bool_]:
    return dilate(_mask(case))


def _smoothed(case: Case, *, sigma: float) -> NDArray[np.bool_]:
    return smooth(_mask(case), sigma)


def _mask(case: Case) -> NDArray[np.bool_]:
    assert case.mask is not None  # it is read to be measured
    return case.mask
