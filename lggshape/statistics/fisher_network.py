"""The exact p-value of Fisher's test, by a network of row sums.

The p-value is the probability, given both margins, of all tables at most as probable as the
observed one. Their number grows beyond 10^10 for a 4 x 5 table of 110 patients, so they are not
visited one by one. The columns are split in three: a first group, one column in the middle, a last
group. What a group of columns contributes to the probability of a table depends on its row sums
only up to their order. So it is computed once for every sorted vector of row sums. A table is then
a filling of the first group, a middle column, and a filling of the last group whose row sums add up
to the margin: a *meeting*. Where all tables of a meeting count, or none does, the extremes of both
groups settle it: the bounds of the network algorithm (Mehta and Patel). For the others, the
fillings of the groups are listed as log weights, those of equal weight merged, and the last group's
are looked up in the cumulative weights of the first group's.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from lggshape.statistics import fisher_kernels as kernels

Ints = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]


def exact_p(
    table: Ints, first: Sequence[int], middle: int, last: Sequence[int], tolerance: float
) -> float:
    """Return the exact p-value of a table.

    Parameters
    ----------
    table : ndarray of int, shape (R, C)
        Counts, without an empty row or column.
    first, middle, last : sequence of int, int, sequence of int
        The columns of the first group, the middle one, and those of the last group.
    tolerance : float
        Log probabilities closer than this are the same.

    Returns
    -------
    float
        The p-value.

    Examples
    --------
    >>> round(exact_p(np.array([[3, 1, 0], [1, 2, 4]]), [0], 1, [2], 1e-7), 6)
    0.10303
    """
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    total = int(rows.sum())
    weights = _Weights(rows, total)
    observed = tolerance + float(
        sum(weights.keys(table.T[j], int(columns[j])) for j in range(len(columns)))
    )
    margin = weights.keys(rows, total)
    first_group = _Group(weights, columns[list(first)].tolist())
    last_group = _Group(weights, columns[list(last)].tolist())
    column = _Column(weights, int(columns[middle]))
    states, (start, lists, orders) = _remainders(first_group, weights)
    low, high, summed = first_group.extremes
    extreme, meetings = kernels.meet(
        states[:],
        (
            np.minimum.reduceat(low[lists], start[:-1]),
            np.maximum.reduceat(high[lists], start[:-1]),
            np.add.reduceat(orders * summed[lists], start[:-1]),
        ),
        column.vectors,
        last_group.lookup,
        last_group.extremes,
        observed,
        weights.guards,
    )
    if len(meetings):
        # Of both groups only the lists that are looked into are made.
        opened = np.zeros(len(states.numbers), dtype=bool)
        opened[meetings[:, 0]] = True
        wanted = np.unique(lists[np.repeat(opened, np.diff(start))])
        place = np.zeros(len(first_group.states.numbers), dtype=np.int64)
        place[wanted] = np.arange(len(wanted))
        met, meetings[:, 2] = np.unique(meetings[:, 2], return_inverse=True)
        extreme += kernels.weigh(
            meetings,
            column.keys,
            (start, place[lists], orders),
            first_group.lists(wanted),
            last_group.lists(met),
            observed,
        )
    return min(1.0, extreme / math.exp(margin))


def _fillings(total: int, limits: Ints) -> Ints:
    """Return all vectors of non-negative integers of that sum, none over its limit."""
    vectors = np.zeros((1, 0), dtype=np.int64)
    left = np.array([total])
    for i, limit in enumerate(limits):
        lowest = np.maximum(0, left - limits[i + 1 :].sum())
        vectors, left = _append(vectors, left, lowest, np.minimum(limit, left))
    return vectors


def _sorted_fillings(total: int, limits: Ints) -> Ints:
    """Return the descending ones of the vectors that, in some order, keep to the limits."""
    descending = np.sort(limits)[::-1]
    vectors = np.zeros((1, 0), dtype=np.int64)
    left = previous = np.array([total])
    for i, limit in enumerate(descending):
        # The largest that is left is at least the mean of what is left.
        lowest = np.maximum(left - descending[i + 1 :].sum(), -(-left // (len(descending) - i)))
        highest = np.minimum(np.minimum(limit, left), previous)
        vectors, left = _append(vectors, left, lowest, highest)
        previous = vectors[:, -1]
    return vectors


def _append(vectors: Ints, left: Ints, lowest: Ints, highest: Ints) -> tuple[Ints, Ints]:
    """Extend each vector by every value of its range; return them and what is left of the sum."""
    parent, offset = _ragged(np.maximum(highest - lowest + 1, 0))
    value = lowest[parent] + offset
    return np.column_stack([vectors[parent], value]), left[parent] - value


def _ragged(lengths: Ints) -> tuple[Ints, Ints]:
    """Return, for ranges of those lengths laid end to end, each place's range and offset in it."""
    owner = np.repeat(np.arange(len(lengths)), lengths)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


class _Weights:
    """Log weights of columns and the numbering of row sums, for one margin of rows."""

    def __init__(self, rows: Ints, total: int) -> None:
        self.rows = rows
        self.factorials = gammaln(np.arange(total + 1) + 1.0)
        share = rows / total
        # A factor per patient, the same for all rows: it keeps the weights near 1.
        self.scale = float(share @ np.log(share))
        base = int(rows.max()) + 1
        # The last row sum follows from the others and takes no part in the number.
        self.strides = np.array([base**i for i in range(len(rows) - 1)] + [0])
        self.size = base ** (len(rows) - 1)
        # A free bit above each row: the exact test is never made where 63 bits are too few.
        bits = int(rows.max()).bit_length() + 1
        self.places = 1 << np.arange(len(rows)) * bits
        self.guards = int((self.places << bits - 1).sum())

    def keys(self, vectors: Ints, total: int) -> Floats:
        """Return the log weights of fillings of one column.

        By Vandermonde's identity they are also those of all fillings of several columns with these
        row sums together.
        """
        inverse: Floats = self.factorials[vectors].sum(axis=-1)
        keys: Floats = self.factorials[total] + total * self.scale - inverse
        return keys

    def lookup(self, states: Ints) -> NDArray[np.int32]:
        """Return the position of each vector of row sums, in any order, among the sorted ones."""
        table = np.full(self.size, -1, dtype=np.int32)
        positions = np.arange(len(states), dtype=np.int32)
        for order in itertools.permutations(range(len(self.rows))):
            table[states[:, order] @ self.strides] = positions
        return table


class _States:
    """Vectors of row sums with their numbers."""

    def __init__(self, weights: _Weights, vectors: Ints) -> None:
        self.packed = vectors @ weights.places
        self.numbers = vectors @ weights.strides

    def __getitem__(self, chosen: Ints | slice) -> tuple[Ints, Ints]:
        return self.packed[chosen], self.numbers[chosen]


class _Column:
    """The fillings of one column, with their log weights."""

    def __init__(self, weights: _Weights, total: int) -> None:
        vectors = _fillings(total, np.full_like(weights.rows, weights.rows.max()))
        states = _States(weights, vectors)
        self.keys = weights.keys(vectors, total)
        self.vectors = (*states[:], self.keys)


class _Group:
    """A group of columns: what its fillings weigh, by sorted row sums.

    Attributes
    ----------
    states : _States
        The sorted row sums.
    lookup : ndarray of int
        Their positions, by the number of row sums in any order.
    extremes : tuple of ndarray
        The lowest and the highest log weight of a filling, and the summed weight of all, of each
        state.
    """

    def __init__(self, weights: _Weights, totals: Sequence[int]) -> None:
        self._last = _Column(weights, totals[-1]) if totals else None
        self._without = _Group(weights, totals[:-1]) if totals else None
        self._guards = weights.guards
        self.total = sum(totals)
        vectors = _sorted_fillings(self.total, weights.rows)
        self.states = _States(weights, vectors)
        self.lookup = weights.lookup(vectors)
        summed = np.exp(weights.keys(vectors, self.total))
        nothing = np.zeros(len(vectors))
        self.extremes = nothing, nothing, summed
        if self._last is not None and self._without is not None:
            found = kernels.extremes(
                self.states[:],
                self._last.vectors,
                self._without.lookup,
                self._without.extremes,
                weights.guards,
            )
            self.extremes = *found, summed

    def lists(self, chosen: Ints | slice = slice(None)) -> tuple[Ints, Floats, Floats]:
        """Return the ascending log weights of some states, as `kernels.entries` does."""
        if self._last is None or self._without is None:
            return np.array([0, 1]), np.zeros(1), np.ones(1)
        return kernels.entries(
            self.states[chosen],
            self._last.vectors,
            self._without.lookup,
            self._without.lists(),
            self._guards,
        )


def _remainders(first: _Group, weights: _Weights) -> tuple[_States, tuple[Ints, Ints, Ints]]:
    """Return what the first group leaves of the row sums, sorted, and the states that leave it.

    The latter are the range of each remainder, the positions of its states, and the number of
    orders in which each leaves it: rows of unequal margins are not to be swapped, so one sorted
    remainder can have several.
    """
    rows, strides = weights.rows, weights.strides
    sums = _fillings(first.total, rows)
    source = first.lookup[sums @ strides]
    left = np.sort(rows - sums, axis=1)
    pairs, orders = np.unique((left @ strides) * weights.size + source, return_counts=True)
    number, source = np.divmod(pairs, weights.size)
    begin = np.unique(number, return_index=True)[1]
    base = int(rows.max()) + 1
    digits = [number[begin] // base**i % base for i in range(len(rows) - 1)]
    vectors = np.column_stack([*digits, int(left[0].sum()) - sum(digits)])
    return _States(weights, vectors), (np.append(begin, len(pairs)), source, orders)
