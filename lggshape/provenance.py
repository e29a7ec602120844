"""run.json: how a result was made, and from what."""

import hashlib
import os
import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from stat import S_ISREG
from time import perf_counter
from typing import Any

from lggshape.files import write_json

_PACKAGES = (
    "lggshape", "numpy", "scipy", "pandas", "scikit-image", "scikit-learn", "statsmodels",
    "matplotlib", "tifffile", "imagecodecs", "nibabel", "pydicom", "keras", "tensorflow", "jax",
    "torch",
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
    """

    path: str
    sha256: str
    files: int
    unreadable: tuple[str, ...] = ()


def describe_input(path: Path) -> InputFile:
    """Hash a file, or a folder with all that is in it.

    The hash of a folder depends on the relative names and contents of its files, not on where the
    folder lies. Hidden files do not count. What cannot be read is noted and does not raise: this is
    done after the work, whose results must not be lost by it.
    """
    hashes: dict[str, str] = {}
    errors: dict[str, OSError] = {}
    is_folder = os.path.isdir(path)  # noqa: PTH112 (Path.is_dir may raise)
    for file in _files_in(path, errors) if is_folder else [path]:
        try:
            if S_ISREG(file.stat().st_mode):
                hashes[file.relative_to(path).as_posix()] = _hash_file(file)
        except OSError as error:
            errors[str(file)] = error
    sha256 = hashes.get(".", "")
    if is_folder and not errors:
        lines = "".join(f"{name}\0{digest}\n" for name, digest in hashes.items())
        # As the system spells the names, which need not be UTF-8.
        sha256 = hashlib.sha256(os.fsencode(lines)).hexdigest()
    unreadable = tuple(f"{name}: {error.strerror or error}" for name, error in errors.items())
    return InputFile(str(path), sha256, len(hashes), unreadable)


def code_hash() -> str:
    """Hash the code and the settings of this package: versions do not tell two states apart."""
    root = Path(__file__).parent
    files = sorted(path for kind in ("*.py", "*.toml") for path in root.rglob(kind))
    lines = "".join(f"{path.relative_to(root).as_posix()}\0{_hash_file(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _files_in(folder: Path, errors: dict[str, OSError]) -> list[Path]:
    """List what is in a folder but is neither hidden nor a folder; note what cannot be listed."""
    found = []

    def note(error: OSError) -> None:
        errors[str(error.filename)] = error

    for parent, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def package_versions() -> dict[str, str]:
    """Give the versions of lggshape and of the libraries its numbers depend on, if installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


@contextmanager
def recorded(
    path: Path, *, command: str, options: Mapping[str, Any], inputs: Iterable[Path]
) -> Iterator[dict[str, Any]]:
    """Run a block of work and write beside its result how it was made.

    Nothing is written if the block fails.

    Parameters
    ----------
    path : Path
        The JSON file to write, by custom `run.json`.
    command : str
        Name of the command.
    options : mapping
        The options as they were used; values that JSON does not know are written as text.
    inputs : iterable of Path
        Files and folders that were read. They are hashed.

    Yields
    ------
    dict
        Filled by the block with what it wants to add to the record: outputs, counts of cases.
    """
    started = datetime.now(UTC)
    clock = perf_counter()
    details: dict[str, Any] = {}
    yield details
    described = [describe_input(source) for source in inputs]
    write_json(
        path,
        {
            "command": command,
            "options": {name: _plain(value) for name, value in options.items()},
            "inputs": [vars(source) for source in described],
            **details,
            "versions": package_versions(),
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(perf_counter() - clock, 2),
            "host": socket.gethostname(),
            "platform": platform.platform(),
        },
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return str(value)
