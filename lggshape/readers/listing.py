"""Names in the file system."""

import os
import stat
from pathlib import Path

from lggshape.names import natural_key
from lggshape.readers.unusable import UnusableError

_NOT_DATA = frozenset({
    "__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found",
})  # fmt: skip
"""What systems add to archives and disks."""


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
    """Refuse to open what is empty or no file, also behind a link: reading a pipe never ends.

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
    status = path.stat()
    mode = status.st_mode
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "named pipe", stat.S_IFSOCK: "socket"}
        msg = f"a {kinds.get(stat.S_IFMT(mode), 'device')} instead of a file"
        raise UnusableError(msg)
    if not status.st_size:
        msg = "an empty file; copy it again"
        raise UnusableError(msg)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def visible_names(folder: Path) -> tuple[list[str], list[str]]:
    """List the files and the sub-folders of a folder in natural order.

    Hidden ones, and what systems add (`__MACOSX`), are left out. What is no folder counts as a
    file, also a pipe: it is refused where it is opened (`check_regular`), and not passed over.
    """
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in _NOT_DATA:
                (folders if _is_folder(entry) else files).append(entry.name)
    return sorted(files, key=natural_key), sorted(folders, key=natural_key)
