"""How p scatters over masks that are about equally good, by test."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from lggshape.association import Family, TestedPair
from lggshape.association.kruskal_wallis import KruskalWallis
from lggshape.labels import Labels
from lggshape.studies.buda2019.names import BINS

TESTS: Mapping[str, str] = {
    "Fisher, quartiles": "p",
    "chi-squared, quartiles": "p_chi_squared",
    "Kruskal-Wallis": "p_ranks",
}
"""Each test with the column of its p."""

KEY = ["feature", "label"]
OTHER_COLUMNS = ["p_chi_squared", "p_ranks", "epsilon_squared"]


def other_tests(table: pd.DataFrame, labels: Labels, family: Family) -> pd.DataFrame:
    """Test the hypotheses on the masks of one kind, in two ways besides Fisher's test.

    Parameters
    ----------
    table : DataFrame
        A feature table of one kind of mask.
    labels : Labels
        The labels of the patients.
    family : Family
        The hypotheses.

    Returns
    -------
    DataFrame
        A row per hypothesis: `feature`, `label`, `p_chi_squared` (Pearson's test of the table of
        quartiles, without a correction), `p_ranks` (Kruskal-Wallis) and `epsilon_squared`; missing
        where nothing can be tested.
    """
    rows = []
    for hypothesis in family.hypotheses:
        pair = TestedPair.of(hypothesis, labels[hypothesis.label], table)
        found = KruskalWallis().run(pair, bins=BINS, seed=np.random.SeedSequence(0))
        row = {
            "feature": hypothesis.feature, "label": hypothesis.label, "p_chi_squared": np.nan,
            "p_ranks": found.p, "epsilon_squared": found.effect,
        }  # fmt: skip
        if not pair.untestable:
            counts, _ = pair.cross_table(pair.complete, BINS)
            counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
            row["p_chi_squared"] = float(chi2_contingency(counts, correction=False).pvalue)
        rows.append(row)
    return pd.DataFrame(rows)


def with_other_tests(
    tests: pd.DataFrame, table: pd.DataFrame, labels: Labels, family: Family
) -> pd.DataFrame:
    """Return a table of tests of one kind of mask with the columns of `other_tests` added."""
    return tests.merge(other_tests(table, labels, family), on=KEY, validate="one_to_one")


def set_row(kind: str, name: str, dice: float, tests: pd.DataFrame) -> pd.DataFrame:
    """Return tests on one set of masks as rows of `mask_tests`.

    Parameters
    ----------
    kind, name : str
        What kind of set it is, and which one.
    dice : float
        Its mean Dice.
    tests : DataFrame
        With the columns of `other_tests`, `n`, and `p` and `effect` of Fisher's test.

    Returns
    -------
    DataFrame
        A row per hypothesis: `kind`, `set`, `dice`, `feature`, `label`, `n`, `p`, `p_chi_squared`,
        `p_ranks`, `cramers_v`, `epsilon_squared`.
    """
    columns = [*KEY, "n", "p", "p_chi_squared", "p_ranks", "cramers_v", "epsilon_squared"]
    found = tests.rename(columns={"effect": "cramers_v"})[columns]
    return found.assign(kind=kind, set=name, dice=dice)[["kind", "set", "dice", *columns]]


def scatter_table(tests: pd.DataFrame, groups: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Sum up how p scatters over sets of masks.

    Parameters
    ----------
    tests : DataFrame
        As from `set_row`, of all sets.
    groups : mapping of str to tuple of str
        Which kinds of set are taken together, by the name of the group.

    Returns
    -------
    DataFrame
        A row per group, hypothesis and test, for groups whose kinds are all there and that have at
        least two sets: `group`, `sets` (how many), `dice_low`, `dice_high` (mean Dice of the sets),
        `feature`, `label`, `test`, `p_low`, `p_median`, `p_high`, `ratio` (the highest over the
        lowest) and `sd_log10_p`.
    """
    rows: list[dict[str, Any]] = []
    for name, kinds in groups.items():
        if not set(kinds) <= set(tests["kind"]):
            continue
        chosen = tests[tests["kind"].isin(list(kinds))]
        for (feature, label), group in chosen.groupby(KEY, sort=False):
            about = {
                "group": name, "sets": len(group), "dice_low": group["dice"].min(),
                "dice_high": group["dice"].max(), "feature": feature, "label": label,
            }  # fmt: skip
            if len(group) > 1:
                rows += [about | row for row in _spreads(group)]
    return pd.DataFrame(rows)


def _spreads(group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for test, column in TESTS.items():
        p = group[column].dropna()
        yield {
            "test": test, "p_low": p.min(), "p_median": p.median(), "p_high": p.max(),
            "ratio": p.max() / p.min(), "sd_log10_p": float(np.log10(p).std()),
        }  # fmt: skip


def runs_table(stability: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Compare in how many draws of two runs a hypothesis is significant.

    Parameters
    ----------
    stability, earlier : DataFrame
        As from `stability_table`, of this run and of an earlier one.

    Returns
    -------
    DataFrame
        A row per kind of draw and hypothesis that both have shares of: `draws`, `feature`, `label`,
        `count` and `significant` (in how many of this run p is below alpha over the number of
        hypotheses), `count_earlier`, `significant_earlier`, and the `difference` of the shares,
        this run less the earlier one, with its interval `low`, `high` (Newcombe): what the number
        of draws leaves open.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    both = stability.merge(earlier, on=["draws", *KEY], suffixes=("", "_earlier"))
    rows = []
    for row in both.dropna(subset=["stability", "stability_earlier"]).to_dict("records"):
        found = round(row["stability"] * row["count"])
        before = round(row["stability_earlier"] * row["count_earlier"])
        low, high = confint_proportions_2indep(
            found, row["count"], before, row["count_earlier"], method="newcomb"
        )
        rows.append(
            {
                **{name: row[name] for name in ("draws", *KEY)},
                "count": row["count"], "significant": found,
                "count_earlier": row["count_earlier"], "significant_earlier": before,
                "difference": row["stability"] - row["stability_earlier"],
                "low": low, "high": high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
