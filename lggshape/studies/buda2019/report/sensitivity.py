"""How much the results depend on single choices."""

from collections.abc import Iterator

import pandas as pd

from lggshape.figures import interval_plot
from lggshape.report import columns, wording
from lggshape.report.blocks import Drawing, Section, Table, Text
from lggshape.studies.buda2019.analyses.sensitivity import PRIMARY
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.columns import FEATURE, LABEL, MASKS, N, P, V, predictor
from lggshape.studies.buda2019.report.evidence import pair_name
from lggshape.studies.buda2019.report.findings import Findings, about, p_strips
from lggshape.studies.buda2019.report.summary import PARTS


def sensitivity(findings: Findings) -> Section:
    """Return the section on what the results depend on."""
    data, spans = findings.tables["sensitivity"], findings.tables["sensitivity_spans"]
    figure = p_strips(data, data[data["analysis"] == PRIMARY], findings.family)
    description = (
        "p of every hypothesis in all analyses; the primary one is outlined, the paper's bound is "
        "a tick, and alpha after Bonferroni is dashed"
    )
    blocks = [
        *PARTS["dependence"](findings.evidence),
        Text(
            "Each analysis changes one choice. No hypothesis is judged by them, because the "
            "correction covers the primary tests only."
        ),
        findings.gallery.keep(figure, description, "sensitivity"),
        Table.of(
            spans,
            "The range over all analyses. V is Cramér's V of the analyses that use quartiles. The "
            "last columns give the analysis with the lowest V, its number of patients, and the "
            "lowest V of the analyses that include all patients.",
            "sensitivity_spans",
            MASKS, FEATURE, LABEL, columns.count("analyses", "analyses"),
            columns.count("below the paper's bound", "below_reported"),
            columns.p("primary p"), columns.p("smallest", "p_low"), columns.p("median", "p_median"),
            columns.p("largest", "p_high"), columns.number("V", "effect"),
            columns.number("highest", "effect_high"), columns.number("lowest", "effect_low"),
            columns.words("by", "lowest"), columns.count("n", "lowest_n"),
            columns.number("lowest of all patients", "effect_low_of_all"),
        ),
        Table.of(
            _smoother(findings),
            "The effect of smoother outlines: manual masks as they are and smoothed by a Gaussian, "
            "and automatic masks.",
            "sensitivity",
            FEATURE, LABEL, MASKS, columns.words("outline", "analysis"), N, P, V,
        ),
        *_areas(findings),
        *(
            Table.of(
                data[about(data, masks, h)],
                f"{pair_name(h.feature, h.label)}, {masks} masks.", "sensitivity",
                columns.words("group", "group"), columns.words("analysis", "analysis"), N, P,
                columns.interval("V, or ε² (95 %)", "effect", "effect_low", "effect_high"),
            )
            for h in findings.reported
            for masks in (AUTOMATIC, MANUAL)
        ),
    ]  # fmt: skip
    return Section("sensitivity", "Sensitivity", blocks)


def _areas(findings: Findings) -> Iterator[Drawing]:
    """Draw the highest area that the paper reports of each feature through all changes."""
    data = findings.tables["sensitivity_areas"]
    for entry in findings.family.reported_aucs:
        level, value = max(entry.values.items(), key=lambda item: item[1])
        rows = data[
            (data["masks"] == entry.masks)
            & (data["feature"] == entry.feature)
            & (data["label"] == entry.label)
            & (data["level"] == level)
        ].dropna(subset="auc")
        if not len(rows):
            continue
        name = predictor(entry.feature)
        figure = interval_plot(
            rows["analysis"].tolist(),
            rows["auc"].tolist(),
            rows["auc_low"].tolist(),
            rows["auc_high"].tolist(),
            value_name=f"AUC of {name} for {level}, {entry.masks} masks",
            no_effect=0.5,
            limits=(0.0, 1.0),
            references=[value] * len(rows),
            reference_name="in the paper",
        )
        description = f"AUC of {name} for {level} on {entry.masks} masks in all analyses"
        symbol = wording.symbol(entry.feature)
        yield findings.gallery.keep(figure, description, "areas", entry.masks, symbol)


def _smoother(findings: Findings) -> pd.DataFrame:
    data = findings.tables["sensitivity"]
    smoothed = data["analysis"].str.startswith("smoothed") & (data["masks"] == MANUAL)
    chosen = data[(data["analysis"] == PRIMARY) | smoothed]
    kinds = (MANUAL, AUTOMATIC)
    return pd.concat(
        [chosen[about(chosen, masks, h)] for h in findings.reported for masks in kinds]
    )
