"""Labels that are asked of some patients alone."""

import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, associate
from lggshape.errors import InputError
from lggshape.labels import LabelDefinition, define_labels, read_labels

PATIENTS = [f"p{number}" for number in range(12)]
TABLE = pd.DataFrame(
    {
        "patient": PATIENTS,
        "grade": ["2", "3", "4"] * 4,
        "idh": ["R132H", "wt", "odd"] * 2 + ["wt", "R132C", "odd", "R132H", None, "odd"],
    }
)
IDH = LabelDefinition("IDH", "idh", levels={"mutant": ["R132H", "R132C"], "wild": ["wt"]})
LOW = {"grade": [2, "3"]}


def test_only_those_who_are_asked_have_the_label_analytic() -> None:
    low = LabelDefinition("low", "idh", levels=IDH.levels, where=LOW)
    label = define_labels([low], read_labels(TABLE))["low"]
    asked = [name for name, grade in zip(PATIENTS, TABLE["grade"], strict=True) if grade != "4"]
    assert label.population == frozenset(asked)
    assert label.values.to_dict() == {
        "p0": "mutant", "p1": "wild", "p3": "mutant", "p4": "wild", "p6": "wild", "p7": "mutant",
        "p9": "mutant",
    }  # fmt: skip
    assert label.where == "grade: 2 or 3"


def test_a_condition_may_name_a_defined_label_analytic() -> None:
    every = LabelDefinition("IDH", "idh", levels=IDH.levels, missing=["odd"])
    of_mutants = LabelDefinition("grade of mutants", "grade", where={"IDH": "mutant"})
    merged = LabelDefinition("low", "IDH", where=LOW)
    labels = define_labels([of_mutants, merged, every], read_labels(TABLE))
    assert labels["grade of mutants"].population == frozenset({"p0", "p3", "p7", "p9"})
    assert labels["grade of mutants"].levels == ("2", "3")
    assert labels["low"].levels == ("mutant", "wild")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"grade": ["5"]}, r"values of grade, found '5'; the values are: '2' \(4\)"),
        ({"Grad": ["2"]}, "`where` of low to name labels, found no 'Grad'.*Did you mean grade"),
        ({"grade": ["unknown"]}, "found 'unknown'; .*That counts as missing"),
        ({"grade": []}, "Expected `where` of low to list values by label"),
        (["2"], "Expected `where` of low to list values by label"),
        ({"low": ["wild"]}, "found low, which has a `where` itself"),
    ],
)
def test_conditions_that_mean_nothing_are_refused(where: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        define_labels(
            [LabelDefinition("low", "idh", where=where)],  # type: ignore[arg-type]
            read_labels(TABLE),
        )


def test_a_label_may_be_restricted_to_some_of_its_values_analytic() -> None:
    low = LabelDefinition("grade", levels=[2, 3], where={"grade": [2, 3]})
    label = define_labels([low], read_labels(TABLE))["grade"]
    assert (label.levels, len(label.values)) == (("2", "3"), 8)


def test_an_event_has_to_occur_somewhere_and_not_in_every_subgroup_analytic() -> None:
    table = TABLE.assign(days=range(12), state=["gone", "here", "here"] * 4)
    none_gone = LabelDefinition(
        "s", time="days", event="state", event_is="gone", where={"grade": 3}
    )
    events = define_labels([none_gone], read_labels(table))["s"].events
    assert events is not None
    assert (len(events), events.sum()) == (4, 0)


def test_who_lacks_the_value_that_decides_is_counted_analytic() -> None:
    table = TABLE.assign(site=["A", None, "A", "?"] * 3)
    features = pd.DataFrame({"patient": PATIENTS, "sphericity": [i / 12 for i in range(12)]})
    where = {"site": "A", "grade": ["2", "3"]}
    family = Family("f", "f", (Hypothesis("sphericity", "grade", where=where),))
    flow = associate(features, table, family).flow
    decides = flow[flow["step"] == "of these, a value that decides it for grade is missing"]
    # p5 and p11 have grade 4, and so are not asked whatever their site is.
    assert decides["which"].tolist() == ["p1; p3; p7; p9"]


def test_the_others_are_neither_tested_nor_missing_invariant() -> None:
    features = pd.DataFrame({"case": PATIENTS, "patient": PATIENTS, "masks": "manual"})
    features["sphericity"] = [0.1 + 0.07 * (number * 5 % 12) for number in range(12)]
    hypothesis = Hypothesis("sphericity", "idh", levels=IDH.levels, where=LOW)
    family = Family("low", "Low grade", (hypothesis,))
    found = associate(features, TABLE, family, adjust=["grade"], permutations=99)
    low = TABLE["grade"] != "4"
    unrestricted = Family("low", "", (Hypothesis("sphericity", "idh", levels=IDH.levels),))
    alone = associate(features[low], TABLE[low], unrestricted, adjust=["grade"], permutations=99)
    for name in ("associations", "sensitivity", "discrimination", "contingency", "patients"):
        pd.testing.assert_frame_equal(found.tables()[name], alone.tables()[name])
    assert found.given is not None
    assert alone.given is not None
    pd.testing.assert_frame_equal(found.given.adjusted, alone.given.adjusted)
    steps = dict(zip(found.flow["step"], found.flow["patients"], strict=True))
    assert steps["not asked for idh (only grade: 2 or 3)"] == 4
    assert steps["with all tested features and the label idh"] == 7
