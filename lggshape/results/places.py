"""Places for results: those that cannot be used are refused before the work begins."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from errno import ENOTDIR
from pathlib import Path
from tempfile import TemporaryFile

from lggshape.errors import InputError
from lggshape.files import StrPath
from lggshape.results.records import record_beside, recorded_outputs
from lggshape.results.removal import unchanged_files

STAGING = re.compile(r"\.lggshape-[0-9a-f]+\.part")
"""Hidden temporary folders, in which results are written before they are moved."""

REPLACE_IT = "To replace it, use --overwrite (in Python, overwrite=True)."
CONTINUE_IT = "To continue it, use --resume (in Python, resume=True)."


def check_place(folder: StrPath, *, inputs: Iterable[StrPath] = ()) -> None:
    """Raise if nothing could be written to a folder, whatever it holds. Nothing is changed.

    Parameters
    ----------
    folder : str or Path
        Where to write.
    inputs : iterable of str or Path
        Files and folders that are read.

    Raises
    ------
    InputError
        If it is a file, cannot be written, or lies in or around an input.
    """
    folder = Path(folder)
    target = folder.resolve()
    _refuse_overlap(folder, inputs)
    _refuse_closed(target)
    if target.exists() and not target.is_dir():
        msg = f"Expected {folder} to be a folder, found a file. Choose another name."
        raise InputError(msg)


def check_folder(
    folder: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> None:
    """Raise if results could not be written to a folder. Nothing is changed.

    Parameters
    ----------
    folder, overwrite, inputs
        As for `results_folder`.

    Raises
    ------
    InputError
        If it is a file, cannot be written, or lies in or around an input. If it is not empty and
        `overwrite` is false, holds no record of an earlier run, or holds results of one that have
        been changed. Files that no run wrote may lie beside such results.
    """
    check_place(folder, inputs=inputs)
    target = Path(folder).resolve()
    held = target.iterdir() if target.is_dir() else ()
    # The temporary folder of a killed run is no result.
    if all(STAGING.fullmatch(path.name) for path in held):
        return
    recorded = recorded_outputs(folder)
    if not overwrite:
        msg = f"Expected {folder} to be empty or new, found an earlier run there. {REPLACE_IT}"
        raise InputError(msg)
    unchanged_files(target, recorded)


def check_file(path: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()) -> None:
    """Raise if a table and its record could not be written. Nothing is changed.

    Parameters
    ----------
    path, overwrite, inputs
        As for `results_file`.

    Raises
    ------
    InputError
        If it is a folder, is not named as a CSV file, cannot be written, or lies in an input. If it
        exists and `overwrite` is false, or is not the unchanged table of an earlier run. If it does
        not exist, but its description (`.datapackage.json`) does.
    """
    path = Path(path)
    folder, record = path.parent.resolve(), record_beside(path)
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir may raise)
        msg = f"Expected {path} to be a file, found a folder. Choose another name."
        raise InputError(msg)
    if path.suffix.lower() != ".csv":
        msg = f"Expected the name of a CSV file, such as {path.with_suffix('.csv')}, found {path}."
        raise InputError(msg)
    _refuse_closed(folder / record)
    _refuse_overlap(path, inputs)
    if not os.path.lexists(path) and not os.path.lexists(folder / record):
        _refuse_leftover(path.with_name(f"{path.stem}.datapackage.json"))
        return
    recorded = recorded_outputs(folder, record=record)
    # Two tables may share a record, as a.csv and a.CSV do: neither replaces the other.
    if path.name not in recorded:
        msg = (
            f"Expected {path} to be a table of an earlier run, found that {folder / record} does "
            "not list it. Choose another name."
        )
        raise InputError(msg)
    if not overwrite:
        msg = f"Expected {path} to be a new file, found one of an earlier run. {REPLACE_IT}"
        raise InputError(msg)
    unchanged_files(folder, recorded)


def _refuse_overlap(out: Path, inputs: Iterable[StrPath]) -> None:
    """Refuse results in an input, because they would change its hash, and results around one."""
    around_out = _identities(out)
    for source in map(Path, inputs):
        # By device and inode, not by name: links and upper or lower case make no difference.
        around_source = _identities(source)
        if os.path.lexists(source.resolve()) and around_source[0] in around_out:
            msg = (
                f"Expected a place for the results outside the input {source}, found {out} in it. "
                "Choose another place."
            )
            raise InputError(msg)
        if os.path.lexists(out.resolve()) and around_out[0] in around_source:
            msg = (
                f"Expected a folder for the results without an input in it, found {source} in "
                f"{out}. Choose another folder."
            )
            raise InputError(msg)


def _identities(path: Path) -> list[tuple[int, int]]:
    """Return the device and inode of a path and of the folders around it, if they exist."""
    path = path.resolve()
    places = (place for place in (path, *path.parents) if os.path.lexists(place))
    found = [place.stat() for place in places]
    return [(status.st_dev, status.st_ino) for status in found]


def _refuse_closed(target: Path) -> None:
    """Refuse a place where nothing can be written."""
    try:
        folder = nearest_folder(target)
        with TemporaryFile(dir=folder if folder.is_dir() else folder.parent):
            pass
        if not folder.is_dir() and folder != target:
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
        with suppress(FileNotFoundError):
            target.stat()  # a name that is too long
    except OSError as error:
        raise not_writable(target, error) from error


def nearest_folder(target: Path) -> Path:
    """Return the target, or the nearest folder around it that exists."""
    return next(place for place in (target, *target.parents) if os.path.lexists(place))


def not_writable(target: Path, error: OSError) -> InputError:
    """Return the error for a place that cannot be written, to be raised."""
    # Not the whole error: it names a temporary file.
    found = error.strerror or type(error).__name__
    msg = f"Expected {target} to be writable, found: {found}. Choose another place."
    return InputError(msg)


def _refuse_leftover(description: Path) -> None:
    """Refuse the description of a table that is gone: otherwise the run would fail at its end."""
    if os.path.lexists(description):
        msg = (
            f"Expected no {description.name} without its table and record, found one in "
            f"{description.parent}. Move or delete it."
        )
        raise InputError(msg)
