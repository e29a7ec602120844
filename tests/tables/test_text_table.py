import math
from pathlib import Path

import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.files import write_table
from lggshape.tables import is_missing, read_patient_table, read_table


def write(folder, content):
    path = folder / "in.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_cells_are_text_as_they_stand(tmp_path):
    path = write(tmp_path, 'id,v\n007, 1.50 \nNA,"a, b"\nnull,\n')
    table = read_table(path)
    assert table.to_dict("list") == {"id": ["007", "NA", "null"], "v": ["1.50", "a, b", ""]}


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfa,b\n1,2\n", b"a,b\r\n1,2\r\n", b"\n a , b\n1,2\n\n", b"a,b\n1,2"],
    ids=["byte-order mark", "line ends of Windows", "blanks", "no last line end"],
)
def test_harmless_differences_between_files(tmp_path, content):
    assert read_table(write(tmp_path, content)).to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_a_table_without_rows(tmp_path):
    table = read_table(write(tmp_path, "a,b\n"), required=("b",))
    assert list(table.columns) == ["a", "b"]
    assert len(table) == 0


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "an empty file"),
        ("a,b\n1,2\n3,4,5\n", "Expected 2 cells .* found 3 in line 3"),
        ("a,b\n1,2\n\n3\n", "Expected 2 cells .* found 1 in line 4"),
        (b"\xff\xfea\x00b", "found another format"),
        (b"\x1f\x8b\x08\x00", "found another format"),
        ("<html><table>", "found HTML or XML"),
        ("a,b;c,d\n1,2;3,4\n", "found that commas and semicolons fit"),
        ('a,b\n"1,2\n', "unexpected end of data"),
        ("a,b,a\n1,2,3\n", r"found twice: a\."),
        ("a,\u00e9,e\u0301\n1,2,3\n", "found twice: \u00e9."),  # two forms in Unicode (NFC, NFD)
        (f"a,b\n1,{'x' * 2**17}x\n", "found: a cell of more than 131072 characters"),
    ],
)
def test_a_file_that_is_no_table(tmp_path, content, found):
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=found) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="Is a directory"):
        read_table(tmp_path)


def test_a_missing_column_is_named_with_those_there_are(tmp_path):
    path = write(tmp_path, "a,b\n1,2\n")
    with pytest.raises(InputError, match=r"the columns c, d, found: a, b"):
        read_table(path, required=("a", "c", "d"))


IN_MEMORY = {
    "floats": pd.DataFrame({"a": [0.1, 1 / 3, None], "b": [1e-17, -0.0, 123456789.123456789]}),
    "float32": pd.DataFrame({"a": [0.1, None]}, dtype="float32"),
    "Int64": pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
    "boolean": pd.DataFrame({"a": pd.array([True, None], dtype="boolean"), "b": [True, False]}),
    "object": pd.DataFrame({"a": [1, None, 2.5, "x"]}, dtype=object),
    "words for missing": pd.DataFrame({"a": ["NA", None, " b "], "c": ["nan", "", "null"]}),
    "category": pd.DataFrame({"a": pd.Categorical(["x", None, "y"])}),
    "quotes and lines": pd.DataFrame({"a, b": ['say "a, b"', "two\nlines", "a;b"]}),
    "numbers as names": pd.DataFrame({1: [1], "b": ["x"]}),
    "another index": pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=[5, 5]),
    "no rows": pd.DataFrame({"a": [], "b": []}),
    "one empty cell": pd.DataFrame({"a": [None]}),
}


@pytest.mark.parametrize("kind", IN_MEMORY)
def test_a_table_in_memory_is_read_as_its_file_invariant(tmp_path, kind):
    write_table(tmp_path / "out.csv", IN_MEMORY[kind])
    pd.testing.assert_frame_equal(read_table(IN_MEMORY[kind]), read_table(tmp_path / "out.csv"))


def test_an_index_with_a_name_is_a_column(tmp_path):
    table = pd.DataFrame({"g": [1, 2]}, index=pd.Index([7.0, 8.0], name="Patient"))
    assert read_patient_table(table).cells["g"].to_dict() == {"7": "1", "8": "2"}


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"found twice: a\."),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "one row of column"),
        (pd.DataFrame(), "a table without columns"),
        (pd.DataFrame({"patient": ["a", None]}), "found none in row 2"),
        (pd.DataFrame({"patient": ["a", "nan"]}), "found none in row 2"),
        (pd.DataFrame({"patient": [7, 8, 7.0]}), "found several of: 7"),
    ],
)
def test_a_table_in_memory_that_is_refused(table, found):
    with pytest.raises(InputError, match=found):
        read_patient_table(table)


# --- a row per patient


@pytest.mark.parametrize(
    "column",
    ["Patient", "patient", "PATIENT", "participant_id", "Patient ID", "patient_no", "Subject",
     "ID", "case", "Record.ID", "sample_name"],
)  # fmt: skip
def test_the_patient_column_is_found(tmp_path, column):
    table = read_patient_table(write(tmp_path, f"g,{column}\n1,A\n2,B\n")).cells
    assert list(table.index) == ["A", "B"]
    assert table.index.name == "patient"
    assert table.to_dict("list") == {"g": ["1", "2"]}


def test_the_patient_column_may_be_given(tmp_path):
    path = write(tmp_path, "Patient,subject,g\nx,A,1\nx,B,2\n")
    table = read_patient_table(path, patient_column="subject").cells
    assert list(table.index) == ["A", "B"]
    assert list(table.columns) == ["Patient", "g"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("name,g\nA,1\n", "one column of patients, .* found none with such a name among: name, g"),
        ("Patient,patient\nA,A\n", "several that could be it: Patient, patient.*--patient-column"),
        ("ID,subject,g\nA,B,1\n", "several that could be it: ID, subject"),
        ("ID,g\n1.23E+11,1\n", "Excel has shortened 1 long number, as 1.23E.11"),
        ("Patient,g\nA,1\n ,2\n", "found none in line 3"),
        ("Patient,g\nA,1\nB,1\nB,2\nA,2\n", "found several of: A, B"),
    ],
)
def test_a_table_that_is_not_a_row_a_patient(tmp_path, content, found):
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=found) as caught:
        read_patient_table(path)
    assert str(path) in str(caught.value)


def test_a_patient_column_that_is_not_there(tmp_path):
    path = write(tmp_path, "Patient,g\nA,1\n")
    with pytest.raises(InputError, match="the column subject, found"):
        read_patient_table(path, patient_column="subject")


@pytest.mark.parametrize(
    ("cell", "missing"),
    [("", True), ("NA", True), ("nan", True), ("N/A", True), ("[Not Available]", True),
     ("None", True), ("0", False), ("no", False), ("x [y]", False), ("Nancy", False)],
)  # fmt: skip
def test_words_for_missing(cell: str, missing: bool) -> None:
    assert is_missing(pd.Series([cell], dtype=str)).tolist() == [missing]


@pytest.mark.parametrize("indexed", [False, True])
def test_a_table_in_memory_is_read_as_its_file_is_invariant(tmp_path: Path, indexed: bool) -> None:
    table = pd.DataFrame(
        {"Patient": ["A", "B"], "n": pd.array([1, None], dtype="Int64"), "x": [0.1, math.nan]}
    )
    write_table(tmp_path / "t.csv", table)
    given = table.set_index("Patient") if indexed else table
    pd.testing.assert_frame_equal(read_table(given), read_table(tmp_path / "t.csv"))
    pd.testing.assert_frame_equal(
        read_patient_table(given).cells, read_patient_table(str(tmp_path / "t.csv")).cells
    )
    with pytest.raises(InputError, match="in the table in memory, found several of: A"):
        read_patient_table(pd.concat([given, given.iloc[:1]]))


@pytest.mark.parametrize("given", [None, 5, b"a.csv", ["a.csv"], pd.Series([1])])
def test_what_is_no_table_is_refused(given: object) -> None:
    with pytest.raises(InputError, match=f"a path or a DataFrame, found {type(given).__name__}"):
        read_table(given)


def test_a_patient_column_may_be_called_by_a_number() -> None:
    table = pd.DataFrame({5: ["a", "b"], "grade": [1, 2]})
    assert read_patient_table(table, patient_column=5).cells.index.tolist() == ["a", "b"]


def test_a_tsv_file_has_tabs_and_its_participants_are_patients_analytic(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text('participant_id\tsex\tnote\nsub-07\tF\tsaid "no", once\nsub-08\tn/a\t\n')
    table = read_patient_table(path).cells
    assert table.index.tolist() == ["sub-07", "sub-08"]
    assert table["note"].tolist() == ['said "no", once', ""]


def test_columns_without_a_name_are_row_numbers_pandas(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    pd.DataFrame({"Patient": ["P1"], "grade": ["a"]}).to_csv(path)
    assert read_table(path).to_dict("records") == [{"Patient": "P1", "grade": "a"}]
    path.write_text("Patient,,\nP1,,\n")
    assert list(read_table(path).columns) == ["Patient"]


def test_a_table_of_too_many_columns_is_refused_at_once():
    with pytest.raises(InputError, match="at most 5000 columns in the table in memory, found 5001"):
        read_table(pd.DataFrame([range(5001)], columns=[f"c{n}" for n in range(5001)]))


def test_a_column_that_comes_twice_is_named():
    with pytest.raises(InputError, match=r"its own name, found twice: b\."):
        read_table(pd.DataFrame([[1, 2, 3]], columns=["b", "a", "b"]))
