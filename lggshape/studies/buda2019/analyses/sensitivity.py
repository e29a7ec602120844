"""The hypotheses under every choice that could have been another one."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from lggshape.association import Family, TestedPair, irregularity
from lggshape.association.fisher_on_bins import FisherOnBins
from lggshape.association.kinds_of_test import Result
from lggshape.labels import Labels
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.statistics import QuantileRule
from lggshape.studies.buda2019.analyses.two_tests import by_ranks
from lggshape.studies.buda2019.names import ASD, BEVR, MF, OFFSETS

PRIMARY = "primary analysis"
OTHER_BINS = {"2 bins": 2, "3 bins": 3}
BY_RANKS = "none: Kruskal-Wallis"

_KEY = ["masks", "feature", "label", "group", "analysis"]
COLUMNS = (*_KEY, "test", "n", "p", "effect", "effect_low", "effect_high")
AREA_COLUMNS = (*_KEY, "level", "n", "n_level", "auc", "auc_low", "auc_high")


class Analysis(NamedTuple):
    """One way to test the hypotheses of a family.

    Attributes
    ----------
    group, analysis : str
        What kind of choice is changed, and to what.
    table : DataFrame
        A feature table of one kind of mask.
    features : tuple of str
        The features that the change concerns; empty for all.
    bins : int
        Number of quantile bins.
    rule : QuantileRule
        How quantiles are found.
    among : {"complete", "measured"}
        Whether the cut-points are those of the patients with both values, or of all with the
        feature.
    by_ranks : bool
        Whether the test is that of Kruskal and Wallis, without quantiles.
    """

    group: str
    analysis: str
    table: pd.DataFrame
    features: tuple[str, ...] = ()
    bins: int = 4
    rule: QuantileRule = "linear"
    among: Literal["complete", "measured"] = "complete"
    by_ranks: bool = False

    @property
    def changes_test(self) -> bool:
        """Whether cut-points or test are not those of the study."""
        own = (self.bins, self.rule, self.among, self.by_ranks)
        return own != (4, "linear", "complete", False)

    def run_test(self, pair: TestedPair, stream: np.random.SeedSequence, seed: int) -> Result:
        """Test a hypothesis in this way; a test by ranks draws by the seed of all hypotheses."""
        if self.by_ranks:
            return by_ranks(pair, seed=seed)
        among = pair.complete if self.among == "complete" else pair.measured
        return FisherOnBins().run(
            pair, bins=self.bins, seed=stream, cut_among=among, rule=self.rule
        )


class Tested(NamedTuple):
    """Analyses with their results, in the same order.

    Attributes
    ----------
    associations : DataFrame
        A row per hypothesis and analysis, with the columns `COLUMNS`.
    areas : DataFrame
        A row per level of each label whose areas under the curve the family's publication reports,
        with the columns `AREA_COLUMNS`; none for analyses that change the test alone.
    """

    associations: pd.DataFrame
    areas: pd.DataFrame


def run_analyses(
    analyses: Iterable[Analysis],
    labels: Labels,
    family: Family,
    *,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Tested:
    """Test the hypotheses of a family in many ways.

    Parameters
    ----------
    analyses : iterable of Analysis
        The ways.
    labels : Labels
        The labels of the patients.
    family : Family
        The hypotheses.
    seed : int
        For Monte Carlo p-values.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each analysis.

    Returns
    -------
    Tested
        All results. Nothing is corrected: the correction covers the primary tests alone.
    """
    rows: list[dict[str, Any]] = []
    areas: list[dict[str, Any]] = []
    used = {h.label: labels[h.label] for h in family.hypotheses}
    work = list(analyses)
    advance = counter(on_progress, "testing", len(work))
    for found in map_all(partial(_run, labels=used, family=family, seed=seed), work, jobs=jobs):
        rows += found[0]
        areas += found[1]
        advance()
    return Tested(
        pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(areas, columns=list(AREA_COLUMNS))
    )


def _run(
    analysis: Analysis, *, labels: dict[str, Any], family: Family, seed: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    named = {"group": analysis.group, "analysis": analysis.analysis}
    rows = []
    streams = np.random.SeedSequence(seed).spawn(len(family.hypotheses))
    for hypothesis, stream in zip(family.hypotheses, streams, strict=True):
        if analysis.features and hypothesis.feature not in analysis.features:
            continue
        pair = TestedPair.of(hypothesis, labels[hypothesis.label], analysis.table)
        rows.append(pair.key() | named | analysis.run_test(pair, stream, seed)._asdict())
    areas = []
    reported = dict.fromkeys((entry.feature, entry.label) for entry in family.reported_aucs)
    for feature, label in () if analysis.changes_test else reported:
        if analysis.features and feature not in analysis.features:
            continue
        hypothesis = next(h for h in family.hypotheses if (h.feature, h.label) == (feature, label))
        pair = TestedPair.of(hypothesis, labels[label], analysis.table)
        areas += [row | named for row in pair.discrimination(irregularity(feature))]
    return rows, areas


def medians_of_draws(tested: Tested) -> Tested:
    """Replace analyses of one name, the draws of a random change, by the median of each number."""
    names = [["test"], ["level"]]
    return Tested(
        *(
            table.groupby([*_KEY, *more], sort=False, as_index=False, dropna=False)
            .median()
            .astype({"n": int})[list(table.columns)]
            for table, more in zip(tested, names, strict=True)
        )
    )


def span_table(associations: pd.DataFrame, family: Family) -> pd.DataFrame:
    """Sum up what the changes do to each hypothesis.

    Parameters
    ----------
    associations : DataFrame
        The primary analysis and all others, as in `Tested`.
    family : Family
        The hypotheses.

    Returns
    -------
    DataFrame
        A row per kind of mask and hypothesis: `masks`, `feature`, `label`, `p` and `effect` of the
        primary analysis; over the others `analyses` (how many), `below_reported` (how many have a p
        below the published bound; missing without one), `p_low`, `p_median`, `p_high`; and of
        Cramér's V over quartiles `effect_low`, `effect_high`, `lowest` (the analysis of the lowest)
        with its `lowest_n`, and `effect_low_of_all` without those of fewer patients.
    """
    rows: list[dict[str, Any]] = []
    bounds: dict[Any, float | None] = dict(family.reported_bounds)
    for (masks, feature, label), group in associations.groupby(_KEY[:3], sort=False):
        is_primary = group["analysis"] == PRIMARY
        primary = group[is_primary].iloc[0]
        others = group[~is_primary].dropna(subset="p")
        without = others["analysis"].isin([*OTHER_BINS, BY_RANKS])
        quartiles = others[~without].dropna(subset="effect")
        bound = bounds[feature, label]
        row = {
            "masks": masks, "feature": feature, "label": label, "p": primary["p"],
            "effect": primary["effect"], "analyses": len(others),
            "below_reported": np.nan if bound is None else int((others["p"] < bound).sum()),
            "p_low": others["p"].min(), "p_median": others["p"].median(),
            "p_high": others["p"].max(),
            "effect_low": quartiles["effect"].min(), "effect_high": quartiles["effect"].max(),
            "lowest": "", "lowest_n": np.nan,
            "effect_low_of_all": quartiles.loc[quartiles["group"] != "patients", "effect"].min(),
        }  # fmt: skip
        if len(quartiles):
            lowest = quartiles.iloc[int(quartiles["effect"].argmin())]
            row |= {"lowest": lowest["analysis"], "lowest_n": lowest["n"]}
        rows.append(row)
    return pd.DataFrame(rows)


def with_other_tests(table: pd.DataFrame) -> Iterator[Analysis]:
    """Yield the primary analysis of a table, and those that change the cut-points or the test."""
    yield Analysis(PRIMARY, PRIMARY, table)
    for name, bins in OTHER_BINS.items():
        yield Analysis("cut-points", name, table, bins=bins)
    rules: Sequence[tuple[QuantileRule, int]] = (("weibull", 6), ("median_unbiased", 8))
    for rule, number in rules:
        yield Analysis("cut-points", f"quartiles of type {number}", table, rule=rule)
    yield Analysis("cut-points", "among all with the feature", table, among="measured")
    yield Analysis("cut-points", BY_RANKS, table, by_ranks=True)
    lacking = table[tested_features(table)].isna().any(axis=1)
    if lacking.any():
        yield Analysis("empty masks", "ranked as the most irregular", ranked_worst(table))


def with_other_patients(
    table: pd.DataFrame, dice: "pd.Series[float]", sites: "pd.Series[str]"
) -> Iterator[Analysis]:
    """Yield the analyses without some patients, as far as anybody is left.

    Parameters
    ----------
    table : DataFrame
        A feature table of one kind of mask.
    dice, sites : Series
        The Dice of the automatic mask, and the institution, by patient.
    """
    scores = table["patient"].map(dice)
    kept = {f"without Dice below {lowest:g}": scores >= lowest for lowest in (0.7, 0.8)}
    places = table["patient"].map(sites)
    for site in sorted(places.dropna().unique()):
        kept[f"without institution {site}"] = places != site
    for name, chosen in kept.items():
        if chosen.any():
            yield Analysis("patients", name, table[chosen])


def ranked_worst(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which patients without a feature have the most irregular value of all."""
    filled = table.copy()
    for name in tested_features(table):
        values = table[name]
        beyond = values.max() + 1 if irregularity(name) > 0 else values.min() - 1
        filled[name] = values.fillna(beyond)
    return filled


def tested_features(table: pd.DataFrame) -> list[str]:
    """Return the names of the study's features that a table has."""
    return [name for name in (ASD, OFFSETS, MF, BEVR) if name in table]
