"""What the paper says, beside what was found."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lggshape.association import Family, Hypothesis, TestedPair, irregularity
from lggshape.labels import Label, Labels
from lggshape.labels.codebook import Kind
from lggshape.statistics import detectable_v
from lggshape.studies.buda2019.names import ASD, BEVR
from lggshape.studies.buda2019.roles import Roles

POWER = 0.8


def claims_table(
    associations: pd.DataFrame,
    contingency: pd.DataFrame,
    areas: pd.DataFrame,
    family: Family,
    roles: Roles,
) -> pd.DataFrame:
    """Compare the claims of the paper with what was found.

    Parameters
    ----------
    associations, contingency, areas : DataFrame
        Of a `Study`: the primary tests, their tables, and the areas under the curve.
    family : Family
        The hypotheses, with the bounds that the paper reports.
    roles : Roles
        Which level the paper singles out.

    Returns
    -------
    DataFrame
        A row per kind of mask and claim: `masks`, `claim`, `feature`, `label`, `n`, `reported`
        (the bound of p, or the area), `found`, `low`, `high` (of Cramér's V, or of the area),
        `reached`, and for p `detectable_v`, the least V that a test at alpha over the number of
        hypotheses finds with 80 % power (missing if none would, or nothing can be tested).
    """
    rows: list[dict[str, Any]] = []
    for masks, group in associations.groupby("masks", sort=False):
        tables, found = (part[part["masks"] == masks] for part in (contingency, areas))
        rows += _claimed_bounds(str(masks), group, tables, family)
        rows += _claimed_areas(str(masks), found, family, roles)
    return pd.DataFrame(rows)


def _claimed_bounds(
    masks: str, associations: pd.DataFrame, contingency: pd.DataFrame, family: Family
) -> Iterator[dict[str, Any]]:
    """Compare the p of each hypothesis with the bound that the paper reports."""
    alpha = family.alpha / len(family.hypotheses)
    found: Mapping[Any, Any] = {(r.feature, r.label): r for r in associations.itertuples()}
    for hypothesis in family.hypotheses:
        if hypothesis.reported_below is None:
            continue
        feature, label = hypothesis.feature, hypothesis.label
        row = found[feature, label]
        cells = contingency[
            (contingency["feature"] == feature)
            & (contingency["label"] == label)
            & (contingency["count"] > 0)
        ]
        shape = cells["bin"].nunique(), cells["level"].nunique()
        detectable = np.nan
        if min(shape) > 1:  # there is something to test
            detectable = detectable_v(int(row.n), *shape, alpha=alpha, power=POWER)
        yield {
            "masks": masks, "claim": f"p < {hypothesis.reported_below:g}",
            "feature": feature, "label": label, "n": int(row.n),
            "reported": hypothesis.reported_below, "found": row.p,
            "effect": row.effect, "low": row.effect_low, "high": row.effect_high,
            "reached": bool(row.p < hypothesis.reported_below),
            "detectable_v": detectable,
        }  # fmt: skip


def _claimed_areas(
    masks: str, areas: pd.DataFrame, family: Family, roles: Roles
) -> Iterator[dict[str, Any]]:
    """Compare areas under the curve with those that the paper reports for the target level."""
    for entry in family.reported_aucs:
        # The protocol's claim is about the ellipsoid; the other areas are in Table 3.
        if (entry.masks, entry.feature) != (masks, BEVR) or roles.target not in entry.values:
            continue
        area = areas[
            (areas["feature"] == entry.feature)
            & (areas["label"] == entry.label)
            & (areas["level"] == roles.target)
        ].iloc[0]
        value = entry.values[roles.target]
        yield {
            "masks": masks, "claim": f"AUC for {roles.target} {value:.2f}",
            "feature": entry.feature, "label": entry.label, "n": int(area["n"]),
            "reported": value, "found": area["auc"], "effect": area["auc"],
            "low": area["auc_low"], "high": area["auc_high"],
            "reached": bool(
                area["auc_low"] <= value <= area["auc_high"] and area["auc_low"] > 0.5
            ),
            "detectable_v": np.nan,
        }  # fmt: skip


_TABLE_3 = [
    "predictor", "masks", "level", "n", "n_level", "auc", "auc_low", "auc_high", "paper",
]  # fmt: skip


def table_3(
    features: pd.DataFrame, areas: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> pd.DataFrame:
    """Rebuild the paper's Table 3: areas under the curve, one cluster against the rest.

    Returns
    -------
    DataFrame
        A row per predictor, kind of mask (empty for age and gender) and level: `predictor`,
        `masks`, `level`, `n`, `n_level`, `auc`, `auc_low`, `auc_high`, `paper`.
    """
    rows: list[dict[str, Any]] = []
    entry: Any
    for entry in areas[areas["label"] == roles.subtype].itertuples(index=False):
        if entry.feature not in {ASD, BEVR}:
            continue
        reported = [
            r.values[entry.level]
            for r in family.reported_aucs
            if (r.feature, r.label, r.masks) == (entry.feature, entry.label, entry.masks)
            and entry.level in r.values
        ]
        rows.append(
            {
                "predictor": f"{'1/' if irregularity(entry.feature) < 0 else ''}{entry.feature}",
                "masks": entry.masks, "level": entry.level, "n": entry.n,
                "n_level": entry.n_level, "auc": entry.auc, "auc_low": entry.auc_low,
                "auc_high": entry.auc_high, "paper": reported[0] if reported else np.nan,
            }
        )  # fmt: skip
    patients = pd.Index(features["patient"].unique())
    subtype = labels[roles.subtype]
    gender = labels[roles.gender].values.reindex(patients)
    predictors = {
        "age": labels[roles.age].values.reindex(patients).astype(float).to_numpy(),
        "gender": (gender == roles.male).astype(float).where(gender.notna()).to_numpy(),
    }
    table = pd.DataFrame({"patient": patients, "masks": "", **predictors})
    for name in predictors:
        for row in TestedPair.of(Hypothesis(name, roles.subtype), subtype, table).discrimination(1):
            about = {"predictor": name, "paper": roles.reported_areas[name].get(row["level"])}
            rows.append(about | row)
    return pd.DataFrame(rows, columns=_TABLE_3)


def cohort_table(
    features: pd.DataFrame, labels: Labels, sites: "pd.Series[str]", family: Family, roles: Roles
) -> pd.DataFrame:
    """Describe the patients, as the paper's Tables 1 and 2 do.

    Returns
    -------
    DataFrame
        Of institution, age, gender, location, histology by grade, and the labels of the hypotheses,
        a row per level: `characteristic`, `level`, `patients`; of a number its median,
        mean and range; and how many have no value.
    """
    patients = pd.Index(features["patient"].unique())
    rows: list[dict[str, Any]] = []

    def count(characteristic: str, values: "pd.Series[Any]", levels: tuple[str, ...]) -> None:
        for level in levels:
            rows.append(
                {
                    "characteristic": characteristic, "level": level,
                    "patients": int((values == level).sum()),
                }
            )  # fmt: skip
        missing = int(values.isna().sum())
        if missing:
            rows.append(
                {"characteristic": characteristic, "level": "not available", "patients": missing}
            )

    at = pd.Series(patients.map(sites), index=patients)
    count("institution", at, tuple(sorted(at.dropna().unique())))
    if roles.histology in labels and roles.grade in labels:
        histology, grade = (labels[name] for name in (roles.histology, roles.grade))
        both = [label.values.reindex(patients) for label in (histology, grade)]
        joined = both[0].str.cat(both[1], sep=", ")
        kinds = tuple(f"{one}, {other}" for one in histology.levels for other in grade.levels)
        count("histology, grade", joined, kinds)
    tested = (h.label for h in family.hypotheses)
    named = dict.fromkeys((roles.age, roles.gender, roles.location, *tested))
    for label in (labels[name] for name in named if name in labels):
        values = label.values.reindex(patients)
        if label.kind.has_levels:
            count(label.name, values, label.levels)
        elif label.kind is Kind.CONTINUOUS:
            rows += _numbers(label, values)
    return pd.DataFrame(rows)


def _numbers(label: Label, values: "pd.Series[Any]") -> Iterator[dict[str, Any]]:
    known = values.dropna().astype(float)
    found = {
        "median": known.median(), "mean": known.mean(), "lowest": known.min(),
        "highest": known.max(),
    }  # fmt: skip
    for level, value in found.items():
        yield {"characteristic": label.name, "level": level, "value": value}
    yield {
        "characteristic": label.name,
        "level": "not available",
        "patients": int(values.isna().sum()),
    }
