"""The inner loops of Fisher's exact test, compiled.

Vectors of row sums are packed into one integer each, with a free bit above each row, the *guard*:
if all guards of `state | guards` outlive the subtraction of a filling, no row of the filling is
larger than that of the state. Each vector also has a number, by which `lookup` finds its position
among the sorted vectors of row sums, the *states*. The number of a difference is the difference of
the numbers. `keys` are log weights.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]
Vectors = tuple[Ints, Ints]
"""Packed vectors of row sums, and their numbers."""
Column = tuple[Ints, Ints, Floats]
"""The fillings of a column: packed, their numbers, and their log weights."""
Lists = tuple[Ints, Floats, Floats]
"""Where each list begins, the ascending log weights, and how many fillings share each."""

MERGED = 1e-9
"""Log weights closer than this are merged into one entry: equal but for rounding."""
_CELLS = 4
"""Cells of the grid on which the entries of a list are found, per entry."""


@njit(cache=True)
def extremes(
    states: Vectors,
    column: Column,
    lookup: Ints,
    without: tuple[Floats, Floats, Floats],
    guards: int,
) -> tuple[Floats, Floats]:
    """Return the lowest and the highest log weight of each state, with one column more.

    `lookup`, and the extremes `without`, are those of the states without that column.
    """
    packed, numbers = states
    fillings, filling_numbers, keys = column
    lowest, highest, _ = without
    low = np.full(len(packed), np.inf)
    high = np.full(len(packed), -np.inf)
    for i in range(len(packed)):
        guarded = packed[i] | guards
        for f in range(len(fillings)):
            if (guarded - fillings[f]) & guards != guards:
                continue
            rest = lookup[numbers[i] - filling_numbers[f]]
            low[i] = min(low[i], keys[f] + lowest[rest])
            high[i] = max(high[i], keys[f] + highest[rest])
    return low, high


@njit(cache=True)
def entries(
    states: Vectors,
    column: Column,
    lookup: Ints,
    without: Lists,
    guards: int,
) -> Lists:
    """List the log weights of each state, with one column more: ascending, equal ones merged.

    `lookup`, and the lists `without`, are those of the states without that column.
    """
    packed, numbers = states
    fillings, filling_numbers, keys = column
    start, listed, counts = without
    new_start = np.zeros(len(packed) + 1, dtype=np.int64)
    new_keys, new_counts = np.empty(1024), np.empty(1024)
    raw_keys, raw_counts = np.empty(1024), np.empty(1024)
    done = 0
    for i in range(len(packed)):
        guarded = packed[i] | guards
        size = 0
        for f in range(len(fillings)):
            if (guarded - fillings[f]) & guards != guards:
                continue
            rest = lookup[numbers[i] - filling_numbers[f]]
            for e in range(start[rest], start[rest + 1]):
                if size == len(raw_keys):
                    raw_keys = np.concatenate((raw_keys, np.empty(size)))
                    raw_counts = np.concatenate((raw_counts, np.empty(size)))
                raw_keys[size] = keys[f] + listed[e]
                raw_counts[size] = counts[e]
                size += 1
        order = np.argsort(raw_keys[:size], kind="mergesort")
        while done + size > len(new_keys):
            new_keys = np.concatenate((new_keys, np.empty(len(new_keys))))
            new_counts = np.concatenate((new_counts, np.empty(len(new_counts))))
        previous = -np.inf
        for place in order:
            if raw_keys[place] - previous > MERGED:
                new_keys[done], new_counts[done] = raw_keys[place], raw_counts[place]
                done += 1
            else:
                new_counts[done - 1] += raw_counts[place]
            previous = raw_keys[place]
        new_start[i + 1] = done
    return new_start, new_keys[:done].copy(), new_counts[:done].copy()


@njit(cache=True)
def meet(
    states: Vectors,
    first: tuple[Floats, Floats, Floats],
    column: Column,
    lookup: Ints,
    last: tuple[Floats, Floats, Floats],
    observed: float,
    guards: int,
) -> tuple[float, Ints]:
    """Let every remainder of the first group meet every filling of the middle column.

    `states` is what the first group leaves. `first` and `last` are the lowest and the highest log
    weight and the summed weight, of each remainder and of each state of the last group.

    Returned are the weight of the tables of meetings of which all tables count, and the meetings
    (N, 3) of which some may count: remainder, filling and state of the last group.
    """
    packed, numbers = states
    fillings, filling_numbers, keys = column
    first_low, first_high, first_sum = first
    last_low, last_high, last_sum = last
    weights = np.exp(keys)
    total = 0.0
    open_ = np.empty((1024, 3), dtype=np.int64)
    size = 0
    for i in range(len(packed)):
        guarded = packed[i] | guards
        of_state = 0.0
        for f in range(len(fillings)):
            if (guarded - fillings[f]) & guards != guards:
                continue
            rest = lookup[numbers[i] - filling_numbers[f]]
            limit = observed - keys[f]
            if first_high[i] + last_high[rest] <= limit:
                of_state += weights[f] * last_sum[rest]
            elif first_low[i] + last_low[rest] <= limit:
                if size == len(open_):
                    open_ = np.concatenate((open_, np.empty_like(open_)))
                open_[size, 0], open_[size, 1], open_[size, 2] = i, f, rest
                size += 1
        total += of_state * first_sum[i]
    return total, open_[:size].copy()


@njit(cache=True)
def weigh(
    meetings: Ints,
    keys: Floats,
    sources: tuple[Ints, Ints, Ints],
    first: Lists,
    last: Lists,
    observed: float,
) -> float:
    """Return the weight of the tables that count, of meetings (N, 3) as from `meet`.

    `sources` are, for each remainder, the range of the lists of the first group that leave it, the
    positions of these lists, and the number of orders in which each does. `first` and `last` are
    lists as from `entries`; the third column of `meetings` is a position among those of `last`.
    """
    last_start, last_keys, last_counts = last
    last_weights = last_counts * np.exp(last_keys)
    source_start, source_lists, source_orders = sources
    total, begin = 0.0, 0
    while begin < len(meetings):
        remainder = meetings[begin, 0]
        a, b = source_start[remainder], source_start[remainder + 1]
        found_keys, sums = _joined(source_lists[a:b], source_orders[a:b], first)
        lowest, highest = found_keys[0], found_keys[-1]
        count = len(found_keys)
        # Where each cell of a fine grid begins among the keys: most are found without a search.
        cells = _CELLS * count
        pitch = cells / max(highest - lowest, 1e-3)
        grid = np.zeros(cells + 2, dtype=np.int32)
        for key in found_keys:
            grid[int((key - lowest) * pitch) + 1] += 1
        grid = np.cumsum(grid)
        while begin < len(meetings) and meetings[begin, 0] == remainder:
            filling, state = meetings[begin, 1], meetings[begin, 2]
            limit = observed - keys[filling]
            of_meeting = 0.0
            for e in range(last_start[state], last_start[state + 1]):
                wanted = limit - last_keys[e]
                if wanted < lowest:
                    break
                if wanted >= highest:
                    of_meeting += last_weights[e] * sums[count]
                    continue
                place = grid[int((wanted - lowest) * pitch)]
                while found_keys[place] <= wanted:
                    place += 1
                of_meeting += last_weights[e] * sums[place]
            total += np.exp(keys[filling]) * of_meeting
            begin += 1
    return total


@njit(cache=True)
def _joined(lists: Ints, orders: Ints, first: Lists) -> tuple[Floats, Floats]:
    """Return the entries of several lists, ascending, and their cumulative weights from 0."""
    start, keys, counts = first
    size = 0
    for position in lists:
        size += start[position + 1] - start[position]
    joined, weights = np.empty(size), np.empty(size)
    done = 0
    for place in range(len(lists)):
        position = lists[place]
        for e in range(start[position], start[position + 1]):
            joined[done] = keys[e]
            weights[done] = orders[place] * counts[e] * np.exp(keys[e])
            done += 1
    ascending = np.argsort(joined)
    sums = np.zeros(size + 1)
    for e in range(size):
        sums[e + 1] = sums[e] + weights[ascending[e]]
    return joined[ascending], sums
