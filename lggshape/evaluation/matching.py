"""Which predicted mask belongs to which reference, and what the `segment` run says of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.readers import CaseSource, assign_patients
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.readers.predicted import MaskMeaning, folder_of, holds_a_run, open_predicted
from lggshape.readers.segmented import SEGMENTATION, SLICES
from lggshape.readers.value_names import whole_region_of
from lggshape.tables import TableSource, read_table


@dataclass(frozen=True)
class CasePair:
    """A case that was asked for: its predicted mask and its reference.

    Attributes
    ----------
    id, patient, site : str
        The case, its patient, and where it comes from if that is known.
    predicted : CaseSource
        Where the predicted mask is read from; one that fails with the reason if there is none.
    reference : CaseSource or None
        Where the reference is read from; None if there is none.
    fold : str
        The fold that held the case out, if it is known.
    components_removed : int or None
        Parts that the prediction's post-processing removed, if it is known.
    slice_scores : tuple of float or None
        A score of each slice: a higher one makes tumour more likely. None if there are none.
    """

    id: str
    patient: str
    site: str
    predicted: CaseSource
    reference: CaseSource | None = None
    fold: str = ""
    components_removed: int | None = None
    slice_scores: tuple[float, ...] | None = field(default=None, repr=False)

    @property
    def described(self) -> CaseSource:
        """The case with what is said of its reference besides, or else of its prediction."""
        known = self.reference or self.predicted
        return replace(
            known,
            session=known.session or self.predicted.session,
            columns=known.columns or self.predicted.columns,
        )


class Matched(NamedTuple):
    """The cases to evaluate.

    Attributes
    ----------
    pairs : tuple of CasePair
        The cases that were asked for.
    without_prediction : tuple of str
        The cases that have a reference and no predicted mask, if no table says which cases were
        asked for.
    regions : tuple of str
        The regions that are compared, in order; empty if masks are compared as they are.
    regions_left_out : tuple of str
        Those that the predicted masks do not tell.
    """

    pairs: tuple[CasePair, ...]
    without_prediction: tuple[str, ...]
    regions: tuple[str, ...] = ()
    regions_left_out: tuple[str, ...] = ()


def match_cases(
    predicted: Cases,
    reference: Cases,
    *,
    manifest: TableSource | None = None,
    meaning: MaskMeaning | None = None,
    resample_masks: bool = False,
) -> Matched:
    """Match predicted masks with references by the names of their cases.

    If `predicted` is the folder of a `segment` run, the cases of its `segmentation.csv` are those
    that were asked for; otherwise the cases that have a predicted mask. A case that failed there,
    or that has no reference, remains a case: it cannot be scored, but counts. A case that was
    skipped there is left out.

    Predicted masks without regions are those of the whole tumour: they are compared with the region
    of the reference that holds all others.

    Parameters
    ----------
    predicted, reference : str, path, or sequence of CaseSource or Case
        What `lggshape.open_cases` reads or returns, or cases in memory.
    manifest : path or DataFrame, optional
        A CSV or table with the columns `case` and `patient`, and perhaps `site`, in place of what
        the table of the run and the names of the references say.
    meaning : MaskMeaning, optional
        What the values of the masks mean, of those that are read from a path.
    resample_masks : bool
        Whether references that are read from a path are resampled onto their images.

    Returns
    -------
    Matched
        The pairs, in the order of the table or of the predicted masks.

    Raises
    ------
    InputError
        If there is no case, a table cannot be read or contradicts itself, no case has both a
        predicted mask and a reference, or the two have no region in common.
    """
    meaning = meaning or MaskMeaning()
    folder = folder_of(predicted)
    if folder is None and folder_of(reference) is None and (meaning.regions or meaning.mask_values):
        msg = "Expected regions of masks that are read from a path, found cases. Give these to "
        raise InputError(f"{msg}open_cases.")
    options = meaning.of_references(reference)
    if options and resample_masks:
        options["resample_masks"] = True
    sources = sources_of(reference, masks_only=True, **options)
    other = _run_of(sources)
    if other is not None and not holds_a_run(folder):
        msg = (
            f"Expected predicted masks first and references second, found {SEGMENTATION} of a "
            f"prediction in {other}."
        )
        raise InputError(msg)
    run = None if folder is None else _read_run(folder / SEGMENTATION)
    masks = {source.id: source for source in open_predicted(predicted, meaning)}
    if not (masks and sources):
        msg = f"Expected predicted and reference masks, found {len(masks)} and {len(sources)}."
        raise InputError(msg)
    if manifest is not None:
        sources = assign_patients(sources, manifest)
    references = {source.id: source for source in sources}
    asked = list(masks) if run is None else list(run)
    if not any(masks[case].has_mask and case in references for case in asked):
        msg = (
            "Expected a predicted mask and a reference of the same case, found none: the first "
            f"cases are {asked[0]} ({masks[asked[0]].path}) and {sources[0].id} "
            f"({sources[0].path})."
        )
        raise InputError(msg)
    scores = None if folder is None else _read_slice_scores(folder / SLICES)
    pairs = [
        _pair(
            case,
            masks[case],
            references.get(case),
            row=(run or {}).get(case, {}),
            # The manifest counts, not the patients that the run knew.
            as_predicted=run is not None and manifest is None,
            scores=None if scores is None else scores.get(case, ()),
        )
        for case in asked
    ]
    others = [case for case in references if case not in masks] if run is None else []
    common, left_out = _common_regions(list(masks.values()), sources)
    return Matched(tuple(pairs), tuple(others), common, left_out)


def _common_regions(
    masks: Sequence[CaseSource], references: Sequence[CaseSource]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the regions to compare, and those of the references that no predicted mask has."""
    predicted, known = _regions_of(masks, "predicted"), _regions_of(references, "reference")
    if not predicted and not known:
        return (), ()
    there = predicted
    if not predicted:
        there = tuple(filter(None, [whole_region_of(references)]))
    common = tuple(name for name in known if name in there)
    if not common:
        msg = (
            f"Expected predicted and reference masks of the same regions, found "
            f"{', '.join(predicted) or 'the whole tumour'} and {', '.join(known) or 'none'}. A "
            "region that holds all others is compared with masks of the whole tumour."
        )
        raise InputError(msg)
    return common, tuple(name for name in known if name not in common)


def _regions_of(sources: Sequence[CaseSource], called: str) -> tuple[str, ...]:
    kinds = {source.region_names for source in sources}
    if len(kinds) > 1:
        found = "; ".join(", ".join(names) or "none" for names in sorted(kinds))
        msg = f"Expected the {called} masks to have the same regions, found {found}."
        raise InputError(msg)
    return kinds.pop()


def _run_of(sources: Iterable[CaseSource]) -> Path | None:
    """Return the folder of the `segment` run that the first of some cases lies in, if it does."""
    places = (place for source in sources for place in (source.path.parent, source.path))
    return next(filter(holds_a_run, places), None)


def _pair(
    case: str,
    predicted: CaseSource,
    reference: CaseSource | None,
    *,
    row: Mapping[str, str],
    as_predicted: bool,
    scores: tuple[float, ...] | None,
) -> CasePair:
    known = reference or predicted
    removed = row.get("components_removed", "")
    return CasePair(
        id=case,
        patient=(predicted if as_predicted else known).patient,
        site=known.site,
        predicted=predicted,
        reference=reference,
        fold=row.get("fold", ""),
        components_removed=int(float(removed)) if removed else None,
        slice_scores=scores,
    )


def _read_run(path: Path) -> dict[str, dict[str, str]] | None:
    """Read what became of each case that a `segment` run did not skip; None without its table."""
    if not path.is_file():
        return None
    columns = ["case", "fold", "components_removed"]
    table = read_table(path, required=[*columns, "status"])
    doubled = sorted(set(table["case"][table["case"].duplicated()]))
    asked = table[table["status"] != "skipped"]
    if doubled or asked.empty:
        found = "no row" if table.empty else "only skipped cases"
        if doubled:
            found = f"several of {', '.join(doubled)}"
        msg = f"Expected one row per case, found {found}: {path}."
        raise InputError(msg)
    _numbers(table, "components_removed", path)
    return {
        row[0]: dict(zip(columns, row, strict=True))
        for row in asked[columns].itertuples(index=False, name=None)
    }


def _read_slice_scores(path: Path) -> dict[str, tuple[float, ...]] | None:
    """Read the score of each slice of each case, in order; None if there is no table of them."""
    if not path.is_file():
        return None
    table = read_table(path, required=["case", "slice", "score"])
    numbers = {name: _numbers(table, name, path) for name in ("slice", "score")}
    scores: dict[str, tuple[float, ...]] = {}
    for case, rows in table.groupby("case", sort=False):
        ordered = numbers["slice"][rows.index].sort_values()
        if ordered.tolist() != list(range(1, len(ordered) + 1)):
            msg = f"Expected the slices of case {case} to be numbered from 1 without gaps: {path}."
            raise InputError(msg)
        scores[str(case)] = tuple(numbers["score"][ordered.index].tolist())
    return scores


def _numbers(table: pd.DataFrame, column: str, path: Path) -> "pd.Series[float]":
    """Return a column as finite numbers; a cell may be empty."""
    cells = table[column]
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    wrong = cells[~np.isfinite(numbers) & (cells != "")]
    if len(wrong):
        msg = (
            f"Expected the column {column} of {path} to hold numbers, found {wrong.iloc[0]!r} in "
            f"line {wrong.index[0] + 2}."
        )
        raise InputError(msg)
    return numbers
