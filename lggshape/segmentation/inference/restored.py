"""Values on the grid of the networks, brought back to the grid of the case when they are needed."""

import numpy as np
from numpy.typing import NDArray

from lggshape.segmentation.preprocessing.frame import Frame
from lggshape.segmentation.preprocessing.slabs import Slabs
from lggshape.slabwise import slabs_of


class Restored:
    """Values between 0 and 1 on the grid of a case, which are computed some slices at a time.

    On the grid of the networks they take much less memory.

    Parameters
    ----------
    values : ndarray of float32, shape (S, size, size)
        The values on the grid of the networks.
    frame : Frame
        How the slices lie in the square.
    slabs : Slabs
        How the slices were averaged.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X).
    """

    def __init__(self, values: NDArray[np.float32], frame: Frame, slabs: Slabs) -> None:
        self.shape = (slabs.slices, *frame.shape)
        self._values, self._frame, self._slabs = values, frame, slabs
        self._limits = frame.limits_of(values)
        self._last: tuple[slice, NDArray[np.float32]] | None = None

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        """Return some slices; the last ones are kept for the next call."""
        if self._last is None or self._last[0] != part:
            start, stop, _ = part.indices(self.shape[0])
            needed, places = self._slabs.needed(start, stop)
            slabs = self._frame.restore(self._values[needed], limits=self._limits)
            restored = self._slabs.interpolate(slabs, places)
            self._last = part, np.clip(restored, 0, 1, out=restored)
        return self._last[1]

    def whole(self) -> NDArray[np.float32]:
        """Return all slices."""
        parts = slabs_of(self.shape)
        if len(parts) == 1:
            return self[parts[0]]
        whole = np.empty(self.shape, dtype=np.float32)
        for part in parts:
            whole[part] = self[part]
        return whole
