"""What the cells and the name of a column tell of its kind."""

import re

import numpy as np
import pandas as pd

from lggshape.labels.codebook import Kind

_MOST_CODES = 10
"""A column of numbers with more different values than this counts as continuous."""

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
        many = numbers.nunique() > _MOST_CODES
        if _AGE.search(name):
            return Kind.CONTINUOUS if many or _has_fractions(numbers) else Kind.NOMINAL
        if _TIME_WORD.search(name) or (many and _names_survival(name)):
            return Kind.TIME
        if many and _counts_rows(numbers):
            return Kind.IDENTIFIER
        return Kind.CONTINUOUS if many or _has_fractions(numbers) else Kind.NOMINAL
    # Names and free text differ from patient to patient; groups have several patients.
    if cells.nunique() > max(_MOST_CODES, len(cells) / 2):
        return Kind.IDENTIFIER
    return Kind.NOMINAL


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


def _has_fractions(numbers: "pd.Series[float]") -> bool:
    return bool((numbers != np.round(numbers)).any())


def _counts_rows(numbers: "pd.Series[float]") -> bool:
    """Return whether whole numbers run on from one to the next, as the numbers of rows do."""
    ordered = np.sort(numbers.to_numpy(float))
    return bool((np.diff(ordered) == 1).all() and ordered[0] in {0.0, 1.0})
