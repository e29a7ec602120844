"""Is it shape, or what it is associated with: IDH, size, age, grade, institution."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import Family, Hypothesis, irregularity
from lggshape.association.adjusted_models import rank_model
from lggshape.errors import InputError
from lggshape.labels import Label, Labels
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.statistics.logistic import ridge_logistic
from lggshape.statistics.rank_shares import rank_share
from lggshape.statistics.survival import cox
from lggshape.studies.buda2019.analyses.sensitivity import Analysis, run_analyses
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.buda2019.roles import Roles

PERMUTATIONS = 99_999

REPLICATES = 9_999
"""Bootstrap samples of a partial R squared."""

EVENTS_PER_TERM = 10
"""A binary model with fewer events per term is exploratory."""


class Covariates:
    """What is known of the patients of a feature table, as columns of a design matrix.

    Parameters
    ----------
    table : DataFrame
        A feature table of one kind of mask, with `volume`.
    labels : Labels
        The labels of the patients.
    roles : Roles
        Which label is which.
    sites : Series
        The institution by patient.
    """

    def __init__(
        self, table: pd.DataFrame, labels: Labels, roles: Roles, sites: "pd.Series[str]"
    ) -> None:
        self.index = pd.Index(table["patient"])
        # Where no institution is known, what is found is numbers: all NaN.
        self.site = pd.Series(self.index.map(sites), index=self.index, dtype=object).fillna("")

        def numbers(name: str) -> "pd.Series[float]":
            return labels[name].values.reindex(self.index).astype(float)

        def is_level(name: str, level: str) -> "pd.Series[float]":
            values = labels[name].values.reindex(self.index)
            return (values == level).astype(float).where(values.notna())

        idh = labels[roles.idh]
        self.columns: dict[str, pd.DataFrame] = {
            "IDH": pd.DataFrame({level: is_level(roles.idh, level) for level in idh.levels[1:]}),
            "IDH wild type": pd.DataFrame({"wild type": is_level(roles.idh, roles.wild_type)}),
            "volume": pd.DataFrame(
                {"log volume": np.log(table["volume"].astype(float).to_numpy())}, index=self.index
            ),
            "age": pd.DataFrame({"age": numbers(roles.age)}),
            "grade": pd.DataFrame({"grade": is_level(roles.grade, roles.higher_grade)}),
            "institution": pd.get_dummies(self.site, drop_first=True, dtype=float),
        }

    def design(self, *names: str) -> pd.DataFrame:
        """Return the columns of some covariates; a patient without a value has NaN."""
        parts = [self.columns[name] for name in names]
        return pd.concat([pd.DataFrame(index=self.index), *parts], axis=1)


MODELS: Mapping[str, tuple[str, ...]] = {
    "cluster alone": (),
    "given IDH": ("IDH",),
    "given volume, age, grade, institution": ("volume", "age", "grade", "institution"),
    "given all of these": ("IDH", "volume", "age", "grade", "institution"),
}


def adjusted_table(
    features: pd.DataFrame,
    labels: Labels,
    family: Family,
    roles: Roles,
    sites: "pd.Series[str]",
    *,
    permutations: int = PERMUTATIONS,
    replicates: int = REPLICATES,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> pd.DataFrame:
    """Test each hypothesis given covariates: ranks of the feature, by Freedman and Lane.

    Parameters
    ----------
    features : DataFrame
        A feature table of one or more kinds of mask.
    labels : Labels
        The labels of the patients.
    family : Family
        The hypotheses.
    roles : Roles
        Which label is which.
    sites : Series
        The institution of each patient; values are permuted within institutions.
    permutations, replicates, seed : int
        How many permutations and bootstrap samples, and the seed of them.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each hypothesis of each kind of mask.

    Returns
    -------
    DataFrame
        A row per kind of mask, hypothesis and model: `masks`, `feature`, `label`, `model`, `n`,
        `statistic` (partial F), `df_tested`, `df_residual`, `p`, `effect` (partial R squared),
        `effect_low`, `effect_high` (of bootstrap samples).
    """
    work = [
        (masks, group, hypothesis, labels[hypothesis.label])
        for masks, group in features.groupby("masks", sort=False)
        for hypothesis in family.hypotheses
    ]
    known = {
        str(masks): Covariates(group, labels, roles, sites)
        for masks, group in features.groupby("masks", sort=False)
    }
    run = partial(
        _adjust, known=known, roles=roles, permutations=permutations, replicates=replicates,
        seed=seed,
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    advance = counter(on_progress, "permuting", len(work))
    for found in map_all(run, work, jobs=jobs):
        rows += found
        advance()
    return pd.DataFrame(rows)


def _adjust(
    item: tuple[str, pd.DataFrame, Hypothesis, Label],
    *,
    known: Mapping[str, Covariates],
    roles: Roles,
    permutations: int,
    replicates: int,
    seed: int,
) -> list[dict[str, Any]]:
    masks, group, hypothesis, label = item
    covariates = known[masks]
    values = group[hypothesis.feature].to_numpy(float)
    levels = label.values.reindex(covariates.index)
    # Of the levels that a label has, these patients may lack some.
    clusters = pd.get_dummies(pd.Categorical(levels, label.levels), dtype=float).iloc[:, 1:]
    rows = []
    for model, names in MODELS.items():
        if label.name == roles.idh and "IDH" in names:
            continue
        design = covariates.design(*names)
        complete = (
            np.isfinite(values) & levels.notna().to_numpy() & design.notna().all(axis=1).to_numpy()
        )
        columns = (
            values[complete], clusters.to_numpy()[complete], design.to_numpy(float)[complete],
        )  # fmt: skip
        found = rank_model(
            *columns,
            strata=covariates.site.to_numpy(str)[complete],
            permutations=permutations,
            seed=seed,
        )
        share = rank_share(*columns, replicates=replicates, seed=seed)
        found |= {"effect_low": share.low, "effect_high": share.high}
        key = {"masks": masks, "feature": hypothesis.feature, "label": hypothesis.label}
        rows.append(key | {"model": model} | found)
    return rows


def within_mutants(
    features: pd.DataFrame,
    labels: Labels,
    family: Family,
    roles: Roles,
    *,
    seed: int = 0,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Test the hypotheses among the patients with IDH mutation alone.

    Returns
    -------
    DataFrame
        As `sensitivity.Tested.associations`.
    """
    idh = labels[roles.idh].values
    mutants = idh.index[idh != roles.wild_type]
    analyses = [
        Analysis("patients", "IDH mutation", group[group["patient"].isin(mutants)])
        for _, group in features.groupby("masks", sort=False)
    ]
    return run_analyses(analyses, labels, family, seed=seed, jobs=jobs).associations


def wild_types(features: pd.DataFrame, labels: Labels, roles: Roles) -> pd.DataFrame:
    """Count the IDH wild types of the cohort in each cluster.

    Returns
    -------
    DataFrame
        A row per cluster: `label`, `level`, `patients`.
    """
    patients = pd.Index(features["patient"].unique())
    subtype = labels[roles.subtype]
    idh = labels[roles.idh].values.reindex(patients)
    wild = subtype.values.reindex(patients[idh == roles.wild_type])
    return pd.DataFrame(
        {"label": subtype.name, "level": level, "patients": int((wild == level).sum())}
        for level in subtype.levels
    )


_BINARY: Mapping[str, tuple[str, ...]] = {
    "shape alone": (),
    "with IDH wild type": ("IDH wild type",),
    "with log volume, age, grade": ("volume", "age", "grade"),
}


def binary_models(
    features: pd.DataFrame, labels: Labels, roles: Roles, sites: "pd.Series[str]"
) -> pd.DataFrame:
    """Model the target cluster against the rest by the inverse ellipsoid ratio and covariates.

    Returns
    -------
    DataFrame
        A row per kind of mask, model and term: `masks`, `model`, `term`, `n`, `events`,
        `odds_ratio` per standard deviation (of wild type and grade: for having it), `low`, `high`,
        `exploratory` (fewer than ten events per term).
    """
    rows: list[dict[str, Any]] = []
    subtype = labels[roles.subtype].values
    for masks, group in features.groupby("masks", sort=False):
        covariates = Covariates(group, labels, roles, sites)
        levels = subtype.reindex(covariates.index)
        inverse = 1 / group[BEVR].astype(float).to_numpy()
        for model, names in _BINARY.items():
            design = covariates.design(*names)
            design.insert(0, "1/BEVR", inverse)
            complete = (levels.notna() & design.notna().all(axis=1)).to_numpy()
            outcome = (levels == roles.target).to_numpy()[complete]
            columns = design.to_numpy(float)[complete]
            found = ridge_logistic(outcome, columns)
            few = design.shape[1] * EVENTS_PER_TERM > outcome.sum()
            rows += [
                {
                    "masks": masks, "model": model, "term": term, "n": len(outcome),
                    "events": int(outcome.sum()), "odds_ratio": ratio.estimate**unit,
                    "low": ratio.low**unit, "high": ratio.high**unit, "exploratory": bool(few),
                }
                for term, ratio, unit in zip(
                    design.columns, found.odds_ratios, _units(columns), strict=True
                )
            ]  # fmt: skip
    return pd.DataFrame(rows)


def _units(columns: NDArray[np.float64]) -> list[float]:
    """Return the step of each odds ratio in standard deviations; of 0 and 1, from one to other."""
    return [
        1.0 if len(np.unique(column)) > 2 else float(np.ptp(column) / column.std(ddof=1))
        for column in columns.T
    ]


_SURVIVAL = [
    "masks", "endpoint", "feature", "model", "n", "events", "term", "hazard_ratio", "low", "high",
    "p", "p_proportional", "reason",
]  # fmt: skip


def survival_models(
    features: pd.DataFrame, labels: Labels, roles: Roles, sites: "pd.Series[str]"
) -> pd.DataFrame:
    """Model the endpoints by each feature, alone and with age and IDH wild type (Cox).

    Returns
    -------
    DataFrame
        A row per kind of mask, endpoint, feature, model and term: `masks`, `endpoint`, `feature`,
        `model`, `n`, `events`, `term`, `hazard_ratio` (per standard deviation; of 1 for wild type),
        `low`, `high`, `p`, `p_proportional` (a small one speaks against proportional hazards), and
        `reason` where a model could not be fitted. No row without a label of survival.
    """
    rows: list[dict[str, Any]] = []
    for masks, group in features.groupby("masks", sort=False):
        covariates = Covariates(group, labels, roles, sites)
        for endpoint in roles.survival:
            if endpoint.event not in labels or endpoint.time not in labels:
                continue
            time = labels[endpoint.time].values.reindex(covariates.index).astype(float)
            events = labels[endpoint.event].values.reindex(covariates.index)
            for feature in (ASD, MF, BEVR):
                value = irregularity(feature) * group[feature].astype(float).to_numpy()
                for model, names in (
                    ("alone", ()),
                    ("with age and IDH wild type", ("age", "IDH wild type")),
                ):
                    design = covariates.design(*names)
                    design.insert(0, feature, value)
                    complete = (
                        time.notna() & events.notna() & design.notna().all(axis=1)
                    ).to_numpy()
                    chosen = design[complete]
                    scaled = chosen.assign(
                        **{
                            name: _standardised(chosen[name])
                            for name in chosen
                            if name in {feature, "age"}
                        }
                    )
                    happened = (events == endpoint.happened).to_numpy()[complete]
                    key = {
                        "masks": masks, "endpoint": endpoint.name, "feature": feature,
                        "model": model, "n": int(complete.sum()), "events": int(happened.sum()),
                    }  # fmt: skip
                    rows += _cox_rows(key, time.to_numpy(np.float64)[complete], happened, scaled)
    return pd.DataFrame(rows, columns=_SURVIVAL)


def _cox_rows(
    key: dict[str, Any], time: NDArray[np.floating], event: NDArray[np.bool_], design: pd.DataFrame
) -> list[dict[str, Any]]:
    try:
        found = cox(time, event, design.to_numpy(float), names=list(design.columns))
    except InputError as error:
        return [key | {"term": design.columns[0], "reason": str(error)}]
    return [
        key
        | {
            "term": term.name, "hazard_ratio": term.hazard_ratio.estimate,
            "low": term.hazard_ratio.low, "high": term.hazard_ratio.high, "p": term.p,
            "p_proportional": term.p_proportional, "reason": "",
        }
        for term in found.terms
    ]  # fmt: skip


def _standardised(values: "pd.Series[float]") -> "pd.Series[float]":
    return (values - values.mean()) / values.std(ddof=1)
