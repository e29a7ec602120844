"""BIDS: sessions, runs, derived masks, and what is not there."""

from pathlib import Path

import numpy as np
import pytest

from helpers.case_files import write_nifti
from lggshape.errors import CaseError
from lggshape.readers import open_cases

VOLUME = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
MASK = VOLUME % 5 == 0


def write(top: Path, *names: str) -> Path:
    for name in names:
        is_mask = name.endswith(("_mask", "_dseg"))
        write_nifti(top / f"{name}.nii.gz", MASK.astype(np.uint8) if is_mask else VOLUME)
    return top


def roles(source):
    return {path.name.removesuffix(".nii.gz"): role for role, path in source.files}


def test_a_session_is_a_case_of_its_subject_analytic(tmp_path):
    write(
        tmp_path,
        "sub-07/ses-1/anat/sub-07_ses-1_FLAIR",
        "sub-07/ses-1/anat/sub-07_ses-1_T1w",
        "sub-07/ses-1/anat/sub-07_ses-1_ce-gd_T1w",
        "sub-07/ses-2/anat/sub-07_ses-2_FLAIR",
        "sub-10/anat/sub-10_FLAIR",
        "sub-10/anat/sub-10_ce-GADOLINIUM_T1w",
    )
    cases = open_cases(tmp_path)
    assert [case.id for case in cases] == ["sub-07_ses-1", "sub-07_ses-2", "sub-10"]
    assert [case.patient for case in cases] == ["sub-07", "sub-07", "sub-10"]
    assert cases[0].read().sequences == ("pre-contrast", "FLAIR", "post-contrast")
    assert cases[2].read().sequences == ("FLAIR", "post-contrast")


@pytest.mark.parametrize("place", ["sub-07", "sub-07/ses-1", "sub-07/ses-1/anat"])
def test_a_part_of_a_data_set_gives_the_same_case_invariant(tmp_path, place):
    write(tmp_path, "sub-07/ses-1/anat/sub-07_ses-1_FLAIR")
    (case,) = open_cases(tmp_path / place)
    assert (case.id, case.patient) == ("sub-07_ses-1", "sub-07")
    np.testing.assert_array_equal(case.read().image[..., 0], VOLUME)


@pytest.mark.parametrize("holder", ["derivatives/outlines/sub-07/anat", "derivatives/sub-07/anat"])
@pytest.mark.parametrize(
    "name", ["mask", "dseg", "label-lesion_mask", "space-T1w_label-tumor_mask"]
)
def test_derived_masks_join_the_images_analytic(tmp_path, holder, name):
    write(tmp_path, "sub-07/anat/sub-07_FLAIR", f"{holder}/sub-07_{name}")
    (case,) = open_cases(tmp_path)
    np.testing.assert_array_equal(case.read().mask, MASK)
    assert case.has_image


def test_derived_images_do_not_join_analytic(tmp_path):
    write(
        tmp_path,
        "sub-07/anat/sub-07_FLAIR",
        "derivatives/prep/sub-07/anat/sub-07_desc-preproc_FLAIR",
        "derivatives/prep/sub-07/anat/sub-07_desc-brain_mask",
    )
    (case,) = open_cases(tmp_path)
    assert roles(case) == {"sub-07_FLAIR": "FLAIR"}


def test_a_derived_data_set_is_read_by_itself_analytic(tmp_path):
    top = write(tmp_path / "derivatives" / "seg", "sub-07/anat/sub-07_label-lesion_mask")
    (case,) = open_cases(top, masks_only=True)
    assert (case.id, case.has_image) == ("sub-07", False)
    np.testing.assert_array_equal(case.read().mask, MASK)


def test_an_outline_of_the_lesion_is_the_mask_analytic(tmp_path):
    write(
        tmp_path,
        "sub-07/anat/sub-07_FLAIR",
        "derivatives/prep/sub-07/anat/sub-07_dseg",
        "derivatives/outlines/sub-07/anat/sub-07_label-lesion_mask",
    )
    (case,) = open_cases(tmp_path)
    assert roles(case) == {"sub-07_FLAIR": "FLAIR", "sub-07_label-lesion_mask": "mask"}


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("run-1_FLAIR", "run-2_FLAIR"), "one FLAIR file, found sub-07_run-1_FLAIR.nii.gz and"),
        (("acq-2D_T1w", "acq-3D_T1w"), "one pre-contrast file, found sub-07_acq-2D_T1w.nii.gz"),
        (
            ("FLAIR", "label-core_mask", "label-edema_mask"),
            "one mask file, found sub-07_label-core",
        ),
    ],
)
def test_several_files_of_a_role_are_refused_by_name_analytic(tmp_path, names, found):
    write(tmp_path, *(f"sub-07/anat/sub-07_{name}" for name in names))
    (case,) = open_cases(tmp_path)
    with pytest.raises(CaseError, match=found):
        case.read()


def test_runs_of_other_images_do_not_matter_analytic(tmp_path):
    names = ("FLAIR", "run-1_T2w", "run-2_T2w", "dir-AP_dwi", "desc-brain_mask")
    write(tmp_path, *(f"sub-07/anat/sub-07_{name}" for name in names))
    (case,) = open_cases(tmp_path)
    assert case.read().sequences == ("FLAIR",)


def test_a_subject_without_images_is_not_lost_analytic(tmp_path):
    write(tmp_path, "sub-07/anat/sub-07_FLAIR")
    (tmp_path / "sub-08" / "func").mkdir(parents=True)
    (tmp_path / "code").mkdir()
    _, case = open_cases(tmp_path)
    with pytest.raises(CaseError, match="case sub-08 to have images or masks in anat/"):
        case.read()


def test_a_file_of_another_subject_is_refused_analytic(tmp_path):
    write(tmp_path, "sub-07/anat/sub-08_FLAIR")
    (case,) = open_cases(tmp_path)
    with pytest.raises(CaseError, match="case sub-07 to have its name, found sub-08_FLAIR"):
        case.read()


def test_masks_that_are_written_are_of_the_same_cases_invariant(tmp_path):
    write(tmp_path / "bids", "sub-07/ses-1/anat/sub-07_ses-1_FLAIR")
    (source,) = open_cases(tmp_path / "bids")
    source.write(tmp_path / "bids" / "derivatives" / "lggshape", {"mask": MASK})
    (case,) = open_cases(tmp_path / "bids" / "derivatives" / "lggshape", masks_only=True)
    assert (case.id, case.patient) == ("sub-07_ses-1", "sub-07")
    np.testing.assert_array_equal(case.read().mask, MASK)
