"""A hypothesis given covariates: by ranks and permutation, or by Cox regression."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from lggshape.association.covariates import Adjustment, design, indicators, missing_counts
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.errors import InputError
from lggshape.labels import Kind, Label
from lggshape.statistics import freedman_lane, partial_rank_correlation, variance_inflation
from lggshape.statistics.cox_comparison import compare_cox
from lggshape.statistics.survival import cox

SAME_PATIENTS = "same patients"
ADJUSTED = "adjusted"
INTERACTION = "interaction with "
"""The models: without covariates on the patients who have them all, with them, and whether the
association differs between sites."""

PARTIAL_R2, PARTIAL_RHO = "partial R squared", "partial rank correlation"
HAZARD_RATIO, EXPLAINED = "hazard ratio per SD", "explained randomness"

FEWEST_PATIENTS, FEWEST_EVENTS, ENOUGH = 2, 5, 10
"""Patients, or events of survival, per design column: fewer are not fitted, and fewer than
`ENOUGH` are exploratory. Austin PC, Steyerberg EW. J Clin Epidemiol 68 (2015) 627-636; Vittinghoff
E, McCulloch CE. Am J Epidemiol 165 (2007) 710-718; Peduzzi P et al. J Clin Epidemiol 48 (1995)
1503-1510."""


def rank_model(
    values: NDArray[np.float64],
    tested: NDArray[np.float64],
    covariates: NDArray[np.float64],
    *,
    strata: NDArray[Any] | None,
    permutations: int,
    seed: int,
) -> dict[str, Any]:
    """Test design columns against the ranks of a feature given covariates (Freedman and Lane).

    Parameters
    ----------
    values : ndarray of shape (n,)
        The feature.
    tested : ndarray of shape (n, q)
        Design columns of the label.
    covariates : ndarray of shape (n, r)
        Design columns of the covariates.
    strata : ndarray of shape (n,), or None
        Ranks are permuted within these.
    permutations, seed : int
        How many permutations, and the seed of them.

    Returns
    -------
    dict
        `n`, `statistic` (partial F), `df_tested`, `df_residual`, `p`, `effect` (partial R squared),
        `effect_low` and `effect_high`.
    """
    found = freedman_lane(
        rankdata(values),
        tested,
        covariates,
        strata=strata,
        permutations=permutations,
        seed=seed,
        level=CONFIDENCE,
    )
    return {
        "n": found.n, "statistic": found.statistic, "df_tested": found.df_tested,
        "df_residual": found.df_residual, "p": found.p, "effect": found.effect.estimate,
        "effect_low": found.effect.low, "effect_high": found.effect.high,
    }  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """The patients of a hypothesis who have all covariates, and these as design columns.

    Attributes
    ----------
    pair : TestedPair
        The hypothesis with these patients.
    kind : Kind
        The kind of its label.
    covariates : ndarray of shape (n, columns)
        Design columns of the covariates.
    strata, site : ndarray of shape (n,), or None
        The stratum and the site of each patient, where there are any.
    """

    pair: TestedPair
    kind: Kind
    covariates: NDArray[np.float64]
    strata: NDArray[np.str_] | None
    site: NDArray[np.str_] | None

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.pair.feature)

    @property
    def events(self) -> int | None:
        """Number of events of survival; None for other labels."""
        return None if self.pair.events is None else int(self.pair.events.sum())

    @property
    def of_label(self) -> NDArray[np.float64]:
        """Design columns of the label: indicators of levels without an order, else ranks."""
        if self.kind is Kind.NOMINAL:
            return indicators(self.pair.label)
        return np.asarray(rankdata(self.pair.label))[:, None]

    @property
    def with_strata(self) -> NDArray[np.float64]:
        """The covariates and indicators of the strata, whose means may differ."""
        if self.strata is None:
            return self.covariates
        return np.hstack([self.covariates, indicators(self.strata)])

    @property
    def standardised(self) -> NDArray[np.float64]:
        """The feature in standard deviations, as a column."""
        feature = self.pair.feature
        return np.asarray((feature - feature.mean()) / feature.std(ddof=1))[:, None]

    def too_few(self, columns: int) -> str:
        """Return why a model of so many columns is not fitted; "" if it is."""
        if self.events is None and self.n < FEWEST_PATIENTS * columns:
            return (
                f"{self.n} patients for {columns} columns of the model, fewer than "
                f"{FEWEST_PATIENTS} per column"
            )
        if self.events is not None and self.events < FEWEST_EVENTS * columns:
            return (
                f"{self.events} events for {columns} columns of the model, fewer than "
                f"{FEWEST_EVENTS} per column"
            )
        return ""

    def row(self, columns: int, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return what every row holds, and what was found."""
        size = self.n if self.events is None else self.events
        few = {"exploratory": size < ENOUGH * columns}
        return {"n": self.n, "events": self.events, "reason": ""} | few | dict(found)


def adjusted_rows(
    pair: TestedPair,
    label: Label,
    adjustment: Adjustment,
    known: Mapping[str, pd.Series],
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield a row per model of a hypothesis: without covariates, with them, and by site.

    Parameters
    ----------
    pair : TestedPair
        The hypothesis with its patients.
    label : Label
        Its label.
    adjustment : Adjustment
        The covariates.
    known : mapping of str to Series
        Their values, of the same patients in the same order.
    seed : int
        Seed of the permutations.
    """
    feature, site = pair.hypothesis.feature, adjustment.site
    models = [SAME_PATIENTS, ADJUSTED, *([] if site is None else [f"{INTERACTION}{site.name}"])]
    # Nothing can be tested given itself.
    own = [one.name for one in adjustment.covariates if not one.is_of(feature, label)]
    inside = [] if adjustment.within is None else [adjustment.within.name]
    for model in models:
        by_site = [site.name] if site is not None and model.startswith(INTERACTION) else []
        needed = list(dict.fromkeys([*own, *inside, *by_site]))
        # Where the site stands beside its products with the label, it is no covariate as well.
        columns = [name for name in own if name not in by_site]
        asked = pair.key() | {
            "model": model,
            "covariates": "" if model == SAME_PATIENTS else "; ".join(own),
            "within": "" if model == SAME_PATIENTS else "".join(inside),
            "missing": missing_counts(needed, known, pair.complete),
        }
        sample, reason = sample_of(
            pair, label, adjustment, known, needed, columns,
            of_ranks=label.kind is not Kind.SURVIVAL,
        )  # fmt: skip
        if not reason:
            try:
                found = _fitted(sample, model, adjustment, seed)
            except InputError as error:
                reason = str(error)
        yield asked | (sample.row(1, {"reason": reason, "exploratory": False}) if reason else found)


def sample_of(
    pair: TestedPair,
    label: Label,
    adjustment: Adjustment,
    known: Mapping[str, pd.Series],
    needed: list[str],
    columns: list[str],
    *,
    of_ranks: bool,
) -> tuple[Sample, str]:
    """Return the patients who have all that a model needs, and why it cannot be fitted.

    Parameters
    ----------
    pair, label, adjustment, known
        As for `adjusted_rows`.
    needed : list of str
        The names of what these patients must have.
    columns : list of str
        Which of these become design columns.
    of_ranks : bool
        Whether the model is one of ranks, see `design`.
    """
    kept = pair.complete.copy()
    for name in needed:
        kept &= known[name].notna().to_numpy()
    values = {name: one[kept] for name, one in known.items()}
    among = pair.among(kept)
    sample = Sample(among, label.kind, np.empty((int(kept.sum()), 0)), None, None)
    strata = adjustment.within
    if strata is not None and strata.is_of(pair.hypothesis.feature, label):
        return sample, f"{strata.name} is what is tested"
    if not needed:
        return sample, "no covariate but what is tested"
    if not kept.any():
        return sample, "no patient has the feature, the label and all covariates"
    if reason := among.untestable:
        return sample, reason
    for name in needed:
        if values[name].nunique() < 2:
            return sample, f"{name} is {values[name].iloc[0]} for all these patients"
    within, site = adjustment.within, adjustment.site
    return replace(
        sample,
        covariates=design((values[name] for name in columns), of_ranks=of_ranks)
        if columns
        else sample.covariates,
        strata=None if within is None else values[within.name].to_numpy(str),
        # Of a model that does not need the site, some patients may have none.
        site=values[site.name].to_numpy(str) if site is not None and site.name in needed else None,
    ), ""


def _fitted(sample: Sample, model: str, adjustment: Adjustment, seed: int) -> dict[str, Any]:
    if model == SAME_PATIENTS:
        sample = replace(sample, covariates=sample.covariates[:, :0], strata=None)
    by_site = model.startswith(INTERACTION)
    if sample.kind is Kind.SURVIVAL:
        return _cox_by_site(sample) if by_site else _cox(sample)
    run = _ranks_by_site if by_site else _ranks
    return run(sample, adjustment.permutations, seed)


def _ranks(sample: Sample, permutations: int, seed: int) -> dict[str, Any]:
    """Test the label against the ranks of the feature."""
    tested, covariates = sample.of_label, sample.with_strata
    columns = tested.shape[1] + covariates.shape[1]
    if reason := sample.too_few(columns):
        return sample.row(columns, {"reason": reason})
    feature = sample.pair.feature
    found = rank_model(
        feature, tested, covariates,
        strata=sample.strata, permutations=permutations, seed=seed,
    )  # fmt: skip
    found |= {"test": "freedman_lane", "effect_name": PARTIAL_R2}
    if covariates.shape[1]:
        found["vif"] = variance_inflation(feature, covariates)
    if sample.kind is not Kind.NOMINAL:
        rho = partial_rank_correlation(feature, sample.pair.label, covariates, level=CONFIDENCE)
        found |= {"effect_name": PARTIAL_RHO, "effect": rho.estimate}
        found |= {"effect_low": rho.low, "effect_high": rho.high}
    return sample.row(columns, found | _explained(found, "label"))


def _ranks_by_site(sample: Sample, permutations: int, seed: int) -> dict[str, Any]:
    """Test whether the ranks of the feature follow the label in the same way at every site."""
    if sample.site is None:
        return sample.row(1, {"reason": "no patient is of a known site"})
    label, site = sample.of_label, indicators(sample.site)
    products = (label[:, :, None] * site[:, None, :]).reshape(sample.n, -1)
    covariates = np.hstack([sample.covariates, site, label])
    columns = products.shape[1] + covariates.shape[1]
    if reason := sample.too_few(columns):
        return sample.row(columns, {"reason": reason})
    found = rank_model(
        sample.pair.feature, products, covariates,
        strata=sample.strata, permutations=permutations, seed=seed,
    )  # fmt: skip
    found |= {"test": "freedman_lane", "effect_name": PARTIAL_R2}
    return sample.row(columns, found | _explained(found, "products of label and site"))


def _explained(found: Mapping[str, Any], what: str) -> dict[str, str]:
    """Return why there is no p, if there is none."""
    if not np.isnan(found["p"]):
        return {}
    if not found["df_tested"]:
        return {"reason": f"the covariates explain the {what} completely", "effect_name": ""}
    if found["df_residual"] < 1:
        return {"reason": "as many columns of the model as patients", "effect_name": ""}
    return {"reason": "the covariates explain the feature completely", "effect_name": ""}


def _cox(sample: Sample) -> dict[str, Any]:
    """Test the feature in a Cox model."""
    matrix = np.hstack([sample.standardised, sample.covariates])
    columns = matrix.shape[1]
    if sample.covariates.shape[1] and (reason := sample.too_few(columns)):
        return sample.row(columns, {"reason": reason})
    model = cox(
        sample.pair.label, sample.pair.happened, matrix,
        strata=sample.strata, names=_names(sample, columns), tested=1, level=CONFIDENCE,
    )  # fmt: skip
    term = model.terms[0]
    ratio = term.hazard_ratio
    found = {
        "test": "cox", "statistic": term.coefficient / term.standard_error, "df_tested": 1,
        "p": term.p, "effect_name": HAZARD_RATIO, "effect": ratio.estimate,
        "effect_low": ratio.low, "effect_high": ratio.high, "p_proportional": term.p_proportional,
    }  # fmt: skip
    if sample.with_strata.shape[1]:
        found["vif"] = variance_inflation(sample.pair.feature, sample.with_strata)
    return sample.row(columns, found)


def _cox_by_site(sample: Sample) -> dict[str, Any]:
    """Test whether the hazard follows the feature in the same way at every site."""
    if sample.site is None:
        return sample.row(1, {"reason": "no patient is of a known site"})
    # A site without an event tells nothing of hazards.
    with_events = np.isin(sample.site, sample.site[sample.pair.happened])
    if np.unique(sample.site[with_events]).size < 2:
        return sample.row(1, {"reason": "fewer than two sites have events"})
    pair = sample.pair.among(with_events)
    strata = None if sample.strata is None else sample.strata[with_events]
    site = indicators(sample.site[with_events])
    feature = sample.standardised[with_events]
    parts = [feature, sample.covariates[with_events], *([] if strata is not None else [site])]
    covariates = np.hstack(parts)
    products = feature * site
    columns = covariates.shape[1] + products.shape[1]
    if reason := sample.too_few(columns):
        return sample.row(columns, {"reason": reason})
    found = compare_cox(
        pair.label, pair.happened, products, covariates,
        strata=strata, names=_names(sample, columns), level=CONFIDENCE,
    )  # fmt: skip
    effect = found.effect
    return sample.row(
        columns,
        {
            "n": len(pair.feature), "test": "cox_likelihood_ratio", "statistic": found.statistic,
            "df_tested": found.df, "p": found.p, "effect_name": EXPLAINED,
            "effect": effect.estimate, "effect_low": effect.low, "effect_high": effect.high,
        },
    )  # fmt: skip


def _names(sample: Sample, columns: int) -> list[str]:
    """Return the names of design columns for messages."""
    others = (f"covariate column {number}" for number in range(1, columns))
    return [sample.pair.hypothesis.feature, *others]
