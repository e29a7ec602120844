"""What a section of a report is made of: sentences, tables and figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import pandas as pd

from lggshape.report import wording
from lggshape.report.page import Drawing

Format = Callable[[Any], str]
"""From a row of a table to the text of a cell."""


@dataclass(frozen=True)
class Text:
    """A paragraph; `style` is a class of the style sheet: "lead", "note" or none."""

    text: str
    style: str = ""
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Figure:
    """Drawings side by side."""

    drawings: Sequence[Drawing]
    kind: ClassVar[str] = "figure"


class Column(NamedTuple):
    """A column of a table: its title, what it says of a row, and whether that is text."""

    title: str
    cell: Format
    is_text: bool = False


@dataclass(frozen=True)
class Table:
    """A table, and the file (without ending) that its numbers are from."""

    caption: str
    source: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    kind: ClassVar[str] = "table"


Block = Text | Table | Figure


class Section(NamedTuple):
    """A section: its anchor, its heading, and what is in it."""

    name: str
    title: str
    blocks: Sequence[Block]


def table(data: pd.DataFrame, caption: str, source: str, *columns: Column) -> Table:
    """Fill a table from a data frame, a row a row."""
    rows = [[column.cell(row) for column in columns] for row in data.itertuples(index=False)]
    return Table(caption, source, columns, rows)


def words(title: str, name: str) -> Column:
    """Make a column of text."""
    return Column(title, lambda row: _shown(getattr(row, name)), is_text=True)


def feature(title: str = "feature", name: str = "feature") -> Column:
    """Make a column of the abbreviations of features."""
    return Column(title, lambda row: wording.symbol(getattr(row, name)), is_text=True)


def number(title: str, name: str, digits: int = 2) -> Column:
    """Make a column of numbers with so many digits."""
    return Column(title, lambda row: wording.number_text(float(getattr(row, name)), digits))


def count(title: str, name: str) -> Column:
    """Make a column of whole numbers."""
    return Column(title, lambda row: wording.number_text(float(getattr(row, name)), 0))


def p(title: str, name: str = "p") -> Column:
    """Make a column of p-values."""
    return Column(title, lambda row: wording.p_text(float(getattr(row, name))))


def interval(title: str, estimate: str, low: str, high: str) -> Column:
    """Make a column of estimates with their intervals."""

    def cell(row: Any) -> str:
        return wording.interval_text(*(float(getattr(row, name)) for name in (estimate, low, high)))

    return Column(title, cell)


def yes(title: str, name: str) -> Column:
    """Make a column of truth values."""
    return Column(title, lambda row: "yes" if getattr(row, name) else "no", is_text=True)


def _shown(value: Any) -> str:
    return "—" if pd.isna(value) or value == "" else str(value)
