"""Thin slices averaged to slabs for the networks, and values of slabs brought back to the slices.

Networks are trained on slices that lie some millimetres apart. Thinner ones are noisier, and each
of them costs as much as a thick one.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

THICKEST = 3.0
"""The thickest slab that slices are averaged to, in mm."""

_ROUNDING = 1e-6  # 0.1 mm of a header are 0.1000000015
_Number = TypeVar("_Number", bound=np.generic)


class Slabs(NamedTuple):
    """How the slices of a volume are averaged.

    Attributes
    ----------
    slices : int
        Number of slices.
    each : int
        How many of them make a slab. The last slab has what is left.
    """

    slices: int
    each: int = 1

    @classmethod
    def of(cls, slices: int, apart: float | None) -> "Slabs":
        """Make slabs of at most `THICKEST` of slices that lie so far apart (mm; None: unknown).

        Examples
        --------
        >>> Slabs.of(155, 1.0), Slabs.of(30, 5.0)
        (Slabs(slices=155, each=3), Slabs(slices=30, each=1))
        """
        each = 1 if apart is None else int(THICKEST / apart * (1 + _ROUNDING))
        return cls(slices, max(1, each))

    @property
    def number(self) -> int:
        """Number of slabs."""
        return -(-self.slices // self.each)

    def average(self, values: NDArray[_Number]) -> NDArray[_Number] | NDArray[np.float32]:
        """Average values (Z, ...) of slices to those of slabs; as they are if these are slices."""
        if self.each == 1:
            return values
        # What is not finite is refused where the image is standardised.
        with np.errstate(invalid="ignore"):
            sums = np.add.reduceat(values, self._starts, axis=0, dtype=np.float32)
        counts = self._counts.astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
        averaged: NDArray[np.float32] = np.divide(sums, counts, out=sums)
        return averaged

    def restore(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring values (S, ...) of slabs back to slices (Z, ...).

        They are interpolated linearly between the middles of slabs, and constant beyond the
        outermost ones.
        """
        return self.interpolate(values, self.needed(0, self.slices)[1])

    def needed(self, start: int, stop: int) -> tuple[slice, NDArray[np.float64]]:
        """Return which slabs some slices are interpolated between, and their places in these."""
        if self.each == 1:
            return slice(start, stop), np.arange(stop - start, dtype=np.float64)
        middles = self._starts + (self._counts - 1) / 2
        places = np.interp(np.arange(start, stop), middles, np.arange(len(middles)))
        first = int(places[0])
        return slice(first, int(places[-1]) + 2), places - first

    def interpolate(
        self, values: NDArray[np.float32], places: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Interpolate values (S, ...) of slabs linearly at some places (N,)."""
        if self.each == 1:
            return values
        lower = places.astype(np.intp)
        upper = np.minimum(lower + 1, len(values) - 1)
        share = (places - lower).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
        restored: NDArray[np.float32] = values[lower] + share * (values[upper] - values[lower])
        return restored

    @property
    def _starts(self) -> NDArray[np.intp]:
        return np.arange(0, self.slices, self.each)

    @property
    def _counts(self) -> NDArray[np.intp]:
        return np.diff(self._starts, append=self.slices)
