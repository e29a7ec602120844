"""run.json: how a result was made, and from what."""

import hashlib
import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

from lggshape.files import write_json

_PACKAGES = (
    "lggshape", "numpy", "scipy", "pandas", "scikit-image", "statsmodels", "matplotlib",
    "tifffile", "imagecodecs", "nibabel", "pydicom", "keras", "tensorflow", "jax", "torch",
)  # fmt: skip


@dataclass(frozen=True)
class InputFile:
    """An input, known by its content.

    Attributes
    ----------
    path : str
        Where it was read.
    sha256 : str
        Hash of the file; for a folder, of the names and hashes of the files in it.
    files : int
        How many files it consists of.
    """

    path: str
    sha256: str
    files: int


def describe_input(path: Path) -> InputFile:
    """Hash a file, or a folder with all that is in it.

    The hash of a folder depends on the relative names and contents of its files, not on where the
    folder lies. Hidden files do not count.
    """
    if path.is_file():
        return InputFile(str(path), _hash_file(path), 1)
    files = sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(path).parts)
    )
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(path).as_posix()}\0{_hash_file(file)}\n".encode())
    return InputFile(str(path), total.hexdigest(), len(files))


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
