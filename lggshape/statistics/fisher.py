"""Fisher's exact test on r x c tables (Freeman and Halton), with no sampling.

Where the tables with the same margins are too many for `fisher_network`, they are sampled.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln
from scipy.stats import hypergeom, random_table

from lggshape.checks import check_whole_number
from lggshape.statistics._validators import contingency_table
from lggshape.statistics.fisher_work import NotExactError, Work

Ints = NDArray[np.signedinteger[Any]]

TOLERANCE = 3.4525e-7
"""Log probabilities closer than this are the same: the tolerance of FEXACT, which R calls."""
TOLERANCE_2X2 = 1e-7
"""Relative tolerance of the probabilities of 2 x 2 tables, which R does not send to FEXACT."""
MAX_WORK = 1e10
"""Default limit of the work in nanoseconds of a usual core: ten seconds, and 2 GiB of memory."""
LIST_ENTRY, FIRST_ENTRY, MEETING, STATE, OPEN_ENTRY = 150, 60, 15, 100_000, 5
"""What a split of the columns costs, beside others: listing a filling, sorting one of the first
group, a middle column that meets a vector of row sums, such a vector itself, and a filling of the
middle and last columns: few of these are open, and need a look."""
INDEX, EACH_STATE, EACH_ORDER, FILLING = 100, 2000, 200, 100
"""Work of what comes before the first meeting, in nanoseconds: a place of the index of row sums, a
vector of row sums, each order of it, and a filling of a column."""
MAX_ROWS = 6
"""Largest shorter side of a table for the exact test: all orders of the row sums are indexed."""


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
        Work of the exact test in nanoseconds of a usual core, estimated from the operations that it
        needs: what `max_work` limits. If that is too little, what it had come to.
    """

    p: float
    method: Literal["fisher_exact", "fisher_monte_carlo"]
    standard_error: float
    draws: int
    work: float


class _Plan(NamedTuple):
    """How a table is split: its columns by position, what the split costs, and the first work."""

    cost: float
    begin: float
    table: Ints
    first: tuple[int, ...]
    middle: int
    last: tuple[int, ...]


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

    If the work is beyond `max_work`, or the shorter side of the table is longer than six, p is
    estimated from random tables with the same margins as (b + 1) / (draws + 1), where b of them are
    at most as probable as the observed one. The work grows with the number of patients and with the
    association. By default tables of equal rows are exact up to about 300 patients if 4 x 5, 400 if
    4 x 4, and 2000 if 4 x 3 or 3 x 3; if p is near 0.001, up to 200, 300, and 1500. Tables of 2 x 2
    are always exact.

    Parameters
    ----------
    table : array_like of shape (R, C)
        Counts. Empty rows and columns are dropped; p is 1 if less than two of either are left.
    max_work : float, optional
        Limit of the exact test's work, by default about ten seconds. It is estimated step by step
        from what the step has to do, and not measured: the same table has the same p anywhere.
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
    work = Work(max_work)
    try:
        p = _exact(counts, work)
    except NotExactError:
        p, error = _monte_carlo(counts, draws, seed)
        return FisherResult(p, "fisher_monte_carlo", error, draws, work.done)
    return FisherResult(p, "fisher_exact", 0.0, 0, work.done)


def _exact(counts: Ints, work: Work) -> float:
    """Return the exact p-value, unless that is too much work."""
    if counts.shape == (2, 2):
        return _two_by_two(counts, work)
    # The row sums are what the lists are kept for: the fewer rows, the fewer lists.
    sides = [side for side in (counts, counts.T) if len(side) <= side.shape[1]]
    plan = min((_plan(side) for side in sides), key=lambda plan: plan.cost)
    work.add(plan.begin)
    from lggshape.statistics.fisher_network import exact_p

    return exact_p(plan.table, plan.first, plan.middle, plan.last, TOLERANCE, work)


def _two_by_two(counts: Ints, work: Work) -> float:
    """Return the exact p-value of a 2 x 2 table, by the hypergeometric distribution."""
    first, total = int(counts[0].sum()), int(counts.sum())
    column = int(counts[:, 0].sum())
    low, high = max(0, first + column - total), min(first, column)
    work.add(FILLING * (high - low + 1))
    found = hypergeom(total, first, column).pmf(np.arange(low, high + 1))
    least = found[int(counts[0, 0]) - low] * (1 + TOLERANCE_2X2)
    return min(1.0, float(found[found <= least].sum()))


def _monte_carlo(
    counts: Ints, draws: int, seed: int | np.random.SeedSequence
) -> tuple[float, float]:
    """Return the p-value from random tables with the same margins, and its standard error."""
    factorials = gammaln(np.arange(counts.sum() + 1) + 1.0)
    # What is compared is minus the sum of the cells' log factorials: the rest is the margins'.
    observed = -factorials[counts].sum() + TOLERANCE
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
    """Split the columns so that the table costs least."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if len(rows) > MAX_ROWS:
        return _Plan(math.inf, math.inf, table, (), 0, ())
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
            cost = (
                index
                + LIST_ENTRY * (listing(first) + listing(last)) / orders
                + FIRST_ENTRY * first_entries / symmetries
                + MEETING * meetings
                + STATE * states
                + OPEN_ENTRY * open_
            )
            if best is None or cost < best.cost:
                begin = (
                    INDEX * index
                    + (EACH_STATE + EACH_ORDER * orders) * states
                    + FILLING * sum(fillings)
                )
                best = _Plan(cost, begin, table, tuple(first), middle, last)
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
