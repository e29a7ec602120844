"""Slices fitted to the square of a network, and back."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

FIELD_OF_VIEW = 240.0
"""Side of the square that networks are shown, in mm, where the size of a pixel is known.

The pixel size of the slices that the bundled networks were trained on is not stored. With pixels of
240 / 256 mm the median head of every sixth case is 154 mm wide and 191 mm long, as adults' are."""

_TAIL = 0.005  # of the head's voxels, on each side, that do not count for its place
_ROUNDING = 1e-6  # 0.1 mm of a header are 0.1000000015
_COARSE = 1.1  # pixels of the network
_AT_ONCE = 128  # slices that are resized together
_ALL = (slice(None), slice(None))
_Number = TypeVar("_Number", bound=np.generic)

Limits = tuple[NDArray[np.generic], NDArray[np.generic]]
"""The lowest and the highest value of each channel."""


class Frame(NamedTuple):
    """How the slices of a case lie in the square of a network.

    Attributes
    ----------
    shape : tuple of int
        (Y, X) of the slices as they are stored.
    inner : tuple of int
        (Y, X) of what is shown of the slices, after it was scaled to the square.
    size : int
        Side of the square.
    shown : tuple of slice
        The rows and columns of the slices that are shown.
    cubic : bool
        Whether pixels are interpolated by cubic splines and not linearly.
    turned : bool
        Whether rows are shown from the last to the first, and columns as well. The networks were
        trained on slices with rows from front to back and columns from right to left, and volumes
        of known orientation are stored the other way round. `inner` and `shown` are of the turned
        slices.
    """

    shape: tuple[int, int]
    inner: tuple[int, int]
    size: int
    shown: tuple[slice, slice] = _ALL
    cubic: bool = False
    turned: bool = False

    @classmethod
    def of(cls, shape: tuple[int, int], size: int) -> "Frame":
        """Fit slices of a shape to a square: the longer side becomes as long as the square's.

        The field of view of a head is about the same in all MR images, so this brings heads to
        about one size where the size of a pixel is not known.
        """
        longer = max(shape)
        inner = (max(1, round(shape[0] * size / longer)), max(1, round(shape[1] * size / longer)))
        return cls(shape, inner, size)

    @classmethod
    def with_pixels(cls, shape: tuple[int, int], size: int, pixel: tuple[float, float]) -> "Frame":
        """Fit slices to a square of `FIELD_OF_VIEW`, given the sides (Y, X) of a pixel in mm.

        A smaller field is padded; of a larger one the middle is shown, see `around`. Pixels that
        are clearly coarser than those of the network are interpolated by cubic splines: linear
        interpolation would blur them further, and the networks were trained on sharp slices.
        """
        inner, shown = [], []
        for stored, mm in zip(shape, pixel, strict=True):
            most = max(1, int(FIELD_OF_VIEW / mm * (1 + _ROUNDING)))
            start = max(0, (stored - most) // 2)
            shown.append(slice(start, start + most) if stored > most else slice(None))
            length = round(min(stored, most) * mm * size / FIELD_OF_VIEW)
            inner.append(min(size, max(1, length)))
        cubic = max(pixel) * size / FIELD_OF_VIEW > _COARSE
        return cls(shape, (inner[0], inner[1]), size, (shown[0], shown[1]), cubic)

    def around(self, inside: NDArray[np.bool_]) -> "Frame":
        """Show the part of the slices around what is inside a mask (Z, Y, X) of them.

        It is as large as before, and moves only along sides that are not shown as a whole.
        """
        shown = list(self.shown)
        for axis, (stored, part) in enumerate(zip(self.shape, self.shown, strict=True)):
            counts = self._turn(inside).sum(axis=(0, 2 - axis))
            if part == slice(None) or not counts.any():
                continue
            # Not the ends: a few voxels of noise may lie far from the head.
            shares = np.cumsum(counts) / counts.sum()
            low, high = np.searchsorted(shares, (_TAIL, 1 - _TAIL))
            length = part.stop - part.start
            start = min(max(0, (int(low + high) + 1 - length) // 2), stored - length)
            shown[axis] = slice(start, start + length)
        return self._replace(shown=(shown[0], shown[1]))

    @property
    def is_cut(self) -> bool:
        """Whether only a part of the slices is shown."""
        return self.shown != _ALL

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the square where the slice begins."""
        return (self.size - self.inner[0]) // 2, (self.size - self.inner[1]) // 2

    def fit(self, slices: NDArray[np.uint8], *, fill: int | None = None) -> NDArray[np.uint8]:
        """Scale slices (Z, Y, X, C) to the square (Z, size, size, C).

        What lies around a slice gets the value `fill`, by default the lowest of each channel.
        """
        slices = self._turn(slices)[:, *self.shown]
        if self.inner != slices.shape[1:3]:
            resized = np.empty((len(slices), *self.inner, slices.shape[3]), dtype=np.uint8)
            limits = slices.min(axis=(0, 1, 2)), slices.max(axis=(0, 1, 2))
            order = 3 if self.cubic else 1
            for part, values in _resized(slices, self.inner, order=order, limits=limits):
                resized[part] = np.rint(values)
            slices = resized
        if self.inner == (self.size, self.size):
            return slices
        square = np.empty((len(slices), self.size, self.size, slices.shape[3]), dtype=np.uint8)
        square[:] = slices.min(axis=(0, 1, 2)) if fill is None else fill
        square[self._window] = slices
        return square

    def limits_of(self, squares: NDArray[np.float32]) -> Limits:
        """Return the lowest and the highest of the values (Z, size, size) in the slices."""
        slices = squares[self._window]
        return slices.min(keepdims=True)[0, 0], slices.max(keepdims=True)[0, 0]

    def restore(
        self, squares: NDArray[np.float32], *, limits: Limits | None = None
    ) -> NDArray[np.float32]:
        """Bring values (Z, size, size) back to the slices (Z, Y, X); 0 where nothing was shown.

        Of some slices of a volume, `limits` are those of all.
        """
        slices = squares[self._window]
        rows, columns = (
            len(range(stored)[part]) for stored, part in zip(self.shape, self.shown, strict=True)
        )
        whole = np.zeros((len(slices), *self.shape), dtype=slices.dtype)
        if self.inner == (rows, columns):
            whole[:, *self.shown] = slices
        else:
            limits = limits or self.limits_of(squares)
            for part, values in _resized(
                slices[..., None], (rows, columns), order=1, limits=limits
            ):
                whole[part, *self.shown] = values[..., 0]
        return self._turn(whole)

    def _turn(self, slices: NDArray[_Number]) -> NDArray[_Number]:
        """Turn slices (Z, Y, X[, C]) by half a turn, there or back, if they are shown so."""
        return slices[:, ::-1, ::-1] if self.turned else slices

    @property
    def _window(self) -> tuple[slice, slice, slice]:
        (row, column), (rows, columns) = self.corner, self.inner
        return slice(None), slice(row, row + rows), slice(column, column + columns)


def _resized(
    slices: NDArray[np.generic], shape: tuple[int, int], *, order: int, limits: Limits
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Resize (Z, Y, X, C) by splines of an order, within the limits of each channel.

    They are linear in the values and work along one axis after the other: two products with
    matrices, many times as fast as interpolating in four dimensions. As numbers of 32 bits, all of
    a large volume would take several times its memory: yielded are some slices after the other.
    """
    rows, columns = (
        _spline_matrix(stored, inner, order)
        for stored, inner in zip(slices.shape[1:3], shape, strict=True)
    )
    for start in range(0, len(slices), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        values = np.tensordot(rows, slices[part].astype(np.float32), (1, 1))
        resized = np.tensordot(columns, values, (1, 2)).transpose(2, 1, 0, 3)
        yield part, np.clip(resized, *limits, dtype=np.float32, order="C")


def _spline_matrix(stored: int, inner: int, order: int) -> NDArray[np.float32]:
    """Return the matrix (inner, stored) that resizes a row of pixels."""
    from skimage.transform import resize

    matrix: NDArray[np.float32] = resize(
        np.eye(stored, dtype=np.float32),
        (inner, stored),
        order=order,
        mode="edge",
        anti_aliasing=inner < stored,
        clip=False,
    ).astype(np.float32)
    return matrix
