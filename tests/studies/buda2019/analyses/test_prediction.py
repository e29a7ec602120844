"""What is predicted is made here: separable, noise, or by age alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.files import write_table
from lggshape.labels import Labels, read_labels
from lggshape.progress import Progress
from lggshape.statistics import auc
from lggshape.statistics.prediction import cross_validated, stratified_folds
from lggshape.statistics.sample_size import cox_snell_from_auc, required_sample_size
from lggshape.studies.buda2019.analyses import prediction
from lggshape.studies.buda2019.analyses.prediction import PREDICTORS, THRESHOLDS, Predicted, predict
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.buda2019.roles import Roles

COUNT = 60
NOWHERE = pd.Series(dtype=str)


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Labels, pd.Series]:
    """Make sixty patients of three institutions.

    R2 are the lowest BEVR, R1 the others, wild types the oldest. Five patients have no grade, one
    of them no cluster, and two no location.
    """
    rng = np.random.default_rng(8)
    names = [f"p{i:02}" for i in range(COUNT)]
    order = rng.permutation(COUNT)
    age = rng.permutation(np.linspace(20, 79, COUNT))
    grade = pd.Series(rng.choice(["grade II", "grade III"], COUNT)).mask(np.arange(COUNT) < 5)
    location = pd.Series(rng.choice(["frontal", "parietal"], COUNT)).mask(np.arange(COUNT) > 57)
    cluster = pd.Series(np.where(order < 20, "R2", "R1")).mask(np.arange(COUNT) == 0)
    labels = pd.DataFrame(
        {
            "Patient": names, "RNASeqCluster": cluster, "tumor_location": location,
            "idh_1p19q_buda_table2": np.where(age > 55, "IDHwt", "IDHmut-codel"),
            "age_at_initial_pathologic": age, "neoplasm_histologic_grade": grade,
        }
    )  # fmt: skip
    path = tmp_path_factory.mktemp("prediction") / "labels.csv"
    write_table(path, labels)
    features = pd.DataFrame(
        {
            "patient": names, "masks": "manual", ASD: rng.uniform(0.1, 0.3, COUNT),
            MF: rng.uniform(0.01, 0.1, COUNT), BEVR: 0.3 + 0.005 * order,
            "volume": rng.uniform(1e3, 1e5, COUNT),
        }
    )  # fmt: skip
    return features, read_labels([path]), pd.Series(np.tile(list("ABC"), 20), index=names)


@pytest.fixture(scope="module")
def predicted(patients: tuple[pd.DataFrame, Labels, pd.Series], roles: Roles) -> Predicted:
    told: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "REPETITIONS", 1)
        patch.setattr(prediction, "FOLDS", 3)
        found = predict(*patients[:2], roles, patients[2], jobs=1, on_progress=told.append)
    assert (told[-1].done, told[-1].total) == (3 * len(PREDICTORS), 3 * len(PREDICTORS))
    return found


def of(
    found: Predicted, outcome: str, predictors: str, validation: str = "by patient"
) -> pd.Series:
    rows = found.scores.set_index(["outcome", "predictors", "validation"]).sort_index()
    return rows.loc[(outcome, predictors, validation)]


def test_every_outcome_by_every_set_of_predictors(predicted: Predicted) -> None:
    scores = predicted.scores
    assert len(scores) == 3 * len(PREDICTORS) * 2
    assert list(dict.fromkeys(scores["outcome"])) == ["R1", "R2", "IDHwt"]
    assert (scores["reason"] == "").all()
    terms = scores.drop_duplicates("predictors").set_index("predictors")["terms"].to_dict()
    # ASD, MF and 1/BEVR; log volume and one of two locations.
    assert terms == {
        "shape": 3, "volume and location": 2, "age": 1, "age and grade": 2,
        "shape, age and grade": 5,
    }  # fmt: skip


def test_who_lacks_a_predictor_is_left_out_and_counted_analytic(predicted: Predicted) -> None:
    # Of the five without grade one has no cluster, and so is not asked for among R1 and R2.
    for outcome, predictors, n, missing in (
        ("R2", "shape", 59, 0),
        ("R2", "volume and location", 57, 2),
        ("R2", "age and grade", 55, 4),
        ("IDHwt", "age", 60, 0),
        ("IDHwt", "shape, age and grade", 55, 5),
    ):
        assert of(predicted, outcome, predictors)[["n", "missing"]].tolist() == [n, missing]


@pytest.mark.parametrize("validation", ["by patient", "by institution"])
def test_what_can_be_told_is_told_and_nothing_else_planted(
    predicted: Predicted, validation: str
) -> None:
    for outcome, predictors in (
        ("R1", "shape"),
        ("R2", "shape"),
        ("R2", "shape, age and grade"),
        ("IDHwt", "age"),
        ("IDHwt", "age and grade"),
    ):
        row = of(predicted, outcome, predictors, validation)
        assert row["auc"] > 0.95
        assert row["scaled_brier"] > 0.5
    for outcome, predictors in (("R2", "age"), ("R1", "age"), ("IDHwt", "shape")):
        row = of(predicted, outcome, predictors, validation)
        assert row["auc"] < 0.65
        assert row["scaled_brier"] < 0.1


def test_scores_by_patient_are_medians_over_repetitions_invariant(
    patients: tuple[pd.DataFrame, Labels, pd.Series], predicted: Predicted, roles: Roles,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(prediction, "REPETITIONS", 3)
    monkeypatch.setattr(prediction, "PREDICTORS", {"age": ("age",)})
    features, labels, sites = patients
    found = predict(features, labels, roles, NOWHERE, seed=4, jobs=1)
    # Where no institution is known, none is left out.
    assert found.scores["validation"].unique().tolist() == ["by patient"]
    cluster = labels["RNASeqCluster"].values
    age = labels["age_at_initial_pathologic"].values[cluster.index].to_numpy()[:, None]
    inside = (cluster == "R2").to_numpy()
    areas = []
    for stream in np.random.SeedSequence(4).spawn(3):
        outer, inner = stream.generate_state(2).tolist()
        folds = stratified_folds(inside, 5, seed=outer)
        probability = cross_validated(inside, age, folds, seed=inner).probability
        areas.append(auc(probability[inside], probability[~inside]).estimate)
    assert len(set(areas)) == 3
    assert of(found, "R2", "age")["auc"] == pytest.approx(np.median(areas))
    # Institutions are left out once.
    places = np.unique(sites[cluster.index], return_inverse=True)[1]
    probability = cross_validated(inside, age, places).probability
    by_institution = of(predicted, "R2", "age", "by institution")
    assert by_institution["auc"] == auc(probability[inside], probability[~inside]).estimate
    assert by_institution["brier"] == pytest.approx(np.mean((probability - inside) ** 2))


def test_the_patients_needed_are_those_of_the_area_that_is_given_invariant(
    predicted: Predicted,
) -> None:
    for row in predicted.scores.itertuples():
        if not (row.auc_low > 0.5 and row.auc < 1):
            assert np.isnan(row.needed)
            continue
        prevalence = row.events / row.n
        share = cox_snell_from_auc(row.auc, prevalence)
        size = required_sample_size(prevalence=prevalence, cox_snell_r2=share, parameters=row.terms)
        assert row.needed == size.required
    assert predicted.scores["needed"].isna().any()


def test_the_net_benefit_lies_between_none_and_all_that_have_the_outcome(
    predicted: Predicted,
) -> None:
    curves = predicted.decision
    assert len(curves) == len(predicted.scores) * len(THRESHOLDS)
    shape = curves[
        (curves["outcome"] == "R2")
        & (curves["predictors"] == "shape")
        & (curves["validation"] == "by patient")
    ]
    share = of(predicted, "R2", "shape")["events"] / 59
    # Treating everyone: the share less that of the others at the odds of the threshold.
    odds = THRESHOLDS / (1 - THRESHOLDS)
    np.testing.assert_allclose(shape["treat_all"], share - odds * (1 - share))
    assert (shape["net_benefit"] <= share).all()
    assert (shape["net_benefit_low"] <= shape["net_benefit"]).all()
    assert (shape["net_benefit"] <= shape["net_benefit_high"]).all()
    # Of a model that separates, nearly all of the benefit that there is.
    assert (shape["net_benefit"] > 0.8 * share).all()


def test_an_area_of_one_needs_no_number_of_patients_analytic(
    tmp_path: Path, roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "REPETITIONS", 1)
    monkeypatch.setattr(prediction, "PREDICTORS", {"age": ("age",)})
    names = [f"p{i:02}" for i in range(40)]
    old = np.arange(40) >= 20
    table = pd.DataFrame(
        {
            "Patient": names, "RNASeqCluster": np.where(old, "R2", "R1"),
            "idh_1p19q_buda_table2": np.where(old, "IDHwt", "IDHmut-codel"),
            "age_at_initial_pathologic": np.where(old, 70, 30) + np.arange(40) % 7,
            "neoplasm_histologic_grade": "grade II", "tumor_location": "frontal",
        }
    )  # fmt: skip
    write_table(tmp_path / "labels.csv", table)
    features = pd.DataFrame(
        {"patient": names, "masks": "manual", ASD: 0.1, MF: 0.1, BEVR: 0.5, "volume": 9.0}
    )
    found = predict(features, read_labels([tmp_path / "labels.csv"]), roles, NOWHERE, jobs=1)
    assert (found.scores["auc"] == 1).all()
    assert found.scores["needed"].isna().all()
    assert (found.scores["reason"] == "").all()


def test_too_few_with_an_outcome_is_a_reason_and_no_error(
    features: pd.DataFrame, labels: Labels, roles: Roles, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(prediction, "REPETITIONS", 1)
    monkeypatch.setattr(prediction, "PREDICTORS", {"age": ("age",)})
    manual = features[features["masks"] == "manual"]
    found = predict(manual, labels, roles, NOWHERE, jobs=1)
    # Of the phantoms 4 are R1, 4 R2, 9 R3, 6 R4 and 4 wild types: five folds need five.
    scores = found.scores.set_index("outcome")
    assert scores.index[scores["reason"] != ""].tolist() == ["R1", "R2", "IDHwt"]
    assert scores.loc["R1", "reason"].endswith("2 to 4, the number of the rarer outcome, found 5.")
    assert scores["auc"].isna().tolist() == [True, True, False, False, True]
    assert set(found.decision["outcome"]) == {"R3", "R4"}
    # Where none can be predicted, the tables still have their columns.
    monkeypatch.setattr(prediction, "FOLDS", 10)
    none = predict(manual, labels, roles, NOWHERE, jobs=1)
    write_table(tmp_path / "decision.csv", none.decision)
    assert pd.read_csv(tmp_path / "decision.csv").columns.tolist() == list(found.decision)
    assert none.scores["auc"].isna().all()
