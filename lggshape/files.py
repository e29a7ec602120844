"""Tables and other small files: read with clear errors, written whole or not at all."""

import csv
import hashlib
import json
import math
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from lggshape.errors import InputError

StrPath = str | os.PathLike[str]
"""A path, as text or as a `Path`."""

TableSource = StrPath | pd.DataFrame
"""A table as public functions take it: a CSV file or a table in memory."""


@contextmanager
def written_whole(path: StrPath) -> Iterator[Path]:
    """Provide a path beside `path` to write to; rename it to `path` if the block succeeds.

    A reader sees the old file or the new one, never a half-written one.

    Parameters
    ----------
    path : str or Path
        The file to write. Its folder is made if it is missing.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    InputError
        If the folder cannot be made or the file cannot be written.
    """
    path = Path(path)
    # The name does not grow with that of the file, which may be as long as the system allows.
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    temporary = path.with_name(f".{digest}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        msg = f"Expected {path} to be a file that can be written, found: {error.strerror or error}."
        raise InputError(msg) from error
    finally:
        # Where nothing could be written, there may be no place to remove it from either.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: StrPath, text: str) -> None:
    """Write text in UTF-8, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: StrPath, value: Mapping[str, Any]) -> None:
    """Write JSON (UTF-8, indented), whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_figure(path: StrPath, svg: str, png: bytes) -> None:
    """Write a figure as SVG and PNG, each whole or not at all.

    Parameters
    ----------
    path : str or Path
        The files without their endings, `.svg` and `.png`.
    svg, png : str and bytes
        Their contents, as `figures.render` returns them.
    """
    path = Path(path)
    write_text(path.with_name(f"{path.name}.svg"), svg)
    with written_whole(path.with_name(f"{path.name}.png")) as temporary:
        temporary.write_bytes(png)


def write_table(path: StrPath, table: pd.DataFrame) -> None:
    """Write a table as CSV (UTF-8, comma, dot, one header row, empty = missing).

    Numbers are written with all their digits, so that reading them back gives the same numbers.
    """
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain values, as JSON knows them.

    Parameters
    ----------
    table : DataFrame
        Any table; its index is left out.

    Returns
    -------
    list of dict
        One for each row. What is missing or infinite is None: JSON has no number for it.

    Examples
    --------
    >>> to_records(pd.DataFrame({"n": [1, 2], "p": [0.5, float("nan")]}))
    [{'n': 1, 'p': 0.5}, {'n': 2, 'p': None}]
    """
    plain = table.astype(object)
    kept = plain.notna() & ~plain.isin([math.inf, -math.inf])
    records = plain.where(kept, None).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]


def read_json(path: StrPath, keys: Iterable[str] | None = None) -> Any:
    """Read JSON from a file that may hold anything.

    Parameters
    ----------
    path : str or Path
        The file.
    keys : iterable of str, optional
        If given, the file has to hold an object that has these keys.

    Returns
    -------
    object
        What the file says.

    Raises
    ------
    InputError
        If the file cannot be read, is no JSON, or lacks a key.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_json(Path(folder, "a.json"), {"n": 1})
    ...     read_json(Path(folder, "a.json"), ["n"])
    {'n': 1}
    """
    try:
        values = parse_json(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        found = error.strerror if isinstance(error, OSError) else error
        msg = f"Expected {path} to be a JSON file, found: {found}."
        raise InputError(msg) from error
    if keys is None:
        return values
    wanted = list(keys)
    if not isinstance(values, dict):
        msg = f"Expected {path} to hold a JSON object, found: {type(values).__name__}."
        raise InputError(msg)
    missing = [key for key in wanted if key not in values]
    if missing:
        msg = f"Expected {path} to have {', '.join(wanted)}, found no {', '.join(missing)}."
        raise InputError(msg)
    return values


def parse_json(text: str) -> Any:
    """Return what a text of JSON says; a ValueError if it is none, however it is nested."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("too many brackets in each other") from error


def file_hash(path: StrPath) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def names_cell(names: Sequence[str]) -> str:
    """Write names into one cell of a table: separated by "; ", the word none if there are none.

    So an empty cell is left for what is not known.
    """
    return "; ".join(names) or "none"


def read_table(source: TableSource, *, required: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table with every cell as text (missing = empty string).

    A table in memory is read as its file would be: it gives the same cells.

    Parameters
    ----------
    source : path or DataFrame
        A CSV file, UTF-8 with or without a byte-order mark, or a table in memory. The index of that
        is ignored unless it has a name. In a file `.tsv` there are tabs in place of commas.
    required : iterable of str
        Columns that have to be there.

    Returns
    -------
    DataFrame
        The columns that have a name, as `str`, in order, cells stripped of surrounding blanks.

    Raises
    ------
    InputError
        If it is neither a path nor a DataFrame; if the file is missing, empty, no CSV with commas,
        has a row longer or shorter than the header, has a column twice, or lacks a required column.

    Examples
    --------
    >>> import pandas as pd
    >>> read_table(pd.DataFrame({"a": [1.5, None], "b": [True, False]})).values.tolist()
    [['1.5', 'True'], ['', 'False']]
    """
    where = table_name(source)
    check_path(source, "a table: a path or a DataFrame")
    try:
        rows = [(line, [cell.strip() for cell in row]) for line, row in _rows(source)]
    except (OSError, UnicodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        reason = "text that is not UTF-8" if isinstance(error, UnicodeError) else reason
        msg = f"Expected {where} to be a CSV table, found: {reason}."
        raise InputError(msg) from error
    if not rows:
        empty = "a table without columns" if isinstance(source, pd.DataFrame) else "an empty file"
        msg = f"Expected {where} to be a table with a header, found {empty}."
        raise InputError(msg)
    columns = rows[0][1]
    if len(columns) == 1 and ";" in columns[0]:
        msg = f"Expected commas between the cells of {where}, found semicolons."
        raise InputError(msg)
    for line, row in rows:
        if len(row) != len(columns):
            msg = (
                f"Expected {len(columns)} cells in every row of {where}, as in its header, found "
                f"{len(row)} in line {line}."
            )
            raise InputError(msg)
    doubled = sorted({name for name in columns if name and columns.count(name) > 1})
    if doubled:
        msg = f"Expected every column of {where} to have its own name, found twice: {doubled}."
        raise InputError(msg)
    missing = [name for name in required if name not in columns]
    if missing:
        wanted = f"the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        msg = f"Expected {where} to have {wanted}, found: {', '.join(columns)}."
        raise InputError(msg)
    table = pd.DataFrame([row for _, row in rows[1:]], columns=columns, dtype=str)
    return table.drop(columns="", errors="ignore")  # row numbers, as pandas and R write them


def _rows(source: TableSource) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table with their line numbers, the header first, without empty lines."""
    with ExitStack() as stack:
        if isinstance(source, pd.DataFrame):
            if source.columns.nlevels > 1:
                msg = f"Expected a table with one row of column names, found {source.columns}."
                raise InputError(msg)
            own = [name for name in source.index.names if name not in {None, *source.columns}]
            table = source.reset_index(level=own) if own else source
            file: TextIO = StringIO(table.to_csv(index=False, lineterminator="\n"), newline="")
        else:
            file = stack.enter_context(Path(source).open(encoding="utf-8-sig", newline=""))
        reader = csv.reader(file, strict=True, **_dialect(source))
        yield from ((reader.line_num, row) for row in reader if row)


def _dialect(source: TableSource) -> dict[str, Any]:
    """Return how cells are separated: in a file `.tsv` by tabs, and quotes are part of them."""
    is_tsv = not isinstance(source, pd.DataFrame) and Path(source).suffix.lower() == ".tsv"
    return {"delimiter": "\t", "quoting": csv.QUOTE_NONE} if is_tsv else {}


def check_path(value: object, expected: str) -> None:
    """Raise InputError, with what was expected, for what is neither a path nor a DataFrame."""
    if not isinstance(value, str | os.PathLike | pd.DataFrame):
        msg = f"Expected {expected}, found {type(value).__name__}."
        raise InputError(msg)


def table_name(source: TableSource) -> str:
    """Return what messages call a table: its path, or that it is one in memory."""
    return "the table in memory" if isinstance(source, pd.DataFrame) else str(source)


def row_name(source: TableSource, position: int) -> str:
    """Return what messages call a row of a table, by its position from 0."""
    return f"row {position + 1}" if isinstance(source, pd.DataFrame) else f"line {position + 2}"


def plain_numbers(cells: "pd.Series[str]") -> "pd.Series[str]":
    """Write whole numbers without a decimal point, as "2" for "2.0"; leave all other text alone.

    Spreadsheets and pandas write the code 2 as "2.0" in a column with missing cells.
    """
    return cells.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)


def is_missing(cells: "pd.Series[str]") -> "pd.Series[bool]":
    """Return which cells hold no value: empty, a word such as NA, or words in square brackets.

    Parameters
    ----------
    cells : Series of str
        A column, as from `read_table`.

    Returns
    -------
    Series of bool
        True where the value is missing.
    """
    return cells.str.fullmatch(r"(na|n/a|nan|none|null|\[[^\]]*\])?", case=False)


def read_patient_table(source: TableSource, *, patient_column: str | None = None) -> pd.DataFrame:
    """Read a table with one row per patient.

    Parameters
    ----------
    source : path or DataFrame
        A CSV file, or a table in memory.
    patient_column : str, optional
        The column with the patients' keys; by default the one called "patient", in upper or lower
        case, or else the `participant_id` of BIDS.

    Returns
    -------
    DataFrame
        Every cell as text, indexed by patient, without the patient column. A key that is a whole
        number has no decimal point: patient 7.0 is patient 7.

    Raises
    ------
    InputError
        If there is no such column, or a patient has no key or two rows.
    """
    if patient_column is not None:
        patient_column = str(patient_column)  # a DataFrame may have numbers for names
    table = read_table(source, required=[] if patient_column is None else [patient_column])
    where = table_name(source)
    if patient_column is None:
        keys = [name for name in table.columns if name.lower() == "patient"]
        keys = keys or [name for name in table.columns if name == "participant_id"]
        if len(keys) != 1:
            msg = (
                f"Expected {where} to have one column called Patient, found: "
                f"{', '.join(table.columns)}. Name the column with `patient_column` "
                "(--patient-column)."
            )
            raise InputError(msg)
        patient_column = keys[0]
    table[patient_column] = plain_numbers(table[patient_column])
    patients = table[patient_column]
    if is_missing(patients).any():
        row = row_name(source, int(is_missing(patients).to_numpy().argmax()))
        msg = f"Expected every row of {where} to name its patient, found none in {row}."
        raise InputError(msg)
    doubled = sorted(set(patients[patients.duplicated()]))
    if doubled:
        msg = f"Expected one row per patient in {where}, found several of: {', '.join(doubled)}."
        raise InputError(msg)
    return table.set_index(patient_column).rename_axis("patient")


def shipped_files(name: str) -> dict[str, bytes]:
    """Read the files of this name of the bundled studies.

    Parameters
    ----------
    name : str
        Such as "codebook.toml".

    Returns
    -------
    dict of str to bytes
        The contents by the name of the study, in the order of names.
    """
    folders = sorted(resources.files("lggshape.studies").iterdir(), key=lambda entry: entry.name)
    files = {folder.name: folder / name for folder in folders if folder.is_dir()}
    return {study: file.read_bytes() for study, file in files.items() if file.is_file()}


def read_toml(source: str | os.PathLike[str] | bytes) -> dict[str, Any]:
    """Read TOML from a file or from bytes; an unreadable one is an `InputError`."""
    try:
        text = source if isinstance(source, bytes) else Path(source).read_bytes()
        return tomllib.loads(text.decode("utf-8-sig"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        where = "TOML" if isinstance(source, bytes) else source
        found = error.strerror if isinstance(error, OSError) else error
        msg = f"Expected {where} to be TOML, found: {found}."
        raise InputError(msg) from error
