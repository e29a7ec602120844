"""The exact p-value of Fisher's test, by a network of row sums.

The p-value is the probability, given both margins, of all tables at most as probable as the
observed one. Their number grows beyond 10^10 for a 4 x 5 table of 110 patients, so they are not
visited one by one. The columns are split in three: a first group, one column in the middle, a last
group. What a group of columns contributes to the probability of a table depends on its row sums
only up to their order. So it is computed once for every sorted vector of row sums. A table is then
a filling of the first group, a middle column, and a filling of the last group whose row sums add up
to the margin: a *meeting*. Where all tables of a meeting count, or none does, bounds of both groups
settle it, as in the network algorithm (Mehta and Patel): first for all that a filling of the first
group leaves at once, then for each middle column. For the others, the fillings of the groups are
listed as log weights, those of equal weight merged, and the last group's are looked up in the
cumulative weights of the first group's. Log weights that always count in the meetings left, or
never, are not listed.
"""

import itertools
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from lggshape.statistics import fisher_kernels as kernels
from lggshape.statistics import fisher_lists
from lggshape.statistics.fisher_work import NotExactError, Work

Ints = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]

MEETING, ENTRY, SORTED, LOOKED_UP = 30, 50, 70, 12
"""Work in nanoseconds: of a vector of row sums that meets a filling of the middle column, of an
entry of a list to be made, of one sorted among those of a remainder, and of one looked up there."""
_LARGEST = 690.0
"""Of the log weights: the largest number is exp(709)."""


def exact_p(
    table: Ints,
    first: Sequence[int],
    middle: int,
    last: Sequence[int],
    tolerance: float,
    work: Work,
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
    work : Work
        What is done is added to it.

    Returns
    -------
    float
        The p-value.

    Raises
    ------
    NotExactError
        If the work is beyond its limit, or a weight beyond the largest number.

    Examples
    --------
    >>> table = np.array([[3, 1, 0], [1, 2, 4]])
    >>> round(exact_p(table, [0], 1, [2], 1e-7, Work(1e9)), 6)
    0.10303
    """
    # Rows of equal margins lie side by side: swapping them changes nothing.
    table = table[np.argsort(table.sum(axis=1), kind="stable")]
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    total = int(rows.sum())
    weights = _Weights(rows, total, work)
    observed = tolerance + sum(
        float(weights.describe(cells[np.newaxis])[2][0]) for cells in table.T.copy()
    )
    margin = float(weights.describe(rows[np.newaxis])[2][0])
    first_group = _Group(weights, columns[list(first)])
    rest = _Group(weights, columns[[middle, *last]])
    extreme, others, lists, shares = kernels.settle(
        first_group.vectors,
        (weights.orders_of_rows, _shares(first_group.vectors) * weights.symmetries),
        (rows, weights.strides),
        first_group.extremes,
        rest.found,
        rest.extremes,
        observed,
    )
    if len(others):
        sources = _by_remainder(others, lists, shares)
        columns_left = weights.column(int(columns[middle])), _Group(weights, columns[list(last)])
        extreme += _weigh_remainders(first_group, sources, rest, columns_left, observed)
    return min(1.0, extreme / math.exp(margin))


def _weigh_remainders(
    first: "_Group",
    sources: tuple[Ints, Ints, Ints, Floats],
    rest: "_Group",
    columns_left: tuple[kernels.Column, "_Group"],
    observed: float,
) -> float:
    """Return the weight of the tables that count, of remainders that `settle` left open."""
    remainders, start, states, shares = sources
    column, last = columns_left
    low, high, summed = first.extremes
    work = rest.work
    work.add(MEETING * len(remainders) * len(column[0]))
    extreme, meetings, of_remainder, of_last = kernels.meet(
        (rest.packed[remainders], rest.numbers[remainders]),
        (
            np.minimum.reduceat(low[states], start[:-1]),
            np.maximum.reduceat(high[states], start[:-1]),
            np.add.reduceat(shares * summed[states], start[:-1]),
        ),
        column,
        last.found,
        last.extremes,
        observed,
        rest.guards,
    )
    if not len(meetings[0]):
        return float(extreme)
    # Of both groups only the lists that are looked into are made.
    wanted, lists = np.unique(states, return_inverse=True)
    by_list = np.argsort(lists, kind="stable")
    each = np.searchsorted(lists[by_list], np.arange(len(wanted)))
    owner = np.repeat(np.arange(len(remainders)), np.diff(start))[by_list]
    of_first = (
        np.minimum.reduceat(of_remainder[0][owner], each),
        np.maximum.reduceat(of_remainder[1][owner], each),
    )
    met, last_lists = np.unique(meetings[2], return_inverse=True)
    listed = first.lists(wanted, of_first), last.lists(met, (of_last[0][met], of_last[1][met]))
    work.add(SORTED * float(np.diff(listed[0][0])[lists].sum()))
    work.add(LOOKED_UP * float(np.diff(listed[1][0])[last_lists].sum()))
    weighed = fisher_lists.weigh(
        (*meetings[:2], last_lists), column[2], (start, lists, shares), *listed, observed
    )
    return float(extreme + weighed)


def _shares(vectors: Ints) -> Floats:
    """Return one over the number of orders that leave each descending vector as it is."""
    shares, run = np.ones(len(vectors)), np.ones(len(vectors))
    for before, value in itertools.pairwise(vectors.T):
        run = np.where(before == value, run + 1, 1)
        shares /= run
    return shares


def _by_remainder(
    remainders: Ints, states: Ints, shares: Floats
) -> tuple[Ints, Ints, Ints, Floats]:
    """Return the remainders of `settle`, the range of each, and the states that leave it.

    Rows of unequal margins are not to be swapped, so one sorted remainder can have several states,
    each in several orders.
    """
    base = int(states.max()) + 1
    both, place = np.unique(remainders * base + states, return_inverse=True)
    remainder, state = np.divmod(both, base)
    found, begin = np.unique(remainder, return_index=True)
    summed: Floats = np.bincount(place, shares).astype(np.float64)
    return found, np.append(begin, len(both)), state, summed


class _Weights:
    """Log weights of columns and the numbering of row sums, for one ascending margin of rows."""

    def __init__(self, rows: Ints, total: int, work: Work) -> None:
        self.rows, self.work = rows, work
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
        self.orders = np.array(list(itertools.permutations(range(len(rows)))))
        # Of the orders that differ by a swap of equal rows, one is enough.
        ascend = (np.diff(self.orders, axis=1) > 0) | (np.diff(rows) > 0)
        self.orders_of_rows = self.orders[ascend.all(axis=1)]
        self.symmetries = len(self.orders) / len(self.orders_of_rows)

    def describe(self, vectors: Ints) -> kernels.Column:
        """Return vectors of one sum packed, their numbers, and their log weights as one column.

        By Vandermonde's identity the latter are also the log of the summed weight of all fillings
        of several columns with these row sums together.
        """
        total = int(vectors[0].sum()) if len(vectors) else 0
        packed, numbers, keys = kernels.describe(
            vectors, self.places, self.strides, self.factorials
        )
        return packed, numbers, keys + (self.factorials[total] + total * self.scale)

    def column(self, total: int) -> kernels.Column:
        """Return the fillings of one column."""
        limits = np.full_like(self.rows, self.rows.max())
        return self.describe(kernels.fillings(total, limits, False))


class _Group:
    """A group of columns: what its fillings weigh, by sorted row sums.

    Attributes
    ----------
    vectors : ndarray of int
        The sorted row sums.
    packed, numbers : ndarray of int
        The same packed, and their numbers.
    guards : int
        The guards of packed vectors.
    work : Work
        What is done.
    """

    def __init__(self, weights: _Weights, totals: Ints) -> None:
        self._weights, self._totals = weights, totals
        self.guards, self.work = weights.guards, weights.work
        self.vectors = kernels.fillings(int(totals.sum()), weights.rows[::-1].copy(), True)
        self.packed, self.numbers, self._keys = weights.describe(self.vectors)
        # Equal row sums are very improbable, and weigh much, in a margin of many unequal rows.
        if self._keys.max() > _LARGEST:
            raise NotExactError

    @cached_property
    def found(self) -> Ints:
        """The positions of the states, by the number of row sums in any order."""
        weights = self._weights
        return kernels.find(self.vectors, weights.orders, weights.strides, weights.size)

    @cached_property
    def extremes(self) -> kernels.Extremes:
        """Bounds of the log weights of each state's fillings, and their summed weight."""
        weights, totals = self._weights, self._totals
        low, high = kernels.extremes(self.vectors, totals, weights.factorials)
        constant = weights.factorials[totals].sum() + totals.sum() * weights.scale
        return low + constant, high + constant, np.exp(self._keys)

    def lists(self, chosen: Ints, decide: kernels.Range) -> kernels.Lists:
        """Return the log weights of some states that decide, as `fisher_lists.entries` does."""
        if len(self._totals) < 2:
            keys = self._keys[chosen]
            return np.arange(len(keys) + 1), keys, np.ones(len(keys)), np.zeros(len(keys))
        without = _Group(self._weights, self._totals[:-1])
        every = np.arange(len(without.vectors))
        whole = np.full(len(every), -np.inf), np.full(len(every), np.inf)
        column = self._weights.column(int(self._totals[-1]))
        of_without = without.lists(every, whole)
        each = max(1.0, len(of_without[1]) / max(1, len(every)))
        self.work.add(ENTRY * len(chosen) * len(column[0]) * each)
        return fisher_lists.entries(
            (self.packed[chosen], self.numbers[chosen]),
            decide,
            column,
            without.found,
            of_without,
            self.guards,
        )
