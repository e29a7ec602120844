"""Volumes fitted to the square grid of a network, and back."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.segmentation.preprocessing.intensities import standardise


class InputConfiguration(Protocol):
    """What a network is shown, as a `NetworkConfiguration` describes it."""

    @property
    def sequences(self) -> tuple[str, ...]:
        """The MR sequences, in the order of the channels. FLAIR is one of them."""

    @property
    def neighbours(self) -> int:
        """How many FLAIR slices below and above the slice are further channels."""

    @property
    def size(self) -> int:
        """Side of the square of pixels that slices are fitted to."""


class Frame(NamedTuple):
    """How the slices of a case lie in the square of a network.

    Attributes
    ----------
    shape : tuple of int
        (Y, X) of the slices as they are stored.
    inner : tuple of int
        (Y, X) of the slices after they were scaled to the square.
    size : int
        Side of the square.
    """

    shape: tuple[int, int]
    inner: tuple[int, int]
    size: int

    @classmethod
    def of(cls, shape: tuple[int, int], size: int) -> "Frame":
        """Fit slices of a shape to a square: the longer side becomes as long as the square's.

        The field of view of a head is about the same in all MR images, so this brings heads to
        about one size whether or not the size of a pixel is known.
        """
        longer = max(shape)
        inner = (max(1, round(shape[0] * size / longer)), max(1, round(shape[1] * size / longer)))
        return cls(shape, inner, size)

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the square where the slice begins."""
        return (self.size - self.inner[0]) // 2, (self.size - self.inner[1]) // 2

    def fit(self, slices: NDArray[np.uint8], *, fill: int | None = None) -> NDArray[np.uint8]:
        """Scale slices (Z, Y, X, C) to the square (Z, size, size, C).

        What lies around a slice gets the value `fill`, by default the lowest of each channel.
        """
        if self.inner != self.shape:
            slices = np.rint(_resized(slices, self.inner)).astype(np.uint8)
        if self.inner == (self.size, self.size):
            return slices
        square = np.empty((len(slices), self.size, self.size, slices.shape[3]), dtype=np.uint8)
        square[:] = slices.min(axis=(0, 1, 2)) if fill is None else fill
        square[self._window] = slices
        return square

    def restore(self, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring values (Z, size, size) back to the slices (Z, Y, X)."""
        slices = squares[self._window]
        if self.inner == self.shape:
            return slices
        return _resized(slices[..., None], self.shape)[..., 0]

    @property
    def _window(self) -> tuple[slice, slice, slice]:
        (row, column), (rows, columns) = self.corner, self.inner
        return slice(None), slice(row, row + rows), slice(column, column + columns)


class Volume(NamedTuple):
    """A case as a network is shown it.

    Attributes
    ----------
    codes : ndarray of uint8, shape (Z, size, size, C)
        Standardised intensities, one channel per sequence.
    frame : Frame
        How the slices lie in the square.
    missing : tuple of str
        The sequences that the case lacks.
    """

    codes: NDArray[np.uint8]
    frame: Frame
    missing: tuple[str, ...]


def prepare_input(case: Case, configuration: InputConfiguration) -> Volume:
    """Standardise the image of a case and fit it to the grid of a network.

    Raises
    ------
    CaseError
        If the case has no image with FLAIR, or one that cannot be scaled.
    """
    codes, missing = standardise(case, configuration.sequences)
    frame = Frame.of((codes.shape[1], codes.shape[2]), configuration.size)
    return Volume(frame.fit(codes), frame, missing)


def with_neighbours(
    codes: NDArray[np.uint8],
    slices: NDArray[np.intp],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    configuration: InputConfiguration,
) -> NDArray[np.uint8]:
    """Gather slices with their neighbouring FLAIR slices as further channels.

    Parameters
    ----------
    codes : ndarray of uint8, shape (N, size, size, C)
        The slices of one volume, or of several one after the other.
    slices : ndarray of int, shape (B,)
        Which slices to gather.
    first, last : ndarray of int, shape (B,)
        The first and the last slice of the volume that each belongs to. Beyond them the outermost
        slice is repeated.
    configuration : InputConfiguration
        Says how many neighbours, and which channel is FLAIR.

    Returns
    -------
    ndarray of uint8, shape (B, size, size, C + 2 * neighbours)
        The sequences, then FLAIR from the lowest neighbour to the highest.
    """
    reach = configuration.neighbours
    if reach == 0:
        return codes[slices]
    flair = configuration.sequences.index(FLAIR)
    offsets = [offset for offset in range(-reach, reach + 1) if offset]
    around = [codes[np.clip(slices + offset, first, last), ..., flair] for offset in offsets]
    return np.concatenate([codes[slices], np.stack(around, axis=-1)], axis=-1)


def _resized(slices: NDArray[np.generic], shape: tuple[int, int]) -> NDArray[np.float32]:
    from skimage.transform import resize

    shrinks = shape[0] < slices.shape[1] or shape[1] < slices.shape[2]
    target = (len(slices), *shape, slices.shape[3])
    resized: NDArray[np.float32] = resize(
        slices.astype(np.float32), target, order=1, mode="edge", anti_aliasing=shrinks
    ).astype(np.float32)
    return resized
