import pytest

from lggshape.readers.layouts import patient_key, whose
from lggshape.readers.naming import NOT_READ, read_name, role_in_pattern, used_roles

PRE, FLAIR, POST, MASK, NONE = "pre-contrast", "FLAIR", "post-contrast", "mask", ""


@pytest.mark.parametrize(
    ("stem", "role", "case"),
    [
        ("p1_T1w", PRE, "p1"),
        ("sub-07_T1w", PRE, "sub-07"),
        ("sub-07_FLAIR", FLAIR, "sub-07"),
        ("sub-07_ses-1_ce-gd_T1w", POST, "sub-07_ses-1"),
        ("sub-07_ce-gadolinium_run-2_T1w", POST, "sub-07"),
        ("sub-07_acq-3d_FLAIR", FLAIR, "sub-07"),
        ("sub-07_ses-1_label-lesion_mask", MASK, "sub-07_ses-1"),
        ("sub-07_desc-tumor_dseg", MASK, "sub-07"),
        ("P7_ce-gd_T1w", POST, "P7"),
        ("x_t1post", POST, "x"),
        ("x_T1_post", POST, "x"),
        ("x_t1gd", POST, "x"),
        ("x_gd_T1", POST, "x"),
        ("x_T1-CE", POST, "x"),
        ("x_T2_FLAIR", FLAIR, "x"),
        ("BraTS-GLI-00005-100-t2f", FLAIR, "BraTS-GLI-00005-100"),
        ("BraTS-GLI-00005-100-t1c", POST, "BraTS-GLI-00005-100"),
        ("BraTS-GLI-00005-100-t1n", PRE, "BraTS-GLI-00005-100"),
        ("BraTS-GLI-00005-100-seg", MASK, "BraTS-GLI-00005-100"),
        ("BraTS19_2013_10_1_t1ce", POST, "BraTS19_2013_10_1"),
        ("UCSF-PDGM-0004_FLAIR_bias", FLAIR, "UCSF-PDGM-0004"),
        ("UCSF-PDGM-0004_T1c_bias", POST, "UCSF-PDGM-0004"),
        ("UCSF-PDGM-0004_tumor_segmentation", MASK, "UCSF-PDGM-0004"),
        ("P1_FLAIR_seg", MASK, "P1"),
        ("P7_post_mask", MASK, "P7_post"),
        ("phantom_7_mask", MASK, "phantom_7"),
        ("x_dseg", MASK, "x"),
        ("flair", FLAIR, ""),
    ],
)
def test_words_that_tell_a_role_analytic(stem, role, case):
    assert read_name(stem)[:2] == (role, case)


@pytest.mark.parametrize(
    "stem",
    [
        "LGG_001_0001", "P7", "P7_scan", "x_bias", "x_mask_bias", "sub-07_ses-1",
        "TCGA-02-0006_1996.08.23_GlistrBoost_ManuallyCorrected", "T1km", "pret1", "OTMultiClass",
    ],
)  # fmt: skip
def test_names_that_tell_no_role_keep_the_whole_name_analytic(stem):
    assert read_name(stem)[:2] == (NONE, stem)


@pytest.mark.parametrize(
    "stem",
    [
        "BraTS-GLI-00005-100-t2w", "x_T2", "UCSF-PDGM-0004_ADC", "UCSF-PDGM-0004_T2_bias",
        "UCSF-PDGM-0004_brain_segmentation", "UCSF-PDGM-0004_brain_parenchyma_segmentation",
        "sub-07_desc-brain_mask", "sub-07_label-brain_mask", "sub-07_label-lesion_probseg",
        "sub-07_task-rest_bold", "A_probability",
    ],
)  # fmt: skip
def test_what_is_not_used_is_no_mask_and_no_sequence_analytic(stem):
    assert read_name(stem).role in NOT_READ


def test_a_corrected_image_is_used_in_place_of_the_other_analytic():
    names = [read_name(f"U_{word}") for word in ("FLAIR", "FLAIR_bias", "T1c_bias", "T1")]
    assert used_roles(names) == ["not corrected", FLAIR, POST, PRE]


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Flair_subtrMeanDivStd", FLAIR),
        ("T1c_subtrMeanDivStd", POST),
        ("OTMultiClass", NONE),
        ("ce-gd_T1w", POST),
        ("flair_reg_seg", MASK),
        ("t1_to_flair", NONE),
        ("FLAIR_bias", FLAIR),
    ],
)
def test_the_role_in_a_pattern_analytic(text, role):
    assert role_in_pattern(text).role == role


@pytest.mark.parametrize(
    "name",
    [
        "TCGA_FG_6692_20020606", "TCGA-FG-6692", "tcga-fg-6692_2002.06.06_copy", "sub-TCGAFG6692",
        "sub-TCGA-FG-6692_ses-1", "TCGAFG669220020606", "BraTS_TCGA-FG-6692_1", "TCGA.FG.6692",
    ],
)  # fmt: skip
def test_a_barcode_gives_one_key_in_every_spelling_analytic(name):
    assert patient_key(name) == "TCGA_FG_6692"
    assert whose(name)[:2] == ("TCGA_FG_6692", "FG")


@pytest.mark.parametrize("name", ["TCGA-FG-66921", "XTCGA-FG-6692", "sub-07", "P-7_ses-1", "TCGA"])
def test_other_keys_stay_as_they_are_analytic(name):
    assert patient_key(name) == name


@pytest.mark.parametrize(
    ("case", "patient", "session"),
    [
        ("sub-07_ses-1", "sub-07", "1"),
        ("P7_ses-pre_2", "P7", "pre"),
        ("sub-TCGAFG6692_ses-2", "TCGA_FG_6692", "2"),
        ("sub-07", "sub-07", ""),
        ("horses-1", "horses-1", ""),
    ],
)
def test_the_session_and_the_patient_of_a_case_analytic(case, patient, session):
    found = whose(case)
    assert (found.patient, found.session) == (patient, session)
