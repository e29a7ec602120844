"""Find the cases of a path, whatever its layout."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lggshape.errors import InputError
from lggshape.files import TableSource
from lggshape.names import counted, first_few, natural_key, stand_in, what_is_unsafe
from lggshape.readers import packed, slice_folders, volume_files
from lggshape.readers.folder import Folder
from lggshape.readers.manifest import assign_patients
from lggshape.readers.naming import identify
from lggshape.readers.read_options import ReadOptions
from lggshape.readers.segmented import as_recorded
from lggshape.readers.source import CaseSource, UnreadableCase, refuse_repeated_names

LAYOUTS = (
    slice_folders.LAYOUT,
    volume_files.LAYOUT,
    packed.LAYOUT,
)
"""The layouts that are known, in the order in which messages list them."""


def open_cases(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    masks_only: bool = False,
    manifest: TableSource | None = None,
    sequences: Sequence[str] = (),
) -> list[CaseSource]:
    """Find the cases of a path, or of several.

    Parameters
    ----------
    path : path or sequence of paths
        A case, a folder of cases, or the file of a case. Each layout is described in its module,
        as `lggshape.readers.volume_files`. Folders inside it that hold results of this tool are
        left out.
    masks_only : bool
        Whether the path is read for its masks. Then a NIfTI file whose name does not tell what it
        is is a mask, a case without a mask fails when its mask is read, and what the
        `segmentation.csv` of `lggshape segment` says counts: its patients, and its cases that
        failed.
    manifest : path or DataFrame, optional
        A table with the columns `case` and `patient`, and perhaps `site`, as `assign_patients`
        takes it. Without it, patient and site are those that the layout or the name of the case
        tells.
    sequences : sequence of str
        The sequences in an image file whose name tells none, in the order of its volumes.

    Returns
    -------
    list of CaseSource
        In natural order of names, path by path. Only names have been looked at: what is wrong with
        a case shows when it is read.

    Raises
    ------
    InputError
        If a path is missing, cannot be listed, or holds no case, if an archive or a table in it
        names a case that cannot be the name of a file, if cases of two paths have one name, or if
        the manifest cannot be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> with TemporaryDirectory() as folder:
    ...     cohort = write_cohort(Path(folder) / "cohort", patients=2, size=(6, 24, 24))
    ...     cases = open_cases(cohort)
    ...     case = cases[0].read()
    >>> len(cases)
    2
    >>> case.mask.shape
    (6, 24, 24)
    """
    if isinstance(path, str | os.PathLike):
        cases = _cases_of_path(Path(path), masks_only=masks_only)
    else:
        cases = [case for one in path for case in _cases_of_path(Path(one), masks_only=masks_only)]
        refuse_repeated_names(cases)
    options = ReadOptions(sequences=tuple(sequences))
    cases = [replace(case, options=options) for case in cases]
    return cases if manifest is None else assign_patients(cases, manifest)


def _cases_of_path(path: Path, *, masks_only: bool) -> list[CaseSource]:
    try:
        if path.is_dir():
            return _cases_of_folder(Folder(path), masks_only=masks_only)
        found = "nothing"
        if path.exists():
            found = f"a file named {path.name}"
            for layout in LAYOUTS:
                case = layout.open_file and layout.open_file(path, masks_only=masks_only)
                if case:
                    return [_named(case)]
    except OSError as error:
        found = str(error)
    msg = (
        f"Expected a folder of cases, or the file of one, as {_listed_layouts()}, found {found}: "
        f"{path}."
    )
    raise InputError(msg)


def case_files(folder: str | os.PathLike[str], case: str) -> list[str]:
    """List the masks and maps of a case in a folder that `CaseSource.write` wrote to.

    Parameters
    ----------
    folder : path
        The folder that was written to.
    case : str
        Name of the case.

    Returns
    -------
    list of str
        The files relative to the folder, with `/` between the parts, in natural order. What else
        lies there is not listed, nor is what lies behind a link to another folder. The time this
        takes does not depend on the number of other cases.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("p1_mask.nii.gz", "p2_mask.nii.gz"):
    ...         Path(folder, name).touch()
    ...     case_files(folder, "p1")
    ['p1_mask.nii.gz']
    """
    if what_is_unsafe(case):  # no file was written under such a name
        return []
    place = Path(folder)
    found = [layout.written(place, case) for layout in LAYOUTS if layout.written]
    return sorted((name for names in found for name in names), key=natural_key)


def _cases_of_folder(folder: Folder, *, masks_only: bool) -> list[CaseSource]:
    if folder.error:
        msg = f"Expected a folder of cases that can be listed, found {folder.error}: {folder.path}."
        raise InputError(msg)
    cases: dict[str, CaseSource] = {}
    for layout in LAYOUTS:
        for case in layout.find(folder, masks_only=masks_only):
            other = cases.get(case.id)
            if other is None:
                cases[case.id] = case
            else:
                reason = (
                    f"Expected case {case.id} to have one layout, found several: {other.path}, "
                    f"{case.path}."
                )
                cases[case.id] = UnreadableCase(case.id, "", case.path, reason=reason)
    if masks_only:
        cases = as_recorded(cases, folder.path)
    if not cases:
        msg = f"Expected cases as {_listed_layouts()}, found {_contents(folder)}: {folder.path}."
        raise InputError(msg)
    cases |= _without_a_case(folder, cases)
    return sorted(map(_named, cases.values()), key=lambda case: natural_key(case.id))


def _without_a_case(folder: Folder, cases: Mapping[str, CaseSource]) -> dict[str, CaseSource]:
    """Return the folders that should hold a case and do not.

    Among case folders, a folder without a case is a case that went missing. Beside cases that are
    files of this very folder it is just a folder.
    """
    if not all(
        case.path.parent == folder.path and case.path.name in folder.folders
        for case in cases.values()
    ):
        return {}
    found: dict[str, CaseSource] = {}
    for name, inner in folder.folders.items():
        # Folders of the same names are something that was made of the cases, such as their masks.
        if name not in cases and not (inner.folders and inner.folders.keys() <= cases.keys()):
            wanted = "to be a folder that can be listed"
            if not inner.error:
                wanted = "to have files of a known layout"
            found_instead = inner.error or "none"
            reason = f"Expected case {name} {wanted}, found {found_instead}: {inner.path}."
            found[name] = UnreadableCase(name, "", inner.path, reason=reason)
    return found


def _named(case: CaseSource) -> CaseSource:
    """Return the case with the patient and the site that its name tells, if it can be a name."""
    if unsafe := what_is_unsafe(case.id):
        name = stand_in(case.id)
        reason = (
            f"Expected case {name} to have a name that can be that of a file, found {unsafe}: "
            f"{str(case.path)!r}."
        )
        return UnreadableCase(name, name, case.path, reason=reason)
    # The rules of all layouts: a converted copy is of the same patient.
    known = identify(case.id, (layout.identify for layout in LAYOUTS if layout.identify))
    return replace(case, patient=case.patient or known.patient, site=case.site or known.site)


def _listed_layouts() -> str:
    *others, last = map(str, LAYOUTS)
    return f"{', '.join(others)} or {last}"


def _contents(folder: Folder) -> str:
    """Describe what is in a folder by counts and the first few names."""
    found = [_listing(folder.files, "file"), _listing(list(folder.folders), "folder")]
    if folder.results:
        found.append(
            f"results of lggshape, to be opened by themselves ({first_few(folder.results, 3)})"
        )
    *others, last = found
    return f"{', '.join(others)} and {last}"


def _listing(names: list[str], noun: str) -> str:
    return f"{counted(len(names), noun)} ({first_few(names, 3)})" if names else f"no {noun}s"
