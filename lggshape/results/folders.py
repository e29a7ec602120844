"""Folders of results: complete or absent.

A run first writes into a hidden temporary folder. When everything is there, it is moved to its
place. `run.json` comes last: results without it, or with one marked as unfinished, are incomplete.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from lggshape.errors import InputError
from lggshape.files import StrPath
from lggshape.results.alone import in_turn
from lggshape.results.places import check_file, check_folder, nearest_folder, not_writable
from lggshape.results.records import (
    RECORD,
    Outputs,
    end_recording,
    holds_record,
    listed_outputs,
    record_beside,
    recorded_outputs,
    write_unfinished,
)
from lggshape.results.removal import (
    remove_files,
    remove_recorded,
    steps_to,
    unchanged_files,
)


@contextmanager
def results_folder(
    folder: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> Iterator[Path]:
    """Provide a temporary folder for results, and move them to `folder` if the block succeeds.

    Incomplete results never look complete. Those of an earlier run stay until they are replaced.

    Parameters
    ----------
    folder : str or Path
        Where the results go: a folder that is new, empty or holds the results of an earlier run.
    overwrite : bool
        Whether the results of an earlier run may be replaced. Only the files that its `run.json`
        lists are removed.
    inputs : iterable of str or Path
        Files and folders that are read. The results may lie neither in them nor around them.

    Yields
    ------
    Path
        Where to write. When the block ends, `run.json` has to be there, as
        `lggshape.provenance.recorded` writes it.

    Raises
    ------
    InputError
        As `check_folder` does, before the block begins. After the block, if files that lggshape did
        not write are in the way, or another run has written there meanwhile. The results are then
        kept, and the message says where.

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
    with _staging(target, RECORD, overwrite=overwrite) as place:
        yield place


@contextmanager
def results_file(
    path: StrPath, *, overwrite: bool = False, inputs: Iterable[StrPath] = ()
) -> Iterator[Path]:
    """Provide a temporary folder for one table, and move it to `path` if the block succeeds.

    The record lies beside the table: `features.run.json` beside `features.csv`.

    Parameters
    ----------
    path : str or Path
        Where the table goes.
    overwrite : bool
        Whether it may replace that of an earlier run, which has its record beside it.
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
    with _staging(path.parent.resolve(), record_beside(path), overwrite=overwrite) as place:
        yield place


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
        if target.is_dir() and holds_record(target, RECORD):
            remove_recorded(target)
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(target, error) from error


@contextmanager
def _temporary_folder(target: Path) -> Iterator[Path]:
    """Provide a temporary folder on the file system of `target`; remove it if the block fails."""
    # In the target, if it exists: the folder beside it may be on another file system, or read-only.
    place = nearest_folder(target) / f".lggshape-{uuid4().hex[:12]}.part"
    try:
        place.mkdir()
    except OSError as error:
        raise not_writable(target, error) from error
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


@contextmanager
def _staging(target: Path, record: str, *, overwrite: bool) -> Iterator[Path]:
    """Provide a temporary folder; if the block succeeds, move its contents to `target`."""
    with _temporary_folder(target) as place:
        yield place
    try:
        _publish(place, target, record, overwrite=overwrite)
    except (OSError, InputError) as error:
        msg = (
            f"{error} The new results are complete: they were kept in {place}. Move them to where "
            "you want them, or remove that folder."
        )
        raise InputError(msg) from error
    except BaseException:  # an interruption, after which the command is run again
        shutil.rmtree(place, ignore_errors=True)
        raise


def _publish(place: Path, target: Path, record: str, *, overwrite: bool) -> None:
    """Move results to their folder; the record comes last and makes them complete."""
    new = listed_outputs(place / record)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.rename(target)
        except OSError:
            if not target.exists():  # otherwise another run has just made it
                raise
        else:
            return
    with in_turn(target):
        _move(place, target, record, new, overwrite=overwrite)
    shutil.rmtree(place, ignore_errors=True)


def _move(place: Path, target: Path, record: str, new: Outputs, *, overwrite: bool) -> None:
    """Move results into a folder that exists, in place of those of an earlier run."""
    there = holds_record(target, record)
    if there and not overwrite:  # there was none when the work began
        msg = f"Expected no other run to write to {target} during this one, found results of one."
        raise InputError(msg)
    old = recorded_outputs(target, record=record) if there else {}
    removable = unchanged_files(target, old)
    in_the_way = [name for name in new if name not in old and _is_taken(target, name)]
    if in_the_way:
        msg = (
            f"Expected no other files where the results go, found: {', '.join(in_the_way)} in "
            f"{target}."
        )
        raise InputError(msg)
    # From here on, the record marks the folder as unfinished and lists both old and new files:
    # whenever the run is killed, it can be repeated with --overwrite.
    write_unfinished(target / record, _merged(old, new))
    remove_files(
        target, [path for path in removable if path.relative_to(target).as_posix() not in new]
    )
    for name in new:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).replace(target / name)
    (place / record).replace(target / record)
    if record == RECORD:
        end_recording(target)


def _is_taken(folder: Path, name: str) -> bool:
    """Return whether a file cannot be written without replacing something that is there."""
    *parents, _ = steps_to(folder, name)
    blocked = any(
        place.is_symlink() or (place.exists() and not place.is_dir()) for place in parents
    )
    return blocked or os.path.lexists(folder / name)


def _merged(*several: Outputs) -> dict[str, frozenset[str]]:
    names = dict.fromkeys(name for outputs in several for name in outputs)
    none = frozenset[str]()
    return {name: none.union(*(outputs.get(name, none) for outputs in several)) for name in names}
