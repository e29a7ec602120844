"""BIDS: a folder per subject and session, raw or derived, with the images in `anat/`.

The folder holds `sub-<label>/anat/` or `sub-<label>/ses-<label>/anat/`. A case is a session of a
subject, `sub-07_ses-1`, or the subject if there are no sessions. The names of the files tell what
they show (`lggshape.readers.naming`): `_FLAIR`, `_T1w`, `_ce-gd_T1w`, `_dseg`, `_mask`.

The masks of derived data sets, in `derivatives/<name>/sub-<label>/` or `derivatives/sub-<label>/`,
join the images of their case. Other derived files are left aside. If a mask of a case has the
entity `label-lesion` (or `label-tumor`, `label-tumour`), it is the one, whatever other masks there
are. Several files of one role, such as two runs, are refused with their names.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lggshape.readers.folder import Folder
from lggshape.readers.formats import split_ending
from lggshape.readers.layout import Layout
from lggshape.readers.naming import MASK, NOT_READ, read_name
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.readers.volume_case import volume_case

_SUBJECT, _SESSION = re.compile("sub-[A-Za-z0-9]+"), re.compile("ses-[A-Za-z0-9]+")
_LESION = re.compile("_label-(lesion|tumou?r)_", re.IGNORECASE)
_DESCRIPTION, _DERIVED, _ANATOMY = "dataset_description.json", "derivatives", "anat"


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the cases of a data set, of a subject, or of a session.

    Parameters
    ----------
    folder : Folder
        The folder.
    masks_only : bool
        Whether every case has to have a mask.

    Returns
    -------
    iterable of CaseSource
        In natural order of names. A subject of a data set without such files cannot be read.
    """
    sessions = list(_sessions(folder))
    if not any(_ANATOMY in inner.folders for _, inner in sessions):
        return []
    derived = _derived_masks(folder)
    return [
        _case(name, inner, derived.get(name, []), masks_only=masks_only) for name, inner in sessions
    ]


LAYOUT = Layout(
    "BIDS",
    "sub-<label>/[ses-<label>/]anat/sub-<label>_FLAIR.nii.gz",
    find,
    whole=True,
)


def _sessions(folder: Folder) -> Iterator[tuple[str, Folder]]:
    """Yield the folders that hold `anat`, or should, each with the name of its case."""
    parent = Folder(folder.path.parent)
    if _SESSION.fullmatch(folder.name) and _SUBJECT.fullmatch(parent.name):
        yield f"{parent.name}_{folder.name}", folder
        return
    subjects = {folder.name: folder} if _SUBJECT.fullmatch(folder.name) else folder.folders
    for name, subject in subjects.items():
        if _SUBJECT.fullmatch(name):
            inner = {
                one: found for one, found in subject.folders.items() if _SESSION.fullmatch(one)
            }
            if _ANATOMY in subject.folders or not inner:
                yield name, subject
            yield from ((f"{name}_{one}", found) for one, found in inner.items())


def _derived_masks(folder: Folder) -> dict[str, list[tuple[str, Path]]]:
    """Return the masks of the derived data sets by the name of their case."""
    derived = folder.folders.get(_DERIVED)
    if derived is None:
        return {}
    masks: dict[str, list[tuple[str, Path]]] = {}
    for holder in (derived, *derived.folders.values()):
        if not _SUBJECT.fullmatch(holder.name):
            for name, inner in _sessions(holder):
                found = [(role, path) for role, path in _files(inner) if role == MASK]
                masks.setdefault(name, []).extend(found)
    return masks


def _files(session: Folder) -> list[tuple[str, Path]]:
    """Return the volumes of a session with their roles."""
    anatomy = session.folders.get(_ANATOMY)
    if anatomy is None:
        return []
    stems = {name: split_ending(name) for name in anatomy.files}
    return [
        (found.role or read_name(stem).role, anatomy.path / name)
        for name, (stem, found) in stems.items()
        if found is not None
    ]


def _case(
    name: str, session: Folder, derived: list[tuple[str, Path]], *, masks_only: bool
) -> CaseSource:
    files = _files(session) + derived
    place = session.path / _ANATOMY
    used = [path for role, path in files if role not in NOT_READ]
    if not used:
        reason = (
            f"Expected case {name} to have images or masks in {_ANATOMY}/, found none: "
            f"{session.path}."
        )
        return UnreadableCase(name, "", place, reason=reason)
    for path in used:
        whose = read_name(split_ending(path.name)[0]).case
        if _SUBJECT.match(whose) and not f"{name}_".startswith(f"{whose}_"):
            reason = f"Expected a file of case {name} to have its name, found {path.name}: {path}."
            return UnreadableCase(name, "", place, reason=reason)
    lesions = [path for role, path in files if role == MASK and _LESION.search(path.name)]
    if lesions:
        files = [(role, path) for role, path in files if role != MASK or path in lesions]
    return volume_case(name, used[0], files, masks_only=masks_only)
