"""Packed masks: those of many cases in one small file.

A folder holds `masks.npz`: an archive of NumPy arrays with a row a case, `cases` and `patients`
(text), `shapes` (Z, Y, X), `spacings` (z, y, x) and `affines` (4, 4), NaN where they are unknown;
and for the n-th case from 0 an array `<n>`, its voxels in the order of the axes, eight a byte.
"""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.files import written_whole
from lggshape.readers.slice_folders import site_of
from lggshape.readers.source import CaseSource

ARCHIVE = "masks.npz"

LAYOUT = f"packed masks ({ARCHIVE})"


@dataclass(frozen=True)
class PackedMask(CaseSource):
    """A mask in an archive.

    Attributes
    ----------
    number : int
        Of the case in the archive, from 0.
    """

    number: int = 0

    def _read(self, *, image: bool, mask: bool) -> Case:
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                shape = tuple(int(side) for side in archive["shapes"][self.number])
                spacing = archive["spacings"][self.number]
                affine = archive["affines"][self.number]
                bits = archive[str(self.number)]
            inside = np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(bool)
            z, y, x = spacing.tolist()
            geometry = Geometry(
                spacing=None if np.isnan(spacing).any() else (z, y, x),
                affine=None if np.isnan(affine).any() else affine,
            )
            return Case(self.id, self.patient, mask=inside if mask else None, geometry=geometry)
        # Damaged archives make zipfile, zlib and NumPy raise nearly anything.
        except Exception as error:
            msg = f"Expected {self.path} to hold the mask of case {self.id}, found: {error}."
            raise CaseError(msg) from error

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        raise CaseError(self._no_image())

    def _places(self) -> list[str]:
        raise CaseError(self._no_image())

    def _no_image(self) -> str:
        return f"Expected case {self.id} to have an image, found packed masks: {self.path}."


def find(folder: Path, *, masks_only: bool) -> Iterator[PackedMask]:
    """Find the cases of the archive in a folder, if there is one.

    Parameters
    ----------
    folder : Path
        The folder.
    masks_only : bool
        Whether every case has to have a mask, as these have.

    Yields
    ------
    PackedMask
        In the order of the archive.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = folder / ARCHIVE
    if not path.is_file():
        return
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            names = list(zip(archive["cases"], archive["patients"], strict=True))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        msg = f"Expected {path} to be an archive of packed masks, found: {error}."
        raise InputError(msg) from error
    for number, (case, patient) in enumerate(names):
        yield PackedMask(
            id=str(case),
            patient=str(patient),
            path=path,
            has_image=False,
            has_mask=True,
            mask_required=masks_only,
            site=site_of(str(case)),
            number=number,
        )


def pack_masks(sources: Iterable[CaseSource], folder: Path) -> Path:
    """Write the masks of some cases to one archive.

    Parameters
    ----------
    sources : iterable of CaseSource
        Cases with masks.
    folder : Path
        Where to write `masks.npz`.

    Returns
    -------
    Path
        The archive, whole.

    Raises
    ------
    CaseError
        If a case cannot be read or has no mask.
    """
    cases = []
    bits = {}
    for number, source in enumerate(sources):
        case = source.read(image=False)
        if case.mask is None:
            msg = f"Expected case {case.id} to have a mask, found none: {source.path}."
            raise CaseError(msg)
        bits[str(number)] = np.packbits(case.mask)
        cases.append((case, case.mask.shape))
    spacings = [case.geometry.spacing or (np.nan,) * 3 for case, _ in cases]
    affines = [case.geometry.affine for case, _ in cases]
    arrays = {
        "cases": np.array([case.id for case, _ in cases]),
        "patients": np.array([case.patient for case, _ in cases]),
        "shapes": np.array([shape for _, shape in cases]),
        "spacings": np.array(spacings),
        "affines": np.array([np.full((4, 4), np.nan) if a is None else a for a in affines]),
    }
    path = folder / ARCHIVE
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays, **bits)  # type: ignore[arg-type]
    return path
