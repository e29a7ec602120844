import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases
from lggshape.readers.pattern import Pattern


def test_a_pattern_tells_case_patient_session_and_role_analytic(tmp_path, save_nifti):
    for patient in ("P-1", "P-2"):
        for session in ("ses-a", "ses-b"):
            for role in ("FLAIR", "T1_post", "label"):
                save_nifti(tmp_path / patient / session / f"{role}.nii.gz")
    cases = open_cases(tmp_path, pattern="{patient}/{session}/{role:label=mask}.nii.gz")
    assert [(case.id, case.patient, case.session) for case in cases] == [
        ("P-1_ses-a", "P-1", "a"),
        ("P-1_ses-b", "P-1", "b"),
        ("P-2_ses-a", "P-2", "a"),
        ("P-2_ses-b", "P-2", "b"),
    ]
    case = cases[0].read()
    assert case.sequences == ("FLAIR", "post-contrast")
    assert case.mask is not None


def test_names_with_a_known_word_at_the_beginning_analytic(tmp_path, save_nifti):
    for name in ("Flair_subtrMeanDivStd", "T1c_subtrMeanDivStd", "OTMultiClass"):
        save_nifti(tmp_path / "pat0001_1" / f"{name}.nii.gz")
    (case,) = open_cases(tmp_path, pattern="{case}/{role:OTMultiClass=mask}.nii.gz")
    assert case.read().sequences == ("FLAIR", "post-contrast")
    assert case.read().mask.sum() == 3


@pytest.mark.parametrize(
    ("pattern", "path", "case", "role"),
    [
        ("{patient}_{role}.nii.gz", "P_1_t1_post.nii.gz", "P_1", "post-contrast"),
        ("{patient}_{role}.nii.gz", "P_1_Flair_reg.nii.gz", "P_1", "FLAIR"),
        ("{role}/{case}.nii", "FLAIR/a_b.nii", "a_b", "FLAIR"),
        ("{case}/{case}_{role}.nii", "a_b/a_b_seg.nii", "a_b", "mask"),
        ("{any}/{case}_{any}_{role}.nii", "x/a_77_seg.nii", "a", "mask"),
        ("./{case}.{role}.nii", "a.T1w.nii", "a", "pre-contrast"),
    ],
)
def test_what_a_path_says_analytic(pattern, path, case, role):
    found = Pattern(pattern).match(path)
    assert (found.case, found.said.role) == (case, role)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{case}/{role}.nii", "a/b/flair.nii"),
        ("{case}/{case}_{role}.nii", "a/b_flair.nii"),
        ("{case}_{role}.nii", "a_flair.nii.gz"),
    ],
)
def test_a_path_of_another_form_analytic(pattern, path):
    assert Pattern(pattern).match(path) is None


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{role}.nii.gz", "with {patient} or {case}"),
        ("{case}/{rolle}.nii", "found {rolle}"),
        ("{case:a}/{role}.nii", "found {case:a}"),
        ("{case}/{role:x}.nii", "their meaning.*found 'x'"),
        ("{case}/{role:x=liver}.nii", "found 'x=liver'"),
        ("/data/{case}/{role}.nii", "below the folder"),
        ("{case}.nii.gz", "with {role}, or the sequences"),
        ("{case}/a/{role}.nii.gz", "found 1 other image file"),
    ],
)
def test_a_pattern_that_cannot_be_used(tmp_path, save_nifti, pattern, message):
    save_nifti(tmp_path / "A" / "flair.nii.gz")
    with pytest.raises(InputError, match=message):
        open_cases(tmp_path, pattern=pattern)


def test_a_pattern_without_a_role_names_masks_or_said_sequences(tmp_path, save_nifti):
    save_nifti(tmp_path / "x" / "A.nii.gz")
    pattern = "x/{case}.nii.gz"
    assert open_cases(tmp_path, pattern=pattern, masks_only=True)[0].read().mask is not None
    (case,) = open_cases(tmp_path, pattern=pattern, sequences=["FLAIR"])
    assert case.read().sequences == ("FLAIR",)


def test_files_of_another_form_are_left_out_and_named(tmp_path, save_nifti, caplog):
    for name in ("A/flair.nii.gz", "A/liver.nii.gz", "B_flair.nii.gz"):
        save_nifti(tmp_path / name)
    (case,) = open_cases(tmp_path, pattern="{case}/{role}.nii.gz")
    assert case.id == "A"
    (record,) = caplog.records
    assert "B_flair.nii.gz" in record.getMessage()
    assert "liver.nii.gz" in record.getMessage()


def test_a_case_of_two_patients_fails_alone(tmp_path, save_nifti):
    for name in ("P1/a_flair.nii", "P2/a_mask.nii", "P3/b_flair.nii"):
        save_nifti(tmp_path / name, np.ones((2, 3, 4), np.uint8))
    bad, good = open_cases(tmp_path, pattern="{patient}/{case}_{role}.nii")
    assert good.patient == "P3"
    with pytest.raises(CaseError, match=r"case a to be of one patient.*P1 and P2"):
        bad.read()


def test_a_patient_of_a_pattern_has_the_one_key_analytic(tmp_path, save_nifti):
    save_nifti(tmp_path / "TCGA-FG-6692" / "flair.nii")
    (case,) = open_cases(tmp_path, pattern="{patient}/{role}.nii")
    assert (case.id, case.patient) == ("TCGA-FG-6692", "TCGA_FG_6692")


@pytest.mark.parametrize(
    "pattern", ["{patient}_{session}_{role}.nii.gz", "{case}_{any}_{role}.nii.gz"]
)
def test_paths_that_can_be_read_in_several_ways_are_left_out_analytic(
    tmp_path, save_nifti, caplog, pattern
):
    save_nifti(tmp_path / "sub_07_1_flair.nii.gz")
    with pytest.raises(InputError, match="read in several ways"):
        open_cases(tmp_path, pattern=pattern)
    save_nifti(tmp_path / "P7_1_flair.nii.gz")
    assert [case.patient for case in open_cases(tmp_path, pattern=pattern)] == ["P7"]
    assert "sub_07_1_flair.nii.gz" in caplog.text
    literal = pattern.replace("{patient}", "sub_{patient}").replace("{case}_{any}", "sub_{case}_1")
    assert open_cases(tmp_path, pattern=literal)[0].patient.startswith("07")
