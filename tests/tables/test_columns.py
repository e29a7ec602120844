"""Columns as people fill them in: what each becomes, in every format."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lggshape.association import Family, Hypothesis, associate, choose_family
from lggshape.errors import InputError
from lggshape.labels import Codebook, Kind, read_labels
from lggshape.labels.codebook import LabelCodes, TableCodes
from lggshape.tables import MISSING_WORDS

PATIENTS = [f"P{i}" for i in range(12)]


def column(*cells: Any) -> list[Any]:
    """Return the cells of a column: those given, again and again."""
    return [cells[i % len(cells)] for i in range(len(PATIENTS))]


def numbers(form: Callable[[int], Any]) -> list[Any]:
    return [form(i) for i in range(len(PATIENTS))]


COLUMNS: dict[str, tuple[list[Any], Any]] = {
    # cells: the different values they become, or a part of the message that refuses the column
    "levels": (column("II", "III"), {"II", "III"}),
    "upper and lower case": (column("yes", "no", "Yes", "no", "yes", "YES"), {"yes", "no"}),
    "blanks": (
        column("wild type", "mutant", "wildtype", "wild\u00a0 type"),
        {"wild type", "mutant"},
    ),
    "a hyphen is no blank": (column("co-deletion", "codeletion"), {"co-deletion", "codeletion"}),
    "signs": (column("+", "-", "?"), {"+", "-"}),
    "truths": (column(True, False), {"True", "False"}),
    "truths as text": (column("TRUE", "FALSE", "True"), {"TRUE", "FALSE"}),
    "codes": (column(1, 2), {"1", "2"}),
    "codes with gaps": (column(1.0, 2.0, None), {"1", "2"}),
    "codes as text": (column("1", "2.0", 2), {"1", "2"}),
    "numbers": (numbers(lambda i: i + 0.5), {i + 0.5 for i in range(12)}),
    "numbers as text": (numbers(lambda i: str(i + 0.5)), {i + 0.5 for i in range(12)}),
    "words among numbers": (
        numbers(lambda i: "unknown" if i == 3 else i * 10),
        {i * 10.0 for i in range(12) if i != 3},
    ),
    "decimal commas": (
        numbers(lambda i: f"{i + 1},25"),
        {i + 1.25 for i in range(12)},
    ),
    "thousands and decimal points": (
        numbers(lambda i: f"{i + 1},234.5"),
        {i * 1000 + 1234.5 for i in range(12)},
    ),
    "thousands and decimal commas": (
        numbers(lambda i: f"{i + 1}.234,5"),
        {i * 1000 + 1234.5 for i in range(12)},
    ),
    "millions": (
        numbers(lambda i: f"{i + 1},000,000"),
        {(i + 1) * 1e6 for i in range(12)},
    ),
    "thousands with blanks": (
        numbers(lambda i: f"{i + 1} 500"),
        {i * 1000 + 1500.0 for i in range(12)},
    ),
    "thousands with apostrophes": (
        numbers(lambda i: f"{i + 1}'500"),
        {i * 1000 + 1500.0 for i in range(12)},
    ),
    "percent": (numbers(lambda i: f"{i * 5 + 2.5}%"), {(i * 50 + 25) / 1000 for i in range(12)}),
    "ranges are words": (column("<10%", "10-50%", ">50%"), {"<10%", "10-50%", ">50%"}),
    "1,234 alone": (
        numbers(lambda i: f"{i + 1},234"),
        r'found "1,234", which can be 1234 or 1\.234\. Write numbers without separators',
    ),
    "lists": (column("1", "2", "1,2"), '"1,2", of which it is not clear that the comma is decimal'),
    "two notations": (numbers(lambda i: "0,5" if i else "1.5"), 'two notations, "0,5" and "1.5"'),
    "percent here and there": (numbers(lambda i: f"{i}%" if i else "0.5"), "in two notations"),
    "dates": (
        numbers(lambda i: pd.Timestamp(2020, 1, i + 1)),
        "found dates, as 2020-01-01. A label is a level or a number",
    ),
    "dates as text": (column("04.03.2021", "05.03.2021"), "found dates, as 04.03.2021"),
    "what Excel made of SEPT2": (
        column("IDH1", "2-Sep", "TP53"),
        r"dates beside other values, as 2-Sep \(4 of 12\): Excel turns 1-2 and SEPT2 into dates",
    ),
}  # fmt: skip

FORMATS: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "memory": lambda table, _: table,
    "CSV": lambda table, path: table.to_csv(path, index=False),
    "semicolons": lambda table, path: table.to_csv(path, index=False, sep=";"),
    "Excel": lambda table, path: table.to_excel(path, index=False, engine="openpyxl"),
    "Parquet": lambda table, path: table.to_parquet(path, index=False),
}

DECIMAL_WITH_SEMICOLONS = {"1,234 alone", "lists"}
"""In a file with semicolons the comma is decimal, unless another column shows the contrary."""


def kept(table: pd.DataFrame, form: str, folder: Path) -> Path | pd.DataFrame:
    if form == "memory":
        return table
    path = folder / f"labels{'.xlsx' if form == 'Excel' else ''}"
    FORMATS[form](table, path)
    return path


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_becomes_the_same_label_in_every_format_analytic(
    tmp_path: Path, case: str, form: str
) -> None:
    cells, expected = COLUMNS[case]
    table = pd.DataFrame({"ID": PATIENTS, "x": cells})
    if form == "Parquet" and len({type(cell) for cell in table["x"].dropna()}) > 1:
        table = table.astype({"x": str})  # it has one type in a column
    labels = read_labels(kept(table, form, tmp_path))
    assert "x" in labels
    if isinstance(expected, str) and not (form == "semicolons" and case in DECIMAL_WITH_SEMICOLONS):
        with pytest.raises(InputError, match=expected):
            labels["x"]
    elif not isinstance(expected, str):
        assert set(labels["x"].values) == expected


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
@pytest.mark.parametrize("form", FORMATS)
def test_words_for_missing_are_missing_and_named_analytic(
    tmp_path: Path, form: str, storage: str
) -> None:
    words = [*sorted(MISSING_WORDS), "[Not Available]"]
    table = pd.DataFrame(
        {"ID": PATIENTS, "age": range(20, 32)}
        | {f"x{i}": column("II", "III", word.upper()) for i, word in enumerate(words)}
    )
    with pd.option_context("mode.string_storage", storage):
        labels = read_labels(kept(table, form, tmp_path))
    assert {labels[f"x{i}"].levels for i in range(len(words))} == {("II", "III")}
    (line,) = labels.notes
    assert line.startswith("labels: counted as missing: ")
    place = words.index("unknown")
    assert f'"UNKNOWN" (4 in x{place})' in line
    assert f'"[NOT AVAILABLE]" (4 in x{len(words) - 1})' in line
    assert '"" (' not in line


def test_documents_name_all_words_for_missing_invariant() -> None:
    page = (Path(__file__).parents[2] / "docs" / "inputs.md").read_text(encoding="utf-8")
    said = page[page.index("**Missing values.**") :].partition("\n\n")[0]
    assert [word for word in MISSING_WORDS - {""} if f"`{word}`" not in said.casefold()] == []


# --- what other columns, tables and codebooks tell


def test_other_columns_tell_the_decimal_mark_analytic() -> None:
    table = pd.DataFrame({"ID": PATIENTS, "x": numbers(lambda i: f"{i + 1},234")})
    points = table.assign(other=numbers(lambda i: i + 0.5))
    commas = table.assign(other=numbers(lambda i: f"0,{i + 1}"))
    both = points.assign(more=commas["other"])
    assert read_labels(points)["x"].values["P0"] == 1234
    assert read_labels(commas)["x"].values["P0"] == 1.234
    with pytest.raises(InputError, match=r"can be 1234 or 1\.234"):
        read_labels(both)["x"]


def test_points_beside_decimal_commas_stand_between_thousands_analytic(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    rows = "".join(f"P{i};{i + 1}.234;{i},5\n" for i in range(12))
    path.write_text(f"ID;x;other\n{rows}")
    assert read_labels(path)["x"].values["P0"] == 1234
    path.write_text(f"ID;x;other\n{rows.replace(',5', '')}")
    with pytest.raises(InputError, match=r"can be 1234 or 1\.234"):
        read_labels(path)["x"]
    path.write_text(f"ID;x;other\n{rows.replace(',5', '.5')}")
    assert read_labels(path)["x"].values["P0"] == 1.234


def test_codes_of_a_codebook_are_neither_missing_nor_numbers_analytic() -> None:
    codes = {"-": "negative", "1,2": "both", "IV": "high"}
    book = Codebook(frozenset(), (TableCodes(("x",), {"x": LabelCodes(Kind.NOMINAL, codes)}),))
    table = pd.DataFrame({"ID": ["a", "b", "c", "d"], "x": ["-", "1,2", "iv", "?"]})
    label = read_labels(table, codebook=book)["x"]
    assert label.values.to_dict() == {"a": "negative", "b": "both", "c": "high"}


def test_tables_that_share_a_label_share_its_spelling_analytic(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = pd.DataFrame({"ID": ["a", "b", "c"], "x": ["left", "right", "left"]})
    other = pd.DataFrame({"ID": ["c", "d", "e"], "x": ["LEFT", "Right", "LEFT"]})
    labels = read_labels({"one": one, "other": other})
    assert labels["x"].levels == ("left", "right")
    assert labels["x"].values.to_dict() == {
        "a": "left", "b": "right", "c": "left", "d": "right", "e": "left"
    }  # fmt: skip

    assert "other: merged" in caplog.text
    assert '"LEFT" (2) with "left"; "Right" (1) with "right", as in another table' in caplog.text


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "...1"])
def test_a_column_without_a_name_is_left_out_and_named_analytic(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"{name},ID,x\n1,a,II\n2,b,III\n")  # the numbers of the rows
    assert list(read_labels(path)) == ["x"]
    assert caplog.text == ""
    path.write_text(f"{name},ID,x\n7,a,II\n2,b,III\n")
    assert list(read_labels(path)) == ["x"]
    assert "found none for column 1, which is left out" in caplog.text


# --- the results that wrong levels give

FEATURES = pd.DataFrame({"patient": [f"P{i}" for i in range(44)]}).assign(
    margin_fluctuation=lambda table: [i / 44 for i in range(len(table))]
)
BINS = {"yes": (1, 3, 3, 5), "Yes": (0, 2, 2, 2), "YES": (0, 0, 1, 1), "no": (10, 6, 5, 3)}
"""Patients of each spelling in each quartile of the feature."""


def seizures() -> pd.DataFrame:
    cells = [word for bin in range(4) for word, counts in BINS.items() for _ in range(counts[bin])]
    return FEATURES[["patient"]].assign(seizures=cells)


def test_levels_split_by_spelling_do_not_hide_an_association_analytic(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Fisher's exact test: p = .018 of yes against no, and .179 of the four spellings.
    study = associate(FEATURES, seizures(), "all")
    assert round(study.associations["p"].iloc[0], 3) == 0.018
    apart = seizures().replace({"Yes": "sometimes", "YES": "often"})
    assert round(associate(FEATURES, apart, "all").associations["p"].iloc[0], 3) == 0.179
    assert 'in seizures: "Yes" (6) and "YES" (2) with "yes"' in caplog.text


def test_a_hypothesis_may_use_any_spelling_of_a_level_analytic() -> None:
    one = Hypothesis("MF", "seizures", higher_in="YES")
    family = choose_family(Family("mine", "Seizures", (one,)), FEATURES, seizures())
    assert family.hypotheses[0].higher_in == "yes"


def test_words_for_missing_are_not_counted_as_patients_analytic() -> None:
    table = (
        FEATURES[["patient"]]
        .iloc[:43]
        .assign(
            status=["unmethylated", "methylated"] * 19 + ["unknown", "?", "unknown", "-", "#N/A"]
        )
    )
    study = associate(FEATURES, table, "all")
    assert study.associations["n"].tolist() == [38]
    assert study.labels["status"].levels == ("methylated", "unmethylated")


def test_a_column_that_cannot_be_used_is_listed_with_the_reason_analytic() -> None:
    table = seizures().assign(born="1960-05-01")
    study = associate(FEATURES, table, "all")
    left_out = study.left_out.set_index("name")["reason"]
    assert left_out["born"].startswith("Expected born to be a label, found dates, as 1960-05-01")
