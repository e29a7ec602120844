"""The version of the columns that this version of lggshape writes and knows."""

from pathlib import Path

from lggshape.errors import InputError
from lggshape.files import read_json

SCHEMA_VERSION = 1
"""It rises if a column is renamed or removed, or gets another type, unit or meaning."""

VERSION_KEY = "lggshape_schema"
"""Where `datapackage.json` tells it."""

DATA_PACKAGE = "datapackage.json"
"""The file that describes the tables of its folder."""


def package_beside(table: Path) -> Path:
    """Return the description of a single table, which lies beside it.

    Examples
    --------
    >>> package_beside(Path("features.csv"))
    PosixPath('features.datapackage.json')
    """
    return table.with_name(f"{table.stem}.{DATA_PACKAGE}")


def refuse_newer(table: Path) -> None:
    """Raise if a table was written with columns that only a later version knows.

    Nothing is raised for a table without a description, or with that of another program.

    Raises
    ------
    InputError
        If the description beside the table has a higher version.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.files import write_json
    >>> with TemporaryDirectory() as folder:
    ...     later = {VERSION_KEY: 99, "resources": [{"path": "features.csv"}]}
    ...     write_json(Path(folder, "features.datapackage.json"), later)
    ...     refuse_newer(Path(folder, "features.csv"))
    Traceback (most recent call last):
    lggshape.errors.InputError: Expected columns of version 1 or earlier in ..., found version 99...
    """
    for described in (package_beside(table), table.with_name(DATA_PACKAGE)):
        try:
            package = read_json(described, (VERSION_KEY, "resources"))
            found = package[VERSION_KEY]
            is_newer = found > SCHEMA_VERSION
            is_listed = any(one["path"] == table.name for one in package["resources"])
        except (InputError, TypeError, KeyError):  # none, or not one of ours
            continue
        if is_newer and is_listed:
            msg = (
                f"Expected columns of version {SCHEMA_VERSION} or earlier in {table}, found "
                f"version {found} in {described.name}. Install the lggshape that wrote them, or a "
                "later one."
            )
            raise InputError(msg)
