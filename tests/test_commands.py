import sys
from pathlib import Path

import pytest

from lggshape.commands import progress_bar, run_command
from lggshape.errors import CaseError, InputError
from lggshape.progress import Progress
from lggshape.results import recorded_outputs


def test_progress_is_shown_on_a_terminal_alone(monkeypatch, capsys):
    with progress_bar(quiet=False) as on_progress:
        assert on_progress is None
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
