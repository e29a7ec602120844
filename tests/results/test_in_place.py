from contextlib import suppress
from pathlib import Path

import pytest

from lggshape.errors import InputError
from lggshape.results import recorded_in_place, recorded_outputs, remove_recorded
from lggshape.results.records import UNFINISHED


def test_a_file_is_known_before_it_is_written_analytic(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), recorded_in_place(tmp_path, "a.csv"):
        (tmp_path / "a.csv").write_text("half")
        raise KeyboardInterrupt
    assert recorded_outputs(tmp_path) == {"a.csv": frozenset({UNFINISHED})}
    remove_recorded(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_half_a_line_about_a_whole_file_leaves_it_known_analytic(tmp_path: Path) -> None:
    with recorded_in_place(tmp_path, "a.csv"):
        (tmp_path / "a.csv").write_text("whole")
    (journal,) = tmp_path.glob(".*.jsonl")
    text = journal.read_text()
    journal.write_text(text[: -len(text.rpartition("\n")[2]) // 2])
    remove_recorded(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_since_is_kept_analytic(tmp_path: Path) -> None:
    with recorded_in_place(tmp_path, "a.csv"):
        (tmp_path / "a.csv").write_text("whole")
    (tmp_path / "a.csv").write_text("changed")
    with pytest.raises(InputError, match=r"changed since: a\.csv"):
        remove_recorded(tmp_path)
    assert (tmp_path / "a.csv").read_text() == "changed"
