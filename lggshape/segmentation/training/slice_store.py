"""The slices of many cases in memory, and the batches of an epoch."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.training.training_cases import TrainingCase

Indices = NDArray[np.intp]


class SliceStore:
    """The slices of some cases, one after the other, as bytes.

    Attributes
    ----------
    codes : ndarray of uint8, shape (N, size, size, C)
        Standardised intensities.
    masks : ndarray of uint8, shape (N, size, size)
        1 inside the tumour.
    with_tumour, without_tumour : ndarray of int
        Places of the slices.

    Parameters
    ----------
    cases : sequence of TrainingCase
        At least one, all of one grid.
    configuration : NetworkConfiguration
        Says which neighbours a slice is shown with.

    Raises
    ------
    InputError
        If no slice has a tumour.
    """

    def __init__(self, cases: Sequence[TrainingCase], configuration: NetworkConfiguration) -> None:
        self.configuration = configuration
        self.codes = np.concatenate([case.codes for case in cases])
        self.masks = np.concatenate([case.mask for case in cases])
        lengths = np.array([len(case.codes) for case in cases])
        ends = np.cumsum(lengths)
        self._first: Indices = np.repeat(ends - lengths, lengths)
        self._last: Indices = np.repeat(ends - 1, lengths)
        touched = self.masks.any(axis=(1, 2))
        self.with_tumour: Indices = np.flatnonzero(touched)
        self.without_tumour: Indices = np.flatnonzero(~touched)
        if not touched.any():
            msg = f"Expected tumour in the masks to train on, found none in {len(cases)} cases."
            raise InputError(msg)

    def with_neighbours(self, slices: Indices) -> NDArray[np.int32]:
        """Return the places of slices (B,) and, in order, of their neighbours: (B, 1 + neighbours).

        The neighbours of a case's first and last slice are these themselves.
        """
        reach = self.configuration.neighbours
        offsets = [0, *(offset for offset in range(-reach, reach + 1) if offset)]
        around = slices[:, None] + np.array(offsets)
        within: Indices = np.clip(around, self._first[slices, None], self._last[slices, None])
        return within.astype(np.int32)

    def epoch_length(self, *, batch: int, empty_slices: float) -> int:
        """Return the number of batches of an epoch; the last one is filled up."""
        return -(-(len(self.with_tumour) + self._empty(empty_slices)) // batch)

    def _empty(self, empty_slices: float) -> int:
        return min(len(self.without_tumour), round(empty_slices * len(self.with_tumour)))

    def epoch(
        self, seed: Sequence[int], number: int, *, batch: int, empty_slices: float
    ) -> Iterator[Indices]:
        """Yield the slices of an epoch in batches.

        All slices with tumour come in every epoch. The slices without take turns: an epoch goes on
        where the one before ended, so that none is left out for long. What is missing in the last
        batch are slices of the same epoch again.

        Parameters
        ----------
        seed : sequence of int
            Seed of the order.
        number : int
            Number of the epoch, from 0.
        batch : int
            Slices per batch.
        empty_slices : float
            Slices without tumour for each slice with tumour.

        Yields
        ------
        ndarray of int, shape (batch,)
            Places in the store.
        """
        turns = np.random.default_rng([*seed, 0]).permutation(self.without_tumour)
        count = self._empty(empty_slices)
        empty = np.take(turns, np.arange(number * count, (number + 1) * count), mode="wrap")
        rng = np.random.default_rng([*seed, 1, number])
        order = rng.permutation(np.concatenate([self.with_tumour, empty]))
        length = self.epoch_length(batch=batch, empty_slices=empty_slices)
        yield from np.resize(order, (length, batch))
