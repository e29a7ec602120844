"""Tables with a row per patient, and the column that tells whose it is."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from lggshape.errors import InputError
from lggshape.names import counted, first_few
from lggshape.tables.missing import is_missing
from lggshape.tables.numerals import plain_numbers
from lggshape.tables.sources import TableSource
from lggshape.tables.text_table import TextTable, read_text_table

_STANDARD = ("patient", "participantid")
"""The names that need no choice, the first before the second: that of lggshape, and of BIDS."""

_WORDS = frozenset(
    {
        *_STANDARD,
        "patientid", "patientno", "patientnr", "patientnumber", "patientcode",
        "subject", "subjectid", "subjectno", "subjectnumber", "participant",
        "case", "caseid", "id", "pid", "recordid", "studyid", "samplename",
    }
)  # fmt: skip
"""Names of columns of patients, in lower case and with letters alone."""

_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
"""A long number as Excel shows and saves it."""


_REMEDY = "Name the column with `patient_column` (--patient-column)."


def find_patient_column(
    columns: Iterable[str], where: str, *, but: Sequence[str] = (), remedy: str = _REMEDY
) -> str:
    """Find the column that tells whose a row is.

    Parameters
    ----------
    columns : iterable of str
        The columns of a table.
    where : str
        What messages call the table.
    but : sequence of str
        Columns that mean something else in such a table.
    remedy : str
        What to do if the column is not found.

    Returns
    -------
    str
        The column called Patient, or else participant_id, or else the only one that has any other
        name of patients, such as ID, subject or case. Case, blanks, `_`, `-` and `.` do not count.

    Raises
    ------
    InputError
        If no column or several could be meant.

    Examples
    --------
    >>> find_patient_column(["Subject ID", "grade", "BraTS ID"], "the table")
    'Subject ID'
    """
    known = list(columns)
    words = {name: re.sub(r"[\s_.-]", "", name).casefold() for name in known if name not in but}
    for standard in _STANDARD:
        if called := [name for name, word in words.items() if word == standard]:
            break
    else:
        called = [name for name, word in words.items() if word in _WORDS]
    if len(called) == 1:
        return called[0]
    found = (
        f"several that could be it: {', '.join(called)}"
        if called
        else f"none with such a name among: {first_few(known, 10)}"
    )
    msg = (
        f"Expected {where} to have one column of patients, such as Patient, ID or subject, found "
        f"{found}. {remedy}"
    )
    raise InputError(msg)


def read_patient_table(source: TableSource, *, patient_column: str | None = None) -> TextTable:
    """Read a table with one row per patient.

    Parameters
    ----------
    source : path or DataFrame
        A file or a table in memory, as for `read_text_table`.
    patient_column : str, optional
        The column with the patients' keys; by default the one that `find_patient_column` finds.

    Returns
    -------
    TextTable
        Every cell as text, indexed by patient, without the patient column. A key that is a whole
        number has no decimal point: patient 7.0 is patient 7.

    Raises
    ------
    InputError
        If there is no such column, or a patient has no key or two rows, or Excel has shortened the
        keys.

    Examples
    --------
    >>> read_patient_table(pd.DataFrame({"ID": [7.0, 8.0], "sex": ["F", "M"]})).cells.index.tolist()
    ['7', '8']
    """
    if patient_column is not None:
        patient_column = str(patient_column)  # a DataFrame may have numbers for names
    read = read_text_table(source, required=[] if patient_column is None else [patient_column])
    if patient_column is None:
        patient_column = find_patient_column(read.cells.columns, read.where)
    keys = patient_keys(read, patient_column)
    doubled = sorted(set(keys[keys.duplicated()]))
    if doubled:
        msg = (
            f"Expected one row per patient in {read.where}, found several of: "
            f"{first_few(doubled)}. Keep one row of each."
        )
        raise InputError(msg)
    table = read.cells.drop(columns=patient_column)
    table.index = pd.Index(keys.tolist(), name="patient", dtype=keys.dtype)
    return replace(read, cells=table)


def patient_keys(read: TextTable, column: str) -> "pd.Series[str]":
    """Return the keys of the patients of a table, one in each row.

    Parameters
    ----------
    read : TextTable
        The table.
    column : str
        The column that tells whose a row is.

    Returns
    -------
    Series of str
        The keys; those that are whole numbers without a decimal point. A letter and its accent are
        one character (NFC), also where the names of files come from a Mac, which has two.

    Raises
    ------
    InputError
        If a row has no key, or Excel has shortened one to a number such as 1.23E+11.

    Examples
    --------
    >>> patient_keys(read_text_table(pd.DataFrame({"ID": [7.0, 8.0]})), "ID").tolist()
    ['7', '8']
    """
    keys = plain_numbers(read.cells[column]).map(lambda key: unicodedata.normalize("NFC", key))
    lacking = is_missing(keys).to_numpy()
    if lacking.any():
        row = read.lines[int(lacking.argmax())]
        msg = f"Expected every row of {read.where} to name its patient, found none in {row}."
        raise InputError(msg)
    shortened = [key for key in keys if _SHORTENED.fullmatch(key)]
    if shortened:
        msg = (
            f"Expected the column {column} of {read.where} to name patients, found that Excel has "
            f"shortened {counted(len(shortened), 'long number')}, as {shortened[0]}. Make it a "
            "column of text in Excel and enter the numbers again."
        )
        raise InputError(msg)
    return keys
