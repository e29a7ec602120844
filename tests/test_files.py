import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from lggshape.errors import InputError
from lggshape.files import (
    names_cell,
    read_json,
    read_toml,
    to_records,
    without_folders,
    without_folders_of,
    write_figure,
    write_json,
    write_table,
    write_text,
    written_whole,
)
from lggshape.tables import read_table


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
    with pytest.raises(InputError, match="a writable file") as caught:
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


def test_json_in_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    for path in (tmp_path / "a.json", "/dev/zero"):
        with pytest.raises(InputError, match="a pipe or a device"):
            read_json(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"[" * 100_000, "too many brackets"),
        (b"\xff", "found text that is not UTF-8. Save it as UTF-8"),
        (b"", "found an empty one"),
        (b'{"n"', r"found a mistake in its syntax \(expecting ':' delimiter: line 1"),
        (b'{"n": ' + b"7" * 5000, "a number of too many digits"),
        (b"[1]", "JSON object .*, found another value"),
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


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"x", r"found a mistake in its syntax \(expected '=' after a key .*\)\.$"),
        ("n = \u201cx\u201d".encode(), r"syntax .*\)\. Texts stand in straight quotes\.$"),
        (b'n = "\xff"', r"found text that is not UTF-8\. Save it as UTF-8\.$"),
        (b"n = " + b"7" * 5000, "found a number of too many digits"),
    ],
    ids=["key", "quotes", "encoding", "digits"],
)
def test_a_mistake_in_toml_is_told_analytic(content: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found):
        read_toml(content)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (".".join(["a"] * 50_000) + " = 1", "^Expected lines of at most 10000 characters"),
        ("a = " + "[" * 4_000 + "]" * 4_000, "too many brackets in each other"),
        ("# " + "\n# " * 2**20, "at most 2097152 bytes, found more"),
    ],
    ids=["dotted key", "brackets", "size"],
)
def test_toml_that_would_fill_the_memory_is_refused_analytic(tmp_path, text, found):
    path = tmp_path / "in.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=found):
        read_toml(path)


def test_the_name_under_which_a_file_is_written_cannot_be_foreseen_invariant(tmp_path):
    code = (
        "import os, sys; os.getpid = lambda: 7; from lggshape.files import written_whole\n"
        "with written_whole(sys.argv[1]) as path: path.touch(); print(path.name)"
    )
    command = [sys.executable, "-c", code, tmp_path / "a.csv"]
    names = {subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2)}
    assert len(names) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_formulas_are_defused_in_cells_and_names_of_columns(tmp_path):
    # OWASP, CSV injection: what begins with =, @, + or - may be run by a spreadsheet.
    cells = ["=cmd|' /C calc'!A0", "@SUM(1)", '-1+HYPERLINK("x")', "-1", "+/-", "a=b", None]
    table = pd.DataFrame({"=x": cells, "n": range(-3, 4)})
    write_table(tmp_path / "a.csv", table)
    read = read_table(tmp_path / "a.csv")
    assert list(read.columns) == ["'=x", "n"]
    assert read["'=x"].tolist() == [*(f"'{cell}" for cell in cells[:3]), *cells[3:6], ""]
    assert read["n"].tolist() == ["-3", "-2", "-1", "0", "1", "2", "3"]


def test_a_relative_folder_is_left_out_only_before_what_lies_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest names files beside it; the same word elsewhere is another."""
    (tmp_path / "hers").mkdir()
    for name in ("manifest.csv", "p1.nii"):
        (tmp_path / "hers" / name).touch()
    monkeypatch.chdir(tmp_path)
    with without_folders_of(["hers/manifest.csv"]):
        text = "hers/manifest.csv, hers/p1.nii: hers/his, x/hers/p1.nii"
        assert without_folders(text) == "manifest.csv, p1.nii: hers/his, x/hers/p1.nii"
