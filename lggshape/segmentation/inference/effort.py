"""How much is computed for a mask: which networks see which slices, and how often."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.segmentation.inference.predictor import FLIPS
from lggshape.segmentation.run.folder import Member

Effort = Literal["fast", "usual", "thorough"]
"""Names of `EFFORTS`."""

_SUSPECT = 0.1
"""The calibrated probability from which on a slice may show tumour: well below any threshold.

`benchmarks/fewer_networks.py` prints what it leaves out."""

_BESIDE = 1  # slices at either end


class Workload(NamedTuple):
    """What is computed for a mask.

    Attributes
    ----------
    networks : int or None
        How many of the networks that may be used are used at most; None: all.
    flips : tuple of tuple of int
        The axes along which slices are flipped, each way to be averaged.
    looks : int
        How many networks see all slices first, at most one of each fold: one alone may be blind to
        a tumour unlike those of its training data.
    every_slice : bool
        Whether the others, too, see all slices; otherwise only those that `may_show_tumour`.
    """

    networks: int | None
    flips: tuple[tuple[int, ...], ...]
    looks: int
    every_slice: bool

    def choose(self, members: Sequence[Member]) -> Sequence[Member]:
        """Return the networks that are used, of different folds as far as there are any."""
        return members if self.networks is None else _spread(members, self.networks)

    def first(self, members: Sequence[Member]) -> Sequence[Member]:
        """Return those of the networks that see all slices first."""
        folds = {member.fold: member for member in reversed(_spread(members, self.looks))}
        return list(reversed(folds.values()))


def _spread(members: Sequence[Member], count: int) -> Sequence[Member]:
    """Return some networks, if there are more, which are in the order of their folds."""
    count = min(count, len(members))
    return [members[number * len(members) // count] for number in range(count)]


EFFORTS: dict[str, Workload] = {
    "fast": Workload(2, FLIPS[:1], looks=1, every_slice=False),
    "usual": Workload(None, FLIPS, looks=2, every_slice=False),
    "thorough": Workload(None, FLIPS, looks=1, every_slice=True),
}
"""What is computed, by name: few networks and no mirror images; all of them where a network finds
that a slice may show tumour; or all of them in every slice."""


def workload(effort: str) -> Workload:
    """Return what is computed.

    Raises
    ------
    InputError
        If there is no such effort.
    """
    if effort not in EFFORTS:
        msg = f"Expected the effort to be {', '.join(EFFORTS)}, found: {effort}."
        raise InputError(msg)
    return EFFORTS[effort]


def may_show_tumour(probability: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return which slices may show tumour, by the networks that have looked first.

    Parameters
    ----------
    probability : ndarray of shape (S, Y, X)
        Calibrated probability of tumour, the highest that any of them gives.

    Returns
    -------
    ndarray of int
        The slices in which it is above 0.1 somewhere, and one more at either end of each run of
        them.

    Examples
    --------
    >>> may_show_tumour(np.array([0, 0, 0, 0.05, 0.2, 0, 0]).reshape(7, 1, 1)).tolist()
    [3, 4, 5]
    """
    found = np.flatnonzero(probability.max(axis=(1, 2)) > _SUSPECT)
    around = found[:, None] + np.arange(-_BESIDE, _BESIDE + 1)
    return np.unique(np.clip(around, 0, len(probability) - 1))
