"""Every hypothesis with its interval on both kinds of mask, beside what the paper reports."""

import math
from typing import Any

from lggshape.figures.forest import ForestPanel, ForestRow, forest_plot
from lggshape.report import wording
from lggshape.report.blocks import Drawing
from lggshape.studies.buda2019.report.columns import predictor
from lggshape.studies.buda2019.report.evidence import KINDS, key, pair_name
from lggshape.studies.buda2019.report.findings import Findings

_NONE = (math.nan, math.nan, math.nan)


def forest(findings: Findings) -> Drawing:
    """Draw the ten hypotheses, and the areas under the curve that the paper reports."""
    kinds = [kind for kind in KINDS if findings.evidence.rows("associations", masks=kind).size]
    panels = [_tests(findings, kinds), _areas(findings, kinds)]
    panels = [panel for panel in panels if panel.rows]
    figure = forest_plot(panels, kinds, note_name="uncorrected p, automatic and manual (the paper)")
    data = "; ".join(
        f"{row.name}: "
        + ", ".join(
            f"{kind} {wording.interval_text(*estimate)}"
            for kind, estimate in zip(kinds, row.estimates, strict=True)
        )
        + (f", p {row.note}" if row.note else "")
        + (f", published {row.published:.2f}" if row.published is not None else "")
        for panel in panels
        for row in panel.rows
    )
    description = (
        "Every hypothesis on both kinds of mask, with 95 % intervals, uncorrected p and what the "
        "paper reports; the markers of those that hold after Bonferroni correction are filled"
    )
    return findings.gallery.keep(figure, description, "hypotheses", data=data)


def _tests(findings: Findings, kinds: list[str]) -> ForestPanel:
    evidence = findings.evidence
    rows = []
    for h in findings.family.hypotheses:
        found = [evidence.row("associations", masks=kind, **key(h)) for kind in kinds]
        p = " and ".join("—" if row is None else wording.p_text(row.p) for row in found)
        bound = "" if h.reported_below is None else f" (< {h.reported_below:g})"
        estimates = [_estimate(row, "effect", "effect_low", "effect_high") for row in found]
        holds = [row is not None and row.p_bonferroni <= findings.family.alpha for row in found]
        rows.append(ForestRow(pair_name(h.feature, h.label), estimates, p + bound, filled=holds))
    ends = [value for row in rows for estimate in row.estimates for value in estimate]
    top = max((value for value in ends if not math.isnan(value)), default=1.0)
    return ForestPanel(rows, "Cramér's V", 0.0, (-0.01, 1.05 * top))


def _areas(findings: Findings, kinds: list[str]) -> ForestPanel:
    """Return the areas under the curve that the paper reports, beside its own."""
    claimed = [row for row in findings.evidence.records("claims") if row.claim.startswith("AUC")]
    rows = []
    for first in claimed:
        if first.masks != kinds[0]:
            continue
        same = {row.masks: row for row in claimed if (row.feature, row.label) == first[2:4]}
        estimates = [_estimate(same.get(kind), "effect", "low", "high") for kind in kinds]
        name = f"{predictor(first.feature)}: {first.claim.split(' ')[2]}"
        rows.append(ForestRow(name, estimates, published=float(first.reported)))
    return ForestPanel(rows, "AUC, this cluster against the rest", 0.5, (0.0, 1.0))


def _estimate(row: Any, *names: str) -> tuple[float, float, float]:
    if row is None:
        return _NONE
    value, low, high = (float(getattr(row, name)) for name in names)
    return value, low, high
