"""What the sections of the replication's report are made from."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lggshape.association import Family, Hypothesis
from lggshape.figures import strip_plot
from lggshape.labels import Labels
from lggshape.report.gallery import Gallery
from lggshape.report.people import People
from lggshape.studies.buda2019.report.evidence import StudyEvidence, Tables, pair_name


class Findings(NamedTuple):
    """What the sections are made from: all results, where their figures are kept, and patients."""

    evidence: StudyEvidence
    labels: Labels
    gallery: Gallery
    people: People | None = None

    def targets(self, patients: "pd.Series[str]") -> list[str | None]:
        """Return where points of patients lead in a figure."""
        known = {} if self.people is None else self.people.targets
        return [known.get(str(name)) for name in patients]

    def titles(self, feature: str, masks: str, label: str = "") -> Mapping[str, str]:
        """Return what these points tell."""
        return {} if self.people is None else self.people.titles(feature, masks, label)

    @property
    def tables(self) -> Tables:
        """Return the tables of the results."""
        return self.evidence.tables

    @property
    def family(self) -> Family:
        """Return the hypotheses."""
        return self.evidence.family

    @property
    def reported(self) -> list[Hypothesis]:
        """Return the hypotheses that the paper reports a bound for."""
        return self.evidence.reported


def about(data: pd.DataFrame, masks: str, h: Hypothesis) -> "pd.Series[bool]":
    """Return which rows of a table are about a hypothesis on one kind of mask."""
    return (data["masks"] == masks) & (data["feature"] == h.feature) & (data["label"] == h.label)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> listed(["R1", "R2", "R3"])
    'R1, R2 and R3'
    """
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


def p_strips(data: pd.DataFrame, marked: pd.DataFrame, family: Family) -> Figure:
    """Draw the p of every hypothesis in a table, those of another one marked."""

    def of(table: pd.DataFrame, masks: str, h: Hypothesis) -> list[float]:
        return [float(value) for value in table.loc[about(table, masks, h), "p"]]

    kinds = list(dict.fromkeys(data["masks"]))
    return strip_plot(
        [pair_name(h.feature, h.label) for h in family.hypotheses],
        {masks: [of(data, masks, h) for h in family.hypotheses] for masks in kinds},
        marked={
            masks: [next(iter(of(marked, masks, h)), np.nan) for h in family.hypotheses]
            for masks in kinds
        },
        bounds=[h.reported_below for h in family.hypotheses],
        level=family.alpha / len(family.hypotheses),
        value_name="p",
    )
