"""What all readers share: the promise of a case, and what a mask has to look like."""

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.errors import CaseError, InputError
from lggshape.masks import as_mask
from lggshape.names import natural_key

SEQUENCES = ("pre-contrast", "FLAIR", "post-contrast")
"""Names of the MR sequences, in the order of the channels."""

MASK = "mask"

MAPS = ("probability", "uncertainty", "entropy")
"""Kinds of volumes that are written beside masks, and left aside when a case is read."""

VOXEL_SIZES = (1e-3, 1e3)
"""Smallest and largest distance between voxel centres that is taken for one, in mm.

Far outside any scanner, and far inside what can be computed with.
"""

_NOT_DATA = "__MACOSX"  # what macOS adds to ZIP archives


@dataclass(frozen=True)
class CaseSource(ABC):
    """A case that can be read: cheap to make, to keep and to send to another process.

    Making one looks at file names alone. Whatever is wrong with the case shows when it is read, so
    that one bad case does not keep the others from being found.

    Attributes
    ----------
    id : str
        Name of the case, unique within a data set.
    patient : str
        Key of the patient, the one that label tables use.
    path : Path
        The folder or file that the case is read from.
    has_image, has_mask : bool
        Whether there are files of an image, and of a mask.
    mask_required : bool
        Whether a case without a mask is an error when the mask is asked for.
    site : str
        The institution that the images come from; empty if unknown.
    """

    id: str
    patient: str
    path: Path
    has_image: bool
    has_mask: bool
    mask_required: bool = False
    site: str = ""

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
            Image (Z, Y, X, C) and mask (Z, Y, X) of the same grid.

        Raises
        ------
        CaseError
            If the case is incomplete, contradicts itself, or a file of it cannot be read.
        """
        case = self._read(image=image, mask=mask)
        self._check_presence()
        if mask and self.mask_required and case.mask is None:
            msg = f"Expected case {self.id} to have a mask, found none: {self.path}."
            raise CaseError(msg)
        return case

    def write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[Path]:
        """Write volumes that were made of the case, in its own layout and on its own grid.

        What is written is read by `open_cases(folder, masks_only=True)`. The case is written whole
        or not at all, and takes the place of what was written for it before.

        Parameters
        ----------
        folder : Path
            Where to write, not where the case is read from. It is made if it is missing.
        volumes : mapping of str to ndarray of shape (Z, Y, X)
            The volumes by kind, on the grid that `read` gives: "mask" (bool), and "probability",
            "uncertainty", "entropy" (float, stored with 32 bits).

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        CaseError
            If the case's own files, which give the grid, cannot be read.
        InputError
            If the folder cannot be written, is the one that the case is read from, or holds other
            files in the place of the case.
        ValueError
            If a kind is unknown or a volume does not lie on the grid.
        """
        unknown = volumes.keys() - {MASK, *MAPS}
        if unknown:
            msg = f"Expected kinds of volumes among {(MASK, *MAPS)}, found: {sorted(unknown)}."
            raise ValueError(msg)
        stored = {
            kind: np.not_equal(values, 0) if kind == MASK else np.asarray(values, dtype=np.float32)
            for kind, values in volumes.items()
        }
        with _all_replaced(folder, self._places()) as temporary:
            self._check_presence()
            self._check_place(folder)
            names = self._write(temporary, stored)
        return [folder / name for name in names]

    @abstractmethod
    def _read(self, *, image: bool, mask: bool) -> Case:
        """Read what is asked for and exists."""

    @abstractmethod
    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        """Write the volumes (bool or 32-bit floats) to an empty folder; give the files' names."""

    @abstractmethod
    def _places(self) -> list[str]:
        """Name the files or the folder that `_write` can make; that of the mask first."""

    def _check_presence(self) -> None:
        if not (self.has_image or self.has_mask):
            msg = f"Expected case {self.id} to have an image or a mask, found none: {self.path}."
            raise CaseError(msg)

    def _check_place(self, folder: Path) -> None:
        """Refuse to write over anything but what was written for this case before."""
        if folder.resolve() in {self.path.resolve(), self.path.resolve().parent}:
            msg = f"Expected another folder than case {self.id} is read from, found: {folder}."
            raise InputError(msg)
        kinds = "|".join((MASK, *MAPS))
        ours = re.compile(rf"{re.escape(self.id)}(_[0-9]+)?_({kinds})\.(tif|nii\.gz)")
        for place in (folder / name for name in self._places()):
            names = [*chain(*visible_names(place))] if place.is_dir() else [place.name]
            if place.exists() and not all(map(ours.fullmatch, names)):
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


@dataclass(frozen=True)
class UnreadableCase(CaseSource):
    """A case of which the names alone tell that it cannot be read.

    Attributes
    ----------
    reason : str
        The message of the error that reading raises.
    """

    reason: str = ""

    def _read(self, *, image: bool, mask: bool) -> Case:
        raise CaseError(self.reason)

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        raise CaseError(self.reason)

    def _places(self) -> list[str]:
        raise CaseError(self.reason)


@contextmanager
def _all_replaced(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Give an empty hidden folder; if the block succeeds, move from there what is so named.

    What was there under any of the names goes. The first one goes first and comes last, so that
    after a kill in between there is none.
    """
    hidden = folder / f".{names[0]}.part"
    new, old = hidden / "new", hidden / "old"
    try:
        # Of an earlier run that was killed.
        shutil.rmtree(hidden, ignore_errors=True)
        new.mkdir(parents=True)
        yield new
        old.mkdir()
        for name in names:
            if (folder / name).exists():
                (folder / name).replace(old / name)
        for name in reversed(names):
            if (new / name).exists():
                (new / name).replace(folder / name)
    except OSError as error:
        msg = f"Expected {folder} to be a folder that can be written, found: {error.strerror}."
        raise InputError(msg) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def binary_mask(values: NDArray[np.generic], *, case: str, path: Path) -> NDArray[np.bool_]:
    """Turn stored mask values into True (tumour) and False.

    A mask has the value 0 and at most one other, positive value; the type does not matter, so
    0/1, 0/255, bool and float masks are all read.

    Parameters
    ----------
    values : ndarray
        The values as stored, of any shape.
    case : str
        Name of the case, for the message.
    path : Path
        Where the values come from, for the message.

    Returns
    -------
    ndarray of bool
        True where the value is not 0.

    Raises
    ------
    CaseError
        If the values are not numbers, not finite, or more than two.
    """
    try:
        return as_mask(values, called=f"the mask of case {case}")
    except InputError as error:
        msg = f"{str(error).removesuffix('.')}: {path}."
        raise CaseError(msg) from error


def folder_name(folder: Path) -> str:
    """Give the name of a folder, also where the path is `.` or ends in `..`."""
    # Not Path.resolve: a link's own name counts, not that of the folder it points to.
    return os.path.basename(os.path.abspath(folder))  # noqa: PTH100, PTH119


def visible_names(folder: Path) -> tuple[list[str], list[str]]:
    """List the files and the sub-folders of a folder in natural order.

    Hidden ones, and what macOS adds to ZIP archives (`__MACOSX`), are left out.
    """
    files: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.name != _NOT_DATA:
                (folders if entry.is_dir() else files).append(entry.name)
    return sorted(files, key=natural_key), sorted(folders, key=natural_key)
