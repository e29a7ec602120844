"""Places for results: what can be refused is refused before the work."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from errno import ENOTDIR
from pathlib import Path
from tempfile import TemporaryFile

from lggshape.errors import InputError
from lggshape.files import StrPath
from lggshape.results.records import record_beside, recorded_outputs, unchanged_files

STAGING = re.compile(r"\.lggshape-[0-9a-f]+\.part")
"""Private folders, in which results are written before they are moved."""

REPLACE_IT = "overwrite=True in Python, or --overwrite on the command line, replaces it."
CONTINUE_IT = "resume=True in Python, or --resume on the command line, continues it."


def check_place(folder: StrPath, *, inputs: Iterable[StrPath] = ()) -> None:
    """Raise if nothing could be written to a folder, whatever it holds; nothing is changed.

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
        msg = f"Expected {folder} to be a folder, found a file."
        raise InputError(msg)


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
    check_place(folder, inputs=inputs)
    target = Path(folder).resolve()
    held = target.iterdir() if target.is_dir() else ()
    # What a killed run left in its private folder is no result.
    if all(STAGING.fullmatch(path.name) for path in held):
        return
    recorded = recorded_outputs(folder)
    if not overwrite:
        msg = f"Expected {folder} to be empty or new, found an earlier run. {REPLACE_IT}"
        raise InputError(msg)
    unchanged_files(target, recorded)


def check_file(path: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()) -> None:
    """Raise if a table and its record could not be written; nothing is changed.

    Parameters
    ----------
    path, overwrite, inputs
        As for `results_file`.

    Raises
    ------
    InputError
        If it is a folder, is not named as a CSV file, cannot be written, lies in an input, is there
        and `overwrite` is false, or is there and is not the unchanged table of an earlier run; or
        if it is not there, but a description of it is.
    """
    path = Path(path)
    folder, record = path.parent.resolve(), record_beside(path)
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir may raise)
        msg = f"Expected {path} to be a file that can be written, found a folder."
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
    # Nor is the table of another name removed that shares this record, as a.csv does with a.CSV.
    if path.name not in recorded:
        msg = f"Expected {path} to be a table of an earlier run, found none in {folder / record}."
        raise InputError(msg)
    if not overwrite:
        msg = f"Expected {path} to be a new file, found that of an earlier run. {REPLACE_IT}"
        raise InputError(msg)
    unchanged_files(folder, recorded)


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
    """Return the target, or the nearest folder around it that is there."""
    return next(place for place in (target, *target.parents) if os.path.lexists(place))


def not_writable(target: Path, error: OSError) -> InputError:
    """Return the error for a place that cannot be written, to be raised."""
    # Not the whole error: it names a temporary file.
    found = error.strerror or type(error).__name__
    return InputError(f"Expected {target} to be a place that can be written, found: {found}.")


def _refuse_leftover(description: Path) -> None:
    """Refuse the description of a table that is gone: it would stop the new one after the work."""
    if os.path.lexists(description):
        msg = (
            f"Expected no {description.name} without its table and record, found one in "
            f"{description.parent}. Move it away."
        )
        raise InputError(msg)
