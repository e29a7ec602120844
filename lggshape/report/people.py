"""The patients of a report: their panels, their points in the figures, and whose mask to doubt."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from lggshape.labels import Label
from lggshape.names import counted, natural_key
from lggshape.report import wording
from lggshape.report.blocks import Block, PatientPanels, Section, Text
from lggshape.report.patient_picture import Picture, draw_portrait
from lggshape.shape.portrait import Portrait

_T = TypeVar("_T")

PAGE = "report.html"

SIZES = ("volume", "components", "slices", "largest_area")
"""Features that a panel shows besides the tested ones, as far as the table has them."""

MOST_PANELS = 500
"""A report shows at most this many patients one by one, those whose masks are most in doubt."""

_KEYS = ("case", "patient", "masks", "reason")

_GOOD_DICE, _FEW_COMPONENTS = 0.8, 1
"""A Dice below, or more components, are named among the reasons for doubt."""

NO_PORTRAITS: Mapping[str, Portrait] = MappingProxyType({})
NO_CHECKS: Mapping[str, Mapping[str, str]] = MappingProxyType({})


class Value(NamedTuple):
    """A feature of a patient, and its place in the cohort."""

    masks: str
    feature: str
    value: str
    place: str
    share: str
    """Per cent of the others that are lower."""


class Panel(NamedTuple):
    """What a report shows of one patient.

    Attributes
    ----------
    name, anchor : str
        The patient, and where the panel is.
    picture : Picture or None
        The outlines and what is measured on them.
    values : sequence of Value
        The features.
    labels : sequence of (str, str)
        The labels.
    expected, check, check_reason, dice : str
        The Dice to expect, what the check of the mask found, and the Dice of two masks.
    doubt : str
        Why to look at the mask; empty if nothing speaks against it.
    """

    name: str
    anchor: str
    picture: Picture | None
    values: Sequence[Value]
    labels: Sequence[tuple[str, str]]
    expected: str
    check: str
    check_reason: str
    dice: str
    doubt: str

    def value(self, feature: str, masks: str) -> str:
        """Return a feature as text, "—" if it is missing."""
        key = (masks, feature)
        return next((one.value for one in self.values if (one.masks, one.feature) == key), "—")


class People:
    """The patients of a feature table.

    Parameters
    ----------
    features : DataFrame
        `case`, `patient` and `masks`, and the features as columns.
    labels : mapping of str to Label
        The labels that panels show.
    tested : sequence of str
        The features that panels show first.
    portraits : mapping of str to Portrait
        What is drawn, by case.
    checks : mapping of str to mapping of str to str
        What is known about the masks, by case: `expected_dice`, `check` and `check_reason`.
    dice : sequence of str
        Features that are the Dice with a reference: the patients with the lowest come first. Else
        those come first whose masks are most in doubt.
    key : str
        What the patients are called by: "patient", or "case" if they have several.
    """

    def __init__(
        self,
        features: pd.DataFrame,
        labels: Mapping[str, Label],
        tested: Sequence[str],
        portraits: Mapping[str, Portrait] = NO_PORTRAITS,
        checks: Mapping[str, Mapping[str, str]] = NO_CHECKS,
        *,
        dice: Sequence[str] = (),
        key: str = "patient",
    ) -> None:
        self._labels = labels
        self._shown = [
            name for name in dict.fromkeys([*tested, *SIZES]) if name in features.columns
        ]
        kept = [*_KEYS, *self._shown, *dice]
        # A copy lies together in memory, from where rows are taken many times as fast.
        chosen = [name for name in dict.fromkeys(kept) if name in features.columns]
        self._features = features[chosen].reset_index(drop=True).copy()
        self._every = features
        self._portraits, self._checks = portraits, checks
        self._dice, self._key = list(dice), key
        self.anchors = _anchors(sorted(self._rows, key=natural_key))

    @property
    def targets(self) -> dict[str, str]:
        """Where the points of patients lead, from a figure beside the page."""
        return {name: f"../{PAGE}#{anchor}" for name, anchor in self.anchors.items()}

    def titles(self, feature: str, masks: str, label: str = "") -> dict[str, str]:
        """Return what points of a feature tell when they are pointed at, by where they lead."""
        rows = self._every.loc[self._every["masks"] == masks, ["patient", feature]]
        rows = rows[rows["patient"].astype(str).isin(self.anchors.keys())]
        found = {}
        for name, value in zip(rows["patient"].astype(str), rows[feature], strict=True):
            parts = [f"{wording.symbol(feature)} {_number(value)}"]
            if label:
                parts.append(f"{label} {self._label(label, name)}")
            found[f"#{self.anchors[name]}"] = f"{name}: {', '.join(parts)}"
        return found

    def section(self) -> Section:
        """Return the section with all patients, those with the most doubtful masks first."""
        drawn = [panel for panel in self._panels if panel.picture is not None]
        several = len(self._kinds) > 1
        what = (
            "Outlines and numbers of each patient; the page holds no pixels of images."
            if drawn and all(panel.picture and not panel.picture.image for panel in drawn)
            else "Images, outlines and numbers of each patient. Images of patients are personal "
            "data: pass this file on only where their consent, the law and the licence of the data "
            "allow it."
            if drawn
            else "The numbers of each patient. The outlines are shown, too, if the report is "
            "written with the masks at hand."
        )
        order = (
            "The lowest Dice come first."
            if self._dice
            else "The masks that are most in doubt come first: by the Dice to expect, the "
            "agreement of two masks, the number of components, and the volume."
        )
        total = self._features["patient"].nunique()
        first = (
            f" These are the first {MOST_PANELS} of {total}; the points of the others lead nowhere."
            if total > MOST_PANELS
            else ""
        )
        blocks: list[Block] = [
            Text(
                f"{what} A point in a figure leads to the patient's panel, and the patient is "
                f"marked in all figures. {order}{first}"
            ),
            PatientPanels(
                self._panels,
                self._columns(several=several),
                is_drawn=bool(drawn),
                is_checked=any(panel.check for panel in self._panels),
                is_compared=any(panel.dice != "—" for panel in self._panels),
                key=self._key,
            ),
        ]
        return Section("people", "Patient by patient", blocks)

    @property
    def _kinds(self) -> list[str]:
        return list(dict.fromkeys(self._features["masks"]))

    def _columns(self, *, several: bool) -> list[tuple[str, str, str]]:
        """Return the features of the table of all patients: title, feature and kind of mask."""
        return [
            (f"{wording.symbol(name)}{f', {masks}' if several else ''}", name, masks)
            for name in self._shown
            for masks in self._kinds
        ]

    @cached_property
    def _rows(self) -> dict[str, pd.DataFrame]:
        """The rows of the patients who are shown, those with the most doubtful masks first."""
        features = self._features
        places = features.groupby(features["patient"].astype(str), sort=False).indices
        rows = {str(name): features.iloc[found] for name, found in places.items()}
        doubt = {name: self._doubt(name, own) for name, own in rows.items()}
        return {name: rows[name] for name in sorted(doubt, key=doubt.__getitem__)[:MOST_PANELS]}

    def _doubt(self, name: str, rows: pd.DataFrame) -> tuple[Any, ...]:
        """Return what patients are ordered by: the smaller, the more doubtful the mask."""
        portrait, check = self._known(rows)
        return self._lowest(rows), *_order(rows, portrait, check), natural_key(name)

    def _known(self, rows: pd.DataFrame) -> tuple[Portrait | None, Mapping[str, str]]:
        """Return what is drawn of a patient, and what is known about their mask."""
        return _first(self._portraits, rows["case"]), _first(self._checks, rows["case"]) or {}

    @cached_property
    def _panels(self) -> list[Panel]:
        by_masks = self._features.groupby("masks", sort=False)[self._shown]
        ranks, counts = by_masks.rank(method="min"), by_masks.transform("count")
        return [
            self._panel(
                name, rows, list(self._values(rows, ranks.loc[rows.index], counts.loc[rows.index]))
            )
            for name, rows in self._rows.items()
        ]

    def _panel(self, name: str, rows: pd.DataFrame, values: Sequence[Value]) -> Panel:
        portrait, check = self._known(rows)
        dice = math.nan if portrait is None else portrait.dice
        return Panel(
            name,
            self.anchors[name],
            None if portrait is None else draw_portrait(portrait),
            values,
            [(label, self._label(label, name)) for label in self._labels],
            _number(check.get("expected_dice")),
            check.get("check", ""),
            check.get("check_reason", ""),
            _number(dice),
            "; ".join(_doubts(rows, self._shown, dice, self._lowest(rows), check)),
        )

    def _lowest(self, rows: pd.DataFrame) -> float:
        """Return the lowest Dice with a reference; infinity if none is known."""
        lowest = rows[self._dice].min().min()
        return math.inf if pd.isna(lowest) else float(lowest)

    def _values(
        self, rows: pd.DataFrame, ranks: pd.DataFrame, counts: pd.DataFrame
    ) -> Iterator[Value]:
        for name in self._shown:
            columns = (table[name] for table in (rows, ranks, counts))
            for masks, value, rank, known in zip(rows["masks"], *columns, strict=True):
                if math.isnan(rank):
                    yield Value(masks, name, "—", "—", "")
                    continue
                share = 0.0 if known < 2 else 100 * (rank - 1) / (known - 1)
                yield Value(masks, name, _number(value), f"{rank:.0f} of {known}", f"{share:.0f}")

    def _label(self, label: str, name: str) -> str:
        value = self._labels[label].values.get(name)
        return "not known" if value is None or pd.isna(value) else str(value)


def _anchors(names: Sequence[str]) -> dict[str, str]:
    """Return an anchor for each patient, which CSS and a fragment can hold as it is."""
    taken: set[str] = set()
    anchors = {}
    for number, name in enumerate(names, start=1):
        plain = f"patient-{re.sub(r'[^A-Za-z0-9_-]', '-', name)}"
        anchors[name] = plain if plain not in taken else f"{plain}-{number}"
        taken.add(anchors[name])
    return anchors


def _first(found: Mapping[str, _T], cases: "pd.Series[str]") -> _T | None:
    return next((found[case] for case in cases.astype(str) if case in found), None)


def _order(
    rows: pd.DataFrame, portrait: Portrait | None, check: Mapping[str, str]
) -> tuple[float, ...]:
    """Return what patients are ordered by: the smaller, the more doubtful the mask."""
    dice = math.nan if portrait is None else portrait.dice
    known = (_float(check.get("expected_dice")), dice)
    return (
        *(math.inf if math.isnan(value) else value for value in known),
        -_largest(rows, "components"),
        _largest(rows, "volume"),
    )


def _largest(rows: pd.DataFrame, name: str) -> float:
    value = float(rows[name].max()) if name in rows else math.nan
    return 0.0 if math.isnan(value) else value


def _doubts(
    rows: pd.DataFrame,
    shown: Sequence[str],
    dice: float,
    lowest: float,
    check: Mapping[str, str],
) -> Iterator[str]:
    if check.get("check", "ok") not in {"", "ok"}:
        yield check.get("check_reason") or check["check"]
    if dice < _GOOD_DICE:
        yield f"Dice {dice:.2f} between two masks"
    if lowest < _GOOD_DICE:
        yield f"Dice {lowest:.2f}"
    components = _largest(rows, "components")
    if components > _FEW_COMPONENTS:
        yield counted(int(components), "component")
    if rows[list(shown)].isna().any(axis=None):
        yield from (str(reason) for reason in dict.fromkeys(rows.get("reason", ())) if reason)


def _float(value: object) -> float:
    return pd.to_numeric(str(value), errors="coerce") if value not in {None, ""} else math.nan


def _number(value: object) -> str:
    number = _float(value)
    if math.isnan(number):
        return "—"
    return f"{number:,.0f}" if number.is_integer() or abs(number) >= 1000 else f"{number:.3g}"
