"""The inner loops of Fisher's exact test, compiled.

Vectors of row sums are packed into one integer each, with a free bit above each row, the *guard*:
if all guards of `state | guards` outlive the subtraction of a filling, no row of the filling is
larger than that of the state. Each vector also has a number, by which `find` finds its position
among the sorted vectors of row sums, the *states*. The number of a difference is the difference of
the numbers. `keys` are log weights.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lggshape.statistics.compiled import compiled

Ints = NDArray[np.signedinteger[Any]]
Floats = NDArray[np.float64]
States = tuple[Ints, Ints]
"""Packed vectors of row sums, and their numbers."""
Column = tuple[Ints, Ints, Floats]
"""The fillings of a column: packed, their numbers, and their log weights."""
Extremes = tuple[Floats, Floats, Floats]
"""Bounds of the lowest and the highest log weight, and the summed weight, of each state."""
Range = tuple[Floats, Floats]
"""For each state: below, a log weight always counts, and above, it never does."""
Meetings = tuple[Ints, Ints, Ints]
"""Remainders, ascending, fillings of the middle column, and states of the last group that meet."""
Lists = tuple[Ints, Floats, Floats, Floats]
"""Where each list begins, the ascending log weights within the range, how many fillings share each,
and for each list the summed weight of those that always count."""


@compiled
def longer(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy with room for as much again."""
    longer = np.empty(2 * len(array), dtype=array.dtype)
    for i in range(len(array)):
        longer[i] = array[i]
    return longer


@compiled
def exponentials(keys: Floats) -> Floats:
    """Return the exponentials of keys: a loop compiles faster than NumPy's function."""
    weights = np.empty(len(keys))
    for i in range(len(keys)):
        weights[i] = np.exp(keys[i])
    return weights


@compiled
def fillings(total: int, limits: Ints, descending: bool) -> Ints:
    """Return all vectors of non-negative integers of that sum, none over its limit.

    If `descending`, the limits have to descend, and only the descending vectors are returned.
    """
    rows = len(limits)
    room = np.zeros(rows + 1, dtype=np.int64)
    for i in range(rows - 1, -1, -1):
        room[i] = room[i + 1] + limits[i]
    left, value = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
    found = np.empty(256 * rows, dtype=np.int64)
    size, i = 0, 0
    left[0], value[0] = total, min(limits[0], total) + 1
    while i >= 0:
        value[i] -= 1
        lowest = max(0, left[i] - room[i + 1])
        if descending:
            # The largest that is left is at least the mean of what is left.
            lowest = max(lowest, -(-left[i] // (rows - i)))
        if value[i] < lowest:
            i -= 1
        elif i < rows - 1:
            i += 1
            left[i] = left[i - 1] - value[i - 1]
            value[i] = min(limits[i], left[i]) + 1
            if descending:
                value[i] = min(value[i], value[i - 1] + 1)
        else:
            if size == len(found):
                found = longer(found)
            for row in range(rows):
                found[size + row] = value[row]
            size += rows
            i -= 1
    return found[:size].copy().reshape((-1, rows))


@compiled
def describe(vectors: Ints, places: Ints, strides: Ints, factorials: Floats) -> Column:
    """Return the vectors packed, their numbers, and minus the sums of their log factorials."""
    packed, numbers = np.zeros(len(vectors), dtype=np.int64), np.zeros(len(vectors), dtype=np.int64)
    keys = np.zeros(len(vectors))
    for i in range(len(vectors)):
        for row in range(len(places)):
            packed[i] += vectors[i, row] * places[row]
            numbers[i] += vectors[i, row] * strides[row]
            keys[i] -= factorials[vectors[i, row]]
    return packed, numbers, keys


@compiled
def find(vectors: Ints, orders: Ints, strides: Ints, size: int) -> Ints:
    """Return the position of each vector of row sums, in any order, by its number."""
    table = np.full(size, -1, dtype=np.int32)
    for i in range(len(vectors)):
        for order in orders:
            number = 0
            for row in range(len(order)):
                number += vectors[i, order[row]] * strides[row]
            table[number] = i
    return table


@compiled
def extremes(vectors: Ints, columns: Ints, factorials: Floats) -> tuple[Floats, Floats]:
    """Return bounds of minus the sum of log factorials of tables, for each vector of row sums.

    The upper one is Lagrange's: with any factors `a` of the rows and `b` of the columns, a table's
    sum is that of -log x! + x log(a b) over its cells, less what the margins add, and each cell has
    its maximum at the whole number below a b. Factors that make a b the expected count and a half
    leave little between bound and maximum. The lower one is that of a table with one cell per row,
    or one per column.
    """
    rows = vectors.shape[1]
    low, high = np.empty(len(vectors)), np.empty(len(vectors))
    by_column = 0.0
    for column in columns:
        by_column -= factorials[column]
    b, all_ = np.empty(len(columns)), 0.0
    for j in range(len(columns)):
        all_ += columns[j] + rows / 2
    for j in range(len(columns)):
        b[j] = (columns[j] + rows / 2) / all_
    for i in range(len(vectors)):
        by_row, bound = 0.0, 0.0
        for row in range(rows):
            by_row -= factorials[vectors[i, row]]
        for j in range(len(columns)):
            bound -= columns[j] * np.log(b[j])
        for row in range(rows):
            count = vectors[i, row]
            if count == 0:
                continue
            a = count + len(columns) / 2
            bound -= count * np.log(a)
            for j in range(len(columns)):
                cell = min(int(a * b[j]), count, columns[j])
                if cell:
                    bound += cell * np.log(a * b[j]) - factorials[cell]
        low[i] = max(by_row, by_column)
        # A group of one column has one table.
        high[i] = bound if len(columns) > 1 else by_row
    return low, high


@compiled
def settle(
    vectors: Ints,
    orders: tuple[Ints, Floats],
    rows: tuple[Ints, Ints],
    first: Extremes,
    found: Ints,
    rest: Extremes,
    observed: float,
) -> tuple[float, Ints, Ints, Floats]:
    """Let every state of the first group meet the states of the other columns that it leaves.

    `orders` are those in which a state can lie on the rows, and for each state how many of its
    fillings one stands for. `rows` are the margin and the strides of numbers. `found` and `rest`
    belong to the states of the other columns.

    Returned are the weight of the meetings of which all tables count, and the meetings of which
    some may count: the other columns' state, the first group's, and how many fillings that is.
    """
    first_low, first_high, first_sum = first
    rest_low, rest_high, rest_sum = rest
    margin, strides = rows
    orders_of_rows, share = orders
    total, size = 0.0, 0
    others, lists = np.empty(256, dtype=np.int64), np.empty(256, dtype=np.int64)
    shares = np.empty(256)
    for i in range(len(vectors)):
        for order in orders_of_rows:
            number, fits = 0, True
            for row in range(len(order)):
                left = margin[row] - vectors[i, order[row]]
                fits = fits and left >= 0
                number += left * strides[row]
            if not fits:
                continue
            other = found[number]
            if first_high[i] + rest_high[other] <= observed:
                total += share[i] * first_sum[i] * rest_sum[other]
            elif first_low[i] + rest_low[other] <= observed:
                if size == len(others):
                    others, lists, shares = longer(others), longer(lists), longer(shares)
                others[size], lists[size], shares[size] = other, i, share[i]
                size += 1
    return total, others[:size].copy(), lists[:size].copy(), shares[:size].copy()


@compiled
def meet(
    states: States,
    first: Extremes,
    column: Column,
    found: Ints,
    last: Extremes,
    observed: float,
    guards: int,
) -> tuple[float, Meetings, Range, Range]:
    """Let what the first group leaves, `states`, meet every filling of the middle column.

    `first` are the extremes of the first group's fillings that leave each state; `found` and `last`
    belong to the states of the last group.

    Returned are the weight of the tables of meetings of which all tables count, the meetings of
    which some may count, and what log weights of the first and of the last group decide in these.
    """
    packed, numbers = states
    fillings, filling_numbers, keys = column
    first_low, first_high, first_sum = first
    last_low, last_high, last_sum = last
    weights = exponentials(keys)
    total, size = 0.0, 0
    remainders, middles = np.empty(256, dtype=np.int64), np.empty(256, dtype=np.int64)
    lasts = np.empty(256, dtype=np.int64)
    first_from, first_to = np.full(len(packed), np.inf), np.full(len(packed), -np.inf)
    last_from, last_to = np.full(len(last_sum), np.inf), np.full(len(last_sum), -np.inf)
    for i in range(len(packed)):
        guarded = packed[i] | guards
        of_state = 0.0
        for f in range(len(fillings)):
            if (guarded - fillings[f]) & guards != guards:
                continue
            rest = found[numbers[i] - filling_numbers[f]]
            limit = observed - keys[f]
            if first_high[i] + last_high[rest] <= limit:
                of_state += weights[f] * last_sum[rest]
            elif first_low[i] + last_low[rest] <= limit:
                if size == len(lasts):
                    remainders, middles = longer(remainders), longer(middles)
                    lasts = longer(lasts)
                remainders[size], middles[size], lasts[size] = i, f, rest
                size += 1
                first_from[i] = min(first_from[i], limit - last_high[rest])
                first_to[i] = max(first_to[i], limit - last_low[rest])
                last_from[rest] = min(last_from[rest], limit - first_high[i])
                last_to[rest] = max(last_to[rest], limit - first_low[i])
        total += of_state * first_sum[i]
    open_ = remainders[:size].copy(), middles[:size].copy(), lasts[:size].copy()
    return total, open_, (first_from, first_to), (last_from, last_to)
