"""How likely Fisher's exact test is to fall below a bound, if a table is the truth."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

from lggshape.checks import check_whole_number
from lggshape.errors import InputError
from lggshape.statistics._validators import contingency_table
from lggshape.statistics.fisher import fisher_exact


class SimulatedPower(NamedTuple):
    """A probability by simulation.

    Attributes
    ----------
    estimate : float
        The share of simulated tables.
    low, high : float
        95 % interval by Clopper and Pearson: what the number of simulated tables leaves open.
    draws : int
        Number of simulated tables.
    """

    estimate: float
    low: float
    high: float
    draws: int


def shrunk_table(table: ArrayLike, factor: float) -> NDArray[np.float64]:
    """Return the probabilities of a table whose V is a multiple of that of a table of counts.

    The departure of each cell from independence is multiplied by the factor; the margins stay.

    Parameters
    ----------
    table : array_like of shape (R, C)
        Counts. Empty rows and columns are dropped.
    factor : float
        From 0 (independent) to 1 (the table itself). V is proportional to it.

    Returns
    -------
    ndarray of shape (R, C)
        Probabilities of the cells, with a sum of 1.

    Raises
    ------
    InputError
        If the table does not hold counts in two dimensions, or the factor is not from 0 to 1.

    Examples
    --------
    >>> shrunk_table([[4, 0], [0, 4]], 0.5).tolist()
    [[0.375, 0.125], [0.125, 0.375]]
    """
    if not 0 <= factor <= 1:
        msg = f"Expected `factor` to be from 0 to 1, found {factor}."
        raise InputError(msg)
    counts = contingency_table(table)
    shares = counts / counts.sum()
    independent = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    shrunk: NDArray[np.float64] = independent + factor * (shares - independent)
    return shrunk


def fisher_power(
    probabilities: ArrayLike,
    rows: ArrayLike,
    alpha: float,
    *,
    draws: int = 1000,
    seed: int | np.random.SeedSequence = 0,
) -> SimulatedPower:
    """Return how often Fisher's exact test is below a bound in tables drawn from probabilities.

    The sizes of the rows are fixed, as those of quantile bins are, and the columns are drawn
    within each row.

    Parameters
    ----------
    probabilities : array_like of shape (R, C)
        Of the cells, as from `shrunk_table`; only their proportions within each row count.
    rows : array_like of int, shape (R,)
        The sizes of the rows.
    alpha : float
        The bound of p.
    draws : int
        Number of tables.
    seed : int or SeedSequence
        Seed of the tables.

    Returns
    -------
    SimulatedPower
        The share of tables whose p is below the bound.

    Raises
    ------
    InputError
        If the probabilities are no table of numbers from 0 upwards with something in each row, the
        rows do not match it, the bound is not in (0, 1), or there are no draws.

    Examples
    --------
    >>> fisher_power([[0.5, 0.0], [0.0, 0.5]], [5, 5], 0.05, draws=10).estimate
    1.0
    """
    cells, sizes = np.asarray(probabilities, dtype=np.float64), np.asarray(rows)
    if cells.ndim != 2 or not np.all(cells >= 0) or not np.all(cells.sum(axis=1) > 0):
        msg = f"Expected `probabilities` to be a table of them, found {cells.tolist()}."
        raise InputError(msg)
    if sizes.shape != cells.shape[:1]:
        msg = f"Expected `rows` to have shape {cells.shape[:1]}, found {sizes.shape}."
        raise InputError(msg)
    if not 0 < alpha < 1:
        msg = f"Expected `alpha` to be between 0 and 1, found {alpha}."
        raise InputError(msg)
    check_whole_number(draws, "`draws`", least=1)
    rng = np.random.default_rng(seed)
    within = cells / cells.sum(axis=1, keepdims=True)
    tables = np.stack(
        [rng.multinomial(size, row, size=draws) for size, row in zip(sizes, within, strict=True)],
        axis=1,
    )
    # Small tables repeat themselves.
    different, times = np.unique(tables, axis=0, return_counts=True)
    found = [fisher_exact(table).p < alpha for table in different]
    below = int(times[found].sum())
    low = float(beta.ppf(0.025, below, draws - below + 1)) if below else 0.0
    high = float(beta.ppf(0.975, below + 1, draws - below)) if below < draws else 1.0
    return SimulatedPower(below / draws, low, high, draws)
