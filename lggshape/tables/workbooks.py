"""Tables in workbooks of Excel."""

import datetime
import warnings
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from lggshape.errors import InputError
from lggshape.names import did_you_mean
from lggshape.tables.sources import Rows

MOST_BYTES = 2**27
"""A workbook that unpacks to more bytes than this is refused."""

_PARTS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "a spreadsheet of OpenDocument (.ods)",
}
"""What a packed file is that is no workbook, by a part that it has."""


def read_sheet(data: bytes, path: Path, sheet: str = "") -> Rows:
    """Read the rows of a sheet of a workbook (.xlsx or .xlsm), as text.

    The values are those that Excel saved: of a formula its result, of 45 % the number 0.45, of a
    date the day as 2021-03-04. Hidden rows and columns are read too.

    Parameters
    ----------
    data : bytes
        The content of the file.
    path : Path
        What messages call it.
    sheet : str
        The name of the sheet; needed if more than one has anything in it.

    Returns
    -------
    list of (int, list of str)
        Rows with their numbers, all of one length.

    Raises
    ------
    InputError
        If the file is no such workbook, has no sheet of that name or several and none is named, or
        the sheet has merged cells, or formulas without results.
    """
    check_packed(data, path)
    sheets = {one.title: one for one in _opened(data, path, data_only=True).worksheets}
    chosen = sheets[_chosen(path, sheet, {title: _cells(one) for title, one in sheets.items()})]
    where = f"the sheet {chosen.title} of {path}"
    cells = _cells(chosen)
    merged = [str(one) for one in chosen.merged_cells.ranges]
    if merged:
        msg = (
            f"Expected a row of column names and a row per patient in {where}, found merged cells: "
            f"{', '.join(sorted(merged)[:5])}. Unmerge them, and fill in the values; delete rows "
            "above the column names."
        )
        raise InputError(msg)
    _check_formulas(data, path, chosen, where)
    if not cells:
        return []
    width = max(column for _, column in cells)
    last = max(row for row, _ in cells)
    return [
        (row, [cells.get((row, column), "") for column in range(1, width + 1)])
        for row in range(1, last + 1)
    ]


def check_packed(data: bytes, path: Path) -> None:
    """Raise if a packed file is no workbook, or unpacks to more than a table can be."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
            names = set(packed.namelist())
    except Exception as error:  # a damaged archive makes zipfile raise nearly anything
        msg = f"Expected {path} to be a workbook of Excel, found: {error}."
        raise InputError(msg) from error
    found = next((what for part, what in _PARTS.items() if part in names), "another packed file")
    if "xl/workbook.xml" not in names:
        msg = f"Expected {path} to be a workbook of Excel, found {found}. Save it as .xlsx."
        raise InputError(msg)
    if size > MOST_BYTES:
        msg = (
            f"Expected {path} to be a workbook of at most {MOST_BYTES >> 20} MiB, found "
            f"{size >> 20} MiB. Save the table as CSV UTF-8."
        )
        raise InputError(msg)


def _opened(data: bytes, path: Path, *, data_only: bool) -> Any:
    import openpyxl

    try:
        with warnings.catch_warnings():
            # Of decorations that openpyxl does not know.
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(BytesIO(data), data_only=data_only)
    except Exception as error:  # a damaged file makes openpyxl raise errors of any kind
        msg = f"Expected {path} to be a workbook of Excel, found a damaged one: {error}."
        raise InputError(msg) from error


def _chosen(path: Path, sheet: str, sheets: Mapping[str, Mapping[Any, str]]) -> str:
    if sheet:
        if sheet in sheets:
            return sheet
        msg = (
            f"Expected a sheet of {path}, found no {sheet!r}. The sheets are: "
            f"{', '.join(sheets)}.{did_you_mean(sheet, sheets)}"
        )
        raise InputError(msg)
    filled = [title for title, cells in sheets.items() if cells]
    if len(filled) == 1:
        return filled[0]
    if not sheets:
        msg = f"Expected {path} to have a sheet with a table, found none."
        raise InputError(msg)
    if not filled:
        return next(iter(sheets))
    msg = (
        f"Expected the name of a sheet, as {path}:{filled[0]}, as {path.name} has several: "
        f"{', '.join(filled)}."
    )
    raise InputError(msg)


def _cells(sheet: Any) -> dict[tuple[int, int], str]:
    """Return the cells of a sheet that hold anything; its own range may reach far beyond them."""
    found = {place: _text(cell.value) for place, cell in sheet._cells.items()}
    return {place: text for place, text in found.items() if text.strip()}


def _text(value: Any) -> str:
    """Return a value as the same value in a table in memory is written."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def _check_formulas(data: bytes, path: Path, sheet: Any, where: str) -> None:
    """Raise if formulas have no results, as in a workbook that no spreadsheet has saved."""
    # An empty text as a result is of another type.
    empty = [
        place
        for place, cell in sheet._cells.items()
        if cell.value is None and cell.data_type == "n"
    ]
    if not empty:
        return
    formulas = _opened(data, path, data_only=False)[sheet.title]._cells
    without = [formulas[place] for place in sorted(empty) if formulas[place].data_type == "f"]
    if without:
        msg = (
            f"Expected results of the formulas in {where}, found none in "
            f"{', '.join(cell.coordinate for cell in without[:5])}. Open the workbook in Excel and "
            "save it."
        )
        raise InputError(msg)
