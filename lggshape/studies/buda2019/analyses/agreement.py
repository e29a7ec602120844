"""How well the features of automatic masks agree with those of manual ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lggshape.association import Family, irregularity
from lggshape.labels import Labels
from lggshape.statistics import (
    AUCDifference,
    auc_difference,
    concordance,
    intraclass_correlation,
    limits_of_agreement,
    rank_correlation,
)

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
    *, measured: str = "automatic", reference: str = "manual",
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

    Returns
    -------
    DataFrame
        A row per feature and measure: `feature`, `measure`, `n`, `estimate`, `low`, `high`.
    """
    rows: list[dict[str, Any]] = []
    for name in names:
        pairs = side_by_side(features, name, measured, reference)
        one, other = pairs[measured].to_numpy(), pairs[reference].to_numpy()
        limits = limits_of_agreement(one, other)
        found = {
            "ICC(A,1)": intraclass_correlation(np.column_stack([one, other])),
            "concordance": concordance(one, other),
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
