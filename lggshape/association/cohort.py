"""Table 1: who was studied, by level of each tested label.

It has no p-values. Tests of who differs in a description answer no question that was asked; STROBE
advises against them.

References
----------
Vandenbroucke JP, von Elm E, Altman DG, et al. Strengthening the Reporting of Observational Studies
in Epidemiology (STROBE): explanation and elaboration. PLoS Medicine 4 (2007) e297, item 14.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.labels import Kind, Label, Labels

Chosen = NDArray[np.bool_]
"""Whether each patient is in a group."""

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
    characteristics = _characteristics(labels, used)
    rows = []
    for masks, group in features.groupby("masks", sort=False):
        everyone = pd.Index(group["patient"])
        described = [_Described.of(label, everyone) for label in characteristics]
        rows += [
            {"masks": masks, "by": by, "level": level, "patients": int(chosen.sum())} | row
            for by, level, chosen in _groups(everyone, used)
            if chosen.any()
            for one in described
            for row in one.rows(chosen)
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


def _groups(everyone: pd.Index, used: Mapping[str, Label]) -> Iterator[tuple[str, str, Chosen]]:
    """Yield all patients, then those of each level of each label and those without it, if any."""
    yield "", "", np.ones(len(everyone), dtype=bool)
    for name, label in used.items():
        if not label.levels:
            continue
        values = label.values.reindex(everyone)
        places = _places(values, label)
        for place, level in enumerate(label.levels):
            yield name, level, places == place
        without = values.isna().to_numpy(bool)
        if label.population is not None:
            without = without & everyone.isin(list(label.population))
        yield name, "", without


def _places(values: pd.Series, label: Label) -> NDArray[np.intp]:
    """Return the place of each value among the levels of its label; -1 if it is missing."""
    return pd.Index(label.levels).get_indexer(pd.Index(values))


class _Described(NamedTuple):
    """A characteristic of all patients, as arrays: they are divided into many groups."""

    label: Label
    known: Chosen
    values: NDArray[Any]
    """Numbers, or places among the levels of the label."""
    events: Chosen | None

    @classmethod
    def of(cls, label: Label, everyone: pd.Index) -> "_Described":
        found = label.values.reindex(everyone)
        known = found.notna().to_numpy(bool)
        values = (
            _places(found, label) if label.levels else found.to_numpy(np.float64, na_value=np.nan)
        )
        events = None
        if label.events is not None:
            events = known & label.events.reindex(everyone).eq(other=True).to_numpy(bool)
        return cls(label, known, values, events)

    def rows(self, chosen: Chosen) -> Iterator[dict[str, Any]]:
        """Yield the rows of a group of patients."""
        label, there = self.label, chosen & self.known
        known = int(there.sum())
        row: dict[str, Any] = {
            "characteristic": label.name,
            "value": "",
            "known": known,
            "missing": int(chosen.sum()) - known,
        }
        if not label.levels:
            quartiles = (
                np.quantile(self.values[there], [0.5, 0.25, 0.75]) if known else [np.nan] * 3
            )
            yield row | dict(zip(_COLUMNS[-3:], map(float, quartiles), strict=True))
        elif len(label.levels) > MOST_LEVELS:
            yield row
        else:
            counts = np.bincount(self.values[there], minlength=len(label.levels))
            for level, count in zip(label.levels, counts.tolist(), strict=True):
                yield row | _share(level, count, known)
        if self.events is not None:
            yield row | _share(EVENT, int((chosen & self.events).sum()), known)


def _share(value: str, count: int, known: int) -> dict[str, Any]:
    return {"value": value, "count": count, "percent": 100 * count / known if known else np.nan}
