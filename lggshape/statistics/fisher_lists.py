"""Lists of log weights for Fisher's exact test, compiled: how they are made, sorted and looked up.

Names are those of `fisher_kernels`.
"""

import numpy as np

from lggshape.statistics.compiled import compiled
from lggshape.statistics.fisher_kernels import (
    Column,
    Floats,
    Ints,
    Lists,
    Meetings,
    Range,
    States,
    exponentials,
    longer,
)

MERGED = 1e-9
"""Log weights closer than this are merged into one entry: equal but for rounding."""
_CELLS = 4
"""Cells of the grid on which the entries of a list are sorted and found, per entry."""
_CROWDED = 8
"""Entries in one cell from which Shell's steps are worth their while."""


@compiled
def entries(
    states: States, decide: Range, column: Column, found: Ints, without: Lists, guards: int
) -> Lists:
    """List the log weights of each state, with one column more: ascending, equal ones merged.

    Only those that `decide` are listed. `found`, and the whole lists `without`, are those of the
    states without that column.
    """
    packed, numbers = states
    fillings, filling_numbers, keys = column
    start, listed, counts, _ = without
    weights, listed_weights = exponentials(keys), exponentials(listed)
    always = np.zeros(len(packed))
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
            rest = found[numbers[i] - filling_numbers[f]]
            for e in range(start[rest], start[rest + 1]):
                key = keys[f] + listed[e]
                if key <= decide[0][i]:
                    always[i] += weights[f] * counts[e] * listed_weights[e]
                elif key <= decide[1][i]:
                    if size == len(raw_keys):
                        raw_keys, raw_counts = longer(raw_keys), longer(raw_counts)
                    raw_keys[size], raw_counts[size] = key, counts[e]
                    size += 1
        sorted_keys, sorted_counts, _, _ = _sorted(raw_keys[:size], raw_counts[:size])
        while done + size > len(new_keys):
            new_keys, new_counts = longer(new_keys), longer(new_counts)
        previous = -np.inf
        for e in range(size):
            if sorted_keys[e] - previous > MERGED:
                new_keys[done], new_counts[done] = sorted_keys[e], sorted_counts[e]
                done += 1
            else:
                new_counts[done - 1] += sorted_counts[e]
            previous = sorted_keys[e]
        new_start[i + 1] = done
    return new_start, new_keys[:done].copy(), new_counts[:done].copy(), always


@compiled
def weigh(
    meetings: Meetings,
    keys: Floats,
    sources: tuple[Ints, Ints, Floats],
    first: Lists,
    last: Lists,
    observed: float,
) -> float:
    """Return the weight of the tables that count, of meetings as from `meet`.

    `sources` are, for each remainder, the range of the lists of the first group that leave it, the
    positions of these lists, and how many fillings each stands for. `first` and `last` are lists as
    from `entries`; the states of the last group are positions among the latter.
    """
    last_start, last_keys, last_counts, last_always = last
    last_weights = exponentials(last_keys)
    for e in range(len(last_weights)):
        last_weights[e] *= last_counts[e]
    source_start, source_lists, shares = sources
    remainders, middles, lasts = meetings
    total, begin = 0.0, 0
    while begin < len(remainders):
        remainder = remainders[begin]
        a, b = source_start[remainder], source_start[remainder + 1]
        found_keys, sums, grid, pitch = _joined(source_lists[a:b], shares[a:b], first)
        lowest, highest = np.inf, -np.inf
        if len(found_keys):
            lowest, highest = found_keys[0], found_keys[-1]
        while begin < len(remainders) and remainders[begin] == remainder:
            filling, state = middles[begin], lasts[begin]
            limit = observed - keys[filling]
            of_meeting = last_always[state] * sums[-1]
            for e in range(last_start[state], last_start[state + 1]):
                wanted = limit - last_keys[e]
                if wanted >= highest:
                    of_meeting += last_weights[e] * sums[-1]
                elif wanted < lowest:
                    of_meeting += last_weights[e] * sums[0]
                else:
                    place = grid[int((wanted - lowest) * pitch)]
                    while found_keys[place] <= wanted:
                        place += 1
                    of_meeting += last_weights[e] * sums[place]
            total += np.exp(keys[filling]) * of_meeting
            begin += 1
    return total


@compiled
def _joined(lists: Ints, shares: Floats, first: Lists) -> tuple[Floats, Floats, Ints, float]:
    """Return the ascending entries of several lists, their cumulative weights, and their grid.

    The weights begin with that of what always counts.
    """
    start, keys, counts, always = first
    size = 0
    for position in lists:
        size += start[position + 1] - start[position]
    joined, weights = np.empty(size), np.empty(size)
    done = 0
    for place in range(len(lists)):
        position = lists[place]
        for e in range(start[position], start[position + 1]):
            joined[done] = keys[e]
            weights[done] = shares[place] * counts[e] * np.exp(keys[e])
            done += 1
    joined, weights, grid, pitch = _sorted(joined, weights)
    sums = np.empty(size + 1)
    sums[0] = 0.0
    for place in range(len(lists)):
        sums[0] += shares[place] * always[lists[place]]
    for e in range(size):
        sums[e + 1] = sums[e] + weights[e]
    return joined, sums, grid, pitch


@compiled
def _sorted(keys: Floats, weights: Floats) -> tuple[Floats, Floats, Ints, float]:
    """Return keys, ascending, and their weights, and the grid on which they are found.

    The cell of a key is (key - lowest) * pitch, rounded down, and the grid has the position of the
    first key in that cell or later: the keys are as good as sorted once they lie in their cells.
    """
    size = len(keys)
    if size == 0:
        return keys, weights, np.zeros(0, dtype=np.int32), 0.0
    lowest, highest = keys[0], keys[0]
    for key in keys:
        lowest, highest = min(lowest, key), max(highest, key)
    pitch = _CELLS * size / max(highest - lowest, 1e-3)
    grid = np.zeros(_CELLS * size + 2, dtype=np.int32)
    for key in keys:
        grid[int((key - lowest) * pitch) + 1] += 1
    most = 0
    for cell in range(1, len(grid)):
        most = max(most, grid[cell])
        grid[cell] += grid[cell - 1]
    ascending, beside = np.empty(size), np.empty(size)
    free = grid.copy()
    for e in range(size):
        cell = int((keys[e] - lowest) * pitch)
        ascending[free[cell]], beside[free[cell]] = keys[e], weights[e]
        free[cell] += 1
    # What is left is to sort within cells: by insertion, after Shell's longer steps in large cells.
    step = 1
    while step * _CROWDED < most:
        step = 3 * step + 1
    while step > 0:
        for e in range(step, size):
            key, weight, place = ascending[e], beside[e], e
            while place >= step and ascending[place - step] > key:
                ascending[place], beside[place] = ascending[place - step], beside[place - step]
                place -= step
            ascending[place], beside[place] = key, weight
        step //= 3
    return ascending, beside, grid, pitch
