"""Tables in text files: their encoding, and what separates their cells."""

import codecs
import csv
import logging
import re
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from lggshape.errors import InputError
from lggshape.names import first_few
from lggshape.tables.sources import Rows

_LOGGER = logging.getLogger("lggshape")

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_STATED = re.compile(r"sep=(.)\r?\n")
"""The first line by which a file tells Excel what separates its cells."""

_SAVE_AS = "Save it as .xlsx or as CSV UTF-8"


class TextRows(NamedTuple):
    """The rows of a text file.

    Attributes
    ----------
    rows : list of (int, list of str)
        Without empty lines, the header first.
    separator : str
        What stands between cells.
    """

    rows: Rows
    separator: str


def read_text_rows(data: bytes, path: Path) -> TextRows:
    """Read the rows of a text file.

    Parameters
    ----------
    data : bytes
        The content: in UTF-8 or UTF-16 with a byte-order mark, in UTF-8 without one, or in
        Windows-1252, which a warning names, as other encodings of one byte look the same.
    path : Path
        The file. In a file `.tsv` cells are separated by tabs and quotes are part of them. In
        others the separator is a comma, semicolon or tab: the one with which all rows have as many
        cells as the header.

    Returns
    -------
    TextRows
        The rows and the separator.

    Raises
    ------
    InputError
        If it holds no text or something else than a table, or two separators fit.
    """
    try:
        text = _decoded(data, path)
        if re.match(r"\s*<(!doctype|html|table|\?xml)", text, re.IGNORECASE):
            msg = f"Expected {path} to be a table, found HTML or XML. {_SAVE_AS}."
            raise InputError(msg)
        if path.suffix.lower() == ".tsv":
            return TextRows(_parsed(text, "\t", quoted=False), "\t")
        stated = _STATED.match(text)
        if stated:
            rows = _parsed(text[stated.end() :], stated[1])
            return TextRows([(line + 1, row) for line, row in rows], stated[1])
        separator = _separator(text, path)
        return TextRows(_parsed(text, separator), separator)
    except csv.Error as error:
        found = str(error)
        if "field limit" in found:
            found = f"a cell of more than {csv.field_size_limit()} characters"
        msg = f"Expected {path} to be a table, found: {found}. {_SAVE_AS}."
        raise InputError(msg) from error


def _decoded(data: bytes, path: Path) -> str:
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    text = _text_in(data, encoding)
    if text is None and encoding == "utf-8":
        text = _text_in(data, "cp1252")
        words = [] if text is None else re.findall(r"\w*[^\x00-\x7f]+\w*", text)
        if words:
            _LOGGER.warning(
                "Expected %s to be text in UTF-8, read it as Windows-1252: %s. If these words are "
                "wrong, save it as .xlsx or as CSV UTF-8.",
                path,
                first_few(list(dict.fromkeys(words)), 3),
            )
    if text is None:
        msg = (
            f"Expected {path} to be a table as text in UTF-8, as workbook of Excel (.xlsx) or as "
            f"Parquet, found another format. {_SAVE_AS}."
        )
        raise InputError(msg)
    return text


def _text_in(data: bytes, encoding: str) -> str | None:
    """Return the text that bytes encode; None if they encode none, or bytes of another format."""
    try:
        text = data.decode(encoding)
    except UnicodeError:
        return None
    # Every byte is a character of Windows-1252, but no text has characters that steer a printer.
    forbidden = r"[\0-\x08\x0e-\x1f]" if encoding == "cp1252" else r"\0"
    return None if re.search(forbidden, text) else text


def _parsed(text: str, separator: str, *, quoted: bool = True) -> Rows:
    reader = csv.reader(
        StringIO(text, newline=""),
        delimiter=separator,
        strict=True,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    return [(reader.line_num, row) for row in reader if row]


def _separator(text: str, path: Path) -> str:
    """Return the separator with which all rows have as many cells as the header."""
    widths = {one: len(_first_row(text, one)) for one in _SEPARATORS}
    several = [one for one, width in widths.items() if width > 1]
    if len(several) <= 1:
        return next(iter(several), ",")
    even = [one for one in several if _is_even(text, one)]
    if len(even) == 1:
        return even[0]
    if not even:
        return max(several, key=lambda one: widths[one])
    msg = (
        f"Expected one kind of separator between the cells of {path}, found that "
        f"{' and '.join(_SEPARATORS[one] for one in even)} fit. {_SAVE_AS}."
    )
    raise InputError(msg)


def _first_row(text: str, separator: str) -> list[str]:
    """Return the cells of the first row that has any; none if quotes do not fit the separator."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return next((row for row in reader if row), [])
    except csv.Error:
        return []


def _is_even(text: str, separator: str) -> bool:
    """Return whether no row is longer than the header, but for empty cells, or shorter."""
    try:
        rows = [row for _, row in _parsed(text, separator)]
    except csv.Error:
        return False
    width = len(rows[0])
    return all(len(row) >= width and not any(row[width:]) for row in rows)
