import json
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import pytest

from helpers.run_folders import NEW, OLD, results_of, tree, write
from lggshape.errors import InputError
from lggshape.files import file_hash
from lggshape.provenance import recorded
from lggshape.results import (
    check_file,
    folders,
    fresh_folder,
    recorded_outputs,
    remove_recorded,
    results_file,
    results_folder,
)
from lggshape.results.records import Outputs


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


def write_features(path: Path, text: str, *, overwrite: bool = False) -> None:
    with (
        results_file(path, overwrite=overwrite) as place,
        recorded(place / f"{path.stem}.run.json", command="c", options={}, inputs=[]),
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


def test_the_description_of_a_table_that_is_gone_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "features.datapackage.json").write_text("{}")
    with pytest.raises(
        InputError, match=r"without its table and record, found one in .* Move or del"
    ):
        check_file(tmp_path / "features.csv")
    check_file(tmp_path / "other.csv")


def test_tables_of_one_record_have_one_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"such as .*features\.csv, found .*features\."):
        write_features(tmp_path / "features", "1")
    write_features(tmp_path / "features.csv", "1")
    (tmp_path / "features.csv").unlink()
    with pytest.raises(InputError, match=r"found one of an earlier run\. .*--overwrite"):
        write_features(tmp_path / "features.csv", "2")


def test_of_two_that_end_at_once_one_is_whole_and_the_other_is_refused_invariant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").touch()
    path = tmp_path / "features.csv"
    original = folders.write_unfinished
    second = Future[None]()

    def write_second() -> None:
        try:
            second.set_result(write_features(path, "second"))
        except InputError as error:
            second.set_exception(error)

    def unfinished(record: Path, outputs: Outputs) -> None:
        # The first is about to move its table: let the second try to do it first.
        monkeypatch.setattr(folders, "write_unfinished", original)
        begun.start()
        begun.join(0.5)
        original(record, outputs)

    begun = Thread(target=write_second)
    monkeypatch.setattr(folders, "check_file", lambda *_, **__: None)  # done before either ended
    monkeypatch.setattr(folders, "write_unfinished", unfinished)
    write_features(path, "first")
    with pytest.raises(InputError, match=r"found results of one.*they were kept in .*\.part"):
        second.result(timeout=20)
    assert path.read_text() == "first"
    assert recorded_outputs(tmp_path, record="features.run.json") == {
        "features.csv": frozenset({file_hash(path)})
    }


def test_an_interruption_while_results_are_moved_leaves_no_hidden_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record says that the results are not whole, so the command is run again."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    write(out, OLD)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(out, NEW, overwrite=True)
    assert [path.name for path in tmp_path.rglob("*.part")] == []
    write(out, NEW, overwrite=True)
    assert results_of(out) == NEW


def test_tables_whose_new_folder_another_run_has_just_made_lie_side_by_side_invariant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.rename

    def rename(place: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", original)
        write_features(target / "first.csv", "first")
        return original(place, target)

    monkeypatch.setattr(Path, "rename", rename)
    write_features(tmp_path / "new" / "second.csv", "second")
    for name in ("first", "second"):
        assert (tmp_path / "new" / f"{name}.csv").read_text() == name
        table = tmp_path / "new" / f"{name}.csv"
        outputs = recorded_outputs(table.parent, record=f"{name}.run.json")
        assert outputs == {table.name: frozenset({file_hash(table)})}
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_table_that_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "features.csv"
    path.write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"found no .*\. Move what is there"):
            write_features(path, "1", overwrite=overwrite)
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
