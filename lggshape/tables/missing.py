"""Words that stand for a missing value."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from lggshape.names import first_few

MISSING_WORDS = frozenset(
    {
        "", "na", "n/a", "n.a.", "<na>", "nan", "nat", "none", "null",
        "-", "--", "–", "—", "?", "??", ".",
        "unknown", "unk", "missing", "not available", "not applicable", "not reported",
        "not recorded", "not known", "no data", "not done", "not tested", "not performed",
        "not assessed", "not evaluated", "not determined", "n/d", "n.d.",
        # What Excel shows where a formula has no result.
        "#n/a", "#na", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!",
    }
)  # fmt: skip
"""Cells, in lower case, that hold no value; so do words in square brackets."""

_DASHES = frozenset({"-", "--", "–", "—"})


def is_missing(cells: "pd.Series[str]") -> "pd.Series[bool]":
    """Return which cells hold no value: empty, a word such as NA or unknown, or words in brackets.

    Parameters
    ----------
    cells : Series of str
        A column, as from `read_table`.

    Returns
    -------
    Series of bool
        True where the value is missing. In a column that also has a plus sign, a dash is the minus
        sign and a value.

    Examples
    --------
    >>> is_missing(pd.Series(["-", "[Not Available]", "Unknown", "0"])).tolist()
    [True, True, True, False]
    >>> is_missing(pd.Series(["+", "-", "?"])).tolist()
    [False, False, True]
    """
    words = [cell.casefold() for cell in cells.tolist()]
    different = set(words)
    kept = _DASHES if any(word and not word.strip("+") for word in different) else frozenset()
    gone = {word for word in different if word in MISSING_WORDS - kept or _in_brackets(word)}
    found = [word in gone for word in words]
    return pd.Series(found, index=cells.index, name=cells.name, dtype=bool)


def missing_words(cells: "pd.Series[str]") -> Counter[str]:
    """Return the words of a column that count as missing, as they are written, and how often.

    Examples
    --------
    >>> missing_words(pd.Series(["NA", "II", "", "NA"]))
    Counter({'NA': 2})
    """
    return Counter(word for word in cells[is_missing(cells)].tolist() if word)


def missing_line(table: str, words: Mapping[str, Counter[str]]) -> str:
    """Return the line that says which words of a table counted as missing.

    Parameters
    ----------
    table : str
        What the table is called.
    words : mapping of str to Counter
        For each column, its words as from `missing_words`.

    Returns
    -------
    str
        The words with the columns and how often they stand there; empty if there are none.

    Examples
    --------
    >>> missing_line("labels", {"MGMT": Counter({"unknown": 5}), "grade": Counter()})
    'labels: counted as missing: "unknown" (5 in MGMT)'
    """
    columns: dict[str, list[str]] = {}
    for column, counts in words.items():
        for word, count in counts.items():
            columns.setdefault(word, []).append(f"{count} in {column}")
    said = [f'"{word}" ({first_few(where)})' for word, where in columns.items()]
    return f"{table}: counted as missing: {'; '.join(said)}" if said else ""


def _in_brackets(word: str) -> bool:
    return word.startswith("[") and word.find("]") == len(word) - 1
