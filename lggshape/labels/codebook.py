"""Codebooks: what the codes in label tables mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from lggshape.errors import InputError
from lggshape.files import read_toml


class Kind(StrEnum):
    """What a label measures, and so which tests it can take part in."""

    CATEGORICAL = "categorical"
    CONTINUOUS = "continuous"
    TIME = "time"
    IDENTIFIER = "identifier"


@dataclass(frozen=True)
class LabelCodes:
    """The codes of one label.

    Attributes
    ----------
    kind : Kind
        What it measures.
    levels : mapping of str to str
        Code to name of the level, in the published order; empty unless categorical.
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
    """

    recognised_by: tuple[str, ...]
    labels: Mapping[str, LabelCodes]


@dataclass(frozen=True)
class Codebook:
    """What the codes in label tables mean.

    Attributes
    ----------
    missing : frozenset of str
        Cells, in lower case, that say "not available", beside the usual ones.
    tables : tuple of TableCodes
        The kinds of table that are described.
    """

    missing: frozenset[str]
    tables: tuple[TableCodes, ...]

    def codes_for(self, columns: Iterable[str]) -> Mapping[str, LabelCodes]:
        """Give the described columns of a table that has these columns."""
        present = set(columns)
        for table in self.tables:
            if present.issuperset(table.recognised_by):
                return table.labels
        return {}


def read_codebook(path: Path | None = None) -> Codebook:
    """Read a codebook.

    Parameters
    ----------
    path : Path, optional
        A TOML file of the form of `studies/buda2019/codebook.toml`, the one that ships and that is
        read without a path.

    Returns
    -------
    Codebook
        Its tables and its words for "missing".

    Raises
    ------
    InputError
        If the file is no TOML or not of that form.
    """
    shipped = resources.files("lggshape.studies") / "buda2019" / "codebook.toml"
    content = read_toml(shipped.read_bytes() if path is None else path)
    where = "the shipped codebook" if path is None else str(path)
    tables = content.get("table", [])
    missing = content.get("missing", [])
    if not isinstance(tables, list) or not isinstance(missing, list):
        msg = f"Expected [[table]] entries and a list `missing` in the codebook {where}."
        raise InputError(msg)
    return Codebook(
        missing=frozenset(str(word).lower() for word in missing),
        tables=tuple(_table_codes(table, where) for table in tables),
    )


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
    if isinstance(value, dict) and value:
        return LabelCodes(Kind.CATEGORICAL, {str(k): str(v) for k, v in value.items()})
    if value in (Kind.CONTINUOUS, Kind.TIME, Kind.IDENTIFIER):
        return LabelCodes(Kind(value), {})
    msg = (
        f"Expected label {name} to be a table of codes, or one of 'continuous', 'time' and "
        f"'identifier', found {value!r}: {where}."
    )
    raise InputError(msg)
