"""Find the cases of a path, whatever its layout."""

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lggshape.case import Spacing
from lggshape.errors import InputError
from lggshape.names import natural_key, stand_in, what_is_unsafe
from lggshape.readers import layouts
from lggshape.readers.dicom_case import DicomCase
from lggshape.readers.folder import Folder
from lggshape.readers.layouts import patient_key, whose
from lggshape.readers.manifest import Manifest, assign_patients, is_table, read_manifest
from lggshape.readers.pattern import Pattern, cases_by_pattern
from lggshape.readers.read_options import PatientFrom, ReadOptions
from lggshape.readers.segmented import SEGMENTATION, as_recorded, refuse_segmented
from lggshape.readers.source import CaseSource, UnreadableCase, refuse_repeated_names
from lggshape.readers.unclaimed import (
    contents_of,
    folders_without_a_case,
    unclaimed_files,
    what_lies_deeper,
    without_aliases,
)
from lggshape.readers.unnamed import LeftOutFile, left_out_warning, settle_unnamed
from lggshape.readers.value_names import with_own_regions
from lggshape.regions import RegionSource
from lggshape.tables import TableSource

_LOGGER = logging.getLogger("lggshape")


class FoundCases(NamedTuple):
    """What was found in a path, or in several.

    Attributes
    ----------
    cases : list of CaseSource
        The cases, in natural order of names.
    left_out : list of LeftOutFile
        The image files that belong to no case, and why.
    """

    cases: list[CaseSource]
    left_out: list[LeftOutFile]


def open_cases(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    masks_only: bool = False,
    manifest: TableSource | None = None,
    mask_values: Sequence[int] = (),
    patient_from: PatientFrom = "hash",
    pattern: str = "",
    regions: RegionSource | None = None,
    register: bool = False,
    resample_masks: bool = False,
    sequences: Sequence[str] = (),
    spacing: Spacing | None = None,
    threshold: float | None = None,
) -> list[CaseSource]:
    """Find the cases of a path, or of several.

    Parameters
    ----------
    path : path or sequence of paths
        A case, a folder of cases, the file of a case, or a manifest with files. Each layout is
        described in its module, as `lggshape.readers.volume_files`. Folders inside it that hold
        results of this tool are left out.
    masks_only : bool
        Whether the path is read for its masks. Then image files whose names do not tell what they
        show are masks if no other file of the path has a role, a case without a mask fails when its
        mask is read, and what the `segmentation.csv` of `lggshape segment` says counts: its
        patients, and its cases that failed.
    manifest : path or DataFrame, optional
        A table with the columns `case` and `patient`, and perhaps others, as
        `lggshape.readers.manifest` describes it. If it names files, the cases are its rows. Without
        it, patient, site and session are those that the layout or the name of the case tells.
    mask_values : sequence of int
        The values of a mask that are the tumour, read as one region. Other values lie outside.
    patient_from : {"hash", "dicom"}
        What the key of a patient of DICOM files is, and the beginning of the name of a case: a hash
        of the PatientID, or the PatientID itself.
    pattern : str
        How the files of the path are named, as `lggshape.readers.pattern` describes it, such as
        `{patient}/{session}/{role}.nii.gz`. By default the layout is found out.
    regions : str, path or mapping, optional
        What the values of a mask mean, as `lggshape.regions.read_regions` takes it: `"brats"`,
        `"brats2013"`, `"names"` (that files tell), a TOML file, or a mapping of names to values.
    register : bool
        Whether sequences in files of their own are aligned with FLAIR by a rigid motion.
    resample_masks : bool
        Whether a mask on another grid than its image is resampled onto it; else the case fails.
    sequences : sequence of str
        The sequences in an image file whose name tells none, in the order of its volumes.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x) in mm, where files do not tell them. Cases
        whose files tell others (by more than 1 %) fail.
    threshold : float, optional
        The lowest value inside a mask, if masks are probability maps or hold other fractions.

    Returns
    -------
    list of CaseSource
        In natural order of names, path by path. Only names have been looked at: what is wrong with
        a case shows when it is read. An image file whose name does not tell what it shows belongs
        to no case: a warning is logged (`lggshape`) that names it.

    Raises
    ------
    InputError
        If a path is missing, cannot be listed, or holds no case, if no image file tells what it
        shows, if an archive or a table in it names a case that cannot be the name of a file, if
        cases of two paths have one name, or if the manifest or the pattern cannot be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> with TemporaryDirectory() as folder:
    ...     cohort = write_cohort(Path(folder) / "cohort", patients=2, size=(6, 24, 24))
    ...     cases = open_cases(cohort)
    >>> len(cases)
    2
    """
    options = ReadOptions(
        sequences=tuple(sequences), patient_from=patient_from, regions=regions, register=register,
        resample_masks=resample_masks, mask_values=tuple(mask_values), spacing=spacing,
        threshold=threshold,
    )  # fmt: skip
    found = find_cases(
        path, masks_only=masks_only, manifest=manifest, pattern=pattern, options=options
    )
    if found.left_out:
        where = path if isinstance(path, str | os.PathLike) else ", ".join(map(str, path))
        _LOGGER.warning("%s", left_out_warning(found.left_out, str(where)))
    return found.cases


def find_cases(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    masks_only: bool = False,
    manifest: TableSource | None = None,
    pattern: str = "",
    options: ReadOptions | None = None,
) -> FoundCases:
    """Find the cases of a path, or of several, and the image files that belong to none.

    Parameters
    ----------
    path, masks_only, manifest, pattern
        As for `open_cases`.
    options : ReadOptions, optional
        What the user says about files that do not say it themselves.

    Returns
    -------
    FoundCases
        The cases, as `open_cases` returns them, and what was left out.

    Raises
    ------
    InputError
        As `open_cases` does.
    """
    options = options or ReadOptions()
    paths = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(one) for one in path]
    is_alone = manifest is None and len(paths) == 1 and is_table(paths[0])
    if is_alone:
        manifest, paths = paths[0], []
    table = None if manifest is None else read_manifest(manifest)
    if is_alone and table is not None:
        table.check_has_files()
    form = Pattern(pattern) if pattern else None
    if table is not None and table.has_files and not any(map(_holds_a_run, paths)):
        found = _cases_of_manifest(table, paths, form, options, masks_only=masks_only)
    else:
        found = _cases_of_paths(paths, form, options, masks_only=masks_only)
    cases = [replace(case, options=options) for case in found.cases]
    if options.wanted_regions is not None:
        refuse_segmented(cases)
        cases = with_own_regions(cases)
    return FoundCases(cases if table is None else assign_patients(cases, table), found.left_out)


def _cases_of_paths(
    paths: Sequence[Path], form: Pattern | None, options: ReadOptions, *, masks_only: bool
) -> FoundCases:
    parts = [_cases_of_path(one, form, options, masks_only=masks_only) for one in paths]
    cases = [case for part in parts for case in _under(part.cases, options)]
    refuse_repeated_names(cases)
    return FoundCases(cases, [one for part in parts for one in part.left_out])


def _cases_of_manifest(
    table: Manifest,
    paths: Sequence[Path],
    form: Pattern | None,
    options: ReadOptions,
    *,
    masks_only: bool,
) -> FoundCases:
    """Return the cases of the table alone: of its files, or of a layout if a row has none."""
    for one in paths:
        if not one.exists():
            raise _no_cases(one, "nothing")
    folders = [one if one.is_dir() else one.parent for one in paths]
    cases = {case.id: case for case in table.cases(folders, masks_only=masks_only)}
    if others := table.without_files():
        laid_out: dict[str, CaseSource] = {}
        if paths:
            found = _cases_of_paths(paths, form, options, masks_only=masks_only)
            laid_out = {case.id: case for case in found.cases}
        for name in others:
            reason = f"Expected {table.where} to name files of case {name}, found none."
            missing = UnreadableCase(name, "", Path(table.where), reason=reason)
            cases[name] = laid_out.get(name, missing)
    return FoundCases([_named(cases[name]) for name in sorted(cases, key=natural_key)], [])


def _holds_a_run(path: Path) -> bool:
    return (path / SEGMENTATION).is_file()


def _cases_of_path(
    path: Path, form: Pattern | None, options: ReadOptions, *, masks_only: bool
) -> FoundCases:
    has_sequences = bool(options.sequences)
    try:
        if path.is_dir() and form is not None:
            cases, left_out = cases_by_pattern(
                path, form, masks_only=masks_only, has_sequences=has_sequences
            )
            named = [_named(case) for case in cases]
            return FoundCases(sorted(named, key=lambda case: natural_key(case.id)), left_out)
        if path.is_dir():
            return _cases_of_folder(
                Folder(path), masks_only=masks_only, has_sequences=has_sequences
            )
        found = "nothing"
        if path.exists():
            found = f"a file named {path.name}"
            for layout in layouts.LAYOUTS:
                case = layout.open_file and layout.open_file(path, masks_only=masks_only)
                if case:
                    settled, left_out = settle_unnamed(
                        {case.id: case}, path, masks_only=masks_only, has_sequences=has_sequences
                    )
                    return FoundCases([_named(one) for one in settled.values()], left_out)
    except OSError as error:
        found = str(error)
    raise _no_cases(path, found)


def _no_cases(path: Path, found: str) -> InputError:
    if found == "nothing":
        return InputError(f"Expected a folder of cases, or the file of one, found nothing: {path}.")
    msg = (
        f"Expected a folder of cases, or the file of one, as {_listed_layouts()}, found {found}: "
        f"{path}."
    )
    return InputError(msg)


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
    found = [layout.written(place, case) for layout in layouts.LAYOUTS if layout.written]
    return sorted((name for names in found for name in names), key=natural_key)


def _cases_of_folder(folder: Folder, *, masks_only: bool, has_sequences: bool) -> FoundCases:
    if folder.error:
        msg = f"Expected a folder of cases that can be listed, found {folder.error}: {folder.path}."
        raise InputError(msg)
    cases: dict[str, CaseSource] = {}
    for case in _laid_out(folder, masks_only=masks_only):
        other = cases.get(case.id)
        if other is None:
            cases[case.id] = case
        else:
            reason = (
                f"Expected case {case.id} to have one layout, found several: {other.path}, "
                f"{case.path}."
            )
            cases[case.id] = UnreadableCase(case.id, "", case.path, reason=reason)
    if not cases and len(folder.folders) == 1 and not folder.files:  # as an archive unpacks
        (only,) = folder.folders.values()
        if _whole(only, masks_only=masks_only):
            return _cases_of_folder(only, masks_only=masks_only, has_sequences=has_sequences)
    others = unclaimed_files(folder, cases.values())
    cases, left_out = settle_unnamed(
        cases, folder.path, masks_only=masks_only, has_sequences=has_sequences
    )
    if masks_only:
        cases = as_recorded(cases, folder.path)
    if not cases:
        msg = (
            f"Expected cases as {_listed_layouts()}, found {contents_of(folder)}: {folder.path}."
            f"{what_lies_deeper(folder)}"
        )
        raise InputError(msg)
    cases = without_aliases(cases) | folders_without_a_case(folder, cases)
    named = sorted(map(_named, cases.values()), key=lambda case: natural_key(case.id))
    return FoundCases(named, left_out + others)


def _laid_out(folder: Folder, *, masks_only: bool) -> list[CaseSource]:
    """Return the cases of the layout that the folder is of as a whole, or else of all others."""
    others = [layout for layout in layouts.LAYOUTS if not layout.whole]
    return _whole(folder, masks_only=masks_only) or [
        case for one in others for case in one.find(folder, masks_only=masks_only)
    ]


def _whole(folder: Folder, *, masks_only: bool) -> list[CaseSource]:
    found = (
        list(layout.find(folder, masks_only=masks_only))
        for layout in layouts.LAYOUTS
        if layout.whole
    )
    return next(filter(None, found), [])


def _named(case: CaseSource) -> CaseSource:
    """Return the case with the patient and the site that its name tells, if it can be a name."""
    if unsafe := what_is_unsafe(case.id):
        name = stand_in(case.id)
        reason = (
            f"Expected case {name} to have a name that can be that of a file, found {unsafe}: "
            f"{str(case.path)!r}."
        )
        return UnreadableCase(name, name, case.path, reason=reason)
    known = whose(case.id)
    return replace(
        case,
        patient=patient_key(case.patient) if case.patient else known.patient,
        site=case.site or known.site,
        session=case.session or known.session,
    )


def _under(cases: Iterable[CaseSource], options: ReadOptions) -> list[CaseSource]:
    """Return cases with the options, by which those of DICOM files have their names."""
    found = [replace(case, options=options) for case in cases]
    named = [case.identified(whose) if isinstance(case, DicomCase) else case for case in found]
    return sorted(named, key=lambda case: natural_key(case.id))


def _listed_layouts() -> str:
    *others, last = map(str, layouts.LAYOUTS)
    return f"{', '.join(others)} or {last}"
