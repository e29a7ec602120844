"""Small files: read with clear errors, written whole or not at all."""

import hashlib
import html
import json
import math
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib import resources
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from lggshape.errors import InputError
from lggshape.names import as_unicode, is_formula

StrPath = str | os.PathLike[str]
"""A path, as text or as a `Path`."""


_TOKEN = uuid4().hex[:12]

_MOST_JSON, _MOST_TOML = 2**26, 2**21  # bytes

_MOST_IN_LINE = 10_000
"""Characters in a line of TOML: the memory for a dotted key grows with the square of its length."""


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
    # The name does not grow with that of the file, which may be as long as the system allows. And
    # nobody can foresee it and put a link there.
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    temporary = path.with_name(f".{digest}.{os.getpid()}.{_TOKEN}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        msg = f"Expected {path} to be a writable file, found: {error.strerror or error}."
        raise InputError(msg) from error
    finally:
        # Where nothing could be written, there may be no place to remove it from either.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


_LEFT_OUT: ContextVar[re.Pattern[str] | None] = ContextVar("left_out", default=None)


@contextmanager
def without_folders_of(paths: Iterable[StrPath]) -> Iterator[None]:
    """Leave out of tables and reports that the block writes in which folders some files lie.

    These are sent on, and the folders of a machine often name people and projects. What the program
    reads again, such as settings, keeps its paths.

    Parameters
    ----------
    paths : iterable of str or Path
        Files and folders. Wherever a text has the path of one of them, or of a file in it, the part
        before its own name is left out.

    Examples
    --------
    >>> with without_folders_of(["/home/her/cases"]):
    ...     without_folders("found none: /home/her/cases/p1/mask.nii")
    'found none: cases/p1/mask.nii'
    """
    places = {one for path in paths for one in (Path(path), Path(path).resolve())}
    told = {one for place in places if place.parent.name for one in _folders_told(place)}
    pattern = "|".join(sorted(told, key=lambda one: (-len(one), one)))
    token = _LEFT_OUT.set(re.compile(rf"(?<![\w./\\-])(?:{pattern})") if pattern else None)
    try:
        yield
    finally:
        _LEFT_OUT.reset(token)


def _folders_told(place: Path) -> Iterator[str]:
    """Yield patterns of the folder of a path, as text, HTML and JSON spell it."""
    following = [place.name]
    if not place.is_absolute() and place.is_file():  # such as a manifest of the files beside it
        with suppress(OSError):
            following = [one.name for one in place.parent.iterdir()]
    for form in (str, html.escape, lambda text: json.dumps(text)[1:-1]):
        folder = re.escape(form(f"{place.parent}{os.sep}"))
        if place.is_absolute():
            yield folder
        else:  # a word like others, unless it stands before something that lies in it
            names = "|".join(re.escape(form(name)) for name in sorted(following))
            yield rf"{folder}(?=(?:{names})(?![\w-]))"


def without_folders(text: str) -> str:
    """Return a text that is sent on, without the folders of `without_folders_of`."""
    left_out = _LEFT_OUT.get()
    return left_out.sub("", text) if left_out else text


def write_text(path: StrPath, text: str) -> None:
    """Write text in UTF-8, whole or not at all; what is no Unicode is escaped."""
    with written_whole(path) as temporary:
        temporary.write_text(as_unicode(text), encoding="utf-8", newline="\n")


def write_json(path: StrPath, value: Mapping[str, Any]) -> None:
    """Write JSON (UTF-8, indented), whole or not at all."""
    write_text(path, json_text(value))


def json_text(value: Mapping[str, Any]) -> str:
    """Return JSON as `write_json` writes it."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_figure(
    path: StrPath, svg: str, png: bytes, journal: tuple[str, bytes] | None = None
) -> None:
    """Write a figure as SVG and PNG, and for a journal if asked, each whole or not at all.

    Parameters
    ----------
    path : str or Path
        The files without their endings, `.svg` and `.png`.
    svg, png : str and bytes
        Their contents, as `figures.render` returns them.
    journal : (str, bytes), optional
        Ending and content of the file for a journal, which replaces one of the same name.
    """
    path = Path(path)
    files = {"svg": svg.encode(), "png": png} | dict([journal] if journal else [])
    for ending, content in files.items():
        with written_whole(path.with_name(f"{path.name}.{ending}")) as temporary:
            temporary.write_bytes(content)


def write_table(path: StrPath, table: pd.DataFrame) -> None:
    """Write a table as CSV (UTF-8, comma, dot, one header row, empty = missing).

    Numbers are written with all their digits, so that reading them back gives the same numbers. A
    text that a spreadsheet would take for a formula gets an apostrophe before it, which prevents
    that. Without the folders of `without_folders_of`.
    """
    text = _defused(table).to_csv(index=False, lineterminator="\n")
    write_text(path, without_folders(text))


def _defused(table: pd.DataFrame) -> pd.DataFrame:
    def defuse(cell: Any) -> Any:
        return f"'{cell}" if isinstance(cell, str) and is_formula(cell) else cell

    texts = table.select_dtypes(["object", "string", "category"])
    changed = {
        place: texts.iloc[:, number].astype(object).map(defuse)
        for number, place in enumerate(texts.columns)
        if any(isinstance(cell, str) and is_formula(cell) for cell in texts.iloc[:, number])
    }
    return table.assign(**changed).rename(columns=defuse)


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


def read_bytes(path: StrPath, called: str, *, most: int) -> bytes:
    """Read a file of at most so many bytes, which may also be a pipe.

    Parameters
    ----------
    path : str or Path
        The file.
    called : str
        What it should be, for the message of an error.
    most : int
        The most bytes.

    Raises
    ------
    InputError
        If it cannot be read or is larger, as a device that never ends is.

    Examples
    --------
    >>> read_bytes("/dev/zero", "a table", most=4)
    Traceback (most recent call last):
    lggshape.errors.InputError: Expected /dev/zero to be a table of at most 4 bytes, found more.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        msg = f"Expected {path} to be {called}, found: {error.strerror or error}."
        raise InputError(msg) from error
    if len(content) > most:
        msg = f"Expected {path} to be {called} of at most {most} bytes, found more."
        raise InputError(msg)
    return content


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
    if Path(path).exists() and not Path(path).is_file():  # a pipe would never end
        msg = f"Expected {path} to be a JSON file, found none: a folder, a pipe or a device."
        raise InputError(msg)
    content = read_bytes(path, "a JSON file", most=_MOST_JSON)
    text = _decoded(content, f"{path} to be a JSON file")
    try:
        values = parse_json(text)
    except ValueError as error:
        found = _mistake(error) if text.strip() else "an empty one"
        msg = f"Expected {path} to be a JSON file, found {found}."
        raise InputError(msg) from error
    if keys is None:
        return values
    wanted = list(keys)
    if not isinstance(values, dict):
        msg = f"Expected {path} to hold a JSON object ({{...}}), found another value."
        raise InputError(msg)
    missing = [key for key in wanted if key not in values]
    if missing:
        msg = f"Expected {path} to have {', '.join(wanted)}, found no {', '.join(missing)}."
        raise InputError(msg)
    return values


def _decoded(content: bytes, wanted: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"Expected {wanted}, found text that is not UTF-8. Save it as UTF-8."
        raise InputError(msg) from error


def _mistake(error: ValueError) -> str:
    """Return what is wrong with a text of JSON or TOML, to follow "found"."""
    said = str(error)
    if "sys.set_int_max_str_digits" in said:
        return "a number of too many digits"
    return f"a mistake in its syntax ({said[:1].lower()}{said[1:]})"


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
    where = "TOML" if isinstance(source, bytes) else source
    content = source if isinstance(source, bytes) else read_bytes(source, "TOML", most=_MOST_TOML)
    text = _decoded(content, f"{where} to be TOML")
    try:
        longest = max(map(len, text.splitlines()), default=0)
        values = tomllib.loads(text) if longest <= _MOST_IN_LINE else None
    except RecursionError as error:
        msg = f"Expected {where} to be TOML, found: too many brackets in each other."
        raise InputError(msg) from error
    except ValueError as error:
        hint = " Texts stand in straight quotes." if re.search("[\u2018-\u201f]", text) else ""
        msg = f"Expected {where} to be TOML, found {_mistake(error)}.{hint}"
        raise InputError(msg) from error
    if values is None:
        msg = f"Expected lines of at most {_MOST_IN_LINE} characters in {where}, found {longest}."
        raise InputError(msg)
    return values
