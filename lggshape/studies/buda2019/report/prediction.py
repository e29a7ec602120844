"""How well shape predicts the clusters."""

from collections.abc import Iterator

import numpy as np

from lggshape.figures import decision_curves
from lggshape.report import columns
from lggshape.report.blocks import Drawing, Section, SideBySide, Table, Text
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.buda2019.report.columns import AUC, MASKS, N
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.summary import PARTS


def prediction(findings: Findings) -> Section:
    """Return the section on prediction."""
    blocks = [
        Text(
            "Each outcome was predicted by ridge logistic regression. Scaling and penalty were "
            "chosen inside the training folds. The pooled AUC of predictors without any "
            "information lies below 0.5, so compare each AUC with those of the other predictors. "
            "The intervals do not account for the overlap of the training patients of the folds."
        ),
        *PARTS["prediction"](findings.evidence),
        Table.of(
            findings.tables["prediction"],
            "Each outcome against the rest. Missing: patients without a predictor. Needed: number "
            "of patients for a shrinkage of 0.9 and the other criteria of Riley et al. 2020, if "
            "this AUC were the true one; not given if the interval of the AUC contains 0.5.",
            "prediction",
            MASKS, columns.words("outcome", "outcome"), columns.words("predictors", "predictors"),
            columns.words("validation", "validation"), N, columns.count("events", "events"),
            columns.count("missing", "missing"), AUC,
            columns.interval("calibration slope (95 %)", "slope", "slope_low", "slope_high"),
            columns.number("Brier", "brier", 3), columns.count("needed", "needed"),
            columns.words("reason", "reason"),
        ),
        SideBySide(list(_decisions(findings))),
    ]  # fmt: skip
    return Section("prediction", "Prediction", blocks)


BENEFIT = ("net_benefit", "net_benefit_low", "net_benefit_high")


def _decisions(findings: Findings) -> Iterator[Drawing]:
    """Draw the decision curves of each outcome on automatic masks."""
    decision = findings.tables["decision_curves"]
    shown = decision[(decision["masks"] == AUTOMATIC) & (decision["validation"] == "by patient")]
    for outcome, rows in shown.groupby("outcome", sort=False):
        thresholds = np.sort(rows["threshold"].unique())
        curves = {
            str(name): group.sort_values("threshold")[list(BENEFIT)].to_numpy().T
            for name, group in rows.groupby("predictors", sort=False)
        }
        everyone = rows.drop_duplicates("threshold").sort_values("threshold")["treat_all"]
        figure = decision_curves(thresholds, curves, everyone.to_numpy())
        description = f"Decision curves for {outcome}, automatic masks, by patient"
        yield findings.gallery.keep(figure, description, "decision", str(outcome))
