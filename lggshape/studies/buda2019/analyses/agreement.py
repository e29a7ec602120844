"""How well the features of automatic masks agree with those of manual ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from lggshape.association import Family, irregularity
from lggshape.labels import Labels
from lggshape.statistics import (
    AUCDifference,
    RankCorrelation,
    auc_difference,
    limits_of_agreement,
    rank_correlation,
)
from lggshape.statistics.agreement_draws import agreement_coefficients
from lggshape.statistics.proportional_limits import proportional_limits

REPLICATES = 9_999
"""Bootstrap samples of patients."""

PLACES = {"10th percentile": 0.1, "median": 0.5, "90th percentile": 0.9}
"""Where limits of agreement are given: quantiles of the mean of the two measurements."""

MARGIN = 0.10
"""Two areas under the curve agree if the whole interval of their difference lies within this."""


def side_by_side(
    features: pd.DataFrame, feature: str, measured: str = "automatic", reference: str = "manual"
) -> pd.DataFrame:
    """Return a feature by two kinds of mask, of the patients that have both.

    Returns
    -------
    DataFrame
        Indexed by patient, with the two kinds as columns.
    """
    wide = features.pivot(index="patient", columns="masks", values=feature)
    return wide[[measured, reference]].astype(float).dropna()


def agreement_table(
    features: pd.DataFrame, names: Sequence[str], dice: "pd.Series[float] | None" = None,
    *, measured: str = "automatic", reference: str = "manual", replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Compare features measured on two kinds of mask.

    Parameters
    ----------
    features : DataFrame
        A feature table with both kinds of mask.
    names : sequence of str
        The features.
    dice : Series, optional
        The Dice of the masks, by patient.
    measured, reference : str
        The kinds of mask.
    replicates, seed : int
        How many bootstrap samples of patients, and their seed.

    Returns
    -------
    DataFrame
        A row per feature and measure: `feature`, `measure`, `n`, `estimate`, `low`, `high`. The
        intervals of ICC and concordance are percentiles of bootstrap samples.
    """
    rows: list[dict[str, Any]] = []
    for name in names:
        pairs = side_by_side(features, name, measured, reference)
        one, other = pairs[measured].to_numpy(), pairs[reference].to_numpy()
        limits = limits_of_agreement(one, other)
        coefficients = agreement_coefficients(one, other, replicates=replicates, seed=seed)
        found = {
            "ICC(A,1)": coefficients.intraclass,
            "concordance": coefficients.concordance,
            "Spearman's correlation": rank_correlation(one, other)[:3],
            "bias": limits.bias,
            "lower limit of agreement": limits.lower,
            "upper limit of agreement": limits.upper,
        }
        if dice is not None:
            scores = dice.reindex(pairs.index).to_numpy(float)
            found["Spearman's correlation of the absolute difference with Dice"] = rank_correlation(
                np.abs(one - other), scores
            )[:3]
        rows += [
            {"feature": name, "measure": measure, "n": len(pairs)}
            | dict(zip(("estimate", "low", "high"), values, strict=True))
            for measure, values in found.items()
        ]
    return pd.DataFrame(rows)


def agreement_limits(
    features: pd.DataFrame,
    names: Sequence[str],
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return limits of agreement of automatic with manual masks, which may grow with the mean.

    They grow if the interval of Spearman's correlation of the absolute difference with the mean
    lies above 0. Then they are straight lines of the mean (`proportional_limits`), otherwise
    constant (`limits_of_agreement`).

    Returns
    -------
    DataFrame
        Three rows per feature, at low, median and high values (`at`): `feature`, `n`, `growth` (the
        correlation) with `growth_low` and `growth_high`, `kind` ("proportional" or "constant"),
        `at`, `mean`, and `bias`, `lower` and `upper`, each with its interval.
    """
    rows: list[dict[str, Any]] = []
    for name in names:
        pairs = side_by_side(features, name)
        one, other = pairs["automatic"].to_numpy(), pairs["manual"].to_numpy()
        growth = differences_grow(one, other)
        key = {
            "feature": name, "n": len(pairs), "growth": growth.estimate, "growth_low": growth.low,
            "growth_high": growth.high, "kind": "proportional" if growth.low > 0 else "constant",
        }  # fmt: skip
        means = (one + other) / 2
        places = np.quantile(means, list(PLACES.values())) if len(means) else [np.nan] * 3
        if growth.low > 0:
            lines = proportional_limits(one, other, places, replicates=replicates, seed=seed)
            limits = [(at.bias, at.lower, at.upper) for at in lines]
        else:
            constant = limits_of_agreement(one, other)
            limits = [(constant.bias, constant.lower, constant.upper)] * len(PLACES)
        for at, mean, effects in zip(PLACES, places, limits, strict=True):
            row = key | {"at": at, "mean": float(mean)}
            for part, effect in zip(("bias", "lower", "upper"), effects, strict=True):
                row |= dict(zip((part, f"{part}_low", f"{part}_high"), effect, strict=True))
            rows.append(row)
    return pd.DataFrame(rows)


def differences_grow(one: ArrayLike, other: ArrayLike) -> RankCorrelation:
    """Return how far absolute differences of two measurements go with their mean (Spearman)."""
    first, second = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    return rank_correlation(np.abs(first - second), (first + second) / 2)


def area_differences(features: pd.DataFrame, labels: Labels, family: Family) -> pd.DataFrame:
    """Compare the areas under the curve of automatic and manual features, paired by patient.

    Returns
    -------
    DataFrame
        A row per feature, label and level whose area the family's publication reports: `feature`,
        `label`, `level`, `n`, `automatic`, `manual`, `difference`, `low`, `high`, `p`, `margin`,
        `agrees`.
    """
    rows: list[dict[str, Any]] = []
    for feature, name in dict.fromkeys((e.feature, e.label) for e in family.reported_aucs):
        label = labels[name]
        pairs = side_by_side(features, feature) * irregularity(feature)
        pairs = pairs[pairs.index.isin(label.values.index)]
        levels = label.values.reindex(pairs.index)
        for level in label.levels:
            inside = (levels == level).to_numpy()
            # A level can be that of patients without features alone.
            found = (
                auc_difference(pairs["automatic"].to_numpy(), pairs["manual"].to_numpy(), inside)
                if 0 < inside.sum() < len(inside)
                else AUCDifference(*[np.nan] * 7)
            )
            rows.append(
                {
                    "feature": feature,
                    "label": name,
                    "level": level,
                    "n": len(pairs),
                    "automatic": found.first,
                    "manual": found.second,
                    "difference": found.difference,
                    "low": found.low,
                    "high": found.high,
                    "p": found.p,
                    "margin": MARGIN,
                    "agrees": found.low > -MARGIN and found.high < MARGIN,
                }
            )
    return pd.DataFrame(rows)
