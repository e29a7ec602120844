import json
import os
from pathlib import Path

import pytest

from helpers.run_folders import OLD, results_of, tree, write
from lggshape.errors import InputError
from lggshape.files import file_hash
from lggshape.provenance import recorded
from lggshape.results import (
    MARKS,
    check_file,
    check_folder,
    is_results_folder,
    remove_recorded,
    results_file,
    results_folder,
)


def refused(
    out: Path, match: str, *, overwrite: bool = True, inputs: tuple[Path, ...] = ()
) -> None:
    with (
        pytest.raises(InputError, match=match),
        results_folder(out, overwrite=overwrite, inputs=inputs),
    ):
        pytest.fail("the work began")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    refused(tmp_path / "out", "to be a folder, found a file")
    refused(tmp_path / "out" / "deeper", "to be writable, found: Not a directory")


def test_results_stay_unless_they_may_be_replaced(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    refused(tmp_path, "--overwrite", overwrite=False)
    assert results_of(tmp_path) == OLD


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_closed_folder_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    refused(closed / "new" / "out", "Permission denied")
    refused(closed, "Permission denied")


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / ("x" * 300), "File name too long")


@pytest.mark.parametrize(
    "out", ["data", "data/results", "data/a/b", "DATA/../data/results", "link"]
)
def test_results_inside_an_input_are_refused(tmp_path: Path, out: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "more").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    refused(tmp_path / out, "outside the input", inputs=(tmp_path / "data",))
    with pytest.raises(InputError, match="outside the input"):
        check_file(tmp_path / out / "features.csv", inputs=[tmp_path / "data"])


def test_an_input_inside_the_results_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "out", OLD)
    for name in ("out", "out/a.csv", "out/figures"):
        source = tmp_path / name
        with pytest.raises(InputError, match="input"):
            check_folder(tmp_path / "out", overwrite=True, inputs=[source])
    check_folder(tmp_path / "out", overwrite=True, inputs=[tmp_path / "gone", tmp_path / "other"])


@pytest.mark.parametrize("change", ["edited", "link", "folder", "in a linked folder"])
def test_a_recorded_file_that_was_changed_is_refused_by_name(tmp_path: Path, change: str) -> None:
    out = tmp_path / "out"
    write(out, OLD)
    if change == "in a linked folder":
        (out / "figures").rename(tmp_path / "elsewhere")
        (out / "figures").symlink_to(tmp_path / "elsewhere")
    else:
        (out / "figures" / "b.svg").rename(tmp_path / "b.svg")
        if change == "edited":
            (out / "figures" / "b.svg").write_text("mine")
        elif change == "link":
            (out / "figures" / "b.svg").symlink_to(tmp_path / "b.svg")
        else:
            (out / "figures" / "b.svg").mkdir()
    before = tree(tmp_path)
    refused(out, "changed since: figures/b.svg in")
    with pytest.raises(InputError, match="changed since"):
        remove_recorded(out)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "record",
    [None, "{", "{}", "[]", "3", '{"outputs": 3}', '{"tool": "other", "format": 2, "outputs": []}',
     '{"tool": "lggshape", "format": 3, "outputs": []}'],
)  # fmt: skip
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, record: str | None) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    if record is not None:
        (tmp_path / "run.json").write_text(record)
    before = tree(tmp_path)
    refused(tmp_path, "earlier run")
    assert tree(tmp_path) == before
    assert is_results_folder(tmp_path) is ("lggshape" in (record or ""))


def test_a_record_without_hashes_removes_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    old = {"command": "associate", "outputs": ["a.csv"], "versions": {}}
    (tmp_path / "run.json").write_text(json.dumps(old))
    before = tree(tmp_path)
    refused(tmp_path, "older version without them.*never removed")
    assert tree(tmp_path) == before
    assert is_results_folder(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../mine.txt", "/etc/passwd", "a/../../mine.txt", "..", ".", "", "a//b", "C:mine.txt",
     "..\\mine.txt", "a\0b", 3, None],
)  # fmt: skip
def test_a_record_that_names_what_is_elsewhere_removes_nothing(
    tmp_path: Path, name: object
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "mine.txt").write_text("mine")
    outputs = [{"path": name, "sha256": file_hash(tmp_path / "mine.txt")}]
    (out / "run.json").write_text(json.dumps({**MARKS, "outputs": outputs}))
    before = tree(tmp_path)
    refused(out, "to list files in its folder")
    assert tree(tmp_path) == before


def test_a_record_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "one", {"a.csv": "1"})
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a.csv").write_text("1")
    (tmp_path / "two" / "run.json").symlink_to(tmp_path / "one" / "run.json")
    refused(tmp_path / "two", "a link")


@pytest.mark.parametrize("name", ["a.csv", "new"])
def test_a_file_that_comes_in_the_way_costs_no_results(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    write(out, {"b.csv": "old"})

    def work() -> None:
        with (
            results_folder(out, overwrite=True) as place,
            recorded(place / "run.json", command="c", options={}, inputs=[]),
        ):
            (place / "new").mkdir()
            (place / "new" / "d.csv").write_text("new")
            (place / "a.csv").write_text("new")
            (out / name).write_text("mine")

    with pytest.raises(
        InputError, match=f"no other files .* found: .*{name}.* complete: they were kept in"
    ) as e:
        work()
    assert results_of(out).items() >= {"b.csv": "old", name: "mine"}.items()
    kept = Path(str(e.value).rpartition(" kept in ")[2].partition(". Move")[0])
    assert (kept / "a.csv").read_text() == "new"


def test_a_table_that_shares_its_record_with_another_does_not_replace_it(tmp_path: Path) -> None:
    with (
        results_file(tmp_path / "a.csv") as place,
        recorded(place / "a.run.json", command="c", options={}, inputs=[]),
    ):
        (place / "a.csv").write_text("1")
    with pytest.raises(InputError, match="to be a table of an earlier run"):
        check_file(tmp_path / "a.CSV", overwrite=True)
    check_file(tmp_path / "a.csv", overwrite=True)


def test_what_to_do_is_said_where_no_record_lies(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="Move what is there away"):
        check_folder(tmp_path, overwrite=True)
