import os

import numpy as np
import pandas as pd
import pytest
import tifffile

from lggshape.errors import CaseError, InputError
from lggshape.readers import folder as folder_module
from lggshape.readers import layouts, open_cases
from lggshape.readers.layout import Layout
from lggshape.readers.listing import visible_names
from lggshape.readers.naming import Identity
from lggshape.readers.source import UnreadableCase


def write_slice_folder(folder, name):
    (folder / name).mkdir(parents=True)
    tifffile.imwrite(folder / name / f"{name}_1_mask.tif", np.zeros((4, 4), dtype=np.uint8))


def test_cases_come_in_natural_order(tmp_path):
    for name in ("case_10", "case_9", "Case_1"):
        write_slice_folder(tmp_path, name)
    assert [source.id for source in open_cases(tmp_path)] == ["Case_1", "case_9", "case_10"]


def test_the_cases_of_several_paths_get_their_patients_from_one_manifest_invariant(tmp_path):
    paths = [tmp_path / "one", tmp_path / "two"]
    names = ["B", "A"]
    for path, name in zip(paths, names, strict=True):
        write_slice_folder(path, name)
    manifest = pd.DataFrame({"case": names, "patient": ["P1", "P2"]})
    cases = open_cases(list(map(str, paths)), manifest=manifest)
    assert [(case.id, case.patient) for case in cases] == [("B", "P1"), ("A", "P2")]
    write_slice_folder(paths[1], "B")
    with pytest.raises(InputError, match="every case once, found B twice"):
        open_cases(paths)


def test_a_path_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="found nothing") as caught:
        open_cases(tmp_path / "gone")
    assert str(tmp_path / "gone") in str(caught.value)


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "data.docx").touch()
    with pytest.raises(InputError, match=r"a folder of cases, or the file.*named data\.docx"):
        open_cases(tmp_path / "data.docx")


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
    assert "found 4 files (a.csv, b.csv, c.csv and 1 more) and 1 folder (sub)" in message


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
    with pytest.raises(CaseError, match="TCGA_CS_4941_19960909 to have files of a known layout"):
        empty.read()


def test_a_folder_beside_flat_files_is_no_case(tmp_path):
    nib = pytest.importorskip("nibabel")
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "A_t1.nii")
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


# --- names of cases


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", " a", "a\\b", "con", "x" * 129])
def test_a_folder_whose_name_is_no_name_of_a_case_fails_alone_analytic(tmp_path, name):
    write_slice_folder(tmp_path, "good")
    (tmp_path / name).mkdir()
    (tmp_path / name / "mask_1.tif").touch()
    good, bad = sorted(open_cases(tmp_path), key=lambda source: source.id != "good")
    assert good.read().mask is not None
    assert bad.id.startswith("?")
    assert bad.id.isprintable()
    with pytest.raises(CaseError, match="to have a name that can be that of a file") as caught:
        bad.read()
    assert str(caught.value).isprintable()


def test_a_flat_file_whose_name_is_no_name_of_a_case_fails_alone_analytic(tmp_path, save_nifti):
    save_nifti(tmp_path / "good_mask.nii.gz")
    save_nifti(tmp_path / "b\tad_mask.nii.gz")
    bad, good = open_cases(tmp_path)
    assert good.read().mask is not None
    with pytest.raises(CaseError, match="a character that cannot be printed"):
        bad.read()


@pytest.mark.parametrize(
    "name",
    [
        "TCGA_CS_4941_19960909_mask.nii.gz",
        "TCGA-CS-4941_1996.09.09_GlistrBoost_ManuallyCorrected.nii.gz",
        "TCGA-CS-4941-seg.nii",
        "TCGA_CS_4941/mask.nii.gz",
    ],
)
def test_copies_in_another_layout_are_of_the_same_patient_analytic(tmp_path, save_nifti, name):
    save_nifti(tmp_path / name)
    (source,) = open_cases(tmp_path, masks_only=True)
    assert (source.patient, source.site) == ("TCGA_CS_4941", "CS")
    assert source.read().patient == "TCGA_CS_4941"


# --- results of this tool beside cases


def test_a_folder_of_masks_inside_a_data_set_is_no_case_analytic(tmp_path):
    write_slice_folder(tmp_path, "A")
    write_slice_folder(tmp_path, "B")
    one, other = open_cases(tmp_path)
    one.write(tmp_path / "masks", {"mask": np.ones((1, 4, 4), dtype=bool)})
    # Recognised by the names of the cases in it, also without a record of the run.
    assert [source.id for source in open_cases(tmp_path)] == ["A", "B"]
    other.write(tmp_path / "masks", {"mask": np.ones((1, 4, 4), dtype=bool)})
    assert [source.id for source in open_cases(tmp_path)] == ["A", "B"]
    assert open_cases(tmp_path / "masks")[0].read().mask.all()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", '{"command": "segment", "outputs": []}'),
        ("segmentation.json", '{"networks": "", "maps": [], "flips": true}'),
        ("segmentation.csv", "case,patient,fold,status,reason\n"),
    ],
)
def test_results_inside_a_data_set_are_no_case_analytic(tmp_path, save_nifti, name, content):
    save_nifti(tmp_path / "A" / "flair.nii.gz")
    save_nifti(tmp_path / "masks" / "A_mask.nii.gz")
    assert [(source.id, source.has_mask) for source in open_cases(tmp_path)] == [("A", True)]
    (tmp_path / "masks" / name).write_text(content)
    assert [(source.id, source.has_mask) for source in open_cases(tmp_path)] == [("A", False)]
    assert [source.id for source in open_cases(tmp_path / "masks")] == ["A"]
    (tmp_path / "A" / "flair.nii.gz").unlink()
    with pytest.raises(InputError, match=r"results of lggshape, to be opened by themselves"):
        open_cases(tmp_path)


@pytest.mark.parametrize("content", ["{}", '{"command": "scan"}', "[]", "no JSON", "\udc80"])
def test_a_record_of_another_program_does_not_hide_a_case_analytic(tmp_path, save_nifti, content):
    save_nifti(tmp_path / "A" / "mask.nii.gz")
    (tmp_path / "A" / "run.json").write_bytes(content.encode(errors="surrogateescape"))
    assert [source.id for source in open_cases(tmp_path)] == ["A"]


def test_paths_may_be_text_analytic(tmp_path):
    write_slice_folder(tmp_path, "A")
    assert open_cases(str(tmp_path)) == open_cases(tmp_path)


def test_a_layout_is_an_object_that_brings_its_naming_rule_analytic(
    tmp_path, monkeypatch, save_nifti
):
    def find(folder, *, masks_only):
        for name in folder.files:
            if name.endswith(".toy"):
                yield UnreadableCase(name[:-4], "", folder.path / name, reason="a toy")

    def open_file(path, *, masks_only):
        return UnreadableCase("opened", "known", path) if path.suffix == ".toy" else None

    def rule(case):
        return Identity("P" + case.split(".")[1], "toys") if "." in case else None

    toys = Layout("toys", "<case>.toy", find, open_file, rule)
    monkeypatch.setattr(layouts, "LAYOUTS", (*layouts.LAYOUTS, toys))
    save_nifti(tmp_path / "ball.1_mask.nii")
    (tmp_path / "ball.2.toy").touch()
    found = [(source.id, source.patient, source.site) for source in open_cases(tmp_path)]
    assert found == [("ball.1", "P1", "toys"), ("ball.2", "P2", "toys")]
    (source,) = open_cases(tmp_path / "ball.2.toy")
    assert (source.id, source.patient) == ("opened", "known")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"packed masks \(masks\.npz\) or toys \(<case>\.toy\)"):
        open_cases(tmp_path / "empty")


def test_a_case_folder_that_cannot_be_listed_fails_alone_analytic(tmp_path, monkeypatch):
    for name in "AB":
        write_slice_folder(tmp_path, name)

    def refuse(folder):
        if folder.name == "B":
            raise PermissionError(13, "Permission denied")
        return visible_names(folder)

    monkeypatch.setattr(folder_module, "visible_names", refuse)
    good, bad = open_cases(tmp_path)
    assert good.read().mask is not None
    with pytest.raises(CaseError, match="case B to be a folder that can be listed, found Permiss"):
        bad.read()
    with pytest.raises(InputError, match="that can be listed, found Permission denied"):
        open_cases(tmp_path / "B")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes on this system")
@pytest.mark.parametrize(
    "name", ["masks.npz", "run.json", "segmentation.json", "segmentation.csv", "a.json", "IM0001"]
)
def test_a_pipe_is_never_read(tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert visible_names(tmp_path) == ([name], [])
    with pytest.raises(InputError):
        open_cases(tmp_path)
