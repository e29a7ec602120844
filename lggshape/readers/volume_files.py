"""Files of volumes: single files, flat folders, and folders of cases.

The last part of a file's name says what it is: see `lggshape.readers.naming` for the words. A file
without such a word holds the image of its case: one volume is FLAIR, three volumes along the fourth
axis are pre-contrast, FLAIR and post-contrast. Where only masks are wanted it holds the mask,
unless the case has another file with the role of mask.

The files directly in the folder belong to the case that their names give without the role
(`A_flair.nii.gz` and `A_mask.nii.gz` to case `A`; `mask.nii.gz` alone to the case named like the
folder). All volumes in a sub-folder belong to the case named like the sub-folder. A case has at
most one file per role.

What a file holds, its format tells (`lggshape.readers.formats`).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from lggshape.readers.folder import Folder
from lggshape.readers.formats import split_ending
from lggshape.readers.layout import Layout
from lggshape.readers.naming import MASK, NOT_READ, UNNAMED, split_role
from lggshape.readers.slice_folders import holds_slices
from lggshape.readers.source import CaseSource
from lggshape.readers.tiff_file import FORMAT as TIFF
from lggshape.readers.volume_case import VolumeCase, written


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the cases of a folder: of the volumes in it, and of its sub-folders.

    Parameters
    ----------
    folder : Folder
        The folder.
    masks_only : bool
        Whether a file whose name does not tell is a mask, and every case has to have one.

    Returns
    -------
    iterable of CaseSource
        In natural order of names, the cases of the folder itself first.
    """
    found: dict[str, list[tuple[str, Path]]] = {}
    for name in _volumes(folder):
        role, case = _role(name)
        found.setdefault(case or folder.name, []).append((role, folder.path / name))
    for case, inner in folder.folders.items():
        for name in _volumes(inner):
            found.setdefault(case, []).append((_role(name)[0], inner.path / name))
    return [
        _source(case, _place(folder.path, group), group, masks_only=masks_only)
        for case, group in found.items()
    ]


def open_file(path: Path, *, masks_only: bool) -> CaseSource | None:
    """Return the case of one file, whatever lies beside it; None if its format is not known."""
    if not _is_volume(path.name):
        return None
    role, case = _role(path.name)
    return _source(case or split_ending(path.name)[0], path, [(role, path)], masks_only=masks_only)


LAYOUT = Layout(
    "NIfTI files",
    "<case>.nii.gz, <case>_mask.nii.gz, <case>_flair.nii.gz, or a folder per case",
    find,
    open_file=open_file,
    written=written,
)


def _source(
    case: str, path: Path, files: Sequence[tuple[str, Path]], *, masks_only: bool
) -> CaseSource:
    roles = {role for role, _ in files}
    if masks_only and MASK not in roles:
        files = [(MASK if role == UNNAMED else role, file) for role, file in files]
        roles = {role for role, _ in files}
    return VolumeCase(
        id=case,
        patient="",
        path=path,
        has_image=bool(roles - {MASK, *NOT_READ}),
        has_mask=MASK in roles,
        mask_required=masks_only,
        files=tuple(files),
    )


def _place(path: Path, files: Sequence[tuple[str, Path]]) -> Path:
    """Return the path of a case: its only file, its folder, or the folder of all cases."""
    folders = {file.parent for _, file in files}
    if folders == {path} and len(files) == 1:
        return files[0][1]
    return folders.pop() if len(folders) == 1 else path


def _role(name: str) -> tuple[str, str]:
    """Split a file name into its role and the name of the case, which may be empty."""
    stem, found = split_ending(name)
    role, case = split_role(stem)
    return (found.role if found else UNNAMED) or role, case


def _volumes(folder: Folder) -> Iterable[str]:
    """Return the names of the files that hold volumes; TIFF files may be slices."""
    slices = holds_slices(folder)
    return [
        name
        for name in folder.files
        if (found := split_ending(name)[1]) is not None and not (slices and found is TIFF)
    ]


def _is_volume(name: str) -> bool:
    return split_ending(name)[1] is not None
