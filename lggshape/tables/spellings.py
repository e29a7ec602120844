"""Words that are spelled differently and mean the same: upper and lower case, and blanks."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from lggshape.names import natural_key


class MergedSpellings(NamedTuple):
    """A column in which every word has one spelling.

    Attributes
    ----------
    cells : Series of str
        The column.
    merged : mapping of str to dict of str to int
        For each word that has several spellings, the one that is kept: the others, and how often
        they occurred.
    """

    cells: "pd.Series[str]"
    merged: Mapping[str, dict[str, int]]

    def describe(self) -> str:
        """Return what was merged in words; empty if nothing was."""
        return "; ".join(
            " and ".join(f'"{other}" ({count})' for other, count in others.items())
            + f' with "{kept}"'
            for kept, others in self.merged.items()
        )


def same_spelling(word: str) -> str:
    """Return what is left of a word if case and blanks do not count.

    Blanks are all that Unicode calls so, and characters without a width. Forms of one letter are
    one: an accent may be part of it or follow it.

    Examples
    --------
    >>> same_spelling("Wild Type") == same_spelling("wildtype")
    True
    >>> same_spelling("co-deletion") == same_spelling("codeletion")
    False
    """
    plain = unicodedata.normalize("NFKC", word).casefold()
    return "".join(one for one in plain if not one.isspace() and unicodedata.category(one) != "Cf")


def merge_spellings(cells: "pd.Series[str]", known: Iterable[str] = ()) -> MergedSpellings:
    """Write words that differ in case or blanks alone in one way.

    Parameters
    ----------
    cells : Series of str
        A column without missing values.
    known : iterable of str
        Words that keep their spelling, whatever occurs more often: those of a codebook, or of
        another table.

    Returns
    -------
    MergedSpellings
        The column with the known spelling of each word, else the one that occurs most often; of
        several the first in natural order.

    Examples
    --------
    >>> found = merge_spellings(pd.Series(["yes", "Yes", "no", "yes", "YES"]))
    >>> found.cells.tolist()
    ['yes', 'yes', 'no', 'yes', 'yes']
    >>> found.describe()
    '"YES" (1) and "Yes" (1) with "yes"'
    """
    counts = cells.value_counts()
    exact = list(dict.fromkeys(known))
    spelled: dict[str, list[str]] = {}
    for word in exact:
        spelled.setdefault(same_spelling(word), []).append(word)
    # Known words that are told apart by their case are themselves alone.
    kept = {key: words[0] for key, words in spelled.items() if len(words) == 1}
    ambiguous = spelled.keys() - kept.keys()
    merged: dict[str, dict[str, int]] = {}
    new: dict[str, str] = {}
    for word in sorted(counts.index, key=lambda word: (-counts[word], natural_key(word))):
        key = same_spelling(word)
        if key in ambiguous:
            continue
        first = kept.setdefault(key, word)
        if first != word:
            merged.setdefault(first, {})[word] = int(counts[word])
            new[word] = first
    return MergedSpellings(cells.map(lambda word: new.get(word, word)), merged)
