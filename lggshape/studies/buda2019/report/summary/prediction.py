"""How well shape predicts the clusters."""

from collections.abc import Iterator
from typing import Any

from lggshape.report.blocks import Block, Column, Table
from lggshape.report.wording import interval_text
from lggshape.studies.buda2019.report.evidence import KINDS, StudyEvidence

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


def _area(row: Any) -> str:
    return interval_text(row.auc, row.auc_low, row.auc_high)
