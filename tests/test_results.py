import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lggshape.errors import InputError
from lggshape.files import file_hash
from lggshape.provenance import recorded
from lggshape.results import (
    MARKS,
    check_file,
    check_folder,
    fresh_folder,
    is_results_folder,
    record_file,
    recorded_outputs,
    remove_recorded,
    results_file,
    results_folder,
)


def tree(folder: Path) -> dict[str, str]:
    """Return every file in a folder with its text, private folders included."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(out: Path, files: dict[str, str], *, overwrite: bool = False) -> None:
    """Write results as a command does."""
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="c", options={}, inputs=[]),
    ):
        for name, text in files.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text)


def results_of(out: Path) -> dict[str, str]:
    found = tree(out)
    del found["run.json"]
    return found


OLD = {"a.csv": "1", "figures/b.svg": "2", "gone/c.svg": "3"}
NEW = {"a.csv": "4", "figures/b.svg": "5", "new/d.svg": "6"}


# --- whole or not at all


def test_results_are_moved_when_they_are_whole(tmp_path: Path) -> None:
    write(tmp_path / "sub" / "out", OLD)
    assert results_of(tmp_path / "sub" / "out") == OLD
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["out"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        with results_folder(tmp_path / "new" / "out") as place:
            (place / "a.csv").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert tree(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_earlier_results(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    before = tree(tmp_path)

    def fail() -> None:
        with results_folder(tmp_path, overwrite=True) as place:
            (place / "a.csv").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert tree(tmp_path) == before


def test_the_record_lists_each_file_with_its_hash(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    listed = json.loads((tmp_path / "run.json").read_text())["outputs"]
    assert listed == [{"path": name, "sha256": file_hash(tmp_path / name)} for name in sorted(OLD)]


def test_earlier_results_are_replaced_and_other_files_stay(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    mine = {"mine.txt": "m", "figures/mine.txt": "n"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text)
    write(tmp_path, NEW, overwrite=True)
    assert results_of(tmp_path) == NEW | mine
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_the_working_folder_itself_can_be_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.chdir(tmp_path)
    out = Path() if state == "empty" else Path("a/../b")
    if state == "missing":
        (tmp_path / "a").mkdir()
    write(out, OLD)
    assert results_of(out) == OLD


def test_a_link_to_a_folder_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    write(tmp_path / "out", OLD)
    assert (tmp_path / "out").is_symlink()
    assert results_of(tmp_path / "disk") == OLD


class _Killed(BaseException):
    """What a kill is in these tests."""


def kills() -> dict[str, Callable[..., object]]:
    """Return what changes files when results are moved, by name."""
    return {
        "replace": Path.replace,
        "unlink": Path.unlink,
        "rename": Path.rename,
        "rmdir": Path.rmdir,
    }


def publish_until(step: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> bool:
    """Do the work and kill it before its n-th change of a file; return whether it was killed."""
    count = 0
    with monkeypatch.context() as patch:

        def counted(function: Callable[..., object]) -> Callable[..., object]:
            def call(path: Path, *arguments: object, **options: object) -> object:
                nonlocal count
                count += 1
                if count > step:
                    raise _Killed
                return function(path, *arguments, **options)

            return call

        for name, function in kills().items():
            patch.setattr(Path, name, counted(function))
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # a killed process cleans nothing
        try:
            work()
        except _Killed:
            return True
    return False


def is_whole(out: Path) -> bool:
    record = out / "run.json"
    return record.exists() and "unfinished" not in json.loads(record.read_text())


@pytest.mark.parametrize("first", [None, OLD])
def test_a_kill_never_leaves_half_a_set_that_looks_whole_invariant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: dict[str, str] | None
) -> None:
    step, killed = 0, True
    while killed:
        out = tmp_path / str(step)
        if first is not None:
            write(out, first)
            (out / "mine.txt").write_text("mine")
        mine = {} if first is None else {"mine.txt": "mine"}
        killed = publish_until(step, monkeypatch, lambda out=out: write(out, NEW, overwrite=True))
        if out.exists() and is_whole(out):
            ours = {k: v for k, v in results_of(out).items() if not k.startswith(".")}
            assert ours in ([NEW | mine] if first is None else [NEW | mine, first | mine])
        # And it can be done again, whatever there is.
        write(out, NEW, overwrite=True)
        again = {k: v for k, v in results_of(out).items() if not k.startswith(".")}
        assert again == NEW | mine
        step += 1
    assert step > (1 if first is None else len(NEW))


def test_a_kill_while_earlier_results_are_removed_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, killed = 0, True
    while killed:
        out = tmp_path / str(step)
        write(out, OLD)
        (out / "mine.txt").write_text("mine")
        killed = publish_until(step, monkeypatch, lambda out=out: remove_recorded(out))
        assert is_whole(out) is (step == 0)
        if killed:
            fresh_folder(out, overwrite=True)
        assert tree(out) == {"mine.txt": "mine"}
        step += 1
    assert step > len(OLD)


# --- what is refused before the work


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
    refused(tmp_path / "out" / "deeper", "that can be written, found: Not a directory")


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
        InputError, match=f"no other files .* found: .*{name}.* whole, and lie in"
    ) as e:
        work()
    assert results_of(out).items() >= {"b.csv": "old", name: "mine"}.items()
    kept = Path(str(e.value).rpartition(" lie in ")[2].rstrip("."))
    assert (kept / "a.csv").read_text() == "new"


# --- a table with its record beside it


def write_features(path: Path, text: str, *, overwrite: bool = False) -> None:
    with (
        results_file(path, overwrite=overwrite) as place,
        recorded(place / "features.run.json", command="features", options={}, inputs=[]),
    ):
        (place / path.name).write_text(text)


def test_a_table_and_its_record_lie_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    path = tmp_path / "features.csv"
    write_features(path, "1")
    write_features(path, "2", overwrite=True)
    found = tree(tmp_path)
    assert (found.pop("features.run.json") != "", found) == (
        True,
        {"features.csv": "2", "mine.txt": "mine"},
    )


def test_a_table_that_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "features.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match="--overwrite"):
        write_features(path, "1")
    with pytest.raises(InputError, match="earlier run"):
        write_features(path, "1", overwrite=True)
    path.unlink()
    write_features(path, "1")
    path.write_text("changed")
    with pytest.raises(InputError, match=r"changed since: features\.csv"):
        write_features(path, "2", overwrite=True)
    assert path.read_text() == "changed"


def test_the_record_of_a_folder_does_not_cover_a_table_in_it(tmp_path: Path) -> None:
    write(tmp_path, {"features.csv": "1"})
    with pytest.raises(InputError, match=r"found no features\.run\.json"):
        write_features(tmp_path / "features.csv", "2", overwrite=True)


# --- writing in place


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
