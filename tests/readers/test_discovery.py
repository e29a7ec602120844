import numpy as np
import pytest
import tifffile

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases


def write_slice_folder(folder, name):
    (folder / name).mkdir(parents=True)
    tifffile.imwrite(folder / name / f"{name}_1_mask.tif", np.zeros((4, 4), dtype=np.uint8))


def test_cases_come_in_natural_order(tmp_path):
    for name in ("case_10", "case_9", "Case_1"):
        write_slice_folder(tmp_path, name)
    assert [source.id for source in open_cases(tmp_path)] == ["Case_1", "case_9", "case_10"]


def test_a_path_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="found nothing") as caught:
        open_cases(tmp_path / "gone")
    assert str(tmp_path / "gone") in str(caught.value)


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "data.csv").touch()
    with pytest.raises(InputError, match=r"a folder of cases or a NIfTI file.*named data\.csv"):
        open_cases(tmp_path / "data.csv")


def test_a_path_that_cannot_be_a_path(tmp_path):
    with pytest.raises(InputError, match="Expected a folder of cases"):
        open_cases(tmp_path / ("x" * 5000))


def test_a_folder_without_cases_says_what_it_holds(tmp_path):
    for name in ("a.csv", "b.csv", "c.csv", "d.csv"):
        (tmp_path / name).touch()
    (tmp_path / "sub" / "deeper").mkdir(parents=True)
    with pytest.raises(InputError) as caught:
        open_cases(tmp_path)
    message = str(caught.value)
    assert "slice folders" in message
    assert "NIfTI files" in message
    assert "found 4 files (a.csv, b.csv, c.csv, ...) and 1 folder (sub)" in message


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="found no files and no folders"):
        open_cases(tmp_path)


def test_a_case_folder_without_slices_fails_alone(tmp_path):
    write_slice_folder(tmp_path, "A")
    (tmp_path / "TCGA_CS_4941_19960909").mkdir()
    (tmp_path / "TCGA_CS_4941_19960909" / "notes.txt").touch()
    good, empty = open_cases(tmp_path)
    assert good.read().mask.shape == (1, 4, 4)
    assert (empty.id, empty.patient) == ("TCGA_CS_4941_19960909", "TCGA_CS_4941")
    with pytest.raises(CaseError, match="TCGA_CS_4941_19960909 to have slices or NIfTI files"):
        empty.read()


def test_a_folder_beside_flat_files_is_no_case(tmp_path):
    nib = pytest.importorskip("nibabel")
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "A.nii")
    (tmp_path / "figures").mkdir()
    assert [source.id for source in open_cases(tmp_path)] == ["A"]


def test_a_folder_inside_a_case_folder_is_no_case(tmp_path):
    write_slice_folder(tmp_path, "A")
    (tmp_path / "A" / "figures").mkdir()
    assert [source.id for source in open_cases(tmp_path / "A")] == ["A"]


def test_a_case_in_two_layouts_fails_alone(tmp_path):
    nib = pytest.importorskip("nibabel")
    write_slice_folder(tmp_path, "A")
    write_slice_folder(tmp_path, "B")
    image = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    nib.save(image, tmp_path / "A" / "A_mask.nii.gz")
    both, good = open_cases(tmp_path)
    with pytest.raises(CaseError, match="case A to have one layout"):
        both.read()
    assert good.read().mask is not None
