"""How the odds of a level follow a feature given covariates: penalised logistic regression."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association.adjusted_models import ADJUSTED, ENOUGH, SAME_PATIENTS, Sample, sample_of
from lggshape.association.covariates import Adjustment
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.errors import InputError
from lggshape.labels import Kind, Label
from lggshape.statistics.logistic import ridge_logistic


def odds_ratio_rows(
    pair: TestedPair, label: Label, adjustment: Adjustment, known: Mapping[str, pd.Series]
) -> Iterator[dict[str, Any]]:
    """Yield the odds ratio of each level against the rest, without covariates and with them.

    Parameters
    ----------
    pair : TestedPair
        A hypothesis with its patients.
    label : Label
        Its label. One without levels has no rows, nor one with more than two in an order.
    adjustment : Adjustment
        The covariates, and strata, which are covariates here.
    known : mapping of str to Series
        Their values, of the same patients in the same order.

    Yields
    ------
    dict
        If there are two levels, only those of the second: the odds ratio of the first is the
        inverse.
    """
    levels = [level for level, count in pair.level_counts.items() if count]
    if not (label.kind is Kind.NOMINAL or len(levels) == 2):
        return
    feature = pair.hypothesis.feature
    own = [one.name for one in adjustment.covariates if not one.is_of(feature, label)]
    inside = [] if adjustment.within is None else [adjustment.within.name]
    needed = list(dict.fromkeys([*own, *inside]))
    sample, reason = sample_of(pair, label, adjustment, known, needed, own, of_ranks=False)
    for model in (SAME_PATIENTS, ADJUSTED):
        for level in levels if len(levels) > 2 else levels[-1:]:
            asked = pair.key() | {
                "level": level, "model": model,
                "covariates": "; ".join(needed) if model == ADJUSTED else "",
            }  # fmt: skip
            happened = sample.pair.label == pair.levels.index(level)
            counts = {"n": sample.n, "events": int(happened.sum()), "exploratory": False}
            found = {"reason": reason} if reason else _odds_ratio(sample, happened, model)
            yield asked | counts | found


def _odds_ratio(sample: Sample, happened: NDArray[np.bool_], model: str) -> dict[str, Any]:
    others = sample.with_strata if model == ADJUSTED else sample.covariates[:, :0]
    columns = np.hstack([sample.standardised, others])
    rarer = int(min(happened.sum(), (~happened).sum()))
    if not rarer:
        return {"reason": "all or none of these patients have the level"}
    try:
        ratio = ridge_logistic(happened, columns, level=CONFIDENCE).odds_ratios[0]
    except InputError as error:
        return {"reason": str(error)}
    return {
        "odds_ratio": ratio.estimate, "low": ratio.low, "high": ratio.high, "reason": "",
        "exploratory": rarer < ENOUGH * columns.shape[1],
    }  # fmt: skip
