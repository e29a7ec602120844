"""Who is asked: the patients who meet conditions on their labels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.labels.labels import Label, Labels, level_order
from lggshape.names import first_few
from lggshape.tables import same_spelling

Conditions = Mapping[str, Any]
"""For each label, the value or the values that a patient may have."""


def check_conditions(name: str, where: Conditions | None) -> None:
    """Raise InputError for conditions of a label that are no lists of values by label."""
    if where is None:
        return
    lists = [_values(one) for one in where.values()] if isinstance(where, Mapping) else []
    if not lists or not all(
        several and all(isinstance(one, str | int | float) for one in several) for several in lists
    ):
        msg = (
            f"Expected `where` of {name} to list values by label, as {{grade = [2, 3]}}, found "
            f"{where!r}."
        )
        raise InputError(msg)


def meeting(name: str, where: Conditions, labels: Labels) -> frozenset[str]:
    """Return the patients who meet all conditions.

    Raises
    ------
    InputError
        If a label is not there, or a value is none of it.
    """
    met = frozenset(labels.patients)
    for condition, stated in where.items():
        values = labels[condition].values
        cells = values.map(cell_text).astype(str)
        words = cells.map(alike)
        for one in _values(stated):
            if alike(one) not in set(words):
                msg = (
                    f"Expected `where` of {name} to name values of {condition}, found {one!r}; the "
                    f"values are: {value_counts(cells)}."
                )
                raise InputError(msg)
        met &= frozenset(words.index[words.isin([alike(one) for one in _values(stated)])])
    return met


def in_words(where: Conditions) -> str:
    """Return conditions as a table or a report says them.

    Examples
    --------
    >>> in_words({"grade": [2, 3], "IDH": "mutant"})
    'grade: 2 or 3; IDH: mutant'
    """
    return "; ".join(
        f"{name}: {' or '.join(map(cell_text, _values(stated)))}" for name, stated in where.items()
    )


def among(label: Label, patients: frozenset[str] | None) -> Label:
    """Return a label of some patients alone; None stands for all."""
    if patients is None:
        return label
    values = label.values[label.values.index.isin(list(patients))]
    events = None if label.events is None else label.events.loc[values.index]
    levels = level_order(values, label.levels) if label.kind.has_levels else ()
    return replace(label, values=values, levels=levels, events=events)


def _values(stated: Any) -> Sequence[Any]:
    return stated if isinstance(stated, Sequence) and not isinstance(stated, str) else [stated]


def cell_text(value: Any) -> str:
    """Return a value as it stands in a table that is read: 2.0 is "2"."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | np.number):
        return f"{float(value):.15g}"
    return str(value).strip()


def alike(value: Any) -> str:
    """Return what values have in common that differ in case or blanks alone."""
    return same_spelling(cell_text(value))


def value_counts(values: "pd.Series[str]") -> str:
    """Return the different values with their numbers, the most frequent first.

    Examples
    --------
    >>> value_counts(pd.Series(["yes", "no", "yes"]))
    "'yes' (2), 'no' (1)"
    """
    counts = values.value_counts()
    return first_few([f"{value!r} ({count})" for value, count in counts.items()], 8)
