"""Is an association that of one institution: by ranks within institutions, and without one."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import Family, Hypothesis, TestedPair
from lggshape.association.adjusted_models import rank_model
from lggshape.association.covariates import indicators
from lggshape.association.tested_pair import CONFIDENCE
from lggshape.labels import Labels
from lggshape.parallel import map_all
from lggshape.progress import OnProgress, counter
from lggshape.statistics import kruskal_wallis
from lggshape.statistics.contingency import bias_corrected_v
from lggshape.statistics.rank_shares import (
    rank_share,
    rank_share_draws,
    weighted_rank_shares,
)
from lggshape.studies.buda2019.analyses.two_tests import BOTH_TESTS, KEY, REPLICATES, two_tests

PERMUTATIONS = 99_999
MEMBERSHIPS = 9_999
"""Permutations of which patients are those of the largest institution."""
SUBSETS = 10_000

_BY_RANKS = [
    *KEY, *BOTH_TESTS, "p_within", "p_within_adjusted", "partial", "partial_low", "partial_high",
]  # fmt: skip
_DIFFERENCES = [
    "masks", "feature", "label", "site", "n_site", "n_rest", "epsilon_squared_site",
    "epsilon_squared_rest", "difference", "difference_low", "difference_high", "p_membership",
    "p_products", "df_products",
]  # fmt: skip
_SUBSETS = [
    "masks", "feature", "label", "without", "n", "n_without", "v_without", "subsets", "as_low",
    "share", "v_low", "v_median", "v_high",
]  # fmt: skip


class Sites(NamedTuple):
    """What institutions do to the associations.

    Attributes
    ----------
    by_ranks : DataFrame
        A row per kind of mask, hypothesis and group of `patients` ("all", "without DU", "DU
        alone"): `n`; of the quartile test `p_quartiles` and Cramér's V `v`, `v_low`, `v_high`; of
        the Kruskal-Wallis test `p_ranks` and `epsilon_squared` with a bootstrap interval; its p by
        permutation within institutions `p_within`; the same after the means of the institutions
        were taken out, `p_within_adjusted`, with the share `partial` of what they leave.
    differences : DataFrame
        A row per kind of mask and hypothesis: epsilon squared of the largest `site` and of the
        rest, their `difference` with a bootstrap interval, `p_membership` by permutation, within
        each level, of who is of the site, and `p_products` of the products of level and site.
    subsets : DataFrame
        A row per kind of mask and hypothesis: V of the quartile test without the site, and of
        random subsets of as many patients how many are `as_low`, their `share`, and percentiles.
    """

    by_ranks: pd.DataFrame
    differences: pd.DataFrame
    subsets: pd.DataFrame


class _Patients(NamedTuple):
    """The patients of a hypothesis, complete and of a known institution."""

    pair: TestedPair
    sites: NDArray[np.str_]

    @property
    def values(self) -> NDArray[np.float64]:
        return self.pair.feature

    @property
    def levels(self) -> NDArray[np.int64]:
        return self.pair.level

    @property
    def comparable(self) -> bool:
        """Whether there is more than one level."""
        return len(np.unique(self.levels)) > 1

    def among(self, chosen: NDArray[Any]) -> "_Patients":
        """Return some of the patients alone."""
        return _Patients(self.pair.among(chosen), self.sites[chosen])

    def v(self) -> float:
        """Return Cramér's V of quartiles, cut among these patients."""
        return bias_corrected_v(self.pair.cross_table(self.pair.complete, 4)[0])


def site_tables(
    features: pd.DataFrame,
    labels: Labels,
    family: Family,
    sites: "pd.Series[str]",
    *,
    permutations: int = PERMUTATIONS,
    memberships: int = MEMBERSHIPS,
    subsets: int = SUBSETS,
    replicates: int = REPLICATES,
    seed: int = 0,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Sites:
    """Test the hypotheses by ranks within institutions, and with and without the largest one.

    Parameters
    ----------
    features : DataFrame
        A feature table of one or more kinds of mask.
    labels : Labels
        The labels of the patients.
    family : Family
        The hypotheses.
    sites : Series
        The institution by patient. Patients of an unknown one are left out.
    permutations, memberships, subsets, replicates : int
        How many permutations within institutions and of membership, random subsets, and bootstrap
        samples.
    seed : int
        Seed of all of them.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each hypothesis of each kind of mask.

    Returns
    -------
    Sites
        Tables without rows where fewer than two institutions are known.
    """
    work = [
        (group, hypothesis)
        for _, group in features.groupby("masks", sort=False)
        for hypothesis in family.hypotheses
        if sites.nunique() > 1
    ]
    used = {one.label: labels[one.label] for one in family.hypotheses}
    run = partial(
        _of_hypothesis,
        labels=used,
        sites=sites,
        permutations=permutations,
        memberships=memberships,
        subsets=subsets,
        replicates=replicates,
        seed=seed,
    )
    rows: tuple[list[dict[str, Any]], ...] = ([], [], [])
    advance = counter(on_progress, "permuting within institutions", len(work))
    for parts in map_all(run, work, jobs=jobs):
        for collected, new in zip(rows, parts, strict=True):
            collected.extend(new)
        advance()
    names = (_BY_RANKS, _DIFFERENCES, _SUBSETS)
    return Sites(
        *(pd.DataFrame(one, columns=columns) for one, columns in zip(rows, names, strict=True))
    )


def _of_hypothesis(
    item: tuple[pd.DataFrame, Hypothesis],
    *,
    labels: dict[str, Any],
    sites: "pd.Series[str]",
    permutations: int,
    memberships: int,
    subsets: int,
    replicates: int,
    seed: int,
) -> tuple[list[dict[str, Any]], ...]:
    group, hypothesis = item
    of_patient = group["patient"].map(sites)
    # The same institution for every hypothesis and kind of mask.
    largest = str(sites.value_counts().idxmax())
    pair = TestedPair.of(hypothesis, labels[hypothesis.label], group)
    known = _Patients(pair, of_patient.to_numpy(str)).among(
        pair.complete & of_patient.notna().to_numpy()
    )
    inside = known.sites == largest
    chosen = {
        "all": known,
        f"without {largest}": known.among(~inside),
        f"{largest} alone": known.among(inside),
    }
    key = pair.key()
    by_ranks = [
        key | {"patients": name} | _within(one, permutations, replicates, seed)
        for name, one in chosen.items()
        if one.comparable
    ]
    rest, own = known.among(~inside), known.among(inside)
    differences: list[dict[str, Any]] = []
    if rest.comparable and own.comparable:
        found = _difference(own, rest, permutations, memberships, replicates, seed)
        differences.append(key | {"site": largest} | found)
    drawn = [key | {"without": largest} | _subsets(known, rest, subsets, seed)]
    return by_ranks, differences, drawn


def _within(one: _Patients, permutations: int, replicates: int, seed: int) -> dict[str, Any]:
    """Return the tests by quartiles and by ranks, over all and within institutions."""
    clusters, sites = indicators(one.levels), indicators(one.sites)
    within, adjusted = (
        rank_model(
            one.values, clusters, given,
            strata=one.sites, permutations=permutations, seed=seed,
        )["p"]
        for given in (sites[:, :0], sites)
    )  # fmt: skip
    share = rank_share(one.values, clusters, sites, replicates=replicates, seed=seed)
    return two_tests(one.pair, replicates=replicates, seed=seed) | {
        "p_within": within, "p_within_adjusted": adjusted, "partial": share.estimate,
        "partial_low": share.low, "partial_high": share.high,
    }  # fmt: skip


def _difference(
    own: _Patients, rest: _Patients, permutations: int, memberships: int, replicates: int, seed: int
) -> dict[str, Any]:
    """Compare the association in one institution with that elsewhere."""
    shares = [
        kruskal_wallis(one.values, one.levels).statistic / (len(one.values) - 1)
        for one in (own, rest)
    ]
    draws = np.subtract(
        *(
            rank_share_draws(
                one.values, indicators(one.levels), replicates=replicates, seed=seed + number
            )
            for number, one in enumerate((own, rest))
        )
    )
    low, high = np.nanquantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    values = np.concatenate([own.values, rest.values])
    levels = np.concatenate([own.levels, rest.levels])
    inside = np.arange(len(values)) < len(own.values)
    sites = np.concatenate([own.sites, rest.sites])
    clusters = indicators(levels)
    products = rank_model(
        values, clusters * inside[:, None], np.hstack([clusters, indicators(sites)]),
        strata=sites, permutations=permutations, seed=seed,
    )  # fmt: skip
    difference = shares[0] - shares[1]
    chosen = _memberships(inside, levels, memberships, seed)
    of_site, of_rest = (
        weighted_rank_shares(values, clusters, weights=one).share for one in (chosen, ~chosen)
    )
    larger = int(np.sum(np.abs(of_site - of_rest) >= abs(difference) - 1e-9))
    return {
        "n_site": len(own.values), "n_rest": len(rest.values), "epsilon_squared_site": shares[0],
        "epsilon_squared_rest": shares[1], "difference": difference, "difference_low": low,
        "difference_high": high, "p_membership": (larger + 1) / (memberships + 1),
        "p_products": products["p"], "df_products": products["df_tested"],
    }  # fmt: skip


def _memberships(
    inside: NDArray[np.bool_], levels: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.bool_]:
    """Return random choices of as many patients of each level as are of the institution."""
    rng = np.random.default_rng(seed)
    chosen = np.tile(inside, (count, 1))
    for level in np.unique(levels):
        place = levels == level
        chosen[:, place] = rng.permuted(chosen[:, place], axis=1)
    return chosen


def _subsets(known: _Patients, rest: _Patients, count: int, seed: int) -> dict[str, Any]:
    """Compare V without an institution with V of random subsets of as many patients."""
    rng = np.random.default_rng(seed)
    n, left = len(known.values), len(rest.values)
    without = rest.v()
    drawn = np.array([known.among(rng.choice(n, left, replace=False)).v() for _ in range(count)])
    as_low = int(np.sum(drawn <= without + 1e-12))
    low, median, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    return {
        "n": n, "n_without": left, "v_without": without, "subsets": count, "as_low": as_low,
        "share": as_low / count, "v_low": low, "v_median": median, "v_high": high,
    }  # fmt: skip
