from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lggshape.association import (
    Family,
    Hypothesis,
    ReportedAUC,
    associate,
    choose_family,
    every_pair,
    read_study_family,
    shipped_families,
)
from lggshape.errors import InputError
from lggshape.labels import LabelDefinition, Labels, read_labels

MF = "margin_fluctuation"


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    patients = [f"p{i}" for i in range(12)]
    features = pd.DataFrame({"case": patients, "patient": patients, "masks": "manual"})
    features[MF] = np.arange(12.0)
    features["own"] = np.arange(12.0) % 5
    labels = pd.DataFrame(
        {"patient": patients, "grade": ["II", "III"] * 6, "arm": ["a"] * 5 + ["b"] * 7}
    )
    return features, labels


def family(*hypotheses: Hypothesis, name: str = "mine") -> Family:
    return Family(name, "Mine", hypotheses)


# --- names


@pytest.mark.parametrize("name", [MF, "MF", "mf"])
def test_a_feature_is_named_by_its_column_or_its_symbol(name: str) -> None:
    asked = replace(
        family(Hypothesis(name, "grade")),
        reported_aucs=(ReportedAUC(name, "grade", "manual", {"II": 1}),),
    )
    chosen = choose_family(asked, *tables())
    assert chosen.hypotheses[0].feature == MF
    assert chosen.reported_aucs[0].feature == MF
    assert associate(*tables(), asked).associations["feature"].tolist() == [MF]


def test_a_column_goes_before_a_symbol() -> None:
    features, labels = tables()
    features["MF"] = 1 - features[MF]
    study = associate(features, labels, family(Hypothesis("MF", "grade")))
    assert study.associations["feature"].tolist() == ["MF"]


@pytest.mark.parametrize(
    ("hypothesis", "said"),
    [
        (
            Hypothesis("MFF", "grade"),
            r"no feature MFF\. The features are: margin_fluctuation \(MF\), own\. Did you mean MF",
        ),
        (Hypothesis("BEVR", "grade"), r"no feature BEVR\. The features are: margin_fluctuation"),
        (
            Hypothesis("own", "Grad"),
            r"no label Grad\. The labels are: grade, arm\. Did you mean grade\?",
        ),
    ],
)
def test_what_is_absent_is_said_with_what_there_is(hypothesis: Hypothesis, said: str) -> None:
    with pytest.raises(InputError, match=said):
        associate(*tables(), family(hypothesis))


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (Hypothesis("MF", "grade"), "margin_fluctuation x grade twice"),
        (Hypothesis(MF, "labels:grade"), "margin_fluctuation x grade again as labels:grade"),
    ],
)
def test_a_hypothesis_under_two_names_is_refused(other: Hypothesis, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        associate(*tables(), family(Hypothesis(MF, "grade"), other))


# --- what a file would be refused for is refused in memory


@pytest.mark.parametrize("alpha", [0, 1, 2.0, -0.1, float("nan"), True, "0.05"])
def test_an_impossible_error_rate_is_refused(alpha: float) -> None:
    with pytest.raises(InputError, match="alpha to be a number between 0 and 1"):
        Family("mine", "Mine", (), alpha=alpha)


@pytest.mark.parametrize("bound", [0, 1.5, float("nan"), True, "0.05"])
def test_an_impossible_bound_is_refused(bound: float) -> None:
    with pytest.raises(InputError, match="`reported_below` to be a number up to 1"):
        Hypothesis("a", "b", reported_below=bound)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (family(), "to have a hypothesis, found none"),
        (
            family(Hypothesis(MF, "grade", higher_in="IV")),
            r"level of grade \(II, III\), found 'IV'",
        ),
    ],
)
def test_a_family_that_does_not_fit_is_refused(asked: Family, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        associate(*tables(), asked)


# --- tables that contradict each other


def contradicting() -> Labels:
    _, labels = tables()
    other = labels[["patient", "grade"]].assign(grade="II", side=["left", "right"] * 6)
    return read_labels({"first": labels, "second": other})


def test_a_contradiction_nobody_asked_about_stops_nothing() -> None:
    features, _ = tables()
    study = associate(features, contradicting(), family(Hypothesis(MF, "arm")))
    assert study.associations["label"].tolist() == ["arm"]


def test_a_contradictory_label_is_left_out_with_the_reason() -> None:
    features, _ = tables()
    chosen = every_pair(features, contradicting())
    assert [h.label for h in chosen.hypotheses] == ["arm", "side"]
    (entry,) = [entry for entry in chosen.left_out if entry.name == "grade"]
    assert "the tables first and second to agree on grade, found: patients p1, p3" in entry.reason


def test_a_contradictory_label_that_is_asked_for_is_refused() -> None:
    features, _ = tables()
    with pytest.raises(InputError, match=r"Name one of them, as first:grade or second:grade"):
        associate(features, contradicting(), family(Hypothesis(MF, "grade")))
    study = associate(features, contradicting(), family(Hypothesis(MF, "first:grade")))
    assert study.associations["n"].tolist() == [12]


# --- families of bundled studies


def ship(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    shipped = {name: family(Hypothesis("MF", "grade"), name=name) for name in names}
    monkeypatch.setattr("lggshape.association.families.shipped_families", lambda: shipped)


def test_the_one_study_that_fits_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    ship(monkeypatch, "first")
    assert choose_family(None, *tables()).name == "first"
    features, labels = tables()
    chosen = choose_family(None, features, labels.drop(columns="grade"))
    assert chosen.name == "literature"
    assert chosen.left_out[0] == ("hypotheses", "first", "found no label grade")


def test_of_several_studies_that_fit_one_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ship(monkeypatch, "first", "second")
    with pytest.raises(InputError, match=r"found those of first and second\. Name one"):
        associate(*tables())
    assert associate(*tables(), "second").family.name == "second"


def test_every_folder_of_a_study_ships_its_hypotheses_invariant() -> None:
    folder = Path(__file__).parents[2] / "lggshape" / "studies"
    files = sorted(folder.glob("*/hypotheses.toml"))
    assert list(shipped_families()) == [file.parent.name for file in files]
    for name, shipped in shipped_families().items():
        assert read_study_family(name) == shipped
        assert shipped.name == name


def test_a_study_that_ships_nothing_is_refused_with_those_that_do() -> None:
    name = next(iter(shipped_families()))
    with pytest.raises(InputError, match=rf"found '{name}x'.* Did you mean {name}\?"):
        read_study_family(f"{name}x")


# --- in a notebook


def test_objects_show_themselves() -> None:
    features, labels = tables()
    study = associate(features, labels, family(Hypothesis("MF", "grade"), Hypothesis("own", "arm")))
    assert repr(study) == (
        "Study('mine', fisher, 4 bins, masks: manual; 0 of 2 hold after correction)"
    )
    assert "<table" in study._repr_html_()
    assert repr(study.family) == "Family('mine', 2 hypotheses)"
    assert "margin_fluctuation" in study.family._repr_html_()
    known = read_labels({"clinic": labels})
    assert repr(known) == "Labels(2 labels of 12 patients, from clinic)"
    assert "II, III" in known._repr_html_()


def test_text_from_data_is_escaped_where_objects_show_themselves() -> None:
    nasty = "<script>"
    features, labels = tables()
    asked = Family(nasty, nasty, (Hypothesis(MF, nasty),))
    study = associate(features, labels.rename(columns={"arm": nasty}), asked)
    for shown in (study, study.family, read_labels({nasty: labels})):
        assert nasty not in shown._repr_html_()


def test_a_study_is_drawn_with_a_line_for_each_hypothesis_and_kind_of_mask() -> None:
    features, labels = tables()
    both = pd.concat([features, features.assign(masks="automatic")])
    figure = associate(both, labels, family(Hypothesis(MF, "grade"))).plot()
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["MF × grade"]
    kinds = [text.get_text() for text in figure.legends[0].get_texts()]
    assert kinds == ["manual", "automatic"]
    assert len(axes.lines) == 1 + 2 * 2  # no effect; each estimate with its interval
    assert axes.get_xlabel() == "Cramér's V"


def test_where_nothing_can_be_tested_the_reasons_are_named() -> None:
    features, labels = tables()
    one = labels[["patient", "grade"]]
    both = read_labels({"first": one, "second": one.assign(grade="II")})
    with pytest.raises(InputError, match=r"Left out: grade \(Expected the tables first and second"):
        every_pair(features, both)


def test_published_areas_of_no_hypothesis_are_refused() -> None:
    features, labels = tables()
    area = ReportedAUC(MF, "garde", "manual", {"II": 0.7})
    asked = replace(family(Hypothesis("MF", "grade")), reported_aucs=(area,))
    with pytest.raises(InputError, match="found margin_fluctuation x garde"):
        choose_family(asked, features, labels)
    named = replace(asked, reported_aucs=(area._replace(label="grade"),))
    assert len(choose_family(named, features, labels).reported_aucs) == 1


@pytest.mark.parametrize("choice", [5, [], ("MF", "grade")])
def test_a_choice_that_is_no_family_is_refused(choice: object) -> None:
    with pytest.raises(InputError, match="Expected hypotheses"):
        choose_family(choice, *tables())


@pytest.mark.parametrize("labels", [None, 5, pd.Series(["a"]), [5]])
def test_labels_that_are_no_tables_are_refused(labels: object) -> None:
    with pytest.raises(InputError, match="Expected tables of labels"):
        associate(tables()[0], labels)


def test_a_feature_with_a_word_in_it_is_named_with_the_word() -> None:
    patients = [f"p{i}" for i in range(6)]
    features = pd.DataFrame({"patient": patients, "own": ["0.1", "0.2", "0.3?", "0.4", "0.5", ""]})
    labels = pd.DataFrame({"patient": patients, "grade": ["II", "III"] * 3})
    family = Family("f", "f", (Hypothesis("own", "grade"),))
    with pytest.raises(InputError, match=r"The column own holds '0\.3\?' for case p2"):
        associate(features, labels, family)


def test_the_values_that_the_rest_took_are_among_the_notes() -> None:
    patients = [f"p{i}" for i in range(8)]
    features = pd.DataFrame({"patient": patients, "sphericity": [i / 8 for i in range(8)]})
    labels = pd.DataFrame({"patient": patients, "idh": ["wt", "R132H", "wt", "R132C"] * 2})
    idh = LabelDefinition("IDH", "idh", levels={"wild": ["wt"]}, rest="mutant")
    family = Family("f", "f", (Hypothesis("sphericity", "IDH"),), labels=(idh,))
    notes = associate(features, labels, family).match.labels.notes
    assert notes == ("IDH: counted as mutant: 'R132H' (2), 'R132C' (2)",)
