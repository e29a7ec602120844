"""What is left of the hypotheses given covariates, and without each site."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lggshape.association import AdjustedResults, Study
from lggshape.association.adjusted_models import (
    ADJUSTED,
    ENOUGH,
    FEWEST_EVENTS,
    FEWEST_PATIENTS,
    INTERACTION,
    SAME_PATIENTS,
)
from lggshape.association.adjustment import COLLINEAR, INFLATED
from lggshape.report import columns, wording
from lggshape.report.blocks import Block, Column, Section, Table, Text
from lggshape.report.selection import for_each_kind, of_masks

_SMALL = 0.05
"""A p of proportional hazards up to this is remarked upon."""

REFERENCES = (
    "Freedman D, Lane D. A nonstochastic interpretation of reported significance levels. Journal "
    "of Business & Economic Statistics 1983; 1: 292-298.",
    "Fisher RA. The distribution of the partial correlation coefficient. Metron 1924; 3: 329-332.",
    "van der Waerden BL. Order tests for the two-sample problem and their power. Indagationes "
    "Mathematicae 1952; 14: 453-458.",
    "O'Quigley J, Xu R, Stare J. Explained randomness in proportional hazards models. Statistics "
    "in Medicine 2005; 24: 479-489.",
    "Austin PC, Steyerberg EW. The number of subjects per variable required in linear regression "
    "analyses. Journal of Clinical Epidemiology 2015; 68: 627-636.",
    "Vittinghoff E, McCulloch CE. Relaxing the rule of ten events per variable in logistic and Cox "
    "regression. American Journal of Epidemiology 2007; 165: 710-718.",
    "Le Cessie S, van Houwelingen JC. Ridge estimators in logistic regression. Applied Statistics "
    "1992; 41: 191-201.",
    "Gelman A, Jakulin A, Pittau MG, Su YS. A weakly informative default prior distribution for "
    "logistic and other regression models. Annals of Applied Statistics 2008; 2: 1360-1383.",
    "Marquardt DW. Generalized inverses, ridge regression, biased linear estimation, and nonlinear "
    "estimation. Technometrics 1970; 12: 591-612.",
)


def adjustment(study: Study, given: AdjustedResults) -> Section:
    """Return the section on what is left of the hypotheses given covariates."""

    def of(masks: str) -> Iterator[Block]:
        yield from _models(study, given, masks)
        yield from _odds_ratios(given, masks)
        yield from _without_sites(study, given, masks)
        yield from _collinear(given, masks)

    blocks: list[Block] = [
        *for_each_kind(study, of),
        *(Text(text, "note") for text in _notes(given)),
    ]
    return Section("adjusted", f"The hypotheses {given.adjustment.title}", blocks, "Adjusted")


def _models(study: Study, given: AdjustedResults, masks: str) -> Iterator[Block]:
    """Return the hypotheses without and with the covariates, and by site."""
    rows = of_masks(given.adjusted, masks)
    before, after = (rows[rows["model"] == model] for model in (SAME_PATIENTS, ADJUSTED))
    yield Text(_summary(study, before, after), "lead")
    every = "; ".join(one.name for one in given.adjustment.covariates)

    def remarks(row: Any) -> str:
        return "; ".join(_remarks(row, every))

    by_pair: dict[Any, Any] = {
        (row.feature, row.label): row for row in before.itertuples(index=False)
    }

    def unadjusted(row: Any) -> str:
        return _effect(by_pair[row.feature, row.label])

    def p_unadjusted(row: Any) -> str:
        return wording.p_text(by_pair[row.feature, row.label].p)

    shared = (
        columns.feature(),
        columns.label(),
        Column("n (events)", _n),
        columns.words("effect", "effect_name"),
    )
    yield Table.of(
        after,
        "Each hypothesis on the patients who have all covariates: unadjusted, and "
        f"{given.adjustment.title}. VIF is the variance inflation of the feature by the "
        "covariates.",
        "adjusted",
        *shared,
        Column("unadjusted (95 %)", unadjusted),
        Column("p", p_unadjusted),
        Column("adjusted (95 %)", _effect),
        columns.p("p, adjusted"),
        columns.number("VIF", "vif", 1),
        Column("remarks", remarks, "long"),
    )
    by_site = rows[rows["model"].str.startswith(INTERACTION)]
    if len(by_site):
        site = by_site["model"].iloc[0].removeprefix(INTERACTION)
        yield Table.of(
            by_site,
            f"Interaction with {site}: does the association differ between its values? A small p "
            "suggests that it does.",
            "adjusted",
            *shared,
            Column("effect (95 %)", _effect),
            columns.p("p"),
            Column("remarks", remarks, "long"),
        )


def _odds_ratios(given: AdjustedResults, masks: str) -> Iterator[Block]:
    """Return the odds ratios of the levels without and with the covariates."""
    rows = of_masks(given.odds_ratios, masks)
    if rows.empty:
        return
    without = {
        (row.feature, row.label, row.level): row
        for row in rows[rows["model"] == SAME_PATIENTS].itertuples(index=False)
    }

    def ratio(row: Any) -> str:
        return wording.interval_text(row.odds_ratio, row.low, row.high)

    def unadjusted(row: Any) -> str:
        return ratio(without[row.feature, row.label, row.level])

    def remarks(row: Any) -> str:
        return row.reason or ("exploratory" if row.exploratory else "")

    yield Table.of(
        rows[rows["model"] == ADJUSTED],
        "Odds ratio of each level against the rest for one standard deviation more of the feature "
        "(penalised logistic regression): 1 is no association.",
        "odds_ratios",
        columns.feature(),
        columns.label(),
        columns.words("level", "level"),
        Column("n (with the level)", _n),
        Column("unadjusted (95 %)", unadjusted),
        Column("adjusted (95 %)", ratio),
        Column("remarks", remarks, "long"),
    )


def _summary(study: Study, before: pd.DataFrame, after: pd.DataFrame) -> str:
    """Return how many p are small without and with the covariates."""
    alpha = study.family.alpha
    fitted = int(after["p"].notna().sum())
    text = (
        f"p is at most {alpha:g} for {int((after['p'] <= alpha).sum())} of the {fitted} hypotheses "
        f"that could be tested with the covariates, and for "
        f"{int((before['p'] <= alpha).sum())} without them on the same patients."
    )
    if fitted < len(after):
        text += f" {len(after) - fitted} could not be tested; the remarks tell why."
    return text


def _without_sites(study: Study, given: AdjustedResults, masks: str) -> Iterator[Block]:
    """Return the range of the results of each hypothesis without each site."""
    rows = of_masks(given.left_out_sites, masks)
    if rows.empty or given.adjustment.site is None:
        return
    groups = dict(iter(rows.groupby(["feature", "label"], sort=False)))
    primary = of_masks(study.associations, masks)
    primary = primary[[pair in groups for pair in zip(primary.feature, primary.label, strict=True)]]

    def span(name: str, write: Any) -> Any:
        def cell(row: Any) -> str:
            values = groups[row.feature, row.label][name].dropna()
            return f"{write(values.min())} to {write(values.max())}" if len(values) else "—"

        return cell

    def largest(row: Any) -> str:
        group = groups[row.feature, row.label].dropna(subset=["p"])
        if group.empty:
            return "—"
        least = group.iloc[int(group["p"].argmax())]
        return f"{least['site']} (n = {least['n_site']})"

    yield Table.of(
        primary,
        f"The primary test again without the patients of each {given.adjustment.site.name}: the "
        "lowest and the highest value. Patients without a known one stay.",
        "left_out_sites",
        columns.feature(),
        columns.label(),
        Column("left out, each in turn", lambda row: str(len(groups[row.feature, row.label]))),
        columns.p("p with all", "p"),
        Column("p", span("p", wording.p_text)),
        columns.words("effect", "effect_name"),
        Column("with all (95 %)", _effect),
        Column("effect", span("effect", wording.number_text)),
        Column("highest p without", largest, "text"),
    )


def _collinear(given: AdjustedResults, masks: str) -> Iterator[Block]:
    rows = of_masks(given.collinear, masks)
    if len(rows):
        yield Table.of(
            rows,
            "Collinear features: the ranks of the two are correlated by at least "
            f"{COLLINEAR:g}. The data cannot tell which of them is associated with a label.",
            "collinear",
            columns.feature(),
            columns.feature("with", "other"),
            columns.count("n", "n"),
            columns.interval("Spearman's rho (95 %)", "rho", "rho_low", "rho_high"),
        )


def _notes(given: AdjustedResults) -> Iterator[str]:
    kinds = set(given.adjusted["test"].dropna())
    within = given.adjustment.within
    ranks = (
        "Ranks of the feature were modelled by the label and the covariates, and the label was "
        "tested by permutation of the residuals (Freedman and Lane, "
        f"{given.adjustment.permutations:,} permutations"
        + (f" within {within.name}, whose means may differ)." if within else ").")
        + " Partial R² is the share of the remaining variance that the label explains, not "
        "corrected for bias; of labels with an order it is the partial correlation of ranks."
    )
    hazards = (
        "Survival: a Cox model of the feature and the covariates"
        + (f", stratified by {within.name}." if within else ".")
        + " Its interaction is tested by the likelihood ratio; the effect is the share of "
        "randomness that it explains."
    )
    odds = (
        "Odds ratios come from a logistic regression on the feature and the covariates (numbers as "
        "normal scores, categories and strata as indicators), each in standard deviations, with a "
        "normal prior of mean 0 and standard deviation 2.5 on every slope. This keeps the estimate "
        "finite where a feature separates the levels. The intervals are Laplace's approximation of "
        "credible intervals. Fewer than "
        f"{ENOUGH} patients of the rarer outcome per column of the model are exploratory."
    )
    if "freedman_lane" in kinds:
        yield ranks
    if len(given.odds_ratios):
        yield odds
    if "cox" in kinds:
        yield hazards
    yield (
        "Covariates that are numbers enter by their ranks (in a Cox model by normal scores of "
        "these, in a model of ranks by both), so that it does not matter whether a volume or its "
        "logarithm is given. Categories enter as indicators. "
        "These p-values are not corrected; the answer shows the adjusted ones after "
        "Holm's correction. A model with fewer than "
        f"{FEWEST_PATIENTS} patients ({FEWEST_EVENTS} events) per column is not fitted; one with "
        f"fewer than {ENOUGH} is exploratory. A VIF above {INFLATED} means that the covariates "
        "nearly tell the feature."
    )


def _n(row: Any) -> str:
    return f"{row.n}" if pd.isna(row.events) else f"{row.n} ({row.events})"


def _effect(row: Any) -> str:
    return wording.interval_text(row.effect, row.effect_low, row.effect_high)


def _remarks(row: Any, covariates: str) -> Iterator[str]:
    """Yield why there is no result, or what to know about it."""
    if row.reason:
        yield row.reason
    elif row.covariates != covariates:
        yield f"covariates: {row.covariates or 'none'}, as nothing is tested given itself"
    if row.missing:
        yield f"missing: {row.missing}"
    if row.exploratory:
        yield "exploratory"
    if row.vif > INFLATED:
        yield "hardly to be told from the covariates"
    if row.p_proportional <= _SMALL:
        yield f"hazards not proportional (p = {wording.p_text(row.p_proportional)})"
