"""Labels: what is known of each patient, joined from any number of tables."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import is_missing, read_patient_table
from lggshape.labels.codebook import Codebook, Kind, LabelCodes, read_codebook
from lggshape.names import natural_key

_MOST_CODES = 10
"""A column of numbers with more different values than this counts as continuous."""

_TIME_NAME = re.compile(r"(^|[._ ])(time|days|weeks|months|years)($|[._ ])", re.IGNORECASE)


@dataclass(frozen=True)
class Label:
    """One label of the patients.

    Attributes
    ----------
    name : str
        The column's own name; `table:column` if it was asked for by that.
    kind : Kind
        What it measures.
    values : Series
        Indexed by patient. Names of levels if categorical, else numbers or text. Only patients that
        have a value.
    levels : tuple of str
        The levels that occur, in the codebook's order, else in natural order; empty unless
        categorical.
    sources : tuple of str
        The tables it comes from.
    """

    name: str
    kind: Kind
    values: pd.Series
    levels: tuple[str, ...]
    sources: tuple[str, ...]


class Labels:
    """The labels of a cohort, from one or more tables.

    A label is asked for by its column's name, or as `table:column`. Tables that share a column are
    merged when that column is asked for: they have to agree wherever both have a value.

    Parameters
    ----------
    tables : mapping of str to mapping of str to Label
        The labels of each table, by the table's name.
    patients : iterable of str
        All patients that have a row in any table.
    """

    def __init__(self, tables: Mapping[str, Mapping[str, Label]], patients: Iterable[str]) -> None:
        self._tables = tables
        self.patients = frozenset(patients)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, unqualified, in the order of the tables."""
        return tuple(dict.fromkeys(name for table in self._tables.values() for name in table))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._columns(name))

    def __getitem__(self, name: str) -> Label:
        """Give one label.

        Raises
        ------
        InputError
            If no table has it, or two tables contradict each other about a patient.
        """
        columns = self._columns(name)
        if not columns:
            msg = f"Expected a label called {name!r} in the tables, found: {', '.join(self.names)}."
            raise InputError(msg)
        return _merged(name, columns)

    def _columns(self, name: str) -> list[Label]:
        found = [table[name] for table in self._tables.values() if name in table]
        if found or ":" not in name:
            return found
        table, column = name.split(":", 1)
        return [self._tables[table][column]] if column in self._tables.get(table, {}) else []


def read_labels(
    paths: Sequence[Path],
    *,
    codebook: Codebook | None = None,
    patient_column: str | None = None,
) -> Labels:
    """Read label tables, decode them and join them by patient.

    Parameters
    ----------
    paths : sequence of Path
        CSV tables, one row a patient. A table is known by its file's name without the ending.
    codebook : Codebook, optional
        What the codes mean; by default the one that ships.
    patient_column : str, optional
        The column with the patients' keys; by default the one called "patient", in upper or lower
        case.

    Returns
    -------
    Labels
        The labels of all tables.

    Raises
    ------
    InputError
        If a table cannot be read, has two rows for a patient, holds a code that the codebook does
        not know, or two tables have the same name.
    """
    codebook = codebook or read_codebook()
    tables: dict[str, dict[str, Label]] = {}
    patients: set[str] = set()
    for path in paths:
        if path.stem in tables:
            msg = (
                f"Expected label tables with different names, found two called {path.stem}: {path}."
            )
            raise InputError(msg)
        table = read_patient_table(path, patient_column=patient_column)
        patients.update(table.index)
        codes = codebook.codes_for(table.columns)
        tables[path.stem] = {
            str(name): _decoded(str(name), column, codes.get(str(name)), codebook.missing, path)
            for name, column in table.items()
        }
    return Labels(tables, patients)


def _decoded(
    name: str, column: pd.Series, codes: LabelCodes | None, missing: frozenset[str], path: Path
) -> Label:
    # "2.0" is how a spreadsheet or pandas writes the code 2 of a column with missing cells.
    cells = column.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    cells = cells[~is_missing(cells) & ~cells.str.lower().isin(missing)]
    numbers = pd.to_numeric(cells, errors="coerce")
    kind = codes.kind if codes else _guessed_kind(name, cells, numbers)
    if codes and kind is Kind.CATEGORICAL:
        unknown = cells[~cells.isin(list(codes.levels))]
        if len(unknown):
            msg = (
                f"Expected {name} to be one of the codes {', '.join(codes.levels)}, found "
                f"{unknown.iloc[0]!r} for patient {unknown.index[0]}: {path}."
            )
            raise InputError(msg)
        cells = cells.map(codes.levels)
        levels = [level for level in dict.fromkeys(codes.levels.values()) if (cells == level).any()]
    elif kind is Kind.CATEGORICAL:
        levels = sorted(set(cells), key=natural_key)
    else:
        levels = []
        if codes and numbers.isna().any():
            patient = numbers.index[numbers.isna()][0]
            msg = (
                f"Expected {name} to be a number, found {cells[patient]!r} for patient {patient}: "
                f"{path}."
            )
            raise InputError(msg)
    values = numbers.astype(float) if kind in {Kind.CONTINUOUS, Kind.TIME} else cells
    return Label(name, kind, values.rename(name), tuple(levels), (path.stem,))


def _guessed_kind(name: str, cells: pd.Series, numbers: pd.Series) -> Kind:
    if len(cells) and numbers.notna().all():
        if _TIME_NAME.search(name):
            return Kind.TIME
        return Kind.CONTINUOUS if numbers.nunique() > _MOST_CODES else Kind.CATEGORICAL
    # Names and free text differ from patient to patient; groups have several patients.
    if cells.nunique() > max(_MOST_CODES, len(cells) / 2):
        return Kind.IDENTIFIER
    return Kind.CATEGORICAL


def _merged(name: str, columns: Sequence[Label]) -> Label:
    first = columns[0]
    values, levels, sources = first.values, first.levels, first.sources
    for other in columns[1:]:
        shared = values.index.intersection(other.values.index)
        differing = [p for p in shared if values[p] != other.values[p]]
        if other.kind is not first.kind or differing:
            found = (
                f"patients {', '.join(differing)} differ"
                if differing
                else f"{first.kind} in one and {other.kind} in the other"
            )
            msg = (
                f"Expected the tables {', '.join(sources)} and {other.sources[0]} to agree on "
                f"{name}, found: {found}. Name one of them, as {sources[0]}:{name} or "
                f"{other.sources[0]}:{name}."
            )
            raise InputError(msg)
        values = values.combine_first(other.values)
        levels = tuple(dict.fromkeys((*levels, *other.levels)))
        sources = (*sources, *other.sources)
    return Label(name, first.kind, values.rename(name), levels, sources)
