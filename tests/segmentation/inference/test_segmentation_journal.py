"""The journal of `segment`, whatever a kill, a full disk or somebody left of it."""

import json
import os

import pytest

from lggshape.errors import InputError
from lggshape.readers.segmented import JOURNAL
from lggshape.segmentation.inference.segmentation_journal import (
    SegmentationJournal,
    SegmentedCase,
)

ROW = {"case": "a", "patient": "a", "status": "failed", "reason": ""}


def result_of(case: str, reason: str = "") -> SegmentedCase:
    return SegmentedCase({**ROW, "case": case, "reason": reason}, [], [], "")


def as_earlier_versions_wrote(result: SegmentedCase) -> bytes:
    """Return a line of the journal whose characters are not escaped."""
    return f"{json.dumps(result._asdict(), ensure_ascii=False)}\n".encode()


REASONS = ["a\u2028b", "a\u2029b", "a\x85b", "a\x1cb", "a\r\nb", "é"]


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_may_hold_any_character_invariant(tmp_path, reason):
    """It may name a file, which may be called anything."""
    written = result_of("a", reason)
    SegmentationJournal(tmp_path).add(written)
    assert SegmentationJournal.read(tmp_path).results == {"a": written}
    (tmp_path / JOURNAL).write_bytes(as_earlier_versions_wrote(written))
    assert SegmentationJournal.read(tmp_path).results == {"a": written}


def test_a_line_that_was_left_unfinished_costs_only_its_case_invariant(tmp_path):
    whole = as_earlier_versions_wrote(result_of("a", "é"))
    for length in range(len(whole)):
        (tmp_path / JOURNAL).write_bytes(whole + whole[:length])
        journal = SegmentationJournal.read(tmp_path)
        assert journal.results == {"a": result_of("a", "é")}
        # What is written next is a line of its own, so that another kill costs no more.
        journal.add(result_of("b"))
        assert list(SegmentationJournal.read(tmp_path).results) == ["a", "b"]


@pytest.mark.parametrize(
    "line",
    [b"", b"x", b"[3]", b"{}", b'{"row": 1}', b'{"row": {"a": 1}}', b"\xff", b"[" * 10**5,
     *(json.dumps(result_of("a")._asdict() | change).encode()
       for change in ({"slices": 3}, {"slices": [3]}, {"slices": [[1, {}, "0.5"]]}, {"files": {}},
                      {"files": [3]}, {"row": {**ROW, "volume": {}}}, {"new": 1}))],
)  # fmt: skip
def test_a_damaged_line_is_named_analytic(tmp_path, line):
    SegmentationJournal(tmp_path).add(result_of("a"))
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(InputError, match=r"found as line 2: a (line that is no result|file out)"):
        SegmentationJournal.read(tmp_path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_at_once(tmp_path, make):
    make(tmp_path / JOURNAL)
    with pytest.raises(InputError, match=r"jsonl to be a file .*, found: a folder, a pipe or"):
        SegmentationJournal.read(tmp_path)
