import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, Study, associate
from lggshape.errors import InputError
from lggshape.labels import Labels, read_labels
from lggshape.progress import Progress
from lggshape.statistics import FisherResult, fisher_exact


def cohort(folder: Path) -> tuple[pd.DataFrame, Labels]:
    """Return sixty patients with a feature by a fixed rule and a label with gaps.

    The R values of this module come from the same rule, with R 4.2:
    x <- (37 * i + (i %% 3) * 11 + ((i * i) %% 17)) / 7; g <- (i * i + i %/% 4) %% 3;
    g[i %% 11 == 5] <- NA.
    """
    i = np.arange(60)
    patients = [f"p{k}" for k in i]
    keys = {"case": patients, "patient": patients, "masks": "manual", "reason": ""}
    features = pd.DataFrame(keys | {"x": (37 * i + i % 3 * 11 + i * i % 17) / 7})
    g = (i * i + i // 4) % 3
    rows = "\n".join(f"p{k},{'' if k % 11 == 5 else g[k]},{k % 2}" for k in i)
    path = folder / "labels.csv"
    path.write_text(f"patient,g,h\n{rows}\n")
    return features, read_labels([path])


FAMILY = Family("mine", "Mine", (Hypothesis("x", "g"), Hypothesis("x", "h")))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return associate(*cohort(tmp_path), FAMILY)


def test_fisher_with_quartiles_among_complete_cases_r(study: Study) -> None:
    row = study.associations.iloc[0]
    assert row["n"] == 55
    assert row["test"] == "fisher_exact"
    assert row["p"] == pytest.approx(0.8312630408763, rel=1e-9)
    counts = study.contingency.query("label == 'g'")["count"].to_numpy().reshape(4, 3)
    np.testing.assert_array_equal(counts, [[6, 5, 3], [5, 4, 5], [6, 2, 5], [7, 2, 5]])


def test_sensitivity_with_other_cut_points_and_other_test_r(study: Study) -> None:
    rows = study.sensitivity.query("label == 'g'").set_index("analysis")
    everyone = rows.loc["cut-points among all patients with the feature"]
    ranks = rows.loc["other test: kruskal wallis"]
    assert everyone["p"] == pytest.approx(0.893443025777411, rel=1e-9)
    assert everyone["n"] == 55
    assert ranks["p"] == pytest.approx(0.449598372901463, rel=1e-9)
    assert ranks["statistic"] == pytest.approx(1.598801198801, rel=1e-9)


def test_kruskal_wallis_can_decide_r(tmp_path: Path) -> None:
    row = associate(*cohort(tmp_path), FAMILY, test="kruskal-wallis").associations.iloc[0]
    assert row["test"] == "kruskal_wallis"
    assert row["p"] == pytest.approx(0.449598372901463, rel=1e-9)


def test_discrimination_of_each_level_and_of_the_missing_r(study: Study) -> None:
    areas = study.discrimination.query("label == 'g'").set_index("level")
    assert areas.loc["0", "auc"] == pytest.approx(0.526881720430108)
    assert areas.loc["0", ["n", "n_level"]].tolist() == [55, 24]
    missing = study.patients.iloc[0]
    assert missing["auc"] == pytest.approx(0.454545454545455)
    assert missing[["n", "label_missing", "feature_missing", "both_missing"]].tolist() == [
        55,
        5,
        0,
        0,
    ]


def test_a_feature_that_falls_with_irregularity_is_inverted_invariant(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    features["bounding_ellipsoid_volume_ratio"] = features["x"]
    family = Family("f", "F", (Hypothesis("bounding_ellipsoid_volume_ratio", "h"),))
    inverted = associate(features, labels, family).discrimination["auc"]
    upright = associate(features, labels, FAMILY).discrimination.query("label == 'h'")["auc"]
    np.testing.assert_allclose(inverted, 1 - upright)


def test_corrections_cover_the_family_of_one_kind_of_mask_invariant(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    other = features.assign(masks="automatic", x=features["x"] % 7)
    rows = associate(pd.concat([features, other]), labels, FAMILY).associations
    assert rows["masks"].tolist() == ["manual", "manual", "automatic", "automatic"]
    np.testing.assert_allclose(rows["p_bonferroni"], np.minimum(1, 2 * rows["p"]))
    assert set(rows["family"]) == {"mine"}


def test_the_order_of_patients_does_not_matter_invariant(tmp_path: Path, study: Study) -> None:
    features, labels = cohort(tmp_path)
    shuffled = associate(features.sample(frac=1, random_state=1), labels, FAMILY)
    for name, table in study.tables().items():
        pd.testing.assert_frame_equal(shuffled.tables()[name], table)


def test_what_cannot_be_tested_is_listed_and_keeps_its_place(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    features["flat"] = 1.0
    features["one"] = features["x"].where(features.index % 2 == 0)
    family = Family(
        "f", "F", (Hypothesis("flat", "g"), Hypothesis("one", "h"), Hypothesis("x", "h"))
    )
    result = associate(features, labels, family)
    assert result.associations["p"].isna().tolist() == [True, True, False]
    # Three hypotheses were asked, so the one that can be tested is corrected for three.
    last = result.associations.iloc[2]
    assert last["p_bonferroni"] == min(1, 3 * last["p"])
    assert result.left_out["reason"].tolist() == [
        "the feature has fewer than two different values",
        "the label has fewer than two levels",
    ]
    assert result.discrimination.query("feature == 'one'")["auc"].isna().all()
    assert set(result.contingency["feature"]) == {"x"}


@pytest.mark.parametrize(
    ("known", "reason"), [(0, "no patient has both the"), (1, "one patient alone has both the")]
)
def test_too_few_patients_are_no_fault_of_the_feature(
    tmp_path: Path, known: int, reason: str
) -> None:
    features, labels = cohort(tmp_path)
    features["few"] = features["x"].where(features.index < known)
    family = Family("f", "F", (Hypothesis("few", "g"), Hypothesis("x", "g")))
    assert associate(features, labels, family).left_out["reason"].str.startswith(reason).all()


def test_the_flow_accounts_for_every_patient(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    features.loc[0, ["x", "reason"]] = [np.nan, "the mask is empty"]
    features.loc[1, "patient"] = "stranger"
    flow = associate(features, labels, FAMILY).flow
    lost = "p0 (without any tested feature; the mask is empty)"
    assert list(zip(flow["step"], flow["patients"], flow["which"], strict=True)) == [
        ("patients with a mask", 60, ""),
        (
            "of these, a tested feature is missing",
            1,
            lost,
        ),
        ("of these, in no label table", 1, "stranger"),
        ("with all tested features and the label g", 53, ""),
        ("with all tested features and the label h", 58, ""),
        ("patients with labels and without a mask", 1, "p1"),
    ]


def test_progress_counts_the_hypotheses(tmp_path: Path) -> None:
    told: list[Progress] = []
    associate(*cohort(tmp_path), FAMILY, on_progress=told.append)
    assert told == [Progress("testing", done, 2) for done in range(3)]


def test_json_holds_every_table_and_no_nan(study: Study) -> None:
    content = json.loads(json.dumps(study.to_dict(), allow_nan=False))
    assert set(study.tables()) < set(content)
    assert content["associations"][0]["statistic"] is None
    assert content["associations"][0]["p"] == study.associations["p"].iloc[0]


def test_the_summary_names_every_hypothesis(study: Study) -> None:
    assert "0.83" in study.summary()
    lines = study.summary().splitlines()
    assert len(lines) == 5
    assert lines[3] == "Hypotheses mine: Mine."


def test_strangers_are_refused(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    with pytest.raises(InputError, match=r"none in common: .* is strange-p0, .* labels p0"):
        associate(features.assign(patient="strange-" + features["patient"]), labels, FAMILY)


def test_keys_of_another_spelling_join_loosely_alone_and_are_listed_invariant(
    tmp_path: Path, study: Study
) -> None:
    features, labels = cohort(tmp_path)
    spelled = features.assign(patient="P-0" + features["patient"].str[1:])
    table = pd.read_csv(tmp_path / "labels.csv", dtype=str).assign(
        patient=lambda rows: "p_" + rows["patient"].str[1:]
    )
    with pytest.raises(InputError, match=r"Keys of 60 differ .* --match-ids loose"):
        associate(spelled, table, FAMILY)
    loose = associate(spelled, table, FAMILY, match_ids="loose")
    pd.testing.assert_frame_equal(loose.associations, study.associations)
    assert len(loose.match.near) == 60
    step = loose.flow.set_index("step").loc["of these, joined with labels under another spelling"]
    assert step["patients"] == 60
    assert "P-07 = p_7" in step["which"]
    assert labels.patients.isdisjoint(loose.match.labels.patients)


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ({"bins": 1}, "bins to be a whole number from 2 to 100, found 1"),
        ({"bins": 10**9}, "bins to be a whole number"),
        ({"bins": float("nan")}, "bins to be a whole number .* found nan"),
        ({"bins": 4.0}, "bins to be a whole number .* found 4.0"),
        ({"bins": True}, "bins to be a whole number .* found True"),
        ({"seed": -1}, "seed to be a whole number from 0 .* found -1"),
        ({"seed": None}, "seed to be a whole number .* found None"),
        ({"test": "anova"}, "test to be one of jonckheere-terpstra, fisher, .* found 'anova'"),
        ({"test": ["fisher"]}, "test to be one of jonckheere-terpstra, fisher"),
    ],
)
def test_an_option_out_of_range_is_refused(
    tmp_path: Path, option: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        associate(*cohort(tmp_path), FAMILY, **option)


def test_whole_numbers_of_numpy_are_whole_numbers_invariant(tmp_path: Path, study: Study) -> None:
    same = associate(*cohort(tmp_path), FAMILY, bins=np.int64(4), seed=np.uint8(0))
    assert json.dumps(same.to_dict()) == json.dumps(study.to_dict())


def test_features_with_and_without_spacing_do_not_mix(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    features["volume"] = features["x"]
    features["spacing_known"] = features.index < 5
    family = Family("f", "F", (Hypothesis("volume", "h"),))
    with pytest.raises(
        InputError, match="volume of the manual masks to have one unit, found 5 cases in mm3 and 55"
    ):
        associate(features, labels, family)
    # Surface area is empty without spacing: it has one unit wherever it has a value.
    features["surface_area"] = features["x"].where(features["spacing_known"])
    family = Family("f", "F", (Hypothesis("surface_area", "h"),))
    assert associate(features, labels, family).associations["n"].tolist() == [5]


def test_ties_with_cut_points_are_counted_analytic(tmp_path: Path) -> None:
    # 45 zeros and 10 ones among the complete: all three quartiles are 0, bins 2 and 3 are empty.
    features, labels = cohort(tmp_path)
    complete = features.index % 11 != 5
    features["x"] = 0.0
    features.loc[features.index[complete][:10], "x"] = 1.0
    row = associate(features, labels, FAMILY).patients.iloc[0]
    assert row[["n", "on_cut", "empty_bins"]].tolist() == [55, 45, 2]


def test_one_failed_case_does_not_mix_units(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    features["volume"] = features["x"].where(features.index > 0)
    features["spacing_known"] = [None, *[True] * 59]
    family = Family("f", "F", (Hypothesis("volume", "h"),))
    assert associate(features, labels, family).associations["n"].tolist() == [59]


def test_a_label_called_like_a_feature_is_another_thing(tmp_path: Path) -> None:
    features, _ = cohort(tmp_path)
    rows = "\n".join(f"p{k},{'ab'[k % 2]}" for k in range(60))
    (tmp_path / "x.csv").write_text(f"patient,x\n{rows}\n")
    study = associate(
        features, read_labels([tmp_path / "x.csv"]), Family("f", "F", (Hypothesis("x", "x"),))
    )
    assert study.associations["n"].tolist() == [60]
    # pandas 2.2 reads the last digit of a few numbers otherwise.
    assert study.data["x"].tolist() == pytest.approx(features["x"].tolist(), rel=1e-15)


def test_a_reason_stands_in_the_flow_in_full_beside_what_is_missing(tmp_path: Path) -> None:
    features, labels = cohort(tmp_path)
    features["y"] = features["x"]
    reason = "the file is broken: no header; too few: no x"
    features.loc[0, ["x", "reason"]] = [np.nan, reason]
    features.loc[1, ["x", "y", "reason"]] = [np.nan, np.nan, ""]
    family = Family("mine", "Mine", (Hypothesis("x", "g"), Hypothesis("y", "g")))
    flow = associate(features, labels, family).flow
    assert flow["which"].iloc[1] == f"p0 (without x; {reason}); p1 (without any tested feature)"


@pytest.mark.parametrize("test", ["fisher", "kruskal-wallis"])
def test_the_variant_of_a_feature_is_tested_by_the_same_test_invariant(
    tmp_path: Path, test: str
) -> None:
    features, labels = cohort(tmp_path)
    features["angular_standard_deviation"] = features["x"]
    features["angular_standard_deviation_offset_averaged"] = 2 * features["x"] + 1
    family = Family("f", "F", (Hypothesis("angular_standard_deviation", "g"),))
    study = associate(features, labels, family, test=test)
    variant = study.sensitivity.set_index("analysis").loc[
        "angular standard deviation offset averaged"
    ]
    # A monotone transformation has the same quartiles, and the same ranks.
    assert variant["p"] == study.associations["p"].iloc[0]


def test_a_monte_carlo_p_has_its_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def large(table: np.ndarray, *, seed: np.random.SeedSequence) -> FisherResult:
        return fisher_exact(table, seed=seed, max_work=0, draws=999)

    exact = associate(*cohort(tmp_path), FAMILY).associations["p"].iloc[0]
    monkeypatch.setattr("lggshape.association.fisher_on_bins.fisher_exact", large)
    row = associate(*cohort(tmp_path), FAMILY).associations.iloc[0]
    assert row["test"] == "fisher_monte_carlo"
    assert 0 < row["p_standard_error"] < 0.02
    assert abs(row["p"] - exact) < 5 * row["p_standard_error"]


def test_the_number_of_processes_does_not_matter_invariant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels = cohort(tmp_path)
    features["y"] = features["x"] ** 2
    features["size"] = np.random.default_rng(0).random(len(features))
    family = Family("mine", "Mine", (Hypothesis("x", "g"), Hypothesis("y", "g")))
    given: dict[str, Any] = {"adjust": ["size"], "permutations": 99}
    alone = associate(features, labels, family, jobs=1, **given)
    monkeypatch.setattr("lggshape.association.processes._ALONE_SECONDS", 0.0)
    together = associate(features, labels, family, jobs=2, **given)
    assert "adjusted" in alone.tables()
    for name, table in alone.tables().items():
        assert together.tables()[name].to_csv() == table.to_csv(), name


def test_a_small_family_starts_no_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lggshape.association.processes._ALONE_SECONDS", 600.0)
    monkeypatch.setattr(
        "lggshape.parallel.processes._pool", lambda jobs: pytest.fail(f"{jobs} started")
    )
    features, labels = cohort(tmp_path)
    features["y"] = features["x"]
    family = Family("mine", "Mine", (Hypothesis("x", "g"), Hypothesis("y", "g")))
    assert len(associate(features, labels, family, jobs=2).associations) == 2


def test_a_family_needs_a_process(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the number of jobs to be a whole number"):
        associate(*cohort(tmp_path), FAMILY, jobs=0)


def test_a_table_is_tested_once_if_nobody_lacks_the_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = []

    def counted(table: Any, *, seed: np.random.SeedSequence) -> FisherResult:
        tables.append(table)
        return fisher_exact(table, seed=seed)

    monkeypatch.setattr("lggshape.association.fisher_on_bins.fisher_exact", counted)
    features, labels = cohort(tmp_path)
    associate(features.iloc[4:], labels, FAMILY)
    assert len(tables) == len(set(tables))
