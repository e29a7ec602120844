"""Who is asked: the patients who meet conditions on their labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.labels.labels import Label, Labels, level_order
from lggshape.names import did_you_mean, first_few
from lggshape.tables import is_missing, plain_number, same_spelling

Conditions = Mapping[str, Any]
"""For each label, the value or the values that a patient may have."""


class Population(NamedTuple):
    """Who meets conditions.

    Attributes
    ----------
    asked : frozenset of str
        Those who meet all of them.
    undecided : frozenset of str
        Those who meet all for which they have a value, and have none for the others.
    """

    asked: frozenset[str]
    undecided: frozenset[str]


def check_conditions(name: str, where: Conditions | None) -> None:
    """Raise InputError for conditions of a label that are no lists of values by label."""
    if where is None:
        return
    lists = [listed(one) for one in where.values()] if isinstance(where, Mapping) else []
    if not lists or not all(several and are_values(several) for several in lists):
        msg = (
            f"Expected `where` of {name} to list values by label, as {{grade = [2, 3]}}, found "
            f"{where!r}."
        )
        raise InputError(msg)


def are_values(several: Iterable[Any]) -> bool:
    """Return whether all of several things can stand in a cell: texts, numbers, True and False."""
    return all(isinstance(one, str | Real | np.bool_) for one in several)


def listed(stated: Any) -> Sequence[Any]:
    """Return a list as it is, and one value in a list."""
    return stated if isinstance(stated, Sequence) and not isinstance(stated, str) else [stated]


def meeting(name: str, where: Conditions, labels: Labels) -> Population:
    """Return the patients who meet all conditions, and those of whom it is not known.

    Raises
    ------
    InputError
        If a label is not there, or a value is none of it.
    """
    met = possible = frozenset(labels.patients)
    for condition, stated in where.items():
        if condition not in labels:
            msg = (
                f"Expected `where` of {name} to name labels, found no {condition!r}. The labels "
                f"are: {', '.join(labels.names)}.{did_you_mean(condition, labels.names)}"
            )
            raise InputError(msg)
        values = labels[condition].values
        cells = values.map(cell_text).astype(str)
        words = cells.map(alike)
        for one in listed(stated):
            if alike(one) not in set(words):
                lacking = is_missing(pd.Series([cell_text(one)])).any()
                why = " That counts as missing, and whoever lacks the value is not asked."
                msg = (
                    f"Expected `where` of {name} to name values of {condition}, found {one!r}; the "
                    f"values are: {value_counts(cells)}.{why if lacking else ''}"
                )
                raise InputError(msg)
        meets = words.isin([alike(one) for one in listed(stated)])
        met &= frozenset(words.index[meets])
        possible -= frozenset(words.index[~meets])
    return Population(met, possible - met)


def in_words(where: Conditions) -> str:
    """Return conditions as a table or a report says them.

    Examples
    --------
    >>> in_words({"grade": [2, 3], "IDH": "mutant"})
    'grade: 2 or 3; IDH: mutant'
    """
    return "; ".join(
        f"{name}: {' or '.join(map(cell_text, listed(stated)))}" for name, stated in where.items()
    )


def among(label: Label, patients: frozenset[str] | None) -> Label:
    """Return a label of some patients alone; None stands for all."""
    if patients is None:
        return label
    values = label.values[label.values.index.isin(list(patients))]
    events = None if label.events is None else label.events.loc[values.index]
    levels = level_order(values, label.levels) if label.kind.has_levels else ()
    return replace(label, values=values, levels=levels, events=events)


def cell_text(value: Any) -> str:
    """Return a value as it stands in a table that is read: 2.0 and "2.0" are "2"."""
    if isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, Real):
        return f"{float(value):.15g}"
    return plain_number(str(value).strip())


def alike(value: Any) -> str:
    """Return what values have in common that differ in case or blanks alone."""
    return same_spelling(cell_text(value))


def value_counts(values: "pd.Series[str]", most: int = 8) -> str:
    """Return the different values with their numbers, the most frequent first, and at most some.

    Examples
    --------
    >>> value_counts(pd.Series(["yes", "no", "yes"]))
    "'yes' (2), 'no' (1)"
    """
    counts = values.value_counts()
    return first_few([f"{value!r} ({count})" for value, count in counts.items()], most)
