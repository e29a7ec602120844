"""Files of volumes: single files, flat folders, and folders of cases.

The last words of a file's name say what it is: see `lggshape.readers.naming`. What is done with a
file without such words is decided by `lggshape.readers.unnamed`.

The files directly in the folder belong to the case that their names give without the role
(`A_flair.nii.gz` and `A_mask.nii.gz` to case `A`; `mask.nii.gz` alone to the case named like the
folder). All volumes in a sub-folder belong to the case named like the sub-folder. Their names tell
the patient where the name of the sub-folder begins with theirs (`P7_FLAIR.nii.gz` in `P7_nifti`).
A case has at most one file per role.

Sub-folders that are no cases are seen by the names of their files:

- `labels/P7_seg.nii.gz` beside the folder `P7`, or `images/` and `masks/` that tell the same cases,
  hold files of these cases.
- `HGG/P7/P7_flair.nii.gz`: a sub-folder with nothing but case folders is opened.
- The only sub-folder of a folder without volumes is opened in place of it, if the names of its
  files tell several cases.

Nor is everything a case that a name tells: beside `P7_flair`, `P7_rater1_mask` and `P7_DTI_FA` are
of no patients P7_rater1 and P7_DTI.

Where a name tells no role, the JSON file that dcm2niix wrote beside the file does
(`lggshape.readers.sidecar`).

What a file holds, its format tells (`lggshape.readers.formats`).
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lggshape.case import SEQUENCES
from lggshape.names import first_few
from lggshape.readers.folder import Folder
from lggshape.readers.formats import split_ending
from lggshape.readers.layout import Layout
from lggshape.readers.naming import (
    IMAGE,
    MASK,
    NOT_READ,
    UNNAMED,
    FileName,
    identify,
    named_after,
    names_another_sequence,
    read_name,
    used_roles,
)
from lggshape.readers.segmented import holds_results
from lggshape.readers.sidecar import differs_in, sidecar_role
from lggshape.readers.slice_folders import holds_slices
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.readers.tiff_file import FORMAT as TIFF
from lggshape.readers.volume_case import volume_case, written

_Named = tuple[FileName, Path]
"""A file with what its name says."""


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
    holders = [inner for inner in folder.folders.values() if _volumes(inner)]
    is_wrapped = len(holders) == len(folder.folders) == 1 and not _volumes(folder)
    if is_wrapped and _holds_cases(holders[0]):
        return find(holders[0], masks_only=masks_only)
    found = _flat(folder)
    taken = {*found, *(_normal(inner.name) for inner in holders)}
    files = _by_folder([*holders, *_grouped(folder, taken)])
    unclear = _unclear(folder.path, files, found)
    for one in unclear:
        del files[one.id]
    for case, inner in _told_cases(files, found).items():
        found.setdefault(case, []).extend(inner)
    found = _without_parts(found)
    # Where only masks are wanted, files whose names do not tell may all be masks.
    is_mask = (said.role == MASK for group in found.values() for said, _ in group)
    has_images = not masks_only or any(is_mask)
    mixed = {case: reason for case, group in found.items() if (reason := _mixed(case, group))}
    unclear += [
        UnreadableCase(case, "", _place(folder.path, found.pop(case)), reason=reason)
        for case, reason in mixed.items()
    ]
    return unclear + [
        replace(
            volume_case(case, _place(folder.path, group), roles, masks_only=masks_only),
            patient=_patient(case, [said.case for said, _ in group if _is_used(said.role)]),
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


def _holds_cases(folder: Folder) -> bool:
    """Test whether the files of a folder tell several cases, and not that it is one itself."""
    said = [_said_in(folder, name) for name in _volumes(folder)]
    used = [one for one in said if _is_used(one.role)]
    told = {one.case for one in used or said}
    own = _normal(folder.name)
    is_one = any(not one or _is_or_extends(own, one) or named_after(one, told) for one in told)
    return len(told) > 1 and not is_one


def _grouped(folder: Folder, taken: Collection[str]) -> list[Folder]:
    """Return the case folders in sub-folders that hold nothing else, such as HGG and LGG.

    They are named like the cases that their files tell. Those of cases that lie directly in the
    folder are something that was made of them.
    """
    found: list[Folder] = []
    for group in folder.folders.values():
        inner = [one for one in group.folders.values() if _volumes(one)]
        if not _volumes(group) and all(_tells_its_name(one) for one in inner):
            found += [one for one in inner if _normal(one.name) not in taken]
    return found


def _tells_its_name(folder: Folder) -> bool:
    said = [_said(name) for name in _volumes(folder)]
    return {one.case for one in said if one.role} == {_normal(folder.name)}


def _flat(folder: Folder) -> dict[str, list[_Named]]:
    """Return the files directly in a folder by their cases."""
    ours = holds_results(folder.path, folder.files)
    names = _volumes(folder)
    said = [_said(name, ours=True) if ours else _said_in(folder, name) for name in names]
    has_names = any(one.role and one.case for one in said)
    found: dict[str, list[_Named]] = {}
    for name, one in zip(names, said, strict=True):
        # Of several cases, none is the one of a file that names none.
        is_no_case = names_another_sequence(one.case) or (has_names and not one.case)
        told = FileName(UNNAMED, split_ending(name)[0]) if is_no_case and not ours else one
        found.setdefault(told.case or _normal(folder.name), []).append((told, folder.path / name))
    return found


def _by_folder(holders: Iterable[Folder]) -> dict[str, list[_Named]]:
    files: dict[str, list[_Named]] = {}
    for inner in holders:
        said = [(_said_in(inner, name), inner.path / name) for name in _volumes(inner)]
        files.setdefault(_normal(inner.name), []).extend(said)
    return files


def _told_cases(
    files: Mapping[str, Sequence[_Named]], others: Iterable[str]
) -> dict[str, list[_Named]]:
    """Return the files of sub-folders by their cases.

    The case is the sub-folder, unless its files tell one that is another sub-folder or one of the
    others: sub-folders such as `labels` hold files of many cases.
    """
    shared = _shared_cases(files)
    cases = {*files, *others, *(shared if len(shared) > 1 else ())}
    kinds = {own for own in files if read_name(own).role and not read_name(own).case}
    found: dict[str, list[_Named]] = {}
    for own, group in files.items():
        for said, path in group:
            is_known = said.case in cases or named_after(said.case, cases)
            is_other = said.role and is_known and not _same_case(own, said.case)
            # A folder `MASK` is no patient.
            told = said._replace(role=UNNAMED) if own in kinds and not is_other else said
            found.setdefault(said.case if is_other else own, []).append((told, path))
    return found


def _shared_cases(files: Mapping[str, Sequence[_Named]]) -> dict[str, list[str]]:
    """Return the cases that several sub-folders tell, such as `images` and `masks`, with these.

    There are none if two files show the same of one: then it is a word in the names of all.
    """
    places: dict[str, list[str]] = {}
    roles: dict[str, list[str]] = {}
    for own, group in files.items():
        for said, _ in group:
            if said.role and said.case and not _same_case(own, said.case):
                places.setdefault(said.case, []).append(own)
                roles.setdefault(said.case, []).append(said.role)
    shared = {case: list(dict.fromkeys(names)) for case, names in places.items()}
    shared = {case: names for case, names in shared.items() if len(names) > 1}
    is_clear = all(len(roles[case]) == len(set(roles[case])) for case in shared)
    return shared if is_clear else {}


def _unclear(
    path: Path, files: Mapping[str, Sequence[_Named]], others: Collection[str]
) -> list[CaseSource]:
    """Return the sub-folders that may hold the parts of one case, or be a case each."""
    shared = {
        case: names
        for case, names in _shared_cases(files).items()
        if not {*files, *others}.intersection({case})
    }
    if len(shared) != 1:
        return []
    ((case, names),) = shared.items()
    reason = (
        f"Expected a folder per case, found files of {case} in {' and '.join(names)}: {path}. "
        f"Put them into one folder, or give the form of their paths, such as --pattern "
        f"'{{any}}/{{case}}_{{role}}.nii.gz' (pattern=)."
    )
    return [UnreadableCase(name, "", path / name, reason=reason) for name in names]


def _mixed(case: str, files: Sequence[_Named]) -> str:
    """Return why series that dcm2niix converted are no case: they are of several patients."""
    series = [
        path for said, path in files if _is_used(said.role) and _said(path.name).role == UNNAMED
    ]
    beside = [path.with_name(f"{split_ending(path.name)[0]}.json") for path in series]
    if not (element := differs_in(beside)):
        return ""
    names = first_few([path.name for path in series], 4)
    return (
        f"Expected the files of case {case} to be of one patient and study, found several (the "
        f"{element} in the JSON files differs): {names} in {series[0].parent}. Put the files of "
        "each examination into a folder of their own, or say whose they are by their names with "
        "--pattern (pattern=) or in a table with --manifest (manifest=)."
    )


def _is_used(role: str) -> bool:
    return role != UNNAMED and role not in NOT_READ


def _same_case(holder: str, told: str) -> bool:
    return _is_or_extends(holder, told) or _is_or_extends(told, holder)


def _is_or_extends(name: str, other: str) -> bool:
    return name == other or bool(named_after(name, {other}))


def _without_parts(found: Mapping[str, Sequence[_Named]]) -> dict[str, list[_Named]]:
    """Return the groups without those that are no cases: of masks, or of files that are not used.

    `P7_rater1_mask` and `P7_DTI_FA` beside `P7_flair` are no patients P7_rater1 and P7_DTI. What is
    not used joins the case; masks have no role, because nothing tells what is outlined.
    """
    roles = {case: {said.role for said, _ in group} for case, group in found.items()}
    images = {case for case, own in roles.items() if not own.isdisjoint(SEQUENCES)}
    kept: dict[str, list[_Named]] = {case: [] for case in found}
    for case, group in found.items():
        whole = "" if case in images else named_after(case, images)
        for said, path in group:
            role = UNNAMED if whole and said.role == MASK else said.role
            target = whole if whole and role in NOT_READ else case
            kept[target].append((said._replace(role=role), path))
    return {case: group for case, group in kept.items() if group}


def _normal(name: str) -> str:
    """Return a name with letters and accents in one piece, as `read_name` returns cases."""
    return unicodedata.normalize("NFC", name)


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
    return _said(name).role == UNNAMED and folder.holds(f"{split_ending(name)[0]}.json")


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
