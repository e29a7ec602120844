import json
import math
from pathlib import Path

import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.files import (
    is_missing,
    names_cell,
    read_json,
    read_patient_table,
    read_table,
    read_toml,
    to_records,
    write_figure,
    write_json,
    write_table,
    write_text,
    written_whole,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- writing


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "out.txt"
    with written_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "half"
    assert names(tmp_path / "new") == ["out.txt"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")

    def fail():
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["out.txt"]


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("a longer old text")
    write_text(path, "new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("name", ["file/out.txt", "folder"])
def test_a_place_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "full").mkdir(parents=True)
    path = tmp_path / name
    with pytest.raises(InputError, match="a file that can be written") as caught:
        write_text(path, "text")
    assert str(path) in str(caught.value)
    assert names(tmp_path) == ["file", "folder"]


def test_text_is_utf8_with_unix_line_ends(tmp_path):
    write_text(tmp_path / "out.txt", "µ\nß\n")
    assert (tmp_path / "out.txt").read_bytes() == b"\xc2\xb5\n\xc3\x9f\n"


def test_json_keeps_numbers_and_letters(tmp_path):
    value = {"µ": [0.1, 1e-300, None, True], "n": 3}
    write_json(tmp_path / "out.json", value)
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "µ" in text
    assert text.endswith("}\n")


def test_json_has_no_word_for_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "out.json", {"a": float("nan")})
    assert names(tmp_path) == []


def test_a_figure_is_two_files_that_keep_its_name(tmp_path):
    write_figure(tmp_path / "new" / "age_1.5", "<svg/>", b"\x89PNG\r\n")
    assert names(tmp_path / "new") == ["age_1.5.png", "age_1.5.svg"]
    assert (tmp_path / "new" / "age_1.5.svg").read_text() == "<svg/>"
    assert (tmp_path / "new" / "age_1.5.png").read_bytes() == b"\x89PNG\r\n"


def test_a_table_keeps_all_digits_and_leaves_missing_cells_empty(tmp_path):
    numbers = [0.1, 1 / 3, 1e-17, 123456789.123456789]
    table = pd.DataFrame({"x": [*numbers, None], "n": pd.array([1, 2, 3, None, 5], dtype="Int64")})
    write_table(tmp_path / "out.csv", table)
    content = (tmp_path / "out.csv").read_bytes()
    assert content.startswith(b"x,n\n0.1,1\n")
    assert content.endswith(b",5\n")
    assert b"\r" not in content
    read = read_table(tmp_path / "out.csv")
    assert [float(x) for x in read["x"][:4]] == numbers
    assert list(read["n"]) == ["1", "2", "3", "", "5"]


@pytest.mark.parametrize(
    ("listed", "cell"), [((), "none"), (("FLAIR",), "FLAIR"), (("a", "b"), "a; b")]
)
def test_names_in_one_cell(listed, cell):
    assert names_cell(listed) == cell


# --- reading


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
        ("a;b\n1;2\n", "found semicolons"),
        (b"\xff\xfea\x00", "not UTF-8"),
        ('a,b\n"1,2\n', "unexpected end of data"),
        ("a,b,a\n1,2,3\n", r"found twice: \['a'\]"),
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
    assert read_patient_table(table)["g"].to_dict() == {"7": "1", "8": "2"}


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), r"found twice: \['a'\]"),
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


@pytest.mark.parametrize("column", ["Patient", "patient", "PATIENT"])
def test_the_patient_column_is_found(tmp_path, column):
    table = read_patient_table(write(tmp_path, f"g,{column}\n1,A\n2,B\n"))
    assert list(table.index) == ["A", "B"]
    assert table.index.name == "patient"
    assert table.to_dict("list") == {"g": ["1", "2"]}


def test_the_patient_column_may_be_given(tmp_path):
    path = write(tmp_path, "Patient,subject,g\nx,A,1\nx,B,2\n")
    table = read_patient_table(path, patient_column="subject")
    assert list(table.index) == ["A", "B"]
    assert list(table.columns) == ["Patient", "g"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("case,g\nA,1\n", "one column called Patient, found: case, g"),
        ("Patient,patient\nA,A\n", "one column called Patient, found: Patient, patient"),
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


def test_records_are_what_json_knows() -> None:
    table = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"),
            "p": [0.25, math.inf],
            "known": pd.array([True, None], dtype="boolean"),
            "text": ["a", None],
        },
        index=[7, 8],
    )
    records = to_records(table)
    assert records == [
        {"n": 1, "p": 0.25, "known": True, "text": "a"},
        {"n": None, "p": None, "known": None, "text": None},
    ]
    assert json.loads(json.dumps(records, allow_nan=False)) == records


@pytest.mark.parametrize("indexed", [False, True])
def test_a_table_in_memory_is_read_as_its_file_is_invariant(tmp_path: Path, indexed: bool) -> None:
    table = pd.DataFrame(
        {"Patient": ["A", "B"], "n": pd.array([1, None], dtype="Int64"), "x": [0.1, math.nan]}
    )
    write_table(tmp_path / "t.csv", table)
    given = table.set_index("Patient") if indexed else table
    pd.testing.assert_frame_equal(read_table(given), read_table(tmp_path / "t.csv"))
    pd.testing.assert_frame_equal(
        read_patient_table(given), read_patient_table(str(tmp_path / "t.csv"))
    )
    with pytest.raises(InputError, match="in the table in memory, found several of: A"):
        read_patient_table(pd.concat([given, given.iloc[:1]]))


@pytest.mark.parametrize("given", [None, 5, b"a.csv", ["a.csv"], pd.Series([1])])
def test_what_is_no_table_is_refused(given: object) -> None:
    with pytest.raises(InputError, match=f"a path or a DataFrame, found {type(given).__name__}"):
        read_table(given)


def test_a_patient_column_may_be_called_by_a_number() -> None:
    table = pd.DataFrame({5: ["a", "b"], "grade": [1, 2]})
    assert read_patient_table(table, patient_column=5).index.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"[" * 100_000, "too many brackets"),
        (b"\xff", "codec"),
        (b"", "Expecting value"),
        (b"[1]", "JSON object, found: list"),
        (b'{"m": 1}', "found no n"),
    ],
)
def test_json_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=found):
        read_json(tmp_path / "a.json", ["n"])


def test_a_name_of_the_greatest_length_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 251}.csv"
    write_text(path, "a")
    assert path.read_text() == "a"


def test_toml_may_begin_with_a_byte_order_mark() -> None:
    assert read_toml(b"\xef\xbb\xbfn = 1") == {"n": 1}


def test_a_tsv_file_has_tabs_and_its_participants_are_patients_analytic(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text('participant_id\tsex\tnote\nsub-07\tF\tsaid "no", once\nsub-08\tn/a\t\n')
    table = read_patient_table(path)
    assert table.index.tolist() == ["sub-07", "sub-08"]
    assert table["note"].tolist() == ['said "no", once', ""]


def test_columns_without_a_name_are_row_numbers_pandas(tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame({"Patient": ["P1"], "grade": ["a"]}).to_csv(path)
    assert read_table(path).to_dict("records") == [{"Patient": "P1", "grade": "a"}]
    path.write_text("Patient,,\nP1,,\n")
    assert list(read_table(path).columns) == ["Patient"]
