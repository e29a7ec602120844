from pathlib import Path

import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.readers import assign_patients, open_cases
from lggshape.readers.manifest import read_manifest
from lggshape.readers.source import UnreadableCase


def source(name, site=""):
    return UnreadableCase(name, name, Path(name), has_image=False, has_mask=False, site=site)


def write(folder, text):
    path = folder / "manifest.csv"
    path.write_text(text)
    return path


def test_patients_are_those_of_the_table(tmp_path):
    manifest = write(tmp_path, "patient,case,site\nP1,b,x\nP1,a,y\nP2,other,z\n")
    assigned = assign_patients([source("a"), source("b")], manifest)
    assert [(one.id, one.patient) for one in assigned] == [("a", "P1"), ("b", "P1")]


def test_sites_are_those_of_the_table_where_it_has_any(tmp_path):
    manifest = write(tmp_path, "case,patient,site\na,P1,x\nb,P2,\n")
    assigned = assign_patients([source("a", "old"), source("b", "kept")], manifest)
    assert [one.site for one in assigned] == ["x", "kept"]
    manifest = write(tmp_path, "case,patient\na,P1\n")
    assert assign_patients([source("a", "kept")], manifest)[0].site == "kept"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,patient\na,P1\n", "found none for b"),
        ("case,patient\na,P1\nb,\n", "found none for b"),
        ("case,patient\na,P1\na,P2\nb,P1\n", "several for a"),
        ("case,patient\na,P1\nb,NA\n", "found none for b"),
        ("case,patient\na,P1\nb,P2\n../c,P3\n", r"a separator of folders \(/\) .* in line 4"),
        ("case,patient\na,P\x1b1\nb,P2\n", "found the patient .* in line 2"),
        ("case,name\na,P1\nb,P2\n", "among: case, name. Call it patient, or add it"),
    ],
)
def test_a_table_that_does_not_tell(tmp_path, text, message):
    manifest = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        assign_patients([source("a"), source("b")], manifest)
    assert str(manifest) in str(caught.value)


@pytest.mark.parametrize(
    "columns",
    [
        {"case": ["a", "b"], "patient": [7, 8], "site": ["x", None]},
        {"case": ["a", "b", "c"], "patient": [7.0, 8.0, None]},
        {"case": ["b", "a"], "patient": ["P 2", "P 1"], "site": [1, 2]},
    ],
)
def test_a_table_in_memory_is_read_like_its_file_invariant(tmp_path, columns):
    table = pd.DataFrame(columns)
    table.to_csv(tmp_path / "manifest.csv", index=False)
    cases = [source("a"), source("b")]
    assigned = assign_patients(cases, table)
    assert assigned == assign_patients(cases, str(tmp_path / "manifest.csv"))
    assert "." not in "".join(one.patient for one in assigned)


def test_many_cases_without_a_patient_are_not_all_listed_analytic(tmp_path):
    cases = [source(f"c{number}") for number in range(100)]
    with pytest.raises(
        InputError, match=r"none for c0, c1, c2, c3, c4 and 95 more\. Add their rows"
    ):
        assign_patients(cases, write(tmp_path, "case,patient\n"))


@pytest.mark.parametrize("name", ["semicolons.csv", "book.xlsx", "table.parquet"])
def test_a_manifest_in_any_format_gives_the_same_cases_invariant(tmp_path, name):
    table = pd.DataFrame({"case": ["a", "b"], "Subject ID": [7, 8], "flair": ["a.nii", None]})
    path = tmp_path / name
    if name == "book.xlsx":
        table.to_excel(path, index=False, sheet_name="Cases", engine="openpyxl")
        path = f"{path}:Cases"
    elif name == "table.parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep=";")
    read = read_manifest(path)
    assert read.rows == read_manifest(table).rows
    assert read.rows["a"].patient == "7"
    assert read.rows["a"].files == (("FLAIR", "a.nii"),)
    assert read.folder == tmp_path
    assert [case.patient for case in open_cases(path)] == ["7", "8"]
