"""DICOM files of a folder tree: which there are, and what their headers say.

A file is DICOM if it has the word `DICM` after its first 128 bytes, whatever its name, or begins
with the elements that stand first in a header, as files of old archives do. What pydicom
says of a header may quote it, and headers name patients. So no text of pydicom, neither of an error
nor of a warning, leaves this module.
"""

import logging
import re
import warnings
from collections.abc import Iterator, Mapping, MutableSequence, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any

from lggshape.errors import InputError
from lggshape.extras import require
from lggshape.readers.folder import Folder
from lggshape.readers.listing import check_regular
from lggshape.readers.unusable import UnusableError

if TYPE_CHECKING:
    from pydicom import Dataset

_MAGIC, _MAGIC_AT = b"DICM", 128

_FIRST_ELEMENTS = re.compile(
    rb"\x02\x00\x00\x00UL\x04\x00"
    rb"|\x08\x00[\x00\x01\x05\x08\x12\x16\x18]\x00([\x00-\xff]\x00\x00\x00|[A-Z]{2}[\x00-\xff]\x00)",
    re.DOTALL,
)
"""How a header begins: group 2, or group 8 with a short value, with or without its kind."""

_ENDINGS = frozenset({".dcm", ".dicom", ".ima"})
"""Endings that promise a DICOM file."""

_OTHERS = frozenset({
    ".bval", ".bvec", ".csv", ".gz", ".html", ".jpeg", ".jpg", ".json", ".log", ".md", ".mha",
    ".mhd", ".nii", ".npy", ".npz", ".nrrd", ".pdf", ".png", ".raw", ".rst", ".tif", ".tiff",
    ".toml", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".zip",
})  # fmt: skip
"""Endings of other files, which are not opened to look."""

_DEEPEST = 16
"""Folders inside folders, below which nothing is looked for."""


def pydicom() -> ModuleType:
    """Return the module pydicom; raise InputError, with the way to install it, if it is missing."""
    return _installed("pydicom")


def highdicom() -> ModuleType:
    """Return the module highdicom; raise InputError, with the way to get it, if it is missing."""
    return _installed("highdicom")


def _installed(name: str) -> ModuleType:
    from importlib import import_module

    require(name, "to read and write DICOM")
    with quietly():
        return import_module(name)


def dicom_files(folder: Folder) -> tuple[list[Path], list[Path]]:
    """List the DICOM files of a folder tree, and those that are called so and are not.

    Parameters
    ----------
    folder : Folder
        The folder. Those in it that hold results of this tool are left out.

    Returns
    -------
    files : list of Path
        The DICOM files, in natural order of names, folder by folder.
    others : list of Path
        Files whose ending promises DICOM, without the word `DICM`.
    """
    files, others = [], []
    for path in _candidates(folder, frozenset(), _DEEPEST):
        if is_dicom(path):
            files.append(path)
        elif path.suffix.lower() in _ENDINGS:
            others.append(path)
    return files, others


def _candidates(folder: Folder, above: frozenset[Path], depth: int) -> Iterator[Path]:
    # A link may lead to a folder above it: each is listed once on the way down.
    real = folder.path.resolve()
    if real in above or not depth:
        return
    for name in folder.files:
        path = folder.path / name
        if path.suffix.lower() not in _OTHERS:
            yield path
    for inner in folder.folders.values():
        yield from _candidates(inner, above | {real}, depth - 1)


def is_dicom(path: Path) -> bool:
    """Test whether a file is DICOM, by its content alone."""
    try:
        if not path.is_file():  # a named pipe would keep the reader waiting
            return False
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
        return head[_MAGIC_AT:] == _MAGIC or bool(_FIRST_ELEMENTS.match(head))
    except OSError:
        return False


def read_header(path: Path, tags: Sequence[str] | None = None) -> "Dataset":
    """Read a header, without pixels; raises UnusableError for a damaged one.

    Parameters
    ----------
    path : Path
        The file.
    tags : sequence of str, optional
        The keywords of the elements that are needed; all by default.

    Returns
    -------
    pydicom.Dataset
        The header. Its values are decoded when they are asked for.
    """
    reader = pydicom()
    check_regular(path)
    with pydicom_reading():
        header: Dataset = reader.dcmread(
            path,
            force=True,  # that it is DICOM, with or without a preamble, has been tested
            stop_before_pixels=True,
            specific_tags=None if tags is None else list(tags),
        )
    return header


@contextmanager
def pydicom_reading(found: str = "damaged DICOM") -> Iterator[None]:
    """Raise UnusableError for whatever pydicom raises, without the values that it quotes.

    Parameters
    ----------
    found : str
        What the error then says, before the kind of the error.
    """
    try:
        with quietly():
            yield
    except (UnusableError, OSError, InputError):
        raise
    except Exception as error:
        msg = f"{found} ({type(error).__name__})"
        # Not "from error": its text may quote the header, and goes to the log with a traceback.
        raise UnusableError(msg) from None


class _Silence:
    """Keeps pydicom and highdicom silent as long as anything, in any thread, asks for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked = 0
        self._restore = ExitStack()

    def begin(self) -> None:
        with self._lock:
            # Only the first time: whenever a level is set, the caches of all loggers are emptied.
            if not self._asked:
                self._restore.enter_context(warnings.catch_warnings(action="ignore"))
                for logger in map(logging.getLogger, ("pydicom", "highdicom")):
                    self._restore.callback(setattr, logger, "propagate", logger.propagate)
                    self._restore.callback(logger.setLevel, logger.level)
                    logger.setLevel(logging.CRITICAL + 1)
                    logger.propagate = False
            self._asked += 1

    def end(self) -> None:
        with self._lock:
            self._asked -= 1
            if not self._asked:
                self._restore.close()


_SILENCE = _Silence()


@contextmanager
def quietly() -> Iterator[None]:
    """Silence what pydicom and highdicom write: it may quote headers, which name patients.

    What reads many elements does so within one such block, or has it as its decorator: the first
    takes much longer than those within it.
    """
    _SILENCE.begin()
    try:
        yield
    finally:
        _SILENCE.end()


def text_of(header: "Dataset | Mapping[str, Any]", name: str) -> str:
    """Return an element as text, several values with blanks between; "" if there is none."""
    with pydicom_reading():
        value = header.get(name)
    if value is None:
        return ""
    parts = value if isinstance(value, MutableSequence) else [value]  # a name is a sequence, too
    return " ".join(str(part).strip() for part in parts).strip()


def numbers_of(
    header: "Dataset | Mapping[str, Any]", name: str, count: int
) -> tuple[float, ...] | None:
    """Return an element of so many numbers; None if there is none, or if it is of others."""
    with pydicom_reading():
        value: Any = header.get(name)
        if value is None or value == "":
            return None
        parts = list(value) if isinstance(value, MutableSequence) else [value]
        if len(parts) != count:
            return None
        try:
            return tuple(float(part) for part in parts)
        except (TypeError, ValueError):
            return None
