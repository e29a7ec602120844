import json
import platform
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from lggshape import commands
from lggshape.commands import progress_bar, run_command
from lggshape.errors import CaseError, InputError
from lggshape.progress import Progress
from lggshape.provenance import ANONYMOUS
from lggshape.results import recorded_outputs


def test_progress_is_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress_bar(quiet=True) as on_progress:
        assert on_progress is None
    assert capsys.readouterr().err == ""
    with progress_bar(quiet=False) as on_progress:
        on_progress(Progress("reading", 0, 2))
        on_progress(Progress("fold 1 network 2 epoch 1, loss 0.500", 1, 2))
    assert "fold 1 network 2 epoch 1, loss 0.500" in capsys.readouterr().err


def test_progress_is_a_line_every_few_seconds_elsewhere(monkeypatch, capsys):
    with progress_bar(quiet=False) as on_progress:
        on_progress(Progress("reading", 1, 9))
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(commands, "SECONDS_PER_LINE", 0.2)
        for done in range(2, 5):
            time.sleep(0.25)
            on_progress(Progress("reading", done, 9))
            on_progress(Progress("nothing new", done, 9))
    assert capsys.readouterr().err.splitlines() == [
        "reading: 2 of 9", "reading: 3 of 9", "reading: 4 of 9",
    ]  # fmt: skip


def test_failures_end_a_command_after_its_results_are_there(tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"

    def work() -> None:
        with run_command("c", out=out, inputs=[None, tmp_path / "gone"]) as run:
            run.write_json("a.json", {"n": 1})
            run.fail({"case_7": "Expected x, found y."}, of=3)
            run.summary.append("Two of three.")

    with pytest.raises(SystemExit) as ended:
        work()
    assert ended.value.code == 1
    assert set(recorded_outputs(out)) == {"a.json"}
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("Two of three.\n", "case_7: Expected x, found y.\n")


@pytest.mark.parametrize("place", ["", "..", "her project/.."])
def test_tables_do_not_tell_where_the_inputs_lie_and_an_anonymous_run_does_not_at_all(
    tmp_path, monkeypatch, place
):
    """However the path is given: absolute, or relative to the working folder."""
    (tmp_path / "her project" / "cases").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / ("here" if place == ".." else ""))
    cases = (Path(place) if place else tmp_path) / "her project" / "cases"

    def work(out: Path) -> dict[str, str]:
        with suppress(SystemExit), run_command("c", out=out, inputs=[cases]) as run:
            reason = f"Expected x, found y: {cases / 'p1' / 'mask.nii'}."
            run.write_tables({"a": pd.DataFrame({"reason": [reason]})})
            run.fail({f"case_{number}": reason for number in range(5)}, of=5)
        return {path.name: path.read_text() for path in out.iterdir()}

    named = work(tmp_path / "named")
    assert named["a.csv"] == 'reason\n"Expected x, found y: cases/p1/mask.nii."\n'
    assert json.loads(named["run.json"])["inputs"][0]["path"] == str(cases)
    token = ANONYMOUS.set(True)
    nameless = work(tmp_path / "nameless")
    ANONYMOUS.reset(token)
    assert "her project" in named["run.log"]
    assert nameless["a.csv"] == named["a.csv"]
    told = "".join(nameless.values())
    assert "her project" not in told
    assert platform.release() not in told
    record = json.loads(nameless["run.json"])
    assert "host" not in record
    assert record["inputs"][0]["path"] == "cases"


def fail(failures, **options) -> None:
    with pytest.raises(SystemExit), run_command("c", **options) as run:
        run.fail(failures)


def test_cases_that_fail_alike_are_one_message_and_all_of_them_in_the_log(tmp_path, capsys) -> None:
    """They differ in the name of the case, the path and the numbers alone."""
    failures = {
        f"p{number}": f"Expected two values in p{number}, found 0, {number}: {tmp_path}/p{number}."
        for number in range(140)
    }
    failures["q"] = "Expected a file, found none."
    out = tmp_path / "out"
    fail(failures, out=out)
    assert capsys.readouterr().err.splitlines() == [
        f"p0: {failures['p0']}",
        f"139 other cases failed alike: p1, p2, p3, p4, p5 and 134 more. Each is listed in "
        f"{out / 'run.log'}.",
        "q: Expected a file, found none.",
    ]
    expected = [f"FAILED {case}: {reason}" for case, reason in failures.items()]
    assert (out / "run.log").read_text().splitlines() == expected


def test_a_few_cases_that_fail_alike_have_a_line_each(tmp_path, capsys) -> None:
    failures = {f"p{number}": f"Expected p{number}." for number in range(3)}
    fail(failures, out=tmp_path / "out")
    assert capsys.readouterr().err == "p0: Expected p0.\np1: Expected p1.\np2: Expected p2.\n"
    assert not (tmp_path / "out" / "run.log").exists()


def test_all_names_are_printed_where_there_is_no_log(capsys) -> None:
    fail(dict.fromkeys(("a", "b", "c", "d", "e", "f", "g", "h"), "No mask."), kind="nothing")
    assert capsys.readouterr().err.splitlines() == [
        "a: No mask.", "7 other cases failed alike: b, c, d, e, f, g, h."
    ]  # fmt: skip


@pytest.mark.parametrize("error", [InputError("No."), CaseError("No."), KeyboardInterrupt()])
def test_what_is_expected_leaves_no_log(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), run_command("c", out=tmp_path / "out"):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_bug_in_a_command_that_writes_nothing_is_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyError) as raised, run_command("c", kind="nothing"):
        raise KeyError("odd")
    (log,) = tmp_path.glob("*.log")
    assert raised.value.__notes__ == [f"log: {log}"]
    assert "KeyError: 'odd'" in log.read_text()
