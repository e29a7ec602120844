"""The figure of the three cohorts."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lggshape.figures.style import ACCENT, INK, MUTED, HouseFigure, house_style
from lggshape.studies.ucsf.cohorts import (
    ALL,
    ALONE,
    ASSUMED,
    AUTOMATIC,
    BRATS,
    GIVEN,
    LOWER,
    MANUAL,
    UCSF,
)

PANELS = {
    "sphericity": ("Sphericity", "less round", "rounder"),
    "elongation": ("Elongation", "longer", "rounder"),
    "flatness": ("Flatness", "flatter", "thicker"),
    "volume": ("Volume", "smaller", "larger"),
}
"""The title of each panel, and what wild type is on its left and on its right."""

_NAMES = {
    UCSF: "UCSF-PDGM",
    BRATS: "TCGA, BraTS outlines",
    MANUAL: "TCGA-LGG, manual",
    AUTOMATIC: "TCGA-LGG, automatic",
}
_REACH = 0.68


def cohorts_figure(table: pd.DataFrame) -> Figure:
    """Draw the rank correlations of features with IDH, with and without covariates.

    Parameters
    ----------
    table : DataFrame
        As from `describe`. Of outlines without recorded distances, those at the assumed distance
        are drawn.

    Returns
    -------
    Figure
        A panel per feature, with a row per cohort.
    """
    drawn = table[table["slice_distance"].isin([1.0, ASSUMED])]
    rows = list(drawn.groupby(["patients", "outlines"], sort=False).groups)
    rows.sort(key=lambda row: row[0] == ALL)
    # A line between the groups of patients, for the heading of each.
    places: dict[Any, float] = {}
    headings: dict[str, float] = {}
    place = 0.0
    for patients, outlines in rows:
        if patients not in headings:
            headings[patients] = place
            place += 1
        places[patients, outlines] = place
        place += 1
    with house_style():
        figure = HouseFigure(figsize=(9.0, 1.2 + 0.34 * place), layout="constrained")
        panels = figure.subplots(1, len(PANELS), sharey=True)
        for axes, feature in zip(panels, PANELS, strict=True):
            _draw(axes, drawn[drawn["feature"] == feature], places)
            _label(axes, feature, place)
        first = panels[0]
        first.set_yticks(list(places.values()), [_name(drawn, row) for row in places])
        for patients, height in headings.items():
            title = {LOWER: "Grade 2 and 3", ALL: "All grades"}[patients]
            first.annotate(
                title, (0, height), xycoords=("axes fraction", "data"), xytext=(-6, 0),
                textcoords="offset points", ha="right", va="center", fontweight="bold",
            )  # fmt: skip
        figure.suptitle(
            "Compared with IDH-mutant tumours, those with IDH wild type are …", fontweight="bold"
        )
        figure.legend(
            handles=_keys(), loc="outside lower center", ncols=2, frameon=False,
            title="rank correlation with 95 % interval; 0 is no difference",
        )  # fmt: skip
    return figure


def _name(table: pd.DataFrame, row: tuple[str, str]) -> str:
    patients, outlines = row
    one = table[(table["patients"] == patients) & (table["outlines"] == outlines)].iloc[0]
    wild, both = int(one["wild_type"]), int(one["wild_type"]) + int(one["mutant"])
    return f"{_NAMES[outlines]} ({wild} of {both} wild type)"


def _draw(axes: Axes, table: pd.DataFrame, places: dict[Any, float]) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=0)
    for measure, shift, colour, filled in (
        (ALONE, -0.16, MUTED, False),
        (GIVEN, 0.14, ACCENT, True),
    ):
        row: Any
        for row in table[table["measure"] == measure].itertuples():
            height = places[row.patients, row.outlines] + shift
            axes.hlines(
                height, row.effect_low, row.effect_high, color=colour,
                linewidth=2.2 if filled else 1.0,
            )  # fmt: skip
            axes.scatter(
                row.effect, height, s=30 if filled else 18, zorder=3, edgecolors=colour,
                facecolors=colour if filled else "white",
            )  # fmt: skip


def _label(axes: Axes, feature: str, height: float) -> None:
    title, left, right = PANELS[feature]
    axes.set_title(title, fontweight="bold", pad=16)
    for x, text, side in ((0.0, f"← {left}", "left"), (1.0, f"{right} →", "right")):
        axes.text(
            x, 1.01, text, transform=axes.transAxes, ha=side, va="bottom", fontsize=8, color=INK
        )
    axes.set_xlim(-_REACH, _REACH)
    axes.set_xticks([-0.5, 0, 0.5], ["-0.5", "0", "0.5"])
    axes.set_ylim(height - 0.4, -0.5)
    axes.tick_params(axis="y", length=0)


def _keys() -> list[Line2D]:
    return [
        Line2D(
            [], [], color=MUTED, linewidth=1.0, marker="o", markersize=4.5,
            markerfacecolor="white", label="without covariates",
        ),
        Line2D(
            [], [], color=ACCENT, linewidth=2.2, marker="o", markersize=5.5,
            label="given age and volume (volume: given age)",
        ),
    ]  # fmt: skip
