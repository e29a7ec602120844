"""How well shape predicts the clusters."""

from collections.abc import Iterator
from typing import Any

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, number_text
from lggshape.studies.buda2019.report.evidence import KINDS, StudyEvidence, intervals_containing

_SHOWN = ("shape", "age and grade", "shape, age and grade")


def prediction(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the AUC of each outcome by shape, by age and grade, and by all of them."""
    found = evidence.rows("prediction", validation="by patient")
    rows = [
        (
            outcome,
            masks,
            *(
                evidence.row(
                    "prediction", validation="by patient", outcome=outcome, masks=masks,
                    predictors=name,
                )
                for name in _SHOWN
            ),
        )
        for outcome in (dict.fromkeys(found["outcome"]) if len(found) else ())
        for masks in KINDS
    ]  # fmt: skip
    if not rows or any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        "AUC (95 %) of each outcome against the rest, in cross-validation by patient",
        "prediction",
        Column("outcome", lambda row: row[0], "text"),
        Column("masks", lambda row: row[1], "text"),
        Column("n", lambda row: f"{row[4].n}"),
        Column("shape", lambda row: _area(row[2])),
        Column("age and grade", lambda row: _area(row[3])),
        Column("shape, age and grade", lambda row: _area(row[4])),
    )
    yield from _increments(evidence)


def _area(row: Any) -> str:
    return interval_text(row.auc, row.auc_low, row.auc_high)


def _increments(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what shape adds to age and grade."""
    outcomes = dict.fromkeys(row.outcome for row in evidence.records("increments"))
    rows = [
        (name, *(evidence.row("increments", masks=m, outcome=name) for m in KINDS))
        for name in outcomes
    ]
    if not rows or any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        "What shape adds to age and grade: difference between the AUCs in the same patients and "
        "folds (95 %, DeLong)",
        "increments",
        Column("outcome", lambda row: row[0], "text"),
        Column("n", lambda row: f"{row[1].n}"),
        Column("automatic masks", lambda row: _difference(row[1])),
        Column("manual masks", lambda row: _difference(row[2])),
    )
    entry = evidence.family.reported_aucs[0]
    level = max(entry.values, key=lambda name: entry.values[name])
    for outcome, automatic, manual in rows:
        if outcome == level:
            yield Text(
                f"For {level}, shape adds {_difference(automatic)} to the AUC of age and grade on "
                f"automatic masks and {_difference(manual)} on manual masks"
                f"; {intervals_containing(0, automatic, manual)}."
            )


def _difference(row: Any) -> str:
    values = (round(value, 3) + 0.0 for value in (row.difference, row.low, row.high))
    return "{} ({} to {})".format(*(number_text(value, 3) for value in values))
