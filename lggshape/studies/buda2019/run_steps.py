"""The whole of the study, step by step, so that it goes on where it was interrupted."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from lggshape.errors import CaseError, InputError
from lggshape.files import read_json, write_json
from lggshape.names import what_is_unsafe
from lggshape.results import (
    is_results_folder,
    recorded_in_place,
    recorded_outputs,
    remove_recorded,
    unchanged_files,
)
from lggshape.results.places import CONTINUE_IT, REPLACE_IT
from lggshape.studies.buda2019.replication import Replication
from lggshape.studies.buda2019.steps import ReplicationStep

SETTINGS, DONE = "replicate_settings.json", "replicate_done.json"


class Done(NamedTuple):
    """What came of a step: the seconds that it took, and the names of its tables."""

    seconds: float
    tables: tuple[str, ...]


def run_steps(
    replication: Replication,
    steps: Sequence[ReplicationStep],
    *,
    settings: Mapping[str, Any],
    resume: bool = False,
    overwrite: bool = False,
) -> dict[str, Done]:
    """Do the steps whose tables are not there, and write these to the folder of the work.

    Parameters
    ----------
    replication : Replication
        What to work on.
    steps : sequence of ReplicationStep
        The steps, each after those that it needs.
    settings : mapping
        What the results depend on, as plain values: an earlier run is continued only with the same.
    resume : bool
        Whether to continue what an earlier run left in the folder of the work.
    overwrite : bool
        Whether to remove it instead.

    Returns
    -------
    dict of str to Done
        What came of each step, now or in the earlier run.

    Raises
    ------
    InputError
        If the folder of the work holds something else, or a run of other settings, or one that is
        to be neither continued nor removed, a file in it was changed since, or a step cannot be
        done.
    """
    _open(replication.work, settings, resume=resume, overwrite=overwrite)
    path = replication.work / DONE
    known = _read_done(path) if path.exists() else {}
    for step in steps:
        if step.name in known and all(map(replication.has, known[step.name].tables)):
            continue
        started = perf_counter()
        try:
            tables = step.run(replication)
        except CaseError as error:
            msg = f"Expected the step {step.name} to be done, found: {error}"
            raise InputError(msg) from error
        replication.write(tables)
        known[step.name] = Done(round(perf_counter() - started, 1), tuple(tables))
        _write(path, known)
    return {step.name: known[step.name] for step in steps}


def _open(work: Path, settings: Mapping[str, Any], *, resume: bool, overwrite: bool) -> None:
    record = work / SETTINGS
    if work.exists() and not (work.is_dir() and (record.exists() or not any(work.iterdir()))):
        msg = (
            f"Expected {work} to be new or the work of an earlier run, found a folder without "
            f"{SETTINGS} or a file. Choose another place for the work."
        )
        raise InputError(msg)
    if record.exists() and resume:
        unchanged_files(work, recorded_outputs(work))  # the next steps build on them
        earlier = _read(record)
        changed = [name for name, value in settings.items() if earlier.get(name) != value]
        if changed:
            msg = (
                f"Expected the settings of the earlier run, found other {', '.join(changed)}: "
                f"{record}. {REPLACE_IT}"
            )
            raise InputError(msg)
        return
    if record.exists() and not overwrite:
        msg = (
            f"Expected {work} to be new, found the work of an earlier run. {CONTINUE_IT} "
            f"{REPLACE_IT}"
        )
        raise InputError(msg)
    try:
        if record.exists():
            _remove(work)
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"Expected {work} to be a writable folder, found: {error}."
        raise InputError(msg) from error
    _write(record, settings)


def _remove(work: Path) -> None:
    """Remove what an earlier run wrote: its own files, and those of the folders in it."""
    for folder in sorted(path for path in work.iterdir() if path.is_dir()):
        if is_results_folder(folder):
            remove_recorded(folder)
            with suppress(OSError):  # something else lies there
                folder.rmdir()
    remove_recorded(work)


def _write(path: Path, content: Any) -> None:
    with recorded_in_place(path.parent, path):
        write_json(path, content)


def _read_done(path: Path) -> dict[str, Done]:
    """Return what came of the steps that an earlier run did, by their names."""
    found = {}
    for step, values in _read(path).items():
        try:
            seconds, tables = values
            found[step] = Done(float(seconds), tuple(tables))
            # The tables are copied to the results under their names.
            is_right = isinstance(tables, list) and not any(map(what_is_unsafe, tables))
        except (TypeError, ValueError, AttributeError):
            is_right = False
        if not is_right:
            msg = (
                f"Expected {path} to have the seconds of {step} and the names of its tables, "
                f"found {values!r}. {REPLACE_IT}"
            )
            raise InputError(msg)
    return found


def _read(record: Path) -> dict[str, Any]:
    try:
        return dict(read_json(record, keys=[]))
    except InputError as error:
        raise InputError(f"{error} It should be what an earlier run wrote. {REPLACE_IT}") from error
