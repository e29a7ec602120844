"""Codebooks: what the codes in label tables mean."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

import pandas as pd

from lggshape.errors import InputError
from lggshape.files import read_toml, shipped_files
from lggshape.tables import plain_numbers


class Kind(StrEnum):
    """What a label measures, and so which tests it can take part in."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    CONTINUOUS = "continuous"
    SURVIVAL = "survival"
    TIME = "time"
    IDENTIFIER = "identifier"

    @property
    def has_levels(self) -> bool:
        """Whether the label divides the patients into groups."""
        return self in {Kind.NOMINAL, Kind.ORDINAL}

    @property
    def word(self) -> str:
        """What texts call it: a nominal label is categorical."""
        return "categorical" if self is Kind.NOMINAL else self.value


_KINDS = {kind.value: kind for kind in Kind if kind is not Kind.SURVIVAL} | {
    "categorical": Kind.NOMINAL
}
"""What a codebook may call the kind of a column; survival takes two columns."""


@dataclass(frozen=True)
class LabelCodes:
    """The codes of one label.

    Attributes
    ----------
    kind : Kind
        What it measures.
    levels : mapping of str to str
        Code to name of the level, in the published order; empty if the cells hold no codes.
    """

    kind: Kind
    levels: Mapping[str, str]


@dataclass(frozen=True)
class TableCodes:
    """The codes of one kind of table.

    Attributes
    ----------
    recognised_by : tuple of str
        A table that has all these columns is of this kind.
    labels : mapping of str to LabelCodes
        The columns that are described.
    missing : frozenset of str
        Cells, in lower case, that mean "not available" in such a table.
    """

    recognised_by: tuple[str, ...]
    labels: Mapping[str, LabelCodes]
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Codebook:
    """What the codes in label tables mean.

    Attributes
    ----------
    missing : frozenset of str
        Cells, in lower case, that mean "not available" in every table, beside the usual ones.
    tables : tuple of TableCodes
        The kinds of table that are described.
    """

    missing: frozenset[str]
    tables: tuple[TableCodes, ...]

    def tables_with(self, columns: Iterable[str]) -> list[TableCodes]:
        """Return the kinds of table that a table with these columns can be.

        Examples
        --------
        >>> codes = LabelCodes(Kind.NOMINAL, {"1": "female", "2": "male"})
        >>> book = Codebook(frozenset(), (TableCodes(("sex",), {"sex": codes}),))
        >>> len(book.tables_with(["patient", "sex", "age"])), len(book.tables_with(["age"]))
        (1, 0)
        """
        present = set(columns)
        return [table for table in self.tables if present.issuperset(table.recognised_by)]


def read_codebook(path: str | os.PathLike[str] | None = None) -> Codebook:
    """Read a codebook.

    Parameters
    ----------
    path : path, optional
        A TOML file with a [[table]] for each kind of table, and in it `recognised_by`, a list of
        columns, and `labels`: for each label a table of codes and names of levels, such a table
        with a kind, as `{kind = "ordinal", levels = {1 = "low", 2 = "high"}}`, or one of the words
        "categorical", "ordinal", "continuous", "time" and "identifier". `missing` lists more words
        for a missing value. Without a path: all bundled codebooks.

    Returns
    -------
    Codebook
        Its tables and its words for "missing". Those of a bundled codebook belong to its tables.

    Raises
    ------
    InputError
        If the file is no TOML or not of that form.

    Examples
    --------
    >>> len(read_codebook().tables) > 0  # the bundled ones
    True
    """
    if path is not None:
        return _codebook(read_toml(path), str(path))
    shipped = [_shipped(*file) for file in shipped_files("codebook.toml").items()]
    tables = (replace(table, missing=book.missing) for book in shipped for table in book.tables)
    return Codebook(missing=frozenset(), tables=tuple(tables))


@cache
def _shipped(study: str, content: bytes) -> Codebook:
    """Read a bundled codebook, once: every table of labels is compared with it."""
    return _codebook(read_toml(content), f"the codebook of the study {study}")


def _codebook(content: Mapping[str, Any], where: str) -> Codebook:
    tables, missing = content.get("table", []), content.get("missing", [])
    if not isinstance(tables, list) or not isinstance(missing, list):
        msg = f"Expected [[table]] entries and a list `missing` in {where}."
        raise InputError(msg)
    unknown = sorted(set(content) - {"table", "missing"})
    if unknown:
        msg = f"Expected only [[table]] entries and `missing` in {where}, found {unknown[0]}."
        raise InputError(msg)
    return Codebook(
        missing=frozenset(word.lower() for word in _codes(missing)),
        tables=tuple(_table_codes(table, where) for table in tables),
    )


def _codes(values: Iterable[Any]) -> list[str]:
    """Return codes as they stand in tables that are read: 2.0 is "2"."""
    return plain_numbers(pd.Series([str(value) for value in values], dtype=str)).tolist()


def _table_codes(entry: Any, where: str) -> TableCodes:
    match entry:
        case {"recognised_by": [*columns], "labels": dict(labels)} if columns:
            return TableCodes(
                tuple(map(str, columns)),
                {name: _label_codes(name, value, where) for name, value in labels.items()},
            )
    msg = (
        "Expected each [[table]] of a codebook to have `recognised_by`, a list of columns, and "
        f"`labels`, found {sorted(entry) if isinstance(entry, dict) else entry!r}: {where}."
    )
    raise InputError(msg)


def _label_codes(name: str, value: Any, where: str) -> LabelCodes:
    match value:
        case str() if value in _KINDS:
            return LabelCodes(_KINDS[value], {})
        case {"kind": str(kind), "levels": dict(levels)}:
            if len(value) == 2 and levels and kind in _KINDS and _KINDS[kind].has_levels:
                return LabelCodes(_KINDS[kind], _levels(name, levels, where))
        case dict() if value:
            return LabelCodes(Kind.NOMINAL, _levels(name, value, where))
    msg = (
        f"Expected label {name} to be a table of codes, a table with `kind` (categorical or "
        f"ordinal) and `levels`, or one of {', '.join(map(repr, _KINDS))}, found {value!r}: "
        f"{where}."
    )
    raise InputError(msg)


def _levels(name: str, given: Mapping[str, Any], where: str) -> dict[str, str]:
    codes, levels = _codes(given), list(given.values())
    if len(set(codes)) < len(codes):
        msg = (
            f"Expected every code of label {name} once, found {', '.join(given)}, of which two "
            f"are the same number: {where}."
        )
        raise InputError(msg)
    if not all(isinstance(level, str | int | float) and str(level).strip() for level in levels):
        msg = f"Expected names of levels for the codes of label {name}, found {levels}: {where}."
        raise InputError(msg)
    return dict(zip(codes, map(str, levels), strict=True))
