"""Folders as layouts see them: the names in them, without what is hidden and without results."""

from functools import cached_property
from pathlib import Path

from lggshape.readers.listing import folder_name, visible_names
from lggshape.readers.segmented import holds_results


class Folder:
    """The visible names in a folder, which are listed once however many layouts ask.

    Parameters
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """The name of the folder, also where the path is `.` or ends in `..`."""
        return folder_name(self.path)

    @property
    def files(self) -> list[str]:
        """The names of the files in it, in natural order; none if it cannot be listed."""
        return self._listed[0]

    def holds(self, name: str) -> bool:
        """Return whether a file of this name is in it."""
        return name in self._names

    @property
    def error(self) -> str:
        """Why the folder cannot be listed; empty if it can."""
        return self._listed[2]

    @cached_property
    def folders(self) -> dict[str, "Folder"]:
        """The folders in it by name, in natural order, without those that hold results."""
        return {
            name: folder
            for name, folder in self._all_folders.items()
            if not holds_results(folder.path, folder.files)
        }

    @cached_property
    def results(self) -> list[str]:
        """The names of the folders in it that hold results of this tool."""
        return [name for name in self._all_folders if name not in self.folders]

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.files)

    @cached_property
    def _all_folders(self) -> dict[str, "Folder"]:
        return {name: Folder(self.path / name) for name in self._listed[1]}

    @cached_property
    def _listed(self) -> tuple[list[str], list[str], str]:
        try:
            return *visible_names(self.path), ""
        except OSError as error:
            return [], [], error.strerror or str(error)
