"""One case: read its predicted mask and its reference, and compare them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lggshape.case import SEQUENCES, Case, Spacing
from lggshape.errors import CaseError
from lggshape.evaluation.matching import CasePair
from lggshape.evaluation.scores import Scores, score_masks
from lggshape.files import names_cell
from lggshape.masks import Mask
from lggshape.readers import CaseSource
from lggshape.readers.predicted import on_grid_of
from lggshape.shape.portrait import Portrait, portray


class Compared(NamedTuple):
    """The result of comparing one case, or one region of it.

    Attributes
    ----------
    row : dict
        The scores and what describes the case, a row of `scores.csv`; with its `region`, if any.
    slices : DataFrame
        A row per slice: `case`, `patient`, `slice` (from 1), `reference_area`, `predicted_area` and
        `overlap_area` (pixels), `score`.
    portrait : Portrait or None
        The outlines of both masks in the slice of the largest area, if they were asked for.
    """

    row: dict[str, Any]
    slices: pd.DataFrame
    portrait: Portrait | None = None


def compare_case(
    pair: CasePair,
    *,
    surface_tolerance: float = 1.0,
    regions: Sequence[str] = (),
    resample_masks: bool = False,
    outlines: bool = False,
) -> list[Compared]:
    """Read the two masks of a case and compare them.

    Parameters
    ----------
    pair : CasePair
        The case.
    surface_tolerance : float
        Tolerance of the surface Dice, in mm; in pixels if the spacing is unknown.
    regions : sequence of str
        The regions to compare; by default the masks as they are.
    resample_masks : bool
        Whether a predicted mask on another grid is resampled onto that of the reference. So it is
        also if the reference was opened with this option.

    outlines : bool
        Whether to keep the outlines of the masks.

    Returns
    -------
    list of Compared
        The scores of each region, or of the masks. Volumes are in mm3; in voxels if the spacing is
        unknown.

    Raises
    ------
    CaseError
        If there is nothing to compare, a mask cannot be read, or the masks lie on two grids and
        are not resampled.
    """
    predicted = pair.predicted.read(image=False)
    if pair.reference is None:
        msg = f"Expected case {pair.id} to have a reference mask, found none."
        raise CaseError(msg)
    reference = pair.reference.read(image=False)
    missing_sequences = _missing_sequences(pair.reference)
    predicted, pair, note = _on_one_grid(predicted, reference, pair, resample=resample_masks)
    spacing = reference.geometry.spacing or predicted.geometry.spacing
    notes = "; ".join(filter(None, _notes(predicted, reference, note)))
    portrait = _outlined(predicted, reference) if outlines else None
    found = []
    asked: list[str | None] = list(regions) or [None]
    for region in asked:
        # A predicted mask without regions is the whole tumour.
        one, other = (
            case.regions[region] if region is not None and case.regions else case.mask
            for case in (predicted, reference)
        )
        assert one is not None  # both masks are required
        assert other is not None
        scores = score_masks(one, other, spacing=spacing, tolerance=surface_tolerance)
        slices = _compared_slices(pair, one, other)
        row = _row(pair, scores, slices, spacing, missing_sequences) | {"notes": notes}
        found.append(
            Compared({**row, "region": region}, slices.assign(region=region), portrait)
            if region is not None
            else Compared(row, slices, portrait)
        )
    return found


def _outlined(predicted: Case, reference: Case) -> Portrait | None:
    """Return the outlines of the masks that are not empty, None if both are."""
    masks = {"reference": reference, "predicted": predicted}
    drawn = {
        name: case for name, case in masks.items() if case.mask is not None and case.mask.any()
    }
    return portray(drawn, measured=False) if drawn else None


def _compared_slices(pair: CasePair, predicted: Mask, reference: Mask) -> pd.DataFrame:
    areas = [mask.sum(axis=(1, 2)) for mask in (reference, predicted)]
    slice_scores = areas[1] if pair.slice_scores is None else np.array(pair.slice_scores)
    if len(slice_scores) != len(areas[0]) or not np.isfinite(slice_scores).all():
        msg = (
            f"Expected a score for each of the {len(areas[0])} slices of case {pair.id}, found "
            f"{np.isfinite(slice_scores).sum()}."
        )
        raise CaseError(msg)
    return pd.DataFrame(
        {
            "case": pair.id,
            "patient": pair.patient,
            "slice": np.arange(1, len(areas[0]) + 1),
            "reference_area": areas[0],
            "predicted_area": areas[1],
            "overlap_area": (reference & predicted).sum(axis=(1, 2)),
            "score": slice_scores.astype(float),
        }
    )


def _row(
    pair: CasePair,
    scores: Scores,
    slices: pd.DataFrame,
    spacing: Spacing | None,
    missing_sequences: tuple[str | None, str],
) -> dict[str, Any]:
    """Return the scores and what describes the case."""
    voxel = float(np.prod(spacing)) if spacing else 1
    predicted, reference = (
        int(slices[name].sum()) for name in ("predicted_area", "reference_area")
    )
    missing, unknown = missing_sequences
    undefined = _reason(scores, empty="reference" if predicted else "predicted")
    return {
        "case": pair.id,
        "patient": pair.patient,
        "fold": pair.fold,
        **scores._asdict(),
        "components_removed": pair.components_removed,
        "site": pair.site,
        "missing_sequences": missing,
        "predicted_volume": predicted * voxel,
        "reference_volume": reference * voxel,
        "spacing_known": spacing is not None,
        "reason": "; ".join(filter(None, (undefined, unknown))),
    }


def _on_one_grid(
    predicted: Case, reference: Case, pair: CasePair, *, resample: bool
) -> tuple[Case, CasePair, str]:
    """Return the predicted mask on the grid of the reference, and what was done to bring it there.

    Scores of slices are those of its own grid: if it is resampled, the pair has none.
    """
    assert predicted.mask is not None
    assert reference.mask is not None
    assert pair.reference is not None
    found = predicted.geometry.difference(
        reference.geometry, predicted.mask.shape, reference.mask.shape
    )
    if not found:
        return predicted, pair, ""
    moved, note = on_grid_of(
        predicted,
        reference,
        found=found,
        where=f"{pair.predicted.path}, {pair.reference.path}",
        resample=resample or pair.reference.options.resample_masks,
    )
    return moved, replace(pair, slice_scores=None), note


def _notes(predicted: Case, reference: Case, note: str) -> Iterator[str]:
    """Yield what was done to read the masks, and which of them it is about."""
    for name, case in (("predicted", predicted), ("reference", reference)):
        yield from (f"{name}: {one}" for one in case.notes)
    yield note


def _missing_sequences(source: CaseSource) -> tuple[str | None, str]:
    """Return the sequences that an image lacks, and why they are unknown.

    The image is read separately, so that a damaged one does not prevent the scores.
    """
    try:
        case = source.read(mask=False)
    except CaseError as error:
        return None, f"no missing_sequences: {error}"
    return None if case.image is None else names_cell(case.missing_sequences(SEQUENCES)), ""


def _reason(scores: Scores, *, empty: str) -> str:
    """Return why scores are not defined: one of the masks is empty."""
    undefined = [name for name, value in scores._asdict().items() if np.isnan(value)]
    return f"the {empty} mask is empty: no {', '.join(undefined)}" if undefined else ""
