"""Folders of results: whole or not there, and never emptied of what this tool did not write.

A run writes into a private folder first. When everything is there it is moved to its place, and
`run.json` comes last: results without it, or with one marked as unfinished, are not whole. It lists
every file of the run with its hash, and nothing but those files is ever removed.

Runs that can be resumed (segmenting, training) write in place. They call `record_file` for each
file, and the list becomes part of `run.json` when they are done.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import ENOTDIR
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple
from uuid import uuid4

from lggshape.errors import InputError
from lggshape.files import StrPath, file_hash, write_json

RECORD = "run.json"
"""The record of a run, in its folder."""

MARKS = {"tool": "lggshape", "format": 2}
"""What tells a record of this tool, with hashes, from one of something else."""

_JOURNAL = ".lggshape-outputs.jsonl"
_STAGING = re.compile(r"\.lggshape-[0-9a-f]+\.part")
_ANY = ""
"""In place of a hash: a file that is still being written, whatever it holds."""


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


# --- results that are written elsewhere and moved when they are whole


@contextmanager
def results_folder(
    folder: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> Iterator[Path]:
    """Provide a private folder to write results to, and move them to `folder` if the block ends.

    There is never half a set of results that looks whole, and those of an earlier run stay until
    they are replaced.

    Parameters
    ----------
    folder : str or Path
        Where the results go. It is new, or empty, or holds an earlier run.
    overwrite : bool
        Whether an earlier run may be replaced. Only the files that its `run.json` lists are
        removed.
    inputs : iterable of str or Path
        Files and folders that are read. The results may not lie inside them, nor around them.

    Yields
    ------
    Path
        Where to write. When the block ends, `run.json` has to be there, as
        `lggshape.provenance.recorded` writes it.

    Raises
    ------
    InputError
        As `check_folder` does, before the block begins; and after it, if files that this tool did
        not write lie in the way by then. The results are kept in that case, and the message says
        where.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.provenance import recorded
    >>> with TemporaryDirectory() as parent:
    ...     out = Path(parent, "results")
    ...     with (
    ...         results_folder(out) as place,
    ...         recorded(place / "run.json", command="example", options={}, inputs=[]),
    ...     ):
    ...         _ = (place / "table.csv").write_text("a,b")
    ...     sorted(path.name for path in out.iterdir())
    ['run.json', 'table.csv']
    """
    check_folder(folder, overwrite=overwrite, inputs=inputs)
    target = Path(folder).resolve()
    with _staging(target, RECORD) as place:
        yield place


@contextmanager
def results_file(
    path: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> Iterator[Path]:
    """Provide a private folder to write one table to, and move it to `path` if the block ends.

    The record lies beside the table: `features.run.json` beside `features.csv`.

    Parameters
    ----------
    path : str or Path
        Where the table goes.
    overwrite : bool
        Whether it may replace one of an earlier run, known by the record beside it.
    inputs : iterable of str or Path
        As for `results_folder`.

    Yields
    ------
    Path
        Where to write the table and the record, under the names that they have at `path`.

    Raises
    ------
    InputError
        As `check_file` does, before the block begins, and as `results_folder` does.
    """
    check_file(path, overwrite=overwrite, inputs=inputs)
    path = Path(path)
    with _staging(path.parent.resolve(), record_beside(path)) as place:
        yield place


def record_beside(path: StrPath) -> str:
    """Return the name of the record beside a table.

    Examples
    --------
    >>> record_beside("results/features.csv")
    'features.run.json'
    """
    return f"{Path(path).stem}.run.json"


def outputs_in(folder: StrPath, *, record: str = RECORD) -> list[Output]:
    """Return every file in a folder that no one else writes to, with its hash.

    Parameters
    ----------
    folder : str or Path
        A private folder, as `results_folder` provides it.
    record : str
        The name of the record, which does not list itself.
    """
    folder = Path(folder)
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != record)
    return [Output(path.relative_to(folder).as_posix(), file_hash(path)) for path in paths]


@contextmanager
def _staging(target: Path, record: str) -> Iterator[Path]:
    """Provide a private folder on the file system of `target`; move what is in it there."""
    # In the target where there is one: what lies beside it may be another file system, or closed.
    place = _nearest_folder(target) / f".lggshape-{uuid4().hex[:12]}.part"
    try:
        place.mkdir()
    except OSError as error:
        raise _not_writable(target, error) from error
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    try:
        _publish(place, target, record)
    except (OSError, InputError) as error:
        msg = f"{error} The new results are whole, and lie in {place}."
        raise InputError(msg) from error


def _publish(place: Path, target: Path, record: str) -> None:
    """Move results to their folder; the record comes last and makes them valid."""
    new = _outputs_of(_read_record(place / record), place / record)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        place.rename(target)
        return
    old = recorded_outputs(target, record=record) if _holds_record(target, record) else {}
    removable = _unchanged(target, old)
    in_the_way = [name for name in new if name not in old and _is_taken(target, name)]
    if in_the_way:
        msg = (
            f"Expected no other files where results go, found: {', '.join(in_the_way)} in {target}."
        )
        raise InputError(msg)
    # From here on the folder is marked as unfinished, and what is old and what is new are both
    # known as this tool's: whenever the work is killed, it can be done again with --overwrite.
    _write_unfinished(target / record, _merged(old, new))
    _remove(target, [path for path in removable if path.relative_to(target).as_posix() not in new])
    for name in new:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).replace(target / name)
    (place / record).replace(target / record)
    if record == RECORD:
        (target / _JOURNAL).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)


# --- what is refused before the work


def check_folder(
    folder: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> None:
    """Raise if results could not be written to a folder; nothing is changed.

    Parameters
    ----------
    folder, overwrite, inputs
        As for `results_folder`.

    Raises
    ------
    InputError
        If it is a file, cannot be written, lies in or around an input, holds anything and
        `overwrite` is false, or holds anything but the unchanged results of an earlier run and
        files that other people put there.
    """
    folder = Path(folder)
    target = folder.resolve()
    _refuse_overlap(target, inputs)
    _refuse_closed(target)
    if target.exists() and not target.is_dir():
        msg = f"Expected {folder} to be a folder, found a file."
        raise InputError(msg)
    if not target.is_dir() or not any(
        not _STAGING.fullmatch(path.name) for path in target.iterdir()
    ):
        return
    if not overwrite:
        msg = f"Expected {folder} to be empty or new, found files in it. --overwrite replaces them."
        raise InputError(msg)
    _unchanged(target, recorded_outputs(folder))


def check_file(path: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()) -> None:
    """Raise if a table and its record could not be written; nothing is changed.

    Parameters
    ----------
    path, overwrite, inputs
        As for `results_file`.

    Raises
    ------
    InputError
        If it is a folder, cannot be written, lies in an input, is there and `overwrite` is false,
        or is there and is not the unchanged table of an earlier run.
    """
    path = Path(path)
    folder, record = path.parent.resolve(), record_beside(path)
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir may raise)
        msg = f"Expected {path} to be a file that can be written, found a folder."
        raise InputError(msg)
    _refuse_closed(folder / record)
    _refuse_overlap(path, inputs)
    if not os.path.lexists(path) and not os.path.lexists(folder / record):
        return
    if not overwrite:
        msg = f"Expected {path} to be a new file, found one. --overwrite replaces it."
        raise InputError(msg)
    recorded = recorded_outputs(folder, record=record)
    if path.name not in recorded and os.path.lexists(path):
        msg = f"Expected {path} to be a table of an earlier run, found none in {folder / record}."
        raise InputError(msg)
    _unchanged(folder, recorded)


def _refuse_overlap(out: Path, inputs: Iterable[StrPath]) -> None:
    """Refuse results inside an input, whose hash they would change, and around one."""
    around_out = _identities(out)
    for source in map(Path, inputs):
        # By device and number, not by name: links and letters of either case make no difference.
        around_source = _identities(source)
        if os.path.lexists(source.resolve()) and around_source[0] in around_out:
            msg = f"Expected results outside the input {source}, found them in it: {out}."
            raise InputError(msg)
        if os.path.lexists(out.resolve()) and around_out[0] in around_source:
            msg = f"Expected a folder of results without an input in it, found {source} in {out}."
            raise InputError(msg)


def _identities(path: Path) -> list[tuple[int, int]]:
    """Return the device and number of a path and of the folders around it, where there are any."""
    path = path.resolve()
    places = (place for place in (path, *path.parents) if os.path.lexists(place))
    found = [place.stat() for place in places]
    return [(status.st_dev, status.st_ino) for status in found]


def _refuse_closed(target: Path) -> None:
    """Refuse a place where nothing can be written."""
    try:
        folder = _nearest_folder(target)
        with TemporaryFile(dir=folder if folder.is_dir() else folder.parent):
            pass
        if not folder.is_dir() and folder != target:
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
        with suppress(FileNotFoundError):
            target.stat()  # a name that is too long
    except OSError as error:
        raise _not_writable(target, error) from error


def _nearest_folder(target: Path) -> Path:
    """Return the target, or the nearest folder around it that is there."""
    return next(place for place in (target, *target.parents) if os.path.lexists(place))


def _not_writable(target: Path, error: OSError) -> InputError:
    # Not the whole error: it names a temporary file.
    found = error.strerror or type(error).__name__
    return InputError(f"Expected {target} to be a place that can be written, found: {found}.")


def _is_taken(folder: Path, name: str) -> bool:
    """Whether a file cannot be written without touching something that is there."""
    *parents, _ = _steps(folder, name)
    blocked = any(
        place.is_symlink() or (place.exists() and not place.is_dir()) for place in parents
    )
    return blocked or os.path.lexists(folder / name)


def _steps(folder: Path, name: str) -> list[Path]:
    """Return the folders on the way to a file in a folder, and the file."""
    parts = name.split("/")
    return [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]


# --- what an earlier run wrote


def recorded_outputs(folder: StrPath, *, record: str = RECORD) -> dict[str, frozenset[str]]:
    """Read which files of a folder an earlier run wrote.

    Parameters
    ----------
    folder : str or Path
        A folder with results, whole or unfinished.
    record : str
        The name of the record.

    Returns
    -------
    dict of str to frozenset of str
        For each file, relative to the folder, the hashes that it may have. A run that was killed
        leaves files of two states.

    Raises
    ------
    InputError
        If there is no record, or one of something else, or one that was written before records
        kept hashes.
    """
    folder = Path(folder)
    found: dict[str, set[str]] = {}
    if os.path.lexists(folder / record):
        for name, hashes in _outputs_of(_read_record(folder / record), folder / record).items():
            found.setdefault(name, set()).update(hashes)
    elif record != RECORD or not (folder / _JOURNAL).exists():
        msg = f"Expected {folder} to hold the results of an earlier run, found no {record} of one."
        raise InputError(msg)
    if record == RECORD:
        for entry in _journal(folder):
            found.setdefault(entry.path, set()).add(entry.sha256)
    return {name: frozenset(hashes) for name, hashes in found.items()}


def is_results_folder(folder: StrPath) -> bool:
    """Return whether a folder holds what a run of this tool wrote, whole or unfinished."""
    folder = Path(folder)
    if (folder / _JOURNAL).exists():
        return True
    try:
        values = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(values, dict):
        return False
    return values.get("tool") == MARKS["tool"] or _is_old(values)


def remove_recorded(folder: StrPath) -> None:
    """Remove the files that an earlier run recorded, and nothing else.

    Raises
    ------
    InputError
        As `recorded_outputs` does, or if a file was changed since: nothing is removed then.
    """
    folder = Path(folder).resolve()
    recorded = recorded_outputs(folder)
    unchanged = _unchanged(folder, recorded)
    # If this is killed, what is left is still known.
    _write_unfinished(folder / RECORD, recorded)
    _remove(folder, unchanged)
    (folder / _JOURNAL).unlink(missing_ok=True)
    (folder / RECORD).unlink()


def _holds_record(folder: Path, record: str) -> bool:
    journal = record == RECORD and (folder / _JOURNAL).exists()
    return journal or os.path.lexists(folder / record)


def _unchanged(folder: Path, recorded: Mapping[str, frozenset[str]]) -> list[Path]:
    """Return the recorded files that are there; raise if one is not what was recorded."""
    found, changed = [], []
    for name, hashes in recorded.items():
        path = folder / name
        if not os.path.lexists(path):
            continue
        is_ours = not any(place.is_symlink() for place in _steps(folder, name)) and path.is_file()
        if is_ours and (_ANY in hashes or file_hash(path) in hashes):
            found.append(path)
        else:
            changed.append(name)
    if changed:
        msg = (
            f"Expected the results of the earlier run as it wrote them, found that these were "
            f"changed since: {', '.join(changed)} in {folder}. Move them away, or choose another "
            "place for the new results."
        )
        raise InputError(msg)
    return found


def _remove(folder: Path, paths: Iterable[Path]) -> None:
    """Remove files, and the folders that are empty without them."""
    paths = list(paths)
    for path in paths:
        path.unlink(missing_ok=True)
    for path in sorted({path.parent for path in paths}, reverse=True):
        with suppress(OSError):  # something else lies there
            while path != folder:
                path.rmdir()
                path = path.parent  # noqa: PLW2901


def _read_record(path: Path) -> dict[str, Any]:
    """Read a record of this tool; raise for one of something else, or without hashes."""
    try:
        if path.is_symlink():
            raise ValueError("a link")
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"Expected {path} to be the results of an earlier run's record, found: {error}."
        raise InputError(msg) from error
    if isinstance(values, dict) and all(values.get(name) == mark for name, mark in MARKS.items()):
        return values
    if isinstance(values, dict) and _is_old(values):
        msg = (
            f"Expected the hashes of the results in {path}, found a record of an older version "
            "without them. What it lists is never removed: move it away yourself, or choose "
            "another place for the new results."
        )
    else:
        msg = f"Expected {path} to describe results of an earlier run, found something else."
    raise InputError(msg)


def _is_old(values: Mapping[str, Any]) -> bool:
    """Whether a record is one that this tool wrote before it kept hashes."""
    return (
        "tool" not in values and "command" in values and bool({"versions", "outputs"} & set(values))
    )


def _outputs_of(values: Mapping[str, Any], path: Path) -> dict[str, frozenset[str]]:
    """Return the files that a record lists; raise if one of them is not in its folder."""
    found: dict[str, set[str]] = {}
    try:
        for entry in values.get("outputs", ()):
            name, sha256 = entry["path"], entry["sha256"]
            if not _is_inside(name) or not isinstance(sha256, str):
                raise ValueError(f"the output {name!r}")
            found.setdefault(name, set()).add(sha256)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"Expected {path} to list files in its folder, found: {error}."
        raise InputError(msg) from error
    return {name: frozenset(hashes) for name, hashes in found.items()}


def _is_inside(name: Any) -> bool:
    """Whether a name is that of a file in a folder, on every system."""
    return (
        isinstance(name, str)
        and not {"", ".", ".."} & set(name.split("/"))
        and not set("\\\0") & set(name)
        and not re.match(r"[A-Za-z]:", name)
    )


def _merged(
    *outputs: Mapping[str, frozenset[str]],
) -> dict[str, frozenset[str]]:
    names = dict.fromkeys(name for one in outputs for name in one)
    return {name: frozenset().union(*(one.get(name, ()) for one in outputs)) for name in names}


def _write_unfinished(path: Path, outputs: Mapping[str, frozenset[str]]) -> None:
    entries = [
        Output(name, sha256)._asdict() for name, all_of in outputs.items() for sha256 in all_of
    ]
    write_json(path, {**MARKS, "unfinished": True, "outputs": entries})


# --- results that are written in place


def fresh_folder(
    folder: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> None:
    """Make a folder to write results in place, without mixing them with those of an earlier run.

    Parameters
    ----------
    folder, overwrite, inputs
        As for `results_folder`. The results of an earlier run are removed at once.

    Raises
    ------
    InputError
        As `check_folder` does.
    """
    check_folder(folder, overwrite=overwrite, inputs=inputs)
    target = Path(folder).resolve()
    try:
        if target.is_dir() and _holds_record(target, RECORD):
            remove_recorded(target)
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(target, error) from error


def record_file(folder: StrPath, path: StrPath, *, finished: bool = True) -> None:
    """Record a file that was written in place, so that `overwrite` may remove it later.

    The results are unfinished from here on: an earlier `run.json` is taken away until
    `lggshape.provenance.recorded` writes the new one.

    Parameters
    ----------
    folder : str or Path
        The folder of the results.
    path : str or Path
        The file: its path, or its name relative to the folder.
    finished : bool
        Whether it is as it is going to be. One that grows is recorded as not finished before
        it is first written, so that its hash does not matter.
    """
    folder = Path(folder)
    path = Path(path)
    path = path if path.is_relative_to(folder) else folder / path
    _take_record_away(folder)
    sha256 = file_hash(path) if finished else _ANY
    entry = Output(path.relative_to(folder).as_posix(), sha256)._asdict()
    # One line a file, so that the time for each does not depend on how many there are.
    with (folder / _JOURNAL).open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")


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
    recorded = {entry.path: entry.sha256 for entry in _journal(folder)}
    everything = sorted({**recorded, **dict.fromkeys(names)})
    return [
        Output(name, recorded.get(name) or file_hash(folder / name))
        for name in everything
        if (folder / name).is_file()
    ]


def end_recording(folder: StrPath) -> None:
    """Remove the list that `record_file` kept, once `run.json` has it."""
    (Path(folder) / _JOURNAL).unlink(missing_ok=True)


def _journal(folder: Path) -> list[Output]:
    """Read the list of files written in place; the last line may be half written."""
    found = []
    with suppress(FileNotFoundError):
        for line in (folder / _JOURNAL).read_text(encoding="utf-8").split("\n"):
            with suppress(ValueError, KeyError, TypeError):
                values = json.loads(line)
                if _is_inside(values["path"]) and isinstance(values["sha256"], str):
                    found.append(Output(values["path"], values["sha256"]))
    return found


def _take_record_away(folder: Path) -> None:
    """Turn the record of an earlier run that is gone on with into a list of its files."""
    path = folder / RECORD
    if not path.exists():
        return
    with suppress(InputError):  # of an older version, without hashes: its files are not ours
        earlier = _outputs_of(_read_record(path), path)
        with (folder / _JOURNAL).open("a", encoding="utf-8", newline="\n") as file:
            for name, hashes in earlier.items():
                for sha256 in hashes:
                    entry = Output(name, sha256)._asdict()
                    file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    path.unlink()
