"""What the sections of the replication's report share."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawn

from lggshape.association import Family, Hypothesis, irregularity
from lggshape.figures import strip_plot
from lggshape.labels import Labels
from lggshape.report import blocks, wording
from lggshape.report.page import Gallery
from lggshape.shape import FEATURES

Tables = Mapping[str, pd.DataFrame]

FEATURE, LABEL = blocks.feature(), blocks.words("label", "label")
PREDICTOR = blocks.Column("feature", lambda row: predictor(row.feature), is_text=True)
MASKS = blocks.words("masks", "masks")
N = blocks.count("n", "n")
V = blocks.interval("Cramér's V (95 %)", "effect", "effect_low", "effect_high")


class Report(NamedTuple):
    """What the sections are made from."""

    tables: Tables
    family: Family
    labels: Labels
    gallery: Gallery


def predictor(name: str) -> str:
    """Give the symbol of what an area under the curve is of: towards irregular shapes."""
    name = name.removeprefix("1/")
    inverse = name in FEATURES and irregularity(name) < 0
    return f"{'1/' if inverse else ''}{wording.symbol(name)}"


def about(data: pd.DataFrame, masks: str, h: Hypothesis) -> "pd.Series[bool]":
    """Say which rows of a table are about a hypothesis on one kind of mask."""
    return (data["masks"] == masks) & (data["feature"] == h.feature) & (data["label"] == h.label)


def p_strips(data: pd.DataFrame, marked: pd.DataFrame, family: Family) -> Drawn:
    """Draw the p of every hypothesis in a table, those of another one marked."""

    def of(table: pd.DataFrame, masks: str, h: Hypothesis) -> list[float]:
        return [float(value) for value in table.loc[about(table, masks, h), "p"]]

    kinds = list(dict.fromkeys(data["masks"]))
    return strip_plot(
        [f"{wording.symbol(h.feature)} × {h.label}" for h in family.hypotheses],
        {masks: [of(data, masks, h) for h in family.hypotheses] for masks in kinds},
        marked={
            masks: [next(iter(of(marked, masks, h)), np.nan) for h in family.hypotheses]
            for masks in kinds
        },
        bounds=[h.reported_below for h in family.hypotheses],
        level=family.alpha / len(family.hypotheses),
        value_name="p",
    )
