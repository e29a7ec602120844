"""`datapackage.json`: the types, units and meanings of the columns of tables, for programs.

It is a Tabular Data Package (https://specs.frictionlessdata.io), with a Table Schema per table. One
file describes all tables of a folder, as one `run.json` tells how they were made.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from lggshape.files import read_toml
from lggshape.results import RECORD
from lggshape.tables import DATA_PACKAGE, SCHEMA_VERSION, VERSION_KEY, package_beside


class ColumnMeaning(NamedTuple):
    """What is known about a column, or about several of one meaning.

    Attributes
    ----------
    type : str
        A type of Table Schema.
    meaning : str
        What it means, in Markdown.
    unit : str
        Its unit; "1" for a pure number; empty if there is none to tell.
    """

    type: str
    meaning: str
    unit: str = ""


def own_columns(command: str, table: str) -> dict[str, ColumnMeaning]:
    """Return the columns that a table does not share with others, in the words of the documents.

    Parameters
    ----------
    command, table : str
        The command that writes it, and its name.

    Returns
    -------
    dict of str to ColumnMeaning
        By name; several columns of one meaning are separated by commas, and an asterisk stands for
        any letters.

    Examples
    --------
    >>> own_columns("segment", "slices")["area"]
    ColumnMeaning(type='integer', meaning='area of the mask in the slice', unit='pixels')
    """
    entries = _described()[command][table]
    return {names: ColumnMeaning(*entry) for names, entry in entries.items() if names != "like"}


def package_of(record: Path, command: str) -> tuple[Path, Mapping[str, Any]] | None:
    """Describe the tables of a run that are written already, as a Frictionless data package.

    Parameters
    ----------
    record : Path
        The record of the run, which lies beside the tables: `run.json`, or that of a single table.
    command : str
        The command that the tables are of.

    Returns
    -------
    tuple or None
        The file that is to be written, and what is to stand in it: `datapackage.json`, or for a
        single table such as `features.csv` `features.datapackage.json`. None if the command writes
        no tables that are described.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "slices.csv").write_text("case,slice,area,score")
    ...     path, package = package_of(Path(folder, "run.json"), "segment")
    >>> path.name, package["resources"][0]["name"]
    ('datapackage.json', 'slices')
    """
    folder = record.parent
    if command not in _described():
        return None
    target = folder / DATA_PACKAGE
    tables = {name: folder / f"{name}.csv" for name in _described()[command]}
    if record.name != RECORD:
        (path,) = (one for one in folder.iterdir() if one.suffix.lower() == ".csv")
        target, tables = package_beside(path), {command: path}
    there = {name: path for name, path in tables.items() if path.is_file()}
    if not there:
        return None
    package = {
        "profile": "tabular-data-package",
        "name": f"lggshape-{command}",
        VERSION_KEY: SCHEMA_VERSION,
        "resources": [
            {
                "name": name,
                "path": path.name,
                "profile": "tabular-data-resource",
                "encoding": "utf-8",
                "schema": {"fields": _fields(path, command, name), "missingValues": [""]},
            }
            for name, path in there.items()
        ],
    }
    return target, package


@cache
def _described() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return the columns of every table, by command, table and name, as `columns.toml` has them."""
    described: Mapping[str, Mapping[str, Mapping[str, Any]]] = read_toml(
        (resources.files(__package__) / "columns.toml").read_bytes()
    )
    return described


def _fields(path: Path, command: str, table: str) -> list[dict[str, str]]:
    """Return what Table Schema calls fields: the columns of a file, in order."""
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    known = list(_known(command, table))
    return [_field(name, known) for name in header]


def _known(command: str, table: str) -> Iterator[tuple[str, ColumnMeaning]]:
    """Yield the name of each column, or a pattern of names, that a table may have."""
    entries = _described()[command][table]
    groups = [own_columns(command, table)]
    if table == "features":
        groups.append(_features())
    if "like" in entries:
        groups.append(own_columns(command, entries["like"]))
    for group in [*groups, own_columns("every", "table")]:
        for names, column in group.items():
            for name in names.split(", "):
                yield name, column


def _features() -> dict[str, ColumnMeaning]:
    from lggshape.shape import FEATURES

    return {
        name: ColumnMeaning(
            "integer" if feature.is_count else "number",
            feature.definition + _WITHOUT_SPACING.get(feature.unit_without_spacing, ""),
            feature.unit,
        )
        for name, feature in FEATURES.items()
    }


_WITHOUT_SPACING = {
    unit: f" In {unit} if `spacing_known` is `False`." for unit in ("pixels", "voxels")
} | {"": " Empty if `spacing_known` is `False`."}


def _field(name: str, known: list[tuple[str, ColumnMeaning]]) -> dict[str, str]:
    column = next((one for pattern, one in known if fnmatchcase(name, pattern)), None)
    if column is None:  # of a manifest: whoever added it knows what it means
        return {"name": name, "type": "any"}
    meaning = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", column.meaning)  # links lead nowhere from here
    unit = {"unit": column.unit} if column.unit else {}
    return {"name": name, "type": column.type, "description": meaning, **unit}
