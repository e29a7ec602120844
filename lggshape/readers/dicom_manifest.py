"""DICOM series that a manifest names: by folder, by file, or by UID."""

import re
from collections.abc import Sequence
from dataclasses import replace
from os.path import commonpath
from pathlib import Path

from lggshape.case import SEQUENCES
from lggshape.readers.dicom import series_of_files
from lggshape.readers.dicom_case import DicomCase, place_of
from lggshape.readers.dicom_choice import Series
from lggshape.readers.dicom_files import dicom_files, is_dicom
from lggshape.readers.folder import Folder
from lggshape.readers.naming import MASK, UNNAMED
from lggshape.readers.source import CaseSource

_UID = re.compile(r"[0-9]+(\.[0-9]+){3,}")


class SeriesFinder:
    """Finds the series that the cells of a manifest name.

    Parameters
    ----------
    places : sequence of Path
        The folders that paths are relative to, and that UIDs are looked for in.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = places
        self._by_uid: dict[str, list[Series]] | None = None

    def find(self, cell: str) -> Series | str:
        """Return the series that a cell names; else what is wrong, or "" if it is no DICOM.

        Parameters
        ----------
        cell : str
            A folder or a file, relative to one of the places or absolute, or a series instance UID.
        """
        for path in (place / cell for place in self._places):
            if path.is_dir():
                files, _ = dicom_files(Folder(path))
                return _only(series_of_files(files), f"in the folder {path}") if files else ""
            if is_dicom(path):
                beside = [one for one in path.parent.iterdir() if is_dicom(one)]
                found = [one for one in series_of_files(beside) if path in one.files]
                return _only(found, f"in {path}")
        if not _UID.fullmatch(cell):
            return ""
        if self._by_uid is None:
            self._by_uid = {}
            folders = [place for place in self._places if place.is_dir()]
            for folder in dict.fromkeys(one.resolve() for one in folders):
                for one in series_of_files(dicom_files(Folder(folder))[0]):
                    known = self._by_uid.setdefault(one.uid, [])
                    if all(other.files != one.files for other in known):
                        known.append(one)
        return _only(self._by_uid.get(cell, []), f"with the UID {cell}")


def _only(series: Sequence[Series], where: str) -> Series | str:
    if len(series) == 1:
        return series[0]
    way_out = " (name one by a file of it, or by its UID)" if series else ""
    return f"{len(series) or 'no'} series {where}{way_out}"


def case_of_series(
    name: str, parts: Sequence[tuple[str, Series | Path]], *, masks_only: bool
) -> CaseSource:
    """Return the case of series and files that a manifest names.

    Parameters
    ----------
    name : str
        Name of the case.
    parts : sequence of (str, Series or Path)
        For each role a series, or a file of another format such as a mask.
    masks_only : bool
        Whether the case has to have a mask.
    """
    series = tuple(replace(one, role=role) for role, one in parts if isinstance(one, Series))
    files = [(one.role, place_of(one, series)) for one in series]
    files += [(role, one) for role, one in parts if isinstance(one, Path)]
    folders = [path.parent for one in series for path in one.files]
    folders += [one.parent for _, one in parts if isinstance(one, Path)]
    roles = {role for role, _ in parts}
    return DicomCase(
        id=name,
        patient="",
        path=Path(commonpath(folders)),
        has_image=bool(roles & {*SEQUENCES, UNNAMED}),
        has_mask=MASK in roles,
        mask_required=masks_only,
        files=tuple(files),
        series=series,
    )
