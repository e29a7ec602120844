"""Labels: what is known of each patient, joined from any number of tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TypeVar

import pandas as pd

from lggshape.errors import InputError
from lggshape.labels.codebook import Kind
from lggshape.labels.kinds import MOST_LEVELS
from lggshape.names import LONGEST_NAME, counted, did_you_mean, first_few, natural_key
from lggshape.tables import TableSource

_Column = TypeVar("_Column")


@dataclass(frozen=True, repr=False)
class Label:
    """One label of the patients.

    Attributes
    ----------
    name : str
        The column's own name; `table:column` if it was asked for by that.
    kind : Kind
        What it measures.
    values : Series
        Indexed by patient. Names of levels if it has levels, else numbers or text. Only patients
        that have a value.
    levels : tuple of str
        The levels that occur, in the codebook's order, else in natural order; empty for numbers and
        identifiers.
    sources : tuple of str
        The tables it comes from.
    published : tuple of str
        All levels of the codebook in their published order, whether they occur or not; empty
        without a codebook.
    events : Series or None
        Of survival, whether each patient had the event at their time (True) or was followed up to
        it without one (False); `values` holds the times. None for all other kinds.
    where : str
        Of a label that is asked of some patients alone, which ones, in words; else empty.
    population : frozenset of str or None
        These patients, with or without a value; None for everybody.
    undecided : frozenset of str
        Who may belong to them, and lacks a value that tells.
    notes : tuple of str
        What was done to the columns to make it.
    """

    name: str
    kind: Kind
    values: pd.Series
    levels: tuple[str, ...]
    sources: tuple[str, ...]
    published: tuple[str, ...] = ()
    events: "pd.Series[bool] | None" = None
    where: str = ""
    population: frozenset[str] | None = None
    undecided: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse more levels than any test of groups could use."""
        if len(self.levels) > MOST_LEVELS:
            msg = (
                f"Expected the label {self.name} to have at most {MOST_LEVELS} levels, found "
                f"{len(self.levels)}. Merge them by the levels of a codebook or of a [[label]]."
            )
            raise InputError(msg)
        longest = max(map(len, self.levels), default=0)
        if longest > LONGEST_NAME:
            msg = (
                f"Expected the levels of {self.name} to have at most {LONGEST_NAME} characters, "
                f"found {longest}."
            )
            raise InputError(msg)

    def __repr__(self) -> str:
        levels = f", {counted(len(self.levels), 'level')}" if self.levels else ""
        patients = counted(len(self.values), "patient")
        events = "" if self.events is None else f", {counted(int(self.events.sum()), 'event')}"
        return f"Label({self.name!r} of {patients}, {self.kind.word}{levels}{events})"

    def _repr_html_(self) -> str:
        counts = self.values.value_counts().reindex(list(self.levels)).rename("patients")
        shown = counts if self.levels else self.values
        return f"<p>{escape(repr(self))}</p>{shown.to_frame().to_html(border=0, max_rows=10)}"


@dataclass(frozen=True)
class LabelTable:
    """The labels of one table.

    Attributes
    ----------
    name : str
        What it is called in `table:column`.
    source : path or DataFrame
        What it was read from.
    labels : mapping of str to Label
        Its columns by their names.
    patients : tuple of str
        The patients that have a row.
    unusable : mapping of str to str
        Columns that cannot be read for certain, each with the message that refuses it when it is
        asked for.
    notes : tuple of str
        What was done to the table on reading: words that count as missing, levels that were merged.
    """

    name: str
    source: TableSource = field(repr=False)
    labels: Mapping[str, Label] = field(repr=False)
    patients: tuple[str, ...] = field(repr=False)
    unusable: Mapping[str, str] = field(repr=False, default_factory=dict)
    notes: tuple[str, ...] = field(repr=False, default=())

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns but that of the patients, with those that cannot be used at the end."""
        return (*self.labels, *self.unusable)


class Labels:
    """The labels of a cohort, from one or more tables.

    A label is asked for by its column's name, or as `table:column`. Tables that share a column are
    merged when that column is asked for: they have to agree wherever both have a value.

    Parameters
    ----------
    tables : sequence of LabelTable
        The tables, each with a name of its own.
    defined : mapping of str to Label, optional
        Labels that were made from the columns of the tables, by name. Such a name stands for the
        made label, also where a column has it.

    Attributes
    ----------
    tables : tuple of LabelTable
        The tables.
    patients : frozenset of str
        All patients that have a row in any table.

    Examples
    --------
    >>> import pandas as pd
    >>> from lggshape.labels import read_labels
    >>> labels = read_labels(pd.DataFrame({"patient": ["a", "b"], "grade": ["II", "III"]}))
    >>> labels
    Labels(1 label of 2 patients, from labels)
    >>> labels["grade"].levels
    ('II', 'III')
    """

    def __init__(
        self, tables: Sequence[LabelTable], *, defined: Mapping[str, Label] | None = None
    ) -> None:
        self.tables = tuple(tables)
        self._defined = dict(defined or {})
        self.patients = frozenset(patient for table in self.tables for patient in table.patients)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, unqualified, in the order of the tables; then those that were made."""
        columns = (name for table in self.tables for name in table.columns)
        return tuple(dict.fromkeys((*columns, *self._defined)))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the tables on reading, and to make labels of them, a line each."""
        read = (note for table in self.tables for note in table.notes)
        made = (note for label in self._defined.values() for note in label.notes)
        return (*read, *made)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._columns(name) or self._unusable(name))

    def __getitem__(self, name: str) -> Label:
        """Return one label.

        Raises
        ------
        InputError
            If no table has it, one cannot be read for certain, or two tables contradict each other
            about a patient.
        """
        if unusable := self._unusable(name):
            raise InputError(unusable[0])
        columns = self._columns(name)
        if not columns:
            msg = (
                f"Expected a label of the tables, found no {name!r}. The labels are: "
                f"{', '.join(self.names)}.{did_you_mean(name, self.names)}"
            )
            raise InputError(msg)
        return _merged(name, columns)

    def identity(self, name: str) -> tuple[int, ...]:
        """Return what is equal for names of the same columns, as `grade` and `clinical:grade`."""
        return tuple(id(label) for label in self._columns(name))

    def __repr__(self) -> str:
        labels, patients = counted(len(self.names), "label"), counted(len(self.patients), "patient")
        return f"Labels({labels} of {patients}, from {', '.join(t.name for t in self.tables)})"

    def _repr_html_(self) -> str:
        rows = [
            {
                "table": table.name,
                "label": name,
                "kind": label.kind.word,
                "patients": len(label.values),
                "levels": ", ".join(label.levels),
            }
            for table in self.tables
            for name, label in table.labels.items()
        ]
        shown = pd.DataFrame(rows).to_html(index=False, border=0, max_rows=60)
        return f"<p>{escape(repr(self))}</p>{shown}"

    def with_defined(self, defined: Mapping[str, Label]) -> "Labels":
        """Return the same labels, and others that were made from their columns."""
        return Labels(self.tables, defined=self._defined | dict(defined))

    def _columns(self, name: str) -> list[Label]:
        if name in self._defined:
            return [self._defined[name]]
        return _called(name, [(table.name, table.labels) for table in self.tables])

    def _unusable(self, name: str) -> list[str]:
        if name in self._defined:
            return []
        return _called(name, [(table.name, table.unusable) for table in self.tables])


def _called(name: str, tables: Iterable[tuple[str, Mapping[str, _Column]]]) -> list[_Column]:
    """Return the columns of a name, `column` or else `table:column`, of the tables by name."""
    known = list(tables)
    found = [columns[name] for _, columns in known if name in columns]
    return found or [
        column
        for table, columns in known
        for own, column in columns.items()
        if name == f"{table}:{own}"
    ]


def level_order(occurring: Iterable[str], published: Sequence[str]) -> tuple[str, ...]:
    """Return levels in their order: the published one, then natural order for all others.

    Examples
    --------
    >>> level_order({"c10", "c2", "high", "low"}, ["low", "middle", "high"])
    ('low', 'high', 'c2', 'c10')
    """
    levels = set(occurring)
    known = [level for level in dict.fromkeys(published) if level in levels]
    return (*known, *sorted(levels.difference(known), key=natural_key))


def _merged(name: str, columns: Sequence[Label]) -> Label:
    first, *_ = columns = _as_numbers(columns)
    if len(columns) == 1:
        return replace(first, name=name, values=first.values.rename(name))
    values, sources, published = first.values, first.sources, first.published
    for other in columns[1:]:
        _check_agreement(name, first.kind, values, sources, other)
        values = values.combine_first(other.values)
        published = tuple(dict.fromkeys((*published, *other.published)))
        sources = (*sources, *other.sources)
    levels = level_order(values, published) if first.kind.has_levels else ()
    return Label(name, first.kind, values.rename(name), levels, sources, published)


def _as_numbers(columns: Sequence[Label]) -> Sequence[Label]:
    """Return columns in which whole numbers count as in the others, where these are numbers.

    A table of few patients has few ages, which look like codes.
    """
    kinds = {column.kind for column in columns}
    if kinds != {Kind.NOMINAL, Kind.CONTINUOUS}:
        return columns
    found = []
    for column in columns:
        numbers = pd.to_numeric(column.values, errors="coerce").astype(float)
        if column.published or numbers.isna().any():
            return columns
        found.append(replace(column, kind=Kind.CONTINUOUS, values=numbers, levels=()))
    return found


def _check_agreement(
    name: str, kind: Kind, values: pd.Series, sources: Sequence[str], other: Label
) -> None:
    shared = values.index.intersection(other.values.index)
    differing = [patient for patient in shared if values[patient] != other.values[patient]]
    if other.kind is kind and not differing:
        return
    found = (
        f"patients {first_few(differing)} differ"
        if differing
        else f"{kind.word} in one and {other.kind.word} in the other"
    )
    msg = (
        f"Expected the tables {', '.join(sources)} and {other.sources[0]} to agree on {name}, "
        f"found: {found}. Name one of them, as {sources[0]}:{name} or {other.sources[0]}:{name}."
    )
    raise InputError(msg)
