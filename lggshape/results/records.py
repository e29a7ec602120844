"""The record of a run: which files it wrote, each with its hash, so that no others are removed.

Most runs list their files at the end. Runs that can be resumed (segmenting, training) write in
place: they call `record_file` for each file, and `run.json` takes over the list at the end.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from lggshape.errors import InputError
from lggshape.files import StrPath, file_hash, parse_json, read_json, write_json

RECORD = "run.json"
"""The record of a run, in its folder."""

MARKS = {"tool": "lggshape", "format": 2}
"""What a record of this tool, with hashes, has and other files do not."""

_PARTS = {
    "command": str, "options": dict, "inputs": list, "outputs": list, "versions": dict,
    "started": str,
}  # fmt: skip
"""What else the record of a finished run has, and its type."""

_JOURNAL = ".lggshape-outputs.jsonl"
UNFINISHED = ""
"""In place of a hash: the file is still being written, and may hold anything."""

Outputs = Mapping[str, frozenset[str]]
"""Files relative to a folder, each with the hashes that it may have."""


class Output(NamedTuple):
    """A file that a run wrote.

    Attributes
    ----------
    path : str
        Relative to the folder of the results, with `/` between folders.
    sha256 : str
        Hash of the file.
    """

    path: str
    sha256: str


def record_beside(path: StrPath) -> str:
    """Return the name of the record beside a table.

    Examples
    --------
    >>> record_beside("results/features.csv")
    'features.run.json'
    """
    return f"{Path(path).stem}.run.json"


def outputs_in(folder: StrPath, *, record: str = RECORD) -> list[Output]:
    """Return every file in a temporary folder of results, with its hash.

    Parameters
    ----------
    folder : str or Path
        The temporary folder, as `results_folder` provides it.
    record : str
        The name of the record, which does not list itself.
    """
    folder = Path(folder)
    own = folder / record
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != own)
    return [Output(path.relative_to(folder).as_posix(), file_hash(path)) for path in paths]


def recorded_outputs(folder: StrPath, *, record: str = RECORD) -> dict[str, frozenset[str]]:
    """Read which files of a folder an earlier run wrote.

    Parameters
    ----------
    folder : str or Path
        A folder with results, complete or not.
    record : str
        The name of the record.

    Returns
    -------
    dict of str to frozenset of str
        For each file, relative to the folder, the hashes that it may have, up to two after a kill.

    Raises
    ------
    InputError
        If there is no record of this tool, or only one of an older version without hashes.
    """
    folder = Path(folder)
    found: dict[str, set[str]] = {}
    if os.path.lexists(folder / record):
        found = {name: set(hashes) for name, hashes in listed_outputs(folder / record).items()}
    elif record != RECORD or not (folder / _JOURNAL).exists():
        msg = (
            f"Expected {folder} to hold the results of an earlier run, found no {record}. Move "
            "what is there away, or choose another place for the new results."
        )
        raise InputError(msg)
    if record == RECORD:
        for entry in _journal(folder):
            hashes = found.setdefault(entry.path, set())
            hashes.discard(UNFINISHED)  # it has been finished since
            hashes.add(entry.sha256)
    return {name: frozenset(hashes) for name, hashes in found.items()}


def is_results_folder(folder: StrPath) -> bool:
    """Return whether a folder holds results of this tool, complete or not."""
    folder = Path(folder)
    if (folder / _JOURNAL).exists():
        return True
    if not (folder / RECORD).is_file():  # nor a pipe, which would never end
        return False
    try:
        values = read_json(folder / RECORD)
    except InputError:
        return False
    if not isinstance(values, dict):
        return False
    return values.get("tool") == MARKS["tool"] or _is_old(values)


def holds_record(folder: Path, record: str) -> bool:
    """Return whether there is a record in a folder, or a list of files written in place."""
    journal = record == RECORD and (folder / _JOURNAL).exists()
    return journal or os.path.lexists(folder / record)


def record_file(folder: StrPath, path: StrPath, *, finished: bool = True) -> None:
    """Record a file that was written in place, so that `overwrite` may remove it later.

    The results are unfinished from here on: an earlier `run.json` is removed, and
    `lggshape.provenance.recorded` writes the new one.

    Parameters
    ----------
    folder : str or Path
        The folder of the results.
    path : str or Path
        The file: its path, or its name relative to the folder.
    finished : bool
        Whether the file is final. A file that grows is recorded as unfinished before it is first
        written, so that its hash does not matter.
    """
    folder = Path(folder)
    path = Path(path)
    path = path if path.is_relative_to(folder) else folder / path
    sha256 = file_hash(path) if finished else UNFINISHED
    note_outputs(folder, [Output(path.relative_to(folder).as_posix(), sha256)])


def note_outputs(folder: StrPath, outputs: Iterable[Output]) -> None:
    """Record files that are about to be written or moved to a folder, with the hashes to come.

    Parameters
    ----------
    folder : str or Path
        The folder of the results.
    outputs : iterable of Output
        The files.
    """
    folder = Path(folder)
    _take_record_away(folder)
    _append(folder, outputs)


def outputs_in_place(folder: StrPath, names: Iterable[str] = ()) -> list[Output]:
    """Return the files of a run that wrote in place, each with its hash.

    Parameters
    ----------
    folder : str or Path
        The folder of the results.
    names : iterable of str
        Files relative to the folder that belong to the run although `record_file` was not called
        for them.
    """
    folder = Path(folder)
    recorded: dict[str, str] = {}
    with suppress(InputError):  # there is none, or one without hashes
        earlier = listed_outputs(folder / RECORD)
        recorded = {name: min(hashes) for name, hashes in earlier.items() if len(hashes) == 1}
    recorded |= {entry.path: entry.sha256 for entry in _journal(folder)}
    everything = sorted({**recorded, **dict.fromkeys(names)})
    return [
        Output(name, recorded.get(name) or file_hash(folder / name))
        for name in everything
        if (folder / name).is_file()
    ]


def end_recording(folder: StrPath) -> None:
    """Remove the list that `record_file` kept, once `run.json` has it."""
    (Path(folder) / _JOURNAL).unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any]:
    """Read the record of a finished run; raise InputError for any other file, whatever it holds."""
    record: dict[str, Any] = read_json(path, _PARTS)
    if any(record.get(name) != mark for name, mark in MARKS.items()) or record.get("unfinished"):
        msg = (
            f"Expected {path} to be the record of a finished run, found that of an unfinished run, "
            "of another version or of another program."
        )
        raise InputError(msg)
    wrong = [name for name, kind in _PARTS.items() if not isinstance(record[name], kind)]
    if not wrong and not all(map(_names_a_file, (*record["inputs"], *record["outputs"]))):
        wrong = ["inputs or outputs"]
    if wrong or "lggshape" not in record["versions"]:
        changed = ", ".join(wrong or ["versions"])
        msg = f"Expected {path} as it was written, found that these entries differ: {changed}."
        raise InputError(msg)
    listed_outputs(path)
    return record


def _names_a_file(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    kinds = {"path": str, "sha256": str, "files": int, "unreadable": list, "hashes": dict}
    of_kind = all(isinstance(entry[key], kind) for key, kind in kinds.items() if key in entry)
    return of_kind and {"path", "sha256"} <= entry.keys() and "\0" not in entry["path"]


def _read_record(path: Path) -> dict[str, Any]:
    """Read a record of this tool; raise for one of something else, or without hashes."""
    try:
        if path.is_symlink():
            raise InputError(f"Expected {path} to be a JSON file, found: a link.")
        values = read_json(path)
    except InputError as error:
        raise InputError(f"{error} It should be the record of an earlier run.") from error
    if isinstance(values, dict) and all(values.get(name) == mark for name, mark in MARKS.items()):
        return values
    if isinstance(values, dict) and _is_old(values):
        msg = (
            f"Expected {path} to hold the hashes of results, found a record of an older version "
            "without them. Its files are never removed: move them away, or choose another place."
        )
    else:
        msg = (
            f"Expected {path} to be the record of an earlier run, found another file. Move it away "
            "or choose another place for the new results."
        )
    raise InputError(msg)


def _is_old(values: Mapping[str, Any]) -> bool:
    """Return whether a record is one that this tool wrote before it kept hashes."""
    parts = {"versions", "outputs"} & set(values)
    return "tool" not in values and "command" in values and bool(parts)


def listed_outputs(path: Path) -> dict[str, frozenset[str]]:
    """Return the files that a record lists, each with the hashes that it may have.

    Raises
    ------
    InputError
        If the record is not one of this tool with hashes, or a file is not in its folder.
    """
    found: dict[str, set[str]] = {}
    values = _read_record(path)
    try:
        for entry in values.get("outputs", ()):
            name, sha256 = entry["path"], entry["sha256"]
            # A record never lists itself, and only a file that is still being written has no hash.
            if (
                not is_inside(name)
                or name == path.name
                or not isinstance(sha256, str)
                or not sha256
            ):
                raise ValueError(f"the output {name!r}")
            found.setdefault(name, set()).add(sha256)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"Expected {path} to list files in its folder, found: {error}.") from error
    return {name: frozenset(hashes) for name, hashes in found.items()}


def is_inside(name: Any) -> bool:
    """Return whether a name is that of a file in a folder, on every system."""
    return (
        isinstance(name, str)
        and not {"", ".", ".."} & set(name.split("/"))
        and not set("\\\0") & set(name)
        and not re.match(r"[A-Za-z]:", name)
    )


def write_unfinished(path: Path, outputs: Outputs) -> None:
    """Write a record that says that the results are not complete."""
    entries = [
        Output(name, sha256 or file_hash(path.parent / name))._asdict()
        for name, all_of in outputs.items()
        for sha256 in all_of
        if sha256 or (path.parent / name).is_file()
    ]
    write_json(path, {**MARKS, "unfinished": True, "outputs": entries})


def _journal(folder: Path) -> list[Output]:
    """Read the list of files written in place; the last line may be incomplete."""
    found = []
    with suppress(FileNotFoundError):
        text = (folder / _JOURNAL).read_text(encoding="utf-8", errors="replace")
        for line in text.split("\n"):
            with suppress(ValueError, KeyError, TypeError):
                values = parse_json(line)
                if is_inside(values["path"]) and isinstance(values["sha256"], str):
                    found.append(Output(values["path"], values["sha256"]))
    return found


def _append(folder: Path, outputs: Iterable[Output]) -> None:
    # One line for each file, so that the time does not depend on the number of files. Each line
    # begins with its line break, so that half a line, left by a kill, does not spoil the next.
    lines = [f"\n{json.dumps(entry._asdict())}" for entry in outputs]
    with (folder / _JOURNAL).open("a", encoding="utf-8", newline="\n") as file:
        file.write("".join(lines))


def _take_record_away(folder: Path) -> None:
    """Turn the record of an earlier run, which is now continued, into a list of its files."""
    path = folder / RECORD
    if not path.exists():
        return
    with suppress(InputError):  # of an older version, without hashes: its files are not ours
        earlier = listed_outputs(path)
        _append(folder, [Output(name, one) for name, hashes in earlier.items() for one in hashes])
    path.unlink()
