from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, associate
from lggshape.association.cohort import MOST_LEVELS, cohort_table
from lggshape.labels import LabelDefinition, define_labels, read_labels

PATIENTS = [f"p{i}" for i in range(8)]
FEATURES = pd.DataFrame({"patient": PATIENTS, "masks": "manual"})
TABLE = pd.DataFrame(
    {
        "patient": [*PATIENTS, "other"],
        "sex": ["f", "f", "f", "m", "m", "m", "m", None, "f"],
        "age": [40.5, 50, 60.5, 30, 40, 50, None, 20, 99],
        "days": [100, 200, 300, 400, 500, 600, 700, 800, 900],
        "died": ["yes", "no"] * 4 + ["yes"],
    }
)


def described(definition: LabelDefinition, table: pd.DataFrame = TABLE) -> pd.DataFrame:
    labels = read_labels(table)
    used = {definition.name: define_labels([definition], labels)[definition.name]}
    return cohort_table(FEATURES, labels, used)


def of(table: pd.DataFrame, by: str, level: str, characteristic: str) -> pd.DataFrame:
    chosen = (table["by"] == by) & (table["level"] == level)
    return table[chosen & (table["characteristic"] == characteristic)]


def test_a_cohort_by_level_analytic() -> None:
    table = described(LabelDefinition("sex"))
    groups = table.drop_duplicates(["by", "level"])
    assert groups[["by", "level", "patients"]].to_numpy().tolist() == [
        ["", "", 8],
        ["sex", "f", 3],
        ["sex", "m", 4],
        ["sex", "", 1],
    ]
    everyone = of(table, "", "", "sex").set_index("value")
    assert everyone["count"].to_dict() == {"f": 3, "m": 4}
    assert everyone["percent"].to_numpy() == pytest.approx([300 / 7, 400 / 7])
    assert everyone["missing"].tolist() == [1, 1]
    age = of(table, "sex", "m", "age").iloc[0]
    assert (age["known"], age["missing"]) == (3, 1)
    assert age[["median", "lower_quartile", "upper_quartile"]].tolist() == [40, 35, 45]


def test_survival_has_its_times_and_events_analytic() -> None:
    survival = LabelDefinition("survival", time="days", event="died")
    times, events = of(described(survival), "", "", "survival").to_dict("records")
    assert times["median"] == 450
    assert (events["value"], events["count"], events["percent"]) == ("event", 4, 50)


def test_a_level_that_no_patient_has_makes_no_group() -> None:
    table = described(LabelDefinition("sex"), TABLE.assign(sex=["f"] * 8 + ["m"]))
    assert set(table["level"]) == {"", "f"}
    assert of(table, "", "", "sex")["count"].tolist() == [8, 0]


def test_a_label_with_many_levels_is_only_counted_as_known() -> None:
    patients = [f"p{i}" for i in range(3 * MOST_LEVELS)]
    hospitals = [f"hospital {i // 2}" for i in range(3 * MOST_LEVELS)]
    labels = read_labels([pd.DataFrame({"patient": patients, "hospital": hospitals})])
    features = pd.DataFrame({"patient": patients, "masks": "manual"})
    table = cohort_table(features, labels, {})
    assert table[["value", "known"]].to_numpy().tolist() == [["", 3 * MOST_LEVELS]]


def test_a_column_counts_once_and_a_contradicted_one_is_left_out(tmp_path: Path) -> None:
    other = TABLE.assign(sex="f")[["patient", "sex"]]
    for name, table in (("one", TABLE), ("two", other)):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    labels = read_labels([tmp_path / "one.csv", tmp_path / "two.csv"])
    names = ("one:age", "one:sex")
    table = cohort_table(FEATURES, labels, {name: labels[name] for name in names})
    assert list(dict.fromkeys(table["characteristic"])) == ["age", "days", "died", "one:sex"]


def test_a_study_has_its_cohort_without_p_invariant() -> None:
    features = FEATURES.assign(case=PATIENTS, volume=np.arange(8.0))
    family = Family("mine", "Mine", (Hypothesis("volume", "sex"),))
    study = associate(features, TABLE, family)
    pd.testing.assert_frame_equal(study.tables()["cohort"], described(LabelDefinition("sex")))
    assert not [name for name in study.cohort if name.startswith("p_") or name == "p"]
