"""The report of a replication: the paper's own companion."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawn

from lggshape.association import Family, Hypothesis, Labels
from lggshape.figures import box_and_points, decision_curves, interval_plot, strip_plot
from lggshape.figures.agreement import agreement_plot
from lggshape.files import write_table, write_text
from lggshape.replication.agreement import MARGIN, side_by_side
from lggshape.replication.names import AUTOMATIC, MANUAL
from lggshape.replication.sensitivity import PRIMARY
from lggshape.report import blocks, wording
from lggshape.report.blocks import Column, Figure, Section, Table, Text
from lggshape.report.checklists import Checklist, read_checklists
from lggshape.report.page import Gallery, page_environment

Tables = Mapping[str, pd.DataFrame]
Block = Text | Table | Figure

_FEATURE, _LABEL = blocks.feature(), blocks.words("label", "label")
_MASKS = blocks.words("masks", "masks")
_N = blocks.count("n", "n")
_V = blocks.interval("Cramér's V (95 %)", "effect", "effect_low", "effect_high")


class _Report(NamedTuple):
    """What the sections are made from."""

    tables: Tables
    family: Family
    labels: Labels
    gallery: Gallery


def write_report(tables: Tables, family: Family, labels: Labels, folder: Path) -> Path:
    """Write `report.html` and, beside it, every figure as PNG and SVG.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The tables of the steps that were done, by name. A section whose tables are not there is
        left out.
    family : Family
        The hypotheses.
    labels : Labels
        The labels of the patients.
    folder : Path
        Where to write.

    Returns
    -------
    Path
        The HTML file. It stands alone: styles and figures are in it.
    """
    report = _Report(tables, family, labels, Gallery(folder))
    sections = [
        Section(name, title, list(make(report)))
        for name, title, needed, make in _SECTIONS
        if needed in tables
    ]
    sections.append(_checklists(folder))
    environment = page_environment()
    environment.globals["zip"] = zip
    title = "Buda et al. 2019, again: tumour shape and genomic clusters of lower-grade gliomas"
    page = environment.get_template("replication.html.jinja").render(title=title, sections=sections)
    path = folder / "report.html"
    write_text(path, page)
    return path


def as_json(tables: Tables) -> dict[str, Any]:
    """Give all tables as plain values; missing and infinite ones, which JSON lacks, as None."""
    finite = {name: table.replace([np.inf, -np.inf], np.nan) for name, table in tables.items()}
    return {
        name: table.astype(object).where(table.notna(), None).to_dict("records")
        for name, table in finite.items()
    }


def _answer(report: _Report) -> Sequence[Block]:
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
        blocks.table(
            claims,
            "The figures that the paper reports, and what was found. A bound counts as reached if "
            "p lies under it; an area, if its interval excludes 0.5 and holds the paper's. Effect: "
            "Cramér's V, or the area. Detectable: the least V that a test at alpha "
            f"{report.family.alpha / len(report.family.hypotheses):g} finds with 80 % power.",
            "claims",
            _MASKS, _FEATURE, _LABEL, blocks.words("claim", "claim"), _N,
            Column("found", _found),
            blocks.interval("effect (95 %)", "effect", "low", "high"),
            blocks.number("detectable", "detectable_v"),
            blocks.yes("reached", "reached"),
        ),
    ]  # fmt: skip


def _found(row: Any) -> str:
    if row.claim.startswith("p"):
        return f"p {wording.p_equals(row.found)}"
    return f"AUC {wording.number_text(row.found)}"


def _patients(report: _Report) -> Sequence[Block]:
    flow = report.tables["flow"]
    return [
        blocks.table(
            flow, "From the patients of the data set to those of each test.", "flow",
            _MASKS, blocks.words("step", "step"), blocks.count("patients", "patients"),
            blocks.words("which", "which"),
        ),
        Text(
            "The paper's Tables 1 and 2, from the label tables. Its text has 53 men and its Table "
            "1 32; its Table 2 has 21 oligoastrocytomas of grade III; the average age "
            "given is the median.",
            "note",
        ),
        blocks.table(
            report.tables["cohort"], "The patients.", "cohort",
            blocks.words("characteristic", "characteristic"), blocks.words("level", "level"),
            blocks.count("patients", "patients"), blocks.number("value", "value", 1),
        ),
    ]  # fmt: skip


def _masks(report: _Report) -> Sequence[Block]:
    return [
        Text(
            "Automatic masks of a patient come from networks that were not trained on him. "
            "Distances are in the plane of the slice, in pixels."
        ),
        blocks.table(
            report.tables["evaluation"], "Automatic masks against the manual ones.", "evaluation",
            blocks.words("score", "score"), _N,
            blocks.interval("mean (95 %)", "mean", "mean_low", "mean_high"),
            blocks.interval("median (95 %)", "median", "median_low", "median_high"),
        ),
    ]  # fmt: skip


def _tests(report: _Report) -> Sequence[Block]:
    bounds = {(h.feature, h.label): h.reported_below for h in report.family.hypotheses}
    data = report.tables["associations"].copy()
    data["bound"] = [bounds[key] for key in zip(data["feature"], data["label"], strict=True)]
    third = report.tables["table_3"]
    areas = third[third["masks"].fillna("") != MANUAL].copy()
    names = [
        f"{_predictor(name)}: {level}"
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
            _MASKS, _FEATURE, _LABEL, _N, blocks.p("p"), blocks.p("Bonferroni", "p_bonferroni"),
            _V, Column("paper: p <", lambda row: f"{row.bound:g}" if row.bound > 0 else "—"),
        ),
        blocks.table(
            third,
            "The paper's Table 3: areas under the curve, one cluster against the rest. Gender: man "
            "above woman.",
            "table_3",
            Column("predictor", lambda row: _predictor(row.predictor), is_text=True), _MASKS,
            blocks.words("cluster", "level"), _N,
            blocks.interval("AUC (95 %)", "auc", "auc_low", "auc_high"),
            blocks.number("paper", "paper"),
        ),
        Figure(report.gallery.keep("table-3", "Areas under the curve on automatic masks", figure)),
        *_groups(report),
    ]  # fmt: skip


def _groups(report: _Report) -> Iterator[Figure]:
    """Draw the features in each group of the labels whose areas the paper reports."""
    features = report.tables["features"]
    for name in dict.fromkeys(entry.label for entry in report.family.reported_aucs):
        label = report.labels[name]
        tested = [h.feature for h in report.family.hypotheses if h.label == name]
        for feature, (masks, rows) in product(tested, features.groupby("masks", sort=False)):
            levels = label.values.reindex(rows["patient"]).to_numpy()
            groups = [rows.loc[levels == level, feature].dropna() for level in label.levels]
            symbol = wording.symbol(feature)
            figure = box_and_points(groups, label.levels, value_name=symbol)
            description = f"{symbol} in each group of {name}, {masks} masks"
            yield Figure(report.gallery.keep(f"{masks}-{symbol}-{name}", description, figure))


def _predictor(name: str) -> str:
    inverse = name.startswith("1/")
    return f"1/{wording.symbol(name[2:])}" if inverse else wording.symbol(name)


def _agreement(report: _Report) -> Sequence[Block]:
    found: list[Block] = [
        blocks.table(
            report.tables["agreement"], "Features of automatic masks against those of manual ones.",
            "agreement",
            _FEATURE, blocks.words("measure", "measure"), _N,
            Column("estimate (95 %)", _three_digits),
        ),
        Text(
            "Areas under the curve agree if the whole interval of their difference lies within "
            f"±{MARGIN:.2f}, which was set before. A p above 0.05 is not agreement."
        ),
        blocks.table(
            report.tables["area_differences"], "Automatic less manual, paired by patient (DeLong).",
            "area_differences",
            _FEATURE, blocks.words("cluster", "level"), _N,
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
        found.append(Figure(report.gallery.keep(f"agreement-{name}", description, figure)))
    return found


def _three_digits(row: Any) -> str:
    values = (wording.number_text(value, 3) for value in (row.estimate, row.low, row.high))
    return "{} ({} to {})".format(*values)


def _sensitivity(report: _Report) -> Sequence[Block]:
    data = report.tables["sensitivity"]
    primary = data[data["analysis"] == PRIMARY]
    spans = (
        data[data["analysis"] != PRIMARY]
        .groupby(["masks", "feature", "label"], sort=False)
        .agg(
            analyses=("p", "size"), p_low=("p", "min"), p_median=("p", "median"),
            p_high=("p", "max"), effect_low=("effect", "min"), effect_high=("effect", "max"),
        )
        .reset_index()
        .merge(primary[["masks", "feature", "label", "p"]], on=["masks", "feature", "label"])
    )  # fmt: skip
    return [
        Text(
            "One choice changed at a time. No verdicts: the correction covers the primary tests "
            "alone."
        ),
        Figure(
            report.gallery.keep(
                "sensitivity",
                "p of every hypothesis through all analyses; the primary one outlined, the paper's "
                "bound as a tick, alpha after Bonferroni dashed",
                _strips(data, primary, report.family),
            )
        ),
        blocks.table(
            spans, "From the smallest to the largest, over all changes.", "sensitivity",
            _MASKS, _FEATURE, _LABEL, blocks.count("analyses", "analyses"),
            blocks.p("primary p"), blocks.p("smallest", "p_low"), blocks.p("median", "p_median"),
            blocks.p("largest", "p_high"), blocks.number("V, from", "effect_low"),
            blocks.number("to", "effect_high"),
        ),
        *(
            blocks.table(
                data[_about(data, masks, h)],
                f"{wording.symbol(h.feature)} × {h.label}, {masks} masks.", "sensitivity",
                blocks.words("group", "group"), blocks.words("analysis", "analysis"), _N,
                blocks.p("p"),
                blocks.interval("V, or ε² (95 %)", "effect", "effect_low", "effect_high"),
            )
            for h in report.family.hypotheses
            if h.reported_below is not None
            for masks in (AUTOMATIC, MANUAL)
        ),
    ]  # fmt: skip


def _about(data: pd.DataFrame, masks: str, h: Hypothesis) -> "pd.Series[bool]":
    return (data["masks"] == masks) & (data["feature"] == h.feature) & (data["label"] == h.label)


def _strips(data: pd.DataFrame, marked: pd.DataFrame, family: Family) -> Drawn:
    def of(table: pd.DataFrame, masks: str, h: Hypothesis) -> list[float]:
        return [float(value) for value in table.loc[_about(table, masks, h), "p"]]

    kinds = list(dict.fromkeys(data["masks"]))
    return strip_plot(
        [f"{wording.symbol(h.feature)} × {h.label}" for h in family.hypotheses],
        {masks: [of(data, masks, h) for h in family.hypotheses] for masks in kinds},
        marked={
            masks: [next(iter(of(marked, masks, h)), np.nan) for h in family.hypotheses]
            for masks in kinds
        },
        bounds=[h.reported_below for h in family.hypotheses],
        level=family.alpha / len(family.hypotheses),
        value_name="p",
    )


def _confounding(report: _Report) -> Sequence[Block]:
    return [
        Text(
            "Most wild types lie in one cluster, so a shape that goes with the cluster may go with "
            "IDH. IDH can be read as what shape stands for, or as what stands between: both "
            "readings are given. All of this is outside the correction."
        ),
        blocks.table(
            report.tables["within_mutants"], "The same tests within patients with IDH mutation.",
            "within_mutants", _MASKS, _FEATURE, _LABEL, _N, blocks.p("p"), _V,
        ),
        blocks.table(
            report.tables["adjusted"],
            "Ranks of the feature by cluster, given covariates: Freedman-Lane permutation within "
            "institution. Partial R²: the share of the remaining variance that the clusters take.",
            "adjusted",
            _MASKS, _FEATURE, _LABEL, blocks.words("model", "model"), _N, blocks.p("p"),
            blocks.interval("partial R² (95 %)", "effect", "effect_low", "effect_high"),
        ),
        blocks.table(
            report.tables["binary_models"],
            "R2 against the rest: odds ratio for each standard deviation, ridge logistic "
            "regression.",
            "binary_models",
            _MASKS, blocks.words("model", "model"), blocks.words("term", "term"), _N,
            blocks.count("events", "events"),
            blocks.interval("odds ratio (95 %)", "odds_ratio", "low", "high"),
            blocks.yes("exploratory", "exploratory"),
        ),
        *(
            [
                blocks.table(
                    report.tables["survival"],
                    "Cox models: hazard ratio for each SD towards irregular shapes. "
                    "A small p of the last column speaks against proportional hazards.",
                    "survival",
                    _MASKS, blocks.words("endpoint", "endpoint"), _FEATURE,
                    blocks.words("model", "model"), blocks.feature("term", "term"), _N,
                    blocks.count("events", "events"),
                    blocks.interval("hazard ratio (95 %)", "hazard_ratio", "low", "high"),
                    blocks.p("p"), blocks.p("p, proportional", "p_proportional"),
                )
            ]
            if len(report.tables["survival"])
            else []
        ),
    ]  # fmt: skip


def _robustness(report: _Report) -> Sequence[Block]:
    return [
        blocks.table(
            report.tables["robustness"],
            "Manual masks against the same masks changed. ICC(A,1).", "robustness",
            _FEATURE, blocks.words("change", "change"), blocks.words("patients", "patients"), _N,
            blocks.interval("ICC (95 %)", "icc", "low", "high"),
            blocks.number("median relative change", "median_relative_change", 3),
        )
    ]  # fmt: skip


def _noise(report: _Report) -> Sequence[Block]:
    agreement = report.tables["noise_agreement"]
    return [
        Text("Noise on what the networks are shown, in standard deviations. Without flips."),
        blocks.table(
            report.tables["noise"], "Dice at each level.", "noise",
            blocks.number("noise", "noise", 1), _N, blocks.number("mean Dice", "dice_mean", 3),
            blocks.number("median", "dice_median", 3), blocks.count("below 0.5", "below_half"),
            blocks.count("empty", "empty"),
        ),
        blocks.table(
            report.tables["noise_associations"], "The tests at each level.", "noise_associations",
            blocks.words("noise", "analysis"), _FEATURE, _LABEL, _N, blocks.p("p"), _V,
        ),
        blocks.table(
            report.tables["noise_areas"], "Areas under the curve at each level.", "noise_areas",
            blocks.words("noise", "analysis"), _FEATURE, blocks.words("cluster", "level"), _N,
            blocks.interval("AUC (95 %)", "auc", "auc_low", "auc_high"),
        ),
        blocks.table(
            agreement[agreement["measure"] == "ICC(A,1)"], "ICC with the manual features.",
            "noise_agreement",
            blocks.number("noise", "noise", 1), _FEATURE, _N,
            blocks.interval("ICC (95 %)", "estimate", "low", "high"),
        ),
    ]  # fmt: skip


def _uncertainty(report: _Report) -> Sequence[Block]:
    draws = report.tables["draws"].rename(columns={"draws": "masks"})
    first = draws["masks"].iloc[0]
    shown = draws[draws["masks"] == first]
    primary = report.tables["associations"]
    own = primary[primary["masks"] == AUTOMATIC].assign(masks=first)
    return [
        Text(
            "Masks drawn from the calibrated probability, so that each voxel is inside as often as "
            "its probability says and neighbours agree. The stability is the share of draws in "
            "which p holds after correction. It is not the probability that a conclusion is "
            "true: added error pulls the features towards noise, so p towards larger values."
        ),
        Figure(
            report.gallery.keep(
                "stability", "p of every hypothesis over the draws; that of the masks outlined",
                _strips(shown, own, report.family),
            )
        ),
        blocks.table(
            report.tables["stability"], "The hypotheses over the draws.", "stability",
            blocks.words("draws by", "draws"), _FEATURE, _LABEL, blocks.count("draws", "count"),
            blocks.p("p, median", "p_median"), blocks.p("2.5 %", "p_low"),
            blocks.p("97.5 %", "p_high"), blocks.number("V, median", "effect_median"),
            blocks.number("stability", "stability"),
            blocks.number("below the paper's bound", "below_reported"),
        ),
    ]  # fmt: skip


def _failed_attempt(report: _Report) -> Sequence[Block]:
    columns = (
        _MASKS, blocks.words("ellipsoid", "ellipsoid"), blocks.words("component", "component"),
        blocks.words("in the plane", "in_plane"), blocks.words("test", "test"), _N,
        blocks.interval("AUC of 1/BEVR for R2 (95 %)", "auc", "auc_low", "auc_high"),
        blocks.p("p, BEVR", "p_ellipsoid"), blocks.p("p, MF", "p_margin"),
        blocks.number("Pearson's r with manual", "pearson"), blocks.number("ICC", "icc"),
    )  # fmt: skip
    return [
        Text(
            "A public attempt (AIscend-Research/lgg-imaging-repro, 2026) found the association on "
            "manual masks (smallest p of BEVR and RNASeq 0.0005, AUC 0.764) and not on its "
            "automatic ones (AUC 0.455, correlation of automatic and manual BEVR -0.01). Its "
            "choices and those of this study, one changed at a time. Ours: minimum-volume "
            "ellipsoid, one component, the features in the plane of this study, quartiles against "
            "all clusters. Theirs: ellipsoid in principal axes, every island, its radial "
            "signature, above the median against one cluster at a time with the smallest p taken."
        ),
        blocks.table(
            report.tables["failed_attempt_one_at_a_time"], "One choice changed.",
            "failed_attempt_one_at_a_time",
            blocks.words("from", "start"), blocks.words("changed", "changed"), *columns,
        ),
        blocks.table(
            report.tables["failed_attempt_masks"],
            "Noise that brings all that lies above one half down to the attempt's Dice.",
            "failed_attempt_masks",
            blocks.number("noise", "noise", 1), blocks.number("mean Dice", "dice_mean", 3),
            blocks.number("median", "dice_median", 3), blocks.count("below 0.1", "below_tenth"),
            blocks.yes("low enough", "reached"),
        ),
        blocks.table(
            report.tables["failed_attempt"], "All combinations.", "failed_attempt", *columns
        ),
    ]  # fmt: skip


def _prediction(report: _Report) -> Sequence[Block]:
    decision = report.tables["decision_curves"]
    shown = decision[(decision["masks"] == AUTOMATIC) & (decision["validation"] == "by patient")]
    found: list[Block] = [
        Text(
            "Ridge logistic regression, scaling and penalty chosen inside the training folds. A "
            "pooled area of useless predictions lies below 0.5, so compare with the other "
            "predictors. Needed: patients for a shrinkage of 0.9 and the other criteria of Riley "
            "et al. 2020, if the area were the true one."
        ),
        blocks.table(
            report.tables["prediction"], "Each outcome against the rest.", "prediction",
            _MASKS, blocks.words("outcome", "outcome"), blocks.words("predictors", "predictors"),
            blocks.words("validation", "validation"), _N, blocks.count("events", "events"),
            blocks.interval("AUC (95 %)", "auc", "auc_low", "auc_high"),
            blocks.interval("calibration slope (95 %)", "slope", "slope_low", "slope_high"),
            blocks.number("Brier", "brier", 3), blocks.count("needed", "needed"),
        ),
    ]  # fmt: skip
    for outcome, rows in shown.groupby("outcome", sort=False):
        thresholds = np.sort(rows["threshold"].unique())
        curves = {
            str(name): group.sort_values("threshold")["net_benefit"].to_numpy()
            for name, group in rows.groupby("predictors", sort=False)
        }
        everyone = rows.drop_duplicates("threshold").sort_values("threshold")["treat_all"]
        figure = decision_curves(thresholds, curves, everyone.to_numpy())
        description = f"Decision curves for {outcome}, automatic masks, by patient"
        found.append(Figure(report.gallery.keep(f"decision-{outcome}", description, figure)))
    return found


def _checklists(folder: Path) -> Section:
    checklists = read_checklists()
    every = [c.table().assign(checklist=c.name) for c in checklists]
    write_table(folder / "checklists.csv", pd.concat(every, ignore_index=True))
    found = [
        blocks.table(
            checklist.table(),
            f"{checklist.name}, filled in where the software knows the answer"
            f"{_score(checklist)}. {checklist.reference}",
            "checklists",
            blocks.count("No.", "number"), blocks.words("section", "section"),
            blocks.words("item", "item"), blocks.words("answer", "answer"),
            blocks.words("where", "where"),
        )
        for checklist in checklists
    ]  # fmt: skip
    return Section("checklists", "Checklists", found)


def _score(checklist: Checklist) -> str:
    return "" if checklist.score is None else f" (score {checklist.score:.1f} %)"


_SECTIONS: Sequence[tuple[str, str, str, Callable[[_Report], Sequence[Block]]]] = (
    ("answer", "What was asked, and the answer", "claims", _answer),
    ("patients", "Patients", "flow", _patients),
    ("masks", "Masks", "evaluation", _masks),
    ("tests", "The ten hypotheses", "associations", _tests),
    ("agreement", "Automatic and manual", "agreement", _agreement),
    ("sensitivity", "Sensitivity", "sensitivity", _sensitivity),
    ("confounding", "Is it shape, or IDH?", "adjusted", _confounding),
    ("robustness", "Robustness", "robustness", _robustness),
    ("noise", "Noise", "noise", _noise),
    ("uncertainty", "Uncertainty", "stability", _uncertainty),
    ("failed-attempt", "Why an attempt failed", "failed_attempt", _failed_attempt),
    ("prediction", "Prediction", "prediction", _prediction),
)
"""Anchor, heading, the table that it needs, and what makes it."""
