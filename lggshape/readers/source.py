"""What all readers share: sources of cases."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.names import what_is_unsafe
from lggshape.readers import seg_nrrd
from lggshape.readers.description import FileDescription
from lggshape.readers.naming import MAPS, MASK
from lggshape.readers.read_options import ReadOptions
from lggshape.readers.spacing import contradiction, with_stated
from lggshape.readers.written import all_replaced, is_free
from lggshape.regions import Values

Form = Literal["layout", "dicom-seg", "seg.nrrd"]
"""A form of the files of masks and maps."""

LAYOUT: Form = "layout"
"""That of the layout of the case."""

MOST_VALUES = 2**28
"""The most values that a file may promise: 1,024 slices of 512 x 512 pixels.

A file that promises more is damaged, or made to fill the memory: with 8 bytes a value, each copy of
it would take more than 2 GiB.
"""


@dataclass(frozen=True, repr=False)
class CaseSource(ABC):
    """A case that can be read: cheap to make, to keep and to send to another process.

    Making one looks at file names alone. Whatever is wrong with the case shows when it is read, so
    that one bad case does not keep the others from being found.

    Attributes
    ----------
    id : str
        Name of the case, unique within a data set.
    patient : str
        Key of the patient, the one that label tables use. A layout that does not know it leaves it
        empty; `open_cases` then takes what the name of the case tells.
    path : Path
        The folder or file that the case is read from.
    has_image, has_mask : bool
        Whether there are files of an image, and of a mask.
    mask_required : bool
        Whether a case without a mask is an error when the mask is asked for.
    site : str
        The institution that the images come from; empty if unknown.
    options : ReadOptions
        What the user says about files that do not say it themselves.
    session : str
        The examination of the patient; empty if unknown.
    columns : tuple of (str, str)
        What a manifest says of the case besides, by column, for the tables of results.
    """

    id: str
    patient: str
    path: Path
    has_image: bool = False
    has_mask: bool = False
    mask_required: bool = False
    site: str = ""
    options: ReadOptions = field(default_factory=ReadOptions)
    session: str = ""
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def files_of_it(self) -> tuple[Path, ...]:
        """The files, or the folder, that it is read from; others may be read from them too."""
        return (self.path,)

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms in which masks of the case can be written."""
        return (LAYOUT, seg_nrrd.FORM)

    def __repr__(self) -> str:
        """Return in one line which case it is and what there is of it."""
        parts = {"image": self.has_image, "mask": self.has_mask}
        there = " and ".join(name for name, is_there in parts.items() if is_there)
        return f"{type(self).__name__}({self.id}: patient {self.patient}, {there or 'nothing'})"

    @property
    def region_names(self) -> tuple[str, ...]:
        """The regions that the mask is read as, in order; none if it is one mask."""
        wanted = self.options.wanted_regions
        return () if wanted is None else wanted.names

    def value_names(self) -> Mapping[str, Values]:
        """Return which values of the mask have which name, as the files say; none if they do not.

        Raises
        ------
        CaseError
            If a header cannot be read.
        """
        return {}

    @property
    def whole_region(self) -> str:
        """The region that holds all others; "" if there is none."""
        wanted = self.options.wanted_regions
        return "" if wanted is None else wanted.whole

    def read(self, *, image: bool = True, mask: bool = True) -> Case:
        """Read the case.

        Parameters
        ----------
        image, mask : bool
            Whether to read the image and the mask. What is not asked for is None in the result and
            is not decoded; what does not exist is None as well.

        Returns
        -------
        Case
            Image (Z, Y, X, C) and mask (Z, Y, X) of the same grid. Its spacing is the stated one
            (`options.spacing`) if the files tell none.

        Raises
        ------
        CaseError
            If the case is incomplete, contradicts itself or the stated spacing, or a file of it
            cannot be read.
        """
        case = self._with_spacing(self._read(image=image, mask=mask))
        self._check_presence()
        if mask and self.mask_required and case.mask is None:
            msg = (
                f"Expected case {self.id} to have a mask, found none: {self.path}. `lggshape "
                "segment` makes masks of images."
            )
            raise CaseError(msg)
        if case.mask is not None and self.region_names and not case.regions:
            msg = (
                f"Expected the mask of case {self.id} to have the regions "
                f"{', '.join(self.region_names)}, found the whole tumour alone: {self.path}."
            )
            raise CaseError(msg)
        return case

    def read_flair(self, slices: Sequence[int]) -> NDArray[np.generic] | None:
        """Read some slices of FLAIR, and no more of the image than that takes.

        Parameters
        ----------
        slices : sequence of int
            Their numbers, from 0.

        Returns
        -------
        ndarray of shape (n, Y, X) or None
            The slices, in the place of those of the mask; None if the case has no FLAIR.

        Raises
        ------
        CaseError
            As for `read`, as far as this part of the image is concerned.
        """
        return self._read_flair(list(slices)) if self.has_image else None

    def _read_flair(self, slices: list[int]) -> NDArray[np.generic] | None:
        """Read slices of the image that exists; a layout that reads them alone is quicker."""
        case = self._read(image=True, mask=False)
        if case.image is None or FLAIR not in case.sequences:
            return None
        return case.image[slices, ..., case.sequences.index(FLAIR)]

    def write(
        self,
        folder: str | os.PathLike[str],
        volumes: Mapping[str, NDArray[np.generic]],
        *,
        form: Form = LAYOUT,
        geometry: Geometry | None = None,
    ) -> list[Path]:
        """Write volumes that were made of the case, in its own layout and on its own grid.

        What is written is read by `open_cases(folder, masks_only=True)`. The case is written whole
        or not at all, and takes the place of what was written for it before.

        Parameters
        ----------
        folder : path
            Where to write: neither the folder that the case is read from nor one inside it. It is
            made if it is missing.
        volumes : mapping of str to ndarray of shape (Z, Y, X)
            The volumes by kind, on the grid of the case as `read` returns it: "mask" (bool), and
            "probability", "uncertainty", "entropy" (float, stored with 32 bits).
        form : {"layout", "dicom-seg", "seg.nrrd"}
            The form of the files: that of the case's own layout, DICOM segmentations (for cases of
            DICOM, whose layout this is), or files for 3D Slicer.
        geometry : Geometry, optional
            The geometry of the case, if it has been read; only files for 3D Slicer need it.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        CaseError
            If the case's own files, which give the grid, cannot be read, or its name cannot be that
            of a file.
        InputError
            If the folder cannot be written, is the one that the case is read from or lies in it, or
            holds other files in the place of the case.
        ValueError
            If a kind is unknown, a volume does not lie on the grid, or the case has no such form.
        """
        if form not in self.forms:
            msg = f"Expected a form of case {self.id} among {self.forms}, found: {form}."
            raise ValueError(msg)
        unknown = volumes.keys() - {MASK, *MAPS}
        if unknown:
            msg = f"Expected kinds of volumes among {(MASK, *MAPS)}, found: {sorted(unknown)}."
            raise ValueError(msg)
        stored = {
            kind: np.not_equal(values, 0) if kind == MASK else np.asarray(values, dtype=np.float32)
            for kind, values in volumes.items()
        }
        folder = Path(folder)
        for_slicer = form == seg_nrrd.FORM
        places = seg_nrrd.file_places(self.id) if for_slicer else self._places()
        self._check_name()
        self._check_presence()
        self._check_place(folder, places)
        if for_slicer and geometry is None:
            geometry = self.read(image=self.has_image, mask=not self.has_image).geometry
        with all_replaced(folder, places) as temporary:
            if geometry is not None and for_slicer:
                names = seg_nrrd.write_volumes(temporary, self.id, stored, geometry)
            else:
                names = self._write(temporary, stored)
        return [folder / name for name in names]

    def described(self) -> list[FileDescription]:
        """Return what there is of the case, file by file, from names and headers alone.

        Returns
        -------
        list of FileDescription
            In the order of the files. What cannot be read has a reason.
        """
        parts = {"image": self.has_image, "mask": self.has_mask}
        there = [name for name, is_there in parts.items() if is_there]
        return [FileDescription(self.path, " + ".join(there))]

    @abstractmethod
    def _read(self, *, image: bool, mask: bool) -> Case:
        """Read what is asked for and exists."""

    @abstractmethod
    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        """Write the volumes (bool or 32-bit floats) to an empty folder; return the files' names."""

    @abstractmethod
    def _places(self) -> list[str]:
        """Return the files, or the folder, that `_write` can make; that of the mask first."""

    def _written(self, folder: Path) -> list[str]:
        """Return the files in a folder that `_write` makes, as `Layout.written` does."""
        return []

    def _with_spacing(self, case: Case) -> Case:
        """Return the case with the stated spacing; refuse one that its files contradict."""
        stated = self.options.spacing
        if found := contradiction(case.geometry, stated):
            msg = (
                f"Expected case {self.id} to have the stated spacing, {found}: {self.path}. Leave "
                "--spacing out (spacing= in Python) for files that tell it, or correct it."
            )
            raise CaseError(msg)
        return replace(case, geometry=with_stated(case.geometry, stated))

    def _check_name(self) -> None:
        if unsafe := what_is_unsafe(self.id):
            msg = (
                f"Expected the name of case {self.id!r} to fit a file, found {unsafe}: {self.path}."
            )
            raise CaseError(msg)

    def _check_presence(self) -> None:
        if not (self.has_image or self.has_mask):
            msg = f"Expected case {self.id} to have an image or a mask, found none: {self.path}."
            raise CaseError(msg)

    def _check_place(self, folder: Path, places: Sequence[str]) -> None:
        """Refuse to write over anything but what was written for this case before."""
        own, target = self.path.resolve(), folder.resolve()
        if target == own.parent or (own.is_dir() and own in (target, *target.parents)):
            msg = (
                f"Expected another folder than case {self.id} is read from, and none inside it, "
                f"found: {folder}."
            )
            raise InputError(msg)
        ours = {folder / name for name in self._written(folder)}
        ours |= {folder / name for name in seg_nrrd.written(folder, self.id)}
        for place in (folder / name for name in places):
            if not is_free(place, ours):
                msg = (
                    f"Expected {place} to be new or to hold nothing but masks and maps of case "
                    f"{self.id}, found something else."
                )
                raise InputError(msg)

    def _check_grid(
        self, shape: tuple[int, ...], volumes: Mapping[str, NDArray[np.generic]]
    ) -> None:
        """Refuse volumes that are not of the shape (Z, Y, X) of the case."""
        for kind, values in volumes.items():
            if values.shape != shape:
                msg = f"Expected the {kind} of case {self.id} to be {shape}, found {values.shape}."
                raise ValueError(msg)


@dataclass(frozen=True, repr=False)
class UnreadableCase(CaseSource):
    """A case that cannot be read, as names alone show.

    Attributes
    ----------
    reason : str
        The message of the error that reading raises.
    """

    reason: str = ""

    def __repr__(self) -> str:
        """Return in one line which case it is and why it cannot be read."""
        return f"{type(self).__name__}({self.id}: {self.reason})"

    @property
    def files_of_it(self) -> tuple[Path, ...]:
        """Nothing: its place may be that of other cases."""
        return ()

    def described(self) -> list[FileDescription]:
        """Return the place of the case, and why it cannot be read."""
        return [FileDescription(self.path, "", reason=self.reason)]

    def _read(self, *, image: bool, mask: bool) -> Case:
        raise CaseError(self.reason)

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        raise CaseError(self.reason)

    def _places(self) -> list[str]:
        raise CaseError(self.reason)


def refuse_repeated_names(cases: Iterable[CaseSource | Case]) -> None:
    """Refuse cases of which two have the same name.

    Parameters
    ----------
    cases : iterable of CaseSource or Case
        Cases that are worked on together.

    Raises
    ------
    InputError
        With the first name that occurs twice, and where the two lie.

    Examples
    --------
    >>> refuse_repeated_names([Case("p1", "p1"), Case("p2", "p2")])
    """
    first: dict[str, CaseSource | Case] = {}
    for case in cases:
        if case.id in first:
            both = (first[case.id], case)
            paths = ", ".join(str(one.path) for one in both if isinstance(one, CaseSource))
            where = f": {paths}" if paths else ""
            msg = f"Expected every case once, found {case.id} twice{where}."
            raise InputError(msg)
        first[case.id] = case
