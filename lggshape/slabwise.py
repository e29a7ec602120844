"""Percentiles and components of volumes, computed slab by slab.

As 32-bit numbers or labels, all of a volume of 1,000 slices of 512 x 512 pixels takes a gigabyte,
and libraries make several copies. Here a few slices are in memory at a time. Volumes of usual size
are one slab.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lggshape.masks import Mask, find_components

_VOXELS = 2**25
"""Voxels of a slab. An image of the head of 1 mm has half as many."""


class Sliced(Protocol):
    """A volume of which some slices are asked for at a time, such as an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape (Z, Y, X)."""

    def __getitem__(self, part: slice, /) -> NDArray[np.floating]:
        """Return some slices."""


def slabs_of(shape: tuple[int, ...]) -> list[slice]:
    """Return the slices of each slab of a volume of a shape (Z, Y, X).

    Examples
    --------
    >>> slabs_of((155, 240, 240))
    [slice(0, 155, None)]
    """
    each = max(1, _VOXELS // math.prod(shape[1:]))
    return [slice(start, min(start + each, shape[0])) for start in range(0, shape[0], each)]


def high_percentile(slabs: Sequence[NDArray[np.generic]], percent: float) -> float:
    """Return a percentile of a volume as 32-bit numbers, which leaves it as it is.

    Parameters
    ----------
    slabs : sequence of ndarray of shape (Z, Y, X)
        Its finite numbers.
    percent : float
        Which percentile; the higher, the less memory it takes.

    Returns
    -------
    float
        What `numpy.percentile` returns of all, which would take a copy of them.

    Examples
    --------
    >>> high_percentile([np.arange(101).reshape(101, 1, 1)], 99.5)
    99.5
    """
    size = sum(slab.size for slab in slabs)
    place = (size - 1) * (percent / 100)
    below = math.floor(place)
    kept = size - below
    highest = np.empty(0, dtype=np.float32)
    for slab in slabs:
        new = slab.astype(np.float32, copy=False).ravel()
        if len(highest) == kept:
            new = new[new > highest[0]]
        highest = np.concatenate([highest, new])
        first = max(0, len(highest) - kept)
        highest.partition(first)  # then the lowest that is kept comes first
        highest = highest[first:].copy()
    highest.partition(min(1, kept - 1))
    return float(np.quantile(highest[:2], place - below))


class SlabComponents:
    """The 6-connected components of a mask, in the order of slices, rows and columns.

    Parameters
    ----------
    inside : ndarray of bool, shape (Z, Y, X)
        The mask.

    Attributes
    ----------
    number : int
        How many components there are.

    Examples
    --------
    >>> components = SlabComponents(np.array([[[True, False, True, True]]]))
    >>> components.number, components.largest().astype(int).tolist()
    (2, [[[0, 0, 1, 1]]])
    """

    def __init__(self, inside: NDArray[np.bool_]) -> None:
        self._inside = inside
        self._parts = slabs_of(inside.shape)
        self._whole: NDArray[np.int32] | None = None
        if len(self._parts) == 1:
            self._whole, self.number = find_components(inside)
        else:
            self._numbers = self._joined()
            self.number = max(int(one.max()) for one in self._numbers)

    def weights(self, values: Sliced) -> NDArray[np.float64]:
        """Return the summed values (Z, Y, X) of each component, after a 0 for what is outside."""
        sums = np.zeros(self.number + 1)
        for part, labels in self._labels():
            inside = self._inside[part]
            # In 64 bits, whatever the type of the values.
            weights = values[part][inside].astype(np.float64)
            sums += np.bincount(labels[inside], weights, minlength=len(sums))
        return sums

    def heaviest(self, values: Sliced) -> Mask:
        """Return the component of the largest sum of values; the first of several such."""
        return self._inside if self.number < 2 else self._only(self.weights(values))

    def largest(self) -> Mask:
        """Return the component of most voxels; the first of several such."""
        if self.number < 2:
            return self._inside
        sizes = np.zeros(self.number + 1, dtype=np.int64)
        for _, labels in self._labels():
            sizes += np.bincount(labels.ravel(), minlength=len(sizes))
        return self._only(sizes)

    def touching(self, columns: Mask) -> Mask:
        """Return the components that hold a voxel of some columns (Y, X) of the volume."""
        touched = np.zeros(self.number + 1, dtype=bool)
        for _, labels in self._labels():
            touched[labels[:, columns]] = True
        touched[0] = False
        return self._chosen(touched)

    def _only(self, weights: NDArray[np.generic]) -> Mask:
        heaviest = np.zeros(len(weights), dtype=bool)
        heaviest[weights[1:].argmax() + 1] = True
        return self._chosen(heaviest)

    def _chosen(self, chosen: NDArray[np.bool_]) -> Mask:
        mask = np.empty_like(self._inside)
        for part, labels in self._labels():
            mask[part] = chosen[labels]
        return mask

    def _labels(self) -> Iterator[tuple[slice, NDArray[np.int32]]]:
        """Yield each slab with the number of the component of each voxel, 0 outside."""
        if self._whole is not None:
            yield self._parts[0], self._whole
            return
        for part, numbers in zip(self._parts, self._numbers, strict=True):
            labels = self._labels_of(part)
            yield part, numbers[labels[: part.stop - part.start]]

    def _labels_of(self, part: slice) -> NDArray[np.int32]:
        """Label a slab and the slice beyond it, through which it is connected with the next."""
        return find_components(self._inside[part.start : part.stop + 1]).labels

    def _joined(self) -> list[NDArray[np.int32]]:
        """Return for each slab the number of the component of each of its labels."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        counts, pairs = [0], [np.empty((2, 0), dtype=np.int64)]
        shared = np.zeros(self._inside.shape[1:], dtype=np.int64)
        for part in self._parts:
            labels = self._labels_of(part)
            here = shared > 0
            pairs.append(np.stack([shared[here], labels[0][here] + counts[-1]]) - 1)
            shared = np.where(labels[-1] > 0, labels[-1] + np.int64(counts[-1]), 0)
            counts.append(counts[-1] + int(labels.max()))
        one, other = np.concatenate(pairs, axis=1)
        links = coo_array((np.ones(len(one), dtype=bool), (one, other)), (counts[-1],) * 2)
        # Components are numbered in the order of their first labels.
        _, joined = connected_components(links, directed=False)
        return [
            np.concatenate([[0], joined[start:stop] + 1]).astype(np.int32)
            for start, stop in pairwise(counts)
        ]
