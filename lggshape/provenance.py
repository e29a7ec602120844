"""run.json: how a result was made, and from what."""

import hashlib
import logging
import os
import platform
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from stat import S_ISREG
from time import perf_counter
from typing import Any

from lggshape.data_package import package_of
from lggshape.files import (
    StrPath,
    file_hash,
    json_text,
    without_folders,
    without_folders_of,
    write_json,
    write_text,
)
from lggshape.results import (
    MARKS,
    RECORD,
    end_recording,
    outputs_in,
    outputs_in_place,
    recorded_in_place,
)
from lggshape.tables import table_file

_LOGGER = logging.getLogger("lggshape")

ANONYMOUS = ContextVar("anonymous", default=False)
"""Whether records leave out which machine it was and in which folders the inputs lie."""

LeftOut = Callable[[Path], bool]
"""Tells whether a file of an input is not read."""

_PACKAGES = (
    "lggshape", "numpy", "scipy", "pandas", "scikit-image", "scikit-learn", "statsmodels",
    "matplotlib", "openpyxl", "pyarrow", "tifffile", "imagecodecs", "nibabel", "pydicom", "keras",
    "tensorflow", "jax", "torch",
)  # fmt: skip


@dataclass(frozen=True)
class InputFile:
    """An input, known by its content.

    Attributes
    ----------
    path : str
        Where it was read.
    sha256 : str
        Hash of the file; for a folder, of the names and hashes of the files in it. Empty if any of
        them could not be read.
    files : int
        How many files were read.
    unreadable : tuple of str
        What could not be read, each with the reason.
    changed : tuple of str
        The files that were changed while they were in use, of which the hash is the earlier one.
    names : str
        Of the input of a shard, a hash of the names of all files, also of those that it left out;
        else empty.
    hashes : mapping of str to str
        Of the input of a shard, the files that it read, each with its hash; else empty.
    """

    path: str
    sha256: str
    files: int
    unreadable: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    names: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)

    def without_files(self) -> "InputFile":
        """Return it without the list of its files."""
        return replace(self, hashes={})

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in `run.json`, without what there is nothing to say of."""
        values = {**vars(self), "unreadable": list(self.unreadable), "changed": list(self.changed)}
        optional = {"changed", "names", "hashes"}
        return {name: value for name, value in values.items() if name not in optional or value}


class _Snapshot:
    """An input as it is now, to be compared with what it is later.

    The hash of a folder depends on the relative names and contents of its files, not on where the
    folder lies. Hidden files do not count, nor does the record of results (`run.json`), so that two
    runs with the same results have the same hash. What cannot be read is noted and does not raise:
    the results must not be lost by it.

    Parameters
    ----------
    given : str or Path
        A file or a folder.
    left_out : callable, optional
        Whether a file is not read; for a shard.

    Attributes
    ----------
    described : InputFile
        What it is now. Of a workbook the path names the sheet that is read, if one was stated.
    """

    def __init__(self, given: StrPath, left_out: LeftOut | None = None) -> None:
        self._path = path = table_file(given)
        self._left_out = left_out or (lambda _: False)
        self._states: dict[str, tuple[int, ...]] = {}
        hashes: dict[str, str] = {}
        errors: dict[str, OSError] = {}
        is_folder = os.path.isdir(path)  # noqa: PTH112 (Path.is_dir may raise)
        files = _content(path, errors) if is_folder else [path]
        for file in files:
            if self._left_out(file):
                continue
            name = file.relative_to(path).as_posix()
            try:
                # The state comes first, so that no change after it goes unseen.
                status = file.stat()
                if S_ISREG(status.st_mode):
                    self._states[name] = _state(status)
                    hashes[name] = file_hash(file)
            except OSError as error:
                errors[str(file)] = error
        sha256 = combined_hash(hashes) if not (is_folder and errors) else ""
        unreadable = tuple(f"{name}: {error.strerror or error}" for name, error in errors.items())
        self.described = InputFile(str(given), sha256, len(hashes), unreadable)
        if left_out is not None:
            names = "".join(f"{file.relative_to(path).as_posix()}\n" for file in files)
            self.described = replace(self.described, names=_hash_of(names), hashes=hashes)
        self._hashes = hashes

    def described_since(self) -> InputFile:
        """Return what it was, with the names of the files that are not what they were."""
        is_folder = os.path.isdir(self._path)  # noqa: PTH112
        names = dict.fromkeys(self._states)
        if is_folder:
            there = (file for file in _content(self._path, {}) if not self._left_out(file))
            names |= dict.fromkeys(file.relative_to(self._path).as_posix() for file in there)
        changed = tuple(name for name in names if self._is_changed(name))
        shown = tuple(str(self._path / name) for name in changed)
        return replace(self.described, changed=shown)

    def _is_changed(self, name: str) -> bool:
        file = self._path / name
        try:
            status = file.stat()
            if not S_ISREG(status.st_mode) or _state(status) == self._states.get(name):
                return False
            # Touched, or copied over itself: the content decides.
            return file_hash(file) != self._hashes.get(name)
        except OSError:
            return name in self._hashes


def _state(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def combined_hash(hashes: Mapping[str, str]) -> str:
    """Return the hash of an input by those of its files, each known by its name in the folder.

    An input that is a file has one, with the name ".". Without any it is "".
    """
    if hashes.keys() <= {"."}:
        return hashes.get(".", "")
    ordered = sorted(hashes.items(), key=lambda entry: entry[0].split("/"))
    return _hash_of("".join(f"{name}\0{digest}\n" for name, digest in ordered))


def _hash_of(text: str) -> str:
    # As the system spells the names, which need not be UTF-8.
    return hashlib.sha256(os.fsencode(text)).hexdigest()


def input_hash(path: StrPath, names: Collection[str] = ()) -> str:
    """Return the hash by which a record knows a file or a folder; "" if it cannot be read.

    Parameters
    ----------
    path : str or Path
        The file or the folder.
    names : collection of str
        The files of the folder that count, as `InputFile.hashes` lists them; all by default.
    """
    place = Path(path)
    chosen = {place / name for name in names}
    left_out = (lambda file: file not in chosen) if chosen else None
    return _Snapshot(path, left_out).described.sha256


def code_hash() -> str:
    """Hash the code and the settings of this package: versions do not tell two states apart."""
    root = Path(__file__).parent
    files = sorted(path for kind in ("*.py", "*.toml") for path in root.rglob(kind))
    lines = "".join(f"{path.relative_to(root).as_posix()}\0{file_hash(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _content(folder: Path, errors: dict[str, OSError]) -> list[Path]:
    """List the files of a folder that its hash depends on."""
    return [file for file in _files_in(folder, errors) if file != folder / RECORD]


def _files_in(folder: Path, errors: dict[str, OSError]) -> list[Path]:
    """List what is in a folder but is neither hidden nor a folder; note what cannot be listed."""
    found = []
    # Cases are read through links to folders, so these count; each folder once, as links may turn
    # in circles. Folders may lie in each other more deeply than Python calls functions.
    seen = {folder.resolve()}
    left = [(folder, folder.resolve())]
    while left:
        parent, place = left.pop()
        try:
            with os.scandir(parent) as entries:
                paths = sorted(Path(one) for one in entries if not one.name.startswith("."))
        except OSError as error:
            errors[str(error.filename)] = error
            continue
        inner = []
        for path in paths:
            if not os.path.isdir(path):  # noqa: PTH112  (which never raises)
                found.append(path)
                continue
            real = path.resolve() if path.is_symlink() else place / path.name
            if real not in seen:
                seen.add(real)
                inner.append((path, real))
        left += reversed(inner)
    return sorted(found)


def package_versions() -> dict[str, str]:
    """Return the versions of lggshape and of the libraries its numbers depend on, if installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


@dataclass
class Record:
    """What is recorded of a run while it goes on.

    Attributes
    ----------
    paths : list of str or Path
        The inputs.
    details : dict
        Whatever the run adds: counts of cases, names of networks.
    at_end : list of callable
        Called when the work is done and the inputs were compared, before the outputs are listed.
    """

    paths: list[StrPath]
    details: dict[str, Any] = field(default_factory=dict)
    at_end: list[Callable[[], None]] = field(default_factory=list)
    _snapshots: list[_Snapshot] = field(default_factory=list)

    def hash_inputs(self, left_out: LeftOut | None = None) -> None:
        """Hash what is about to be read; for a shard, without the files that it leaves out."""
        self._snapshots = [_Snapshot(path, left_out) for path in self.paths]

    @property
    def inputs(self) -> tuple[InputFile, ...]:
        """What is read, as it was before the work began."""
        return tuple(snapshot.described for snapshot in self._snapshots)

    def inputs_since(self) -> list[InputFile]:
        """Return the inputs with the names of the files that were changed meanwhile."""
        return [snapshot.described_since() for snapshot in self._snapshots]


@contextmanager
def recorded(
    path: StrPath,
    *,
    command: str,
    options: Mapping[str, Any],
    inputs: Iterable[StrPath],
    tables_of: str | None = None,
    in_place: bool = False,
    hash_later: bool = False,
) -> Iterator[Record]:
    """Run a block of work and write beside its result how it was made.

    Nothing is written if the block fails. The texts that the block writes do not say in which
    folders the inputs lie: only the record does, unless it is to be `ANONYMOUS`.

    Parameters
    ----------
    path : str or Path
        The JSON file to write, usually called `run.json`.
    command : str
        Name of the command.
    options : mapping
        The options as they were used; values that JSON does not know are written as text.
    inputs : iterable of str or Path
        Files and folders that are read. They are hashed before the block runs. A file that is
        changed meanwhile keeps its first hash, is named, and there is a warning.
    tables_of : str, optional
        The command whose tables the block writes, for `datapackage.json`; by default this one.
    in_place : bool
        Whether the results were written where they stay: their files are those for which
        `results.record_file` was called, and those that `details["outputs"]` names. Otherwise the
        folder of `path` is private, as from `results_folder`, and all that is in it counts.
    hash_later : bool
        Whether the block itself calls `Record.hash_inputs`, once it knows what it is going to read.

    Yields
    ------
    Record
        The inputs; and `details`, to add to.
    """
    path = Path(path)
    started = datetime.now(UTC)
    clock = perf_counter()
    record = Record(list(inputs))
    if not hash_later:
        record.hash_inputs()
    with without_folders_of(record.paths):
        yield record
    described = record.inputs_since()
    for name in (name for source in described for name in source.changed):
        _LOGGER.warning(
            "Expected the inputs not to change during the run, found that %s was changed. %s has "
            "its earlier hash. Run the command again.",
            name,
            path.name,
        )
    anonymous = ANONYMOUS.get()
    with without_folders_of(record.paths) if anonymous else nullcontext():
        for call in record.at_end:
            call()
        package = package_of(path, tables_of or command)
        if package:
            with recorded_in_place(path.parent, package[0]) if in_place else nullcontext():
                write_json(*package)
        named = record.details.pop("outputs", ())
        outputs = (
            outputs_in_place(path.parent, named)
            if in_place
            else outputs_in(path.parent, record=path.name)
        )
        told = json_text(
            {
                **MARKS,
                "command": command,
                "options": {name: _plain(value) for name, value in options.items()},
                "inputs": [source.to_dict() for source in described],
                "outputs": [entry._asdict() for entry in outputs],
                **record.details,
                "versions": package_versions(),
                "started": started.isoformat(timespec="seconds"),
                "seconds": round(perf_counter() - clock, 2),
                **({} if anonymous else {"host": socket.gethostname()}),
                "platform": platform.system() if anonymous else platform.platform(),
            }
        )
        write_text(path, without_folders(told))
    if in_place:
        end_recording(path.parent)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return str(value)
