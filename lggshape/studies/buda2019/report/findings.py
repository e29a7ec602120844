"""What the sections of the replication's report are made from."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lggshape.association import Family, Hypothesis
from lggshape.figures import strip_plot
from lggshape.labels import Labels
from lggshape.report import wording
from lggshape.report.gallery import Gallery

Tables = Mapping[str, pd.DataFrame]


class Findings(NamedTuple):
    """What the sections are made from: all results, and where their figures are kept."""

    tables: Tables
    family: Family
    labels: Labels
    gallery: Gallery

    @property
    def reported(self) -> list[Hypothesis]:
        """Return the hypotheses that the paper reports a bound for."""
        return [h for h in self.family.hypotheses if h.reported_below is not None]


def about(data: pd.DataFrame, masks: str, h: Hypothesis) -> "pd.Series[bool]":
    """Return which rows of a table are about a hypothesis on one kind of mask."""
    return (data["masks"] == masks) & (data["feature"] == h.feature) & (data["label"] == h.label)


def pair_name(feature: str, label: str) -> str:
    """Return the short name of a hypothesis.

    Examples
    --------
    >>> pair_name("margin_fluctuation", "RNASeqCluster")
    'MF × RNASeqCluster'
    """
    return f"{wording.symbol(feature)} × {label}"


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> listed(["R1", "R2", "R3"])
    'R1, R2 and R3'
    """
    *first, last = names
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
