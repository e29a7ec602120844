"""Labels from a published workbook: `read_supplement`, and `lggshape labels`."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.described import wrongly_described
from lggshape.errors import InputError
from lggshape.labels import read_labels, read_supplement
from lggshape_cli import app

HEADER = ("Case", "Study", "IDH status", "1p/19q codeletion", "IDH/codel subtype")
PATIENTS = (
    ("TCGA-CS-0001", "a", "WT", "non-codel", "IDHwt"),
    ("TCGA-DU-6399", "a", "Mutant", "non-codel", "IDHmut-non-codel"),
    ("TCGA-HT-A61A", "b", "Mutant", "codel", "IDHmut-codel"),
    ("TCGA-HT-0002", "b", "NA", "non-codel", "NA"),
    ("TCGA-HT-0003", "b", "NA", "NA", "NA"),
)


def write(path: Path, *rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> Path:
    """Write a workbook of the published form: a title over all columns, and a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (("Table S1. Made up",), header, *rows, ("NA: not available",)):
        sheet.append(row)
    sheet.merge_cells("A1:E1")
    book.create_sheet("S1B").append(("Case", "another table"))
    book.save(path)
    return path


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return write(tmp_path / "supplement.xlsx", *PATIENTS)


def test_labels_of_a_workbook_as_it_is_published_analytic(workbook: Path) -> None:
    table = read_supplement(workbook, "idh")
    assert table.to_numpy().tolist() == [
        ["TCGA_CS_0001", "WT", "non-codel", "IDHwt", "IDHwt"],
        ["TCGA_DU_6399", "Mutant", "non-codel", "IDHmut-non-codel", "IDHwt"],
        ["TCGA_HT_A61A", "Mutant", "codel", "IDHmut-codel", ""],
        ["TCGA_HT_0002", "", "non-codel", "", ""],
    ]
    labels = read_labels(table)
    assert labels["IDH_status_2016"].levels == ("Mutant", "WT")


def test_the_command_writes_the_table_and_its_record_invariant(
    workbook: Path, tmp_path: Path
) -> None:
    out = tmp_path / "idh.csv"
    result = CliRunner().invoke(app, ["labels", "idh", "--from", str(workbook), "--out", str(out)])
    assert (result.exit_code, result.stdout) == (0, f"Labels of 4 patients: {out}\n")
    read = pd.read_csv(out, dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(read, read_supplement(workbook, "idh"), check_dtype=False)
    assert (tmp_path / "idh.run.json").is_file()
    assert wrongly_described(tmp_path / "idh.datapackage.json") == []


def test_another_form_is_refused_with_what_to_do_analytic(tmp_path: Path) -> None:
    header = (*HEADER[:4], "Subtype")
    path = write(tmp_path / "other.xlsx", *PATIENTS, header=header)
    with pytest.raises(InputError) as caught:
        read_supplement(path, "idh")
    message = str(caught.value)
    assert "the columns Case, IDH status, 1p/19q codeletion, IDH/codel subtype in row 2" in message
    assert "Found the sheets Sheet: Table S1. Made up / Case, Study, IDH status, 1p/" in message
    assert "Download the table again from https://doi.org/10.1016/j.cell.2015.12.028" in message


def test_what_is_no_workbook_or_no_known_table_is_refused_analytic(
    workbook: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"to be idh, found 'idhh'\. Did you mean idh\?"):
        read_supplement(workbook, "idhh")
    with pytest.raises(InputError, match=r"a workbook of Excel of at most \d+ bytes, found more"):
        read_supplement("/dev/zero", "idh")
    page = tmp_path / "supplement.html"
    page.write_text("<html>Sign in</html>")
    with pytest.raises(InputError, match=r"found: File is not a zip file\. Download it again\."):
        read_supplement(page, "idh")


@pytest.mark.real_data
def test_the_labels_of_the_data_set_are_those_of_its_table_paper(
    dataset: Path, tmp_path: Path
) -> None:
    known = pd.read_csv(
        dataset.parents[1] / "tcga_lgg" / "idh_1p19q.csv", dtype=str, keep_default_na=False
    ).set_index("Patient")
    published = known[["IDH_status_2016", "codel_1p19q_2016", "idh_1p19q_ceccarelli2016"]]
    rows = [
        (patient.replace("_", "-"), "", *(cell or "NA" for cell in row))
        for patient, row in zip(known.index, published.to_numpy().tolist(), strict=True)
    ]
    table = read_supplement(write(tmp_path / "s.xlsx", *rows), "idh").set_index("Patient")
    pd.testing.assert_frame_equal(table, known[table.columns], check_dtype=False)
