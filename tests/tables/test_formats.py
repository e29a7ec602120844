"""One table in every format in which people keep it: the labels are the same."""

import logging
import re
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.labels import Labels, read_labels
from lggshape.tables.text_table import read_text_table

AGES = [31.5, 42.25, 53, 1234.5, 65, 76.75, 27, 38, 49, 50.5, 61, 72]
SEXES = ["männlich", "weiblich", "weiblich"] * 4
EXPECTED = {
    "Alter": {f"P{i}": age for i, age in enumerate(AGES)},
    "Geschlecht": {f"P{i}": sex for i, sex in enumerate(SEXES) if i != 3},
}

ROWS = [
    [f"P{i}", age, sex if i != 3 else None]
    for i, (age, sex) in enumerate(zip(AGES, SEXES, strict=True))
]
HEADER = ["ID", "Alter", "Geschlecht"]
TABLE = pd.DataFrame(ROWS, columns=HEADER)

Keep = Callable[[Path], Path | str | pd.DataFrame]


def text(
    separator: str,
    encoding: str = "utf-8",
    *,
    comma: bool = False,
    name: str = "labels.csv",
    before: str = "",
    after: str = "",
    end: str = "",
) -> Keep:
    """Return what writes the table as text, as a program of another country does."""

    def cell(value: object) -> str:
        said = "" if value is None else str(value)
        return said.replace(".", ",") if comma and isinstance(value, float) else said

    def keep(folder: Path) -> Path:
        lines = [separator.join(map(cell, row)) + end for row in [HEADER, *ROWS]]
        path = folder / name
        path.write_bytes((before + "\r\n".join(lines) + "\r\n" + after).encode(encoding))
        return path

    return keep


def grouped(folder: Path) -> Path:
    """Write thousands with points, as German Excel shows them."""
    path = text(";", comma=True)(folder)
    path.write_text(path.read_text().replace("1234,5", "1.234,5"))
    return path


def workbook(*, others: int = 0, empty: int = 0, sheet: str = "", name: str = "book.xlsx") -> Keep:
    """Return what writes the table as a sheet of a workbook."""

    def keep(folder: Path) -> str:
        book = openpyxl.Workbook()
        book.active.title = "Clinical data"
        for row in [HEADER, [None] * 3, *ROWS, [None] * 3, ["", " ", ""]]:
            book.active.append(row)
        book.active.cell(row=3, column=9).font = openpyxl.styles.Font(bold=True)
        for number in range(others + empty):
            other = book.create_sheet(f"Sheet{number}")
            if number < others:
                other.append(["x"])
        book.save(folder / name)
        return f"{folder / name}{sheet}"

    return keep


def in_parquet(folder: Path) -> Path:
    TABLE.to_parquet(folder / "labels.parquet")
    return folder / "labels.parquet"


FORMATS: dict[str, Keep] = {
    "in memory": lambda _: TABLE,
    "in memory, indexed": lambda _: TABLE.set_index("ID"),
    "categories": lambda _: TABLE.astype({"Geschlecht": "category"}),
    "Parquet": in_parquet,
    "Parquet, indexed": lambda folder: (
        TABLE.set_index("ID").to_parquet(folder / "a.parquet") or folder / "a.parquet"
    ),
    "commas": text(","),
    "a byte-order mark": text(",", "utf-8-sig"),
    "tabs": text("\t", name="labels.tsv"),
    "tabs, .txt": text("\t", name="labels.txt"),
    "Unicode Text of Excel": text("\t", "utf-16", comma=True, name="labels.txt"),
    "CSV of German Excel": text(";", "cp1252", comma=True),
    "CSV UTF-8 of German Excel": text(";", "utf-8-sig", comma=True),
    "semicolons with points": text(";"),
    "thousands": grouped,
    "sep=;": text(";", comma=True, before="sep=;\r\n"),
    "empty rows and columns": text(",", end=",,", after=",,,,\r\n\r\n,,,,\r\n"),
    "text in a file .xls": text("\t", name="labels.xls"),
    "Excel": workbook(),
    "Excel, empty sheets": workbook(empty=2),
    "Excel, a sheet by name": workbook(others=1, sheet=":Clinical data"),
    "a workbook .XLSM": workbook(others=1, sheet=":Clinical data", name="book.XLSM"),
}


def values(labels: Labels) -> dict[str, dict[str, object]]:
    return {name: labels[name].values.to_dict() for name in labels}


@pytest.mark.parametrize("kept", FORMATS)
@pytest.mark.parametrize("storage", ["python", "pyarrow"])
def test_a_table_is_the_same_in_every_format_invariant(
    tmp_path: Path, kept: str, storage: str
) -> None:
    with pd.option_context("mode.string_storage", storage):
        assert values(read_labels(FORMATS[kept](tmp_path))) == EXPECTED


def test_words_of_windows_are_named_analytic(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        read_labels(FORMATS["CSV of German Excel"](tmp_path))
    assert "read it as Windows-1252: männlich. If these words are wrong" in caplog.text


def test_a_sheet_names_its_table_analytic(tmp_path: Path) -> None:
    labels = read_labels(FORMATS["Excel, a sheet by name"](tmp_path))
    assert labels["book:Clinical data:Alter"].values["P2"] == 53


# --- what is refused, with what to do


def book_with(change: Callable[[openpyxl.Workbook], object]) -> Keep:
    def keep(folder: Path) -> Path:
        path = Path(workbook()(folder))
        book = openpyxl.load_workbook(path)
        change(book)
        book.save(path)
        return path

    return keep


def written(content: bytes, name: str = "labels.xlsx", sheet: str = "") -> Keep:
    def keep(folder: Path) -> str:
        (folder / name).write_bytes(content)
        return f"{folder / name}{sheet}"

    return keep


def packed(part: str) -> Keep:
    def keep(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "a.xlsx", "w") as archive:
            archive.writestr(part, "x")
        return folder / "a.xlsx"

    return keep


def title_row(book: openpyxl.Workbook) -> None:
    book.active.insert_rows(1)
    book.active["A1"] = "Table S1"


REFUSED: dict[str, tuple[Keep, str]] = {
    "several sheets": (
        workbook(others=1),
        r"name of a sheet, as .*book\.xlsx:Clinical data, as .* several: Clinical data, Sheet0",
    ),
    "no such sheet": (
        workbook(sheet=":Clinical"),
        r"found no 'Clinical'\. The sheets are: Clinical data\. Did you mean Clinical data\?",
    ),
    "a sheet of a text": (written(b"a,b\n", sheet=":S"), "found no workbook"),
    "merged names": (
        book_with(lambda book: book.active.merge_cells("B1:C1")),
        r"found merged cells: B1:C1\. Unmerge them",
    ),
    "merged patients": (
        book_with(lambda book: book.active.merge_cells("C4:C5")),
        "found merged cells: C4:C5",
    ),
    "a title above": (book_with(title_row), r"found 2 columns without a name .* Delete the rows"),
    "formulas without results": (
        book_with(lambda book: book.active.__setitem__("B4", "=1+1")),
        r"found none in B4\. Open the workbook in Excel and save it",
    ),
    "an old workbook": (
        written(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        r"found an old one \(\.xls\) or one with a password",
    ),
    "OpenDocument": (packed("content.xml"), r"a spreadsheet of OpenDocument \(\.ods\)"),
    "a binary workbook": (packed("xl/workbook.bin"), r"a binary workbook \(\.xlsb\)"),
    "another packed file": (packed("labels.csv"), "another packed file"),
    "a damaged workbook": (packed("xl/workbook.xml"), "found a damaged one"),
    "a damaged packed file": (written(b"PK\x03\x04"), "found: File is not a zip file"),
    "a damaged Parquet file": (written(b"PAR1"), "to be a Parquet file, found"),
    "nothing": (written(b""), "an empty file"),
    "an empty workbook": (
        book_with(lambda book: book.active.delete_rows(1, 30)),
        "found an empty file",
    ),
}


@pytest.mark.parametrize("kept", REFUSED)
def test_what_cannot_be_read_is_refused_with_what_to_do_analytic(tmp_path: Path, kept: str) -> None:
    keep, complaint = REFUSED[kept]
    with pytest.raises(InputError, match=complaint):
        read_labels(keep(tmp_path))


def test_parquet_names_its_extra_analytic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = in_parquet(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r'pip install "lggshape\[parquet\]"'):
        read_labels(path)


def test_results_of_formulas_are_read_analytic(tmp_path: Path) -> None:
    # What Excel saves of ="" & "" and of 2 * 3: the results beside the formulas.
    path = Path(workbook()(tmp_path))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    sheet = re.sub(r'<c r="B3".*?</c>', '<c r="B3"><f>2*3</f><v>6</v></c>', sheet)
    sheet = re.sub(r'<c r="C3".*?</c>', '<c r="C3" t="str"><f>""</f><v></v></c>', sheet)
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    labels = read_labels(path)
    assert labels["Alter"].values["P0"] == 6
    assert "P0" not in labels["Geschlecht"].values


def test_a_damaged_parquet_file_is_refused_invariant(tmp_path: Path) -> None:
    path = in_parquet(tmp_path)
    whole = path.read_bytes()
    for place in range(4, len(whole), 37):
        path.write_bytes(whole[:place] + b"\xff" * 8 + whole[place + 8 :])
        with suppress(InputError):  # no other error; chance may leave a table
            read_labels(path)


def test_an_enormous_workbook_is_refused_analytic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lggshape.tables.workbooks.MOST_BYTES", 1000)
    with pytest.raises(InputError, match="Save the table as CSV UTF-8"):
        read_labels(workbook()(tmp_path))


def test_a_workbook_of_a_later_zip_version_is_refused_analytic(tmp_path):
    path = tmp_path / "a.xlsx"
    pd.DataFrame({"patient": ["a"], "x": [1]}).to_excel(path, index=False)
    content = bytearray(path.read_bytes())
    entry = content.rfind(b"PK\x01\x02")  # in the central directory: APPNOTE 4.3.12
    content[entry + 6] = 84  # the version that is needed to extract, 8.4
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"workbook of Excel, found: zip file version 8\.4"):
        read_text_table(path)
