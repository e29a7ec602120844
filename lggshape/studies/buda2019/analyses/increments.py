"""What shape adds to age and grade, in patients who were not trained on."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.labels import Labels
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.statistics import auc_difference
from lggshape.statistics.prediction import cross_validated, stratified_folds
from lggshape.studies.buda2019.analyses.prediction import (
    FOLDS,
    REPETITIONS,
    PredictionTask,
    prediction_tasks,
)
from lggshape.studies.buda2019.roles import Roles

WITH, WITHOUT = "shape, age and grade", "age and grade"

_COLUMNS = [
    "masks", "outcome", "predictors", "without", "n", "events", "auc", "auc_without", "difference",
    "low", "high", "p", "averaged_difference", "averaged_low", "averaged_high", "reason",
]  # fmt: skip


def increments(
    features: pd.DataFrame,
    labels: Labels,
    roles: Roles,
    sites: "pd.Series[str]",
    *,
    repetitions: int = REPETITIONS,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> pd.DataFrame:
    """Compare predictions with and without shape, on the same patients and folds.

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
    repetitions : int
        How often the patients are dealt into folds.
    seed : int
        Seed of the folds, which are those of `predict`.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each outcome.

    Returns
    -------
    DataFrame
        A row per kind of mask and outcome: `masks`, `outcome`, `predictors`, `without` (those of
        the smaller model), `n`, `events`; `auc`, `auc_without`, their `difference` with `low`,
        `high` and `p` (DeLong, paired): medians over the repetitions, as in the scores of
        `predict`. Of each patient's probability averaged over the repetitions
        `averaged_difference`, `averaged_low`, `averaged_high`. `reason` is given where
        patients are too few.
    """
    tasks = [
        task
        for masks, group in features.groupby("masks", sort=False)
        for task in prediction_tasks(str(masks), group, labels, roles, sites)
    ]
    by_name = {(task.masks, task.outcome, task.predictors): task for task in tasks}
    pairs = [
        (task, by_name[task.masks, task.outcome, WITHOUT])
        for task in tasks
        if task.predictors == WITH
    ]
    advance = counter(on_progress, "comparing predictions", len(pairs))
    rows = []
    for row in map_all(partial(_compare, repetitions=repetitions, seed=seed), pairs, jobs=jobs):
        rows.append(row)
        advance()
    return pd.DataFrame(rows, columns=_COLUMNS)


def _compare(
    pair: tuple[PredictionTask, PredictionTask], *, repetitions: int, seed: int
) -> dict[str, Any]:
    larger, smaller = pair
    # The smaller model on the patients of the larger one, whose last columns are its own.
    terms = smaller.design.shape[1]
    designs = larger.design, larger.design[:, -terms:]
    happened = larger.happened
    row = {
        "masks": larger.masks, "outcome": larger.outcome, "predictors": WITH, "without": WITHOUT,
        "n": len(happened), "events": int(happened.sum()),
    }  # fmt: skip
    sums: list[NDArray[np.float64]] = [np.zeros(len(happened)) for _ in designs]
    single = []
    try:
        for stream in np.random.SeedSequence(seed).spawn(repetitions):
            outer, inner = stream.generate_state(2).tolist()
            folds = stratified_folds(happened, FOLDS, seed=outer)
            one, other = (
                cross_validated(happened, design, folds, seed=inner).probability
                for design in designs
            )
            single.append(auc_difference(one, other, happened)[:6])
            sums = [sums[0] + one, sums[1] + other]
        averaged = auc_difference(sums[0], sums[1], happened)
    except InputError as error:  # too few patients with the outcome, or without
        return row | {"reason": str(error)}
    names = ("auc", "auc_without", "difference", "low", "high", "p")
    medians = dict(zip(names, np.median(single, axis=0).tolist(), strict=True))
    return row | medians | {
        "averaged_difference": averaged.difference, "averaged_low": averaged.low,
        "averaged_high": averaged.high, "reason": "",
    }  # fmt: skip
