"""Hypotheses as data: which feature is tested against which label, in which family."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from html import escape
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lggshape.association.registry import check_test
from lggshape.errors import InputError
from lggshape.files import read_toml, shipped_files
from lggshape.labels import LabelDefinition, StatedLevels
from lggshape.names import did_you_mean, repeated


@dataclass(frozen=True)
class Hypothesis:
    """A feature is associated with a label.

    Attributes
    ----------
    feature : str
        Column of the feature table, or the symbol of one of lggshape's features.
    label : str
        Column of the label tables, or `table:column`, or the name of a label that the family
        defines. Of survival, what it is called; by default the name of `time`.
    higher_in : str or None
        The level in which the more irregular shapes are expected, if a direction was stated.
    reported_below : float or None
        The bound under which the study that stated the hypothesis reports its p.
    levels : mapping or sequence, optional
        The values of the label in their order; or, for each level in order, the values that count
        as it. As for `LabelDefinition`.
    time, event : str, optional
        The columns of survival: the time, and whether the event has happened by then.
    event_is : value or sequence, optional
        The value or values of `event` that are the event, if they are none of the usual words.
    where : mapping, optional
        Who is asked: for each label, the values that a patient may have. As for `LabelDefinition`.
    """

    feature: str
    label: str = ""
    higher_in: str | None = None
    reported_below: float | None = None
    levels: StatedLevels | None = field(default=None, hash=False)
    time: str | None = None
    event: str | None = None
    event_is: Any = field(default=None, hash=False)
    where: Mapping[str, Any] | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        """Refuse what is no text, and a bound that is no probability."""
        if not self.label and isinstance(self.time, str):
            object.__setattr__(self, "label", self.time)
        texts = {key: getattr(self, key) for key in ("feature", "label", "higher_in")}
        wrong = [f"{key} = {one!r}" for key, one in texts.items() if not isinstance(one or "", str)]
        lacking = [f"no `{key}`" for key in ("feature", "label") if not texts[key]]
        if wrong or lacking:
            msg = (
                "Expected a hypothesis to have a `feature` and a `label` (or `time` and `event`), "
                "and texts for these and for `higher_in`, found "
                f"{' and '.join(wrong or lacking)} in {self._stated()}."
            )
            raise InputError(msg)
        bound = 1 if self.reported_below is None else self.reported_below
        if not _is_number(bound) or not 0 < bound <= 1:
            msg = f"Expected `reported_below` to be a number up to 1, found {bound!r}."
            raise InputError(msg)
        _ = self.definition

    def _stated(self) -> str:
        """Return what was stated of the hypothesis, to name it in a message."""
        stated = {key: one for key, one in vars(self).items() if one not in (None, "")}
        return ", ".join(f"{key} = {one!r}" for key, one in stated.items()) or "an empty one"

    @property
    def definition(self) -> LabelDefinition | None:
        """The label as the hypothesis defines it; None if it only names one."""
        stated = (self.levels, self.time, self.event, self.event_is, self.where)
        if all(one is None for one in stated):
            return None
        return LabelDefinition(
            self.label, levels=self.levels, time=self.time, event=self.event,
            event_is=self.event_is, where=self.where,
        )  # fmt: skip


class ReportedAUC(NamedTuple):
    """One-vs-rest areas under the curve that a publication reports, by level."""

    feature: str
    label: str
    masks: str
    values: Mapping[str, float]


MOST_HYPOTHESES = 10_000
"""The most hypotheses of a family: more would take hours, and nobody could read the report."""


class LeftOut(NamedTuple):
    """A feature, label or hypothesis that is not tested, and why."""

    what: str
    name: str
    reason: str


@dataclass(frozen=True, repr=False)
class Family:
    """The hypotheses that a correction for multiple testing covers together.

    Attributes
    ----------
    name : str
        Name of the family, given beside every corrected p.
    title : str
        What is asked, as the heading of a report.
    hypotheses : tuple of Hypothesis
        In the order in which they are reported.
    alpha : float
        The error rate that the whole family is to keep.
    reference : str or None
        The publication that the hypotheses come from.
    reported_test, reported_bins : str and int
        The test, and the number of quantile bins, that the bounds of that publication come from.
    reported_aucs : tuple of ReportedAUC
        The areas under the curve that it reports.
    notes : tuple of str
        What a reader of the results has to know, as the limits of a report say it.
    left_out : tuple of LeftOut
        What was considered and is not tested.
    labels : tuple of LabelDefinition
        Labels that the hypotheses name and that are made from the columns of the tables.

    Examples
    --------
    >>> Family("mine", "Grade and shape", (Hypothesis("MF", "grade"),))
    Family('mine', 1 hypothesis)
    """

    name: str
    title: str
    hypotheses: tuple[Hypothesis, ...]
    alpha: float = 0.05
    reference: str | None = None
    reported_test: str = "fisher"
    reported_bins: int = 4
    reported_aucs: tuple[ReportedAUC, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    labels: tuple[LabelDefinition, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an impossible error rate, a test that there is not, and a doubled hypothesis."""
        if not _is_number(self.alpha) or not 0 < self.alpha < 1:
            msg = f"Expected alpha to be a number between 0 and 1, found {self.alpha!r}."
            raise InputError(msg)
        check_test("reported_test", self.reported_test)
        bins = self.reported_bins
        if not isinstance(bins, int) or isinstance(bins, bool) or bins < 2:
            msg = f"Expected reported_bins to be a whole number of at least 2, found {bins!r}."
            raise InputError(msg)
        if len(self.hypotheses) > MOST_HYPOTHESES:
            msg = (
                f"Expected at most {MOST_HYPOTHESES} hypotheses in a family, found "
                f"{len(self.hypotheses)}. Name fewer in a TOML file, or leave columns out of the "
                "tables."
            )
            raise InputError(msg)
        if pairs := repeated((h.feature, h.label) for h in self.hypotheses):
            msg = f"Expected every hypothesis once, found {' x '.join(pairs[0])} twice."
            raise InputError(msg)
        _ = self.definitions

    @property
    def definitions(self) -> tuple[LabelDefinition, ...]:
        """The labels that the family or its hypotheses define, each once."""
        found: dict[str, LabelDefinition | None] = {}
        stated = [(one.name, one) for one in self.labels]
        names = [name for name, _ in stated]
        if doubled := repeated(names):
            msg = f"Expected every label once, found a second [[label]] named {doubled[0]}."
            raise InputError(msg)
        by_hypotheses = [(one.label, one.definition) for one in self.hypotheses]
        for name, one in (*stated, *by_hypotheses):
            if one is None and name in names:
                continue
            if name in found and found[name] != one:
                msg = (
                    f"Expected the label {name} to be the same in all hypotheses, found that only "
                    "some state its levels, time, event or where, or not the same ones. State them "
                    f'once, in a [[label]] with name = "{name}", or give each its own `label`.'
                )
                raise InputError(msg)
            found[name] = one
        return tuple(one for one in found.values() if one is not None)

    def __repr__(self) -> str:
        count = len(self.hypotheses)
        return f"Family({self.name!r}, {count} {'hypothesis' if count == 1 else 'hypotheses'})"

    def _repr_html_(self) -> str:
        columns = ["feature", "label", "higher_in", "reported_below"]
        table = pd.DataFrame([vars(h) for h in self.hypotheses], columns=columns)
        shown = table.dropna(axis="columns", how="all").to_html(
            index=False, border=0, na_rep="", max_rows=60
        )
        return f"<p><b>{escape(self.title)}</b>, {escape(repr(self))}</p>{shown}"

    @property
    def reported_bounds(self) -> dict[tuple[str, str], float | None]:
        """The bound of p that the publication reports, by feature and label."""
        return {(h.feature, h.label): h.reported_below for h in self.hypotheses}


_KEYS = {
    "name", "title", "alpha", "reference", "reported_test", "reported_bins", "notes", "hypothesis",
    "auc", "label",
}  # fmt: skip
_OPTIONS = {"adjust", "within", "test", "bins"}
"""What is stated of all hypotheses, and not in the file."""

_TEXTS = ("name", "title", "reference")
_A_HYPOTHESIS = "a hypothesis"


def read_family(path: str | os.PathLike[str]) -> Family:
    """Read a family of hypotheses from a TOML file.

    Parameters
    ----------
    path : path
        `name`, `title`, `alpha`, `reference`, `reported_test`, `reported_bins` and `notes`, all
        optional, a [[hypothesis]] with `feature` and `label` for each hypothesis, any [[label]]
        with the keys of `LabelDefinition`, and any [[auc]]. Those of `lggshape/studies/` are
        examples.

    Returns
    -------
    Family
        What the file says.

    Raises
    ------
    InputError
        If it cannot be read, lacks something, has a key that has no meaning, or states a
        hypothesis twice.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "mine.toml")
    ...     _ = file.write_text('hypothesis = [{feature = "MF", label = "grade"}]')
    ...     read_family(file)
    Family('mine', 1 hypothesis)
    """
    return _family(read_toml(path), name=Path(path).stem, where=str(path))


def shipped_families() -> dict[str, Family]:
    """Read the families of hypotheses of the bundled studies.

    Returns
    -------
    dict of str to Family
        By the name of the study.

    Examples
    --------
    >>> {family.alpha for family in shipped_families().values()}
    {0.05}
    """
    return {
        study: _family(read_toml(content), name=study, where=f"the study {study}")
        for study, content in shipped_files("hypotheses.toml").items()
    }


def _family(content: Mapping[str, Any], *, name: str, where: str) -> Family:
    try:
        return _family_of(content, name)
    except InputError as error:
        msg = f"{where}: {error}"
        raise InputError(msg) from error


def _family_of(content: Mapping[str, Any], name: str) -> Family:
    _check_keys(content, _KEYS, "a family")
    entries, aucs, labels = (content.get(key, []) for key in ("hypothesis", "auc", "label"))
    if not entries or not all(isinstance(several, list) for several in (entries, aucs, labels)):
        msg = "Expected one [[hypothesis]] or more, and any [[label]] and [[auc]] in a list."
        raise InputError(msg)
    for key in _TEXTS:
        if not isinstance(content.get(key, ""), str):
            msg = f"Expected {key} to be text, found {content[key]!r}."
            raise InputError(msg)
    notes = content.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        msg = f"Expected notes to be a list of texts, found {notes!r}."
        raise InputError(msg)
    optional = {
        key: content[key]
        for key in ("alpha", "reference", "reported_test", "reported_bins")
        if key in content
    }
    return Family(
        name=content.get("name", name),
        title=content.get("title", content.get("name", name)),
        hypotheses=tuple(_hypothesis(entry) for entry in entries),
        reported_aucs=tuple(_reported_auc(entry) for entry in aucs),
        notes=tuple(notes),
        labels=tuple(_label(entry) for entry in labels),
        **optional,
    )


def _hypothesis(entry: Any) -> Hypothesis:
    _check_keys(entry, {one.name for one in fields(Hypothesis)}, _A_HYPOTHESIS)
    return Hypothesis(**{"feature": ""} | entry)


def _label(entry: Any) -> LabelDefinition:
    _check_keys(entry, {one.name for one in fields(LabelDefinition)}, "a label")
    return LabelDefinition(**{"name": ""} | entry)


def _reported_auc(entry: Any) -> ReportedAUC:
    _check_keys(entry, {"feature", "label", "masks", "values"}, "an auc")
    match entry:
        case {"feature": str(), "label": str(), "masks": str(), "values": dict(values)}:
            if all(_is_number(value) and 0 <= value <= 1 for value in values.values()):
                return ReportedAUC(**entry)
    msg = (
        "Expected an [[auc]] with the texts feature, label and masks, and values from 0 to 1 by "
        f"level, found {entry}."
    )
    raise InputError(msg)


def _check_keys(entry: Any, known: set[str], what: str) -> None:
    unknown: Sequence[str] = sorted(set(entry) - known) if isinstance(entry, Mapping) else [entry]
    if unknown:
        of_label = {one.name for one in fields(LabelDefinition)}.intersection(unknown)
        advice = _advice(what, unknown[0], in_label=bool(of_label)) or did_you_mean(
            str(unknown[0]), known
        )
        msg = (
            f"Expected {what} to have only the keys {', '.join(sorted(known))}, found "
            f"{', '.join(map(str, unknown))}.{advice}"
        )
        raise InputError(msg)


def _advice(what: str, key: Any, *, in_label: bool) -> str:
    """Return where a key belongs, if it belongs elsewhere."""
    if key in _OPTIONS:
        return f" That is stated with --{key} ({key}= in Python)."
    if what == _A_HYPOTHESIS and in_label:
        return " That belongs in a [[label]], which the hypothesis names."
    if what == _A_HYPOTHESIS and key in _KEYS:
        return " That belongs at the top of the file, before the first [[hypothesis]]."
    return ""


def _is_number(value: Any) -> bool:
    """Whether a value is a number, whole or not; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)
