import numpy as np
import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.evaluation.scores import Scores
from lggshape.evaluation.summaries import choose_labels, group_table, summary_table
from lggshape.labels import read_labels


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({name: rng.random(12) for name in Scores._fields})
    table["case"] = table["patient"] = [f"p{i}" for i in range(12)]
    table["fold"] = ["10", "9"] * 6
    table["site"] = ""
    table["missing_sequences"] = ["none"] * 9 + ["post-contrast", None, None]
    table["reference_volume"] = np.arange(100, 1300, 100)
    table["spacing_known"] = pd.array([False] * 12, dtype="boolean")
    return table


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    ages = [*range(20, 31), "NA"]
    rows = [f"p{i},{1 + i % 2},{age},note {i}" for i, age in enumerate(ages)]
    header = "Patient,gender,age_at_initial_pathologic,remark"
    path.write_text("\n".join([header, *rows]) + "\n")
    return read_labels([path])


def test_summary_is_that_of_pandas_pandas(scores):
    table = summary_table(scores).set_index("score")
    assert list(table.index) == list(Scores._fields)
    expected = scores["dice"].describe()
    row = table.loc["dice"]
    assert (row["n"], row["min"], row["max"]) == (12, expected["min"], expected["max"])
    assert row["mean"] == pytest.approx(expected["mean"])
    assert row["sd"] == pytest.approx(expected["std"])
    assert [row["q25"], row["median"], row["q75"]] == pytest.approx(
        list(expected[["25%", "50%", "75%"]])
    )
    assert row["below_0.5"] == (scores["dice"] < 0.5).sum()
    assert row["below_0.7"] == (scores["dice"] < 0.7).sum()
    assert row["mean_low"] < row["mean"] < row["mean_high"]
    assert row["median_low"] <= row["median"] <= row["median_high"]
    assert table.loc["hd95", "unit"] == table.loc["surface_dice", "unit"] == "pixels"
    assert table.loc["dice", "unit"] == "1"
    assert table.loc[["hd95", "volume_error"], "below_0.5"].isna().all()


def test_undefined_scores_are_not_counted(scores):
    scores.loc[:2, "hd95"] = np.nan
    assert summary_table(scores).set_index("score").loc["hd95", "n"] == 9


def test_millimetres_and_pixels_are_apart(scores):
    scores.loc[:4, "spacing_known"] = True
    scores.loc[11, "spacing_known"] = pd.NA
    table = summary_table(scores)
    found = table.loc[table["score"] == "hd95", ["unit", "n"]].to_numpy().tolist()
    assert found == [["mm", 5], ["pixels", 6]]


def test_two_cases_of_a_patient_are_drawn_together_invariant(scores):
    twice = pd.concat([scores, scores], ignore_index=True)
    once, doubled = summary_table(scores), summary_table(twice)
    columns = ["mean", "mean_low", "mean_high"]
    np.testing.assert_allclose(doubled[columns], once[columns])


def test_groups_are_in_order_and_complete(scores, labels):
    table = group_table(scores, choose_labels(labels, ["gender", "age_at_initial_pathologic"]))
    levels = table.groupby("group", sort=False)["level"].agg(list).to_dict()
    assert levels == {
        "fold": ["9", "10"],
        "missing_sequences": ["none", "post-contrast", "unknown"],
        "reference_volume": ["up to 466.7", "above 466.7 to 833.3", "above 833.3"],
        "gender": ["1", "2"],
        "age_at_initial_pathologic": [
            "up to 23.33",
            "above 23.33 to 26.67",
            "above 26.67",
            "unknown",
        ],
    }
    counts = table.set_index(["group", "level"])["n"]
    assert counts["age_at_initial_pathologic"].tolist() == [4, 3, 4, 1]
    assert (table.groupby("group")["n"].sum() == 12).all()
    ninth = scores.loc[scores["fold"] == "9", "dice"]
    assert table.set_index("level").loc["9", "median"] == pytest.approx(ninth.median())


def test_large_volumes_are_written_without_a_power_of_ten(scores):
    scores["reference_volume"] *= 1000
    table = group_table(scores).set_index("group")
    assert table.loc["reference_volume", "level"].tolist() == [
        "up to 466700", "above 466700 to 833300", "above 833300",
    ]  # fmt: skip


def test_cases_without_scores_are_in_no_group(scores):
    scores.loc[0, "dice"] = np.nan
    assert group_table(scores)["n"].sum() == 3 * 11


def test_labels_of_choice(scores, labels):
    chosen = choose_labels(labels, ["gender"])
    assert [label.name for label in chosen] == ["gender"]
    with pytest.raises(InputError, match="found no 'height'"):
        choose_labels(labels, ["height"])
    with pytest.raises(InputError, match="Expected remark to have levels or numbers"):
        choose_labels(labels, ["remark"])


def test_a_label_that_nobody_has_makes_no_group(scores, labels):
    others = scores.assign(patient=[f"q{i}" for i in range(12)])
    assert set(
        group_table(others, choose_labels(labels, ["gender", "age_at_initial_pathologic"]))["group"]
    ) == {
        "fold",
        "missing_sequences",
        "reference_volume",
    }


def test_nothing_is_known(scores):
    empty = scores.assign(fold="", missing_sequences=None, reference_volume=np.nan)
    assert group_table(empty).empty
    assert "mean_low" in group_table(empty)
