"""A hypothesis by quartiles and by ranks, side by side, among some of the patients."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lggshape.association import Family, Hypothesis, TestedPair
from lggshape.association.covariates import indicators
from lggshape.association.fisher_on_bins import FisherOnBins
from lggshape.association.kinds_of_test import Result
from lggshape.association.kruskal_wallis import KruskalWallis
from lggshape.association.tested_pair import CONFIDENCE
from lggshape.labels import Labels
from lggshape.parallel import map_all
from lggshape.statistics.rank_shares import rank_share
from lggshape.studies.buda2019.roles import Roles

KEY = ("masks", "feature", "label", "patients")
BOTH_TESTS = (
    "n", "p_quartiles", "v", "v_low", "v_high", "p_ranks", "epsilon_squared",
    "epsilon_squared_low", "epsilon_squared_high",
)  # fmt: skip
"""The columns of `two_tests`."""

REPLICATES = 9_999
"""Bootstrap samples of an epsilon squared."""

MUTATED = "IDH mutation"


def two_tests(
    pair: TestedPair, *, replicates: int = REPLICATES, seed: int = 0
) -> dict[str, int | float]:
    """Test a hypothesis by quartiles (Fisher) and by ranks (Kruskal-Wallis).

    Returns
    -------
    dict
        The columns `BOTH_TESTS`: the interval of V is that of `cramers_v`, that of epsilon squared
        by the bootstrap (`rank_share`).
    """
    quartiles = FisherOnBins().run(pair, bins=4, seed=np.random.SeedSequence(seed))
    ranks = by_ranks(pair, replicates=replicates, seed=seed)
    values = (
        quartiles.n, quartiles.p, quartiles.effect, quartiles.effect_low, quartiles.effect_high,
        ranks.p, ranks.effect, ranks.effect_low, ranks.effect_high,
    )  # fmt: skip
    return dict(zip(BOTH_TESTS, values, strict=True))


def by_ranks(pair: TestedPair, *, replicates: int = REPLICATES, seed: int = 0) -> Result:
    """Test a hypothesis by ranks; the interval of epsilon squared is that of the bootstrap."""
    result = KruskalWallis().run(pair, bins=4, seed=np.random.SeedSequence(seed))
    if result.reason:
        return result
    chosen = pair.complete
    share = rank_share(
        pair.feature[chosen], indicators(pair.level[chosen]),
        replicates=replicates, level=CONFIDENCE, seed=seed,
    )  # fmt: skip
    return result._replace(effect_low=share.low, effect_high=share.high)


def within_idh(
    features: pd.DataFrame,
    labels: Labels,
    family: Family,
    roles: Roles,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Test the hypotheses by quartiles and by ranks among patients of some IDH subtypes alone.

    Returns
    -------
    DataFrame
        A row per kind of mask, hypothesis and group of `patients`: all with IDH mutation, and each
        IDH/1p19q subtype with mutation; the columns of `two_tests`. No row where the label has
        fewer than two levels among them, or the feature two values.
    """
    idh = labels[roles.idh]
    mutated = [level for level in idh.levels if level != roles.wild_type]
    groups = {MUTATED: mutated, **{level: [level] for level in mutated}}
    chosen = {name: idh.values.index[idh.values.isin(levels)] for name, levels in groups.items()}
    work = [
        (name, group[group["patient"].isin(patients)], hypothesis)
        for _, group in features.groupby("masks", sort=False)
        for name, patients in chosen.items()
        for hypothesis in family.hypotheses
        if group["patient"].isin(patients).any()
    ]
    used = {one.label: labels[one.label] for one in family.hypotheses}
    run = partial(_tested, labels=used, replicates=replicates, seed=seed)
    rows = [row for found in map_all(run, work, jobs=jobs) for row in found]
    return pd.DataFrame(rows, columns=[*KEY, *BOTH_TESTS])


def _tested(
    item: tuple[str, pd.DataFrame, Hypothesis],
    *,
    labels: dict[str, Any],
    replicates: int,
    seed: int,
) -> list[dict[str, Any]]:
    name, group, hypothesis = item
    pair = TestedPair.of(hypothesis, labels[hypothesis.label], group)
    if pair.untestable:
        return []
    found = two_tests(pair, replicates=replicates, seed=seed)
    return [pair.key() | {"patients": name} | found]
