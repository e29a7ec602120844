"""DICOM: a folder tree of series, as a scanner or an archive gives it.

Files are found by their content, whatever their names and folders. A case is a study. Its FLAIR, T1
and T1 after contrast agent are the series whose headers say so (`lggshape.readers.dicom_choice`);
where several fit, none is chosen. Its mask is a DICOM segmentation or an RT structure set of the
study (`lggshape.readers.dicom_masks`).

The key of a patient is a hash of the PatientID, and the name of a case this key and a hash of the
study: no name, date or number of a header gets into results. With `--patient-from dicom` the
PatientID itself is the key.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from os.path import commonpath
from pathlib import Path
from typing import NamedTuple

from lggshape.case import SEQUENCES
from lggshape.errors import InputError
from lggshape.names import first_few, hashed_key, natural_key
from lggshape.readers.dicom_case import (
    KEY_ELEMENTS,
    STUDY,
    DicomCase,
    case_name,
    patient_of,
    place_of,
)
from lggshape.readers.dicom_choice import (
    HEADER,
    IDENTIFYING,
    SEGMENTATIONS,
    STRUCTURES,
    Description,
    Series,
    describe,
)
from lggshape.readers.dicom_files import dicom_files, is_dicom, quietly, read_header, text_of
from lggshape.readers.folder import Folder
from lggshape.readers.layout import Layout
from lggshape.readers.listing import folder_name
from lggshape.readers.naming import MAPS, MASK
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.readers.unusable import UnusableError

_SERIES = "SeriesInstanceUID"
_DIRECTORY = "DICOMDIR"
"""The name of the file that lists what is on a medium."""

_FILE_OF_MASK = re.compile(rf"(?P<case>.+)_{MASK}\.dcm", re.IGNORECASE)
"""The name under which masks of a case are written."""


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the studies of a folder tree.

    Parameters
    ----------
    folder : Folder
        The folder, of which all folders inside are searched.
    masks_only : bool
        Whether every case has to have a mask.

    Returns
    -------
    iterable of CaseSource
        A case per study. A file that promises DICOM by its name, or names no study, is a case that
        cannot be read.

    Raises
    ------
    InputError
        If there are DICOM files, and pydicom is not installed.
    """
    files, others = dicom_files(folder)
    return _cases(files, others, masks_only=masks_only)


def open_file(path: Path, *, masks_only: bool) -> CaseSource | None:
    """Return the case of one file; None if it is not DICOM, or names no study."""
    if not is_dicom(path):
        return None
    if path.name.upper() == _DIRECTORY:
        msg = f"Expected images, found a list of files: {path}. Give the folder that it lies in."
        raise InputError(msg)
    cases = _cases([path], [], masks_only=masks_only)
    return cases[0] if cases else None


def written(folder: Path, case: str) -> list[str]:
    """Return the masks and maps of a case that lie in a folder, as `Layout.written` does."""
    names = [f"{case}_{kind}.dcm" for kind in (MASK, *MAPS)]
    return [name for name in names if (folder / name).is_file()]


LAYOUT = Layout(
    "DICOM", "a folder tree of series, whatever its names", find, open_file, written=written
)


class _Head(NamedTuple):
    """What is kept of a header. The files of a series share one: a study may have thousands."""

    study: str
    series: str
    number: str
    is_mask: bool
    patient: str
    said: Description


class _File(NamedTuple):
    path: Path
    head: _Head


def series_of_files(files: Sequence[Path]) -> list[Series]:
    """Return the series of some DICOM files, whatever their studies; others are left aside.

    Parameters
    ----------
    files : sequence of Path
        The files.

    Returns
    -------
    list of Series
        In the order of their numbers, study by study. The folder of each is its own path.
    """
    studies, _ = _by_study(files)
    return [one for found in studies.values() for one in _grouped(found, None)]


def _cases(files: Sequence[Path], others: Sequence[Path], *, masks_only: bool) -> list[CaseSource]:
    studies, wrong = _by_study(files)
    wrong = dict.fromkeys(others, "no DICM after the first 128 bytes") | wrong
    cases = [case for found in studies.values() for case in _of_study(found, masks_only=masks_only)]
    return [*cases, *_unreadable(wrong)]


@quietly()
def _by_study(files: Sequence[Path]) -> tuple[dict[str, list[_File]], dict[Path, str]]:
    """Read the headers; return the files of each study, and what is wrong with the others."""
    studies: dict[str, list[_File]] = {}
    wrong: dict[Path, str] = {}
    heads: dict[_Head, _Head] = {}
    for path in files:
        try:
            head = _head_of(path)
        except (UnusableError, OSError) as error:
            wrong[path] = str(error)
            continue
        if head.study and head.series:
            head = heads.setdefault(head, head)
            studies.setdefault(head.study, []).append(_File(path, head))
        elif path.name.upper() != _DIRECTORY:
            wrong[path] = "no study or no series in its header"
    return studies, wrong


def _head_of(path: Path) -> _Head:
    header = read_header(path, (*HEADER, *IDENTIFYING, *KEY_ELEMENTS))
    patient, is_key = patient_of(header)
    return _Head(
        text_of(header, STUDY),
        text_of(header, _SERIES),
        _digits(text_of(header, "SeriesNumber")),
        text_of(header, "SOPClassUID") in {*SEGMENTATIONS, STRUCTURES},
        "" if is_key else patient,
        describe(header),
    )


def _unreadable(wrong: Mapping[Path, str]) -> list[CaseSource]:
    """Return a case per folder that holds files which should be DICOM and are not."""
    by_folder: dict[Path, list[str]] = {}
    for path, reason in wrong.items():
        by_folder.setdefault(path.parent, []).append(f"{path.name}: {reason}")
    cases: list[CaseSource] = []
    for folder, found in by_folder.items():
        reason = f"Expected DICOM files, found {first_few(found, 3, separator='; ')} in {folder}."
        name = folder_name(folder)
        cases.append(UnreadableCase(name, name, folder, reason=reason))
    return cases


def _of_study(files: Sequence[_File], *, masks_only: bool) -> list[CaseSource]:
    """Return the case of a study, or one per written mask if its images are not there."""
    path = Path(commonpath([file.path.parent for file in files]))
    series = _grouped(files, path)
    if all(one.role == MASK or not one.is_image for one in series):
        named = [(one, _FILE_OF_MASK.fullmatch(one.files[0].name)) for one in series]
        masks = [(one, found["case"]) for one, found in named if one.role == MASK and found]
        if masks and len(masks) == sum(one.role == MASK for one in series):
            return [
                _source(name, one.files[0], (one,), masks_only=masks_only) for one, name in masks
            ]
    patients: dict[str, _File] = {}
    for file in files:
        if file.head.patient:
            patients.setdefault(file.head.patient, file)
    name = case_name(hashed_key(next(iter(patients), "")), files[0].head.study)
    if len(patients) > 1:
        found = list(patients.values())
        reason = (
            f"Expected the files of a study to have one PatientID, found {len(patients)}, as in "
            f"{first_few([file.path.relative_to(path).as_posix() for file in found], 3)}: {path}."
            " Name the series of each patient in a manifest, by folder, or correct the headers."
        )
        return [UnreadableCase(name, name, path, reason=reason)]
    return [_source(name, path, series, masks_only=masks_only)]


def _source(name: str, path: Path, series: tuple[Series, ...], *, masks_only: bool) -> DicomCase:
    roles = [one.role for one in series if one.role]
    return DicomCase(
        id=name,
        patient="",
        path=path,
        has_image=any(role in SEQUENCES for role in roles),
        has_mask=MASK in roles,
        mask_required=masks_only,
        files=tuple(
            (one.role, place_of(one, series)) for one in series if roles.count(one.role) == 1
        ),
        series=series,
    )


def _grouped(files: Sequence[_File], study: Path | None) -> tuple[Series, ...]:
    """Return the series of a study, in the order of their numbers; each mask is one of its own."""
    groups: dict[tuple[str, str], list[_File]] = {}
    for file in files:
        alone = str(file.path) if file.head.is_mask else ""
        groups.setdefault((file.head.series, alone), []).append(file)
    found = []
    for (uid, _), group in groups.items():
        # A screenshot among the images does not speak for them.
        described = (file.head.said for file in group)
        said = next((one for one in described if one.is_image), group[0].head.said)
        folders = {file.path.parent for file in group}
        folder = Path(commonpath(list(folders)))
        found.append(
            Series(
                uid=uid,
                number=group[0].head.number,
                description=said.description,
                role=said.role,
                reason=said.reason,
                is_image=said.is_image,
                files=tuple(sorted((file.path for file in group), key=_by_name)),
                folder=(folder if study is None else folder.relative_to(study)).as_posix(),
            )
        )
    return tuple(sorted(found, key=lambda one: (natural_key(one.number), _by_name(one.files[0]))))


def _by_name(path: Path) -> list[tuple[int, str]]:
    return natural_key(str(path))


def _digits(text: str) -> str:
    return text if text.isdigit() and len(text) < 12 else ""
