"""Planted effects: labels and features are made here, so that what goes with what is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import f_oneway, rankdata

from lggshape.association import Family, Hypothesis, TestedPair, associate
from lggshape.errors import InputError
from lggshape.files import write_table
from lggshape.labels import Labels, read_labels
from lggshape.progress import Progress
from lggshape.studies.buda2019.analyses.confounding import (
    MODELS,
    Covariates,
    adjusted_table,
    binary_models,
    survival_models,
    within_mutants,
)
from lggshape.studies.buda2019.analyses.two_tests import by_ranks
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.buda2019.roles import Roles

IDH, CLUSTER = "idh_1p19q_buda_table2", "RNASeqCluster"
LEVELS = np.array(["IDHwt", "IDHmut-non-codel", "IDHmut-codel"])
NOWHERE = pd.Series(dtype=str)
ONE = Family("one", "One", (Hypothesis(BEVR, CLUSTER),))
FEW = {"replicates": 50, "jobs": 1}

Patients = Callable[..., tuple[pd.DataFrame, Labels]]


@pytest.fixture
def patients(tmp_path: Path) -> Patients:
    """Make patients with columns that are given, and noise for the rest."""

    def make(count: int = 120, **columns: object) -> tuple[pd.DataFrame, Labels]:
        rng = np.random.default_rng(11)
        names = [f"p{i:03}" for i in range(count)]
        table = pd.DataFrame(
            {
                "case": names, "patient": names, "masks": "manual", "reason": "",
                ASD: rng.uniform(0.1, 0.3, count), MF: rng.uniform(0.01, 0.1, count),
                BEVR: rng.uniform(0.2, 0.8, count), "volume": rng.uniform(1e3, 1e5, count),
                "Patient": names, CLUSTER: rng.choice(["R1", "R2", "R3", "R4"], count),
                IDH: rng.choice(LEVELS, count),
                "age_at_initial_pathologic": rng.integers(20, 80, count),
                "gender": rng.choice(["female", "male"], count),
                "neoplasm_histologic_grade": rng.choice(["grade II", "grade III"], count),
                "tumor_location": rng.choice(["frontal", "parietal", "temporal"], count),
                "laterality": rng.choice(["left", "right"], count),
            }
        ).assign(**columns)  # fmt: skip
        measured = ["case", "patient", "masks", "reason", ASD, MF, BEVR, "volume"]
        write_table(tmp_path / "labels.csv", table.drop(columns=measured))
        return table[measured], read_labels([tmp_path / "labels.csv"])

    return make


def dummies(values: pd.Series) -> np.ndarray:
    return pd.get_dummies(values, dtype=float).to_numpy()[:, 1:]


def test_a_design_analytic(patients: Patients, roles: Roles) -> None:
    features, labels = patients(
        4,
        volume=[1.0, np.e, np.nan, np.e**2],
        age_at_initial_pathologic=[30, np.nan, 50, 60],
        neoplasm_histologic_grade=["grade II", "grade III", None, "grade III"],
        **{IDH: ["IDHwt", "IDHmut-codel", "IDHmut-non-codel", None]},
    )
    sites = pd.Series({"p000": "A", "p001": "B", "p003": "B", "elsewhere": "C"})
    known = Covariates(features, labels, roles, sites)
    design = known.design("IDH", "IDH wild type", "volume", "age", "grade", "institution")
    # IDHwt is the codebook's first level, and so the reference; p002 has no known institution.
    np.testing.assert_allclose(
        design.to_numpy(float),
        [
            [0, 0, 1, 0, 30, 0, 1, 0],
            [0, 1, 0, 1, np.nan, 1, 0, 1],
            [1, 0, 0, np.nan, 50, np.nan, 0, 0],
            [np.nan, np.nan, np.nan, 2, 60, 1, 0, 1],
        ],
    )
    assert known.site.tolist() == ["A", "B", "", "B"]
    assert known.design().shape == (4, 0)


def test_without_any_known_institution_all_count_as_one(patients: Patients, roles: Roles) -> None:
    features, labels = patients(4)
    known = Covariates(features, labels, roles, NOWHERE)
    assert known.site.tolist() == [""] * 4
    assert known.design("institution").shape == (4, 0)


def test_every_hypothesis_by_every_model_that_it_can_have(
    features: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    told: list[Progress] = []
    few = replace(family, hypotheses=family.hypotheses[3:7])
    one, two = (
        adjusted_table(
            features, labels, few, roles, NOWHERE, permutations=99, replicates=50, jobs=jobs,
            on_progress=told.append,
        )
        for jobs in (1, 2)
    )  # fmt: skip
    pd.testing.assert_frame_equal(one, two)
    assert (told[-1].done, told[-1].total) == (2 * 4, 2 * 4)
    # Three hypotheses with four models, that on IDH with the two that do not hold it.
    assert one.groupby("masks").size().to_dict() == {"automatic": 14, "manual": 14}
    assert set(one.loc[one["label"] == IDH, "model"]) == {
        "cluster alone",
        "given volume, age, grade, institution",
    }
    assert list(dict.fromkeys(one["model"])) == list(MODELS)
    assert one["p"].between(0.01, 1).all()
    assert (one["effect_low"] <= one["effect"]).all()
    assert (one["effect"] <= one["effect_high"]).all()


def test_alone_it_is_epsilon_squared_with_the_same_interval_invariant(
    features: pd.DataFrame, labels: Labels, roles: Roles
) -> None:
    manual = features.query("masks == 'manual'")
    found = adjusted_table(
        manual, labels, ONE, roles, NOWHERE, permutations=9, replicates=50, jobs=1
    )
    row = found.set_index("model").loc["cluster alone"]
    hypothesis = ONE.hypotheses[0]
    pair = TestedPair.of(hypothesis, labels[hypothesis.label], manual)
    expected = by_ranks(pair, replicates=50)
    assert row[["effect", "effect_low", "effect_high"]].tolist() == pytest.approx(
        [expected.effect, expected.effect_low, expected.effect_high]
    )


def test_f_alone_is_that_of_ranks_and_f_given_idh_compares_two_models(
    patients: Patients, roles: Roles
) -> None:
    # scipy's one-way analysis of variance, and statsmodels' comparison of nested least squares.
    features, labels = patients(60)
    features.loc[3, BEVR] = np.nan
    found = adjusted_table(
        features, labels, ONE, roles, NOWHERE, permutations=9, replicates=50, jobs=1
    )
    rows = found.set_index("model")
    kept = features[BEVR].notna().to_numpy()
    ranks = rankdata(features[BEVR][kept])
    cluster, idh = (labels[name].values.to_numpy()[kept] for name in (CLUSTER, IDH))
    alone = rows.loc["cluster alone"]
    groups = [ranks[cluster == level] for level in ("R1", "R2", "R3", "R4")]
    assert alone["statistic"] == pytest.approx(f_oneway(*groups).statistic)
    assert alone[["n", "df_tested", "df_residual"]].tolist() == [59, 3, 55]
    small = sm.OLS(ranks, sm.add_constant(dummies(idh)))
    large = sm.OLS(ranks, sm.add_constant(np.hstack([dummies(idh), dummies(cluster)])))
    expected, _, df = large.fit().compare_f_test(small.fit())
    given = rows.loc["given IDH"]
    assert given["statistic"] == pytest.approx(expected)
    assert given[["n", "df_tested"]].tolist() == [59, df]
    assert given["effect"] == pytest.approx(1 - large.fit().ssr / small.fit().ssr)


def test_a_cluster_that_is_idh_says_nothing_given_idh_planted(
    patients: Patients, roles: Roles
) -> None:
    idh = np.tile(LEVELS, 40)
    noise = np.random.default_rng(1).uniform(-0.05, 0.05, 120)
    shape = np.tile([0.3, 0.5, 0.55], 40) + noise
    drawn = np.random.default_rng(2)
    blurred = np.where(drawn.random(120) < 0.6, idh, drawn.choice(LEVELS, 120))
    names = {"IDHwt": "R2", "IDHmut-non-codel": "R1", "IDHmut-codel": "R3"}
    for cluster in (idh, blurred):
        columns = {IDH: idh, BEVR: shape, CLUSTER: [names[level] for level in cluster]}
        features, labels = patients(120, **columns)
        found = adjusted_table(
            features, labels, ONE, roles, NOWHERE, permutations=999, replicates=50, jobs=1
        )
        p = found.set_index("model")["p"]
        assert p["cluster alone"] == 0.001
        assert p["given volume, age, grade, institution"] == 0.001
        if cluster is idh:  # nothing is left that could be tested
            assert found.set_index("model").loc["given IDH", "df_tested"] == 0
            assert p[["given IDH", "given all of these"]].isna().all()
        else:
            assert p[["given IDH", "given all of these"]].min() > 0.05


def test_a_cluster_with_a_shape_of_its_own_stays_given_idh_planted(
    patients: Patients, roles: Roles
) -> None:
    rng = np.random.default_rng(3)
    cluster = rng.choice(["R1", "R2", "R3", "R4"], 120)
    shape = 0.5 - 0.2 * (cluster == "R2") + rng.uniform(-0.15, 0.15, 120)
    features, labels = patients(120, **{CLUSTER: cluster, BEVR: shape})
    found = adjusted_table(
        features, labels, ONE, roles, NOWHERE, permutations=999, replicates=50, jobs=1
    )
    assert found["p"].tolist() == [0.001] * 4


def test_what_institutions_differ_in_is_no_association_planted(
    patients: Patients, roles: Roles
) -> None:
    # Shape and cluster both go with the institution, and within it with nothing.
    rng = np.random.default_rng(4)
    place = np.repeat(["A", "B"], 60)
    cluster = np.where(rng.random(120) < 0.9, np.where(place == "A", "R1", "R2"), "R3")
    shape = np.where(place == "A", 0.3, 0.6) + rng.uniform(-0.1, 0.1, 120)
    features, labels = patients(120, **{CLUSTER: cluster, BEVR: shape})
    sites = pd.Series(place, index=features["patient"])
    within, anywhere = (
        adjusted_table(features, labels, ONE, roles, known, permutations=999, **FEW)
        .set_index("model")
        .loc["cluster alone"]
        for known in (sites, NOWHERE)
    )
    assert within["p"] > 0.05
    assert anywhere["p"] == 0.001
    assert within["statistic"] == anywhere["statistic"]


def test_a_level_that_no_measured_patient_has_is_no_column(
    patients: Patients, roles: Roles
) -> None:
    features, labels = patients(60)
    few = features[labels[CLUSTER].values.to_numpy() != "R4"]
    found = adjusted_table(few, labels, ONE, roles, NOWHERE, permutations=9, **FEW)
    assert found["df_tested"].tolist() == [2] * 4


def test_among_the_mutants_the_tests_are_those_of_their_own_table_invariant(
    features: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> None:
    idh = labels[IDH].values
    mutants = features[features["patient"].isin(idh.index[idh != "IDHwt"])]
    expected = associate(mutants, labels, family).associations
    found = within_mutants(features, labels, family, roles, jobs=1)
    columns = ["masks", "feature", "label", "n", "p", "effect", "effect_low", "effect_high"]
    pd.testing.assert_frame_equal(found[columns], expected[columns])
    # Four of the cohort's 24 are of wild type, and one has no known IDH.
    assert found.loc[found["label"] == IDH, "n"].tolist() == [19, 19]
    assert set(found["analysis"]) == {"IDH mutation"}


def test_binary_models_and_how_many_events_their_terms_need_analytic(
    patients: Patients, roles: Roles
) -> None:
    cluster = np.repeat(["R2", "R1", "R3"], [25, 40, 35])
    age = np.full(100, 40.0) + np.arange(100) % 7
    age[0] = np.nan
    features, labels = patients(100, **{CLUSTER: cluster, "age_at_initial_pathologic": age})
    found = binary_models(features, labels, roles, NOWHERE)
    terms = found.groupby("model", sort=False)["term"].agg(list).to_dict()
    assert terms == {
        "shape alone": ["1/BEVR"],
        "with IDH wild type": ["1/BEVR", "wild type"],
        "with log volume, age, grade": ["1/BEVR", "log volume", "age", "grade"],
    }
    # Ten events a term: 25 are enough for two, not for four. One patient of R2 has no age.
    first = found.drop_duplicates("model").set_index("model")
    assert first["events"].tolist() == [25, 25, 24]
    assert first["n"].tolist() == [100, 100, 99]
    assert first["exploratory"].tolist() == [False, False, True]


def test_the_odds_of_the_target_rise_with_irregular_shapes_planted(
    patients: Patients, roles: Roles
) -> None:
    # BEVR falls with irregularity, so its inverse rises where R2 does: by itself in the first
    # cohort, with the wild type alone in the second.
    rng = np.random.default_rng(5)
    wild = rng.random(300) < 0.4
    idh = np.where(wild, "IDHwt", "IDHmut-codel")
    own = rng.random(300) < 0.4
    by_wild_type = np.where(rng.random(300) < 0.8, wild, rng.random(300) < 0.4)
    for target, driver in ((own, own), (by_wild_type, wild)):
        shape = 1 / (2 + 1.5 * driver + rng.normal(0, 0.7, 300).clip(-1.5, 1.5))
        cluster = np.where(target, "R2", "R1")
        features, labels = patients(300, **{IDH: idh, CLUSTER: cluster, BEVR: shape})
        found = binary_models(features, labels, roles, NOWHERE)
        rows = found[found["term"] == "1/BEVR"].set_index("model")
        assert rows.loc["shape alone", "low"] > 1
        given = rows.loc["with IDH wild type"]
        if driver is own:
            assert given["low"] > 2
        else:
            assert given["low"] < 1 < given["high"]
            wild_type = found[found["term"] == "wild type"].iloc[0]
            assert wild_type["low"] > 1
            # For being one: 0.88 / 0.12 over 0.08 / 0.92 are 84, and the prior shrinks it.
            assert 20 < wild_type["odds_ratio"] < 90


@pytest.fixture
def survivors(patients: Patients) -> tuple[pd.DataFrame, Labels]:
    """Make 250 patients whose hazard grows by e for each SD of irregularity, no other column."""
    rng = np.random.default_rng(6)
    irregular = rng.normal(size=250)
    time = rng.exponential(np.exp(-irregular)) * 1000 + 1
    happened = time < 1500
    return patients(
        250,
        **{
            ASD: 0.2 + 0.01 * irregular, MF: rng.uniform(0.01, 0.1, 250),
            BEVR: 0.6 - 0.02 * irregular, "OS": np.where(happened, "event", "censored"),
            "OS.time": np.minimum(time, 1500).round(),
        },
    )  # fmt: skip


def test_the_hazard_grows_by_what_was_planted(
    survivors: tuple[pd.DataFrame, Labels], roles: Roles
) -> None:
    found = survival_models(*survivors, roles, NOWHERE)
    assert found["endpoint"].unique().tolist() == ["overall survival"]  # the other has no label
    assert found["n"].unique().tolist() == [250]
    assert found["events"].unique().tolist() == [int((survivors[1]["OS"].values == "event").sum())]
    terms = found.groupby(["feature", "model"], sort=False)["term"].agg(list)
    assert terms[ASD, "alone"] == [ASD]
    assert terms[ASD, "with age and IDH wild type"] == [ASD, "age", "wild type"]
    own = found[found["term"] == found["feature"]].set_index(["feature", "model"])
    for feature in (ASD, BEVR):  # either way towards irregular shapes, whatever the unit
        for model in ("alone", "with age and IDH wild type"):
            row = own.loc[(feature, model)]
            assert 1 < row["low"] < np.e < row["high"]
            assert row["p_proportional"] > 0.01
    for row in (own.loc[(MF, "alone")], *found[found["term"] == "age"].to_dict("records")):
        assert row["low"] < 1 < row["high"]


def test_without_labels_of_survival_there_is_an_empty_table_that_can_be_read(
    patients: Patients, roles: Roles, tmp_path: Path
) -> None:
    found = survival_models(*patients(20), roles, NOWHERE)
    write_table(tmp_path / "survival.csv", found)
    assert len(found) == 0
    assert {"hazard_ratio", "reason"} < set(pd.read_csv(tmp_path / "survival.csv"))


def test_a_model_that_cannot_be_fitted_says_why(
    survivors: tuple[pd.DataFrame, Labels], roles: Roles
) -> None:
    features, labels = survivors
    found = survival_models(features.assign(**{MF: 0.1}), labels, roles, NOWHERE)
    failed = found[found["feature"] == MF]
    assert failed["term"].tolist() == [MF, MF]
    assert failed["hazard_ratio"].isna().all()
    assert failed["reason"].str.startswith("Expected").all()
    assert (found.loc[found["feature"] != MF, "reason"] == "").all()


def test_a_cohort_without_the_outcome_is_refused(patients: Patients, roles: Roles) -> None:
    features, labels = patients(20, **{CLUSTER: ["R1", "R3"] * 10})
    with pytest.raises(InputError, match="hold both 0 and 1, found 0 of 20"):
        binary_models(features, labels, roles, NOWHERE)
