"""What was asked, and the answer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lggshape.report import columns, wording
from lggshape.report.blocks import Block, Column, Drawing, Facts, Section, Table, Text, strong
from lggshape.shape import FEATURES
from lggshape.studies.buda2019.report.columns import LABEL, MASKS, N, predictor
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.forest import forest
from lggshape.studies.buda2019.report.summary import PARTS, sets
from lggshape.studies.buda2019.report.summary.answer import conclusion


def answer(findings: Findings) -> Section:
    """Return the section that says what was found, beside the figures of the paper."""
    claims = findings.tables["claims"]
    first = list(conclusion(findings.evidence))
    figures = "associations" in findings.tables
    blocks = [
        Text(
            strong("Question:") + " Is the shape of lower-grade gliomas associated with their "
            "genomic clusters, as the paper reports?",
            "lead",
        ),
        *(Text(block.text, "lead") for block in first if isinstance(block, Text)),
        Text(
            strong("How sure is this?") + " The hypotheses were generated and tested in the same "
            "patients. This is therefore a check of the analysis, not independent evidence for the "
            "associations.",
            "lead",
        ),
        *([forest(findings)] if figures else []),
        *_terms(findings),
        *(block for block in PARTS["answer"](findings.evidence) if block not in first),
        *_figure(findings),
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


def _terms(findings: Findings) -> Iterator[Block]:
    """Yield what the features and clusters are, where they first appear."""
    names = dict.fromkeys(h.feature for h in findings.family.hypotheses)
    yield Facts(
        [
            (wording.symbol(name), f"{wording.plain(name)}. {FEATURES[name].definition}")
            for name in names
        ]
        + [
            (
                "Clusters",
                "Groups of patients whose tumours are alike in one kind of molecular data, found "
                "by The Cancer Genome Atlas: gene expression (RNASeq: R1 to R4), DNA methylation "
                "(M1 to M5), copy number (CN: C1 to C3), microRNA (mi1 to mi4), and all of these "
                "together (COC: coc1 to coc3, the cluster of clusters).",
            ),
            (
                "IDH/1p19q",
                "Mutation of IDH, and codeletion of the chromosome arms 1p and 19q, by which "
                "gliomas are classified.",
            ),
        ]
    )


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
