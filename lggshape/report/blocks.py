"""What a report is made of: sections with paragraphs, tables, drawings and the like.

A block is data. What it looks like stands in `templates/blocks/`, in the template that has its
name, and in `templates/style/`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pandas as pd
from markupsafe import Markup


def code(text: str) -> Markup:
    """Mark text as the name of a file, an option or the like.

    Examples
    --------
    >>> print("Versions are in " + code("run.json") + ", not in <this page>.")
    Versions are in <code>run.json</code>, not in &lt;this page&gt;.
    """
    return Markup("<code>{}</code>").format(text)


def link(file: str) -> Markup:
    """Return a link to a file beside the page.

    Examples
    --------
    >>> print(link("flow.csv"))
    <a href="flow.csv"><code>flow.csv</code></a>
    """
    return Markup('<a href="{0}"><code>{0}</code></a>').format(file)


def strong(text: str) -> Markup:
    """Mark text as important.

    Examples
    --------
    >>> print(strong("R&D"))
    <b>R&amp;D</b>
    """
    return Markup("<b>{}</b>").format(text)


class Block:
    """Anything that a section can hold. `templates/blocks/` has a template for each kind."""


@dataclass(frozen=True)
class Text(Block):
    """A paragraph: the answer of its section ("lead"), a remark ("note") or plain."""

    text: str
    style: Literal["", "lead", "note"] = ""


@dataclass(frozen=True)
class Heading(Block):
    """A heading inside a section."""

    text: str


@dataclass(frozen=True)
class Points(Block):
    """A list of points without an order."""

    items: Sequence[str]


@dataclass(frozen=True)
class Facts(Block):
    """Names with their values."""

    values: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Copyable(Block):
    """Text to copy, shown when its title is clicked on."""

    title: str
    text: str


class FlowStep(NamedTuple):
    """How many there are at a step, and who they are."""

    number: int
    step: str
    remark: str = ""


@dataclass(frozen=True)
class Flow(Block):
    """From all patients, step by step, to those who were analysed."""

    steps: Sequence[FlowStep]


@dataclass(frozen=True)
class Drawing(Block):
    """A figure of the report.

    Attributes
    ----------
    name : str
        Name of its files in `figures/`, without ending.
    description : str
        What it shows, also for those who cannot see it.
    svg : str
        The figure as an element of the page (markup).
    caption : str
        What stands below it, if that is not the description.
    """

    name: str
    description: str
    svg: str
    caption: str = ""


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    title : str
        Its heading.
    cell : callable
        Takes a row of the data, as a named tuple, and returns the text of the cell.
    kind : {"number", "text", "long", "tag"}
        What it holds; a long text may be broken anywhere, a tag is a verdict.
    """

    title: str
    cell: Callable[[Any], str]
    kind: Literal["number", "text", "long", "tag"] = "number"


@dataclass(frozen=True)
class Table(Block):
    """A table.

    Attributes
    ----------
    columns : sequence of Column
        What the columns are.
    rows : sequence of sequence of str
        The cells.
    caption : str
        What the table shows.
    source : str
        The CSV file beside the report, without ending, that the numbers are from; may be empty.
    is_folded : bool
        Whether it is folded, however short it is.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    source: str = ""
    is_folded: bool = False

    @classmethod
    def of(
        cls, data: pd.DataFrame | Iterable[Any], caption: str, source: str, *columns: Column
    ) -> "Table":
        """Return a table with a row per row of the data, or per record of a list.

        Examples
        --------
        >>> data = pd.DataFrame({"label": ["grade", "IDH"], "n": [92, 110]})
        >>> label = Column("label", lambda row: row.label, "text")
        >>> Table.of(data, "Patients.", "flow", label, Column("n", lambda row: f"{row.n}")).rows
        [['grade', '92'], ['IDH', '110']]
        """
        records = data.itertuples(index=False) if isinstance(data, pd.DataFrame) else data
        rows = [[column.cell(record) for column in columns] for record in records]
        return cls(columns, rows, caption, source)


@dataclass(frozen=True)
class PatientPanels(Block):
    """All patients: a table in which masks can be marked, and a panel for each.

    Attributes
    ----------
    panels : sequence of Panel
        What is known of each, in the order of the table.
    features : sequence of (str, str, str)
        The features of the table: title, feature and kind of mask.
    is_drawn, is_checked, is_compared : bool
        Whether there are outlines, checks of the masks, and second masks.
    key : str
        What they are called by: "patient" or "case".
    """

    panels: Sequence[Any]
    features: Sequence[tuple[str, str, str]]
    is_drawn: bool
    is_checked: bool
    is_compared: bool
    key: str = "patient"


class CasePicture(NamedTuple):
    """A case with its picture.

    Attributes
    ----------
    name : str
        Its files beside the page: `<name>.svg` and `<name>-features.svg`.
    patient : str
        Its patient.
    picture : Any
        The slice with the outlines, a `Picture` or None.
    values : sequence of (str, str)
        What is known of it, by name.
    """

    name: str
    patient: str
    picture: Any
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Pictures(Block):
    """Cases with small pictures, each a link to the figures beside the page."""

    cases: Sequence[CasePicture]


@dataclass(frozen=True)
class SideBySide(Block):
    """Blocks beside each other where the page is wide enough."""

    blocks: Sequence[Block]


@dataclass(frozen=True)
class Folded(Block):
    """Blocks that are shown when their title is clicked on."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Card(Block):
    """One hypothesis or the like with all that belongs to it."""

    title: str
    tag: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section:
    """A section of a page.

    Attributes
    ----------
    name : str
        Its anchor.
    title : str
        Its heading.
    blocks : sequence of Block
        What is in it.
    short : str
        Its name in the contents, if the heading is too long for that.
    folded : bool
        Whether only its heading is shown until it is clicked on.
    """

    name: str
    title: str
    blocks: Sequence[Block]
    short: str = ""
    folded: bool = False
