"""Studies of a folder tree: what is a case, whose it is, and which series it takes."""

import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from helpers.dicom_files import edit, oblique, phantom, slices
from lggshape.case import SEQUENCES
from lggshape.errors import CaseError, InputError
from lggshape.inspection import inspect
from lggshape.names import hashed_key
from lggshape.phantoms import write_dicom
from lggshape.readers import dicom, open_cases
from lggshape.readers.dicom_case import DicomCase


def refused(folder) -> str:
    (source,) = open_cases(folder)
    with pytest.raises(CaseError) as error:
        source.read()
    return str(error.value)


def test_a_case_is_a_study_whatever_the_folders_invariant(tmp_path):
    for name in ("one", "two"):
        write_dicom(phantom(name=name), tmp_path / "made" / name)
    whole = {case.id: case.read() for case in open_cases(tmp_path / "made")}
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, path in enumerate(sorted((tmp_path / "made").rglob("*.dcm"))):
        shutil.copy(path, flat / f"1.2.840.{number}")  # endings that look like one
    found = open_cases(flat)
    assert [case.id for case in found] == list(whole)
    assert len(found) == 2
    for source in found:
        np.testing.assert_array_equal(source.read().image, whole[source.id].image)


def test_no_header_is_kept_invariant(study):
    """A study may have thousands of files, and a header has hundreds of elements."""
    files = sorted(study.rglob("*.dcm"))
    found, _ = dicom._by_study(files)
    heads = [file.head for group in found.values() for file in group]
    assert len(heads) == len(files) > len(set(heads)) == 3
    assert len({id(head) for head in heads}) == 3
    assert not any(isinstance(field, pydicom.Dataset) for head in heads for field in head)


def test_a_patient_is_a_hash_and_a_case_its_study_sha256(study):
    (case,) = open_cases(study)
    assert case.patient == hashed_key("Doe-4711")
    uid = pydicom.dcmread(slices(study)[0]).StudyInstanceUID
    assert case.id == f"{case.patient}_{hashed_key(uid)[:8]}"
    (named,) = open_cases(study, patient_from="dicom")
    assert named.patient == "Doe-4711"
    assert named.id == f"Doe-4711_{hashed_key(uid)[:8]}"


def test_two_studies_of_a_patient_are_two_cases_invariant(tmp_path):
    for name in ("first", "second"):
        write_dicom(phantom(name=name), tmp_path / name, header={"PatientID": "7"})
    cases = open_cases(tmp_path)
    assert len({case.id for case in cases}) == 2
    assert {case.patient for case in cases} == {hashed_key("7")}


def test_studies_without_a_patient_are_patients_of_their_own_invariant(tmp_path):
    for name in ("first", "second"):
        write_dicom(phantom(name=name), tmp_path / name, header={"PatientID": ""})
    assert len({case.patient for case in open_cases(tmp_path)}) == 2
    for case in open_cases(tmp_path, patient_from="dicom"):
        with pytest.raises(CaseError, match="PatientID that can name a patient, found none"):
            case.read()


def test_a_study_of_two_patients_is_refused_with_a_file_of_each_analytic(study):
    for path in slices(study, 1):
        edit(path, PatientID="another")
    reason = refused(study)
    assert "one PatientID, found 2, as in series_1/image_1.dcm, series_2/image_1.dcm" in reason
    assert "another" not in reason
    manifest = study.parent / "manifest.csv"
    manifest.write_text("case,patient,flair\nA,P7,study/series_2\n")
    (source,) = open_cases(manifest)
    assert source.read().sequences == ("FLAIR",)


def test_headers_without_a_patient_are_of_that_of_the_others_invariant(study):
    (before,) = open_cases(study)
    for path in slices(study, 1):
        edit(path, PatientID="")
    (source,) = open_cases(study)
    assert (source.id, source.patient) == (before.id, before.patient)


def test_a_known_spelling_of_a_patient_gives_one_key_invariant(tmp_path):
    for name in ("TCGA-CS-4941", "TCGA_CS_4941"):
        write_dicom(phantom(name=name), tmp_path / name)
    assert {case.patient for case in open_cases(tmp_path)} == {hashed_key("TCGA_CS_4941")}


def test_an_unknown_source_of_patients_is_refused_analytic(study):
    with pytest.raises(InputError, match="hash or dicom, found: name"):
        open_cases(study, patient_from="name")


def test_two_series_that_fit_are_named_and_none_is_chosen_analytic(study):
    for path in slices(study, 1):
        edit(path, SeriesDescription="SAG FLAIR", EchoTime="120")
    reason = refused(study)
    assert (
        "one series of FLAIR, found 2: 1 SAG FLAIR (series_1); 2 AX T2 FLAIR (series_2)" in reason
    )
    assert "column flair of a manifest" in reason


@pytest.mark.parametrize("way", ["folder", "path", "file", "uid"])
def test_a_manifest_names_a_series_invariant(study, way):
    for path in slices(study, 1):
        edit(path, SeriesDescription="SAG FLAIR", EchoTime="120")
    first = slices(study, 1)[0]
    cell = {
        "folder": "study/series_1",
        "path": str(study / "series_1"),
        "file": "study/series_1/image_5.dcm",
        "uid": pydicom.dcmread(first).SeriesInstanceUID,
    }[way]
    manifest = study.parent / "manifest.csv"
    manifest.write_text(f"case,patient,flair,t1ce\nA,P7,{cell},study/series_3\n")
    (source,) = open_cases(manifest)
    case = source.read()
    assert (case.id, case.patient) == ("A", "P7")
    assert case.sequences == ("FLAIR", "post-contrast")
    np.testing.assert_array_equal(case.image, phantom().image[:, ::-1, ::-1, [0, 2]])


def test_a_series_of_a_manifest_has_to_be_there_analytic(study):
    manifest = study.parent / "manifest.csv"
    rows = ("A,P1,1.2.3.4.5", "B,P2,study", "C,P3,nowhere")
    manifest.write_text("\n".join(("case,patient,flair", *rows)))
    reasons = []
    for source in open_cases(manifest):
        with pytest.raises(CaseError) as error:
            source.read()
        reasons.append(str(error.value))
    assert "no series with the UID 1.2.3.4.5" in reasons[0]
    assert "3 series in the folder" in reasons[1]
    assert "(name one by a file of it, or by its UID)" in reasons[1]
    assert "no such file" in reasons[2]


def test_inspect_writes_a_manifest_that_reads_the_same_invariant(study):
    (expected,) = open_cases(study)
    manifest = study.parent / "manifest.csv"
    inspect(study, relative_to=study.parent).write_manifest(manifest)
    (source,) = open_cases(manifest)
    assert (source.id, source.patient) == (expected.id, expected.patient)
    np.testing.assert_array_equal(source.read().image, expected.read().image)


def test_series_on_other_grids_are_brought_onto_that_of_flair_invariant(tmp_path):
    case = phantom(oblique())
    uid = {"StudyInstanceUID": "1.2.3.4"}
    for folder, channel, affine in (("flair", 1, oblique()), ("t1", 0, oblique(angles=(0, 0, 0)))):
        one = replace(
            phantom(affine), image=case.image[..., [channel]], sequences=(SEQUENCES[channel],)
        )
        write_dicom(one, tmp_path / folder, header=uid | {"SeriesInstanceUID": f"1.2.{channel}"})
    (source,) = open_cases(tmp_path)
    found = source.read()
    np.testing.assert_allclose(found.geometry.affine, oblique(), atol=1e-6)
    np.testing.assert_array_equal(found.image[..., 1], case.image[..., 1])
    assert any("resampled" in note for note in found.notes)


def test_another_frame_of_reference_is_noted_analytic(study):
    for path in slices(study, 3):
        edit(path, FrameOfReferenceUID="1.2.3.4")
    (source,) = open_cases(study)
    assert source.read().notes == (
        "frame of reference of post-contrast is not that of FLAIR: places may not agree",
    )
    assert source.read(image=False).notes == ()


def test_a_study_without_a_known_series_says_what_each_is_analytic(study):
    for number in (1, 2, 3):
        for path in slices(study, number):
            edit(path, SeriesDescription="AX DWI", ScanningSequence="EP")
    reason = refused(study)
    assert "1 AX DWI (series_1): the word dwi; 2 AX DWI (series_2): the word dwi" in reason


def test_a_screenshot_among_the_images_does_not_speak_for_them_analytic(study):
    path = slices(study)[0]
    edit(path, SOPClassUID="1.2.840.10008.5.1.4.1.1.7", ImagePositionPatient=None)
    assert "no ImagePositionPatient in image_1.dcm" in refused(study)


def test_times_of_a_frame_tell_the_role_analytic(tmp_path):
    files = write_dicom(phantom(), tmp_path / "study", enhanced=True)
    dataset = pydicom.dcmread(files[1])
    (shared,) = dataset.SharedFunctionalGroupsSequence
    for name in ("MREchoSequence", "MRModifierSequence"):
        for frame in dataset.PerFrameFunctionalGroupsSequence:
            setattr(frame, name, getattr(shared, name))
        delattr(shared, name)
    dataset.SeriesDescription = ""
    dataset.save_as(files[1])
    (case,) = open_cases(tmp_path)
    assert [one.role for one in case.described()] == list(SEQUENCES)


def test_every_series_of_a_study_is_described_analytic(study):
    for path in slices(study, 3):
        edit(path, SeriesDescription="AX ADC", ContrastBolusAgent=None)
    (case,) = open_cases(study)
    pre, flair, adc = case.described()
    assert (pre.path.name, pre.role, pre.reason) == ("series_1", "pre-contrast", "")
    assert (flair.role, flair.shape, flair.plane) == ("FLAIR", (8, 24, 20), "axial")
    assert flair.geometry.spacing == (16.875, 9.375, 11.25)
    assert (adc.role, adc.reason) == ("", "AX ADC: the word adc")


def test_every_series_that_fits_is_described_as_one_of_several_analytic(study):
    for path in slices(study, 1):
        edit(path, SeriesDescription="SAG FLAIR", EchoTime="120")
    (case,) = open_cases(study)
    reasons = [one.reason for one in case.described() if one.role == "FLAIR"]
    assert reasons == [
        "SAG FLAIR: one of 2 series of FLAIR",
        "AX T2 FLAIR: one of 2 series of FLAIR",
    ]


def test_a_file_that_promises_dicom_and_is_none_is_a_failed_case_analytic(study):
    (study.parent / "study/series_4").mkdir()
    (study.parent / "study/series_4/image.dcm").write_bytes(b"\0" * 200)
    found = {case.id: case for case in open_cases(study)}
    assert len(found) == 2
    with pytest.raises(CaseError, match=r"image.dcm: no DICM after the first 128 bytes"):
        found["series_4"].read()


def test_a_damaged_header_is_a_failed_case_invariant(study):
    path = slices(study)[0]
    path.write_bytes(path.read_bytes()[:200])
    found = [case for case in open_cases(study) if not isinstance(case, DicomCase)]
    assert len(found) == 1
    with pytest.raises(CaseError, match=r"image_1\.dcm: "):
        found[0].read()


def test_directories_of_media_and_other_files_are_left_aside_invariant(study):
    (study / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    (study / "notes.txt").write_text("nothing")
    (study / "README").write_text("nothing")
    assert len(open_cases(study)) == 1
    with pytest.raises(InputError, match=r"found a list of files: .*DICOMDIR\. Give the folder"):
        open_cases(study / "DICOMDIR")


def test_one_file_is_a_case_invariant(tmp_path):
    files = write_dicom(phantom(), tmp_path, enhanced=True)
    (case,) = open_cases(files[1])
    assert case.read().sequences == ("FLAIR",)


def test_without_pydicom_the_way_to_install_it_is_said_invariant(study, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(InputError, match=r'pip install "lggshape\[dicom\]"'):
        open_cases(study)
