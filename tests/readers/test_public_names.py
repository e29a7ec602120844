"""The names of public data sets, and what looks like a patient in them and is none."""

import logging
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from helpers.case_files import write_nifti
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases

VOLUME = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
MASK = (VOLUME % 5 == 0).astype(np.uint8)
FLAIR, PRE, POST = "FLAIR", "pre-contrast", "post-contrast"


def write(top: Path, *names: str) -> Path:
    for name in names:
        is_mask = any(word in name.lower() for word in ("seg", "mask"))
        write_nifti(top / f"{name}.nii.gz", MASK if is_mask else VOLUME)
    return top


def found(top: Path, **options: object) -> dict[str, tuple[str, set[str]]]:
    """Return the patient and the roles of each case."""
    cases = open_cases(top, **options)
    return {case.id: (case.patient, {role for role, _ in case.files}) for case in cases}


def test_groups_of_case_folders_are_opened_analytic(tmp_path):
    names = [f"{grade}/Brats18_{number}_1/Brats18_{number}_1" for grade, number in
             (("HGG", "2013_2"), ("LGG", "TCIA09_462"))]  # fmt: skip
    write(tmp_path, *(f"{name}_{word}" for name in names for word in ("flair", "seg")))
    assert found(tmp_path) == {
        "Brats18_2013_2_1": ("Brats18_2013_2_1", {FLAIR, "mask"}),
        "Brats18_TCIA09_462_1": ("Brats18_TCIA09_462_1", {FLAIR, "mask"}),
    }


def test_masks_in_a_folder_of_their_own_join_the_case_folders_analytic(tmp_path):
    write(
        tmp_path,
        "images_structural/UPENN-GBM-1_11/UPENN-GBM-1_11_FLAIR",
        "images_structural/UPENN-GBM-1_11/UPENN-GBM-1_11_T1GD",
        "images_segm/UPENN-GBM-1_11_segm",
    )
    name = "UPENN-GBM-1_11"
    assert found(tmp_path) == {name: (name, {FLAIR, POST, "mask"})}


@pytest.mark.parametrize("images", ["images/", ""])
def test_folders_of_one_kind_hold_the_cases_that_their_files_tell_analytic(tmp_path, images):
    for case in ("P1", "P2"):
        write(tmp_path, f"{images}{case}_flair", f"masks/{case}_mask")
    assert found(tmp_path) == {case: (case, {FLAIR, "mask"}) for case in ("P1", "P2")}


def test_one_case_in_two_folders_is_refused_with_a_way_out_analytic(tmp_path):
    write(tmp_path, "images/P1_flair", "masks/P1_mask")
    for case in open_cases(tmp_path):
        with pytest.raises(CaseError, match="--pattern"):
            case.read()
    assert list(found(tmp_path, pattern="{any}/{case}_{role}.nii.gz")) == ["P1"]


def test_words_in_the_names_of_all_patients_are_no_cases_analytic(tmp_path):
    write(tmp_path, *(f"{case}/{name}" for case in ("P1", "P2") for name in ("ax_flair", "sag_t1")))
    assert found(tmp_path) == {case: (case, {FLAIR, PRE}) for case in ("P1", "P2")}


@pytest.mark.parametrize(
    "name",
    ["P1_rater1_mask", "P1_WM_mask", "P1-2_seg", "seg", "P1_flair_bet_mask", "P1/extra/t1"],
)
def test_what_is_no_patient_is_left_out_and_listed_analytic(tmp_path, caplog, name):
    write(tmp_path, "P1_flair", name)
    with caplog.at_level(logging.WARNING, "lggshape"):
        assert found(tmp_path) == {"P1": ("P1", {FLAIR})}
    assert f"{name}.nii.gz" in caplog.text


def test_an_image_that_is_not_used_joins_its_case_analytic(tmp_path):
    write(tmp_path, "P1_flair", "P1_DTI_FA", "P2_T2")
    cases = {case.id: {role for role, _ in case.files} for case in open_cases(tmp_path)}
    assert cases == {"P1": {FLAIR, "other"}, "P2": {"T2"}}


@pytest.mark.parametrize("further", [(), ("P2_nifti/P2_FLAIR",)])
def test_the_patient_of_a_folder_does_not_depend_on_files_without_a_role_analytic(
    tmp_path, further
):
    words = ("FLAIR", "DTI_FA", "DTI_L1", "tumor_segmentation", "brain_segmentation")
    write(tmp_path, *(f"P1_nifti/P1_{word}" for word in words), *further)
    assert found(tmp_path)["P1_nifti"] == ("P1", {FLAIR, "other", "mask"})


def test_masks_of_two_raters_in_one_folder_are_refused_with_both_names_analytic(tmp_path):
    write(tmp_path, "P1/flair", "P1/AB_mask", "P1/CD_mask")
    (case,) = open_cases(tmp_path)
    with pytest.raises(CaseError, match=r"AB_mask.nii.gz and CD_mask.nii.gz.*--manifest"):
        case.read()


@pytest.mark.parametrize("folders", [False, True])
def test_letters_and_accents_in_one_piece_or_apart_are_one_name_analytic(tmp_path, folders):
    name = "M\u00fcller"
    for form, word in (("NFC", "flair"), ("NFD", "mask")):
        one = unicodedata.normalize(form, name)
        write(tmp_path, f"{one}/{word}" if folders else f"{one}_{word}")
    assert found(tmp_path) == {name: (name, {FLAIR, "mask"})}


def test_a_folder_named_after_a_kind_of_image_is_no_patient_analytic(tmp_path):
    write(tmp_path, "MASK/MASK", "FLAIR/flair")
    with pytest.raises(InputError, match="--pattern"):
        open_cases(tmp_path)


@pytest.mark.parametrize("name", ["A/B/C/flair.nii.gz", "P1/1/flair.nii.gz"])
def test_images_that_lie_deeper_are_named_with_the_ways_out_analytic(tmp_path, name):
    write(tmp_path, name.removesuffix(".nii.gz"))
    with pytest.raises(InputError, match=f"lie deeper .*{name}.*--pattern") as caught:
        open_cases(tmp_path)
    assert "--manifest" in str(caught.value)


def test_the_folder_that_holds_all_images_is_named_analytic(tmp_path):
    write(tmp_path, "up/level/P1/flair", "up/level/P2/flair")
    with pytest.raises(InputError, match=r"lie deeper \(2 files, all in up/level: up/level/P1"):
        open_cases(tmp_path)


@pytest.mark.parametrize("name", ["P2_flair.mgz", "P2_flair.img", "P2_flair.nii.bz2"])
def test_a_format_that_is_not_read_is_named_analytic(tmp_path, caplog, name):
    (tmp_path / name).write_text("")
    with pytest.raises(InputError, match="not read; convert"):
        open_cases(tmp_path)
    write(tmp_path, "P1_flair")
    with caplog.at_level(logging.WARNING, "lggshape"):
        assert list(found(tmp_path)) == ["P1"]
    assert name in caplog.text


def test_links_to_a_folder_above_end_analytic(tmp_path):
    write(tmp_path, "P1/flair")
    (tmp_path / "P1" / "loop").symlink_to(tmp_path)
    assert list(found(tmp_path)) == ["P1"]


def test_a_wrapped_data_set_is_opened_analytic(tmp_path):
    write(tmp_path, "ds/sub-1/anat/sub-1_FLAIR")
    assert found(tmp_path) == {"sub-1": ("sub-1", {FLAIR})}


def test_visits_in_a_patient_folder_are_no_patients_analytic(tmp_path):
    write(tmp_path, "RHUH-1/0/RHUH-1_0_flair", "RHUH-1/1/RHUH-1_1_flair")
    with pytest.raises(InputError, match="lie deeper"):
        open_cases(tmp_path)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("sub-1_acq-post_T1w", POST),
        ("sub-1_desc-postgd_T1w", POST),
        ("sub-1_acq-mprage_T1w", PRE),
        ("sub-1_label-WM_mask", "other"),
        ("sub-1_desc-aparcaseg_dseg", "other"),
        ("sub-1_angio", "other"),
        ("sub-1_mod-FLAIR_defacemask", "other"),
    ],
)
def test_entities_and_suffixes_of_bids_analytic(tmp_path, name, role):
    write(tmp_path, f"sub-1/anat/{name}", "sub-1/anat/sub-1_FLAIR")
    assert found(tmp_path) == {"sub-1": ("sub-1", {FLAIR, role})}


def test_files_of_bids_that_are_not_understood_are_listed_analytic(tmp_path, caplog):
    names = ["sub-1/anat/sub-1_foo", "sub-1/anat/odd", "P7_FLAIR", "masks/sub-1_mask"]
    write(tmp_path, "sub-1/anat/sub-1_FLAIR", "sub-1/func/sub-1_bold", *names)
    with caplog.at_level(logging.WARNING, "lggshape"):
        assert found(tmp_path) == {"sub-1": ("sub-1", {FLAIR})}
    assert all(f"{name}.nii.gz" in caplog.text for name in names)
    assert "bold" not in caplog.text


def test_labels_with_a_word_are_no_case_of_nnunet_analytic(tmp_path, caplog):
    write(tmp_path, "imagesTr/P7_0000", "labelsTr/P7_seg")
    text = '{"channel_names": {"0": "FLAIR"}}'
    (tmp_path / "dataset.json").write_text(text, encoding="utf-8-sig")
    with caplog.at_level(logging.WARNING, "lggshape"):
        assert found(tmp_path) == {"P7": ("P7", {FLAIR})}
    assert "P7_seg.nii.gz" in caplog.text


@pytest.mark.parametrize(
    ("stem", "role"),
    [
        ("UPENN-GBM-1_11_segm", "mask"),
        ("RHUH-1_0_segmentations", "mask"),
        ("P_Timepoint_1_tumorMask", "mask"),
        ("CT1", POST),
    ],
)
def test_words_of_public_data_sets_analytic(tmp_path, stem, role):
    write(tmp_path, f"P1/{stem}")
    assert found(tmp_path)["P1"][1] == {role}


@pytest.mark.parametrize("whole", [True, False])
def test_a_link_makes_no_second_patient_analytic(tmp_path, whole):
    write(tmp_path, "P1/flair", "P2/flair")
    (tmp_path / "P3").mkdir(exist_ok=True)
    if whole:
        (tmp_path / "P3").rmdir()
        (tmp_path / "P3").symlink_to(tmp_path / "P1")
    else:
        (tmp_path / "P3" / "flair.nii.gz").symlink_to(tmp_path / "P1" / "flair.nii.gz")
    write(tmp_path, "P1/mask")
    (tmp_path / "P2" / "mask.nii.gz").symlink_to(tmp_path / "P1" / "mask.nii.gz")
    one, two, linked = open_cases(tmp_path)
    assert one.read().sequences == two.read().sequences == (FLAIR,)
    with pytest.raises(CaseError, match=r"links to those of case P1.*Remove the links"):
        linked.read()


@pytest.mark.parametrize("name", ["@eaDir", "$RECYCLE.BIN", "__MACOSX"])
def test_folders_of_the_system_are_no_patients_analytic(tmp_path, name):
    write(tmp_path, "P1/flair", f"{name}/flair")
    assert list(found(tmp_path)) == ["P1"]


def test_a_pipe_or_a_link_to_itself_is_refused_by_name_analytic(tmp_path):
    write(tmp_path, "P1/flair", "P2/flair")
    os.mkfifo(tmp_path / "P1" / "t1.nii.gz")
    (tmp_path / "P2" / "t1.nii.gz").symlink_to(tmp_path / "P2" / "t1.nii.gz")
    for case, wrong in zip(open_cases(tmp_path), ("named pipe", "symbolic links"), strict=True):
        with pytest.raises(CaseError, match=f"{wrong}.*t1.nii.gz"):
            case.read()


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha", ".tif"])
def test_an_empty_file_is_called_empty_analytic(tmp_path, ending):
    (tmp_path / f"P1_flair{ending}").touch()
    with pytest.raises(CaseError, match="an empty file; copy it again"):
        open_cases(tmp_path)[0].read()
