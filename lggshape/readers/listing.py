"""Names in the file system."""

import os
import stat
from pathlib import Path

from lggshape.names import natural_key
from lggshape.readers.unusable import UnusableError

_NOT_DATA = "__MACOSX"  # what macOS adds to ZIP archives


def folder_name(folder: Path) -> str:
    """Return the name of a folder, also where the path is `.` or ends in `..`."""
    # Not Path.resolve: a link's own name counts, not that of the folder it points to.
    return os.path.basename(os.path.abspath(folder))  # noqa: PTH100, PTH119


def file_names(folder: Path) -> set[str]:
    """List the files in a folder; none if it is no folder, or a link to one."""
    if folder.is_symlink() or not folder.is_dir():
        return set()
    return {path.name for path in folder.iterdir() if path.is_file()}


def check_regular(path: Path) -> None:
    """Refuse to open what is no file, also behind a link: reading a pipe or a device never ends.

    Raises
    ------
    UnusableError
        If it is something else.
    OSError
        If there is nothing, or it may not be looked at.

    Examples
    --------
    >>> check_regular(Path("/dev/null"))
    Traceback (most recent call last):
    lggshape.readers.unusable.UnusableError: a device instead of a file
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
        msg = f"a {kinds.get(stat.S_IFMT(mode), 'device')} instead of a file"
        raise UnusableError(msg)


def visible_names(folder: Path) -> tuple[list[str], list[str]]:
    """List the files and the sub-folders of a folder in natural order.

    Hidden ones, and what macOS adds to ZIP archives (`__MACOSX`), are left out.
    """
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name != _NOT_DATA:
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file() or entry.is_symlink():  # nor pipes: reading one never ends
                    files.append(entry.name)
    return sorted(files, key=natural_key), sorted(folders, key=natural_key)
