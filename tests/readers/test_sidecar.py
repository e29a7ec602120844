"""What dcm2niix writes: names that do not tell the series, and JSON files that do."""

import json

import numpy as np
import pytest

from helpers.case_files import write_nifti
from lggshape.errors import CaseError, InputError
from lggshape.readers import open_cases

VOLUME = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)

FLAIR = {"SeriesDescription": "t2_space_dark-fluid_sag", "EchoTime": 0.388, "InversionTime": 1.8}
T1 = {"ProtocolName": "t1_mprage", "EchoTime": 0.003}
POST = {"SeriesDescription": "AX T1", "EchoTime": 0.01, "ContrastBolusAgent": "Gadovist"}
LOCALIZER = {"SeriesDescription": "localizer", "EchoTime": 0.004}


def write(folder, **series):
    for name, said in series.items():
        write_nifti(folder / f"{name}.nii.gz", VOLUME)
        if said is not None:
            (folder / f"{name}.json").write_text(
                said if isinstance(said, str) else json.dumps(said)
            )


@pytest.mark.parametrize("opened", ["", "P7"])
def test_the_files_of_a_patient_are_told_by_their_series_analytic(tmp_path, caplog, opened):
    write(tmp_path / "P7", P7_a_5=FLAIR, P7_b_3=T1, P7_c_9=POST, P7_d_1=LOCALIZER)
    (source,) = open_cases(tmp_path / opened)
    assert (source.id, source.read().sequences) == (
        "P7",
        ("pre-contrast", "FLAIR", "post-contrast"),
    )
    assert "P7_d_1.nii.gz" in caplog.text


def test_the_name_counts_where_it_tells(tmp_path):
    write(tmp_path / "P7", P7_flair=T1)
    (source,) = open_cases(tmp_path)
    assert source.read().sequences == ("FLAIR",)


@pytest.mark.parametrize(
    "said", [None, "{", "[" * 10**5, "[]", "{}", '{"SeriesDescription": ["t1"], "EchoTime": "x"}']
)
def test_a_file_that_tells_nothing_is_not_guessed_from(tmp_path, said):
    write(tmp_path / "P7", P7_a_5=said)
    if said and "t1" in said:
        assert open_cases(tmp_path)[0].read().sequences == ("pre-contrast",)
    else:
        with pytest.raises(InputError, match="without such a name"):
            open_cases(tmp_path)


@pytest.mark.parametrize("element", ["PatientID", "PatientName", "StudyInstanceUID"])
def test_series_of_several_patients_are_no_case_analytic(tmp_path, element):
    write(tmp_path / "all", a_5=FLAIR | {element: "Doe-1"}, b_4=T1 | {element: "Roe-2"})
    (source,) = open_cases(tmp_path / "all")
    with pytest.raises(CaseError) as caught:
        source.read()
    message = str(caught.value)
    assert f"the {element} in the JSON files differs): a_5.nii.gz, b_4.nii.gz in" in message
    assert "--pattern" in message
    assert "--manifest" in message
    assert "Doe" not in message  # nor any other value of a header


def test_series_of_one_patient_are_a_case_also_where_some_are_anonymised_analytic(tmp_path):
    one = {"PatientID": "1", "StudyInstanceUID": "1.2"}
    write(tmp_path / "P7", a_5=FLAIR | one, b_4=T1 | one, c_6=POST)
    (source,) = open_cases(tmp_path / "P7")
    assert len(source.read().sequences) == 3


def test_several_patients_in_one_folder_are_read_by_a_pattern_analytic(tmp_path):
    write(tmp_path, a_5=FLAIR | {"PatientID": "1"}, b_5=FLAIR | {"PatientID": "2"})
    cases = open_cases(tmp_path, pattern="{patient}_{role:5=flair}.nii.gz")
    assert [(case.patient, case.read().sequences) for case in cases] == [
        ("a", ("FLAIR",)),
        ("b", ("FLAIR",)),
    ]
