import pickle
from pathlib import Path

import numpy as np
import pytest

from lggshape.case import Case
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.readers.listing import folder_name, visible_names
from lggshape.readers.source import UnreadableCase, refuse_repeated_names


def test_name_of_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert folder_name(Path()) == tmp_path.name
    assert folder_name(Path("a/..")) == tmp_path.name


def test_a_link_is_named_by_itself(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "there")
    assert folder_name(tmp_path / "here") == "here"


def test_hidden_names_and_those_of_archives_are_left_out(tmp_path):
    for name in (".DS_Store", "b_10", "b_9", "._b_9"):
        (tmp_path / name).touch()
    for name in (".git", "__MACOSX", "case"):
        (tmp_path / name).mkdir()
    assert visible_names(tmp_path) == (["b_9", "b_10"], ["case"])


def test_an_unreadable_case_survives_pickling_and_says_why():
    case = UnreadableCase("A", "A", Path("A"), has_image=False, has_mask=False, reason="Expected.")
    copy = pickle.loads(pickle.dumps(case))
    assert copy == case
    with pytest.raises(CaseError, match=r"^Expected\.$"):
        copy.read()
    with pytest.raises(CaseError, match=r"^Expected\.$"):
        copy.write(Path("out"), {"mask": np.zeros((1, 1, 1), dtype=bool)})


def test_cases_of_one_name_are_refused_analytic():
    one, other = (UnreadableCase("A", "A", Path(name)) for name in ("x", "y"))
    refuse_repeated_names([one, Case("B", "B")])
    with pytest.raises(InputError, match=r"found A twice: x, y\.$"):
        refuse_repeated_names([one, other])
    with pytest.raises(InputError, match=r"found A twice\.$"):
        refuse_repeated_names([Case("A", "A"), Case("A", "B")])


def test_a_source_shows_itself_in_a_short_line_analytic(write_slices, tmp_path):
    write_slices(tmp_path, "A")
    assert repr(open_cases(tmp_path)) == "[SliceFolder(A: patient A, image and mask)]"
