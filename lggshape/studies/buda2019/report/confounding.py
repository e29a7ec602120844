"""What is left of the associations after adjustment for IDH and other covariates."""

import pandas as pd

from lggshape.report import columns
from lggshape.report.blocks import Section, Table, Text
from lggshape.studies.buda2019.report.columns import FEATURE, LABEL, MASKS, N, P, V
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.summary import PARTS


def confounding(findings: Findings) -> Section:
    """Return the section on what is left after adjustment for IDH and other covariates."""
    adjusted, mutants = findings.tables["adjusted"], findings.tables["within_mutants"]
    blocks = [
        *PARTS["confounding"](findings.evidence),
        Text(
            f"{_wild_types(findings.tables['wild_types'])} An association of shape with the "
            "cluster may therefore be an association with IDH. IDH can be seen as a confounder or "
            "as a mediator, so the results are given with and without it."
        ),
        Text(
            "None of these p-values is corrected. If the pixel size is unknown, volume is in "
            "voxels.",
            "note",
        ),
        Table.of(
            findings.tables["wild_types"], "Patients with IDH wild type, by cluster.",
            "wild_types",
            LABEL, columns.words("cluster", "level"), columns.count("patients", "patients"),
        ),
        Table.of(
            adjusted,
            "Ranks of the feature by cluster, adjusted for covariates (Freedman-Lane permutation "
            "within institutions). Partial R² is the share of the remaining variance that the "
            "clusters explain.",
            "adjusted",
            MASKS, FEATURE, LABEL, columns.words("model", "model"), N, P,
            columns.interval("partial R² (95 %)", "effect", "effect_low", "effect_high"),
        ),
        Table.of(
            mutants, "The same tests among patients with an IDH mutation.", "within_mutants",
            MASKS, FEATURE, LABEL, N, P, V,
        ),
        _binary_models(findings.tables["binary_models"]),
        *([_survival(survival)] if len(survival := findings.tables["survival"]) else []),
    ]  # fmt: skip
    return Section("confounding", "Is it shape, or IDH?", blocks)


def _wild_types(counts: pd.DataFrame) -> str:
    """Return in which cluster most patients with IDH wild type are."""
    most = counts.iloc[int(counts["patients"].argmax())]
    return (
        f"Of the {counts['patients'].sum()} patients with IDH wild type and a known "
        f"{most['label']}, {most['patients']} are in {most['level']}."
    )


def _binary_models(models: pd.DataFrame) -> Table:
    return Table.of(
        models,
        "One cluster against the rest, by ridge logistic regression. The odds ratio is per "
        "standard deviation; that of IDH wild type or of the higher grade is for having it.",
        "binary_models",
        MASKS, columns.words("model", "model"), columns.words("term", "term"), N,
        columns.count("events", "events"),
        columns.interval("odds ratio (95 %)", "odds_ratio", "low", "high"),
        columns.yes("exploratory", "exploratory"),
    )  # fmt: skip


def _survival(models: pd.DataFrame) -> Table:
    return Table.of(
        models,
        "Cox models. The hazard ratio is per standard deviation of the feature (towards irregular "
        "shapes) or of age; that of IDH wild type is for having it. A small p in the last column "
        "is evidence against proportional hazards.",
        "survival",
        MASKS, columns.words("endpoint", "endpoint"), FEATURE, columns.words("model", "model"),
        columns.feature("term", "term"), N, columns.count("events", "events"),
        columns.interval("hazard ratio (95 %)", "hazard_ratio", "low", "high"), P,
        columns.p("p, proportional", "p_proportional"),
    )  # fmt: skip
