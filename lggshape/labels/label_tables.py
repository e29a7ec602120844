"""Label tables: read and decoded; the kind of each label is recognised from its cells."""

import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.files import (
    TableSource,
    check_path,
    is_missing,
    plain_numbers,
    read_patient_table,
    table_name,
)
from lggshape.labels.codebook import Codebook, Kind, LabelCodes, TableCodes, read_codebook
from lggshape.labels.labels import Label, Labels, LabelTable, level_order

_LOGGER = logging.getLogger("lggshape")

LabelSource = TableSource | Iterable[TableSource] | Mapping[str, TableSource]
"""One table of labels, several, or tables by name."""

_MOST_CODES = 10
"""A column of numbers with more different values than this counts as continuous."""

_PLAIN = TableCodes((), {})
"""A table that no codebook describes."""

_TIME_NAME = re.compile(r"(^|[._ ])(time|days|weeks|months|years)($|[._ ])", re.IGNORECASE)


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
        CSV or TSV files, or tables in memory, with one row per patient; several in a list, or in a
        mapping by their names. Without a mapping a file is known by its name without the ending,
        and a table in memory as "labels".
    codebook : Codebook or path, optional
        What the codes mean. By default it is a bundled codebook, for a table that has its columns
        and no other codes; a warning is logged where codes differ, and the cells are kept.
    patient_column : str, optional
        The column with the patients' keys; by default the one called "patient", in upper or lower
        case, or else the `participant_id` of BIDS.

    Returns
    -------
    Labels
        The labels of all tables.

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
        table = read_patient_table(source, patient_column=patient_column)
        kinds = book.tables_with(table.columns)
        is_used = is_used or bool(kinds)
        if codebook is None:
            labels = _decoded_if_it_fits(table, kinds, name, source)
        else:
            labels = _decoded(table, kinds[0] if kinds else _PLAIN, name, source, book.missing)
        known.append(LabelTable(name, source, labels, tuple(table.index)))
    if codebook is not None and book.tables and not is_used:
        where = "the codebook" if isinstance(codebook, Codebook) else codebook
        wanted = " or ".join(f"({', '.join(kind.recognised_by)})" for kind in book.tables)
        msg = (
            f"Expected {where} to describe one of the label tables, found none with all columns "
            f"of its `recognised_by` {wanted}."
        )
        raise InputError(msg)
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
            name = "labels" if isinstance(source, pd.DataFrame) else Path(source).stem
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


def _decoded_if_it_fits(
    table: pd.DataFrame, kinds: Sequence[TableCodes], name: str, source: TableSource
) -> dict[str, Label]:
    """Decode a table by the first bundled codebook that fits all its cells, if there is one."""
    for kind in kinds:
        try:
            return _decoded(table, kind, name, source)
        except InputError as error:
            _LOGGER.warning(
                "%s The bundled codebook is not used for this table; give one of your own to name "
                "its levels.",
                error,
            )
    return _decoded(table, _PLAIN, name, source)


def _decoded(
    table: pd.DataFrame,
    kind: TableCodes,
    name: str,
    source: TableSource,
    missing: frozenset[str] = frozenset(),
) -> dict[str, Label]:
    """Decode every column; an InputError if a described one holds what it should not."""
    missing = missing | kind.missing
    return {
        str(column): _label(
            name, cells.rename(str(column)), kind.labels.get(str(column)), missing, source
        )
        for column, cells in table.items()
    }


def _label(
    table: str,
    column: pd.Series,
    codes: LabelCodes | None,
    missing: frozenset[str],
    source: TableSource,
) -> Label:
    name = str(column.name)
    cells = plain_numbers(column)
    cells = cells[~is_missing(cells) & ~cells.str.lower().isin(missing)]
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    numbers = numbers[np.isfinite(numbers)].reindex(cells.index)
    kind = codes.kind if codes else _guessed_kind(name, cells, numbers)
    published: tuple[str, ...] = ()
    if codes and codes.levels:
        unknown = cells[~cells.isin(list(codes.levels))]
        if len(unknown):
            msg = (
                f"Expected {name} to be one of the codes {', '.join(codes.levels)}, found "
                f"{unknown.iloc[0]!r} for patient {unknown.index[0]}: {table_name(source)}."
            )
            raise InputError(msg)
        cells = cells.map(codes.levels)
        published = tuple(dict.fromkeys(codes.levels.values()))
    if kind in {Kind.CONTINUOUS, Kind.TIME}:
        if numbers.isna().any():
            patient = numbers.index[numbers.isna()][0]
            msg = (
                f"Expected {name} to be a number, found {cells[patient]!r} for patient {patient}: "
                f"{table_name(source)}."
            )
            raise InputError(msg)
        return Label(name, kind, numbers.rename(name), (), (table,))
    levels = level_order(cells, published) if kind.has_levels else ()
    return Label(name, kind, cells.rename(name), levels, (table,), published)


def _guessed_kind(name: str, cells: pd.Series, numbers: pd.Series) -> Kind:
    if len(cells) and numbers.notna().all():
        if _TIME_NAME.search(name):
            return Kind.TIME
        return Kind.CONTINUOUS if numbers.nunique() > _MOST_CODES else Kind.NOMINAL
    # Names and free text differ from patient to patient; groups have several patients.
    if cells.nunique() > max(_MOST_CODES, len(cells) / 2):
        return Kind.IDENTIFIER
    return Kind.NOMINAL
