"""What dcm2niix writes: names that do not tell the series, and JSON files that do."""

import json

import numpy as np
import pytest

from helpers.case_files import write_nifti
from lggshape.errors import InputError
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
