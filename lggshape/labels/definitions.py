"""Labels that are stated: levels merged or put in order, kinds, survival of two columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.labels.codebook import Kind
from lggshape.labels.kinds import EVENTS
from lggshape.labels.labels import Label, Labels, level_order
from lggshape.labels.populations import (
    Conditions,
    alike,
    among,
    are_values,
    cell_text,
    check_conditions,
    in_words,
    listed,
    meeting,
    value_counts,
)
from lggshape.names import first_few, or_list

_STATED = (Kind.NOMINAL, Kind.ORDINAL, Kind.CONTINUOUS, Kind.SURVIVAL)
_WORDS = {kind.value: kind for kind in _STATED} | {"categorical": Kind.NOMINAL}

StatedLevels = Mapping[str, Sequence[Any]] | Sequence[Any]
"""Levels in their order, or for each level the values that count as it."""

_LISTED = 60
"""So many values that `rest` takes are named."""


@dataclass(frozen=True)
class LabelDefinition:
    """A label that is made from the columns of label tables.

    Attributes
    ----------
    name : str
        What hypotheses call it.
    column : str, optional
        The column with its values, or `table:column`; by default the one of its name.
    kind : str, optional
        "nominal" (or "categorical"), "ordinal", "continuous" or "survival". By default that of the
        column; "ordinal" if `levels` is a list, "survival" if there is a `time`.
    levels : mapping or sequence, optional
        The values in their order; or, for each level in order, the values that count as it. Case
        and blanks do not matter.
    rest : str, optional
        The level of all values that are in neither `levels` nor `missing`. Which values it took is
        one of the `notes` of the label.
    missing : sequence, optional
        Values that count as missing.
    time, event : str, optional
        The columns of survival: the time, and whether the event has happened by then.
    event_is : value or sequence, optional
        The value or values of `event` that are the event; all others mean that it has not happened.
        Without it the values are 1 and 0, true and false, yes and no, dead and alive, deceased and
        living, or event and censored.
    where : mapping, optional
        Who is asked: for each label, the value or values that a patient may have. Several labels
        have to be met together. All others, also those without a value, are not asked.

    Examples
    --------
    >>> from lggshape.labels import read_labels
    >>> table = pd.DataFrame({"patient": ["a", "b"], "idh": ["R132H", "wild"]})
    >>> idh = LabelDefinition("IDH", "idh", levels={"mutant": ["R132H"], "wild type": ["wild"]})
    >>> define_labels([idh], read_labels(table))["IDH"].values.to_dict()
    {'a': 'mutant', 'b': 'wild type'}
    """

    name: str
    column: str | None = None
    kind: str | None = None
    levels: StatedLevels | None = field(default=None, hash=False)
    rest: str | None = None
    missing: Sequence[Any] = field(default=(), hash=False)
    time: str | None = None
    event: str | None = None
    event_is: Any = field(default=None, hash=False)
    where: Conditions | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        texts = ("name", "column", "kind", "rest", "time", "event")
        wrong = [
            f"{key} = {getattr(self, key)!r}"
            for key in texts
            if not isinstance(getattr(self, key) or "", str)
        ]
        if wrong or not self.name:
            msg = (
                "Expected a label to have a `name`, and texts for `column`, `kind`, `rest`, `time` "
                f"and `event`, found {' and '.join(wrong) or 'no `name`'}."
            )
            raise InputError(msg)
        if self.kind is not None and self.kind not in _WORDS:
            msg = f"Expected the kind of {self.name} to be {or_list(_WORDS)}, found {self.kind!r}."
            raise InputError(msg)
        is_list = isinstance(self.missing, Sequence) and not isinstance(self.missing, str)
        if not is_list or not are_values(self.missing):
            msg = f"Expected `missing` of {self.name} to be a list, found {self.missing!r}."
            raise InputError(msg)
        check_conditions(self.name, self.where)
        self._check_survival()
        self._check_levels()

    def _check_survival(self) -> None:
        both = self.time is not None and self.event is not None
        is_survival = both or self.kind == Kind.SURVIVAL.value
        if (self.time is None) != (self.event is None) or is_survival != both:
            msg = (
                f"Expected the survival {self.name} to have a `time` and an `event`, each the name "
                f"of a column, found time = {self.time!r} and event = {self.event!r}."
            )
            raise InputError(msg)
        if self.event_is is not None and not both:
            msg = f"Expected `event_is` of {self.name} beside `time` and `event`, found it alone."
            raise InputError(msg)
        stated = [True] if self.event_is is None else listed(self.event_is)
        if not stated or not are_values(stated):
            msg = (
                f"Expected `event_is` of {self.name} to be a value of the column of events, or a "
                f"list of values, found {self.event_is!r}."
            )
            raise InputError(msg)
        kind = None if self.kind == Kind.SURVIVAL.value else self.kind
        others = [self.column, self.levels, self.rest, kind]
        if both and any(other is not None for other in others):
            msg = (
                f"Expected the survival {self.name} to have only `time`, `event`, `event_is` and "
                "`missing`, found `column`, `levels`, `rest` or another `kind`."
            )
            raise InputError(msg)

    def _check_levels(self) -> None:
        if self.rest == "" or (self.rest is not None and self.levels is None):
            msg = (
                f"Expected `rest` of {self.name} to be a level, beside `levels`, found "
                f"{self.rest!r}{'' if self.levels else ' alone'}."
            )
            raise InputError(msg)
        if self.levels is None:
            return
        is_list = isinstance(self.levels, Sequence) and not isinstance(self.levels, str)
        values = self._values() if is_list or isinstance(self.levels, Mapping) else {}
        flat = [value for several in values.values() for value in several]
        if not values or not all(map(len, values.values())) or not are_values(flat):
            msg = (
                f"Expected `levels` of {self.name} to be a list of values in their order, or lists "
                "of values by level, as {mutant = [...], wildtype = [...]}, found "
                f"{self.levels!r}."
            )
            raise InputError(msg)
        level_of: dict[str, str] = {}
        for level, several in values.items():
            for value in several:
                if level_of.setdefault(alike(value), level) != level:
                    msg = (
                        f"Expected every value in one level of {self.name}, found {value!r} in "
                        "two. Values that differ in case or blanks alone are the same."
                    )
                    raise InputError(msg)
        if self.kind == Kind.CONTINUOUS.value:
            msg = f"Expected no `levels` for the continuous label {self.name}, found some."
            raise InputError(msg)

    def _values(self) -> dict[str, Sequence[Any]]:
        """Return the values of each level."""
        if isinstance(self.levels, Mapping):
            return {str(level): listed(several) for level, several in self.levels.items()}
        return {cell_text(value): [value] for value in self.levels or ()}

    def define(self, labels: Labels) -> Label:
        """Return the label, made from the columns of label tables.

        Raises
        ------
        InputError
            If a column is not there, or holds what the definition does not allow.
        """
        if self.where is None:
            return self._of(labels)
        asked, undecided = meeting(self.name, self.where, labels)
        return replace(
            self._of(labels, asked),
            where=in_words(self.where), population=asked, undecided=undecided,
        )  # fmt: skip

    def _of(self, labels: Labels, asked: frozenset[str] | None = None) -> Label:
        """Return the label of the patients who are asked."""
        if self.time is not None and self.event is not None:
            time, event = (labels[name] for name in (self.time, self.event))
            # A stated event has to occur, though not in every subgroup.
            event = event if self.event_is is not None else among(event, asked)
            happened = self._happened(event.name, self._known(_cells(event)))
            return self._survival(among(time, asked), event, happened)
        whole = labels[self.column or self.name]
        self._check_listed(whole)
        column = among(whole, asked)
        cells = self._known(_cells(column))
        kind = self._kind(column)
        if self.levels is not None:
            return self._with_levels(column, cells, kind)
        if kind is Kind.CONTINUOUS:
            return Label(self.name, kind, _numbers(self.name, cells), (), column.sources)
        if kind is Kind.ORDINAL and not column.published:
            numbers = pd.to_numeric(cells, errors="coerce")
            if numbers.isna().any():
                msg = (
                    f"Expected the ordinal label {self.name} to be numbers, or its order to be "
                    f"stated, found {value_counts(cells)}. Write the order as `levels = [...]`."
                )
                raise InputError(msg)
        levels = level_order(cells, column.published) if kind.has_levels else ()
        values = cells if kind.has_levels else column.values.loc[cells.index]
        return Label(
            self.name, kind, values.rename(self.name), levels, column.sources, column.published
        )

    def _known(self, cells: "pd.Series[str]") -> "pd.Series[str]":
        """Return cells without those that count as missing."""
        return cells[~cells.map(alike).isin([alike(word) for word in self.missing])]

    def _kind(self, column: Label) -> Kind:
        if self.kind is not None:
            return _WORDS[self.kind]
        if self.levels is None:
            return column.kind
        if not isinstance(self.levels, Mapping):
            return Kind.ORDINAL
        return column.kind if column.kind is Kind.ORDINAL else Kind.NOMINAL

    def _with_levels(self, column: Label, cells: "pd.Series[str]", kind: Kind) -> Label:
        values = self._values()
        level_of = {alike(one): level for level, several in values.items() for one in several}
        unknown = cells[~cells.map(alike).isin(list(level_of))]
        if len(unknown) and self.rest is None:
            msg = (
                f"Expected every value of {column.name} to be in `levels` or `missing` of the "
                f"label {self.name}, found {value_counts(unknown)}. Values that count as missing "
                "are listed in `missing = [...]` of a [[label]]; `rest` of a [[label]] names the "
                "level of all values that are not listed."
            )
            raise InputError(msg)
        named = cells.map(alike).map(level_of).fillna(self.rest or "").rename(self.name)
        order = tuple(dict.fromkeys([*values, *([] if self.rest is None else [self.rest])]))
        taken = f"{self.name}: counted as {self.rest}: {value_counts(unknown, _LISTED)}"
        return Label(
            self.name, kind, named, level_order(named, order), column.sources, order,
            notes=(taken,) if len(unknown) else (),
        )  # fmt: skip

    def _check_listed(self, column: Label) -> None:
        """Refuse a misspelt value beside `rest`, which would take the one that was meant."""
        cells = _cells(column)
        known = set(cells.map(alike))
        absent = [one for several in self._values().values() for one in several]
        absent = [str(one) for one in absent if self.rest is not None and alike(one) not in known]
        if absent:
            msg = (
                f"Expected every value in `levels` of {self.name} to occur in {column.name}, as "
                f"`rest` takes all others, found no {first_few(absent)}; the values are: "
                f"{value_counts(cells)}."
            )
            raise InputError(msg)

    def _survival(self, time: Label, event: Label, happened: "pd.Series[bool]") -> Label:
        numbers = _numbers(time.name, self._known(_cells(time)))
        if (numbers < 0).any():
            found = f"{numbers.min():g} for patient {numbers.idxmin()}"
            msg = f"Expected {time.name} to hold times from 0, found {found}."
            raise InputError(msg)
        both = numbers.index.intersection(happened.index, sort=False)
        sources = tuple(dict.fromkeys((*time.sources, *event.sources)))
        return Label(
            self.name, Kind.SURVIVAL, numbers.loc[both].rename(self.name), (), sources,
            events=happened.loc[both],
        )  # fmt: skip

    def _happened(self, name: str, events: "pd.Series[str]") -> "pd.Series[bool]":
        words = events.map(alike)
        if self.event_is is not None:
            for one in listed(self.event_is):
                if alike(one) not in set(words):
                    msg = (
                        f"Expected `event_is` to be a value of {name}, found {one!r}; the values "
                        f"are: {value_counts(events)}."
                    )
                    raise InputError(msg)
            return words.isin([alike(one) for one in listed(self.event_is)])
        unknown = events[~words.isin(list(EVENTS))]
        if len(unknown):
            msg = (
                f"Expected {name} to tell events by 1 and 0, true and false, yes and no, dead and "
                "alive, deceased and living, or event and censored, found "
                f'{value_counts(unknown)}. Write the value that is the event as `event_is = "..."`.'
            )
            raise InputError(msg)
        return words.map(EVENTS).astype(bool)


def define_labels(definitions: Iterable[LabelDefinition], labels: Labels) -> Labels:
    """Return labels with those that are defined from their columns.

    Parameters
    ----------
    definitions : iterable of LabelDefinition
        The definitions.
    labels : Labels
        The labels of the tables.

    Returns
    -------
    Labels
        In which the name of a definition stands for the label that it makes. A definition with
        `where` may build on those without.

    Raises
    ------
    InputError
        If a column is not there, or holds what the definition does not allow.

    Examples
    --------
    >>> from lggshape.labels import read_labels
    >>> table = pd.DataFrame({"patient": ["a", "b"], "days": [300, 20], "dead": ["yes", "no"]})
    >>> survival = LabelDefinition("survival", time="days", event="dead")
    >>> define_labels([survival], read_labels(table))["survival"]
    Label('survival' of 2 patients, survival, 1 event)
    """
    stated = list(definitions)
    whole = [one for one in stated if one.where is None]
    asked = {one.name: one.where for one in stated if one.where is not None}
    known = labels.with_defined({one.name: one.define(labels) for one in whole})
    for name, where in asked.items():
        # Under its own name, a label that is asked of some means the column of the tables.
        if nested := [one for one in where if one in asked and (one != name or one not in known)]:
            msg = (
                f"Expected `where` of {name} to name labels of all patients, found {nested[0]}, "
                "which has a `where` itself. State all conditions in one `where`."
            )
            raise InputError(msg)
    restricted = {one.name: one.define(known) for one in stated if one.where is not None}
    return known.with_defined(restricted)


def _cells(column: Label) -> "pd.Series[str]":
    return column.values.map(cell_text).astype(str)


def _numbers(name: str, cells: "pd.Series[str]") -> "pd.Series[float]":
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    words = cells[~np.isfinite(numbers)]
    if len(words):
        msg = (
            f"Expected {name} to hold numbers, found {value_counts(words)}. Write numbers alone, "
            "without units; words for a missing value belong in `missing = [...]`."
        )
        raise InputError(msg)
    return numbers
