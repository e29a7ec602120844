"""All cases compared, each by itself: one bad case does not keep the others from being compared."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from lggshape.evaluation.by_region import REGION, with_region
from lggshape.evaluation.compare_case import Compared
from lggshape.evaluation.matching import CasePair, Matched
from lggshape.evaluation.scores import Scores
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.shape.portrait import Portrait

COLUMNS = (
    "case", "patient", "fold", *Scores._fields, "components_removed", "site", "missing_sequences",
    "predicted_volume", "reference_volume", "spacing_known", "notes", "reason",
)  # fmt: skip
"""Columns of `Evaluation.scores`, in order."""

SLICE_COLUMNS = (
    "case", "patient", "slice", "reference_area", "predicted_area", "overlap_area", "score",
)  # fmt: skip
"""Columns of `Evaluation.slices`, in order."""


class ComparedCases(NamedTuple):
    """What came of all cases; the attributes are those of `Evaluation`."""

    scores: pd.DataFrame
    slices: pd.DataFrame
    failures: dict[str, str]
    portraits: dict[str, Portrait]


def compare_cases(
    matched: Matched,
    compare: Callable[[CasePair], list[Compared]],
    *,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> ComparedCases:
    """Compare the two masks of every case.

    Parameters
    ----------
    matched : Matched
        The cases.
    compare : callable
        Takes a pair and returns what `compare_case` does.
    jobs, on_progress
        As for `evaluate`.

    Returns
    -------
    ComparedCases
        A case that could not be compared has a row without scores, per region.
    """
    rows: list[dict[str, Any]] = []
    columns = with_region(SLICE_COLUMNS, matched.regions)
    slices = [pd.DataFrame(columns=columns)]
    failures: dict[str, str] = {}
    portraits: dict[str, Portrait] = {}
    advance = counter(on_progress, "evaluating", len(matched.pairs))
    for outcome in map_cases(compare, matched.pairs, jobs=jobs):
        if outcome.error is None:
            rows += [one.row for one in outcome.value]
            slices += [one.slices for one in outcome.value]
            drawn = outcome.value[0].portrait
            portraits |= {} if drawn is None else {outcome.item.id: drawn}
        else:
            failures[outcome.item.id] = str(outcome.error)
            rows += _failed_rows(outcome.item, str(outcome.error), matched.regions)
        advance()
    every_slice = pd.concat(slices[1:] or slices, ignore_index=True)[columns]
    return ComparedCases(_scores_table(rows, matched.regions), every_slice, failures, portraits)


def _failed_rows(pair: CasePair, reason: str, regions: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of a case that could not be compared, one per region."""
    row = {
        "case": pair.id,
        "patient": pair.patient,
        "fold": pair.fold,
        "components_removed": pair.components_removed,
        "site": pair.site,
        "reason": reason,
    }
    return [{**row, REGION: region} for region in regions] or [row]


def _scores_table(rows: list[dict[str, Any]], regions: Sequence[str]) -> pd.DataFrame:
    types = dict.fromkeys(Scores._fields, "float64") | {
        "components_removed": "Int64",
        "spacing_known": "boolean",
    }
    return pd.DataFrame(rows, columns=with_region(COLUMNS, regions)).astype(types)
