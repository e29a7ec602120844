"""Remove what an earlier run recorded, and nothing that was changed since or lies elsewhere."""

import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from lggshape.errors import InputError
from lggshape.files import StrPath, file_hash
from lggshape.results.records import (
    RECORD,
    UNFINISHED,
    Outputs,
    end_recording,
    recorded_outputs,
    write_unfinished,
)


def remove_recorded(folder: StrPath) -> None:
    """Remove the files that an earlier run recorded, and nothing else.

    Raises
    ------
    InputError
        As `recorded_outputs` does, or if a file was changed since. Nothing is removed then.
    """
    folder = Path(folder).resolve()
    recorded = recorded_outputs(folder)
    unchanged = unchanged_files(folder, recorded)
    # If the process is killed from here on, the remaining files are still recorded.
    write_unfinished(folder / RECORD, recorded)
    remove_files(folder, unchanged)
    end_recording(folder)
    (folder / RECORD).unlink()


def unchanged_files(
    folder: Path, recorded: Outputs, *,
    otherwise: str = "Move them away, or choose another place for the new results.",
) -> list[Path]:  # fmt: skip
    """Return the recorded files that exist; raise and say what to do if one was changed."""
    found, changed = [], []
    for name, hashes in recorded.items():
        path = folder / name
        if not os.path.lexists(path):
            continue
        is_ours = not any(place.is_symlink() for place in steps_to(folder, name)) and path.is_file()
        if is_ours and (UNFINISHED in hashes or file_hash(path) in hashes):
            found.append(path)
        else:
            changed.append(name)
    if changed:
        msg = (
            f"Expected unchanged results of the earlier run, found that these were changed since: "
            f"{', '.join(changed)} in {folder}. {otherwise}"
        )
        raise InputError(msg)
    return found


def remove_files(folder: Path, paths: Iterable[Path]) -> None:
    """Remove files, and the folders that are then empty."""
    paths = list(paths)
    for path in paths:
        path.unlink(missing_ok=True)
    for parent in sorted({path.parent for path in paths}, reverse=True):
        with suppress(OSError):  # something else lies there
            for empty in takewhile(folder.__ne__, (parent, *parent.parents)):
                empty.rmdir()


def steps_to(folder: Path, name: str) -> list[Path]:
    """Return the folders on the way to a file in a folder, and the file."""
    parts = name.split("/")
    return [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]
