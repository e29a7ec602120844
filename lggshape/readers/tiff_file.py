"""TIFF files: what they promise is checked before they are decoded, and volumes of several pages.

A volume has a page (Y, X) or (Y, X, 3) per slice, in their order. The metadata of OME and of ImageJ
tell the voxel sizes if they name all three in mm or µm; otherwise the spacing is unknown. Nothing
tells the orientation. A file of one page is no volume: slices lie in a folder that is named like
their case (`lggshape.readers.slice_folders`).

What is written has pages too, and the spacing of the image in the form of ImageJ.
"""

import logging
import math
import operator
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from lggshape.case import Geometry
from lggshape.readers.grids import RAS, are_sizes, checked_spacing
from lggshape.readers.listing import check_regular
from lggshape.readers.source import MOST_VALUES
from lggshape.readers.unusable import UnusableError, library_reading
from lggshape.readers.volume_format import FileHeader, Grid, VolumeFormat

_MOST_IN_SLICE = 2**26  # values: 8192 x 8192

_MILLIMETRES = {
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1.0),
    **dict.fromkeys(("um", "µm", "μm", "\\u00B5m", "micron", "microns", "micrometer"), 1e-3),
}
"""Millimetres in the units of OME and ImageJ."""

_VOLUMES = {"ZYX", "IYX", "QYX", "ZYXS", "IYXS", "QYXS"}
"""The axes of a volume, as tifffile names them; I and Q are pages of which nothing more is said."""


def load(path: Path) -> tuple[NDArray[np.generic], Geometry]:
    """Read values (Z, Y, X[, 3]) and geometry; raises UnusableError for a damaged file."""
    with open_tiff(path) as (tiff, complaints):
        shape, geometry = _volume(tiff)
        with library_reading():
            values = np.stack([page.asarray(maxworkers=1) for page in tiff.pages])
        if complaints:
            raise UnusableError(complaints[0])
    if values.shape != shape or values.dtype.kind not in "biuf":
        msg = f"pages of {values.dtype} and shape {values.shape} instead of numbers of {shape}"
        raise UnusableError(msg)
    return values, geometry


def grid_of(path: Path) -> Grid:
    """Read the grid of a file; raises UnusableError for a damaged one."""
    with open_tiff(path) as (tiff, _):
        shape, geometry = _volume(tiff)
    return Grid(shape[:3], RAS, geometry.spacing)


def write(path: Path, values: NDArray[np.generic], grid: Grid) -> None:
    """Write values (Z, Y, X) of bool or float32 on a grid, a page per slice; bool as 0 and 255."""
    stored = np.where(values, np.uint8(255), np.uint8(0)) if values.dtype == bool else values
    write_volume(path, stored, grid.stored)


def write_volume(
    path: Path, values: NDArray[np.generic], spacing: tuple[float, float, float] | None
) -> None:
    """Write values (Z, Y, X) or (Z, Y, X, 3) with a page per slice, and the spacing if known.

    Parameters
    ----------
    path : Path
        The file.
    values : ndarray
        Numbers of 8 or 16 bits, or 32-bit floats; colours of 8 bits.
    spacing : tuple of float, optional
        Distances (z, y, x) in mm.
    """
    sizes: dict[str, Any] = {"metadata": None}
    if spacing is not None:
        axes = "ZYXS" if values.ndim == 4 else "ZYX"
        sizes = {
            "imagej": True,
            "resolution": (1 / spacing[2], 1 / spacing[1]),
            "metadata": {"axes": axes, "spacing": spacing[0], "unit": "mm"},
        }
    photometric = "rgb" if values.ndim == 4 else "minisblack"
    tifffile.imwrite(path, values, photometric=photometric, compression="zlib", **sizes)


def describe(path: Path) -> FileHeader:
    """Read what the header of a file says; raises UnusableError for a damaged one."""
    with open_tiff(path) as (tiff, _):
        return FileHeader(*_volume(tiff))


FORMAT = VolumeFormat("TIFF", (".tif", ".tiff"), load, grid_of, write, describe=describe)


@contextmanager
def open_tiff(path: Path) -> Iterator[tuple[tifffile.TiffFile, list[str]]]:
    """Open a file; collect what tifffile logs as an error instead of showing it.

    Yields
    ------
    tiff : TiffFile
        The file.
    complaints : list of str
        What tifffile says is wrong with it, as it says it.

    Raises
    ------
    UnusableError
        If it is no regular file, or no TIFF file.
    """
    with _quiet_tifffile() as complaints:
        with library_reading():
            check_regular(path)
            tiff = tifffile.TiffFile(path)
        with tiff:
            yield tiff, complaints


def check_page(page: Any) -> tuple[int, ...]:
    """Return the shape of a page; refuse absurd sizes, missing parts, and where 0 is white.

    tifffile makes room for what is promised, and fills what is missing with zeros.
    """
    with library_reading():
        shape, chunks, sizes = page.shape, page.chunked, page.databytecounts
        shape, chunks = (tuple(map(operator.index, one)) for one in (shape, chunks))
    if not 0 < math.prod(shape) <= _MOST_IN_SLICE:
        msg = f"shape {shape}, at most {_MOST_IN_SLICE} values expected"
        raise UnusableError(msg)
    if len(sizes) != math.prod(chunks) or not all(sizes):
        msg = f"shape {shape}, of which parts are missing"
        raise UnusableError(msg)
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        # Stored values run against the intensity, and some programs mean the stored values: a mask
        # of one bit that Python wrote would be inverted, and one of a drawing program would not.
        msg = "miniswhite: 0 is white, and the values may be inverted; store it with 0 as black"
        raise UnusableError(msg)
    return shape


def _volume(tiff: tifffile.TiffFile) -> tuple[tuple[int, ...], Geometry]:
    """Return the shape (Z, Y, X[, 3]) that a file promises, and its geometry."""
    with library_reading():
        pages = len(tiff.pages)
    if pages == 1:
        msg = (
            "one page; a volume has a page per slice, and single slices lie in a folder that is "
            "named like their case, <case>/<case>_<n>.tif"
        )
        raise UnusableError(msg)
    if pages > MOST_VALUES // 2**10:
        msg = f"{pages} pages"
        raise UnusableError(msg)
    with library_reading():
        every: list[Any] = list(tiff.pages)
    if not every:
        raise UnusableError("no page")
    shapes = {check_page(page) for page in every}
    with library_reading():
        axes = [series.axes for series in tiff.series]
        photometrics = {page.photometric for page in every}
    shape = shapes.pop()
    if (
        shapes
        or len(axes) != 1
        or axes[0] not in _VOLUMES
        or pages * math.prod(shape) > MOST_VALUES
    ):
        msg = f"{pages} pages of axes {' and '.join(axes)} instead of slices of one shape"
        raise UnusableError(msg)
    if len(shape) != 2 and shape[2:] != (3,):
        msg = f"slices of shape {shape} instead of (Y, X) or (Y, X, 3)"
        raise UnusableError(msg)
    if tifffile.PHOTOMETRIC.PALETTE in photometrics:
        msg = "palette instead of intensities"
        raise UnusableError(msg)
    return (pages, *shape), Geometry(_spacing(tiff))


def _spacing(tiff: tifffile.TiffFile) -> tuple[float, float, float] | None:
    """Return the spacing that the metadata of OME or ImageJ tell; None if they do not."""
    with library_reading():
        sizes = _ome_sizes(str(tiff.ome_metadata)) if tiff.is_ome else _imagej_sizes(tiff)
    if sizes is None or not are_sizes(np.array(sizes)):
        return None
    return checked_spacing(np.array(sizes))


def _ome_sizes(metadata: str) -> tuple[float, float, float] | None:
    pixels = ElementTree.fromstring(metadata).find(".//{*}Pixels")
    if pixels is None:
        return None
    sizes = []
    for axis in "ZYX":
        size = pixels.get(f"PhysicalSize{axis}")
        unit = _MILLIMETRES.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        if size is None or unit is None:
            return None
        sizes.append(float(size) * unit)
    return sizes[0], sizes[1], sizes[2]


def _imagej_sizes(tiff: tifffile.TiffFile) -> tuple[float, float, float] | None:
    metadata, tags = tiff.imagej_metadata or {}, tiff.pages.first.tags
    unit = _MILLIMETRES.get(str(metadata.get("unit")))
    resolutions = [tags.valueof(f"{axis}Resolution") for axis in "YX"]
    if unit is None or "spacing" not in metadata or not all(map(any, resolutions)):
        return None
    # Pixels per unit, as a fraction.
    y, x = (below / above for above, below in resolutions)
    return float(metadata["spacing"]) * unit, y * unit, x * unit


_READING_LOCK = threading.Lock()
_READING: list[logging.Handler] = []
_PROPAGATED: list[bool] = []


@contextmanager
def _quiet_tifffile() -> Iterator[list[str]]:
    """Collect what tifffile logs as an error instead of showing it; drop its warnings."""
    complaints: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complaints.append(record.getMessage())

    logger = logging.getLogger("tifffile")
    collector = Collector(level=logging.ERROR)
    # Threads read at the same time: only the last to end may let the logger speak again.
    with _READING_LOCK:
        if not _READING:
            _PROPAGATED[:] = [logger.propagate]
        _READING.append(collector)
        logger.propagate = False
        logger.addHandler(collector)
    try:
        yield complaints
    finally:
        with _READING_LOCK:
            logger.removeHandler(collector)
            _READING.remove(collector)
            if not _READING:
                logger.propagate = _PROPAGATED[0]
