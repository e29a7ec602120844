"""NIfTI files (`.nii`, `.nii.gz`): their values and where they lie, and files on the same grid.

The affine is the sform, else the qform, in mm (the header's units count). The voxel sizes of both,
and those of pixdim, have to agree to within 1 %. With neither (both codes 0) the orientation is
unknown and the axes are only transposed; the pixdim sizes then count as spacing if they are
positive and the header names their unit, or one of them differs from 1. Programs that know no size
write 1, and the identity as an affine: in a header without a unit it counts as none. A size outside
0.001 to 1000 mm is an error.

What is written has the orientation and the transforms of the header of the image.
"""

import gzip
import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry
from lggshape.readers.grids import (
    RAS,
    affine_in_ras,
    are_sizes,
    check_affine,
    checked_spacing,
    in_stored_axes,
    orientation_of,
    shape_in_zyx,
    zyx_values,
)
from lggshape.readers.source import MOST_VALUES
from lggshape.readers.unusable import UnusableError, library_reading
from lggshape.readers.volume_format import FileHeader, Grid, VolumeFormat

_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres in the header's unit of length: not named, metre, millimetre, micrometre."""

_UNIT_OF_LENGTH = 7  # the lower three bits of xyzt_units
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_LEVEL = 6  # twice as fast as the best, and nearly as small
_SIZE_TOLERANCE = 0.01
_FORMS = ("sform", "qform")
_PIECE = 2**24  # bytes that are read at once
_MOST_BEFORE, _MOST_AFTER = 2**24, 2**10  # bytes of a file before its values, and after them

# What says where the voxels lie; pixdim's further fields are not of space.
_PLACE = (
    "xyzt_units", "qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y",
    "qoffset_z", "sform_code", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


def load(path: Path) -> tuple[NDArray[np.generic], Geometry]:
    """Read values (Z, Y, X[, C]) and geometry; raises UnusableError for a damaged file."""
    # Imported here because it takes longer than the rest of the readers together.
    import nibabel as nib

    image, pixdim = _open(path)
    affine_known = _has_affine(image.header)
    with _nibabel_reading():
        if affine_known:
            image = nib.as_closest_canonical(image)
        stored = np.asanyarray(image.dataobj)
    geometry = _geometry(image.header, image.affine if affine_known else None, pixdim)
    del image  # it holds the bytes of the file
    return zyx_values(stored), geometry


def describe(path: Path) -> FileHeader:
    """Read what the header of a file says; raises UnusableError for a damaged one."""
    with path.open("rb") as file, _unpacked(file) as stream:
        _, header, _, _ = _read_header(stream)
    stored = tuple(int(side) for side in header["dim"][1 : int(header["dim"][0]) + 1])
    while len(stored) > 3 and stored[-1] == 1:
        stored = stored[:-1]
    if len(stored) not in {3, 4}:
        msg = f"shape {stored} instead of a volume of three axes"
        raise UnusableError(msg)
    pixdim = _pixdim(header)
    orientation, affine = RAS, None
    if _has_affine(header):
        with library_reading():
            affine = np.asarray(header.get_best_affine())
        _check_place(header, affine, pixdim)
        with library_reading():
            orientation = orientation_of(affine)
            affine = affine_in_ras(affine, orientation, stored[:3])
    shape = shape_in_zyx(stored[:3], orientation) + stored[3:]
    return FileHeader(shape, _geometry(header, affine, pixdim), 2 - int(orientation[2, 0]))


def _pixdim(header: Any) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.asarray(header["pixdim"][1:4], dtype=np.float64)


def grid_of(path: Path) -> Grid:
    """Read the grid of a file; raises UnusableError for a damaged one."""
    image, _ = _open(path)
    orientation = RAS
    if _has_affine(image.header):
        with library_reading():
            orientation = orientation_of(image.affine)
    shape = shape_in_zyx(image.shape, orientation)
    return Grid(shape, orientation, image)


def write(path: Path, values: NDArray[np.generic], grid: Grid) -> None:
    """Write values (Z, Y, X) of bool or float32 on a grid, compressed (`.nii.gz`)."""
    stored = in_stored_axes(values, grid.orientation)
    # A new header: the old one may describe what is not here, its number type and scale, or name
    # the patient.
    kind, old = type(grid.stored), grid.stored.header
    header = kind.header_class()
    for field in _PLACE:
        header[field] = old[field]
    header["pixdim"][:4] = old["pixdim"][:4]
    header.set_data_dtype(stored.dtype)
    # Without an affine nibabel leaves the transforms of the header as they are.
    content = kind(stored, None, header).to_bytes()
    path.write_bytes(gzip.compress(content, _GZIP_LEVEL, mtime=0))


FORMAT = VolumeFormat("NIfTI", (".nii.gz", ".nii"), load, grid_of, write, describe=describe)


def _open(path: Path) -> tuple[Any, NDArray[np.float64]]:
    """Open a file; return the nibabel image and the voxel sizes (x, y, z) of its header."""
    with path.open("rb") as file, _unpacked(file) as stream:
        kind, raw, head, promised = _read_header(stream)
        # To the end of the stream, because only that holds the checksum of what was compressed.
        content = _read_up_to(stream, promised + _MOST_AFTER - len(head), head)
    if not promised <= len(content) < promised + _MOST_AFTER:
        found = len(content) if len(content) < promised else "more"
        msg = f"{found} bytes instead of the {promised} that the header promises"
        raise UnusableError(msg)
    pixdim = _pixdim(raw)
    with _nibabel_reading():
        image = kind.from_bytes(content)
    if _has_affine(image.header):
        _check_place(image.header, image.affine, pixdim)
    return image, pixdim


def _read_header(stream: BinaryIO | gzip.GzipFile) -> tuple[Any, Any, bytes, int]:
    """Read a header: its kind, the header as it is, what was read, and the bytes it promises."""
    import nibabel as nib

    head = _read_up_to(stream, nib.Nifti2Header.sizeof_hdr)
    # The first field of the header is its own size, in either byte order.
    size = {int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big")}
    kind: Any
    if nib.Nifti1Header.sizeof_hdr in size:
        kind = nib.Nifti1Image
    elif nib.Nifti2Header.sizeof_hdr in size:
        kind = nib.Nifti2Image
    else:
        msg = "no NIfTI header"
        raise UnusableError(msg)
    # nibabel repairs a bad pixdim with a guess: the sizes are those of the header as it is.
    header = head[: kind.header_class.sizeof_hdr]
    with library_reading():
        raw = kind.header_class(header, check=False)
        value_size = int(raw.get_data_dtype().itemsize)
    return kind, raw, head, _promised_bytes(raw, value_size)


def _geometry(
    header: Any, affine: NDArray[np.float64] | None, pixdim: NDArray[np.float64]
) -> Geometry:
    """Return where voxels lie, by the affine (X, Y, Z) of the canonical axes if there is one."""
    unit = int(header["xyzt_units"]) & _UNIT_OF_LENGTH
    scale = _MILLIMETRES.get(unit, 1.0)
    if affine is not None:
        turned = np.diag([scale, scale, scale, 1.0]) @ affine[:, [2, 1, 0, 3]]
        return Geometry(checked_spacing(np.linalg.norm(turned[:3, :3], axis=0)), turned)
    if are_sizes(pixdim) and (unit or np.any(pixdim != 1)):
        return Geometry(checked_spacing(pixdim[::-1] * scale))
    return Geometry()


def _check_place(header: Any, affine: NDArray[np.float64], pixdim: NDArray[np.float64]) -> None:
    """Refuse a header whose affine or voxel sizes are none."""
    if int(header["sform_code"]) <= 0 and not are_sizes(pixdim):
        msg = f"pixdim {pixdim.tolist()} instead of positive voxel sizes"
        raise UnusableError(msg)
    check_affine(affine)
    _check_sizes(header, pixdim)


@contextmanager
def _unpacked(file: BinaryIO) -> Iterator[BinaryIO | gzip.GzipFile]:
    """Open what a file holds, compressed or not."""
    compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    file.seek(0)
    if compressed:
        with gzip.GzipFile(fileobj=file) as stream:
            yield stream
    else:
        yield file


def _promised_bytes(header: Any, value_size: int) -> int:
    """Return how many bytes the file has to have by its header; refuse impossible sizes."""
    axes = int(header["dim"][0])
    shape = tuple(int(side) for side in header["dim"][1 : axes + 1])
    if not 1 <= axes == len(shape) or min(shape) < 1 or math.prod(shape) > MOST_VALUES:
        msg = f"{axes} axes of the sizes {shape}, at most {MOST_VALUES} values expected"
        raise UnusableError(msg)
    offset = float(header["vox_offset"])
    if not abs(offset) <= _MOST_BEFORE:  # a NaN is refused as well
        msg = f"values from byte {offset:.0f} on, at most {_MOST_BEFORE} expected"
        raise UnusableError(msg)
    return max(int(offset), int(header.sizeof_hdr)) + math.prod(shape) * value_size


def _read_up_to(stream: BinaryIO | gzip.GzipFile, size: int, head: bytes = b"") -> bytes:
    """Read at most so many bytes after a head, without room being made for more than there are."""
    # Not a list of pieces: joined they would be in memory twice, and leave it in pieces.
    content = BytesIO()
    content.write(head)
    with library_reading():
        while size > 0 and (part := stream.read(min(size, _PIECE))):
            content.write(part)
            size -= len(part)
    return content.getvalue()


def _has_affine(header: Any) -> bool:
    """Test whether a header says where the voxels lie.

    The identity without a unit is what programs write that know nothing.
    """
    forms = [_form(header, name) for name in _FORMS]
    known = [form for form in forms if form is not None]
    unit = int(header["xyzt_units"]) & _UNIT_OF_LENGTH
    return bool(unit and known) or any(not np.array_equal(form, np.eye(4)) for form in known)


def _form(header: Any, name: str) -> NDArray[np.float64] | None:
    """Return the sform or the qform of a header; None if it has none, or one of no numbers."""
    if int(header[f"{name}_code"]) <= 0:
        return None
    try:
        with library_reading():
            return np.asarray(getattr(header, f"get_{name}")(), dtype=np.float64)
    except UnusableError:
        return np.full((4, 4), np.nan)


def _check_sizes(header: Any, pixdim: NDArray[np.float64]) -> None:
    """Refuse voxel sizes that contradict each other."""
    sform = _form(header, "sform")
    says_nothing = not header["xyzt_units"] and np.all(pixdim == 1) and header["qform_code"] <= 0
    if sform is None or not are_sizes(pixdim) or says_nothing:
        return
    sizes = np.linalg.norm(sform[:3, :3], axis=0)
    if not np.allclose(sizes, pixdim, rtol=_SIZE_TOLERANCE, atol=0):
        other = "qform (pixdim)" if int(header["qform_code"]) > 0 else "pixdim"
        one, two = (" x ".join(f"{size:.4g}" for size in each) for each in (sizes, pixdim))
        msg = (
            f"voxels of {one} by the sform and of {two} by the {other} (x, y, z), which contradict "
            "each other; write the true sizes to both"
        )
        raise UnusableError(msg)


@contextmanager
def _nibabel_reading() -> Iterator[None]:
    """Raise UnusableError for what nibabel raises; silence what it writes about headers."""
    logger = logging.getLogger("nibabel.global")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(action="ignore"), library_reading():
            yield
    finally:
        logger.disabled = disabled
