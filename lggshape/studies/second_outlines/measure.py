"""Three outlines of each patient, measured in many ways."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lggshape.case import Case
from lggshape.errors import InputError
from lggshape.masks import Mask
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.features import FEATURES
from lggshape.shape.prepared import PreparedMask, prepare_mask
from lggshape.shape.radial import angular_standard_deviation
from lggshape.studies.buda2019.analyses.perturbation import resample, smooth
from lggshape.studies.buda2019.names import ASD, AUTOMATIC, BEVR, MANUAL
from lggshape.studies.second_outlines import slices
from lggshape.studies.second_outlines.names import COMPARED, IN_THE_SLICE, OUTLINES, SECOND

OFFSETS_OF_A_BIN = 36
"""Offsets, a degree apart, over which the angular standard deviation is averaged."""

AS_IT_IS = "as it is"
EVERY, THICK = "every k-th slice", "slices k thick"
FEWER_PIXELS = "half as many pixels a side"
SMOOTHED = {1.0: "smoothed, 1 pixel", 2.0: "smoothed, 2 pixels"}
WHOLE, ALL_SLICES = "whole mask", "mean over all slices"
SAME_SLICE, UPSIDE_DOWN = "slice of the manual mask", "slice of the manual mask, upside down"
ALL_OFFSETS, QUARTER_TURN = "mean of 36 offsets", "after a quarter-turn"


class Trio(NamedTuple):
    """The outlines of a patient."""

    patient: str
    sources: tuple[CaseSource, CaseSource, CaseSource]
    """In the order of `OUTLINES`."""


class Measured(NamedTuple):
    """What was measured.

    Attributes
    ----------
    features : DataFrame
        A row per patient, outline and way of measuring: `patient`, `masks`, `way`, and the
        features.
    overlaps : DataFrame
        A row per patient, pair of outlines, direction of the slices and symmetry: `patient`,
        `first`, `second`, `direction`, `symmetry`, `dice`, and `area_ratio` in voxels.
    grids : DataFrame
        A row per patient: `patient`, `k`, the slices from first to last of each outline
        (`slices_manual` and so on), and the correlation of the areas of manual and second group,
        `upwards` and `downwards`.
    """

    features: pd.DataFrame
    overlaps: pd.DataFrame
    grids: pd.DataFrame


def trios(*sources: Sequence[CaseSource]) -> list[Trio]:
    """Return the patients who have all three outlines, in the order of the first.

    Raises
    ------
    InputError
        If nobody has all three.
    """
    by_patient = [{source.patient: source for source in group} for group in sources]
    found = [
        Trio(patient, (first, by_patient[1][patient], by_patient[2][patient]))
        for patient, first in by_patient[0].items()
        if patient in by_patient[1] and patient in by_patient[2]
    ]
    if not found:
        msg = (
            "Expected patients with three outlines, found none: the first patients are "
            f"{', '.join(min(group, default='none') for group in by_patient)}."
        )
        raise InputError(msg)
    return found


def measure_all(
    patients: Sequence[Trio], *, jobs: int | None = None, on_progress: OnProgress | None = None
) -> Measured:
    """Measure the outlines of all patients in all ways."""
    advance = counter(on_progress, "measuring outlines", len(patients))
    features: list[dict[str, Any]] = []
    overlaps: list[dict[str, Any]] = []
    grids: list[dict[str, Any]] = []
    for found in map_all(_measure, patients, jobs=jobs):
        features += found[0]
        overlaps += found[1]
        grids += found[2]
        advance()
    return Measured(pd.DataFrame(features), pd.DataFrame(overlaps), pd.DataFrame(grids))


def shape_of(mask: Mask, conventions: Conventions = DEFAULT_CONVENTIONS) -> dict[str, float]:
    """Return the compared features of a mask, NaN where there are none."""
    prepared = prepare_mask(mask, conventions=conventions)
    return dict.fromkeys(COMPARED, np.nan) if prepared is None else _features(prepared, COMPARED)


def _features(prepared: PreparedMask, names: Sequence[str]) -> dict[str, float]:
    found = {name: FEATURES[name].measure(prepared) for name in names}
    return {
        name: np.nan if isinstance(value, str) else float(value) for name, value in found.items()
    }


def _measure(patient: Trio) -> tuple[list[dict[str, Any]], ...]:
    cases = [source.read(image=False) for source in patient.sources]
    masks = {name: _mask(case) for name, case in zip(OUTLINES, cases, strict=True)}
    if not all(mask.any() for mask in masks.values()):
        empty = [{"masks": name, "way": AS_IT_IS} for name in OUTLINES]
        return [{"patient": patient.patient} | row for row in empty], [], []
    prepared = {name: _prepared(mask) for name, mask in masks.items()}
    step = slices.step_between(masks[MANUAL], masks[SECOND])
    rows = [*_in_all_ways(masks), *_in_fewer_slices(masks[SECOND], step)]
    overlaps: list[dict[str, Any]] = []
    for upwards in (True, False):
        chosen = _same_slices(prepared, upwards=upwards)
        rows += _in_same_slices(chosen, SAME_SLICE if upwards else UPSIDE_DOWN)
        overlaps += _overlaps(chosen, "upwards" if upwards else "downwards")
    components = {name: one.component for name, one in prepared.items()}
    grid = {"k": float(step)}
    for name, mask in masks.items():
        grid[f"slices_{name}"] = float(slices.extent(mask)[1])
    for direction, upwards in (("upwards", True), ("downwards", False)):
        grid[direction] = slices.profile_correlation(
            components[MANUAL], components[SECOND], upwards=upwards
        )
    key = {"patient": patient.patient}
    return [key | row for row in rows], [key | row for row in overlaps], [key | grid]


def _mask(case: Case) -> Mask:
    assert case.mask is not None  # it is read to be measured
    return case.mask


def _prepared(mask: Mask) -> PreparedMask:
    found = prepare_mask(mask)
    assert found is not None  # empty masks have been left out
    return found


def _in_all_ways(masks: dict[str, Mask]) -> Iterator[dict[str, Any]]:
    """Measure each outline in the ways that need no other outline."""
    changes = {FEWER_PIXELS: partial(resample, factor=0.5)} | {
        name: partial(smooth, sigma=sigma) for sigma, name in SMOOTHED.items()
    }
    for masks_of, mask in masks.items():
        row = {"masks": masks_of}
        yield row | {"way": AS_IT_IS} | shape_of(mask)
        for name, change in changes.items():
            yield row | {"way": name} | shape_of(change(mask))
        yield row | {"way": WHOLE} | shape_of(mask, Conventions(component="all"))
        over_all = prepare_mask(mask, conventions=Conventions(slices="all"))
        if over_all is not None:
            yield row | {"way": ALL_SLICES} | _features(over_all, IN_THE_SLICE)
        contour = _prepared(mask).contours[0]
        values = [
            angular_standard_deviation(contour, offset=float(offset)).value
            for offset in range(OFFSETS_OF_A_BIN)
        ]
        yield row | {"way": ALL_OFFSETS, ASD: float(np.mean(values))}
        turned = angular_standard_deviation(contour, offset=18.0).value
        yield row | {"way": QUARTER_TURN, ASD: turned}


def _in_fewer_slices(mask: Mask, step: int) -> Iterator[dict[str, Any]]:
    for name, change in ((EVERY, slices.every_step), (THICK, slices.in_thick_slices)):
        yield {"masks": SECOND, "way": name} | shape_of(change(mask, step))


def _same_slices(prepared: dict[str, PreparedMask], *, upwards: bool) -> dict[str, Mask]:
    """Return each outline's component in the slice where the manual one is measured."""
    manual = prepared[MANUAL]
    number = manual.largest_slice
    chosen = {MANUAL: slices.only_slice(manual.component, number)}
    automatic = prepared[AUTOMATIC]
    same = number + manual.first_slice - automatic.first_slice
    if 0 <= same < len(automatic.component):
        chosen[AUTOMATIC] = slices.only_slice(automatic.component, same)
    second = prepared[SECOND].component
    place = slices.same_height(number, manual.component, second, upwards=upwards)
    chosen[SECOND] = slices.only_slice(second, place)
    return {name: mask for name, mask in chosen.items() if mask.any()}


def _in_same_slices(chosen: dict[str, Mask], way: str) -> Iterator[dict[str, Any]]:
    for name, mask in chosen.items():
        values = {key: value for key, value in shape_of(mask).items() if key != BEVR}
        yield {"masks": name, "way": way} | values


def _overlaps(chosen: dict[str, Mask], direction: str) -> Iterator[dict[str, Any]]:
    parts = {name: _prepared(mask).parts[0] for name, mask in chosen.items()}
    drawn = {name: slices.normalised(part) for name, part in parts.items()}
    for first, second in ((MANUAL, SECOND), (MANUAL, AUTOMATIC), (AUTOMATIC, SECOND)):
        if first in drawn and second in drawn:
            key: dict[str, Any] = {"first": first, "second": second, "direction": direction}
            key["area_ratio"] = float(parts[second].sum() / parts[first].sum())
            for symmetry, dice in slices.overlaps(drawn[first], drawn[second]).items():
                yield key | {"symmetry": symmetry, "dice": dice}
