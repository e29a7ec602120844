"""How far the features of three outlines agree, and whether one pair agrees better than another."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.statistics import limits_of_agreement, rank_correlation
from lggshape.statistics.agreement_draws import (
    Reliability,
    intraclass_draws,
    resamples,
    with_interval,
)
from lggshape.studies.second_outlines.names import OUTLINES, PAIRS
from lggshape.studies.second_outlines.reliability import RELIABILITIES, Floats

SCALES = ("difference", "ratio")

RANKED = ("volume",)
"""Features in the unit of the grid, of which ranks alone are compared."""

FIRST_PAIR = "manual with second"


def pair_name(first: str, second: str) -> str:
    """Return the name of a pair of outlines.

    Examples
    --------
    >>> pair_name("manual", "second")
    'manual with second'
    """
    return f"{first} with {second}"


def wide(features: pd.DataFrame, feature: str) -> pd.DataFrame:
    """Return a feature by outline, of the patients that have it by all three."""
    table = features.pivot(index="patient", columns="masks", values=feature)
    return table[list(OUTLINES)].astype(float).dropna()


def reliability_table(
    features: pd.DataFrame, names: Sequence[str], *, number: int, seed: int
) -> pd.DataFrame:
    """Return the intraclass and rank correlations of each pair of outlines.

    Returns
    -------
    DataFrame
        A row per feature, pair and measure: `feature`, `first`, `second`, `measure`, `n`,
        `estimate`, `low`, `high`.
    """
    rows: list[dict[str, Any]] = []
    for name in (*names, *RANKED):
        table = wide(features, name)
        draws = resamples(len(table), number=number, seed=seed)
        for first, second in PAIRS:
            one, other = (table[masks].to_numpy() for masks in (first, second))
            key = {"feature": name, "first": first, "second": second}
            for measure in RELIABILITIES if name in names else ():
                found = with_interval(
                    intraclass_draws(one, other, measure),
                    intraclass_draws(one[draws], other[draws], measure),
                )
                rows.append(key | {"measure": measure, "n": len(table)} | found._asdict())
            ranks = rank_correlation(one, other)
            rows.append(
                key
                | {"measure": "Spearman's correlation", "n": len(table)}
                | dict(zip(("estimate", "low", "high"), ranks[:3], strict=True))
            )
    return pd.DataFrame(rows)


def contrast_table(
    features: pd.DataFrame, names: Sequence[str], *, number: int, seed: int
) -> pd.DataFrame:
    """Compare the agreement of automatic masks with either group with that of the groups.

    Returns
    -------
    DataFrame
        A row per feature, measure and contrast: `feature`, `measure`, `contrast`, `n`, and the
        `difference` of the two correlations with `low` and `high`, of the same bootstrap samples;
        `better` if the whole interval lies above 0.
    """
    rows: list[dict[str, Any]] = []
    for name in names:
        table = wide(features, name)
        draws = resamples(len(table), number=number, seed=seed)
        for measure in RELIABILITIES:
            found = {pair_name(*pair): _both(table, pair, draws, measure) for pair in PAIRS}
            between = found.pop(FIRST_PAIR)
            estimates = {key: value[0] - between[0] for key, value in found.items()}
            differences = {key: value[1] - between[1] for key, value in found.items()}
            estimates["mean of the two"] = sum(estimates.values()) / len(found)
            differences["mean of the two"] = np.mean(list(differences.values()), axis=0)
            for contrast, estimate in estimates.items():
                effect = with_interval(estimate, differences[contrast])
                rows.append(
                    {
                        "feature": name, "measure": measure,
                        "contrast": f"{contrast}, less {FIRST_PAIR}", "n": len(table),
                        "difference": effect.estimate, "low": effect.low, "high": effect.high,
                        "better": effect.low > 0,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def _both(
    table: pd.DataFrame, pair: tuple[str, str], draws: NDArray[np.intp], measure: Reliability
) -> tuple[float, Floats]:
    one, other = (table[masks].to_numpy() for masks in pair)
    return (
        float(intraclass_draws(one, other, measure)),
        intraclass_draws(one[draws], other[draws], measure),
    )


def limits_table(features: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return limits of agreement as differences and as ratios, and which of the two fits.

    Returns
    -------
    DataFrame
        A row per feature, pair and scale ("difference" or "ratio"): `feature`, `first`, `second`,
        `scale`, `n`; `bias`, `lower` and `upper`, each with its interval (`bias_low` and so on), of
        first less second or first divided by second; and `growth`, Spearman's correlation of the
        absolute difference (or logarithm of the ratio) with the mean (of the logarithms), with its
        interval. A scale on which `growth` is near 0 fits.
    """
    rows: list[dict[str, Any]] = []
    for name in names:
        table = wide(features, name)
        for first, second in PAIRS:
            values: Mapping[str, Floats] = {
                masks: table[masks].to_numpy() for masks in (first, second)
            }
            for scale in SCALES:
                if scale == "ratio" and min(value.min() for value in values.values()) <= 0:
                    continue
                one, other = (
                    np.log(values[masks]) if scale == "ratio" else values[masks]
                    for masks in (first, second)
                )
                row = {
                    "feature": name, "first": first, "second": second, "scale": scale,
                    "n": len(table),
                }  # fmt: skip
                rows.append(row | _limits(one, other, is_ratio=scale == "ratio"))
    return pd.DataFrame(rows)


def _limits(one: Floats, other: Floats, *, is_ratio: bool) -> dict[str, float]:
    found = limits_of_agreement(one, other)
    row: dict[str, float] = {}
    for name in ("bias", "lower", "upper"):
        effect = getattr(found, name)
        ends = np.exp(effect) if is_ratio else effect
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), map(float, ends), strict=True))
    growth = rank_correlation(np.abs(one - other), (one + other) / 2)
    return row | {
        "growth": growth.estimate, "growth_low": growth.low, "growth_high": growth.high
    }  # fmt: skip


def influence_table(features: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return how much single patients, and the scale, matter to ICC(A,1).

    Returns
    -------
    DataFrame
        A row per feature and pair: `feature`, `first`, `second`, `n`, `icc`, the lowest and highest
        without one patient (`lowest`, `without_for_lowest`, `highest`, `without_for_highest`), and
        `icc_of_logarithms`.
    """
    rows: list[dict[str, Any]] = []
    for name in names:
        table = wide(features, name)
        for first, second in PAIRS:
            one, other = (table[masks].to_numpy() for masks in (first, second))
            n = len(table)
            kept = np.array([np.delete(np.arange(n), number) for number in range(n)])
            without = intraclass_draws(one[kept], other[kept], RELIABILITIES[0])
            positive = min(one.min(), other.min()) > 0
            logarithms = (
                float(intraclass_draws(np.log(one), np.log(other), RELIABILITIES[0]))
                if positive
                else np.nan
            )
            rows.append(
                {
                    "feature": name, "first": first, "second": second, "n": n,
                    "icc": float(intraclass_draws(one, other, RELIABILITIES[0])),
                    "lowest": float(without.min()),
                    "without_for_lowest": table.index[int(without.argmin())],
                    "highest": float(without.max()),
                    "without_for_highest": table.index[int(without.argmax())],
                    "icc_of_logarithms": logarithms,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def medians_table(features: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the quartiles of each feature by each outline.

    Returns
    -------
    DataFrame
        A row per feature and outline: `feature`, `masks`, `n`, `q1`, `median`, `q3`.
    """
    rows = []
    for name in names:
        table = wide(features, name)
        for masks in OUTLINES:
            quartiles = np.quantile(table[masks], [0.25, 0.5, 0.75])
            row = {"feature": name, "masks": masks, "n": len(table)}
            rows.append(row | dict(zip(("q1", "median", "q3"), quartiles, strict=True)))
    return pd.DataFrame(rows)
