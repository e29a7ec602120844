"""An evaluation: the scores of many cases, and what they say together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from lggshape.errors import InputError
from lggshape.evaluation.case import compare_case
from lggshape.evaluation.detection import detection_table
from lggshape.evaluation.matching import Matched
from lggshape.evaluation.scores import Scores, check_tolerance
from lggshape.evaluation.summaries import choose_labels, group_table, summary_table
from lggshape.labels import Label, Labels
from lggshape.parallel import map_cases

COLUMNS = (
    "case", "patient", "fold", *Scores._fields, "components_removed", "site", "missing_sequences",
    "predicted_volume", "reference_volume", "spacing_known", "reason",
)  # fmt: skip
"""Columns of `Evaluation.scores`, in order."""

SLICE_COLUMNS = (
    "case", "patient", "slice", "reference_area", "predicted_area", "overlap_area", "score",
)  # fmt: skip
"""Columns of `Evaluation.slices`, in order."""

_TITLES = {
    "dice": "Dice",
    "hd95": "HD95 ({unit})",
    "surface_dice": "Surface Dice (tolerance {tolerance:g} {unit})",
    "volume_error": "Volume error",
    "auc": "AUC of slices with tumour",
    "sensitivity": "Sensitivity for slices with tumour",
    "specificity": "Specificity for slices without",
}
"""What the summary shows, with 95 % intervals."""

LOW = 0.5
"""Cases with a Dice below this are named one by one."""


@dataclass(frozen=True)
class Evaluation:
    """How good predicted masks are.

    Attributes
    ----------
    scores : DataFrame
        A row a case, with the columns `COLUMNS`. A case that could not be compared has a row
        without scores; `reason` says why.
    summary : DataFrame
        Each score over the cases; see `summaries.summary_table`.
    groups : DataFrame
        Dice by groups of cases; see `summaries.group_table`.
    detection : DataFrame
        Slices with and without tumour; see `detection.detection_table`.
    slices : DataFrame
        A row a slice, with the columns `SLICE_COLUMNS`: what `detection` was computed from.
    failures : dict of str to str
        The cases that could not be compared, with the reason.
    without_prediction : tuple of str
        Cases that have a reference and no predicted mask, where nothing tells whether one was asked
        for.
    surface_tolerance : float
        Of the surface Dice, in mm; in pixels where the spacing is unknown.
    """

    scores: pd.DataFrame
    summary: pd.DataFrame
    groups: pd.DataFrame
    detection: pd.DataFrame
    slices: pd.DataFrame = field(repr=False)
    failures: dict[str, str]
    without_prediction: tuple[str, ...]
    surface_tolerance: float

    @property
    def low(self) -> pd.DataFrame:
        """The rows of `scores` with a Dice below `LOW`, the lowest first."""
        return self.scores[self.scores["dice"] < LOW].sort_values("dice", kind="stable")

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give every table by its name."""
        return {
            "scores": self.scores,
            "summary": self.summary,
            "groups": self.groups,
            "detection": self.detection,
            "slices": self.slices,
        }

    def as_json(self) -> dict[str, Any]:
        """Give everything but the slices as plain values, missing ones as None."""
        return {
            "surface_tolerance": self.surface_tolerance,
            "low": list(self.low["case"]),
            "failures": self.failures,
            "without_prediction": list(self.without_prediction),
            **{
                name: table.astype(object).where(table.notna(), None).to_dict("records")
                for name, table in self.tables().items()
                if name != "slices"
            },
        }

    def summary_text(self) -> str:
        """Give what was found in words, a line a thing; failures have their own place."""
        lines = [f"{len(self.scores) - len(self.failures)} of {len(self.scores)} cases evaluated"]
        row: Any
        for row in self.summary.itertuples():
            if row.score in _TITLES and row.n:
                title = _TITLES[row.score].format(tolerance=self.surface_tolerance, unit=row.unit)
                mean = _with_interval(row.mean, row.mean_low, row.mean_high)
                median = _with_interval(row.median, row.median_low, row.median_high)
                lines.append(f"{title}: mean {mean}, median {median}, n = {row.n}")
            if row.score == "dice":
                lines.append(self._low_text())
        for row in self.detection.itertuples():
            if row.measure in _TITLES and not math.isnan(row.estimate):
                estimate = _with_interval(row.estimate, row.low, row.high)
                lines.append(f"{_TITLES[row.measure]}: {estimate}")
        return "\n".join(lines)

    def _low_text(self) -> str:
        low = self.low
        count = low["patient"].nunique()
        people = f"{count} {'patient' if count == 1 else 'patients'}"
        # Several cases of one patient are told apart by their own names.
        several = len(low) > count
        names = low["case"] if several else low["patient"]
        named = [f"{name} {value:.3f}" for name, value in zip(names, low["dice"], strict=True)]
        listed = f": {', '.join(named)}" if named else ""
        return f"  {f'{len(low)} cases of ' if several else ''}{people} below {LOW}{listed}"


def evaluate(
    matched: Matched,
    *,
    labels: Labels | None = None,
    by: Sequence[str] = (),
    surface_tolerance: float = 1.0,
    seed: int = 0,
    jobs: int | None = None,
    scheduler: str | None = None,
    on_case: Callable[[], None] | None = None,
) -> Evaluation:
    """Compare predicted masks with references.

    Parameters
    ----------
    matched : Matched
        The cases, as from `match_cases`.
    labels : Labels, optional
        Labels of the patients, to group the cases by.
    by : sequence of str
        The labels to group by; by default gender and age where the tables have them (see
        `summaries.DEFAULT_GROUPS`).
    surface_tolerance : float
        Tolerance of the surface Dice, in mm; in pixels where the spacing is unknown.
    seed : int
        Of the bootstrap intervals.
    jobs : int, optional
        Number of processes; all cores by default.
    scheduler : str, optional
        Address of a Dask scheduler, to work there instead.
    on_case : callable, optional
        Called after each case.

    Returns
    -------
    Evaluation
        One bad case does not keep the others from being evaluated: it has a row without scores.

    Raises
    ------
    InputError
        If the tolerance is negative, a label to group by is not there or is no grouping, or no
        patient has a label.
    """
    check_tolerance(surface_tolerance)
    grouping = _grouping(matched, labels, by)
    compare = partial(compare_case, surface_tolerance=surface_tolerance)
    rows: list[dict[str, Any]] = []
    slices: list[pd.DataFrame] = []
    failures: dict[str, str] = {}
    for outcome in map_cases(compare, matched.pairs, jobs=jobs, scheduler=scheduler):
        pair = outcome.item
        if outcome.error is None:
            rows.append(outcome.value.row)
            slices.append(outcome.value.slices)
        else:
            failures[pair.id] = str(outcome.error)
            rows.append(
                {
                    "case": pair.id,
                    "patient": pair.patient,
                    "fold": pair.fold,
                    "components_removed": pair.components_removed,
                    "site": pair.site,
                    "reason": failures[pair.id],
                }
            )
        if on_case is not None:
            on_case()
    types = dict.fromkeys(Scores._fields, "float64") | {
        "components_removed": "Int64",
        "spacing_known": "boolean",
    }
    scores = pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)
    every_slice = (
        pd.concat(slices, ignore_index=True)
        if slices
        else pd.DataFrame(columns=list(SLICE_COLUMNS))
    )
    return Evaluation(
        scores=scores,
        summary=summary_table(scores, seed=seed),
        groups=group_table(scores, grouping, seed=seed),
        detection=detection_table(every_slice, seed=seed),
        slices=every_slice,
        failures=failures,
        without_prediction=matched.without_prediction,
        surface_tolerance=surface_tolerance,
    )


def _grouping(matched: Matched, labels: Labels | None, by: Sequence[str]) -> list[Label]:
    if labels is None:
        if by:
            msg = f"Expected label tables to group by {', '.join(by)}, found none."
            raise InputError(msg)
        return []
    patients = [pair.patient for pair in matched.pairs]
    if labels.patients.isdisjoint(patients):
        msg = (
            "Expected patients that have both masks and labels, found none in common: the first "
            f"are {patients[0]} and {min(labels.patients, default='none')}."
        )
        raise InputError(msg)
    return choose_labels(labels, by)


def _with_interval(estimate: float, low: float, high: float) -> str:
    return f"{estimate:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")
