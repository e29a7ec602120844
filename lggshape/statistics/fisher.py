"""Fisher's exact test on r x c tables (Freeman and Halton), with no sampling.

The p-value is the probability, given both margins, of all tables at most as probable as the
observed one. Their number grows beyond 10^10 for a 4 x 5 table of 110 patients, so they are not
visited one by one. The columns are split in three: a first group, one column in the middle, a last
group. What a group of columns contributes to the probability of a table depends on its row sums
only up to their order. So for every sorted vector of row sums the group's fillings are listed
once, as log weights with fillings of equal weight merged. A table is then a filling of the first
group, a middle column, and a filling of the last group whose row sums add up to the margin. For
each such meeting the tables that count are found by looking the last group's log weights up in the
cumulative weights of the first group. Where all tables of a meeting count, or none does, a look at
the extremes of the lists settles it: the bounds of the network algorithm (Mehta and Patel).
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln
from scipy.stats import random_table

from lggshape.checks import check_whole_number
from lggshape.statistics._validators import contingency_table

Ints = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]

TOLERANCE = 3.4525e-7
"""Log probabilities closer than this are the same: the tolerance of FEXACT, which R calls."""
TOLERANCE_2X2 = math.log1p(1e-7)
"""The same for 2 x 2 tables, which R does not send to FEXACT."""
MERGED = 1e-9
"""Log weights closer than this are merged into one entry: equal but for rounding."""
MAX_WORK = 2e10
"""Default limit of the estimated work: some ten seconds, and 2 GiB of memory."""
LIST_ENTRY, FIRST_ENTRY, MEETING, STATE, OPEN_ENTRY = 150, 60, 15, 100_000, 5
"""Estimated work, about nanoseconds, of listing a filling, of sorting one of the first group, of a
middle column that meets a vector of row sums, of such a vector itself, and of a filling of the
middle and last columns: few of these are open, and need a look."""
MAX_ROWS = 6
"""Largest shorter side of a table for the exact test: all orders of the row sums are indexed."""
CELLS = 64
"""Cells of the coarse grid that cuts a list to the entries which are open."""
FINE_CELLS = 8
"""Cells of the fine grid, for each entry of the list that is looked up in."""
CHUNK = 1 << 15
"""Entries handled at once, so that they stay in the processor's cache."""


class FisherResult(NamedTuple):
    """Result of Fisher's test.

    Attributes
    ----------
    p : float
        Two-sided p-value.
    method : {"fisher_exact", "fisher_monte_carlo"}
        Whether the p-value is exact or comes from random tables.
    standard_error : float
        Standard error of p by Monte Carlo; 0 if p is exact.
    draws : int
        Number of random tables; 0 if p is exact.
    work : float
        Estimated work of the exact test: what `max_work` limits.
    """

    p: float
    method: Literal["fisher_exact", "fisher_monte_carlo"]
    standard_error: float
    draws: int
    work: float


class _Plan(NamedTuple):
    """How a table is split: its columns by position, and the estimated work."""

    work: float
    table: Ints
    first: tuple[int, ...]
    middle: int
    last: tuple[int, ...]


class _Lists(NamedTuple):
    """Log weights of the fillings of a group of columns, by sorted row sums.

    `keys[start[i]:start[i + 1]]` are the ascending log weights for the row sums `states[i]`, and
    `weights` the summed weights of the fillings that share a key.
    """

    states: Ints
    start: Ints
    keys: Floats
    weights: Floats
    lookup: NDArray[np.int32]


def fisher_exact(
    table: ArrayLike,
    *,
    max_work: float = MAX_WORK,
    draws: int = 99_999,
    seed: int | np.random.SeedSequence = 0,
) -> FisherResult:
    """Test whether the rows and columns of a table of counts are independent.

    The test of Freeman and Halton: p is the probability, given both margins, of the tables that
    are at most as probable as the observed one. Probabilities are compared with the tolerance of
    R's `fisher.test`, which has the same p-values.

    If the estimated work is beyond `max_work`, or the shorter side of the table is longer than six,
    p is estimated from random tables with the same margins as (b + 1) / (draws + 1), where b of
    them are at most as probable as the observed one. By default that is the case for tables of
    4 x 5 with more than about 150 patients, of 4 x 4 with more than 240, of 3 x 3 with more than a
    thousand, of 2 x 2 with more than a hundred thousand.

    Parameters
    ----------
    table : array_like of shape (R, C)
        Counts. Empty rows and columns are dropped; p is 1 if less than two of either are left.
    max_work : float, optional
        Limit of the exact test's work, estimated from the margins before it starts.
    draws : int, optional
        Number of random tables beyond that limit.
    seed : int or SeedSequence, optional
        Seed of the random tables.

    Returns
    -------
    FisherResult
        The p-value, and how it was come by.

    Raises
    ------
    InputError
        If the table does not hold counts in two dimensions, or `draws` is not positive.

    References
    ----------
    Freeman GH, Halton JH. Note on an exact treatment of contingency, goodness of fit and other
    problems of significance. Biometrika 38 (1951) 141-149.
    Mehta CR, Patel NR. A network algorithm for performing Fisher's exact test in r x c contingency
    tables. J Am Stat Assoc 78 (1983) 427-434.
    Phipson B, Smyth GK. Permutation p-values should never be zero. Stat Appl Genet Mol Biol 9
    (2010) 39.

    Examples
    --------
    >>> result = fisher_exact([[3, 1, 0], [1, 2, 4]])
    >>> round(result.p, 6), result.method
    (0.10303, 'fisher_exact')
    """
    counts = contingency_table(table)
    check_whole_number(draws, "`draws`", least=1)
    if min(counts.shape) < 2:
        return FisherResult(1.0, "fisher_exact", 0.0, 0, 0.0)
    tolerance = TOLERANCE_2X2 if counts.shape == (2, 2) else TOLERANCE
    # The row sums are what the lists are kept for: the fewer rows, the fewer lists.
    sides = [side for side in (counts, counts.T) if len(side) <= side.shape[1]]
    plan = min((_plan(side) for side in sides), key=lambda plan: plan.work)
    if plan.work <= max_work:
        return FisherResult(_exact(plan, tolerance), "fisher_exact", 0.0, 0, plan.work)
    p, error = _monte_carlo(counts, tolerance, draws, seed)
    return FisherResult(p, "fisher_monte_carlo", error, draws, plan.work)


def _monte_carlo(
    counts: Ints, tolerance: float, draws: int, seed: int | np.random.SeedSequence
) -> tuple[float, float]:
    """Return the p-value from random tables with the same margins, and its standard error."""
    factorials = gammaln(np.arange(counts.sum() + 1) + 1.0)
    # What is compared is minus the sum of the cells' log factorials: the rest is the margins'.
    observed = -factorials[counts].sum() + tolerance
    tables = random_table(counts.sum(axis=1), counts.sum(axis=0), seed=np.random.default_rng(seed))
    extreme, left = 0, draws
    while left:
        size = min(left, max(1, 4_000_000 // counts.size))
        drawn = tables.rvs(size=size).astype(np.int64).reshape(size, -1)
        extreme += int(np.sum(-factorials[drawn].sum(axis=1) <= observed))
        left -= size
    p = (extreme + 1) / (draws + 1)
    return p, math.sqrt(p * (1 - p) / (draws + 1))


def _plan(table: Ints) -> _Plan:
    """Split the columns so that the estimated work is least."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if len(rows) > MAX_ROWS:
        return _Plan(math.inf, table, (), 0, ())
    orders = math.factorial(len(rows))
    # Orders of the rows that leave the margin as it is: equal rows can be swapped.
    symmetries = math.prod(math.factorial(k) for k in np.unique(rows, return_counts=True)[1])
    index = math.prod([int(rows.max()) + 1] * (len(rows) - 1))
    fillings = [_count_fillings(int(c), rows) for c in columns]

    def listing(group: Sequence[int]) -> float:
        return sum(math.prod(fillings[j] for j in group[:k]) for k in range(2, len(group) + 1))

    # The middle column is the smallest. Of many columns only the splits by size are tried.
    by_size = sorted(range(len(columns)), key=lambda j: (int(columns[j]), j))
    middle, others = by_size[0], by_size[1:]
    best: _Plan | None = None
    for size in range(1, len(others) + 1):
        by_any = itertools.combinations(others, size)
        for first in by_any if len(others) <= 6 else (others[:size], others[-size:]):
            last = tuple(j for j in others if j not in first)
            rest = int(columns[[middle, *last]].sum())
            states = _count_fillings(rest, rows) / orders
            meetings = states * fillings[middle]
            open_ = math.prod(fillings[j] for j in (middle, *last)) / orders
            first_entries = math.prod(fillings[j] for j in first)
            work = (
                index
                + LIST_ENTRY * (listing(first) + listing(last)) / orders
                + FIRST_ENTRY * first_entries / symmetries
                + MEETING * meetings
                + STATE * states
                + OPEN_ENTRY * open_
            )
            if best is None or work < best.work:
                best = _Plan(work, table, tuple(first), middle, last)
    assert best is not None
    return best


def _count_fillings(total: int, limits: Ints) -> float:
    """Return the number of vectors of non-negative integers of that sum, none over its limit."""
    ways = np.zeros(total + 1)
    ways[0] = 1
    for limit in limits:
        running = np.cumsum(ways)
        running[limit + 1 :] -= running[: max(0, total - limit)].copy()
        ways = running
    return float(ways[total])


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

    def column(self, total: int) -> "_Column":
        """Return the fillings of one column."""
        limits = np.full_like(self.rows, self.rows.max())
        vectors = _fillings(total, limits)
        rows = [np.ascontiguousarray(row, dtype=np.int32) for row in vectors.T]
        return _Column(rows, self.keys(vectors, total), vectors @ self.strides)

    def number(self, state: Ints) -> int:
        """Return the number of a vector of row sums: that of a difference is the difference."""
        return int(state @ self.strides)

    def keys(self, vectors: Ints, total: int) -> Floats:
        """Return the log weights of fillings of one column."""
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


class _Column(NamedTuple):
    """The fillings of one column: their rows, log weights and numbers."""

    rows: list[NDArray[np.int32]]
    keys: Floats
    numbers: Ints

    def meet(self, lists: _Lists, state: Ints, number: int) -> tuple[Ints, Ints]:
        """Return the fillings that leave listed row sums of `state`, and where these are listed."""
        fits = self.rows[0] <= state[0]
        for row, limit in zip(self.rows[1:], state[1:], strict=True):
            fits &= row <= limit
        which = np.flatnonzero(fits)
        rest = lists.lookup[number - self.numbers[which]]
        listed = rest >= 0
        return which[listed], rest[listed]


def _merged(keys: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Sort entries by key and merge those of equal key."""
    order = np.argsort(keys)
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=-np.inf) > MERGED)
    return keys[first], np.add.reduceat(weights[order], first)


def _list_group(weights: _Weights, totals: Sequence[int]) -> _Lists:
    """List the log weights of all fillings of a group of columns, column by column."""
    states = np.zeros((1, len(weights.rows)), dtype=np.int64)
    lists = _Lists(states, np.array([0, 1]), np.zeros(1), np.ones(1), weights.lookup(states))
    done = 0
    for total in totals:
        done += total
        states = _sorted_fillings(done, weights.rows)
        if done == total:
            keys = weights.keys(states, total)
            start = np.arange(len(states) + 1)
            lists = _Lists(states, start, keys, np.exp(keys), weights.lookup(states))
            continue
        column = weights.column(total)
        lengths = np.diff(lists.start)
        parts = []
        for state in states:
            fits, before = column.meet(lists, state, weights.number(state))
            owner, offset = _ragged(lengths[before])
            entry = lists.start[before][owner] + offset
            added = column.keys[fits][owner]
            parts.append(_merged(lists.keys[entry] + added, lists.weights[entry] * np.exp(added)))
        start = np.cumsum([0, *(len(keys) for keys, _ in parts)])
        keys = np.concatenate([keys for keys, _ in parts])
        summed = np.concatenate([weight for _, weight in parts])
        lists = _Lists(states, start, keys, summed, weights.lookup(states))
    return lists


class _CoarseGrid:
    """Where the entries of every list lie on a coarse grid between the list's extremes.

    It cuts a list, without a search, to a range of entries that surely holds the wanted ones.
    """

    def __init__(self, lists: _Lists) -> None:
        self.lowest = lists.keys[lists.start[:-1]]
        self.highest = lists.keys[lists.start[1:] - 1]
        lengths = np.diff(lists.start)
        self.pitch = CELLS / np.maximum(self.highest - self.lowest, 1e-3)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        cell = self.cell(owner, lists.keys)
        inside = np.bincount(owner * (CELLS + 2) + cell, minlength=len(lengths) * (CELLS + 2))
        before = np.cumsum(inside.reshape(len(lengths), CELLS + 2), axis=1)
        # The first entry of a cell; one column more is the list's end.
        self.first = lists.start[:-1, None] + np.pad(before, ((0, 0), (1, 0)))

    def cell(self, which: Ints, keys: Floats) -> Ints:
        """Return the cells of keys; the last is for all above the highest."""
        cells = (keys - self.lowest[which]) * self.pitch[which]
        return np.clip(cells, 0, CELLS + 1).astype(np.int64)

    def surely_below(self, which: Ints, keys: Floats) -> Ints:
        """Return an entry before which all entries are less than the key."""
        return self.first[which, self.cell(which, keys)]

    def surely_above(self, which: Ints, keys: Floats) -> Ints:
        """Return an entry from which on all entries are greater than the key."""
        return self.first[which, self.cell(which, keys) + 1]


class _Cumulative:
    """Cumulative weights of one sorted list, on a fine grid for many look-ups."""

    def __init__(self, keys: Floats, weights: Floats) -> None:
        self.lowest = keys[0]
        count = FINE_CELLS * len(keys)
        self.pitch = count / max(keys[-1] - keys[0], 1e-3)
        inside = np.bincount(((keys - keys[0]) * self.pitch).astype(np.int64), minlength=count + 2)
        self.sums = np.concatenate([[0.0], np.cumsum(weights)])
        self.keys = np.append(keys, np.inf)
        self.first = np.cumsum(inside) - inside
        # In an empty cell all keys have the same sum; the others are marked.
        self.cells = np.where(inside > 0, np.nan, self.sums[self.first])

    def up_to(self, keys: Floats) -> Floats:
        """Return the summed weights of the entries that are at most each key."""
        cell = ((keys - self.lowest) * self.pitch).astype(np.intp)
        found: Floats = self.cells.take(cell, mode="clip")
        open_ = np.flatnonzero(np.isnan(found))
        place, wanted = self.first.take(cell[open_], mode="clip"), keys[open_]
        above = self.keys[place] <= wanted
        while above.any():
            place += above
            above = self.keys[place] <= wanted
        found[open_] = self.sums[place]
        return found


def _exact(plan: _Plan, tolerance: float) -> float:
    """Return the exact p-value."""
    rows, columns = plan.table.sum(axis=1), plan.table.sum(axis=0)
    total = int(rows.sum())
    weights = _Weights(rows, total)
    observed = float(
        sum(weights.keys(plan.table.T[j], int(columns[j])) for j in range(len(columns)))
    )
    observed += tolerance
    margin = (
        float(weights.factorials[total] - weights.factorials[rows].sum()) + total * weights.scale
    )
    first = _list_group(weights, columns[list(plan.first)].tolist())
    last = _list_group(weights, columns[list(plan.last)].tolist())
    grid = _CoarseGrid(last)
    # Summed list by list: a sum over all would lose the small weights of improbable fillings.
    sums = [np.append(0.0, np.cumsum(last.weights[a:b])) for a, b in itertools.pairwise(last.start)]
    below = np.concatenate(sums)
    column = weights.column(int(columns[plan.middle]))
    column_weights = np.exp(column.keys)
    steps = np.arange(CHUNK + int(np.diff(last.start).max()) + 1)
    extreme = 0.0
    for state, sources, orders in _remainders(first, rows):
        keys = np.concatenate([first.keys[first.start[s] : first.start[s + 1]] for s in sources])
        entry_weights = np.concatenate(
            [
                k * first.weights[first.start[s] : first.start[s + 1]]
                for s, k in zip(sources, orders, strict=True)
            ]
        )
        fits, rest = column.meet(last, state, weights.number(state))
        # A table counts if the key from `first` plus the key from `last` is at most `open_`.
        limit = observed - column.keys[fits]
        begin = grid.surely_below(rest, limit - keys.max())
        end = grid.surely_above(rest, limit - keys.min())
        extreme += float(column_weights[fits] @ below[begin + rest]) * float(entry_weights.sum())
        open_ = np.flatnonzero(end > begin)
        if not len(open_):
            continue
        cumulative = _Cumulative(*_sorted(keys, entry_weights, len(sources)))
        fits, limit, begin, lengths = fits[open_], limit[open_], begin[open_], (end - begin)[open_]
        bounds = np.cumsum(lengths)
        cuts = np.searchsorted(bounds, np.arange(CHUNK, bounds[-1] + CHUNK, CHUNK), side="left") + 1
        for low, high in itertools.pairwise(np.unique([0, *cuts.clip(max=len(bounds))])):
            length = lengths[low:high]
            ends = np.cumsum(length)
            entry = np.repeat(begin[low:high] - (ends - length), length)
            entry += steps[: len(entry)]
            wanted = np.repeat(limit[low:high], length)
            wanted -= last.keys.take(entry)
            found = cumulative.up_to(wanted)
            found *= last.weights.take(entry)
            extreme += float(column_weights[fits[low:high]] @ np.add.reduceat(found, ends - length))
    return min(1.0, extreme / math.exp(margin))


def _sorted(keys: Floats, weights: Floats, runs: int) -> tuple[Floats, Floats]:
    """Sort entries by key; one run is sorted as it is."""
    if runs == 1:
        return keys, weights
    order = np.argsort(keys, kind="stable")
    return keys[order], weights[order]


def _remainders(first: _Lists, rows: Ints) -> list[tuple[Ints, Ints, Ints]]:
    """Return what the first group leaves of the row sums, sorted, and the lists that leave it.

    Each comes with the positions of those lists and the number of orders in which each leaves it:
    rows of unequal margins are not to be swapped, so one sorted remainder can have several.
    """
    total = int(first.states[0].sum())
    sums = _fillings(total, rows)
    base = int(rows.max()) + 1
    strides = np.array([base**i for i in range(len(rows) - 1)] + [0])
    source = first.lookup[sums @ strides]
    left = np.sort(rows - sums, axis=1)
    pairs, orders = np.unique((left @ strides) * len(first.states) + source, return_counts=True)
    number, source = np.divmod(pairs, len(first.states))
    begin = np.unique(number, return_index=True)[1]
    digits = [number[begin] // base**i % base for i in range(len(rows) - 1)]
    states = np.column_stack([*digits, int(rows.sum()) - total - sum(digits)])
    bounds = np.append(begin, len(pairs))
    return [
        (state, source[a:b], orders[a:b])
        for state, (a, b) in zip(states, itertools.pairwise(bounds), strict=True)
    ]
