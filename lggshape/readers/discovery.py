"""Find the cases of a path, whatever its layout."""

from pathlib import Path

from lggshape.errors import InputError
from lggshape.names import natural_key
from lggshape.readers import nifti, packed, slice_folders
from lggshape.readers.segmented import as_recorded
from lggshape.readers.source import CaseSource, UnreadableCase, visible_names


def open_cases(path: Path, *, masks_only: bool = False) -> list[CaseSource]:
    """Find the cases of a path.

    Parameters
    ----------
    path : Path
        A case, a folder of cases, or one NIfTI file. The layouts are described in
        `lggshape.readers.slice_folders`, `lggshape.readers.nifti` and `lggshape.readers.packed`.
    masks_only : bool
        Whether the path is read for its masks: a NIfTI file whose name does not tell is a mask
        then, a case without a mask fails when its mask is read, and what the `segmentation.csv` of
        `lggshape segment` says counts: its patients, and its cases that failed.

    Returns
    -------
    list of CaseSource
        In natural order of names. Only names have been looked at; what is wrong with a case shows
        when it is read.

    Raises
    ------
    InputError
        If the path is missing, cannot be listed, or holds no case.
    """
    try:
        if path.is_dir():
            return _cases_of_folder(path, masks_only=masks_only)
        if nifti.is_nifti(path.name) and path.is_file():
            return [nifti.single_file(path, masks_only=masks_only)]
        found = f"a file named {path.name}" if path.exists() else "nothing"
    except OSError as error:
        found = str(error)
    msg = f"Expected a folder of cases or a NIfTI file, found {found}: {path}."
    raise InputError(msg)


def _cases_of_folder(path: Path, *, masks_only: bool) -> list[CaseSource]:
    cases: dict[str, CaseSource] = {}
    for layout in (slice_folders, nifti, packed):
        for case in layout.find(path, masks_only=masks_only):
            other = cases.get(case.id)
            if other is None:
                cases[case.id] = case
            else:
                reason = (
                    f"Expected case {case.id} to have one layout, found several: {other.path}, "
                    f"{case.path}."
                )
                cases[case.id] = _unreadable(case.id, case.path, reason)
    if masks_only:
        cases = as_recorded(cases, path)
    files, folders = visible_names(path)
    if not cases:
        msg = (
            f"Expected cases as {slice_folders.LAYOUT}, {nifti.LAYOUT} or {packed.LAYOUT}, "
            f"found {_listing(files, 'file')} and {_listing(folders, 'folder')}: {path}."
        )
        raise InputError(msg)
    # Among case folders a folder without a case is a case that went missing. Beside cases that are
    # files of this very folder it is just a folder.
    if all(case.path.parent == path and case.path.name in folders for case in cases.values()):
        for name in folders:
            if name not in cases:
                folder = path / name
                reason = (
                    f"Expected case {name} to have slices or NIfTI files, found none: {folder}."
                )
                cases[name] = _unreadable(name, folder, reason)
    return sorted(cases.values(), key=lambda case: natural_key(case.id))


def _unreadable(case: str, path: Path, reason: str) -> UnreadableCase:
    return UnreadableCase(
        id=case,
        patient=slice_folders.patient_of(case),
        site=slice_folders.site_of(case),
        path=path,
        has_image=False,
        has_mask=False,
        reason=reason,
    )


def _listing(names: list[str], noun: str) -> str:
    """Say how many there are and give the first few names."""
    if not names:
        return f"no {noun}s"
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {noun}{'s' if len(names) > 1 else ''} ({shown})"
