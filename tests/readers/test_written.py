import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import case_files, open_cases
from lggshape.readers.source import UnreadableCase

MASK = np.ones((12, 16, 20), dtype=bool)
MAP = np.zeros(MASK.shape, dtype=np.float32)


@pytest.fixture
def source(tmp_path, write_slices):
    write_slices(tmp_path / "in", "A")
    write_slices(tmp_path / "in", "AB")
    return open_cases(tmp_path / "in")[0]


def test_files_of_a_case_are_those_that_were_written_invariant(tmp_path, source):
    out = tmp_path / "out"
    files = source.write(str(out), {"mask": MASK, "entropy": MAP})
    open_cases(tmp_path / "in")[1].write(out, {"mask": MASK})
    (out / "A" / "notes.txt").touch()
    (out / "A" / "A_1.tif").touch()
    (out / "A_notes.nii.gz").touch()
    found = case_files(str(out), "A")
    assert len(found) == 24
    assert {out / name for name in found} == set(files)
    assert found[:3] == ["A/A_1_entropy.tif", "A/A_1_mask.tif", "A/A_2_entropy.tif"]


def test_flat_files_of_a_case_are_found_invariant(tmp_path, save_nifti):
    save_nifti(tmp_path / "in" / "A_flair.nii.gz")
    (source,) = open_cases(tmp_path / "in")
    source.write(tmp_path / "out", {"mask": np.ones((7, 6, 5), dtype=bool)})
    assert case_files(tmp_path / "out", "A") == ["A_mask.nii.gz"]
    assert case_files(tmp_path / "out", "B") == case_files(tmp_path / "gone", "A") == []


@pytest.mark.parametrize("name", ["../in/A", "..", ""])
def test_a_name_that_leads_elsewhere_has_no_files_analytic(tmp_path, source, name):
    source.write(tmp_path / "out", {"mask": MASK})
    assert case_files(tmp_path / "out", name) == []


def test_nothing_is_listed_or_written_through_links_analytic(tmp_path, source):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    source.write(elsewhere, {"mask": MASK})
    before = {path: path.read_bytes() for path in elsewhere.rglob("*.tif")}
    out.mkdir()
    (out / "A").symlink_to(elsewhere / "A")
    (out / ".A.part").symlink_to(elsewhere)
    assert case_files(out, "A") == []
    with pytest.raises(InputError, match="found something else"):
        source.write(out, {"mask": ~MASK})
    (out / "A").unlink()
    source.write(out, {"mask": ~MASK})
    assert {path: path.read_bytes() for path in elsewhere.rglob("*.tif")} == before
    assert sorted(path.name for path in elsewhere.iterdir()) == ["A"]
    assert sorted(path.name for path in out.iterdir()) == ["A"]


@pytest.mark.parametrize("name", ["../../x", "/x", "a\0b", "x" * 200])
def test_a_case_of_an_unsafe_name_is_not_written_analytic(tmp_path, source, name):
    object.__setattr__(source, "id", name)
    with pytest.raises(CaseError, match="to fit a file"):
        source.write(tmp_path / "one" / "two" / "out", {"mask": MASK})
    assert not (tmp_path / "one").exists()


def test_nothing_is_written_inside_the_case_itself_analytic(tmp_path, source):
    for folder in (tmp_path / "in", tmp_path / "in" / "A", tmp_path / "in" / "A" / "masks"):
        with pytest.raises(InputError, match="another folder than case A is read from, and none"):
            source.write(folder, {"mask": MASK})
    assert not (tmp_path / "in" / "A" / "masks").exists()


def test_an_unreadable_case_writes_nothing_and_says_why_analytic(tmp_path):
    source = UnreadableCase("A", "A", tmp_path / "in", reason="Expected.")
    with pytest.raises(CaseError, match=r"^Expected\.$"):
        source.write(tmp_path / "out", {"mask": MASK})
    assert not (tmp_path / "out").exists()
