import json
from pathlib import Path

import pytest

from helpers.run_folders import OLD, tree
from lggshape.errors import InputError
from lggshape.files import file_hash
from lggshape.provenance import recorded
from lggshape.results import (
    MARKS,
    check_folder,
    fresh_folder,
    is_results_folder,
    record_file,
    recorded_outputs,
)


def write_in_place(out: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text(text)
        record_file(out, name)


def test_what_was_written_in_place_is_known_before_the_run_ends(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fresh_folder(out)
    write_in_place(out, OLD)
    assert set(recorded_outputs(out)) == set(OLD)
    assert is_results_folder(out)
    (out / "mine.txt").write_text("mine")
    fresh_folder(out, overwrite=True)
    assert tree(out) == {"mine.txt": "mine"}


def test_a_run_in_place_ends_with_a_record_and_is_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fresh_folder(out)
    for files in ({"a.csv": "1"}, {"a.csv": "2", "b.csv": "3"}):
        with recorded(out / "run.json", command="c", options={}, inputs=[], in_place=True) as run:
            write_in_place(out, files)
            assert not (out / "run.json").exists()
            (out / "named.csv").write_text("4")
            run.details["outputs"] = ["named.csv", "not written.csv"]
    assert sorted(recorded_outputs(out)) == ["a.csv", "b.csv", "named.csv"]
    assert tree(out).keys() == {"a.csv", "b.csv", "named.csv", "run.json"}
    fresh_folder(out, overwrite=True)
    assert tree(out) == {}


def test_a_file_that_grows_is_known_whatever_it_holds(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fresh_folder(out)
    with recorded(out / "run.json", command="c", options={}, inputs=[], in_place=True):
        record_file(out, "log.csv", finished=False)
        for line in "abc":
            with (out / "log.csv").open("a") as file:
                file.write(line)
        check_folder(out, overwrite=True)
    assert recorded_outputs(out) == {"log.csv": frozenset([file_hash(out / "log.csv")])}


def test_half_a_line_in_the_list_is_no_file(tmp_path: Path) -> None:
    write_in_place(tmp_path, {"a.csv": "1"})
    (hidden,) = tmp_path.glob(".lggshape-*")
    with hidden.open("a") as file:
        file.write('\n{"path": "b.csv", "sha')
    write_in_place(tmp_path, {"c.csv": "1"})
    assert set(recorded_outputs(tmp_path)) == {"a.csv", "c.csv"}


def test_gone_on_with_an_older_run_its_files_are_not_taken_for_ours(tmp_path: Path) -> None:
    old = {"command": "segment", "outputs": ["old.csv"], "versions": {}}
    (tmp_path / "run.json").write_text(json.dumps(old))
    (tmp_path / "old.csv").write_text("0")
    write_in_place(tmp_path, {"a.csv": "1"})
    assert set(recorded_outputs(tmp_path)) == {"a.csv"}


@pytest.mark.parametrize(
    "entry", [{"path": "a.csv", "sha256": ""}, {"path": "run.json", "sha256": "0"}]
)
def test_a_record_that_fits_any_file_or_itself_is_refused(
    tmp_path: Path, entry: dict[str, str]
) -> None:
    (tmp_path / "a.csv").write_text("mine")
    (tmp_path / "run.json").write_text(json.dumps({**MARKS, "outputs": [entry]}))
    with pytest.raises(InputError, match="to list files in its folder"):
        fresh_folder(tmp_path, overwrite=True)
    assert (tmp_path / "a.csv").read_text() == "mine"


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe{"])
def test_a_record_or_list_that_is_damaged_stops_with_a_reason(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(InputError, match="should be the record of an earlier run"):
        check_folder(tmp_path, overwrite=True)
    (tmp_path / "run.json").unlink()
    (tmp_path / ".lggshape-outputs.jsonl").write_bytes(content)
    assert recorded_outputs(tmp_path) == {}
