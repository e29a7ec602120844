import re
from pathlib import Path

import pandas as pd
import pytest

from lggshape.association import (
    Family,
    Hypothesis,
    choose_family,
    every_pair,
    read_family,
    read_study_family,
)
from lggshape.errors import InputError
from lggshape.labels import LabelDefinition, Labels, define_labels, read_labels
from lggshape.shape import FEATURES

ASD, BEVR = "angular_standard_deviation", "bounding_ellipsoid_volume_ratio"


def features(*names: str) -> pd.DataFrame:
    patients = [f"p{i}" for i in range(12)]
    keys = {"case": patients, "patient": patients, "masks": "manual", "reason": ""}
    return pd.DataFrame(keys | {name: [float(i) for i in range(12)] for name in names})


def labels(folder: Path) -> Labels:
    rows = "\n".join(
        f"p{i},{i % 2},{'yx'[i % 2]},{i % 3},1,{i * 1.1},{i * 9},n{i}" for i in range(12)
    )
    path = folder / "own.csv"
    path.write_text(f"patient,two,same,three,constant,age,OS.time,name\n{rows}\n")
    return read_labels([path])


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_preset_holds_the_ten_hypotheses_paper() -> None:
    preset = read_study_family("buda2019")
    assert [(h.feature, h.label) for h in preset.hypotheses] == [
        (BEVR, "RNASeqCluster"),
        (BEVR, "miRNACluster"),
        (BEVR, "CNCluster"),
        (BEVR, "COCCluster"),
        ("margin_fluctuation", "RNASeqCluster"),
        (ASD, "idh_1p19q_buda_table2"),
        (ASD, "RNASeqCluster"),
        (ASD, "MethylationCluster"),
        (ASD, "CNCluster"),
        (ASD, "COCCluster"),
    ]
    assert preset.alpha / len(preset.hypotheses) == pytest.approx(0.005)
    assert {r.values.get("R2") for r in preset.reported_aucs} == {0.73, 0.80, 0.72, 0.78}


def test_every_pair_leaves_out_what_cannot_be_tested(tmp_path: Path) -> None:
    table = features(ASD, BEVR, "not_a_feature").assign(margin_fluctuation=1.0)
    family = every_pair(table, labels(tmp_path))
    assert {(h.feature, h.label) for h in family.hypotheses} == {
        (f, name) for f in (ASD, BEVR) for name in ("two", "three", "age")
    }
    assert {(entry.name, entry.reason) for entry in family.left_out} == {
        ("margin_fluctuation", "has fewer than two different values"),
        ("same", "the same groups of patients as two"),
        ("constant", "constant among the patients with features: '1' (12 of 12)"),
        (
            "OS.time",
            'a time; a [[hypothesis]] with time = "OS.time" and a column of events as event tests '
            "both",
        ),
        (
            "name",
            "identifier (12 different values in 12 patients), not categorical, ordinal, continuous "
            "or survival; numbers have to stand alone, without units, and a [[label]] can state "
            "its kind, or merge its values by levels",
        ),
    }


def test_a_number_column_with_words_says_how_it_is_tested() -> None:
    ages = [str(40 + i) for i in range(10)] + [">89", "old"]
    own = {"age": ages, "grade": [2, 3] * 6, "MGMT": ["None"] * 12}
    table = pd.DataFrame({"patient": [f"p{i}" for i in range(12)]} | own)
    left_out = {one.name: one.reason for one in every_pair(features(ASD), table).left_out}
    assert left_out == {
        "age": "numbers beside '>89' (1), 'old' (1); a [[label]] with kind = \"continuous\" and "
        'missing = [">89", "old"] tests the numbers',
        "MGMT": "no patient with features has a value",
    }
    age = LabelDefinition("age", kind="continuous", missing=[">89", "old"])
    assert len(define_labels([age], read_labels(table))["age"].values) == 10


def test_every_pair_leaves_out_counts(tmp_path: Path) -> None:
    family = every_pair(features(ASD, "elongation", "slices", "components"), labels(tmp_path))
    assert {h.feature for h in family.hypotheses} == {ASD, "elongation"}
    left_out = {entry.name: entry.reason for entry in family.left_out}
    assert (
        left_out["slices"]
        == left_out["components"]
        == ("a count, not a shape; a file of hypotheses can name it")
    )


def test_the_literature_names_few_features_and_says_where_paper(tmp_path: Path) -> None:
    named = [one for one in FEATURES.values() if one.in_default_family]
    assert [one.name for one in named] == [
        ASD,
        "margin_fluctuation",
        BEVR,
        "volume",
        "sphericity",
    ]
    assert all(re.search(r" \d{4}, [\w ]+ \d+: \d+-\d+$", one.literature) for one in named)
    table = features(*FEATURES)
    family = choose_family("literature", table, labels(tmp_path))
    assert list(dict.fromkeys(h.feature for h in family.hypotheses)) == [one.name for one in named]
    assert family.title == "Shape features that the literature names, against every label"
    left_out = {entry.name: entry.reason for entry in family.left_out}
    assert left_out.keys() >= FEATURES.keys() - {one.name for one in named}
    assert "--hypotheses all tests it" in left_out["elongation"]
    assert left_out["slices"].startswith("a count")
    assert left_out["solidity"].startswith("exploratory")
    everything = every_pair(table, labels(tmp_path))
    assert len(everything.hypotheses) > 2 * len(family.hypotheses)


def test_without_a_feature_of_the_literature_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"that the literature names .* --hypotheses all"):
        choose_family(None, features("elongation"), labels(tmp_path))


def test_without_anything_to_test_every_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found 0 and 3"):
        every_pair(features("own"), labels(tmp_path))


def test_the_default_is_the_preset_where_its_labels_are_there(dataset: Path) -> None:
    known = read_labels([dataset / "data.csv", dataset.parents[1] / "tcga_lgg" / "idh_1p19q.csv"])
    table = features(ASD, BEVR, "margin_fluctuation")
    table["patient"] = sorted(known.patients)[:12]
    assert choose_family(None, table, known).name == "buda2019"
    assert choose_family(None, table, read_labels([dataset / "data.csv"])).name == "literature"


def test_a_preset_passed_over_is_listed_with_the_reason(tmp_path: Path) -> None:
    family = choose_family(None, features(ASD, BEVR), labels(tmp_path))
    assert family.name == "literature"
    assert family.left_out[0].name == "buda2019"
    assert family.left_out[0].reason.startswith("found no feature margin_fluctuation; no label")


def test_a_preset_whose_labels_are_absent_is_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no feature margin_fluctuation; no label RNASeqCluster"):
        choose_family("buda2019", features(ASD, BEVR), labels(tmp_path))


def test_patients_of_other_names_are_refused(tmp_path: Path) -> None:
    table = features(ASD).assign(patient=[f"P-{i}" for i in range(12)])
    with pytest.raises(InputError, match=r"none in common: .* features is P-0, .* labels p0\."):
        choose_family(None, table, labels(tmp_path))


def test_an_unknown_choice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="buda2019, literature, all, or a TOML file, found 'buda'"):
        choose_family("buda", features(ASD), labels(tmp_path))


MINE = """
name = "mine"
alpha = 0.01
notes = ["Patients of one hospital."]
[[hypothesis]]
feature = "own"
label = "own:two"
higher_in = "1"
reported_below = 0.05
"""


def test_own_hypotheses_from_a_file(tmp_path: Path) -> None:
    family = choose_family(str(write(tmp_path, MINE)), features("own"), labels(tmp_path))
    assert family.hypotheses == (Hypothesis("own", "own:two", "1", 0.05),)
    assert (family.name, family.title, family.alpha) == ("mine", "mine", 0.01)
    assert family.notes == ("Patients of one hospital.",)


def test_whole_numbers_are_numbers(tmp_path: Path) -> None:
    auc = '[[auc]]\nfeature = "own"\nlabel = "own:two"\nmasks = "m"\nvalues = {0 = 0, 1 = 1}\n'
    family = read_family(write(tmp_path, MINE.replace("= 0.05", "= 1") + auc))
    assert family.hypotheses[0].reported_below == 1
    assert family.reported_aucs[0].values == {"0": 0, "1": 1}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            '"own:two"',
            '"name"',
            r"or survival, found identifier \(.* different values? in .*\), not",
        ),
        (
            '"own:two"',
            '"age"',
            "`higher_in` for a label with levels, found it for age, which is cont",
        ),
        ('label = "own:two"', 'time = "OS.time"', "a `time` and an `event`"),
        ('label = "own:two"', 'label = "two"\nlevels = 3', "`levels` of two to be a list"),
        ("[[hypothesis]]", "[label]\n[[hypothesis]]", r"any \[\[label\]\] and"),
        ("[[hypothesis]]", "[[label]]\n[[hypothesis]]", "a label to have a `name`"),
        ("[[hypothesis]]", '[[label]]\nname = "a"\nlevel = 1\n[[hypothesis]]', "found level"),
        (
            "[[hypothesis]]",
            '[[label]]\nname = "a"\n[[label]]\nname = "a"\n[[hypothesis]]',
            "named a",
        ),
        (
            "[[hypothesis]]",
            '[[hypothesis]]\nfeature = "f"\nlabel = "own:two"\nlevels = [1, 0]\n[[hypothesis]]',
            "label own:two to be the same in all hypotheses",
        ),
        ('higher_in = "1"', 'higher_in = "2"', r"level of own:two \(0, 1\), found '2'"),
        ('feature = "own"', 'feature = "absent"', "no feature absent"),
        (
            'feature = "own"',
            "",
            "to have a `feature` and a `label`.* found no `feature` in label = ",
        ),
        ('feature = "own"', 'levels = ["a"]', r"no `feature` in label = .*levels = \['a'\]"),
        ('feature = "own"', "feature = 3", "found feature = 3 in feature = 3, label = "),
        ("reported_below = 0.05", 'reported_below = "x"', "to be a number"),
        ("reported_below = 0.05", "reported_below = nan", "up to 1, found nan"),
        ('name = "mine"', "name = 5", "name to be text, found 5"),
        ('name = "mine"', "auc = 3", "in a list"),
        ('["Patients of one hospital."]', '"one"', "a list of texts, found 'one'"),
        ('["Patients of one hospital."]', "[1]", r"a list of texts, found \[1\]"),
        (
            "[[hypothesis]]",
            '[[auc]]\nfeature="f"\nlabel="l"\nmasks="m"\nvalues={R1="a"}\n[[hypothesis]]',
            "from 0 to 1",
        ),
        ('feature = "own"', 'feature = "reason"', "no feature reason"),
        ("alpha = 0.01", "alpha = 2.0", "between 0 and 1, found 2.0"),
        ("alpha = 0.01", "alpha = 1", "between 0 and 1, found 1"),
        ("alpha = 0.01", "alpha = true", "between 0 and 1, found True"),
        ("alpha = 0.01", "reported_bins = 1", "reported_bins to be a whole number"),
        ("alpha = 0.01", 'reported_test = "fischer"', "'fischer'. Did you mean fisher"),
        ("reported_below = 0.05", "reported_below = true", "up to 1, found True"),
        (
            "[[hypothesis]]",
            '[[auc]]\nfeature="f"\nlabel="l"\nmasks="m"\nvalues={R1=true}\n[[hypothesis]]',
            "from 0 to 1",
        ),
        ("alpha", "alhpa", "found alhpa. Did you mean alpha"),
        (
            "higher_in",
            'kind = "nominal"\nhigher_in',
            r"found kind\. That belongs in a \[\[label\]\]",
        ),
        ("higher_in", "direction", "only the keys .*, found direction"),
        ("higher_in", "adjust", r"found adjust\. That is stated with --adjust"),
        ("higher_in", "alpha", "found alpha. That belongs at the top of the file"),
        (
            'higher_in = "1"',
            "higher_in = \u201c1\u201d",
            "TOML.* Texts stand in straight quotes",
        ),
        ("[[hypothesis]]", "[other]", "found other"),
        ("[[hypothesis]]", "[hypothesis]", "or more"),
        ("[[hypothesis]]", "[[auc]]\nx = 1\n[[hypothesis]]", "found x"),
        (
            "[[hypothesis]]",
            '[[auc]]\nlabel = "a"\n[[hypothesis]]',
            "texts feature, label and masks",
        ),
        ("[[hypothesis]]", "hypothesis = [3]\n[x]", "found"),
        (MINE, "name = 'x'", "or more"),
        (MINE, MINE + '[[hypothesis]]\nfeature = "own"\nlabel = "own:two"', "own x own:two twice"),
        (MINE, "[", "to be TOML"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = write(tmp_path, MINE.replace(old, new))
    with pytest.raises(InputError, match=complaint):
        choose_family(str(path), features("own"), labels(tmp_path))


def test_a_file_without_a_name_is_called_by_its_own(tmp_path: Path) -> None:
    path = write(tmp_path, '[[hypothesis]]\nfeature = "a"\nlabel = "b"\n')
    assert read_family(path).name == "mine"


def test_a_family_of_too_many_hypotheses_is_refused() -> None:
    every = tuple(Hypothesis(ASD, f"l{number}") for number in range(10_001))
    assert len(Family("mine", "", every[1:]).hypotheses) == 10_000
    with pytest.raises(InputError, match="at most 10000 hypotheses in a family, found 10001"):
        Family("mine", "", every)
