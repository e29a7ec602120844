"""What was asked, and the answer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lggshape.report import columns, wording
from lggshape.report.blocks import Column, Drawing, Section, Table, Text
from lggshape.studies.buda2019.report.columns import LABEL, MASKS, N, predictor
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.summary import PARTS, sets


def answer(findings: Findings) -> Section:
    """Return the section that says what was found, beside the figures of the paper."""
    claims = findings.tables["claims"]
    blocks = [
        *_figure(findings),
        *PARTS["answer"](findings.evidence),
        Text(
            "The hypotheses were generated and tested in the same patients. This is therefore a "
            "check of the analysis, not independent evidence for the associations."
        ),
        Table.of(
            claims,
            "Each reported value by kind of mask. The effect is Cramér's V, or the AUC. Detectable "
            "is the smallest V that a test at alpha "
            f"{findings.family.alpha / len(findings.family.hypotheses):g} finds with 80 % power.",
            "claims",
            MASKS, Column("feature", _claimed, "text"), LABEL,
            columns.words("claim", "claim"), N, Column("found", _found),
            columns.interval("effect (95 %)", "effect", "low", "high"),
            columns.number("detectable", "detectable_v"),
            columns.yes("reached", "reached"),
        ),
    ]  # fmt: skip
    return Section("answer", "What was asked, and the answer", blocks, "Answer")


def _figure(findings: Findings) -> Iterator[Drawing]:
    """Draw effects and p over every set of masks."""
    if "associations" in findings.tables:
        figure = sets.figure(findings.evidence)
        drawing = findings.gallery.keep(figure, sets.description(findings.evidence), sets.FIGURE)
        yield replace(drawing, caption=sets.CAPTION)


def _claimed(row: Any) -> str:
    return wording.symbol(row.feature) if row.claim.startswith("p") else predictor(row.feature)


def _found(row: Any) -> str:
    if row.claim.startswith("p"):
        return f"p {wording.p_equals(row.found)}"
    return f"AUC {wording.number_text(row.found)}"
