from pathlib import Path

import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.labels import Kind, Label, holds_events, read_labels
from lggshape.labels.kinds import codes_for_missing


def kind(name: str, values: list[object]) -> Kind:
    table = pd.DataFrame({"patient": [f"p{i}" for i in range(len(values))], name: values})
    return read_labels(table)[name].kind


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("age", list(range(30, 50)), Kind.CONTINUOUS),
        ("age_years", list(range(30, 50)), Kind.CONTINUOUS),
        ("Age at MRI", [61.5, 40, 41], Kind.CONTINUOUS),
        ("index", [0.5, 1, 2], Kind.CONTINUOUS),
        ("grade", [2, 3, 4], Kind.NOMINAL),
        ("age", [61, 35, 48, 52, 70, 44, 66], Kind.CONTINUOUS),
        ("KPS", [90, 80, 70, 90, 80, 90, 100, 60], Kind.NOMINAL),
        ("age", [*range(30, 50), ">89"], Kind.IDENTIFIER),
        ("age", [*range(30, 50), *range(30, 50), *range(30, 50), "old"], Kind.IDENTIFIER),
        ("grade", [2, 3, 4, "NOS"], Kind.NOMINAL),
        ("OS", [30, 12, 85, 41, 7, 66, 90], Kind.TIME),
        ("OS.time", list(range(30, 50)), Kind.TIME),
        ("OS", list(range(30, 50)), Kind.TIME),
        ("OS", [0, 1, 1], Kind.NOMINAL),
        ("Survival", list(range(30, 50)), Kind.TIME),
        ("number", list(range(1, 21)), Kind.IDENTIFIER),
        ("number", [*range(1, 20), 40], Kind.CONTINUOUS),
        ("arm", ["a", "b", "a"], Kind.NOMINAL),
        ("name", [f"n{i}" for i in range(20)], Kind.IDENTIFIER),
    ],
)
def test_kinds_are_found_from_names_and_values(
    name: str, values: list[object], expected: Kind
) -> None:
    assert kind(name, values) is expected


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("OS", ["0", "1"], True),
        ("1-dead 0-alive", ["0", "1"], True),
        ("status", ["Dead", "Alive"], True),
        ("x", ["1:DECEASED", "0:LIVING"], True),
        ("DSS", ["censored", "event"], True),
        ("MGMT", ["0", "1"], False),
        ("MGMT", ["yes", "no"], False),
        ("vital", ["a", "b"], False),
        ("OS", ["0", "1", "2"], False),
        ("cosmos", ["0", "1"], False),
    ],
)
def test_events_are_told_by_words_or_by_the_name(
    name: str, values: list[str], expected: bool
) -> None:
    assert holds_events(name, pd.Series(values)) is expected


@pytest.mark.parametrize(
    ("ages", "codes"),
    [
        ([41, 60, 33, 999, 999], [999.0]),
        ([41, 60, 33, -9, -99], [-99.0, -9.0]),
        ([41, 60, 33, 99], []),
        ([0.5, 0.25, 1, -9], [-9.0]),
        ([-7, 3, 5, -9], []),
        ([41, 60, 33, 150], []),
        ([999, 999, 999], []),
    ],
)
def test_codes_of_nines_far_from_all_others_are_told_analytic(
    ages: list[float], codes: list[float]
) -> None:
    assert codes_for_missing(pd.Series(ages, dtype=float)) == codes
    table = pd.DataFrame({"patient": range(20), "age": [*range(41, 59), 999, 999]})
    assert read_labels(table).notes == (
        "labels: counted as numbers, though far from all others: 999 (2 patients) in age. If they "
        "stand for missing values, a [[label]] lists them in `missing = [...]`",
    )


def test_a_column_of_more_than_a_hundred_words_is_no_label_of_groups() -> None:
    words = [f"w{number // 10}" for number in range(1010)]
    assert kind("x", list(words[:1000])) is Kind.NOMINAL
    assert kind("x", list(words)) is Kind.IDENTIFIER


def test_a_label_that_is_stated_to_be_nominal_has_at_most_a_hundred_levels(tmp_path: Path) -> None:
    codebook = tmp_path / "codebook.toml"
    codebook.write_text('[[table]]\nrecognised_by = ["x"]\nlabels = {x = "categorical"}\n')
    words = [f"w{number // 2}" for number in range(202)]
    table = pd.DataFrame({"patient": [f"p{n}" for n in range(202)], "x": words})
    with pytest.raises(InputError, match="the label x to have at most 100 levels, found 101"):
        read_labels(table, codebook=codebook)


def test_long_texts_are_no_levels() -> None:
    assert kind("x", ["7" * 5000, "y"] * 2) is Kind.IDENTIFIER
    with pytest.raises(InputError, match="levels of x to have at most 128 characters, found 129"):
        Label("x", Kind.NOMINAL, pd.Series(dtype=str), ("y" * 129,), ())
