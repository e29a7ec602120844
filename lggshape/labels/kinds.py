"""What the cells and the name of a column tell of its kind."""

import re

import numpy as np
import pandas as pd

from lggshape.labels.codebook import Kind
from lggshape.names import LONGEST_NAME

_MOST_CODES = 10
"""A column of numbers with more different values than this counts as continuous."""

MOST_LEVELS = 100
"""The most levels of a label: more are names or free text, and no test of groups could use them."""

_FEWEST_CODES = 5
"""Up to so many whole numbers are codes, however few patients there are."""

_TIME_WORD = re.compile(r"(^|[^a-z])(time|days|weeks|months|years)($|[^a-z])", re.IGNORECASE)
_AGE = re.compile(r"(^|[^a-z])age($|[^a-z])", re.IGNORECASE)
_SURVIVAL_NAME = re.compile(r"(os|pfs|pfi|dss|dfs|dfi|efs|rfs|ttp)", re.IGNORECASE)
_SURVIVAL_WORD = re.compile(r"surviv|follow.?up", re.IGNORECASE)
_EVENT_WORD = re.compile(
    r"death|dead|died|deceased|alive|vital|censor|event|status|surviv|relaps|recur|progress|"
    r"(^|[^a-z])(os|pfs|pfi|dss|dfs|dfi|efs|rfs)($|[^a-z])",
    re.IGNORECASE,
)

EVENTS = {
    "1": True, "0": False, "true": True, "false": False, "yes": True, "no": False,
    "dead": True, "alive": False, "deceased": True, "living": False,
    "1:deceased": True, "0:living": False, "event": True, "censored": False,
}  # fmt: skip
"""Cells, in lower case, that say whether an event has happened."""

_OF_DEATH = {"dead", "alive", "deceased", "living", "1:deceased", "0:living"}


def guessed_kind(name: str, cells: "pd.Series[str]", numbers: "pd.Series[float]") -> Kind:
    """Return what a column measures, from its name and cells.

    Parameters
    ----------
    name : str
        Its name.
    cells : Series of str
        Its cells, without those that are missing.
    numbers : Series of float
        The same as numbers, NaN where a cell is none.

    Returns
    -------
    Kind
        Nominal, continuous, time or identifier. Ordinal and survival are only stated.

    Examples
    --------
    >>> ages = pd.Series(["41.5", "60", "33"])
    >>> guessed_kind("age in years", ages, ages.astype(float))
    <Kind.CONTINUOUS: 'continuous'>
    """
    if len(cells) and numbers.notna().all():
        many = _too_many_codes(numbers)
        if _AGE.search(name):
            return Kind.CONTINUOUS if many or _has_fractions(numbers) else Kind.NOMINAL
        if _TIME_WORD.search(name) or (many and _names_survival(name)):
            return Kind.TIME
        if many and _counts_rows(numbers):
            return Kind.IDENTIFIER
        return Kind.CONTINUOUS if many or _has_fractions(numbers) else Kind.NOMINAL
    # Neither numbers nor groups: a word among ages would make a group of every age.
    if len(words_among_numbers(cells)):
        return Kind.IDENTIFIER
    # Names and free text are long, or differ from patient to patient; groups have several patients.
    if len(cells) and cells.str.len().max() > LONGEST_NAME:
        return Kind.IDENTIFIER
    if cells.nunique() > min(MOST_LEVELS, max(_MOST_CODES, len(cells) / 2)):
        return Kind.IDENTIFIER
    return Kind.NOMINAL


def words_among_numbers(cells: "pd.Series[str]") -> "pd.Series[str]":
    """Return the cells that keep a column of numbers from being one, such as ">89" among ages.

    Parameters
    ----------
    cells : Series of str
        The cells of a column, without those that are missing.

    Returns
    -------
    Series of str
        The words, if most cells are numbers and these are too many to be codes; else empty.

    Examples
    --------
    >>> words_among_numbers(pd.Series(["41", "60", "33", "72", "55", "38", ">89"])).tolist()
    ['>89']
    >>> words_among_numbers(pd.Series(["2", "3", "4", "3", "2", "NOS"])).tolist()
    []
    """
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    finite = np.isfinite(numbers)
    is_number_column = 2 * finite.sum() > len(cells) and _too_many_codes(numbers[finite])
    return cells[~finite] if is_number_column else cells[:0]


def codes_for_missing(numbers: "pd.Series[float]") -> list[float]:
    """Return the numbers of a column that may stand for a missing value, such as 999 among ages.

    These are numbers of nines alone: negative ones if all other numbers are not, and any that are
    more than three times as far from all other numbers as these are from each other.

    Examples
    --------
    >>> codes_for_missing(pd.Series([41.0, 60, 33, 999, 999, -9]))
    [-9.0, 999.0]
    >>> codes_for_missing(pd.Series([41.0, 60, 33, 99]))
    []
    """
    of_nines = numbers.map(lambda number: set(f"{abs(number):.15g}") == {"9"}).astype(bool)
    others = numbers[~of_nines]
    if others.nunique() < 2:
        return []
    low, high = float(others.min()), float(others.max())
    reach = 3 * (high - low)
    return [
        code
        for code in sorted(set(numbers[of_nines].tolist()))
        if code < 0 <= low or code > high + reach or code < low - reach
    ]


def holds_events(name: str, values: "pd.Series[str]") -> bool:
    """Return whether a column looks like events, such as deaths, that have a time.

    The words for dead and alive are enough; of 1 and 0, yes and no, the name has to tell.

    Examples
    --------
    >>> holds_events("vital", pd.Series(["Dead", "Alive"]))
    True
    >>> holds_events("MGMT", pd.Series(["yes", "no"])), holds_events("OS", pd.Series(["1", "0"]))
    (False, True)
    """
    words = set(values.astype(str).str.strip().str.casefold())
    if not words or len(words) > 2:
        return False
    return words <= _OF_DEATH or bool(words <= EVENTS.keys() and _EVENT_WORD.search(name))


def _names_survival(name: str) -> bool:
    return bool(_SURVIVAL_NAME.fullmatch(name) or _SURVIVAL_WORD.search(name))


def _too_many_codes(numbers: "pd.Series[float]") -> bool:
    """Return whether numbers have too many different values to be the codes of groups."""
    # Ten patients of ten ages are no ten groups: codes occur twice on average.
    return numbers.nunique() > min(_MOST_CODES, max(_FEWEST_CODES, len(numbers) / 2))


def _has_fractions(numbers: "pd.Series[float]") -> bool:
    return bool((numbers != np.round(numbers)).any())


def _counts_rows(numbers: "pd.Series[float]") -> bool:
    """Return whether whole numbers run on from one to the next, as the numbers of rows do."""
    ordered = np.sort(numbers.to_numpy(float))
    return bool((np.diff(ordered) == 1).all() and ordered[0] in {0.0, 1.0})
