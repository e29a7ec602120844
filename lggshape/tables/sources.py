"""Where a table is: a file, a sheet of a workbook, or the memory; and what messages call it."""

import os
import re
from pathlib import Path

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import StrPath

TableSource = StrPath | pd.DataFrame
"""A table as public functions take it: a file, `book.xlsx:Sheet`, or a table in memory."""

Rows = list[tuple[int, list[str]]]
"""Rows of cells, the header first, each with the number of the line or row where it ends."""

# Excel allows none of these characters in the name of a sheet.
_SHEET = re.compile(r"(?P<file>.+\.xls[xm]):(?P<sheet>[^:\\/?*\[\]]+)", re.IGNORECASE | re.DOTALL)


def split_sheet(path: StrPath) -> tuple[Path, str]:
    """Return the file of a table, and the sheet that is named after a colon; "" without one.

    Examples
    --------
    >>> split_sheet("book.xlsx:Clinical data")
    (PosixPath('book.xlsx'), 'Clinical data')
    >>> split_sheet("labels.csv")
    (PosixPath('labels.csv'), '')
    """
    found = _SHEET.fullmatch(os.fspath(path))
    if found is None or Path(path).exists():
        return Path(path), ""
    return Path(found["file"]), found["sheet"]


def table_file(path: StrPath) -> Path:
    """Return the file that a table is read from.

    Parameters
    ----------
    path : path
        A file, or `book.xlsx:Sheet`.

    Returns
    -------
    Path
        The same without a sheet.

    Examples
    --------
    >>> table_file("book.xlsx:Clinical").name
    'book.xlsx'
    """
    return split_sheet(path)[0]


def table_title(source: StrPath) -> str:
    """Return what a table is called by default: its file without the ending, and the sheet.

    Parameters
    ----------
    source : path
        A file, or `book.xlsx:Sheet`.

    Returns
    -------
    str
        Its name in `table:column`.

    Examples
    --------
    >>> table_title("data/labels.csv"), table_title("book.xlsx:Clinical")
    ('labels', 'book:Clinical')
    """
    file, sheet = split_sheet(source)
    return f"{file.stem}:{sheet}" if sheet else file.stem


def table_name(source: TableSource) -> str:
    """Return what messages call a table: its path, or that it is one in memory.

    Examples
    --------
    >>> table_name("a.csv"), table_name(pd.DataFrame())
    ('a.csv', 'the table in memory')
    """
    return "the table in memory" if isinstance(source, pd.DataFrame) else str(source)


def check_path(value: object, expected: str) -> None:
    """Raise InputError, with what was expected, for what is neither a path nor a DataFrame.

    Examples
    --------
    >>> check_path("a.csv", "a table")
    """
    if not isinstance(value, str | os.PathLike | pd.DataFrame):
        msg = f"Expected {expected}, found {type(value).__name__}."
        raise InputError(msg)
