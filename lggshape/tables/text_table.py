"""Tables of text: every format read into the same cells."""

import csv
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import NamedTuple
from unicodedata import normalize

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import read_bytes
from lggshape.names import counted, first_few, repeated
from lggshape.tables.parquet import read_parquet
from lggshape.tables.schema_version import refuse_newer
from lggshape.tables.sources import Rows, TableSource, check_path, split_sheet, table_name
from lggshape.tables.text_files import read_text_rows
from lggshape.tables.workbooks import read_sheet

_LOGGER = logging.getLogger("lggshape")

_PACKED, _PARQUET, _OLD_EXCEL = b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How files begin; a name may have any ending."""

_MOST_BYTES = 2**28  # in memory, cells take some ten times as much

MOST_COLUMNS = 5_000
"""The most columns of a table. Every one is looked at, which takes some milliseconds."""

_UNNAMED = re.compile(r"(Unnamed: \d+(_level_\d+)?|\.\.\.\d+)?")
"""A column without a name, and what pandas and R call it when they read and write it again."""


@dataclass(frozen=True)
class TextTable:
    """A table with every cell as text.

    Attributes
    ----------
    cells : DataFrame
        All columns as `str`; missing cells are empty.
    where : str
        What messages call the table.
    lines : tuple of str
        What messages call each row.
    semicolons : bool
        Whether semicolons separate the cells of its file.
    """

    cells: pd.DataFrame
    where: str
    lines: tuple[str, ...]
    semicolons: bool = False


class _Read(NamedTuple):
    rows: Rows
    row_word: str
    separator: str = ","


def read_table(source: TableSource, *, required: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table with every cell as text (missing = empty string).

    A table in memory is read as its file would be: it gives the same cells.

    Parameters
    ----------
    source : path or DataFrame
        A file, `book.xlsx:Sheet`, or a table in memory, as for `read_text_table`.
    required : iterable of str
        Columns that have to be there.

    Returns
    -------
    DataFrame
        All columns as `str`, in the table's order, cells stripped of surrounding blanks.

    Raises
    ------
    InputError
        As `read_text_table` does.

    Examples
    --------
    >>> read_table(pd.DataFrame({"a": [1.5, None], "b": [True, False]})).values.tolist()
    [['1.5', 'True'], ['', 'False']]
    """
    return read_text_table(source, required=required).cells


def read_text_table(source: TableSource, *, required: Iterable[str] = ()) -> TextTable:
    """Read a table with every cell as text, and what messages call it and its rows.

    The content of a file tells its format: text with commas, semicolons or tabs, a workbook of
    Excel (.xlsx, .xlsm) or Parquet.

    Parameters
    ----------
    source : path or DataFrame
        A file, or a table in memory. `book.xlsx:Sheet` names the sheet of a workbook; without it
        only one sheet may have anything in it. The index of a table in memory is ignored unless it
        has a name.
    required : iterable of str
        Columns that have to be there.

    Returns
    -------
    TextTable
        The cells, stripped of surrounding blanks. Rows and columns without anything in them are
        left out. So is a column without a name, with a warning unless it numbers the rows.

    Raises
    ------
    InputError
        If it is neither a path nor a DataFrame; if the file is missing, empty or of no format that
        is read; if a row is longer or shorter than the header, a column is there twice, a required
        one is lacking, or most columns have no name.

    Examples
    --------
    >>> table = read_text_table(pd.DataFrame({"patient": ["a", "b"], "grade": [2, 3]}))
    >>> table.cells["grade"].tolist(), table.lines
    (['2', '3'], ('row 1', 'row 2'))
    """
    check_path(source, "a table: a path or a DataFrame")
    where = table_name(source)
    read = _read(source)
    rows = [(line, [cell.strip() for cell in row]) for line, row in read.rows]
    filled = [(line, row) for line, row in rows if any(row)]
    if not filled:
        empty = "a table without columns" if isinstance(source, pd.DataFrame) else "an empty file"
        msg = f"Expected {where} to be a table with a header, found {empty}."
        raise InputError(msg)
    if len(filled[0][1]) == 1:  # an empty cell of the only column is a missing value
        filled = rows[rows.index(filled[0]) :]
    cells = _cells(filled, where, read)
    missing = [name for name in required if name not in cells]
    if missing:
        wanted = f"the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        msg = f"Expected {where} to have {wanted}, found: {', '.join(cells.columns)}."
        raise InputError(msg)
    return TextTable(
        cells=cells,
        where=where,
        lines=tuple(f"{read.row_word} {line}" for line, _ in filled[1:]),
        semicolons=read.separator == ";",
    )


def _read(source: TableSource) -> _Read:
    if isinstance(source, pd.DataFrame):
        return _Read(_rows_in_memory(source), "row")
    path, sheet = split_sheet(source)
    data = read_bytes(path, "a table", most=_MOST_BYTES)  # once: it may be a pipe
    if data.startswith(_OLD_EXCEL):
        msg = (
            f"Expected {path} to be a workbook of Excel as .xlsx, found an old one (.xls) or one "
            "with a password. Save it as .xlsx, without a password."
        )
        raise InputError(msg)
    if data.startswith(_PACKED):
        return _Read(read_sheet(data, path, sheet), "row")
    if sheet:
        msg = f"Expected {path} to be a workbook with a sheet {sheet!r}, found no workbook."
        raise InputError(msg)
    if data.startswith(_PARQUET):
        return _Read(_rows_in_memory(read_parquet(data, path)), "row")
    refuse_newer(path)
    text = read_text_rows(data, path)
    return _Read(text.rows, "line", text.separator)


def _rows_in_memory(table: pd.DataFrame) -> Rows:
    if table.columns.nlevels > 1:
        msg = f"Expected a table with one row of column names, found {table.columns}."
        raise InputError(msg)
    own = [name for name in table.index.names if name not in {None, *table.columns}]
    table = table.reset_index(level=own) if own else table
    text = table.to_csv(index=False, lineterminator="\n")
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    return [(number, row) for number, row in enumerate(row for row in rows if row)]


def _cells(rows: Rows, where: str, read: _Read) -> pd.DataFrame:
    """Return the cells below a header, without empty columns and those without a name."""
    columns = rows[0][1]
    width = len(columns)
    if width > MOST_COLUMNS:
        msg = (
            f"Expected at most {MOST_COLUMNS} columns in {where}, found {width}. Keep that of the "
            "patients and those to be tested."
        )
        raise InputError(msg)
    for line, row in rows:
        if len(row) < width or any(row[width:]):
            msg = (
                f"Expected {counted(width, 'cell')} in every row of {where}, as in its header, "
                f"found {len(row)} in {read.row_word} {line}."
            )
            raise InputError(msg)
    named = [place for place, name in enumerate(columns) if not _UNNAMED.fullmatch(name)]
    others = set(range(width)).difference(named)
    unnamed = [place for place in sorted(others) if any(row[place] for _, row in rows[1:])]
    if len(unnamed) > max(1, len(named)):
        msg = (
            f"Expected the names of columns in the first row of {where}, found {len(unnamed)} "
            f"columns without a name beside: {first_few([columns[place] for place in named])}. "
            "Delete the rows above the names."
        )
        raise InputError(msg)
    unnamed = [place for place in unnamed if not _counts_rows([row[place] for _, row in rows[1:]])]
    if unnamed:
        _LOGGER.warning(
            "Expected every column of %s to have a name, found none for column %s, which is left "
            "out.",
            where,
            ", ".join(str(place + 1) for place in unnamed),
        )
    names = [columns[place] for place in named]
    if doubled := repeated(normalize("NFC", name) for name in names):
        msg = (
            f"Expected every column of {where} to have its own name, found twice: "
            f"{first_few(doubled)}. Rename one of them, or delete it."
        )
        raise InputError(msg)
    kept = [[row[place] for place in named] for _, row in rows[1:]]
    return pd.DataFrame(kept, columns=names, dtype=str)


def _counts_rows(cells: Sequence[str]) -> bool:
    """Return whether a column numbers the rows, as pandas and R write it beside a table."""
    return any(list(cells) == [str(start + i) for i in range(len(cells))] for start in (0, 1))
