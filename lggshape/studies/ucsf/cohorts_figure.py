"""The figure of the three cohorts."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lggshape.figures.style import ACCENT, CONTRAST, INK, HouseFigure, house_style
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

FAINT = "#cbd2d9"

PANELS = {
    "sphericity": ("Sphericity", "less round", "rounder"),
    "elongation": ("Elongation", "longer", "less long"),
    "flatness": ("Flatness", "flatter", "less flat"),
    "volume": ("Volume", "smaller", "larger"),
}
"""The title of each panel, and what wild type is on its left and on its right."""

_NAMES = {
    UCSF: "UCSF, outlined at UCSF",
    BRATS: "TCGA, outlined by the BraTS group",
    MANUAL: "TCGA-LGG, outlined by hand",
    AUTOMATIC: "TCGA-LGG, automatic (networks)",
}
_MEANING = (
    "Rank correlation of each feature with wild type (below 0: lower in wild type; 0: no "
    "difference), with its 95 % interval.\nShaded: the primary hypothesis. The two rows of "
    "TCGA-LGG are the same patients; about half of them were also outlined by the BraTS group."
)
_PRIMARY = (LOWER, UCSF), "sphericity"
_HEADINGS = {LOWER: "Grade 2 and 3", ALL: "Grade 2, 3 and 4"}


def cohorts_figure(table: pd.DataFrame) -> Figure:
    """Draw the rank correlations of IDH with features in every cohort.

    Those that are adjusted are drawn large, the unadjusted ones below them and small.

    Parameters
    ----------
    table : DataFrame
        As from `describe`. Of outlines without recorded distances, those at the assumed distance
        are drawn.

    Returns
    -------
    Figure
        A panel per feature, with a row per cohort and group of outlines.
    """
    drawn = table[
        table["slice_distance"].isin([1.0, ASSUMED]) & table["measure"].isin([GIVEN, ALONE])
    ]
    places, headings, height = _places(drawn)
    ends = drawn[["effect_low", "effect_high"]].to_numpy(float)
    reach = math.ceil(10 * float(np.nanmax(np.abs(ends)))) / 10
    with house_style():
        figure = HouseFigure(figsize=(9.6, 1.35 + 0.3 * height))
        figure.set_layout_engine("constrained", w_pad=0.1)
        panels = figure.subplots(1, len(PANELS), sharey=True)
        for axes, feature in zip(panels, PANELS, strict=True):
            _draw(axes, drawn[drawn["feature"] == feature], places)
            if feature == _PRIMARY[1]:
                middle = places[_PRIMARY[0]]
                axes.axhspan(middle - 0.45, middle + 0.45, color=FAINT, alpha=0.6, zorder=0)
            _label(axes, feature, reach)
            for place in headings.values():
                axes.axhline(place - 0.6, color=FAINT, linewidth=0.8, zorder=0)
        first = panels[0]
        first.set_ylim(height - 0.4, -0.6)
        first.set_yticks(list(places.values()), [_NAMES[outlines] for _, outlines in places])
        _count(panels[-1], drawn, places)
        for (_, outlines), text in zip(places, first.get_yticklabels(), strict=True):
            text.set_color(_colour(outlines))
        for patients, place in headings.items():
            first.annotate(
                _HEADINGS[patients], (0, place), xycoords=("axes fraction", "data"),
                xytext=(-6, 0), textcoords="offset points", ha="right", va="center_baseline",
                fontweight="bold",
            )  # fmt: skip
        figure.suptitle(
            "Are IDH-wildtype gliomas shaped differently from IDH-mutant gliomas?",
            fontweight="bold",
        )
        _explain(figure)
    return figure


def _places(table: pd.DataFrame) -> tuple[dict[tuple[str, str], float], dict[str, float], float]:
    """Return the place of each row and of each heading, and the height of all."""
    rows = list(dict.fromkeys(zip(table["patients"], table["outlines"], strict=True)))
    rows.sort(key=lambda row: row[0] == ALL)
    places: dict[Any, float] = {}
    headings: dict[str, float] = {}
    place = 0.0
    for patients, outlines in rows:
        if patients not in headings:
            place += 0.35 if headings else 0.0
            headings[patients] = place
            place += 1
        places[patients, outlines] = place
        place += 1
    return places, headings, place


def _count(axes: Axes, table: pd.DataFrame, places: dict[tuple[str, str], float]) -> None:
    """Write to the right of the panels how many patients each row has."""
    look: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"), "xytext": (8, 0), "textcoords": "offset points",
        "va": "center_baseline", "annotation_clip": False,
    }  # fmt: skip
    axes.annotate("wild type /\nall patients", (1, -0.6), **look | {"va": "bottom"}, fontsize=8.5)
    for (patients, outlines), place in places.items():
        one = table[(table["patients"] == patients) & (table["outlines"] == outlines)].iloc[0]
        wild, mutant = int(one["wild_type"]), int(one["mutant"])
        axes.annotate(f"{wild} / {wild + mutant}", (1, place), **look, color=_colour(outlines))


def _colour(outlines: str) -> str:
    return CONTRAST if outlines == UCSF else ACCENT


def _draw(axes: Axes, table: pd.DataFrame, places: dict[tuple[str, str], float]) -> None:
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    row: Any
    for measure, small, shift in ((GIVEN, False, -0.15), (ALONE, True, 0.17)):
        for row in table[table["measure"] == measure].itertuples():
            height, colour = places[row.patients, row.outlines] + shift, _colour(row.outlines)
            axes.hlines(
                height, row.effect_low, row.effect_high, color=colour,
                linewidth=0.9 if small else 2.4, zorder=2,
            )  # fmt: skip
            axes.scatter(
                row.effect, height, s=14 if small else 34, zorder=3, edgecolors=colour,
                facecolors="white" if small else colour,
            )  # fmt: skip


def _label(axes: Axes, feature: str, reach: float) -> None:
    title, left, right = PANELS[feature]
    axes.set_title(title, fontweight="bold", pad=17)
    for x, text, side in ((0.0, f"← {left}", "left"), (1.0, f"{right} →", "right")):
        axes.text(
            x, 1.01, text, transform=axes.transAxes, ha=side, va="bottom", fontsize=8.5, color=INK
        )
    axes.set_xlim(-reach, reach)
    axes.set_xticks([-0.5, 0, 0.5], ["-0.5", "0", "0.5"])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _explain(figure: Figure) -> None:
    """Write below the panels what the marks are."""
    look: dict[str, Any] = {"color": INK, "marker": "o"}
    small = Line2D(
        [], [], linewidth=0.9, markersize=3.7, markerfacecolor="white",
        label="unadjusted", **look,
    )  # fmt: skip
    large = Line2D(
        [], [], linewidth=2.4, markersize=5.8,
        label="adjusted for age and volume (volume: for age)", **look,
    )  # fmt: skip
    legend = figure.legend(
        handles=[large, small], loc="outside lower center", ncols=2, frameon=False, title=_MEANING
    )
    legend.get_title().set_multialignment("center")
