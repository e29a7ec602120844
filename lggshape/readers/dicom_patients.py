"""The table of keys and PatientIDs, which only the user may read and which is written if asked."""

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import written_whole
from lggshape.readers.dicom_case import DicomCase
from lggshape.readers.source import CaseSource
from lggshape.results import recorded_in_place

FILE = "private_patients.csv"


def patient_table(cases: Iterable[CaseSource]) -> pd.DataFrame:
    """Return the PatientID of each case of DICOM files.

    Parameters
    ----------
    cases : iterable of CaseSource
        The cases. Those of other files are left aside.

    Returns
    -------
    DataFrame
        A row per case with the columns `case`, `patient` (the key) and `PatientID`.

    Raises
    ------
    InputError
        If no case is of DICOM files.
    """
    rows = [(one.id, one.patient, one.patient_id()) for one in cases if isinstance(one, DicomCase)]
    if not rows:
        msg = "Expected cases of DICOM files, to list their PatientIDs, found none."
        raise InputError(msg)
    return pd.DataFrame(rows, columns=["case", "patient", "PatientID"])


def write_patient_table(folder: Path, table: pd.DataFrame) -> str:
    """Write a table of PatientIDs that only its owner can read; return its name.

    Parameters
    ----------
    folder : Path
        The folder of results.
    table : DataFrame
        What `patient_table` returns.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = folder / FILE
    with recorded_in_place(folder, FILE), written_whole(path) as temporary:
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
            file.write(table.to_csv(index=False, lineterminator="\n"))
    return FILE
