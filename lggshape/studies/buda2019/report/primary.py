"""The study itself: its answer, patients, masks, tests, and the agreement of masks."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lggshape.figures import box_and_points, interval_plot
from lggshape.figures.agreement import agreement_plot
from lggshape.figures.outlines import outline_panels
from lggshape.report import blocks, wording
from lggshape.report.blocks import Block, Column, Figure, Text
from lggshape.studies.buda2019.agreement import MARGIN, side_by_side
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report import sentences
from lggshape.studies.buda2019.report.parts import (
    FEATURE,
    LABEL,
    MASKS,
    PREDICTOR,
    N,
    Report,
    V,
    predictor,
)


def answer(report: Report) -> Sequence[Block]:
    """Say which figures of the paper are reached."""
    claims = report.tables["claims"]
    own = claims[claims["masks"] == AUTOMATIC]
    reached, missed = own[own["reached"]], own[~own["reached"]]
    lead = (
        f"On automatic masks, {len(reached)} of {len(own)} figures that the paper reports are "
        "reached."
    )
    if len(missed):
        names = ", ".join(
            f"{wording.symbol(feature)} × {label} ({claim})"
            for feature, label, claim in missed[["feature", "label", "claim"]].to_numpy()
        )
        lead += f" Not reached: {names}."
    return [
        Text(lead, "lead"),
        Text(
            "The hypotheses come from an earlier study of this same collection. What holds "
            "here confirms the computation; it is not independent evidence. No external cohort was "
            "at hand."
        ),
        *(Text(text) for text in sentences.missed_claims(claims)),
        blocks.table(
            claims,
            "The figures that the paper reports, and what was found. A bound counts as reached if "
            "p lies under it; an area, if its interval excludes 0.5 and holds the paper's. Effect: "
            "Cramér's V, or the area. Detectable: the least V that a test at alpha "
            f"{report.family.alpha / len(report.family.hypotheses):g} finds with 80 % power.",
            "claims",
            MASKS, Column("feature", _claimed, is_text=True), LABEL,
            blocks.words("claim", "claim"), N, Column("found", _found),
            blocks.interval("effect (95 %)", "effect", "low", "high"),
            blocks.number("detectable", "detectable_v"),
            blocks.yes("reached", "reached"),
        ),
    ]  # fmt: skip


def _claimed(row: Any) -> str:
    return wording.symbol(row.feature) if row.claim.startswith("p") else predictor(row.feature)


def _found(row: Any) -> str:
    if row.claim.startswith("p"):
        return f"p {wording.p_equals(row.found)}"
    return f"AUC {wording.number_text(row.found)}"


def patients(report: Report) -> Sequence[Block]:
    """Show who was studied."""
    flow = report.tables["flow"]
    return [
        blocks.table(
            flow, "From the patients of the data set to those of each test.", "flow",
            MASKS, blocks.words("step", "step"), blocks.count("patients", "patients"),
            blocks.words("which", "which"),
        ),
        Text(
            "The paper's Tables 1 and 2, from the label tables; what one table lacks is taken from "
            "another. The paper's text has 53 men and its Table 1 32; its Table 2 has 21 "
            "oligoastrocytomas of grade III; the average age of 47 that it gives is the median.",
            "note",
        ),
        blocks.table(
            report.tables["cohort"], "The patients.", "cohort",
            blocks.words("characteristic", "characteristic"), blocks.words("level", "level"),
            blocks.count("patients", "patients"), blocks.number("value", "value", 1),
        ),
    ]  # fmt: skip


def masks(report: Report) -> Sequence[Block]:
    """Show how good the automatic masks are."""
    points = report.tables["outlines"]
    panels = [
        (
            f"{patient}\nDice {wording.number_text(rows['dice'].iloc[0])}",
            {
                kind: [
                    part[["row", "column"]].to_numpy()
                    for _, part in rows[rows["masks"] == kind].groupby("part")
                ]
                for kind in (AUTOMATIC, MANUAL)
            },
        )
        for patient, rows in points.groupby("patient", sort=False)
    ]
    description = "Outlines of automatic and manual masks, from the lowest Dice to the highest"
    return [
        Text(
            "Masks that networks of this package make of a patient come from those that were not "
            "trained on him. Distances are in the plane of the slice, in pixels where their size "
            "is not known. The paper: Dice 0.82 in the mean and 0.85 in the median."
        ),
        blocks.table(
            report.tables["evaluation"], "Automatic masks against the manual ones.", "evaluation",
            blocks.words("score", "score"), N,
            blocks.interval("mean (95 %)", "mean", "mean_low", "mean_high"),
            blocks.interval("median (95 %)", "median", "median_low", "median_high"),
        ),
        Figure([report.gallery.keep("outlines", description, outline_panels(panels))]),
    ]  # fmt: skip


def tests(report: Report) -> Sequence[Block]:
    """Show the ten hypotheses, and the areas under the curve."""
    bounds = report.family.reported_bounds
    data = report.tables["associations"].copy()
    data["bound"] = [bounds[key] for key in zip(data["feature"], data["label"], strict=True)]
    third = report.tables["table_3"]
    areas = third[third["masks"].fillna("") != MANUAL].copy()
    names = [
        f"{predictor(name)}: {level}"
        for name, level in zip(areas["predictor"], areas["level"], strict=True)
    ]
    figure = interval_plot(
        names,
        areas["auc"].tolist(),
        areas["auc_low"].tolist(),
        areas["auc_high"].tolist(),
        value_name="AUC, this cluster against the rest",
        no_effect=0.5,
        limits=(0.0, 1.0),
        references=[None if np.isnan(value) else value for value in areas["paper"]],
        reference_name="in the paper",
    )
    return [
        blocks.table(
            data,
            "The ten hypotheses: Fisher's exact test of quartile by cluster, corrected over the "
            "ten, for each kind of mask.",
            "associations",
            MASKS, FEATURE, LABEL, N, blocks.p("p"), blocks.p("Bonferroni", "p_bonferroni"),
            V, Column("paper: p <", lambda row: f"{row.bound:g}" if row.bound > 0 else "—"),
        ),
        blocks.table(
            third,
            "The paper's Table 3: areas under the curve, one cluster against the rest. Gender: man "
            "above woman. The paper does not say which way it counts; woman above man is one less "
            "the area.",
            "table_3",
            Column("predictor", lambda row: predictor(row.predictor), is_text=True), MASKS,
            blocks.words("cluster", "level"), N,
            blocks.interval("AUC (95 %)", "auc", "auc_low", "auc_high"),
            blocks.number("paper", "paper"),
        ),
        Figure(
            [report.gallery.keep("table-3", "Areas under the curve on automatic masks", figure)]
        ),
        *_groups(report),
    ]  # fmt: skip


def _groups(report: Report) -> Iterator[Figure]:
    """Draw the features in each group of the labels whose areas the paper reports."""
    features = report.tables["features"]
    kinds = features.groupby("masks", sort=False)
    for name in dict.fromkeys(entry.label for entry in report.family.reported_aucs):
        label = report.labels[name]
        for feature in (h.feature for h in report.family.hypotheses if h.label == name):
            symbol = wording.symbol(feature)
            drawings = []
            for masks, rows in kinds:
                levels = label.values.reindex(rows["patient"]).to_numpy()
                groups = [rows.loc[levels == level, feature].dropna() for level in label.levels]
                figure = box_and_points(groups, label.levels, value_name=symbol)
                description = f"{symbol} in each group of {name}, {masks} masks"
                file = f"{masks}-{symbol}-{name}"
                drawings.append(report.gallery.keep(file, description, figure))
            yield Figure(drawings)


def agreement(report: Report) -> Sequence[Block]:
    """Hold automatic features against manual ones."""
    found: list[Block] = [
        blocks.table(
            report.tables["agreement"], "Features of automatic masks against those of manual ones.",
            "agreement",
            FEATURE, blocks.words("measure", "measure"), N,
            Column("estimate (95 %)", _three_digits),
        ),
        Text(sentences.outlines(report.tables["agreement"])),
        Text(
            "Areas under the curve agree if the whole interval of their difference lies within "
            f"±{MARGIN:.2f}, which was set before. A p above 0.05 is not agreement."
        ),
        blocks.table(
            report.tables["area_differences"], "Automatic less manual, paired by patient (DeLong).",
            "area_differences",
            PREDICTOR, blocks.words("cluster", "level"), N,
            blocks.number("automatic", "automatic"), blocks.number("manual", "manual"),
            blocks.interval("difference (95 %)", "difference", "low", "high"),
            blocks.yes("agree", "agrees"),
        ),
    ]  # fmt: skip
    for name in dict.fromkeys(report.tables["agreement"]["feature"]):
        pairs = side_by_side(report.tables["features"], name)
        figure = agreement_plot(
            pairs[AUTOMATIC], pairs[MANUAL], measured_name=AUTOMATIC, reference_name=MANUAL,
            quantity=wording.symbol(name),
        )  # fmt: skip
        description = f"{wording.plain(name)}: automatic against manual, and Bland-Altman"
        found.append(Figure([report.gallery.keep(f"agreement-{name}", description, figure)]))
    return found


def _three_digits(row: Any) -> str:
    values = (wording.number_text(value, 3) for value in (row.estimate, row.low, row.high))
    return "{} ({} to {})".format(*values)
