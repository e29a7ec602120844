"""How well shape tells the cluster of patients who were not trained on."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.labels import Labels
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.statistics import auc
from lggshape.statistics.performance import calibration, decision_curve, net_benefit_interval
from lggshape.statistics.prediction import cross_validated, stratified_folds
from lggshape.statistics.sample_size import cox_snell_from_auc, required_sample_size
from lggshape.studies.buda2019.analyses.confounding import Covariates
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.buda2019.roles import Roles

FOLDS, REPETITIONS = 5, 20
_CERTAIN = 1e-9
THRESHOLDS = np.linspace(0.05, 0.6, 12)

_KEY = ["masks", "outcome", "predictors", "validation"]
_SCORES = [
    "n", "events", "terms", "missing", "auc", "auc_low", "auc_high", "slope", "slope_low",
    "slope_high", "intercept", "brier", "scaled_brier", "needed", "reason",
]  # fmt: skip

_DECISION = ["threshold", "net_benefit", "net_benefit_low", "net_benefit_high", "treat_all"]

PREDICTORS: Mapping[str, tuple[str, ...]] = {
    "shape": ("shape",),
    "volume and location": ("volume", "location"),
    "age": ("age",),
    "age and grade": ("age", "grade"),
    "shape, age and grade": ("shape", "age", "grade"),
}


class Predicted(NamedTuple):
    """What came of the predictions.

    Attributes
    ----------
    scores : DataFrame
        A row per kind of mask, outcome, set of predictors and validation: `masks`, `outcome`,
        `predictors`, `validation` ("by patient": medians over repetitions, or "by institution"),
        `n`, `events`, `terms`, `missing` (patients without a predictor), `auc`, `auc_low`,
        `auc_high`, `slope`, `slope_low`, `slope_high`, `intercept`, `brier`, `scaled_brier`,
        `needed`, the number of patients that a model of this many terms and this AUC would need
        (missing if the interval of the AUC holds 0.5, or the AUC is 1), and `reason` where patients
        are too few.
    decision : DataFrame
        A row per threshold, for what could be predicted: `masks`, `outcome`, `predictors`,
        `validation`, `threshold`, `net_benefit`, `net_benefit_low`, `net_benefit_high`,
        `treat_all`.
    """

    scores: pd.DataFrame
    decision: pd.DataFrame


class PredictionTask(NamedTuple):
    """An outcome to be predicted: who has it, by which columns, of which institution."""

    masks: str
    outcome: str
    predictors: str
    happened: NDArray[np.bool_]
    design: NDArray[np.float64]
    sites: NDArray[np.str_]
    missing: int


def predict(
    features: pd.DataFrame,
    labels: Labels,
    roles: Roles,
    sites: "pd.Series[str]",
    *,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Predicted:
    """Predict each level of the target label, and IDH wild type, in cross-validation.

    Parameters
    ----------
    features : DataFrame
        A feature table of one or more kinds of mask.
    labels : Labels
        The labels of the patients.
    roles : Roles
        Which label is which.
    sites : Series
        The institution by patient.
    seed : int
        Seed of the folds.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each model.

    Returns
    -------
    Predicted
        Scores and decision curves.
    """
    scores: list[dict[str, Any]] = []
    decision: list[dict[str, Any]] = []
    tasks = [
        task
        for masks, group in features.groupby("masks", sort=False)
        for task in prediction_tasks(str(masks), group, labels, roles, sites)
    ]
    advance = counter(on_progress, "predicting", len(tasks))
    for found in map_all(partial(_predict, seed=seed), tasks, jobs=jobs):
        scores += found[0]
        decision += found[1]
        advance()
    return Predicted(
        pd.DataFrame(scores, columns=[*_KEY, *_SCORES]),
        pd.DataFrame(decision, columns=[*_KEY, *_DECISION]),
    )


def prediction_tasks(
    masks: str, group: pd.DataFrame, labels: Labels, roles: Roles, sites: "pd.Series[str]"
) -> list[PredictionTask]:
    """Return every outcome by every set of predictors, among the patients who have all of it."""
    covariates = Covariates(group, labels, roles, sites)
    location = labels[roles.location].values.reindex(covariates.index)
    known = pd.get_dummies(location, dtype=float).iloc[:, 1:]
    covariates.columns["location"] = known.where(location.notna(), np.nan)
    covariates.columns["shape"] = pd.DataFrame(
        {
            "ASD": group[ASD].to_numpy(float),
            "MF": group[MF].to_numpy(float),
            "1/BEVR": 1 / group[BEVR].to_numpy(float),
        },
        index=covariates.index,
    )
    outcomes = {
        level: labels[roles.subtype].values.reindex(covariates.index)
        for level in labels[roles.subtype].levels
    }
    outcomes[roles.wild_type] = labels[roles.idh].values.reindex(covariates.index)
    tasks = []
    for level, values in outcomes.items():
        for name, parts in PREDICTORS.items():
            design = covariates.design(*parts)
            has_outcome = values.notna().to_numpy()
            complete = has_outcome & design.notna().all(axis=1).to_numpy()
            tasks.append(
                PredictionTask(
                    masks,
                    level,
                    name,
                    (values == level).to_numpy()[complete],
                    design.to_numpy(float)[complete],
                    covariates.site.to_numpy(str)[complete],
                    int(has_outcome.sum() - complete.sum()),
                )
            )
    return tasks


def _predict(
    task: PredictionTask, *, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    key = {"masks": task.masks, "outcome": task.outcome, "predictors": task.predictors}
    counts = {
        "n": len(task.happened), "events": int(task.happened.sum()), "terms": task.design.shape[1],
        "missing": task.missing,
    }  # fmt: skip
    _, institutions = np.unique(task.sites, return_inverse=True)
    validations = {"by patient": REPETITIONS}
    if institutions.any():  # there is more than one
        validations["by institution"] = 1
    scores: list[dict[str, Any]] = []
    decision: list[dict[str, Any]] = []
    for validation, repetitions in validations.items():
        about = key | {"validation": validation}
        single, curves, probabilities = [], [], []
        try:
            for stream in np.random.SeedSequence(seed).spawn(repetitions):
                outer, inner = stream.generate_state(2).tolist()
                folds = institutions
                if validation == "by patient":
                    folds = stratified_folds(task.happened, FOLDS, seed=outer)
                found = cross_validated(task.happened, task.design, folds, seed=inner)
                usable = np.isfinite(found.probability)
                happened = task.happened[usable]
                # Where a part of the patients is separated, one is reached but for rounding.
                probability = np.clip(found.probability[usable], _CERTAIN, 1 - _CERTAIN)
                single.append(_score(happened, probability))
                curves.append(decision_curve(happened, probability, THRESHOLDS))
                probabilities.append(found.probability)
        except InputError as error:  # too few patients with the outcome, or without
            scores.append(about | counts | {"reason": str(error)})
            continue
        medians: dict[str, Any] = {str(k): v for k, v in pd.DataFrame(single).median().items()}
        # A model that tells nothing has no number of patients with which it would. Of one that
        # tells everything, how much it explains is not known.
        needed = np.nan
        if medians["auc_low"] > 0.5 and medians["auc"] < 1:
            needed = _needed(medians["auc"], float(task.happened.mean()), task.design.shape[1])
        scores.append(about | counts | medians | {"needed": needed, "reason": ""})
        benefit = np.median([curve.model for curve in curves], axis=0)
        ends = net_benefit_interval(task.happened, probabilities, THRESHOLDS, seed=seed)
        values = zip(THRESHOLDS, benefit, *ends, curves[0].treat_all, strict=True)
        decision += [about | dict(zip(_DECISION, row, strict=True)) for row in values]
    return scores, decision


def _score(happened: NDArray[np.bool_], probability: NDArray[np.float64]) -> dict[str, float]:
    area = auc(probability[happened], probability[~happened])
    found = calibration(happened, probability)
    return {
        "auc": area.estimate, "auc_low": area.low, "auc_high": area.high,
        "slope": found.slope, "slope_low": found.slope_low, "slope_high": found.slope_high,
        "intercept": found.intercept,
        "brier": found.brier, "scaled_brier": found.scaled_brier,
    }  # fmt: skip


def _needed(area: float, prevalence: float, terms: int) -> float:
    share = cox_snell_from_auc(area, prevalence)
    found = required_sample_size(prevalence=prevalence, cox_snell_r2=share, parameters=terms)
    return found.required
