import logging

import numpy as np
import pytest

from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases

FOUR = np.random.default_rng(0).random((5, 6, 7, 3)).astype(np.float32)


@pytest.mark.parametrize("name", ["A.nii.gz", "LGG_001_0001.nii.gz", "A/scan.nii"])
@pytest.mark.parametrize("opened", ["folder", "file"])
def test_images_that_do_not_tell_what_they_show_are_refused(tmp_path, save_nifti, name, opened):
    path = save_nifti(tmp_path / name)
    with pytest.raises(InputError) as caught:
        open_cases(tmp_path if opened == "folder" else path)
    message = str(caught.value)
    assert path.name in message
    for way_out in ("rename", "--sequences", "--pattern", "--manifest"):
        assert way_out in message


@pytest.mark.parametrize("values", [FOUR, FOUR[..., 0]])
def test_the_order_of_the_sequences_is_never_guessed(tmp_path, save_nifti, values):
    path = save_nifti(tmp_path / "A.nii.gz", values)
    save_nifti(tmp_path / "A_mask.nii.gz", np.ones((5, 6, 7), np.uint8))
    with pytest.raises(InputError, match="--sequences"):
        open_cases(path)
    (source,) = open_cases(tmp_path)
    assert (source.has_image, source.has_mask) == (False, True)


def test_said_sequences_make_a_file_the_image_of_its_case(tmp_path, save_nifti):
    save_nifti(tmp_path / "A.nii.gz", FOUR)
    save_nifti(tmp_path / "A_mask.nii.gz")
    order = ["post-contrast", "FLAIR", "pre-contrast"]
    for masks_only in (False, True):
        (source,) = open_cases(tmp_path, sequences=order, masks_only=masks_only)
        case = source.read()
        assert case.sequences == tuple(order)
        np.testing.assert_array_equal(case.image, FOUR.transpose(2, 1, 0, 3))
        assert case.mask is not None
    (source,) = open_cases(tmp_path, sequences=["FLAIR"])
    with pytest.raises(CaseError, match=r"1 volume .FLAIR.*found 3"):
        source.read()


@pytest.mark.parametrize(
    "other", ["LGG_001_0001", "p1_scan", "A", "A_T1_AX_POST", "A_flair_reg_seg", "T2_A_flair"]
)
@pytest.mark.parametrize("masks_only", [False, True])
def test_beside_files_with_roles_others_are_left_out_and_named(
    tmp_path, save_nifti, caplog, other, masks_only
):
    for name in (f"{other}.nii.gz", "A_flair.nii.gz", "A_mask.nii.gz"):
        save_nifti(tmp_path / name)
    with caplog.at_level(logging.WARNING, logger="lggshape"):
        (source,) = open_cases(tmp_path, masks_only=masks_only)
    assert source.id == "A"
    assert source.read().sequences == ("FLAIR",)
    (record,) = caplog.records
    assert f"{other}.nii.gz" in record.getMessage()
    assert "Understood are names that end in flair" in record.getMessage()


def test_without_any_role_files_are_masks_where_masks_alone_are_wanted(
    tmp_path, save_nifti, caplog
):
    for name in ("TCGA-02-0006_1996.08.23_ManuallyCorrected.nii.gz", "b.nii.gz"):
        save_nifti(tmp_path / name)
    sources = open_cases(tmp_path, masks_only=True)
    assert [source.read().mask.sum() for source in sources] == [3, 3]
    assert not caplog.records


def test_a_case_folder_without_any_role_fails_alone(tmp_path, save_nifti):
    save_nifti(tmp_path / "A" / "flair.nii.gz")
    save_nifti(tmp_path / "B" / "scan.nii.gz")
    good, bad = open_cases(tmp_path)
    assert good.read().image is not None
    with pytest.raises(CaseError, match=r"case B .*found scan\.nii\.gz.*Understood are names"):
        bad.read()


def test_the_only_sub_folder_is_opened_if_its_files_are_several_cases(tmp_path, save_nifti):
    for name in ("TCGA-02-0006_1996.08.23_Corrected", "TCGA-02-0009_1997.06.14_Corrected"):
        save_nifti(tmp_path / "data" / "masks" / f"{name}.nii.gz")
    (tmp_path / "data" / "clinical.csv").touch()
    sources = open_cases(tmp_path / "data", masks_only=True)
    assert [source.patient for source in sources] == ["TCGA_02_0006", "TCGA_02_0009"]
    assert [source.read().mask.sum() for source in sources] == [3, 3]


@pytest.mark.parametrize("name", ["P1_T1_AX", "P1_flair", "sub-1_run-2", "P1_tumor"])
def test_masks_that_were_written_are_read_whatever_the_name_of_their_case(
    tmp_path, save_nifti, name
):
    save_nifti(tmp_path / "in" / "anat.nii.gz")
    manifest = tmp_path / "in" / "manifest.csv"
    manifest.write_text(f"case,patient,flair\n{name},P1,anat.nii.gz\n")
    (source,) = open_cases(manifest)
    source.write(tmp_path / "out", {"mask": np.ones((7, 6, 5), bool)})
    (tmp_path / "out" / "segmentation.csv").write_text(
        f"case,patient,status,reason\n{name},P1,ok,\n"
    )
    (mask,) = open_cases(tmp_path / "out", masks_only=True)
    assert (mask.id, mask.patient) == (name, "P1")
    assert mask.read().mask.all()


@pytest.mark.parametrize(
    ("folder", "name", "patient"),
    [
        ("UCSF-PDGM-0004_nifti", "UCSF-PDGM-0004", "UCSF-PDGM-0004"),
        ("P1", "brain", "P1"),
        ("P1", "P1", "P1"),
        ("P1_2", "P1_ses-2", "P1_2"),
        ("P1_ses-2_raw", "P1_ses-2", "P1"),
        ("x_TCGA-FG-6692_1", "x_TCGA-FG-6692", "TCGA_FG_6692"),
    ],
)
def test_the_patient_of_a_case_folder_analytic(tmp_path, save_nifti, folder, name, patient):
    for role in ("FLAIR_bias", "FLAIR", "T1c_bias", "tumor_segmentation", "brain_segmentation"):
        save_nifti(tmp_path / folder / f"{name}_{role}.nii.gz")
    save_nifti(tmp_path / "other" / "flair.nii.gz")
    (source,) = [one for one in open_cases(tmp_path) if one.id == folder]
    assert source.patient == patient
    case = source.read()
    assert case.sequences == ("FLAIR", "post-contrast")
    assert case.mask is not None


def test_every_sequence_joins_its_case_analytic(tmp_path, save_nifti):
    """The table of names that used to become patients of their own."""
    for name in ("sub-07_T1w", "sub-07_FLAIR", "sub-07_ce-gd_T1w", "sub-07_label-lesion_mask"):
        save_nifti(tmp_path / f"{name}.nii.gz")
    (source,) = open_cases(tmp_path)
    case = source.read()
    assert (source.id, source.patient) == ("sub-07", "sub-07")
    assert case.sequences == ("pre-contrast", "FLAIR", "post-contrast")
    assert case.mask is not None
