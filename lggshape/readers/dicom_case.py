"""A DICOM study as a case: its series by role, and its mask."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, SEQUENCES, Case, Geometry
from lggshape.errors import CaseError
from lggshape.names import hashed_key, what_is_unsafe
from lggshape.readers.description import FileDescription, plane_of
from lggshape.readers.dicom_choice import POST, PRE, Series
from lggshape.readers.dicom_files import read_header, text_of
from lggshape.readers.dicom_masks import load_mask, names_of_mask
from lggshape.readers.dicom_series import Stack, described_grid, load_series, read_stack
from lggshape.readers.dicom_writing import OURS, grid_of_series, write_volume
from lggshape.readers.naming import MASK, Identity
from lggshape.readers.one_grid import reference_of
from lggshape.readers.source import CaseSource, Form, UnreadableCase
from lggshape.readers.unusable import UnusableError
from lggshape.readers.volume_case import VolumeCase
from lggshape.readers.volume_format import FileHeader, Grid, VolumeFormat
from lggshape.regions import Values

if TYPE_CHECKING:
    from pydicom import Dataset

PATIENT, STUDY = "PatientID", "StudyInstanceUID"
KEY_ELEMENTS = (PATIENT, STUDY, "SeriesInstanceUID", "Manufacturer", "PatientIdentityRemoved")
"""The elements that say whose file it is, and to what it belongs."""

_COLUMNS = {FLAIR: "flair", PRE: "t1", POST: "t1ce", MASK: "mask"}
"""The column of a manifest that names the series of a role."""

_STUDY_DIGITS = 8
_FRAME = "FrameOfReferenceUID"


@dataclass(frozen=True, repr=False)
class DicomCase(VolumeCase):
    """A study: series by role, as their headers say.

    Attributes
    ----------
    series : tuple of Series
        All series of the study, also those without a role.
    """

    series: tuple[Series, ...] = ()

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms in which masks of the case can be written."""
        return (*super().forms, "dicom-seg")

    @property
    def files_of_it(self) -> tuple[Path, ...]:
        """The files of all its series."""
        return tuple(path for one in self.series for path in one.files)

    def identified(self, identity_of: Callable[[str], Identity]) -> CaseSource:
        """Return the case under the name and patient that the options ask for.

        Parameters
        ----------
        identity_of : callable
            The naming rules: a PatientID that they know gives the key that other layouts give.
        """
        try:
            patient, study, is_key = self._identifiers()
        except (UnusableError, OSError) as error:
            reason = f"Expected case {self.id} to have headers, found {error}: {self.path}."
            return UnreadableCase(self.id, self.id, self.path, reason=reason)
        if is_key:
            key = patient
        elif self.options.patient_from == "dicom":
            if not patient or what_is_unsafe(patient):
                reason = (
                    f"Expected case {self.id} to have a PatientID that can name a patient, found "
                    f"{'another' if patient else 'none'}: {self.path}. Leave --patient-from out, "
                    "or give a manifest."
                )
                return UnreadableCase(self.id, self.id, self.path, reason=reason)
            key = identity_of(patient).patient
        else:
            # A study without a PatientID is a patient of its own.
            key = hashed_key(identity_of(patient).patient if patient else study)
        if not self._is_written_mask:
            return replace(self, id=case_name(key, study), patient=key)
        # The table beside masks may name another patient, as a manifest did.
        is_recorded = self.patient not in {"", identity_of(self.id).patient}
        return self if is_recorded else replace(self, patient=key)

    def patient_id(self) -> str:
        """Read the PatientID; "" if there is none, or if it is a key that this tool wrote."""
        patient, _, is_key = self._identifiers()
        return "" if is_key else patient

    def _identifiers(self) -> tuple[str, str, bool]:
        """Read PatientID and study, and whether the former is a key that this tool wrote."""
        # That of an image, if there is one.
        for one in sorted(self.series, key=lambda one: not one.is_image):
            header = read_header(one.files[0], KEY_ELEMENTS)
            patient, is_key = patient_of(header)
            if patient:
                break
        return patient, text_of(header, STUDY), is_key

    def described(self) -> list[FileDescription]:
        """Return each series with its role, and why it is not used; pixels are not read."""
        return [self._described_series(one) for one in self.series]

    def _described_series(self, series: Series) -> FileDescription:
        place, words = self._place(series), series.description or "no description"
        if not series.role:
            return FileDescription(place, "", reason=f"{words}: {series.reason}")
        shape: tuple[int, ...] = ()
        geometry, plane = Geometry(), ""
        try:
            if series.is_image:
                shape, geometry, axis = described_grid(read_stack(series.files))
                plane = plane_of(geometry, axis)
        except (UnusableError, OSError) as error:
            return FileDescription(place, series.role, reason=f"{words}: {error}")
        fitting = self._by_role()[series.role]
        reason = ""
        if len(fitting) > 1:
            reason = f"{words}: one of {len(fitting)} series of {series.role}"
        return FileDescription(place, series.role, shape, geometry, plane, reason)

    def _read(self, *, image: bool, mask: bool) -> Case:
        self._check_choice((*(SEQUENCES if image else ()), *((MASK,) if mask else ())))
        if not self.files:
            found_instead = "; ".join(f"{one.name}: {one.reason}" for one in self.series)
            msg = (
                f"Expected case {self.id} to have a series of FLAIR or T1, or a mask, found none "
                f"in {self.path}: {found_instead}. Name them in the columns flair, t1, t1ce and "
                "mask of a manifest, by folder or UID."
            )
            raise CaseError(msg)
        case = super()._read(image=image, mask=mask)
        return replace(case, notes=(*case.notes, *self._other_frames(image=image, mask=mask)))

    def _other_frames(self, *, image: bool, mask: bool) -> list[str]:
        """Return a note if places in the series that are read are of several frames of reference.

        The scanner gives each its own frame if the patient left it in between.
        """
        frames: dict[str, str] = {}
        for role, (one, *_) in self._by_role().items():
            if (image and role in SEQUENCES) or (mask and role == MASK):
                frame = text_of(read_header(one.files[0], (_FRAME,)), _FRAME)
                frames |= {role: frame} if frame else {}
        if len(set(frames.values())) < 2:
            return []
        reference = reference_of(frames)
        others = [role for role, frame in frames.items() if frame != frames[reference]]
        return [
            f"frame of reference of {' and '.join(others)} is not that of {reference}: places may "
            "not agree"
        ]

    def _read_flair(self, slices: list[int]) -> NDArray[np.generic] | None:
        self._check_choice((FLAIR,))
        return super()._read_flair(slices)

    def _check_choice(self, roles: Iterable[str]) -> None:
        """Raise CaseError if one of some roles has several series."""
        for role, found in self._by_role().items():
            if role in roles and len(found) > 1:
                msg = (
                    f"Expected case {self.id} to have one series of {role}, found "
                    f"{len(found)}: {'; '.join(one.name for one in found)}. Name one in the column "
                    f"{_COLUMNS[role]} of a manifest, by its folder, a file or its UID."
                )
                raise CaseError(msg)

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        try:
            return super()._write(folder, volumes)
        except UnusableError as error:
            msg = (
                f"Expected case {self.id} to have a series that a DICOM segmentation can refer to, "
                f"found {error}: {self._grid_file}. Write another form, with --write seg.nrrd "
                "(write= in Python)."
            )
            raise CaseError(msg) from error

    def _by_role(self) -> dict[str, list[Series]]:
        found: dict[str, list[Series]] = {}
        for one in self.series:
            if one.role:
                found.setdefault(one.role, []).append(one)
        return found

    @property
    def _is_written_mask(self) -> bool:
        return self.path.name == f"{self.id}_{MASK}.dcm"

    def _place(self, series: Series) -> Path:
        return place_of(series, self.series)

    def _is_series(self, path: Path) -> bool:
        return any(self._place(one) == path for one in self.series)

    def _check_file(self, path: Path) -> None:
        if not self._is_series(path):  # each file of a series is checked when it is read
            super()._check_file(path)

    def _format_of(self, path: Path) -> VolumeFormat:
        if not self._is_series(path):
            return super()._format_of(path)  # a mask of another format, which a manifest names
        write = partial(write_volume, patient=self.patient)
        describe = self._header if self._series_at(path).is_image else None
        return VolumeFormat(
            "DICOM", (".dcm",), self._load, self._grid, write, describe=describe,
            names_of=self._names,
        )  # fmt: skip

    def _names(self, path: Path) -> dict[str, Values]:
        return names_of_mask(self._series_at(path).files[0])

    def _header(self, path: Path) -> FileHeader:
        return FileHeader(*described_grid(read_stack(self._series_at(path).files)))

    def _load(self, path: Path) -> tuple[NDArray[np.generic], Geometry]:
        series = self._series_at(path)
        if series.role == MASK:
            return load_mask(series.files[0], self._stack_of, wanted=self.options.mask_values)
        return load_series(series.files)

    def _grid(self, path: Path) -> Grid:
        return grid_of_series(self._series_at(path).files)

    def _series_at(self, path: Path) -> Series:
        return next(one for one in self.series if self._place(one) == path)

    def _stack_of(self, uid: str) -> Stack | None:
        """Return the slices of the series that a mask refers to; None if it is not there."""
        found = [one for one in self.series if one.uid == uid and one.role != MASK]
        return read_stack(found[0].files) if found else None


def patient_of(header: "Dataset") -> tuple[str, bool]:
    """Return the PatientID of a header, and whether it is a key that this tool wrote."""
    names = (PATIENT, "Manufacturer", "PatientIdentityRemoved")
    patient, maker, removed = (text_of(header, name) for name in names)
    return patient, maker == OURS and removed == "YES"


def place_of(series: Series, all_series: Iterable[Series]) -> Path:
    """Return the folder of a series, or its first file if another series shares the folder."""
    folders = {path.parent for path in series.files}
    others = {path.parent for one in all_series if one is not series for path in one.files}
    alone = len(folders) == 1 and not folders & others
    return folders.pop() if alone else series.files[0]


def case_name(patient: str, study: str) -> str:
    """Return the name of a study: the key of its patient, and a hash of the UID of the study."""
    return f"{patient}_{hashed_key(study)[:_STUDY_DIGITS]}"
