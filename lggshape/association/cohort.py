"""Table 1: who was studied, by level of each tested label.

It has no p-values. Tests of who differs in a description answer no question that was asked; STROBE
advises against them.

References
----------
Vandenbroucke JP, von Elm E, Altman DG, et al. Strengthening the Reporting of Observational Studies
in Epidemiology (STROBE): explanation and elaboration. PLoS Medicine 4 (2007) e297, item 14.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.labels import Kind, Label, Labels

MOST_LEVELS = 20
"""Of a characteristic with more levels only those who have it and those who lack it are counted."""

EVENT = "event"
"""What the rows of the events of survival are called."""

_COLUMNS = [
    "masks", "by", "level", "patients", "characteristic", "value", "known", "missing", "count",
    "percent", "median", "lower_quartile", "upper_quartile",
]  # fmt: skip
_COUNTS = dict.fromkeys(("patients", "known", "missing", "count"), "Int64")


def cohort_table(features: pd.DataFrame, labels: Labels, used: Mapping[str, Label]) -> pd.DataFrame:
    """Return the characteristics of the patients, of all and by level of each tested label.

    Parameters
    ----------
    features : DataFrame
        As from `read_features`: its patients are those who are described.
    labels : Labels
        The characteristics: all columns but identifiers, and those that tables contradict each
        other about.
    used : mapping of str to Label
        The tested labels. Those with levels divide the patients.

    Returns
    -------
    DataFrame
        A row per kind of mask, group and value of a characteristic; `docs/tables.md` has the
        columns. `by` and `level` are empty for all patients, and `level` alone for those without
        the label.

    Examples
    --------
    >>> from lggshape.labels import read_labels
    >>> features = pd.DataFrame({"patient": ["a", "b", "c"], "masks": "manual"})
    >>> known = pd.DataFrame({"patient": ["a", "b", "c"], "age": [40.5, 50, 60.5]})
    >>> table = cohort_table(features, read_labels(known), {})
    >>> table[["characteristic", "known", "median"]].to_dict("records")
    [{'characteristic': 'age', 'known': 3, 'median': 50.0}]
    """
    described = _characteristics(labels, used)
    rows = [
        {"masks": masks, "by": by, "level": level, "patients": len(patients)} | row
        for masks, group in features.groupby("masks", sort=False)
        for by, level, patients in _groups(group["patient"], used)
        if len(patients)
        for label in described
        for row in _rows(label, patients)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS).astype(_COUNTS)


def _characteristics(labels: Labels, used: Mapping[str, Label]) -> list[Label]:
    """Return all columns that can be described, and the tested labels that are made from some."""
    found = dict(used)
    for name in labels:
        try:
            found.setdefault(name, labels[name])
        except InputError:
            continue
    # A column that was asked for as table:column is the column, if no other table has it too.
    columns = {labels.identity(column): column for column in labels}
    again = {
        name for name in used if name in labels and columns.get(labels.identity(name), name) != name
    }
    order = dict.fromkeys((*labels, *used))
    return [
        found[name]
        for name in order
        if name in found and name not in again and found[name].kind is not Kind.IDENTIFIER
    ]


def _groups(patients: pd.Series, used: Mapping[str, Label]) -> Iterator[tuple[str, str, pd.Index]]:
    """Yield all patients, then those of each level of each label and those without it, if any."""
    everyone = pd.Index(patients)
    yield "", "", everyone
    for name, label in used.items():
        if not label.levels:
            continue
        values = label.values.reindex(everyone)
        for level in label.levels:
            yield name, level, everyone[(values == level).to_numpy(bool)]
        without = values.isna().to_numpy()
        if label.population is not None:
            without = without & everyone.isin(list(label.population))
        yield name, "", everyone[without]


def _rows(label: Label, patients: pd.Index) -> Iterator[dict[str, Any]]:
    """Yield the rows of a characteristic in a group of patients."""
    values = label.values.reindex(patients).dropna()
    known = len(values)
    row: dict[str, Any] = {
        "characteristic": label.name,
        "value": "",
        "known": known,
        "missing": len(patients) - known,
    }
    if not label.levels:
        numbers = values.to_numpy(np.float64)
        places = np.quantile(numbers, [0.5, 0.25, 0.75]) if known else [np.nan] * 3
        yield row | dict(zip(_COLUMNS[-3:], map(float, places), strict=True))
    elif len(label.levels) > MOST_LEVELS:
        yield row
    for level in label.levels if len(label.levels) <= MOST_LEVELS else ():
        yield row | _share(level, int((values == level).sum()), known)
    if label.events is not None:
        events = label.events.reindex(values.index)
        yield row | _share(EVENT, int(events.eq(other=True).sum()), known)


def _share(value: str, count: int, known: int) -> dict[str, Any]:
    return {"value": value, "count": count, "percent": 100 * count / known if known else np.nan}
