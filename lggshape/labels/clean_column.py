"""Columns of label tables as people fill them in: what is missing, and what is written how."""

from collections import Counter
from typing import NamedTuple

import pandas as pd

from lggshape.labels.codebook import LabelCodes
from lggshape.tables import (
    DecimalMarks,
    dates,
    is_missing,
    missing_words,
    plain_numbers,
    plain_numerals,
)


class CleanColumn(NamedTuple):
    """A column without its missing cells.

    Attributes
    ----------
    cells : Series of str
        Indexed by patient; numbers with a decimal point and without thousands separators.
    missing : Counter of str
        The words that count as missing, as they are written, without those of a codebook.
    unusable : str
        Why the column cannot be a label, to follow "found"; empty if it can.
    """

    cells: "pd.Series[str]"
    missing: Counter[str]
    unusable: str


def clean_column(
    column: "pd.Series[str]",
    marks: DecimalMarks,
    codes: LabelCodes | None = None,
    missing: frozenset[str] = frozenset(),
) -> CleanColumn:
    """Return the cells of a column that hold a value, in the usual notation.

    Parameters
    ----------
    column : Series of str
        Indexed by patient.
    marks : DecimalMarks
        What the table tells about its decimal mark.
    codes : LabelCodes, optional
        What a codebook says of the column. Its codes are neither missing nor numbers.
    missing : frozenset of str
        Further words for a missing value, in lower case.

    Returns
    -------
    CleanColumn
        The cells, the words that count as missing, and why it cannot be used, if so.
    """
    levels = codes.levels if codes else {}
    read = plain_numerals(column, marks)
    cells = plain_numbers(column if levels else read.cells)
    stated = cells.str.lower().isin(missing)
    lacking = is_missing(cells) & ~cells.isin(list(levels)) & ~stated
    kept = cells[~lacking & ~stated]
    unusable = "" if levels else read.unclear or _why_dates(kept)
    return CleanColumn(kept, missing_words(cells[lacking]), unusable)


def _why_dates(cells: "pd.Series[str]") -> str:
    found = dates(cells)
    if not found:
        return ""
    if len(found) == len(cells):
        return f"dates, as {found[0]}. A label is a level or a number, such as the days between"
    return (
        f"dates beside other values, as {found[0]} ({len(found)} of {len(cells)}): Excel turns "
        "1-2 and SEPT2 into dates. Make it a column of text and enter the values again"
    )
