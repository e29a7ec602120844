"""Files of volumes: single files, flat folders, and folders of cases.

The last words of a file's name say what it is: see `lggshape.readers.naming`. What is done with a
file without such words is decided by `lggshape.readers.unnamed`.

The files directly in the folder belong to the case that their names give without the role
(`A_flair.nii.gz` and `A_mask.nii.gz` to case `A`; `mask.nii.gz` alone to the case named like the
folder). All volumes in a sub-folder belong to the case named like the sub-folder. Their names tell
the patient where the name of the sub-folder begins with theirs (`P7_FLAIR.nii.gz` in `P7_nifti`).
The only sub-folder of a folder without volumes is opened in place of it, if the names of its files
tell several cases. A case has at most one file per role.

Where a name tells no role, the JSON file that dcm2niix wrote beside the file does
(`lggshape.readers.sidecar`).

What a file holds, its format tells (`lggshape.readers.formats`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from lggshape.readers.folder import Folder
from lggshape.readers.formats import split_ending
from lggshape.readers.layout import Layout
from lggshape.readers.naming import (
    IMAGE,
    MASK,
    UNNAMED,
    FileName,
    identify,
    names_another_sequence,
    read_name,
    used_roles,
)
from lggshape.readers.segmented import holds_results
from lggshape.readers.sidecar import sidecar_role
from lggshape.readers.slice_folders import holds_slices
from lggshape.readers.source import CaseSource
from lggshape.readers.tiff_file import FORMAT as TIFF
from lggshape.readers.volume_case import volume_case, written


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the cases of a folder: of the volumes in it, and of its sub-folders.

    Parameters
    ----------
    folder : Folder
        The folder.
    masks_only : bool
        Whether every case has to have a mask.

    Returns
    -------
    iterable of CaseSource
        In natural order of names, the cases of the folder itself first.
    """
    holders = {name: inner for name, inner in folder.folders.items() if _volumes(inner)}
    if len(holders) == len(folder.folders) == 1 and not _volumes(folder):
        (only,) = holders.values()
        if len({_said(name).case for name in _volumes(only) if not _has_sidecar(only, name)}) > 1:
            return find(only, masks_only=masks_only)
    found: dict[str, list[tuple[FileName, Path]]] = {}
    ours = holds_results(folder.path, folder.files)
    for name in _volumes(folder):
        said = _said(name, ours=True) if ours else _said_in(folder, name)
        if not ours and names_another_sequence(said.case):
            said = FileName(UNNAMED, split_ending(name)[0])
        found.setdefault(said.case or folder.name, []).append((said, folder.path / name))
    for case, inner in holders.items():
        for name in _volumes(inner):
            found.setdefault(case, []).append((_said_in(inner, name), inner.path / name))
    # Where only masks are wanted, files whose names do not tell may all be masks.
    is_mask = (said.role == MASK for group in found.values() for said, _ in group)
    has_images = not masks_only or any(is_mask)
    return [
        replace(
            volume_case(case, _place(folder.path, group), roles, masks_only=masks_only),
            patient=_patient(case, [said.case for said, _ in group]),
        )
        for case, group in found.items()
        for roles in [_roles(group, has_images=has_images)]
    ]


def open_file(path: Path, *, masks_only: bool) -> CaseSource | None:
    """Return the case of one file, whatever lies beside it; None if its format is not known."""
    if not _is_volume(path.name):
        return None
    said = _said(path.name)
    case = said.case or split_ending(path.name)[0]
    roles = _roles([(said, path)], has_images=not masks_only)
    return volume_case(case, path, roles, masks_only=masks_only)


LAYOUT = Layout(
    "NIfTI files",
    "<case>_flair.nii.gz, <case>_t1.nii.gz, <case>_t1ce.nii.gz, <case>_mask.nii.gz, or a folder "
    "per case",
    find,
    open_file=open_file,
    written=written,
)


def _patient(case: str, names: Sequence[str]) -> str:
    """Return the patient of a sub-folder that its files tell; empty if only its own name does."""
    told = set(names) - {"", case}
    if len(told) != 1:
        return ""
    (name,) = told
    return identify(name, ()).patient if case.startswith((f"{name}_", f"{name}-")) else ""


def _roles(files: Sequence[tuple[FileName, Path]], *, has_images: bool) -> list[tuple[str, Path]]:
    """Return the files with their roles; a TIFF file without one is an image, as slices are."""
    roles = used_roles([said for said, _ in files])
    return [
        (IMAGE if has_images and not role and split_ending(path.name)[1] is TIFF else role, path)
        for role, (_, path) in zip(roles, files, strict=True)
    ]


def _place(path: Path, files: Sequence[tuple[FileName, Path]]) -> Path:
    """Return the path of a case: its only file, its folder, or the folder of all cases."""
    folders = {file.parent for _, file in files}
    if folders == {path} and len(files) == 1:
        return files[0][1]
    return folders.pop() if len(folders) == 1 else path


def _said_in(folder: Folder, name: str) -> FileName:
    """Return what the name of a file says, or else the JSON file beside it."""
    said = _said(name)
    if not _has_sidecar(folder, name):
        return said
    # Such names are those of series: the case is the folder that they lie in.
    role = sidecar_role(folder.path / f"{split_ending(name)[0]}.json")
    return FileName(role, "") if role else said


def _has_sidecar(folder: Folder, name: str) -> bool:
    """Test whether the name of a file tells no role, and there is a JSON file beside it."""
    return _said(name).role == UNNAMED and f"{split_ending(name)[0]}.json" in folder.files


def _said(name: str, *, ours: bool = False) -> FileName:
    """Return what a file name says, or its format of itself."""
    stem, found = split_ending(name)
    said = read_name(stem, ours=ours)
    return said._replace(role=found.role) if found and found.role else said


def _volumes(folder: Folder) -> list[str]:
    """Return the names of the files that hold volumes; TIFF files may be slices."""
    slices = holds_slices(folder)
    return [
        name
        for name in folder.files
        if (found := split_ending(name)[1]) is not None and not (slices and found is TIFF)
    ]


def _is_volume(name: str) -> bool:
    return split_ending(name)[1] is not None
