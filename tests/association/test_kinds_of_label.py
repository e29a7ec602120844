"""Values of R come from benchmarks/oracles/kinds_of_label.R."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lggshape.association import (
    TESTS,
    Family,
    Hypothesis,
    Study,
    associate,
    every_pair,
    read_family,
)
from lggshape.association.tests import tests_for
from lggshape.errors import InputError
from lggshape.labels import Kind, LabelDefinition
from lggshape.report import write_report

MF = "margin_fluctuation"
PATIENTS = [f"p{i:02}" for i in range(12)]
VALUES = [2.1, 3.4, 1.9, 4.4, 5.0, 3.3, 6.1, 4.9, 7.2, 2.6, 5.8, 6.6]
DAYS = [5, 14, 9, 30, 22, 3, 17, 26, 8, 12, 9, 21]
TIED = [2, 3, 2, 4, 5, 3, 6, 5, 7, 3, 6, 7]


def features(values: list[Any] = VALUES) -> pd.DataFrame:
    keys = {"case": PATIENTS, "patient": PATIENTS, "masks": "manual"}
    return pd.DataFrame(keys | {MF: np.array(values, dtype=float)})


def labels() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient": PATIENTS,
            "grade": ["II"] * 4 + ["III"] * 4 + ["IV"] * 4,
            "age": [61, 35, 48, 52, 70, 44, 66, 58, 41, 39, 73, 55],
            "days": DAYS,
            "died": [
                "yes",
                "yes",
                "no",
                "yes",
                "no",
                "yes",
                "yes",
                "no",
                "yes",
                "yes",
                "yes",
                "no",
            ],
            "IDH": ["R132H", "wt", "WT1", "R132S"] * 3,
        }
    )


GRADE = LabelDefinition("grade", levels=["II", "III", "IV"])
SURVIVAL = Hypothesis("MF", "survival", time="days", event="died")


def mixed(**options: Any) -> Study:
    family = Family(
        "mine", "Mine", (Hypothesis("MF", "grade"), Hypothesis("MF", "age"), SURVIVAL),
        labels=(GRADE,),
    )  # fmt: skip
    return associate(features(TIED), labels(), family, **options)


def test_the_kind_of_a_label_decides_the_test_r(tmp_path: Path) -> None:
    study = mixed()
    rows = study.associations.set_index("label")
    assert rows["test"].to_dict() == {
        "grade": "jonckheere_terpstra",
        "age": "spearman",
        "survival": "cox",
    }
    assert rows["p"].tolist() == pytest.approx([0.01148513351, 0.3176014664, 0.3981878641])
    ratio = rows.loc["survival", ["effect", "effect_low", "effect_high", "statistic"]]
    assert ratio.tolist() == pytest.approx(
        [0.6705914266, 0.265377667, 1.694539207, -0.844862052], rel=1e-6
    )
    assert rows.loc["age", "effect"] == pytest.approx(0.3156345909)
    # 41 of 48 pairs, ties as half.
    assert rows.loc["grade", ["statistic", "effect"]].tolist() == pytest.approx(
        [41, 2 * 41 / 48 - 1]
    )
    assert rows["effect_name"].tolist() == ["Somers' d", "Spearman's rho", "hazard ratio per SD"]
    assert rows["events"].tolist()[2] == 8
    assert rows["events"].isna().tolist() == [True, True, False]
    page = write_report(study, tmp_path / "out").read_text(encoding="utf-8")
    for words in ("Cox regression: n = 12 (8 events)", "Check of proportional hazards: p ="):
        assert words in page
    assert [axes.get_xlabel() for axes in study.plot().axes] == rows["effect_name"].tolist()
    written = pd.read_csv(tmp_path / "out" / "associations.csv")
    assert written["events"].isna().tolist() == [True, True, False]


def test_other_tests_of_a_kind_are_sensitivity_analyses_r() -> None:
    rows = mixed().sensitivity.set_index(["label", "analysis"])
    grade = rows.loc["grade"]
    assert set(grade["test"]) == {"fisher_exact", "kruskal_wallis", "spearman"}
    ratio = rows.loc[("survival", "p by the likelihood ratio")]
    assert ratio["p"] == pytest.approx(0.3896951123, rel=1e-6)
    check = rows.loc[("survival", "check: proportional hazards")]
    assert (check["effect_name"], np.isnan(check["effect"])) == ("", True)
    assert 0 < check["p"] < 1


def test_another_test_is_stated_for_the_kinds_that_it_takes() -> None:
    study = mixed(test="spearman")
    assert [test.name for test in study.tests] == ["spearman", "cox"]
    with pytest.raises(InputError, match=r"continuous, found fisher. The tests that do are: spear"):
        associate(features(), labels(), Family("f", "F", (Hypothesis("MF", "age"),)), test="fisher")


@pytest.mark.parametrize("test", TESTS)
def test_every_test_says_what_it_is_and_draws_the_patients(test: str) -> None:
    label = {"spearman": "age", "cox": "survival"}.get(test, "grade")
    study = mixed(test=test)
    hypothesis = next(h for h in study.family.hypotheses if h.label == label)
    decided = study.test_of(hypothesis)
    assert decided.name == test
    figure = decided.figure(study.pair(hypothesis, "manual"), bins=4, value_name="margin")
    axes = figure.axes[0]
    if test == "cox":
        legend = axes.get_legend()
        assert legend is not None
        assert legend.get_title().get_text() == "margin"
        names = [text.get_text() for text in legend.get_texts()]
        # The median of the ties is 4.5.
        assert names == ["up to the median (4.5): n = 6, 5 events", "above it: n = 6, 3 events"]
    elif test == "spearman":
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("age", "margin")
    else:
        assert axes.get_xticklabels()[0].get_text() == "II\nn = 4"


def test_the_median_split_has_two_groups_analytic() -> None:
    values = [7.0] * 8 + [1, 2, 3, 4]
    study = associate(features(values), labels(), Family("f", "F", (SURVIVAL,)))
    pair = study.pair(study.family.hypotheses[0], "manual")
    axes = study.tests[0].figure(pair, bins=4, value_name="x").axes[0]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text()[:22] for text in legend.get_texts()] == [
        "below the median (7): ",
        "at it: n = 8, 5 events",
    ]


def test_tests_of_ordinal_labels_draw_numbers_in_each_level() -> None:
    study = mixed(test="spearman")
    pair = study.pair(study.family.hypotheses[0], "manual")
    axes = study.tests[0].figure(pair, bins=4, value_name="x").axes[0]
    assert len(axes.get_xticklabels()) == 3


def test_survival_that_cannot_be_tested_has_a_reason() -> None:
    table = labels().assign(died="no")
    study = associate(features(), table, Family("f", "F", (SURVIVAL,)))
    assert study.left_out["reason"].tolist() == ["no patient has had the event"]
    separated = labels().assign(days=range(12), died="yes")
    study = associate(features(list(range(12))), separated, Family("f", "F", (SURVIVAL,)))
    assert "no maximum" in study.left_out["reason"].iloc[0]
    assert study.associations["effect_name"].tolist() == [""]


def test_a_few_patients_have_no_rank_correlation() -> None:
    table = labels().assign(age=[50.5, 60.5, *[None] * 10])
    study = associate(features(), table, Family("f", "F", (Hypothesis("MF", "age"),)))
    assert study.left_out["reason"].tolist() == ["fewer than 3 patients"]


FILE = """
[[label]]
name = "IDH status"
column = "IDH"
levels = {mutant = ["R132H", "R132S"], wildtype = ["wt"]}
missing = ["WT1"]
[[hypothesis]]
feature = "MF"
label = "IDH status"
higher_in = "wildtype"
[[hypothesis]]
feature = "MF"
time = "days"
event = "died"
[[hypothesis]]
feature = "MF"
label = "grade"
levels = ["II", "III", "IV"]
"""


def test_labels_are_defined_in_a_file_of_hypotheses_invariant(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    study = associate(features(), labels(), path)
    assert [test.name for test in study.tests] == ["fisher", "cox", "jonckheere-terpstra"]
    assert study.labels["IDH status"].levels == ("mutant", "wildtype")
    assert study.associations["n"].tolist() == [9, 12, 12]
    assert study.family.hypotheses[1].label == "days"
    # The same in memory.
    again = associate(features(), labels(), read_family(path))
    assert again.to_dict() == study.to_dict()
    merged = labels().assign(IDH=["mutant", "wildtype", None, "mutant"] * 3)
    own = Family("mine", "m", (Hypothesis(MF, "IDH"),))
    plain = associate(features(), merged, own).associations
    assert plain["p"].iloc[0] == study.associations["p"].iloc[0]


def test_what_a_definition_lacks_is_refused_by_name() -> None:
    wrong = Hypothesis("MF", "IDH", levels={"mutant": ["R132H", "R132S"], "wildtype": ["wt"]})
    with pytest.raises(InputError, match=r"found 'WT1' \(3\)"):
        associate(features(), labels(), Family("f", "F", (wrong,)))
    lost = Hypothesis("MF", time="dayz", event="died")
    with pytest.raises(InputError, match=r"found no 'dayz'.* Did you mean days"):
        associate(features(), labels(), Family("f", "F", (lost,)))


def test_times_and_their_events_are_no_plain_categories() -> None:
    family = every_pair(features(), labels())
    assert {h.label for h in family.hypotheses} == {"grade", "age", "IDH"}
    both = 'a [[hypothesis]] with time = "days" and event = "died" tests both'
    assert {entry.name: entry.reason for entry in family.left_out} == {
        "days": f"a time; {both}",
        "died": f"events, which belong to a time; {both}",
    }


def test_events_belong_to_the_time_of_their_name() -> None:
    table = labels()[["patient"]].assign(
        **{"PFI": [0, 1] * 6, "OS": [1, 0] * 6, "OS.time": range(3, 15), "PFI.time": range(9, 21)}
    )
    table["arm"] = ["a", "b", "c"] * 4
    reasons = {entry.name: entry.reason for entry in every_pair(features(), table).left_out}
    assert 'time = "PFI.time" and event = "PFI"' in reasons["PFI"]
    assert 'time = "OS.time" and event = "OS"' in reasons["OS.time"]


def test_events_without_a_time_are_a_category() -> None:
    table = labels().drop(columns="days")
    assert "died" in {h.label for h in every_pair(features(), table).hypotheses}


def test_a_report_of_numbers_alone_has_no_groups(tmp_path: Path) -> None:
    study = associate(features(), labels(), Family("f", "F", (Hypothesis("MF", "age"),)))
    assert study.sensitivity.empty
    page = write_report(study, tmp_path / "out").read_text(encoding="utf-8")
    assert "One group against the rest" not in page
    assert "DeLong" not in page


def test_a_direction_is_told_in_words(tmp_path: Path) -> None:
    page = write_report(mixed(), tmp_path / "out").read_text(encoding="utf-8")
    assert "Its values are higher in patients with later levels of grade (II, III, IV)." in page
    label = mixed().labels
    assert TESTS["cox"].direction(1.2, label["survival"]) == "Higher values mean an earlier event."
    assert "lower in patients with higher age" in TESTS["spearman"].direction(-0.2, label["age"])
    assert TESTS["fisher"].direction(0.3, label["grade"]) == ""


def test_every_testable_kind_has_a_default() -> None:
    assert [tests_for(kind)[0].name for kind in Kind if tests_for(kind)] == [
        "fisher",
        "jonckheere-terpstra",
        "spearman",
        "cox",
    ]
