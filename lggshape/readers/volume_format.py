"""What a format of volumes is: how the values of a file and the place of its voxels are read.

Each format has a module of its own, which defines a `VolumeFormat`, and a line in the registry of
`lggshape.readers.formats`. A layout says which files belong to a case, and a format what is in one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Geometry
from lggshape.readers.naming import UNNAMED
from lggshape.regions import Values


class Grid(NamedTuple):
    """The grid of a file, to write other values on it.

    Attributes
    ----------
    shape : tuple of int
        Shape (Z, Y, X), as `VolumeFormat.load` returns it.
    orientation : ndarray of shape (3, 2)
        To which axis each stored axis (X, Y, Z) runs, and in which direction, in nibabel's form.
    stored : object
        What else the format needs to write a file on this grid, such as its header.
    """

    shape: tuple[int, ...]
    orientation: NDArray[np.float64]
    stored: Any


class FileHeader(NamedTuple):
    """What the header of a file says.

    Attributes
    ----------
    shape : tuple of int
        Shape (Z, Y, X[, C]) of the values, as `VolumeFormat.load` returns them.
    geometry : Geometry
        Where the voxels lie, as `VolumeFormat.load` returns it.
    slice_axis : int
        Which of the axes (Z, Y, X) slices were stacked along when they were stored.
    """

    shape: tuple[int, ...]
    geometry: Geometry
    slice_axis: int = 0


@dataclass(frozen=True)
class VolumeFormat:
    """A format of files that hold volumes.

    Attributes
    ----------
    name : str
        What messages call it.
    endings : tuple of str
        The endings of its files in lower case, the one that is written first.
    load : callable
        Takes the path of a file, and returns its values (Z, Y, X[, C]) and their `Geometry`. Raises
        `UnusableError` for a file that is damaged, or that contradicts itself.
    grid_of : callable
        Takes the path of a file, and returns its `Grid`. Raises `UnusableError`.
    write : callable
        Takes a path, values (Z, Y, X) of bool or float32 in the axes of `load`, and the `Grid` they
        lie on, and writes a file. Bool is stored as 0 and 1 of 8 bits. The same values on the same
        grid give the same bytes.
    role : str
        The role of all files of the format, whatever their names say; `UNNAMED` if they have any.
    describe : callable, optional
        Takes the path of a file, and returns what its header says (`FileHeader`) without reading
        its values. Raises `UnusableError`. Without it, the values are read for that.
    names_of : callable, optional
        Takes the path of a mask, and returns the names of its values, as far as it tells any.
        Raises `UnusableError`.
    """

    name: str
    endings: tuple[str, ...]
    load: Callable[[Path], tuple[NDArray[np.generic], Geometry]]
    grid_of: Callable[[Path], Grid]
    write: Callable[[Path, NDArray[np.generic], Grid], None]
    role: str = UNNAMED
    describe: Callable[[Path], FileHeader] | None = None
    names_of: Callable[[Path], dict[str, Values]] | None = None
