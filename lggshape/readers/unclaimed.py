"""Image files that no case takes: those that lie deeper than files of a case do, or of no format.

They are listed, so that nothing is left aside without a word. Not listed are hidden files, results
of this tool, and what BIDS keeps beside the images: other kinds of data, sources, derived files.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lggshape.names import counted, first_few
from lggshape.readers.folder import Folder
from lggshape.readers.formats import split_ending
from lggshape.readers.naming import MASK, NOT_READ
from lggshape.readers.slice_folders import SliceFolder, holds_slices
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.readers.tiff_file import FORMAT as TIFF
from lggshape.readers.unnamed import LeftOutFile
from lggshape.readers.volume_case import VolumeCase

_NOT_READ = (
    ".mgz", ".mgh", ".img", ".hdr", ".img.gz", ".mnc", ".gipl", ".gipl.gz", ".rec", ".nii.zip",
    ".nii.bz2", ".nii.xz", ".nii.zst", ".npy", ".h5", ".hdf5",
)  # fmt: skip
"""Endings of images in formats that are not read."""

_OF_BIDS = frozenset({
    "beh", "code", "derivatives", "dwi", "eeg", "fmap", "func", "ieeg", "meg", "micr", "motion",
    "mrs", "nirs", "perf", "pet", "phenotype", "sourcedata", "stimuli",
})  # fmt: skip
_DEEPEST = 6
"""Folders are looked into as deep as this; a link to a folder above would never end."""


def unclaimed_files(folder: Folder, cases: Iterable[CaseSource]) -> list[LeftOutFile]:
    """Return the image files below a folder that are of no case.

    Parameters
    ----------
    folder : Folder
        The folder.
    cases : iterable of CaseSource
        What was found in it.

    Returns
    -------
    list of LeftOutFile
        The files, with the reason.
    """
    claimed: set[Path] = set()
    whole: set[Path] = set()
    for case in cases:
        if isinstance(case, VolumeCase):
            claimed.update(path for _, path in case.files)
        else:
            whole.add(case.path)
    return [
        LeftOutFile(path, reason)
        for path, reason in _images(folder, _DEEPEST, whole)
        if path not in claimed
    ]


def without_aliases(cases: Mapping[str, CaseSource]) -> dict[str, CaseSource]:
    """Return the cases; one whose images are links to those of another case cannot be read.

    A patient counts once, however many names lead to the files.
    """
    first: dict[str, CaseSource] = {}
    found: dict[str, CaseSource] = {}
    for name, case in cases.items():
        # Packed masks and DICOM files are shared by cases, and equal masks may be one file: an
        # archive that stores files by their content has one empty mask.
        files = [case.path] if isinstance(case, SliceFolder) else []
        if isinstance(case, VolumeCase):
            files = [path for role, path in case.files if role not in {MASK, *NOT_READ}]
        real = [os.path.realpath(path) for path in files]
        other = next((first[one] for one in real if one in first), None)
        found[name] = case
        if other is not None:
            reason = (
                f"Expected case {name} to have files of its own, found links to those of case "
                f"{other.id}: {case.path}. Remove the links."
            )
            found[name] = UnreadableCase(name, case.patient, case.path, reason=reason)
        first |= dict.fromkeys(real, case)
    return found


def what_lies_deeper(folder: Folder) -> str:
    """Return in words which image files lie below a folder in which no case was found.

    Returns
    -------
    str
        With what can be done; empty if there are none.
    """
    found = list(_images(folder, _DEEPEST, set()))
    read = [path for path, _ in found if split_ending(path.name)[1] is not None]
    if not found:
        return ""
    shown = first_few([one.relative_to(folder.path).as_posix() for one in read or dict(found)], 2)
    if not read:
        return f" Found {shown}, but {found[0][1]}."
    together = Path(os.path.commonpath([path.parent for path in read]))
    where = "" if together == folder.path else f", all in {together.relative_to(folder.path)}"
    return (
        f" Image files lie deeper ({counted(len(read), 'file')}{where}: {shown}): give the folder "
        "that holds the case folders, the form of the paths with --pattern (pattern= in Python), "
        "such as '{patient}/{session}/{role}.nii.gz', or list them in a table with --manifest."
    )


def contents_of(folder: Folder) -> str:
    """Return what is in a folder by counts and the first few names."""
    found = [_listing(folder.files, "file"), _listing(list(folder.folders), "folder")]
    if folder.results:
        found.append(
            f"results of lggshape, to be opened by themselves ({first_few(folder.results, 3)})"
        )
    *others, last = found
    return f"{', '.join(others)} and {last}"


def _listing(names: list[str], noun: str) -> str:
    return f"{counted(len(names), noun)} ({first_few(names, 3)})" if names else f"no {noun}s"


def _images(folder: Folder, depth: int, whole: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield the image files below a folder, and why none of a case is expected there."""
    slices = holds_slices(folder)
    for name in folder.files:
        found = split_ending(name)[1]
        if found is not None and not (slices and found is TIFF):
            yield folder.path / name, "no file of a case is expected in this place"
        elif ending := next((one for one in _NOT_READ if name.lower().endswith(one)), ""):
            yield folder.path / name, f"{ending} files are not read; convert them to NIfTI"
    for name, inner in folder.folders.items() if depth else ():
        above = os.path.realpath(folder.path)
        is_loop = inner.path.is_symlink() and above.startswith(os.path.realpath(inner.path))
        if name not in _OF_BIDS and inner.path not in whole and not is_loop:
            yield from _images(inner, depth - 1, whole)


def folders_without_a_case(
    folder: Folder, cases: Mapping[str, CaseSource]
) -> dict[str, CaseSource]:
    """Return the folders that should hold a case and do not.

    Among case folders, a folder without a case is a case that went missing. Beside cases that are
    files of this very folder it is just a folder.
    """
    if not all(
        case.path.parent == folder.path and case.path.name in folder.folders
        for case in cases.values()
    ):
        return {}
    taken = {*cases, *(case.path.name for case in cases.values())}
    found: dict[str, CaseSource] = {}
    for name, inner in folder.folders.items():
        # Folders of the same names are something that was made of the cases, such as their masks.
        if name not in taken and not (inner.folders and inner.folders.keys() <= cases.keys()):
            wanted = "to be a folder that can be listed"
            if not inner.error:
                wanted = "to have files of a known layout"
            found_instead = inner.error or "none"
            reason = f"Expected case {name} {wanted}, found {found_instead}: {inner.path}."
            found[name] = UnreadableCase(name, "", inner.path, reason=reason)
    return found
