from pathlib import Path

import pandas as pd
import pytest

from lggshape.association import associate
from lggshape.association.exclusions import exclude
from lggshape.errors import InputError

NAMES = [f"p{number}" for number in range(12)]
FEATURES = pd.DataFrame({"case": [f"{name}_1" for name in NAMES], "patient": NAMES})
FEATURES = FEATURES.assign(masks="manual", reason="", volume=[float(i) for i in range(12)])
LABELS = pd.DataFrame({"patient": NAMES, "grade": ["II", "III"] * 6})


def test_who_is_excluded_is_in_no_test_and_is_named_with_the_reason_analytic(
    tmp_path: Path,
) -> None:
    path = tmp_path / "exclusions.csv"
    path.write_text('patient,reason\np3,"motion, twice"\np4,\n')
    study = associate(FEATURES, LABELS, exclusions=path)
    assert study.associations["n"].tolist() == [10]
    assert not {"p3", "p4"} & set(study.data["patient"])
    flow = study.flow.set_index("step")
    row = flow.loc["excluded, and in no other number"]
    assert row["patients"] == 2
    assert "p3 (excluded: motion, twice); p4 (excluded: no reason given)" in row["which"]
    assert flow.loc["patients with a mask", "patients"] == 10
    assert flow.loc["patients with labels and without a mask", "patients"] == 0
    named = study.left_out[study.left_out["what"] == "patient"]
    assert named["name"].tolist() == ["p3", "p4"]


def test_cases_can_be_excluded_one_by_one_invariant() -> None:
    twice = pd.concat([FEATURES, FEATURES.assign(case=FEATURES["case"] + "b", masks="automatic")])
    kept, left_out = exclude(twice, pd.DataFrame({"case": ["p0_1"], "reason": ["poor"]}))
    assert len(kept) == 23
    assert "p0" in set(kept["patient"])
    assert left_out[0] == ("case", "p0_1", "excluded: poor")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"patient": ["p01"]}, "found 'p01' in row 1. Did you mean p1"),
        ({"patient": ["x", "y"]}, "found 'x' in row 1 and 1 more"),
        ({"name": ["p1"]}, "to have the column patient or case, found name"),
        ({"patient": NAMES}, "to leave patients to analyse, found all of them"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(table: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InputError) as error:
        exclude(FEATURES, pd.DataFrame(table))
    assert message in str(error.value)
