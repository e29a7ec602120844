"""The hypotheses given covariates, without each site, and the features that are collinear."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from lggshape.association.adjusted_models import ADJUSTED, adjusted_rows
from lggshape.association.covariates import Adjustment
from lggshape.association.hypotheses import Hypothesis
from lggshape.association.odds_ratios import odds_ratio_rows
from lggshape.association.processes import map_if_long
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.association.tests import deciding_test
from lggshape.labels import Label
from lggshape.names import natural_key
from lggshape.progress import OnProgress, counter
from lggshape.statistics import adjust, rank_correlation

COLLINEAR = 0.9
"""From this rank correlation on, two features are called collinear (Tabachnick BG, Fidell LS. Using
multivariate statistics. 7th ed. Pearson 2019, chapter 4)."""

INFLATED = 10
"""Above this variance inflation, the covariates tell the feature nearly (Marquardt DW.
Technometrics 12 (1970) 591-612)."""

_KEY = ["masks", "feature", "label"]
_EFFECT = ["effect_name", "effect", "effect_low", "effect_high"]
_ADJUSTED = [
    *_KEY, "model", "covariates", "within", "test", "n", "events", "statistic", "df_tested",
    "df_residual", "p", "p_holm", *_EFFECT, "vif", "p_proportional", "missing", "exploratory",
    "reason",
]  # fmt: skip
_ODDS = [
    *_KEY, "level", "model", "covariates", "n", "events", "odds_ratio", "low", "high",
    "exploratory", "reason",
]  # fmt: skip
_SITES = [
    *_KEY, "site", "n_site", "test", "n", "events", "statistic", "p", *_EFFECT, "p_standard_error",
    "reason",
]  # fmt: skip
_COLLINEAR = ["masks", "feature", "other", "n", "rho", "rho_low", "rho_high"]
_COUNTS = {"events": "Int64"}


@dataclass(frozen=True)
class AdjustedResults:
    """What remains of the hypotheses of a study given covariates.

    Attributes
    ----------
    adjustment : Adjustment
        The covariates, strata and sites.
    adjusted : DataFrame
        The models of each hypothesis: without the covariates on the same patients, with them, and
        whether the association differs between sites. Holm's correction is of those with them, over
        all hypotheses.
    odds_ratios : DataFrame
        Of labels without an order or with two levels, the odds ratio of each level against the rest
        for one standard deviation more of the feature, without the covariates and with them.
    left_out_sites : DataFrame
        The deciding test of each hypothesis without each site.
    collinear : DataFrame
        Tested features that are collinear with another, or with a covariate that is a number.
    """

    adjustment: Adjustment
    adjusted: pd.DataFrame
    odds_ratios: pd.DataFrame
    left_out_sites: pd.DataFrame
    collinear: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by its name."""
        return {
            "adjusted": self.adjusted,
            "odds_ratios": self.odds_ratios,
            "left_out_sites": self.left_out_sites,
            "collinear": self.collinear,
        }


def adjusted_results(
    adjustment: Adjustment,
    table: pd.DataFrame,
    hypotheses: Sequence[Hypothesis],
    labels: Mapping[str, Label],
    *,
    bins: int,
    test: str | None,
    seed: int,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> AdjustedResults:
    """Test hypotheses given covariates and without each site.

    Parameters
    ----------
    adjustment : Adjustment
        The covariates, strata and sites.
    table : DataFrame
        As from `read_features`.
    hypotheses : sequence of Hypothesis
        The hypotheses.
    labels : mapping of str to Label
        Their labels.
    bins, test, seed, jobs : int, str or None, int, and int or None
        As for `associate`.
    on_progress : callable, optional
        Told how far the work has come.

    Returns
    -------
    AdjustedResults
        Tables with the reason in place of p where a model could not be fitted.
    """
    groups = {
        str(masks): (group, adjustment.known(group))
        for masks, group in table.groupby("masks", sort=False)
    }
    # The seeds that the primary tests have.
    streams = np.random.SeedSequence(seed).spawn(len(hypotheses))
    tasks = [(masks, *each) for masks in groups for each in zip(hypotheses, streams, strict=True)]
    find = partial(
        _given, groups=groups, labels=labels, adjustment=adjustment, bins=bins, test=test
    )
    adjusted: list[dict[str, Any]] = []
    odds: list[dict[str, Any]] = []
    sites: list[dict[str, Any]] = []
    advance = counter(on_progress, "adjusting", len(tasks))
    for of_models, of_odds, of_sites in map_if_long(find, tasks, jobs=jobs):
        adjusted += of_models
        odds += of_odds
        sites += of_sites
        advance()
    collinear = [
        {"masks": masks} | row
        for masks, (group, known) in groups.items()
        for row in _collinear(hypotheses, group, known)
    ]
    counts = _COUNTS | {"df_tested": "Int64", "df_residual": "Int64"}
    return AdjustedResults(
        adjustment,
        _corrected(pd.DataFrame(adjusted, columns=_ADJUSTED), len(hypotheses)).astype(counts),
        pd.DataFrame(odds, columns=_ODDS).astype(_COUNTS),
        pd.DataFrame(sites, columns=_SITES).astype(_COUNTS),
        pd.DataFrame(collinear, columns=_COLLINEAR),
    )


def _given(
    task: tuple[str, Hypothesis, np.random.SeedSequence],
    *,
    groups: Mapping[str, tuple[pd.DataFrame, Mapping[str, pd.Series]]],
    labels: Mapping[str, Label],
    adjustment: Adjustment,
    bins: int,
    test: str | None,
) -> tuple[list[dict[str, Any]], ...]:
    """Return the rows of a hypothesis: models, odds ratios, and its test without each site."""
    masks, hypothesis, stream = task
    group, known = groups[masks]
    label = labels[hypothesis.label]
    pair = TestedPair.of(hypothesis, label, group)
    number = int(stream.generate_state(1)[0])
    models = list(adjusted_rows(pair, label, adjustment, known, number))
    odds = list(odds_ratio_rows(pair, label, adjustment, known))
    if adjustment.site is None:
        return models, odds, []
    site = known[adjustment.site.name]
    return models, odds, list(_without_each_site(pair, label, site, bins, test, stream))


def _corrected(models: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return models with Holm's p of those given the covariates, over all hypotheses."""
    models["p_holm"] = np.nan
    given = models[models["model"] == ADJUSTED]
    for _, group in given.groupby("masks", sort=False):
        models.loc[group.index, "p_holm"] = adjust(group["p"].to_numpy(float), family=count).holm
    return models


def _without_each_site(
    pair: TestedPair,
    label: Label,
    site: pd.Series,
    bins: int,
    test: str | None,
    stream: np.random.SeedSequence,
) -> Iterator[dict[str, Any]]:
    """Yield the deciding test of a hypothesis without each of the sites that its patients are of.

    Patients of an unknown site stay.
    """
    deciding = deciding_test(test, label.kind)
    for name in sorted(set(site[pair.complete].dropna()), key=natural_key):
        of_site = (site == name).to_numpy(bool)
        result = deciding.run(pair.among(~of_site), bins=bins, seed=stream)
        effect = "" if np.isnan(result.effect) else deciding.effect
        counts = {"site": name, "n_site": int((of_site & pair.complete).sum())}
        yield pair.key() | counts | result._asdict() | {"effect_name": effect}


def _collinear(
    hypotheses: Sequence[Hypothesis], group: pd.DataFrame, known: Mapping[str, pd.Series]
) -> Iterator[dict[str, Any]]:
    """Yield the pairs of tested features, and of these and numbers, with a high correlation."""
    features = list(dict.fromkeys(one.feature for one in hypotheses))
    values = {name: group[name].to_numpy(float) for name in features}
    numbers = {
        name: one.to_numpy(float)
        for name, one in known.items()
        if one.dtype == float and name not in values
    }
    pairs = [*combinations(features, 2), *((one, name) for one in features for name in numbers)]
    values |= numbers
    for one, other in pairs:
        both = np.isfinite(values[one]) & np.isfinite(values[other])
        if both.sum() < 3:  # no correlation of fewer
            continue
        found = rank_correlation(values[one][both], values[other][both], level=CONFIDENCE)
        if abs(found.estimate) >= COLLINEAR:
            yield {
                "feature": one, "other": other, "n": int(both.sum()), "rho": found.estimate,
                "rho_low": found.low, "rho_high": found.high,
            }  # fmt: skip
