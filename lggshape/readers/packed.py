"""Packed masks: those of many cases in one small file.

A folder holds `masks.npz`: an archive of NumPy arrays with a row per case, `cases` and `patients`
(text), `shapes` (Z, Y, X), `spacings` (z, y, x) and `affines` (4, 4), NaN where they are unknown;
and for the n-th case from 0 an array `<n>`, its voxels in the order of the axes, eight per byte.

The file may come from anywhere. So what it declares is compared with what is there before anything
is unpacked, and names that cannot be those of files are refused.
"""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Case, Geometry
from lggshape.errors import CaseError, InputError
from lggshape.files import written_whole
from lggshape.names import what_is_unsafe
from lggshape.readers.description import FileDescription, plane_of
from lggshape.readers.folder import Folder
from lggshape.readers.grids import voxel_sizes
from lggshape.readers.layout import Layout
from lggshape.readers.naming import MASK
from lggshape.readers.packed_file import open_archive, read_array
from lggshape.readers.source import MOST_VALUES, CaseSource
from lggshape.readers.spacing import VOXEL_SIZES
from lggshape.readers.unusable import UnusableError, library_reading

ARCHIVE = "masks.npz"

_MOST_BYTES = 2**26  # of a table of the archive: room for a hundred thousand cases
_TABLES = {
    "cases": ("U", ()), "patients": ("U", ()), "shapes": ("iu", (3,)), "spacings": ("f", (3,)),
    "affines": ("f", (4, 4)),
}  # fmt: skip
"""The kinds of numbers or text in a table, and the shape of a row."""

_TOLERANCE = 0.01  # of a voxel size: enough for the rounding of headers


@dataclass(frozen=True, repr=False)
class PackedMask(CaseSource):
    """A mask in an archive.

    Attributes
    ----------
    number : int
        Number of the case in the archive, from 0.
    shape : tuple of int
        Shape (Z, Y, X), as it is declared.
    spacing : tuple of float
        Distances (z, y, x) between voxel centres in mm, as they are declared; NaN if unknown.
    affine : tuple of float
        The 16 numbers of the affine, row by row, as they are declared; NaN if unknown.
    """

    number: int = 0
    shape: tuple[int, ...] = ()
    spacing: tuple[float, ...] = ()
    affine: tuple[float, ...] = ()

    def _read(self, *, image: bool, mask: bool) -> Case:
        try:
            geometry = _geometry(self.spacing, self.affine)
            voxels = math.prod(self.shape)
            if min(self.shape) < 1 or voxels > MOST_VALUES:
                raise UnusableError(f"the shape {self.shape}")
            inside = None
            if mask:
                bits = read_array(open_archive(self.path), str(self.number), most=voxels // 8 + 999)
                if bits.dtype != np.uint8 or bits.shape != (math.ceil(voxels / 8),):
                    found = f"{bits.dtype} of shape {bits.shape}"
                    raise UnusableError(f"{found} instead of the bits of the shape {self.shape}")
                flat = np.unpackbits(bits.view(np.uint8))
                if flat[voxels:].any():
                    raise UnusableError(f"more voxels than the shape {self.shape} has")
                inside = flat[:voxels].reshape(self.shape).astype(bool)
        except (UnusableError, OSError) as error:
            msg = f"Expected {self.path} to hold the mask of case {self.id}, found: {error}."
            raise CaseError(msg) from error
        return Case(self.id, self.patient, mask=inside, geometry=geometry)

    def described(self) -> list[FileDescription]:
        """Return what the archive declares of the mask."""
        try:
            geometry = _geometry(self.spacing, self.affine)
        except UnusableError as error:
            return [FileDescription(self.path, MASK, self.shape, reason=f"found {error}")]
        return [FileDescription(self.path, MASK, self.shape, geometry, plane_of(geometry))]

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        raise CaseError(self._no_image())

    def _places(self) -> list[str]:
        raise CaseError(self._no_image())

    def _no_image(self) -> str:
        return f"Expected case {self.id} to have an image, found packed masks: {self.path}."


def find(folder: Folder, *, masks_only: bool) -> Iterable[CaseSource]:
    """Find the cases of the archive in a folder, if there is one.

    Parameters
    ----------
    folder : Folder
        The folder.
    masks_only : bool
        Whether every case has to have a mask, as these have.

    Returns
    -------
    iterable of PackedMask
        In the order of the archive.

    Raises
    ------
    InputError
        If it cannot be read, its tables do not fit each other, or the name of a case cannot be that
        of a file.
    """
    path = folder.path / ARCHIVE
    if not folder.holds(ARCHIVE):
        return []
    try:
        archive = open_archive(path)
        tables = {name: read_array(archive, name, most=_MOST_BYTES) for name in _TABLES}
        _check_tables(tables)
    except (UnusableError, OSError) as error:
        msg = f"Expected {path} to be an archive of packed masks, found: {error}."
        raise InputError(msg) from error
    rows = zip(*(tables[name].tolist() for name in _TABLES), strict=True)
    return [
        PackedMask(
            id=case,
            patient="" if patient == case else patient,
            path=path,
            has_mask=True,
            mask_required=masks_only,
            number=number,
            shape=tuple(shape),
            spacing=tuple(spacing),
            affine=tuple(value for row in affine for value in row),
        )
        for number, (case, patient, shape, spacing, affine) in enumerate(rows)
    ]


LAYOUT = Layout("packed masks", ARCHIVE, find)


def pack_masks(sources: Iterable[CaseSource], folder: str | os.PathLike[str]) -> Path:
    """Write the masks of some cases to one archive.

    Parameters
    ----------
    sources : iterable of CaseSource
        Cases with masks.
    folder : path
        Where to write `masks.npz`.

    Returns
    -------
    Path
        The archive, whole.

    Raises
    ------
    CaseError
        If a case cannot be read or has no mask, or `open_cases` would refuse the archive because of
        its name.
    InputError
        If there are no cases, or the file cannot be written.
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
    if not cases:
        msg = "Expected cases to pack, found none."
        raise InputError(msg)
    try:
        _check_tables(arrays)
    except UnusableError as error:
        msg = f"Expected cases that can be packed into one archive, found {error}."
        raise CaseError(msg) from error
    path = Path(folder) / ARCHIVE
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays, **bits)  # type: ignore[arg-type]
    return path


def _check_tables(tables: Mapping[str, NDArray[np.generic]]) -> None:
    """Refuse tables of other types or lengths, and names that are doubled or unsafe."""
    for name, (kinds, row) in _TABLES.items():
        table = tables[name]
        fits = table.ndim == 1 + len(row) and table.shape == (len(tables["cases"]), *row)
        if table.dtype.kind not in kinds or not fits:
            msg = f"{table.dtype} of shape {table.shape} as {name}, which does not fit the others"
            raise UnusableError(msg)
    with library_reading():  # text may hold numbers that are no characters
        names = tables["cases"].tolist(), tables["patients"].tolist()
    seen = set()
    for case, patient in zip(*names, strict=True):
        unsafe = what_is_unsafe(case)
        if unsafe or case in seen:
            raise UnusableError(f"{unsafe or 'a second one'} as the name of a case, {case!r}")
        if not patient.isprintable():
            raise UnusableError(f"characters that cannot be printed as a patient, {patient!r}")
        seen.add(case)


def _geometry(spacing: tuple[float, ...], affine: tuple[float, ...]) -> Geometry:
    """Return the geometry, if what is declared is one."""
    sizes, matrix = np.array(spacing), np.array(affine).reshape(4, 4)
    without_sizes, without_affine = np.isnan(sizes).all(), np.isnan(matrix).all()
    low, high = VOXEL_SIZES
    if not (without_sizes or np.all((sizes >= low) & (sizes <= high))):
        raise UnusableError(f"voxel sizes {spacing} instead of {low:g} to {high:g} mm")
    if without_affine:
        z, y, x = sizes.tolist()
        return Geometry(None if without_sizes else (z, y, x))
    lengths = voxel_sizes(matrix)
    fits = np.isfinite(matrix).all() and np.allclose(lengths, sizes, rtol=_TOLERANCE, atol=0)
    if not (fits and np.array_equal(matrix[3], [0, 0, 0, 1])):
        raise UnusableError(f"an affine that does not fit the voxel sizes {spacing}")
    z, y, x = sizes.tolist()
    return Geometry((z, y, x), matrix)
