"""The features of one kind of mask, by other conventions and of changed masks."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lggshape.readers import CaseSource
from lggshape.shape import Conventions, feature_table
from lggshape.shape.table import Change
from lggshape.studies.buda2019.analyses.masks import (
    JITTER_DRAWS,
    above_threshold,
    changed,
    component_above,
    jittered,
)
from lggshape.studies.buda2019.analyses.perturbation import dilate, erode, smooth
from lggshape.studies.buda2019.analyses.sensitivity import Analysis
from lggshape.studies.buda2019.names import ASD, BEVR, MANUAL, MF, OFFSETS

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
        One for each choice.
    """
    kind = str(table["masks"].iloc[0])
    choices = list(CHOICES)
    if kind == MANUAL:  # an automatic mask is one component
        choices.append(_Choice("component", "all of the mask", Conventions(component="all")))
    for choice in choices:
        other = feature_table(sources, masks=kind, conventions=choice.conventions, jobs=jobs).table
        yield Analysis(choice.group, choice.analysis, other, choice.features)
    yield Analysis("ASD", "mean of offsets 0 and 18", table.assign(**{ASD: table[OFFSETS]}), (ASD,))


def changed_masks(
    kind: str, sources: Sequence[CaseSource], *, seed: int, jobs: int | None = None
) -> Iterator[Analysis]:
    """Measure masks that were eroded, dilated, smoothed, or whose outline was moved at random.

    The draws of the random move are analyses of one name.
    """
    changes: dict[str, Change] = {
        "eroded by a pixel": partial(changed, by=erode),
        "dilated by a pixel": partial(changed, by=dilate),
        "smoothed, 1 pixel": partial(changed, by=partial(smooth, sigma=1.0)),
        "smoothed, 2 pixels": partial(changed, by=partial(smooth, sigma=2.0)),
    }
    draws: list[tuple[str, Change]] = [
        ("outline jittered", partial(jittered, seed=seed, draw=draw))
        for draw in range(JITTER_DRAWS)
    ]
    for name, change in [*changes.items(), *draws]:
        table = feature_table(sources, masks=kind, change=change, jobs=jobs).table
        yield Analysis("mask", name, table)


def other_thresholds(
    kind: str, sources: Sequence[CaseSource], probabilities: Path, *, jobs: int | None = None
) -> Iterator[Analysis]:
    """Measure automatic masks at other thresholds, and without a choice of the component."""
    for threshold in THRESHOLDS:
        change = partial(component_above, folder=probabilities, threshold=threshold)
        table = feature_table(sources, masks=kind, change=change, jobs=jobs).table
        yield Analysis("threshold", f"probability {threshold:g}", table)
    everything = partial(above_threshold, folder=probabilities)
    conventions = Conventions(component="all")
    table = feature_table(
        sources, masks=kind, change=everything, conventions=conventions, jobs=jobs
    ).table
    yield Analysis("component", "all above the threshold", table)
