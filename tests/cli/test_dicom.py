"""DICOM on the command line: from a folder of the scanner to features, and nobody is named."""

import re
import stat

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.dicom_files import edit, phantom, slices
from lggshape.names import hashed_key
from lggshape.phantoms import write_dicom
from lggshape.readers import open_cases
from lggshape_cli import app

IDENTIFYING = {
    "PatientName": "Featherstonehaugh^Ermintrude",
    "PatientID": "MRN-0815471123",
    "PatientBirthDate": "19310229",  # no such day: pydicom warns of it, and quotes it
    "PatientAddress": "12 Nowhere Lane",
    "AccessionNumber": "ACC-9988776655",
    "StudyID": "STUDY-6655443322",
    "StudyDate": "20170314",
    "StudyTime": "101112",
    "StudyDescription": "Brain of Ermintrude",
    "ReferringPhysicianName": "Strangelove^Merkwuerdigliebe",
    "InstitutionName": "Saint Elsewhere Hospital",
    "OperatorsName": "Operator^Ottokar",
    "StationName": "STATION-77",
    "DeviceSerialNumber": "SERIAL-5544332211",
    "SeriesDescription": "AX T2 FLAIR Featherstonehaugh",
}
SECRETS = [
    b"Featherstonehaugh", b"Ermintrude", b"0815471123", b"19310229", b"Nowhere", b"9988776655",
    b"6655443322", b"20170314", b"101112", b"Strangelove", b"Merkw", b"Elsewhere", b"Ottokar",
    b"STATION-77", b"5544332211",
]  # fmt: skip


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Folder of a good study, one with a gap, and one whose series fit twice. Not to be changed."""
    top = tmp_path_factory.mktemp("studies") / "studies"
    for name in ("good", "gap", "twice"):
        header = IDENTIFYING | {"PatientID": f"{IDENTIFYING['PatientID']}-{name}"}
        case = phantom(name=name)
        write_dicom(case, top / name, header=header)
        for number, words in ((1, "AX T1 Ermintrude"), (3, "AX T1 POST")):
            for path in slices(top / name, number):
                edit(path, SeriesDescription=words)
    slices(top / "gap")[3].unlink()
    for path in slices(top / "twice", 1):
        edit(path, SeriesDescription="AX FLAIR Ermintrude", EchoTime="120")
    return top


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_no_identifier_of_a_header_is_in_any_output_search(studies, networks, tmp_path):
    out = tmp_path / "out"
    results = [
        run("segment", studies, "--out", out / "masks", "--networks", networks),
        run("segment", studies, "--out", out / "slicer", "--networks", networks, "--write",
            "seg.nrrd", "--probabilities", "--debug"),
        run("features", out / "masks", "--out", out / "features.csv"),
        run("verify", studies),
        run("inspect", studies, "--write", out / "manifest.csv"),
    ]  # fmt: skip
    assert [result.exit_code for result in results] == [1, 1, 1, 1, 0]
    printed = "".join(result.output + result.stderr for result in results)
    assert "missing slices" in printed
    assert "one series of FLAIR, found 2" in printed
    assert "AX FLAIR ?: one of 2 series of FLAIR" in printed
    assert not list(out.rglob("private_patients.csv"))
    contents = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert len(contents) >= 10
    names = [str(path).encode() for path in out.rglob("*")]
    for text in (printed.encode(), *names, *contents):
        # The digits of a time turn up by chance in hashes and in the decimals of measurements.
        words = re.sub(rb"\b[0-9a-f]{16,}\b|(?<![\d.])\d{1,5}\.\d+(?![\d.])", b"", text)
        assert not [secret for secret in SECRETS if secret in words]


def test_the_patients_are_listed_in_private_if_asked_for(studies, networks, tmp_path):
    out = tmp_path / "masks"
    result = run("segment", studies, "--out", out, "--networks", networks, "--patient-table")
    assert result.exit_code == 1
    path = out / "private_patients.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    table = pd.read_csv(path).set_index("PatientID")
    key = hashed_key("MRN-0815471123-good")
    assert table.loc["MRN-0815471123-good", "patient"] == key
    assert set(pd.read_csv(out / "segmentation.csv")["patient"]) == set(table["patient"])


def test_the_patient_id_is_the_key_if_asked_for_analytic(studies, networks, tmp_path):
    out = tmp_path / "masks"
    run("segment", studies, "--out", out, "--networks", networks, "--patient-from", "dicom")
    patients = pd.read_csv(out / "segmentation.csv")["patient"]
    assert set(patients) == {f"MRN-0815471123-{name}" for name in ("gap", "good", "twice")}


@pytest.mark.parametrize("form", ["layout", "seg.nrrd"])
def test_masks_are_read_back_for_features_invariant(studies, networks, tmp_path, form):
    out = tmp_path / "masks"
    run("segment", studies / "good", "--out", out, "--networks", networks, "--write", form)
    (case,) = open_cases(studies / "good")
    (mask,) = open_cases(out, masks_only=True)
    assert (mask.id, mask.patient) == (case.id, case.patient)
    read = mask.read()
    np.testing.assert_allclose(read.geometry.affine, case.read().geometry.affine, atol=1e-6)
    row = pd.read_csv(out / "segmentation.csv").iloc[0]
    spacing = read.geometry.spacing
    assert row["volume"] == pytest.approx(read.mask.sum() * np.prod(spacing))
    result = run("features", out, "--out", tmp_path / "features.csv")
    assert "1 of 1 cases" in result.output or result.exit_code == 1


def test_dicom_segmentations_need_dicom_analytic(cohort, networks, tmp_path):
    result = run("segment", cohort, "--out", tmp_path / "masks", "--networks", networks, "--write",
                 "dicom-seg")  # fmt: skip
    assert result.exit_code == 2
    assert "Expected cases of DICOM series, to write dicom-seg" in result.stderr
