"""What the results hang on, and what they are good for."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lggshape.association import Family
from lggshape.figures import decision_curves, interval_plot
from lggshape.report import blocks, wording
from lggshape.report.blocks import Block, Figure, Text
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
    about,
    p_strips,
    predictor,
)
from lggshape.studies.buda2019.sensitivity import PRIMARY

_LENGTH = (
    "The random move of the outlines (jitter) and the fields that masks are drawn by are white "
    "noise smoothed by a Gaussian. Its sigma is what is called their length: at that distance two "
    "points have a correlation of 0.78, at twice of 0.37."
)


def sensitivity(report: Report) -> Sequence[Block]:
    """Show what the tests hang on."""
    data = report.tables["sensitivity"]
    primary = data[data["analysis"] == PRIMARY]
    spans = report.tables["sensitivity_spans"]
    return [
        Text(
            "One choice changed at a time. No verdicts: the correction covers the primary tests "
            "alone."
        ),
        Figure(
            [
                report.gallery.keep(
                    "sensitivity",
                    "p of every hypothesis through all analyses; the primary one outlined, the "
                    "paper's bound as a tick, alpha after Bonferroni dashed",
                    p_strips(data, primary, report.family),
                )
            ]
        ),
        blocks.table(
            _smoother(data, report.family),
            "What smoother outlines do: manual masks as they are and smoothed by a Gaussian, and "
            "automatic masks.",
            "sensitivity",
            FEATURE, LABEL, MASKS, blocks.words("outline", "analysis"), N, blocks.p("p"), V,
        ),
        *(Text(text, "note") for text in sentences.fragility(spans)),
        blocks.table(
            spans,
            "Over all changes. V: Cramér's, of quartiles alone.", "sensitivity_spans",
            MASKS, FEATURE, LABEL, blocks.count("analyses", "analyses"),
            blocks.p("primary p"), blocks.p("smallest", "p_low"), blocks.p("median", "p_median"),
            blocks.p("largest", "p_high"), blocks.number("V", "effect"),
            blocks.number("lowest", "effect_low"), blocks.words("by", "lowest"),
            blocks.number("highest", "effect_high"),
        ),
        *_areas(report),
        *(
            blocks.table(
                data[about(data, masks, h)],
                f"{wording.symbol(h.feature)} × {h.label}, {masks} masks.", "sensitivity",
                blocks.words("group", "group"), blocks.words("analysis", "analysis"), N,
                blocks.p("p"),
                blocks.interval("V, or ε² (95 %)", "effect", "effect_low", "effect_high"),
            )
            for h in report.family.hypotheses
            if h.reported_below is not None
            for masks in (AUTOMATIC, MANUAL)
        ),
    ]  # fmt: skip


def _areas(report: Report) -> Iterator[Figure]:
    """Draw the highest area that the paper reports of each feature through all changes."""
    data = report.tables["sensitivity_areas"]
    for entry in report.family.reported_aucs:
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
        description = f"AUC of {name} for {level} on {entry.masks} masks through all changes"
        drawing = report.gallery.keep(
            f"areas-{entry.masks}-{wording.symbol(entry.feature)}", description, figure
        )
        yield Figure([drawing])


def _smoother(data: pd.DataFrame, family: Family) -> pd.DataFrame:
    smoothed = data["analysis"].str.startswith("smoothed") & (data["masks"] == MANUAL)
    chosen = data[(data["analysis"] == PRIMARY) | smoothed]
    reported = [h for h in family.hypotheses if h.reported_below is not None]
    kinds = (MANUAL, AUTOMATIC)
    return pd.concat([chosen[about(chosen, masks, h)] for h in reported for masks in kinds])


def confounding(report: Report) -> Sequence[Block]:
    """Show what is left of the associations given IDH and other covariates."""
    return [
        Text(
            f"{sentences.wild_types(report.tables['wild_types'])} So a shape that goes with the "
            "cluster may go with IDH. IDH can be read as what shape stands for, or as what stands "
            "between: both readings are given. All of this is outside the correction. Where the "
            "size of a pixel is not known, volume is that of pixels."
        ),
        *(
            Text(text, "note")
            for text in sentences.beyond_idh(
                report.tables["adjusted"], report.tables["within_mutants"], report.family
            )
        ),
        blocks.table(
            report.tables["wild_types"], "IDH wild types by cluster.", "wild_types",
            LABEL, blocks.words("cluster", "level"), blocks.count("patients", "patients"),
        ),
        blocks.table(
            report.tables["within_mutants"], "The same tests within patients with IDH mutation.",
            "within_mutants", MASKS, FEATURE, LABEL, N, blocks.p("p"), V,
        ),
        blocks.table(
            report.tables["adjusted"],
            "Ranks of the feature by cluster, given covariates: Freedman-Lane permutation within "
            "institution. Partial R²: the share of the remaining variance that the clusters take.",
            "adjusted",
            MASKS, FEATURE, LABEL, blocks.words("model", "model"), N, blocks.p("p"),
            blocks.interval("partial R² (95 %)", "effect", "effect_low", "effect_high"),
        ),
        blocks.table(
            report.tables["binary_models"],
            "One cluster against the rest, ridge logistic regression: odds ratio for each standard "
            "deviation; of wild type and higher grade, for having it.",
            "binary_models",
            MASKS, blocks.words("model", "model"), blocks.words("term", "term"), N,
            blocks.count("events", "events"),
            blocks.interval("odds ratio (95 %)", "odds_ratio", "low", "high"),
            blocks.yes("exploratory", "exploratory"),
        ),
        *(
            [
                blocks.table(
                    report.tables["survival"],
                    "Cox models: hazard ratio for each SD of the feature towards irregular "
                    "shapes, and of age; of wild type, for being one. A small p of the last "
                    "column speaks against proportional hazards.",
                    "survival",
                    MASKS, blocks.words("endpoint", "endpoint"), FEATURE,
                    blocks.words("model", "model"), blocks.feature("term", "term"), N,
                    blocks.count("events", "events"),
                    blocks.interval("hazard ratio (95 %)", "hazard_ratio", "low", "high"),
                    blocks.p("p"), blocks.p("p, proportional", "p_proportional"),
                )
            ]
            if len(report.tables["survival"])
            else []
        ),
    ]  # fmt: skip


def robustness(report: Report) -> Sequence[Block]:
    """Show how much the features change with the mask."""
    return [
        Text(_LENGTH),
        blocks.table(
            report.tables["robustness"],
            "Manual masks against the same masks changed. ICC(A,1); of the jitter the median over "
            "five draws.", "robustness",
            FEATURE, blocks.words("change", "change"), blocks.words("patients", "patients"), N,
            blocks.interval("ICC (95 %)", "icc", "low", "high"),
            blocks.number("median relative change", "median_relative_change", 3),
        )
    ]  # fmt: skip


def noise(report: Report) -> Sequence[Block]:
    """Show what noise on the images does."""
    agreement = report.tables["noise_agreement"]
    return [
        Text(
            "Noise on what the networks are shown, in standard deviations. The paper: mean and "
            "median Dice 0.82 and 0.85; with 10 % noise 0.81 and 0.85, with 20 % 0.79 and 0.85."
        ),
        blocks.table(
            report.tables["noise"], "Dice at each level.", "noise",
            blocks.number("noise", "noise", 1), N, blocks.number("mean Dice", "dice_mean", 3),
            blocks.number("median", "dice_median", 3), blocks.count("below 0.5", "below_half"),
            blocks.count("empty", "empty"),
        ),
        blocks.table(
            report.tables["noise_associations"], "The tests at each level.", "noise_associations",
            blocks.words("noise", "analysis"), FEATURE, LABEL, N, blocks.p("p"), V,
        ),
        blocks.table(
            report.tables["noise_areas"], "Areas under the curve at each level.", "noise_areas",
            blocks.words("noise", "analysis"), PREDICTOR, blocks.words("cluster", "level"), N,
            blocks.interval("AUC (95 %)", "auc", "auc_low", "auc_high"),
        ),
        blocks.table(
            agreement[agreement["measure"] == "ICC(A,1)"], "ICC with the manual features.",
            "noise_agreement",
            blocks.number("noise", "noise", 1), FEATURE, N,
            blocks.interval("ICC (95 %)", "estimate", "low", "high"),
        ),
    ]  # fmt: skip


def uncertainty(report: Report) -> Sequence[Block]:
    """Show what the uncertainty of the masks does."""
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
            "true: added error pulls the features towards noise, so p towards larger values. Nor "
            "are the spreads of the features intervals for what a better mask would give. Of "
            "networks and flips there are as many draws as the patient with the fewest has: out of "
            "fold, those of one network."
        ),
        Text(_LENGTH, "note"),
        *(Text(text, "note") for text in sentences.spread(report.tables["feature_spreads"])),
        Figure(
            [
                report.gallery.keep(
                    "stability", "p of every hypothesis over the draws; that of the masks outlined",
                    p_strips(shown, own, report.family),
                )
            ]
        ),
        blocks.table(
            report.tables["stability"], "The hypotheses over the draws.", "stability",
            blocks.words("draws by", "draws"), FEATURE, LABEL, blocks.count("draws", "count"),
            blocks.p("p, median", "p_median"), blocks.p("2.5 %", "p_low"),
            blocks.p("97.5 %", "p_high"), blocks.number("V, median", "effect_median"),
            blocks.number("stability", "stability"),
            blocks.number("below the paper's bound", "below_reported"),
        ),
        blocks.table(
            report.tables["feature_spreads"],
            "The features over the draws. Shift: of the median draw from the mask's own value. "
            "Outside: share of patients whose own value is not within 2.5 to 97.5 % of the draws. "
            "Width: of that range, over the standard deviation between patients.",
            "feature_spreads",
            blocks.words("draws by", "draws"), FEATURE, blocks.count("patients", "patients"),
            blocks.number("shift", "shift", 4), blocks.number("outside", "outside"),
            blocks.number("width", "width"),
        ),
    ]  # fmt: skip


def failed_attempt(report: Report) -> Sequence[Block]:
    """Show which choice of an attempt that failed breaks the association."""
    columns = (
        MASKS, blocks.words("ellipsoid", "ellipsoid"), blocks.words("component", "component"),
        blocks.words("in the plane", "in_plane"), blocks.words("test", "test"), N,
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
        *(
            Text(text)
            for text in sentences.failed_attempt(
                report.tables["failed_attempt"], report.tables["failed_attempt_one_at_a_time"]
            )
        ),
        blocks.table(
            report.tables["failed_attempt_one_at_a_time"], "One choice changed.",
            "failed_attempt_one_at_a_time",
            blocks.words("from", "start"), blocks.words("changed", "changed"), *columns,
        ),
        blocks.table(
            report.tables["failed_attempt_masks"],
            "Noise, until the mean Dice of all that lies above one half is no more than 0.71. The "
            "attempt: mean 0.707, median 0.808, six patients missed. What is called their masks is "
            "the last level; the others were added after it was seen to overshoot.",
            "failed_attempt_masks",
            blocks.number("noise", "noise", 1), blocks.number("mean Dice", "dice_mean", 3),
            blocks.number("median", "dice_median", 3), blocks.count("below 0.1", "below_tenth"),
            blocks.yes("low enough", "reached"),
        ),
        blocks.table(
            report.tables["failed_attempt"], "All combinations.", "failed_attempt", *columns
        ),
    ]  # fmt: skip


def prediction(report: Report) -> Sequence[Block]:
    """Show how well shape tells the clusters."""
    decision = report.tables["decision_curves"]
    shown = decision[(decision["masks"] == AUTOMATIC) & (decision["validation"] == "by patient")]
    found: list[Block] = [
        Text(
            "Ridge logistic regression, scaling and penalty chosen inside the training folds. A "
            "pooled area of useless predictions lies below 0.5, so compare with the other "
            "predictors. The intervals do not know that folds share training patients. Missing: "
            "patients without a predictor. Needed: patients for a shrinkage of 0.9 and the other "
            "criteria of Riley et al. 2020, if the area were the true one; none is given where its "
            "interval holds 0.5."
        ),
        blocks.table(
            report.tables["prediction"], "Each outcome against the rest.", "prediction",
            MASKS, blocks.words("outcome", "outcome"), blocks.words("predictors", "predictors"),
            blocks.words("validation", "validation"), N, blocks.count("events", "events"),
            blocks.count("missing", "missing"),
            blocks.interval("AUC (95 %)", "auc", "auc_low", "auc_high"),
            blocks.interval("calibration slope (95 %)", "slope", "slope_low", "slope_high"),
            blocks.number("Brier", "brier", 3), blocks.count("needed", "needed"),
            blocks.words("reason", "reason"),
        ),
    ]  # fmt: skip
    drawings = []
    for outcome, rows in shown.groupby("outcome", sort=False):
        thresholds = np.sort(rows["threshold"].unique())
        curves = {
            str(name): group.sort_values("threshold")["net_benefit"].to_numpy()
            for name, group in rows.groupby("predictors", sort=False)
        }
        everyone = rows.drop_duplicates("threshold").sort_values("threshold")["treat_all"]
        figure = decision_curves(thresholds, curves, everyone.to_numpy())
        description = f"Decision curves for {outcome}, automatic masks, by patient"
        drawings.append(report.gallery.keep(f"decision-{outcome}", description, figure))
    return [*found, Figure(drawings)]
