"""Label tables: read and decoded; the kind of each label is recognised from its cells."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.labels.clean_column import clean_column
from lggshape.labels.codebook import Codebook, Kind, LabelCodes, TableCodes, read_codebook
from lggshape.labels.kinds import codes_for_missing, guessed_kind
from lggshape.labels.labels import Label, Labels, LabelTable, level_order
from lggshape.names import counted
from lggshape.tables import (
    DecimalMarks,
    TableSource,
    check_path,
    decimal_marks,
    merge_spellings,
    missing_line,
    read_patient_table,
    table_name,
    table_title,
)

_LOGGER = logging.getLogger("lggshape")

LabelSource = TableSource | Iterable[TableSource] | Mapping[str, TableSource]
"""One table of labels, several, or tables by name."""

_PLAIN = TableCodes((), {})
"""A table that no codebook describes."""

_MERGED = "merged, as they differ in upper and lower case or blanks alone,"
"""What notes on merged levels say."""


_CODES = (
    "counted as numbers, though far from all others: {}. If they stand for missing values, a "
    "[[label]] lists them in `missing = [...]`"
)
"""What notes on codes among numbers say."""


class _Undecoded(NamedTuple):
    """A label table as it was read."""

    name: str
    source: TableSource
    cells: pd.DataFrame
    marks: DecimalMarks


def read_labels(
    tables: LabelSource,
    *,
    codebook: Codebook | str | os.PathLike[str] | None = None,
    patient_column: str | None = None,
) -> Labels:
    """Read label tables, decode them and join them by patient.

    Parameters
    ----------
    tables : path, DataFrame, or several
        Files (CSV, TSV, Excel, Parquet), or tables in memory, with one row per patient; several in
        a list, or in a mapping by their names. `book.xlsx:Sheet` names a sheet. Without a mapping
        a file is known by its name without the ending, a sheet as `book:Sheet`, and a table in
        memory as "labels".
    codebook : Codebook or path, optional
        What the codes mean. By default it is a bundled codebook, for a table that has its columns
        and no other codes; a warning is logged where codes differ, and the cells are kept.
    patient_column : str, optional
        The column with the patients' keys; by default the one called Patient, the `participant_id`
        of BIDS, or the only one that has another name of patients, such as ID or subject.

    Returns
    -------
    Labels
        The labels of all tables. `notes` tells which words counted as missing, and which levels
        were merged because they differ in case or blanks alone, for which a warning is logged. A
        column of dates, or with numbers of which the decimal mark is not clear, is refused when it
        is asked for.

    Raises
    ------
    InputError
        If there is no table, one cannot be read, has two rows for a patient or a row without one,
        or holds a code that the given codebook does not know, two tables have the same name, or a
        codebook is given that describes none of the tables.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"Patient": ["a", "b", "c"], "cluster": [10, 9, None]})
    >>> label = read_labels(table)["cluster"]
    >>> label.levels, label.values.to_dict()
    (('9', '10'), {'a': '10', 'b': '9'})
    """
    book = codebook if isinstance(codebook, Codebook) else read_codebook(codebook)
    known = []
    is_used = False
    for name, source in _by_name(tables).items():
        read = read_patient_table(source, patient_column=patient_column)
        kinds = book.tables_with(read.cells.columns)
        is_used = is_used or bool(kinds)
        marks = decimal_marks(read.cells, semicolons=read.semicolons)
        table = _Undecoded(name, source, read.cells, marks)
        if codebook is None:
            known.append(_decoded_if_it_fits(table, kinds))
        else:
            known.append(_decoded(table, kinds[0] if kinds else _PLAIN, book.missing))
    if codebook is not None and book.tables and not is_used:
        where = "the codebook" if isinstance(codebook, Codebook) else codebook
        wanted = " or ".join(f"({', '.join(kind.recognised_by)})" for kind in book.tables)
        msg = (
            f"Expected {where} to describe one of the label tables, found none with all columns "
            f"of its `recognised_by` {wanted}."
        )
        raise InputError(msg)
    known = _spelled_alike(known)
    for note in (note for table in known for note in table.notes if _MERGED in note):
        _LOGGER.warning("%s.", note)
    return Labels(known)


def as_labels(labels: Labels | LabelSource, *, patient_column: str | None = None) -> Labels:
    """Return labels as they are; read them, as `read_labels` does, if they are tables.

    Examples
    --------
    >>> table = pd.DataFrame({"patient": ["p1", "p2"], "sex": ["female", "male"]})
    >>> list(as_labels(table))
    ['sex']
    """
    if not isinstance(labels, Labels):
        return read_labels(labels, patient_column=patient_column)
    if patient_column is not None:
        msg = f"Expected no patient_column for labels that are read, found {patient_column!r}."
        raise InputError(msg)
    return labels


def _by_name(tables: LabelSource) -> dict[str, TableSource]:
    if isinstance(tables, Mapping):
        named = {str(name): source for name, source in tables.items()}
    else:
        several = [tables] if isinstance(tables, str | os.PathLike | pd.DataFrame) else tables
        if not isinstance(several, Iterable) or isinstance(several, pd.Series):
            check_path(several, "tables of labels: paths or DataFrames")
        named = {}
        for source in several:
            check_path(source, "tables of labels: paths or DataFrames")
            name = "labels" if isinstance(source, pd.DataFrame) else table_title(source)
            if name in named:
                msg = (
                    f"Expected label tables with different names, found two called {name}: "
                    f"{table_name(source)}. Rename one, or give both in a mapping by their names."
                )
                raise InputError(msg)
            named[name] = source
    if not named:
        msg = "Expected at least one table of labels, found none."
        raise InputError(msg)
    return named


def _decoded_if_it_fits(table: _Undecoded, kinds: Sequence[TableCodes]) -> LabelTable:
    """Decode a table by the first bundled codebook that fits all its cells, if there is one."""
    for kind in kinds:
        try:
            return _decoded(table, kind)
        except InputError as error:
            _LOGGER.warning(
                "%s The bundled codebook is not used for this table; give one of your own to name "
                "its levels.",
                error,
            )
    return _decoded(table, _PLAIN)


def _decoded(
    table: _Undecoded, kind: TableCodes, missing: frozenset[str] = frozenset()
) -> LabelTable:
    """Decode every column; an InputError if a described one holds what it should not."""
    labels: dict[str, Label] = {}
    unusable: dict[str, str] = {}
    words: dict[str, Counter[str]] = {}
    merged: dict[str, str] = {}
    where = table_name(table.source)
    for column, cells in table.cells.items():
        name = str(column)
        codes = kind.labels.get(name)
        clean = clean_column(cells.rename(name), table.marks, codes, missing | kind.missing)
        words[name] = clean.missing
        if clean.unusable:
            unusable[name] = f"Expected {name} to be a label, found {clean.unusable}: {where}."
            continue
        spelled = merge_spellings(clean.cells, codes.levels if codes else ())
        labels[name] = _label(table.name, clean.cells, spelled.cells, codes, where)
        if labels[name].kind.has_levels:
            merged[name] = spelled.describe()
    said = [f"{name}: {why}" for name, why in merged.items() if why]
    codes_found = "; ".join(filter(None, map(_codes_for_missing, labels.values())))
    notes = [
        missing_line(table.name, words),
        f"{table.name}: {_MERGED} in {'; in '.join(said)}" if said else "",
        f"{table.name}: {_CODES.format(codes_found)}" if codes_found else "",
    ]
    patients = tuple(table.cells.index)
    return LabelTable(
        table.name, table.source, labels, patients, unusable, tuple(filter(None, notes))
    )


def _codes_for_missing(label: Label) -> str:
    """Return the numbers of a label that may stand for missing values, with how many have them."""
    if label.kind not in {Kind.CONTINUOUS, Kind.TIME}:
        return ""
    codes = codes_for_missing(label.values)
    said = [f"{code:g} ({counted(int((label.values == code).sum()), 'patient')})" for code in codes]
    return f"{' and '.join(said)} in {label.name}" if said else ""


def _label(
    table: str,
    cells: "pd.Series[str]",
    spelled: "pd.Series[str]",
    codes: LabelCodes | None,
    where: str,
) -> Label:
    """Return a column as a label; its cells as they are, and with one spelling of each word."""
    name = str(cells.name)
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    numbers = numbers[np.isfinite(numbers)].reindex(cells.index)
    kind = codes.kind if codes else guessed_kind(name, spelled, numbers)
    cells = spelled if kind.has_levels else cells
    published: tuple[str, ...] = ()
    if codes and codes.levels:
        unknown = cells[~cells.isin(list(codes.levels))]
        if len(unknown):
            msg = (
                f"Expected {name} to be one of the codes {', '.join(codes.levels)}, found "
                f"{unknown.iloc[0]!r} for patient {unknown.index[0]}: {where}."
            )
            raise InputError(msg)
        cells = cells.map(codes.levels)
        published = tuple(dict.fromkeys(codes.levels.values()))
    if kind in {Kind.CONTINUOUS, Kind.TIME}:
        if numbers.isna().any():
            patient = numbers.index[numbers.isna()][0]
            msg = (
                f"Expected {name} to be a number, found {cells[patient]!r} for patient {patient}: "
                f"{where}."
            )
            raise InputError(msg)
        return Label(name, kind, numbers.rename(name), (), (table,))
    levels = level_order(cells, published) if kind.has_levels else ()
    return Label(name, kind, cells.rename(name), levels, (table,), published)


def _spelled_alike(tables: Sequence[LabelTable]) -> list[LabelTable]:
    """Return tables in which the levels of a shared column are spelled as in the first of them."""
    known: dict[str, dict[str, None]] = {}
    for table in tables:
        for name, label in table.labels.items():
            known.setdefault(name, {}).update(dict.fromkeys(label.published))
    found = []
    for table in tables:
        labels, said = dict(table.labels), []
        for name, label in table.labels.items():
            if not label.kind.has_levels:
                continue
            spelled = merge_spellings(label.values, known[name])
            known[name].update(dict.fromkeys(spelled.cells))
            if why := spelled.describe():
                levels = level_order(spelled.cells, label.published)
                labels[name] = replace(label, values=spelled.cells, levels=levels)
                said.append(f"{name}: {why}")
        notes = [f"{table.name}: {_MERGED} in {'; in '.join(said)}, as in another table"]
        found.append(replace(table, labels=labels, notes=(*table.notes, *notes[: len(said)])))
    return found
