"""How much the results depend on single choices, and on single institutions."""

from collections.abc import Iterator
from typing import Any

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, number_text, p_text
from lggshape.studies.buda2019.analyses.sensitivity import PRIMARY
from lggshape.studies.buda2019.names import AUTOMATIC, BEVR
from lggshape.studies.buda2019.report.columns import predictor
from lggshape.studies.buda2019.report.evidence import (
    KINDS,
    StudyEvidence,
    effect_text,
    hypothesis_column,
    key,
    pair_name,
)
from lggshape.studies.buda2019.report.summary.sites import missing_subtype, sites

_WITHOUT = "without institution "


def dependence(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what single choices and the largest institution do to the main hypotheses."""
    spans = [
        (h, *(evidence.row("sensitivity_spans", masks=masks, **key(h)) for masks in KINDS))
        for h in evidence.reported
    ]
    if any(None in row for row in spans):
        return
    yield Table.of(
        spans,
        "Each analysis changes one choice of the primary analysis, such as the cut-points, the "
        "convention of a feature or which patients are included. V over all analyses of all "
        "patients, and the number of analyses in which p lies below the paper's bound",
        "sensitivity_spans",
        hypothesis_column(),
        Column("lowest to highest V, automatic masks", lambda row: _span(row[1])),
        Column("manual masks", lambda row: _span(row[2])),
        Column("p below the bound, automatic masks", lambda row: _below(row[1])),
        Column("manual masks", lambda row: _below(row[2])),
    )
    yield from _centres(evidence)
    yield from _largest_institution(evidence)
    yield from sites(evidence)
    yield from missing_subtype(evidence)


def _span(row: Any) -> str:
    return f"{number_text(row.effect_low_of_all)} to {number_text(row.effect_high)}"


def _below(row: Any) -> str:
    return f"{row.below_reported:.0f} of {row.analyses}"


def _area(evidence: StudyEvidence, masks: str, analysis: str) -> Any:
    """Return the row of the highest AUC that the paper reports, in an analysis."""
    entry = evidence.family.reported_aucs[0]
    level = max(entry.values, key=lambda name: entry.values[name])
    return evidence.row(
        "sensitivity_areas", masks=masks, feature=BEVR, label=entry.label, level=level,
        analysis=analysis,
    )  # fmt: skip


def _centres(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what the ellipsoid over the voxels' centres does."""
    h = evidence.reported[0]
    tests = len(evidence.family.hypotheses)
    for masks in KINDS:
        row = evidence.row("sensitivity", masks=masks, analysis="voxel centres", **key(h))
        centres, corners = (_area(evidence, masks, name) for name in ("voxel centres", PRIMARY))
        if row is None or centres is None or corners is None:
            return
        text = (
            f"On {masks} masks, with the ellipsoid over the centres of the voxels in place of "
            f"their corners, the V of {pair_name(h.feature, h.label)} is {effect_text(row)}. Its p "
            f"is {p_text(row.p)}, and {p_text(min(1.0, row.p * tests))} after correction for "
            f"{tests} tests. The AUC of {predictor(BEVR)} for {centres.level} is "
            f"{number_text(centres.auc, 3)} in place of {number_text(corners.auc, 3)}."
        )
        if masks == AUTOMATIC:
            text += " The corners were chosen when the paper's AUC was already known."
        yield Text(text)


def _largest_institution(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what is left without the institution that has the most patients."""
    first = evidence.reported[0]
    rows = evidence.records("sensitivity", masks=AUTOMATIC, **key(first))
    without = [row for row in rows if row.analysis.startswith(_WITHOUT)]
    if not without:
        return
    fewest = min(without, key=lambda row: int(row.n))
    name, site = fewest.analysis, fewest.analysis.removeprefix(_WITHOUT)
    total = evidence.row("sensitivity", masks=AUTOMATIC, analysis=PRIMARY, **key(first)).n
    found = [
        (h, *(evidence.row("sensitivity", masks=masks, analysis=name, **key(h)) for masks in KINDS))
        for h in evidence.main
    ]
    if any(None in row for row in found):
        return
    yield Table.of(
        found,
        f"V (95 %) without institution {site}, which has {total - fewest.n} of the {total} "
        "patients",
        "sensitivity",
        hypothesis_column(),
        Column("n", lambda row: f"{row[1].n}"),
        Column("automatic masks", lambda row: effect_text(row[1])),
        Column("manual masks", lambda row: effect_text(row[2])),
    )
    areas = [_area(evidence, masks, name) for masks in KINDS]
    if None not in areas:
        automatic, manual = (interval_text(r.auc, r.auc_low, r.auc_high) for r in areas)
        excluding = ("Neither interval excludes", "One interval excludes", "Both intervals exclude")
        yield Text(
            f"Without {site}, the AUC of {predictor(BEVR)} for {areas[0].level} is {automatic} on "
            f"automatic masks and {manual} on manual masks. "
            f"{excluding[sum(r.auc_low > 0.5 for r in areas)]} 0.5."
        )
