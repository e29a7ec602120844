"""How p scatters over sets of masks."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from lggshape.association import Family, associate
from lggshape.labels import Labels
from lggshape.studies.buda2019.analyses.scatter import (
    TESTS,
    other_tests,
    runs_table,
    scatter_table,
    set_row,
    with_other_tests,
)


def test_other_tests_are_those_of_the_same_tables_invariant(
    replicated, labels: Labels, family: Family
) -> None:
    study = associate(replicated.manual, labels, family)
    found = with_other_tests(study.associations, replicated.manual, labels, family)
    by_ranks = associate(replicated.manual, labels, family, test="kruskal-wallis").associations
    assert found["p_ranks"].tolist() == by_ranks["p"].tolist()
    assert found["epsilon_squared"].tolist() == by_ranks["effect"].tolist()
    row = found.iloc[0]
    cells = study.contingency.query("feature == @row.feature and label == @row.label")
    table = cells.pivot_table(index="bin", columns="level", values="count").to_numpy(float)
    table = table[:, table.any(axis=0)]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = np.sum((table - expected) ** 2 / expected)
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    assert row["p_chi_squared"] == pytest.approx(chi2.sf(statistic, freedom))


def test_what_cannot_be_tested_is_missing(replicated, labels: Labels, family: Family) -> None:
    table = replicated.manual.assign(bounding_ellipsoid_volume_ratio=np.nan)
    found = other_tests(table, labels, family).set_index("feature")
    assert found.loc["bounding_ellipsoid_volume_ratio", "p_chi_squared":].isna().all(axis=None)
    assert found.loc["margin_fluctuation", "p_chi_squared":].notna().all(axis=None)


def sets() -> pd.DataFrame:
    """Two sets of kind a and one of kind b, of two hypotheses."""
    parts = []
    for kind, name, dice, p in (("a", "a 1", 0.8, 1e-4), ("a", "a 2", 0.9, 1e-2), ("b", "b", 1, 1)):
        tests = pd.DataFrame(
            {
                "feature": ["f", "g"], "label": "l", "n": 9, "p": p, "effect": 0.3,
                "p_chi_squared": [p, p / 2], "p_ranks": [1e-3, np.nan], "epsilon_squared": 0.1,
            }
        )  # fmt: skip
        parts.append(set_row(kind, name, dice, tests))
    return pd.concat(parts, ignore_index=True)


def test_scatter_analytic() -> None:
    groups = {"both": ("a", "b"), "one": ("b",), "same": ("a",), "more": ("a", "c")}
    found = scatter_table(sets(), groups)
    # Neither of one set, nor with a kind that is not there.
    assert found["group"].unique().tolist() == ["both", "same"]
    assert len(found) == 2 * 2 * len(TESTS)
    row = found.query("group == 'same' and feature == 'f'").set_index("test")
    quartiles = row.loc["Fisher, quartiles"]
    assert (quartiles["sets"], quartiles["dice_low"], quartiles["dice_high"]) == (2, 0.8, 0.9)
    assert (quartiles["p_low"], quartiles["p_high"]) == (1e-4, 1e-2)
    assert quartiles["ratio"] == pytest.approx(100)
    assert quartiles["sd_log10_p"] == pytest.approx(np.sqrt(2))  # of -4 and -2
    assert row.loc["Kruskal-Wallis", "sd_log10_p"] == 0
    assert found.query("feature == 'g' and test == 'Kruskal-Wallis'")["ratio"].isna().all()


def test_draws_of_two_runs_published() -> None:
    """Newcombe's own example: 56 of 70 less 48 of 80, .0524 to .3339 (method 10)."""
    key = {"draws": "d", "feature": "f", "label": "l"}
    one = pd.DataFrame([key | {"count": 70, "stability": 56 / 70}])
    other = pd.DataFrame([key | {"count": 80, "stability": 48 / 80}])
    few = pd.DataFrame([key | {"draws": "few", "count": 4, "stability": np.nan}])
    found = runs_table(pd.concat([one, few]), pd.concat([other, few]))
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["significant"], row["significant_earlier"]) == (56, 48)
    assert row["difference"] == pytest.approx(0.2)
    assert (row["low"], row["high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
