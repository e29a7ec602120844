"""Numbers as people write them: decimal commas, thousands separators, percent."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import pandas as pd

from lggshape.tables.missing import is_missing

_GROUPS = r"[1-9]\d{0,2}(?:(?P<separator>[%s '’\u00a0\u2009\u202f])\d{3}(?:(?P=separator)\d{3})*)"
_POINT, _COMMA = (
    re.compile(rf"[+-]?(?:{_GROUPS % other}|\d+)?(?:{re.escape(mark)}\d*)?(?:[eE][+-]?\d+)?")
    for mark, other in ((".", ","), (",", "."))
)
"""Numbers with a decimal point, or with a comma; the other one may stand between thousands."""

_BETWEEN_THOUSANDS = str.maketrans("", "", " '’\u00a0\u2009\u202f")

_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?"
    r"|\d{1,2}([./-])\d{1,2}\4\d{4}"
    # What Excel makes of "1-2" and of "SEPT2".
    rf"|\d{{1,2}}-{_MONTH}(-\d{{2}}|-\d{{4}})?|{_MONTH}-\d{{2}}",
    re.IGNORECASE,
)


class DecimalMarks(NamedTuple):
    """What the numbers of a table tell about its decimal mark.

    Attributes
    ----------
    point, comma : bool
        Whether there is a column of numbers in which the point, or the comma, can only be decimal.
    semicolons : bool
        Whether its cells are separated by semicolons, as programs do where the comma is decimal.
    """

    point: bool = False
    comma: bool = False
    semicolons: bool = False


class PlainNumerals(NamedTuple):
    """A column with its numbers in the usual notation.

    Attributes
    ----------
    cells : Series of str
        The column; as it was if it holds anything but numbers, or is not clear.
    unclear : str
        What cannot be read for certain, and what to do, to follow "found"; empty if all is clear.
    """

    cells: "pd.Series[str]"
    unclear: str = ""


def decimal_marks(table: pd.DataFrame, *, semicolons: bool = False) -> DecimalMarks:
    """Return what the numbers of a table tell about its decimal mark.

    Parameters
    ----------
    table : DataFrame
        As from `read_table`.
    semicolons : bool
        Whether semicolons separate its cells.

    Returns
    -------
    DecimalMarks
        For `plain_numerals`.

    Examples
    --------
    >>> decimal_marks(pd.DataFrame({"volume": ["1,5", "20,25"], "grade": ["II", "III"]}))
    DecimalMarks(point=False, comma=True, semicolons=False)
    """
    columns = [_values(cells) for _, cells in table.items()]
    fits = [(values, *_fits(values)) for values in columns]
    return DecimalMarks(
        any(point and not comma for _, point, comma in fits),
        any(comma and not point and _surely_decimal(values) for values, point, comma in fits),
        semicolons,
    )


def plain_numerals(cells: "pd.Series[str]", marks: DecimalMarks) -> PlainNumerals:
    """Write the numbers of a column with a decimal point and without thousands separators.

    A column is changed only if all that it holds are numbers: with a decimal comma, with points,
    commas, blanks or apostrophes between thousands, or percent, of which 45% is 0.45. Where 1,234
    can be two numbers, the other columns of the table decide; if they do not, the column is as it
    was and the reason is returned.

    Parameters
    ----------
    cells : Series of str
        A column, as from `read_table`.
    marks : DecimalMarks
        As from `decimal_marks`.

    Returns
    -------
    PlainNumerals
        The column, and what is not clear.

    Examples
    --------
    >>> marks = DecimalMarks(comma=True, semicolons=True)
    >>> plain_numerals(pd.Series(["1.234,5", "NA", "0,75"]), marks).cells.tolist()
    ['1234.5', 'NA', '0.75']
    >>> plain_numerals(pd.Series(["1,234", "987"]), DecimalMarks()).unclear
    '"1,234", which can be 1234 or 1.234. Write numbers without separators of thousands'
    """
    values = _values(cells)
    if not values:
        return PlainNumerals(cells)
    plain = [value.removesuffix("%").rstrip() for value in values]
    percent = sum(value.endswith("%") for value in values)
    point, comma = _fits(values)
    if not point and not comma:
        if all(_is_number(value) for value in plain):
            return PlainNumerals(cells, _two_notations(values))
        return PlainNumerals(cells)
    if 0 < percent < len(values):
        return PlainNumerals(cells, _two_notations(values))
    mark, unclear = _mark(plain, marks, point=point, comma=comma)
    if unclear:
        return PlainNumerals(cells, unclear)
    changed = {
        value: _plain(text, mark, percent=percent > 0)
        for value, text in zip(values, plain, strict=True)
    }
    return PlainNumerals(cells.map(lambda cell: changed.get(cell, cell)))


def plain_numbers(cells: "pd.Series[str]") -> "pd.Series[str]":
    """Write whole numbers without a decimal point, as "2" for "2.0"; leave all other text alone.

    Spreadsheets and pandas write the code 2 as "2.0" in a column with missing cells.

    Examples
    --------
    >>> plain_numbers(pd.Series(["2.0", "2.5", "007"])).tolist()
    ['2', '2.5', '007']
    """
    return cells.map(plain_number)


def plain_number(cell: str) -> str:
    """Return a cell in which a whole number has no decimal point.

    Examples
    --------
    >>> plain_number("-9.0"), plain_number("2.5")
    ('-9', '2.5')
    """
    return re.sub(r"^(-?\d+)\.0+$", r"\1", cell)


def is_numeral(cell: str) -> bool:
    """Return whether a cell is a number, with a decimal point or a decimal comma, or in percent.

    Examples
    --------
    >>> is_numeral("1,5"), is_numeral("45 %"), is_numeral("52 y")
    (True, True, False)
    """
    return _is_number(cell.removesuffix("%").rstrip())


def dates(cells: Iterable[str]) -> list[str]:
    """Return the cells that are dates.

    Examples
    --------
    >>> dates(["2021-03-04", "II", "04.03.2021", "2-Sep"])
    ['2021-03-04', '04.03.2021', '2-Sep']
    """
    return [cell for cell in cells if _DATE.fullmatch(cell)]


def _values(cells: "pd.Series[str]") -> list[str]:
    return list(dict.fromkeys(cells[~is_missing(cells)].tolist()))


def _fits(values: Sequence[str]) -> tuple[bool, bool]:
    """Return whether all values are numbers with a decimal point, and with a decimal comma."""
    plain = [value.removesuffix("%").rstrip() for value in values]
    point, comma = (
        bool(plain) and all(_matches(form, value) for value in plain) for form in (_POINT, _COMMA)
    )
    return point, comma


def _matches(form: re.Pattern[str], value: str) -> bool:
    return any(one.isdigit() for one in value) and form.fullmatch(value) is not None


def _is_number(value: str) -> bool:
    return _matches(_POINT, value) or _matches(_COMMA, value)


def _mark(
    values: Sequence[str], marks: DecimalMarks, *, point: bool, comma: bool
) -> tuple[str, str]:
    """Return the decimal mark of a column of numbers, or what is not clear about it."""
    with_point = [value for value in values if "." in value]
    with_comma = [value for value in values if "," in value]
    if point and comma:
        return _mark_of_thousands(with_point, with_comma, marks)
    # "1,2" may also be a list: that the comma is decimal has to be seen somewhere.
    clear = marks.semicolons or marks.comma or not with_comma or _surely_decimal(with_comma)
    if comma and not clear:
        return "", (
            f'"{with_comma[0]}", of which it is not clear that the comma is decimal. Write numbers '
            "with a decimal point, and lists with another separator"
        )
    return ("." if point else ","), ""


def _mark_of_thousands(
    with_point: Sequence[str], with_comma: Sequence[str], marks: DecimalMarks
) -> tuple[str, str]:
    """Return the decimal mark of a column where it may separate thousands, or what is not clear."""
    if not with_point and not with_comma:
        return ".", ""
    if with_point and with_comma:
        return "", _two_notations([with_comma[0], with_point[0]])
    commas_alone = marks.comma and not marks.point
    if with_comma and (commas_alone or (marks.semicolons and not marks.point)):
        return ",", ""
    if with_comma and marks.point and not marks.comma:
        return ".", ""
    if with_point and commas_alone and marks.semicolons:
        return ",", ""
    if with_point and not commas_alone and (marks.point or not marks.semicolons):
        return ".", ""
    return "", _two_numbers((with_point or with_comma)[0])


def _surely_decimal(values: Iterable[str]) -> bool:
    """Return whether a comma among numbers is decimal, as there are no three digits after it."""
    return any(re.search(r"(^|\D)0,\d|,\d\d(\D|$)|,\d{4}|\.\d{3}(,|\.)", one) for one in values)


def _two_numbers(value: str) -> str:
    digits = re.sub(r"[.,]", "", value)
    return (
        f'"{value}", which can be {digits} or {value.replace(",", ".")}. Write numbers without '
        "separators of thousands"
    )


def _two_notations(values: Sequence[str]) -> str:
    with_mark = sorted(values, key=lambda value: ("," not in value, "%" not in value))
    return (
        f'numbers in two notations, "{with_mark[0]}" and "{with_mark[-1]}". Write all with a '
        "decimal point, and all or none in percent"
    )


def _plain(value: str, mark: str, *, percent: bool) -> str:
    other = "," if mark == "." else "."
    text = value.translate(_BETWEEN_THOUSANDS).replace(other, "").replace(mark, ".")
    if not percent:
        return text
    return format((Decimal(text) / 100).normalize(), "f")
