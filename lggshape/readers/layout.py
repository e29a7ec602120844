"""What a layout is: a way in which data sets lay out their files.

Each layout has a module of its own, which defines `LAYOUT`, and a line in the registry of
`lggshape.readers.discovery`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lggshape.readers.folder import Folder
from lggshape.readers.naming import NamingRule
from lggshape.readers.source import CaseSource


class _Find(Protocol):
    def __call__(self, folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
        """Find the cases of a folder."""


class _OpenFile(Protocol):
    def __call__(self, path: Path, *, masks_only: bool) -> CaseSource | None:
        """Return the case of one file; None if the file is not of this layout."""


@dataclass(frozen=True)
class Layout:
    """A way in which data sets lay out their files.

    Attributes
    ----------
    name : str
        What messages call it.
    pattern : str
        How its files are named, for messages.
    find : callable
        Takes a `Folder` and `masks_only`, and returns the cases that lie in it. It looks at names
        alone: what is wrong with a case shows when it is read. A case of which the layout does not
        know the patient has an empty one, and its name tells.
    open_file : callable, optional
        Takes the path of a file and `masks_only`, and returns its case, or None if the file is not
        of this layout.
    identify : callable, optional
        The naming rule that data sets of this layout follow. `open_cases` applies it to the cases
        of every layout, so that a converted copy of a case stays a case of the same patient.
    written : callable, optional
        Takes a folder and the name of a case, and returns the files there, relative to the folder,
        that `CaseSource.write` makes for a case of this name. It does not list the folder, which
        may hold many cases, and follows no link. None if the layout writes nothing.
    whole : bool
        Whether all that lies in a folder of this layout is of it: the other layouts are not asked.
    """

    name: str
    pattern: str
    find: _Find
    open_file: _OpenFile | None = None
    identify: NamingRule | None = None
    written: Callable[[Path, str], list[str]] | None = None

    whole: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.pattern})"
