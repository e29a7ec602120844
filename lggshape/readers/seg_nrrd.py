"""Masks and maps of any case for 3D Slicer: `.seg.nrrd` files with names and colours, and `.nrrd`.

The axes are those of the arrays, and their place is in right-anterior-superior millimetres. Without
an affine the voxel sizes alone are stored.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry
from lggshape.readers.naming import MAPS, MASK
from lggshape.readers.volume_format import Grid

FORM: Literal["seg.nrrd"] = "seg.nrrd"
"""What the option calls it."""


def file_name(case: str, kind: str) -> str:
    """Return the file of a mask or map of a case.

    Examples
    --------
    >>> file_name("P7", "mask"), file_name("P7", "entropy")
    ('P7_mask.seg.nrrd', 'P7_entropy.nrrd')
    """
    return f"{case}_{kind}.{FORM if kind == MASK else 'nrrd'}"


def file_places(case: str) -> list[str]:
    """Return the files that masks and maps of a case can be, that of the mask first."""
    return [file_name(case, kind) for kind in (MASK, *MAPS)]


def written(folder: Path, case: str) -> list[str]:
    """Return the masks and maps of a case that lie in a folder, as `Layout.written` does."""
    return [name for name in file_places(case) if (folder / name).is_file()]


def write_volumes(
    folder: Path, case: str, volumes: Mapping[str, NDArray[np.generic]], geometry: Geometry
) -> list[str]:
    """Write masks and maps of a case; the same values give the same bytes.

    Parameters
    ----------
    folder : Path
        Where to write.
    case : str
        Name of the case.
    volumes : mapping of str to ndarray of shape (Z, Y, X)
        Bool for a mask, float32 for a map.
    geometry : Geometry
        Where the voxels lie.

    Returns
    -------
    list of str
        The names of the files.
    """
    # Imported here because these modules import that of the sources of cases, which imports this.
    from lggshape.readers import itk_file, slicer_file
    from lggshape.readers.grids import RAS

    grid = Grid(next(iter(volumes.values())).shape, RAS, _Place(_grid_lines(geometry)))
    names = []
    for kind, values in volumes.items():
        name = file_name(case, kind)
        write = slicer_file.write if kind == MASK else itk_file.write_nrrd
        write(folder / name, values, grid)
        names.append(name)
    return names


class _Place(NamedTuple):
    """The lines of a header that say where the voxels lie, as `itk_file` takes them."""

    place: list[str]


def _grid_lines(geometry: Geometry) -> list[str]:
    units = '"mm" "mm" "mm"'
    if geometry.affine is not None:
        directions = geometry.affine[:3, [2, 1, 0]].T
        return [
            "space: right-anterior-superior",
            f"space directions: {' '.join(_vector(one) for one in directions)}",
            f"space origin: {_vector(geometry.affine[:3, 3])}",
            f"space units: {units}",
        ]
    if geometry.spacing is not None:
        sizes = " ".join(_number(size) for size in reversed(geometry.spacing))
        return [f"spacings: {sizes}", f"units: {units}"]
    return []


def _vector(values: NDArray[np.float64]) -> str:
    return f"({','.join(_number(value) for value in values)})"


def _number(value: float) -> str:
    # Adding 0 makes -0 a 0.
    return repr(float(value) + 0.0)
