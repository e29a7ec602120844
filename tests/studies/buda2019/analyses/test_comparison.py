"""Effects of two kinds of mask in the same patients, and what p could have been."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, associate
from lggshape.labels import Labels
from lggshape.statistics import cramers_v, epsilon_squared, power_of_v
from lggshape.studies.buda2019.analyses.comparison import (
    MasksCompared,
    effect_differences,
    plain_v,
    reaching_table,
)

BEVR, ASD = "bounding_ellipsoid_volume_ratio", "angular_standard_deviation"


@pytest.fixture(scope="module")
def differences(replicated, labels: Labels, family: Family) -> pd.DataFrame:
    automatic, manual = replicated.automatic, replicated.manual
    automatic.loc[2, BEVR] = np.nan
    shuffled = manual.sample(frac=1, random_state=0)
    pairs = [MasksCompared("one", automatic, shuffled), MasksCompared("itself", manual, shuffled)]
    return effect_differences(pairs, labels, family, draws=49, jobs=1)


def test_a_row_for_each_hypothesis_and_effect(differences: pd.DataFrame, family: Family) -> None:
    assert list(differences["compared"]) == ["one"] * 20 + ["itself"] * 20
    pairs = [(h.feature, h.label) for h in family.hypotheses for _ in range(2)]
    assert list(differences[["feature", "label"]].itertuples(index=False, name=None)) == pairs * 2


def test_effects_are_those_of_the_patients_with_both_masks_invariant(
    replicated, differences: pd.DataFrame, labels: Labels, family: Family
) -> None:
    label = labels["COCCluster"].values
    table = replicated.manual.drop(index=2)
    values = table.set_index("patient")[BEVR]
    groups = label.reindex(values.index).dropna()
    row = differences.query("compared == 'one' and feature == @BEVR and label == 'COCCluster'")
    ranks = row[row["effect_name"] == "epsilon_squared"].iloc[0]
    assert ranks["n"] == len(groups)
    expected = epsilon_squared(values[groups.index], groups.to_numpy(str)).estimate
    assert ranks["second"] == pytest.approx(expected)
    assert ranks["difference"] == pytest.approx(ranks["first"] - ranks["second"])
    # Of the feature that nobody lacks, V is that of the study.
    study = associate(replicated.automatic, labels, family).associations
    found = differences.query(
        "compared == 'one' and feature == @ASD and effect_name == 'cramers_v'"
    )
    own = study[study["feature"] == ASD]
    assert found["first"].tolist() == pytest.approx(own["effect"].tolist())


def test_masks_do_not_differ_from_themselves_analytic(differences: pd.DataFrame) -> None:
    same = differences[differences["compared"] == "itself"]
    assert (same[["difference", "low", "high", "standard_error"]] == 0).all(axis=None)
    assert (same["p_exchange"] == 1).all()


def test_nobody_with_a_label_has_nothing_to_compare(
    replicated, labels: Labels, family: Family
) -> None:
    strangers = replicated.manual.assign(patient=lambda table: "x" + table["patient"])
    found = effect_differences(
        [MasksCompared("none", strangers, strangers)], labels, family, draws=9, jobs=1
    )
    assert found["n"].eq(0).all()


@pytest.fixture(scope="module")
def reaching(replicated, labels: Labels, family: Family) -> pd.DataFrame:
    return reaching_table([replicated.manual], labels, family, draws=20, jobs=1)


def test_truths_are_the_table_and_its_corrected_v_invariant(
    replicated, reaching: pd.DataFrame, labels: Labels, family: Family
) -> None:
    study = associate(replicated.manual, labels, family)
    effects = study.associations.set_index(["feature", "label"])
    bounds = {(h.feature, h.label): h.reported_below for h in family.hypotheses}
    assert len(reaching) == 2 * sum(bound is not None for bound in bounds.values())
    row: Any
    for row in reaching.itertuples():
        key = (row.feature, row.label)
        cells = study.contingency.query("feature == @row.feature and label == @row.label")
        table = cells.pivot_table(index="bin", columns="level", values="count").to_numpy(int)
        assert row.reported == bounds[key]
        assert row.v == pytest.approx(
            effects.at[key, "effect"] if row.truth == "V" else plain_v(table)
        )
        shape = table.any(axis=1).sum(), table.any(axis=0).sum()
        power = power_of_v(row.n, *map(int, shape), min(1.0, row.v), alpha=row.reported)
        assert row.probability_chi_squared == pytest.approx(power)
        assert row.low <= row.probability <= row.high
    v = reaching[reaching["truth"] == "V"]
    assert (v["probability_v_low"] <= v["probability_chi_squared"]).all()
    assert (v["probability_chi_squared"] <= v["probability_v_high"]).all()
    assert reaching.loc[reaching["truth"] == "table", "v_low"].isna().all()


def test_plain_v_is_larger_than_the_corrected_one_analytic() -> None:
    table = np.array([[6, 2], [2, 6]])
    assert plain_v(table) == 0.5
    assert cramers_v(table).estimate < 0.5
