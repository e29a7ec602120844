import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lggshape.provenance import InputFile, recorded

Describe = Callable[[Path], InputFile]


@pytest.fixture
def describe_input(tmp_path_factory: pytest.TempPathFactory) -> Describe:
    """Return what is recorded of one input."""

    def describe(path: Path) -> InputFile:
        record = tmp_path_factory.mktemp("out") / "run.json"
        with recorded(record, command="c", options={}, inputs=[path]) as run:
            pass
        return run.inputs[0]

    return describe


def test_the_hash_of_a_file_is_that_of_its_bytes_analytic(
    tmp_path: Path, describe_input: Describe
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"abc")
    # SHA-256 of "abc": the first example of FIPS 180-2.
    assert describe_input(path).sha256.startswith("ba7816bf8f01cfea414140de5dae2223")
    assert describe_input(path).sha256 == hashlib.sha256(b"abc").hexdigest()


def test_the_hash_of_a_folder_follows_names_and_contents_only_invariant(
    tmp_path: Path, describe_input: Describe
) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "sub"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text("x")
        (tmp_path / name / ".hidden").write_text(name)
    one, two = describe_input(tmp_path / "one"), describe_input(tmp_path / "two")
    assert one.sha256 == two.sha256
    assert one.files == 1
    (tmp_path / "two" / "sub" / "a.txt").write_text("y")
    assert describe_input(tmp_path / "two").sha256 != one.sha256


def test_the_hash_of_a_folder_is_that_of_its_list_analytic(
    tmp_path: Path, describe_input: Describe
) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.txt").write_bytes(b"abc")
    (tmp_path / "c.txt").write_bytes(b"")
    digests = [hashlib.sha256(content).hexdigest() for content in (b"abc", b"")]
    listed = f"b/a.txt\0{digests[0]}\nc.txt\0{digests[1]}\n"
    assert describe_input(tmp_path).sha256 == hashlib.sha256(listed.encode()).hexdigest()


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of two files and a folder, of which one file and the folder cannot be read."""
    folder = tmp_path / "cases"
    (folder / "closed").mkdir(parents=True)
    (folder / "a.txt").write_text("x")
    (folder / "b.txt").write_text("y")
    open_file, list_folder = Path.open, os.scandir

    def no_disk(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "b.txt":
            raise OSError(5, "Input/output error", str(path))
        return open_file(path, *arguments, **options)

    def no_right(path: str) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return list_folder(path)

    monkeypatch.setattr(Path, "open", no_disk)
    monkeypatch.setattr(os, "scandir", no_right)
    return folder


def test_what_cannot_be_read_is_noted_and_does_not_raise(
    damaged: Path, describe_input: Describe
) -> None:
    found = describe_input(damaged)
    assert (found.sha256, found.files) == ("", 1)
    assert sorted(found.unreadable) == [
        f"{damaged / 'b.txt'}: Input/output error",
        f"{damaged / 'closed'}: Permission denied",
    ]


@pytest.mark.parametrize(
    ("name", "reason"), [("b.txt", "Input/output error"), ("gone.txt", "No such file or directory")]
)
def test_a_file_that_cannot_be_read_is_noted(
    damaged: Path, name: str, reason: str, describe_input: Describe
) -> None:
    found = describe_input(damaged / name)
    assert (found.sha256, found.files) == ("", 0)
    assert found.unreadable == (f"{damaged / name}: {reason}",)


def test_an_input_that_cannot_be_read_costs_no_results(damaged: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with recorded(tmp_path / "out" / "run.json", command="c", options={}, inputs=[damaged]):
        pass
    (given,) = json.loads((tmp_path / "out" / "run.json").read_text())["inputs"]
    assert given["sha256"] == ""
    assert len(given["unreadable"]) == 2


@pytest.mark.parametrize("change", ["edit", "replace", "remove", "add"])
def test_an_input_that_changes_meanwhile_keeps_the_hash_of_what_was_read(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    change: str,
    describe_input: Describe,
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    (source / "a.csv").write_text("abc")
    (source / "same.csv").write_text("x")
    before = describe_input(source).sha256
    with recorded(out / "run.json", command="c", options={}, inputs=[source]):
        (source / "same.csv").write_text("x")  # touched, but not changed
        if change == "edit":
            (source / "a.csv").write_text("abd")
        elif change == "replace":
            (source / "b.csv").write_text("abd")
            (source / "b.csv").replace(source / "a.csv")
        elif change == "remove":
            (source / "a.csv").unlink()
        else:
            (source / "b.csv").write_text("new")
    (given,) = json.loads((out / "run.json").read_text())["inputs"]
    changed = str(source / ("b.csv" if change == "add" else "a.csv"))
    assert (given["sha256"], given["changed"]) == (before, [changed])
    assert changed in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_cases_that_are_links_to_folders_are_hashed_once_invariant(
    tmp_path: Path, describe_input: Describe
) -> None:
    kept = tmp_path / "kept" / "case_1"
    kept.mkdir(parents=True)
    (kept / "case_1_1.tif").write_bytes(b"slice")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "case_1").symlink_to(kept)
    (kept / "round").symlink_to(kept)
    described = describe_input(linked)
    assert described.files == 1
    assert described.sha256 == describe_input(tmp_path / "kept").sha256


def test_a_name_that_is_no_text_is_hashed(tmp_path: Path, describe_input: Describe) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"abc")
    listed = b"caf\xe9.txt\0" + hashlib.sha256(b"abc").hexdigest().encode() + b"\n"
    assert describe_input(tmp_path).sha256 == hashlib.sha256(listed).hexdigest()


def test_folders_may_lie_in_each_other_more_deeply_than_functions_are_called(
    tmp_path: Path, describe_input: Describe
) -> None:
    depth = sys.getrecursionlimit() + 50
    with contextlib.chdir(tmp_path):
        for _ in range(depth):
            os.mkdir("d")  # noqa: PTH102  (here, as the whole path may be too long)
            os.chdir("d")
        Path("a.txt").write_bytes(b"abc")
        found = describe_input(tmp_path)
        Path("a.txt").unlink()
        for _ in range(depth):  # pytest could not remove them
            os.chdir("..")
            os.rmdir("d")  # noqa: PTH106
    listed = f"{'d/' * depth}a.txt\0{hashlib.sha256(b'abc').hexdigest()}\n"
    assert found.sha256 == hashlib.sha256(listed.encode()).hexdigest()


def test_a_record_says_how_a_result_was_made(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("x")
    options = {"n": 3, "path": source, "several": [source, 1], "none": None}
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "run.json"
    with recorded(path, command="c", options=options, inputs=[source]) as run:
        (tmp_path / "out" / "out.csv").write_text("abc")
        run.details["cases"] = 7
    record = json.loads(path.read_text())
    assert (record["tool"], record["cases"]) == ("lggshape", 7)
    assert record["command"] == "c"
    assert record["options"] == {
        "n": 3,
        "path": str(source),
        "several": [str(source), 1],
        "none": None,
    }
    digest = hashlib.sha256(b"x").hexdigest()
    assert record["inputs"] == [
        {"path": str(source), "sha256": digest, "files": 1, "unreadable": []}
    ]
    digest = hashlib.sha256(b"abc").hexdigest()
    assert record["outputs"] == [{"path": "out.csv", "sha256": digest}]
    assert {"python", "numpy", "lggshape"} <= set(record["versions"])
    assert record["seconds"] >= 0


def test_nothing_is_recorded_of_a_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with recorded(tmp_path / "run.json", command="c", options={}, inputs=[]):
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert list(tmp_path.iterdir()) == []
