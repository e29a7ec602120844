"""Which series is which, by what its header says."""

import pydicom
import pytest

from lggshape.readers.dicom_choice import describe

FLAIR, PRE, POST = "FLAIR", "pre-contrast", "post-contrast"
SPIN = {"ScanningSequence": "SE"}


def described(**values):
    header = pydicom.Dataset()
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    for name, value in values.items():
        setattr(header, name, value)
    return describe(header)


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("AX T2 FLAIR", FLAIR),
        ("t2_tirm_tra_dark-fluid", FLAIR),
        ("Ax FLAIR POST", FLAIR),
        ("AX T1 FLAIR", PRE),
        ("t1_mprage_sag", PRE),
        ("SAG T1 MP-RAGE+C", POST),
        ("AX T1 POST GD", POST),
        ("AX T1 W/O", PRE),
        ("t1_se_tra_KM", POST),
        ("AX BRAVO C+", POST),
        ("Axial T1 without contrast", PRE),
        ("AX T1 pre contrast", PRE),
        ("AX T1 no contrast", PRE),
        ("AX T1 -C", PRE),
        ("t1_tse_tra ohne KM", PRE),
        ("AX T1 PRE AND POST", ""),
        ("AX T2 FSE", ""),
        ("3-plane localizer", ""),
        ("ep2d_diff_b1000_ADC", ""),
        ("T1 perfusion DCE", ""),
        ("SUB T1 POST", ""),
        ("notes of the day", ""),
        ("", ""),
    ],
)
def test_words_tell_the_role_analytic(words, role):
    assert described(SeriesDescription=words).role == role


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ({"InversionTime": "2500", "EchoTime": "120"}, FLAIR),
        ({"InversionTime": "150", "EchoTime": "60"}, ""),
        ({"EchoTime": "12", "RepetitionTime": "550", **SPIN}, PRE),
        ({"EchoTime": "12", "RepetitionTime": "550", "ContrastBolusAgent": "Gd", **SPIN}, POST),
        ({"EchoTime": "100", "RepetitionTime": "4000", **SPIN}, ""),
        ({"SeriesDescription": "AX T1", "ContrastBolusAgent": "MAGNEVIST"}, POST),
        ({"SeriesDescription": "AX T1 PRE", "ContrastBolusAgent": "MAGNEVIST"}, ""),
        ({"SeriesDescription": "AX FLAIR", "EchoTime": "9"}, ""),
        ({"SeriesDescription": "AX T1", "EchoTime": "90"}, ""),
        ({"SeriesDescription": "T1 MPR", "ImageType": ["DERIVED", "SECONDARY", "MIP"]}, ""),
        ({"ProtocolName": "T2 FLAIR"}, FLAIR),
        ({"SeriesDescription": "AX T1", "ImageType": ["DERIVED", "SECONDARY", "SUBTRACT"]}, ""),
        ({"SeriesDescription": "FLAIR", "ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, ""),
        ({"SeriesDescription": "FLAIR", "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, ""),
        ({"SeriesDescription": "FLAIR", "ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, ""),
        ({"SeriesDescription": "FLAIR", "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]}, FLAIR),
        ({"SeriesDescription": "FLAIR", "ImageType": ["DERIVED", "SECONDARY", "MPR"]}, FLAIR),
        ({"SeriesDescription": "AX FLAIR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, ""),
    ],
)
def test_times_and_agents_tell_the_role_analytic(values, role):
    assert described(**values).role == role


@pytest.mark.parametrize(
    "agent", ["NO", "None", "no contrast", "ohne KM", "0", "N/A", "without", "n", "-", "kein KM"]
)
def test_an_agent_that_is_none_is_none_analytic(agent):
    assert described(SeriesDescription="AX T1", ContrastBolusAgent=agent).role == PRE
    assert described(SeriesDescription="AX T1 POST", ContrastBolusAgent=agent).role == ""


@pytest.mark.parametrize("agent", ["YES", "Gd", "10 ml Dotarem", "Novascan", "0.1 mmol/kg", "G"])
def test_any_other_agent_is_one_analytic(agent):
    assert described(SeriesDescription="AX T1", ContrastBolusAgent=agent).role == POST


def test_every_role_has_its_reason_analytic():
    assert described(SeriesDescription="AX T1", ContrastBolusAgent="Gd").reason == (
        "a word of T1, and a contrast agent"
    )
    assert described(SeriesDescription="AX ADC").reason == "the word adc"


def test_words_that_name_the_patient_are_left_out_of_the_description_analytic():
    found = described(
        SeriesDescription="AX FLAIR DOE 4711 follow-up",
        PatientName="Doe^Jane",
        PatientID="4711",
    )
    assert found.description == "AX FLAIR ? ? follow-up"


@pytest.mark.parametrize(
    ("name", "words", "shown"),
    [
        ("Doe^Jane", "FLAIR jane-d", "FLAIR ?"),
        ("O'Neill^Sean", "FLAIR oneill", "FLAIR ?"),
        ("Müller^Max", "FLAIR MUELLER muller", "FLAIR ? ?"),
        ("Öz^Ayşe", "FLAIR öz ayse", "FLAIR ? ?"),
        ("Yamada^Tarou=山田^太郎", "FLAIR 太郎 x", "FLAIR ? x"),
        ("Li^Wu", "FLAIR Li/Wu line", "FLAIR ? line"),
        ("Doe^Jane", "FLAIR 03.05.1974 5/3/74 b", "FLAIR ? ? b"),
        ("Doe^Jane", "FLAIR mrn0815 0171-555", "FLAIR ? ?"),
        ("Doe^Jane", "t2_flair_tra_3mm p2 TE120", "t2_flair_tra_3mm p2 TE120"),
    ],
)
def test_names_and_dates_in_any_spelling_are_left_out_analytic(name, words, shown):
    header = {"PatientName": name, "PatientID": "MRN-0815", "SpecificCharacterSet": "ISO_IR 192"}
    assert described(SeriesDescription=words, **header).description == shown
