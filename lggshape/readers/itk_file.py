"""NRRD and MetaImage files, as ITK and 3D Slicer write them, each in one file or in two.

They are turned as NIfTI files are, so a converted file gives the same values and the same affine.
The orientation is known where the header tells it: in NRRD a `space` of the patient and `space
directions`, in MetaImage a `TransformMatrix`. Without it the axes are only transposed.

Sizes are in mm unless the header names another unit. Voxels of 1 x 1 x 1 with straight axes, at the
origin, are what programs write that know nothing. So they count as unknown, sizes and orientation,
unless the unit is named.

What is written has the lines of the image's header that say where the voxels lie, word for word.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry
from lggshape.extras import require
from lggshape.readers.grids import (
    RAS,
    check_affine,
    checked_spacing,
    in_stored_axes,
    orientation_of,
    shape_in_zyx,
    turned_to_ras,
    voxel_sizes,
    zyx_values,
)
from lggshape.readers.itk_header import ItkHeader, read_header
from lggshape.readers.unusable import library_reading
from lggshape.readers.volume_format import FileHeader, Grid, VolumeFormat

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_LEVEL = 6  # of the compression


def load(path: Path) -> tuple[NDArray[np.generic], Geometry]:
    """Read values (Z, Y, X[, C]) and geometry; raises UnusableError for a damaged file."""
    return load_with(path, read_header(path))


def load_with(path: Path, header: ItkHeader) -> tuple[NDArray[np.generic], Geometry]:
    """Read values and geometry of a file whose header is read already."""
    with _itk_reading():
        import SimpleITK

        reader = _reader(path)
        image = reader.Execute()
        values = SimpleITK.GetArrayFromImage(image)
    # The axes are in reverse; a pixel of several numbers is the last axis.
    axes = image.GetDimension()
    stored = values.transpose(*range(axes)[::-1], *range(axes, values.ndim))
    turned, geometry = _turned(stored, reader, header)
    return zyx_values(turned), geometry


def describe(path: Path) -> FileHeader:
    """Read what the header of a file says; raises UnusableError for a damaged one."""
    header = read_header(path)
    with _itk_reading():
        reader = _reader(path)
        reader.ReadImageInformation()
    count = reader.GetNumberOfComponents()
    sizes = reader.GetSize() if count == 1 else (*reader.GetSize(), count)
    # An array of this shape that takes no memory.
    turned, geometry = _turned(np.broadcast_to(np.uint8(0), sizes), reader, header)
    orientation = grid_of(path).orientation
    shape = (*turned.shape[2::-1], *turned.shape[3:])
    return FileHeader(shape, geometry, 2 - int(orientation[2, 0]))


def grid_of(path: Path) -> Grid:
    """Read the grid of a file; raises UnusableError for a damaged one."""
    header = read_header(path)
    with _itk_reading():
        reader = _reader(path)
        reader.ReadImageInformation()
    affine, is_said = _affine(reader, header)
    orientation = RAS
    if header.oriented and is_said:
        check_affine(affine)
        orientation = orientation_of(affine)
    size = reader.GetSize()[:3]
    return Grid(shape_in_zyx(size, orientation), orientation, header)


def write_nrrd(path: Path, values: NDArray[np.generic], grid: Grid) -> None:
    """Write values (Z, Y, X) of bool or float32 on the grid of an NRRD file (`.nrrd`)."""
    write_nrrd_with(path, values, grid, [])


def write_nrrd_with(path: Path, values: NDArray[np.generic], grid: Grid, notes: list[str]) -> None:
    """Write an NRRD file whose header has further lines: key-value pairs, as `key:=value`."""
    stored = _stored(values, grid)
    lines = [
        "NRRD0004",
        f"type: {stored.dtype.name.replace('float32', 'float')}",
        "dimension: 3",
        f"sizes: {' '.join(map(str, stored.shape))}",
        *grid.stored.place,
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        *notes,
    ]
    content = gzip.compress(stored.tobytes(order="F"), _LEVEL, mtime=0)
    path.write_bytes("\n".join(lines).encode("latin-1") + b"\n\n" + content)


def write_meta(path: Path, values: NDArray[np.generic], grid: Grid) -> None:
    """Write values (Z, Y, X) of bool or float32 on the grid of a MetaImage file (`.mha`)."""
    stored = _stored(values, grid)
    content = zlib.compress(stored.tobytes(order="F"), _LEVEL)
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(content)}",
        *grid.stored.place,
        f"DimSize = {' '.join(map(str, stored.shape))}",
        f"ElementType = {'MET_UCHAR' if stored.dtype == np.uint8 else 'MET_FLOAT'}",
        "ElementDataFile = LOCAL",
    ]
    path.write_bytes("\n".join(lines).encode("latin-1") + b"\n" + content)


NRRD = VolumeFormat("NRRD", (".nrrd", ".nhdr"), load, grid_of, write_nrrd, describe=describe)
META = VolumeFormat("MetaImage", (".mha", ".mhd"), load, grid_of, write_meta, describe=describe)


def _turned(
    stored: NDArray[np.generic], reader: Any, header: ItkHeader
) -> tuple[NDArray[np.generic], Geometry]:
    """Turn stored axes to the canonical ones, if it is known how they lie."""
    affine, is_said = _affine(reader, header)
    if header.oriented and is_said:
        check_affine(affine)
        stored, affine = turned_to_ras(stored, affine)
        affine = affine[:, [2, 1, 0, 3]]
        return stored, Geometry(checked_spacing(voxel_sizes(affine)), affine)
    if is_said:
        return stored, Geometry(checked_spacing(voxel_sizes(affine)[::-1]))
    return stored, Geometry()


def _reader(path: Path) -> Any:
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    kind = "MetaImageIO" if path.suffix.lower() in META.endings else "NrrdImageIO"
    reader.SetImageIO(kind)
    reader.SetFileName(str(path))
    return reader


def _affine(reader: Any, header: ItkHeader) -> tuple[NDArray[np.float64], bool]:
    """Return the affine of the stored axes in mm, and whether the header says where they lie."""
    axes = reader.GetDimension()
    direction = np.array(reader.GetDirection()).reshape(axes, axes)[:3, :3]
    spacing, origin = np.array(reader.GetSpacing()[:3]), np.array(reader.GetOrigin()[:3])
    straight = np.array_equal(np.abs(direction), np.eye(3)) and not origin.any()
    is_said = bool(header.unit or np.any(spacing != 1) or (header.oriented and not straight))
    affine = np.eye(4)
    unit = header.unit or 1.0
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of a damaged header
        affine[:3, :3], affine[:3, 3] = direction * spacing, origin
        return np.diag([unit, unit, unit, 1.0]) @ _LPS_TO_RAS @ affine, is_said


def _stored(values: NDArray[np.generic], grid: Grid) -> NDArray[np.generic]:
    stored = in_stored_axes(values, grid.orientation)
    return stored.astype(stored.dtype.newbyteorder("<"))


@contextmanager
def _itk_reading() -> Iterator[None]:
    """Raise UnusableError for what SimpleITK raises; silence what it writes about headers."""
    require("SimpleITK", "to read and write NRRD and MetaImage files")
    import SimpleITK

    shown = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        with library_reading():
            yield
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(shown)
