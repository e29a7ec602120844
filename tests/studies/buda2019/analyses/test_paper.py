from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lggshape.association import Family, Hypothesis, Study, associate
from lggshape.association.hypotheses import ReportedAUC
from lggshape.labels import Labels, read_labels
from lggshape.statistics import detectable_v
from lggshape.studies.buda2019.analyses.paper import claims_table, cohort_table, table_3
from lggshape.studies.buda2019.names import ASD, BEVR
from lggshape.studies.buda2019.roles import Roles

CLUSTER = "RNASeqCluster"
KEY = ["masks", "feature", "label"]


@pytest.fixture(scope="module")
def study(features: pd.DataFrame, labels: Labels, family: Family) -> Study:
    return associate(features, labels, family)


def claims(study: Study, family: Family, roles: Roles) -> pd.DataFrame:
    tables = study.associations, study.contingency, study.discrimination
    return claims_table(*tables, family, roles)


def test_claims_repeat_the_primary_tests_invariant(
    study: Study, family: Family, roles: Roles
) -> None:
    found = claims(study, family, roles)
    bounds = found[found["claim"].str.startswith("p <")].set_index(KEY)
    # Six of the ten hypotheses have a bound.
    assert bounds.groupby("masks").size().to_dict() == {"automatic": 6, "manual": 6}
    primary = study.associations.set_index(KEY).loc[bounds.index]
    for name, same in (
        ("found", "p"), ("n", "n"), ("effect", "effect"), ("low", "effect_low"),
        ("high", "effect_high"),
    ):  # fmt: skip
        np.testing.assert_array_equal(bounds[name], primary[same])
    assert (bounds["reached"] == (primary["p"] < bounds["reported"])).all()
    areas = found[found["claim"].str.startswith("AUC")].set_index(KEY)
    assert areas["claim"].tolist() == [f"AUC for R2 {value}" for value in ("0.80", "0.78")]
    same = study.discrimination.query("level == 'R2'").set_index(KEY).loc[areas.index]
    np.testing.assert_array_equal(
        areas[["found", "low", "high"]], same[["auc", "auc_low", "auc_high"]]
    )


def test_what_could_have_been_detected_goes_by_the_table_that_was_tested(
    study: Study, family: Family, roles: Roles
) -> None:
    found = claims(study, family, roles).set_index(KEY)["detectable_v"].sort_index()
    # Quartiles by three clusters of copy number, and by four of RNA; alpha 0.05 over ten.
    for label, levels in (("CNCluster", 3), (CLUSTER, 4)):
        expected = detectable_v(23, 4, levels, alpha=0.005, power=0.8)
        assert found["manual", BEVR, label].max() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "reached"),
    [
        (0.51, 0.80, True), (0.50, 0.85, False), (0.45, 0.85, False), (0.55, 0.79, False),
        (0.81, 0.90, False),
    ],
)  # fmt: skip
def test_an_area_is_reached_if_its_interval_says_so_analytic(
    study: Study, family: Family, roles: Roles, low: float, high: float, reached: bool
) -> None:
    # The interval has to exclude 0.5 and to hold the paper's 0.80.
    areas = study.discrimination.assign(auc_low=low, auc_high=high)
    one = replace(family, reported_aucs=(ReportedAUC(BEVR, CLUSTER, "automatic", {"R2": 0.8}),))
    found = claims_table(study.associations, study.contingency, areas, one, roles)
    assert found.query("claim == 'AUC for R2 0.80'")["reached"].tolist() == [reached]


@pytest.mark.parametrize(("p", "reached"), [(0.0049, True), (0.005, False), (np.nan, False)])
def test_a_bound_is_reached_below_it_analytic(
    study: Study, family: Family, roles: Roles, p: float, reached: bool
) -> None:
    tests = study.associations.assign(p=p)
    one = replace(
        family, hypotheses=(Hypothesis(BEVR, CLUSTER, reported_below=0.005),), reported_aucs=()
    )
    found = claims_table(tests, study.contingency, study.discrimination, one, roles)
    assert found["reached"].tolist() == [reached, reached]
    assert found["claim"].tolist() == ["p < 0.005"] * 2


def test_a_claim_that_cannot_be_tested_is_not_reached(
    features: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    one = replace(family, hypotheses=family.hypotheses[:1], reported_aucs=())
    found = claims(associate(features.assign(**{BEVR: 0.5}), labels, one), one, roles)
    assert found["label"].tolist() == [CLUSTER, CLUSTER]
    assert found[["found", "effect", "detectable_v"]].isna().all(axis=None)
    assert not found["reached"].any()


def test_table_3_of_the_features_is_that_of_discrimination_invariant(
    study: Study, features: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    found = table_3(features, study.discrimination, labels, family, roles)
    areas = study.discrimination.set_index(["label", "feature"]).sort_index().loc[CLUSTER]
    for feature, predictor in ((ASD, ASD), (BEVR, f"1/{BEVR}")):
        own, same = found[found["predictor"] == predictor], areas.loc[feature]
        columns = ["masks", "level", "n", "n_level", "auc", "auc_low", "auc_high"]
        np.testing.assert_array_equal(own[columns], same[columns])
        assert len(own) == 2 * 4
    # What the paper reports stands beside it: all clusters of automatic masks, R2 of manual ones.
    beside = found.set_index(["predictor", "masks", "level"])["paper"].sort_index()
    assert beside[f"1/{BEVR}", "automatic"].tolist() == [0.23, 0.80, 0.36, 0.53]
    assert beside[ASD, "manual", "R2"] == 0.72
    assert beside[ASD, "manual"].isna().sum() == 3
    assert beside["gender", ""].tolist() == [0.44, 0.50, 0.58, 0.52]


def test_table_3_of_age_and_gender_scikit_learn(
    study: Study, features: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    found = table_3(features, study.discrimination, labels, family, roles)
    known = pd.DataFrame({name: labels[name].values for name in (CLUSTER, roles.age, roles.gender)})
    for predictor, values in (
        ("age", known[roles.age]),
        ("gender", (known[roles.gender] == "male").astype(float)),
    ):
        complete = known[CLUSTER].notna() & values.notna()
        rows = found[found["predictor"] == predictor].set_index("level")
        assert rows["n"].unique().tolist() == [complete.sum()]
        for level in ("R1", "R2", "R3", "R4"):
            inside = known.loc[complete, CLUSTER] == level
            assert rows.loc[level, "auc"] == pytest.approx(roc_auc_score(inside, values[complete]))
            assert rows.loc[level, "n_level"] == inside.sum()


def test_a_cluster_that_no_measured_patient_has_keeps_its_row(
    features: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    few = features[features["patient"].map(labels[CLUSTER].values) != "R4"]
    one = replace(family, hypotheses=family.hypotheses[:1], reported_aucs=())
    study = associate(few, labels, one)
    found = table_3(few, study.discrimination, labels, family, roles)
    rows = found[found["level"] == "R4"]
    assert rows["n_level"].tolist() == [0] * 4  # BEVR of two kinds of mask, age, gender
    assert rows["auc"].isna().all()
    # Three clusters are left that a test can find a difference between.
    expected = detectable_v(17, 4, 3, alpha=0.05)
    assert claims(study, one, roles)["detectable_v"].tolist() == pytest.approx([expected] * 2)


def test_a_cohort_by_hand_analytic(tmp_path: Path, roles: Roles) -> None:
    # Patient 8 has no group, the last no age; patients 2, 6 and 7 have no mask.
    rows = [f"p{i},{g},{20 + i},{100 * i}" for i, g in enumerate("aaabbbbb cd")]
    text = "\n".join(["Patient,g,age_at_initial_pathologic,OS.time", *rows, "p11,e,,1100"])
    (tmp_path / "labels.csv").write_text(text)
    labels = read_labels([tmp_path / "labels.csv"])
    # Two kinds of mask of the same ten patients, of whom one is in no table.
    patients = [f"p{i}" for i in (0, 1, 3, 4, 5, 8, 9, 10, 11)] + ["stranger"]
    features = pd.DataFrame({"patient": patients * 2, "masks": ["m"] * 10 + ["a"] * 10})
    sites = pd.Series({"p0": "B", "p1": "A", "p2": "A", "p3": "A"})
    family = Family("one", "One", (Hypothesis(BEVR, "g"),))
    found = cohort_table(features, labels, sites, family, roles)
    found = found.set_index(["characteristic", "level"])
    counts = found["patients"].dropna()
    assert counts["institution"].to_dict() == {"A": 2, "B": 1, "not available": 7}
    assert counts["g"].to_dict() == {"a": 2, "b": 3, "c": 1, "d": 1, "e": 1, "not available": 2}
    # Of 20, 21, 23, 24, 25, 28, 29 and 30 years.
    age = found.loc["age_at_initial_pathologic"]
    assert age["value"].dropna().to_dict() == {
        "median": 24.5, "mean": 25.0, "lowest": 20.0, "highest": 30.0,
    }  # fmt: skip
    assert age.loc["not available", "patients"] == 2
    assert "OS.time" not in found.index.get_level_values(0)


def test_every_patient_of_the_cohort_is_counted_once_invariant(
    features: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    found = cohort_table(features, labels, pd.Series(dtype=str), family, roles)
    counted = found[found["value"].isna()].groupby("characteristic")["patients"].sum()
    numbers = ["age_at_initial_pathologic"]
    assert (counted.drop(numbers) == 24).all()
    assert counted["institution"] == 24


def test_histology_by_grade_by_hand_analytic(tmp_path: Path, family: Family, roles: Roles) -> None:
    rows = ["a,II", "a,III", "a,III", "b,II", "b,", ",II"]
    header = f"Patient,{roles.histology},{roles.grade}"
    text = "\n".join([header, *(f"p{i},{row}" for i, row in enumerate(rows))])
    (tmp_path / "labels.csv").write_text(text)
    features = pd.DataFrame({"patient": [f"p{i}" for i in range(6)]})
    nowhere = pd.Series(dtype=str)
    labels = read_labels([tmp_path / "labels.csv"])
    found = cohort_table(features, labels, nowhere, family, roles)
    counts = found[found["characteristic"] == "histology, grade"].set_index("level")["patients"]
    assert counts.to_dict() == {
        "a, II": 1, "a, III": 2, "b, II": 1, "b, III": 0, "not available": 2,
    }  # fmt: skip
