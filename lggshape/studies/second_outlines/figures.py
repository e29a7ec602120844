"""Figures of the comparison of outlines."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lggshape.association.feature_table import feature_symbol
from lggshape.figures.style import INK, LEVELS, MUTED, HouseFigure, house_style
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.second_outlines.agreement import pair_name, wide
from lggshape.studies.second_outlines.names import OUTLINES, PAIRS, SECOND

SHOWN = (BEVR, MF, ASD)

_DASHED = (0, (2, 2))
_WIDTH = 36  # of a name on an axis, in letters


def scatter_grid(features: pd.DataFrame, reliability: pd.DataFrame) -> Figure:
    """Draw each feature by one outline against another, with the line of equality and the ICC."""
    with house_style():
        figure = HouseFigure(figsize=(7.0, 7.2), layout="constrained")
        grid = figure.subplots(len(SHOWN), len(PAIRS))
        for row, name in enumerate(SHOWN):
            table = wide(features, name)
            low, high = float(table.min().min()), float(table.max().max())
            ends = (low - 0.05 * (high - low), high + 0.05 * (high - low))
            for column, (first, second) in enumerate(PAIRS):
                axes = grid[row, column]
                axes.plot(ends, ends, color=MUTED, linewidth=0.8, linestyle=_DASHED)
                axes.scatter(
                    table[second], table[first], s=12, color=LEVELS[0], alpha=0.75, linewidths=0
                )
                axes.set(xlim=ends, ylim=ends, aspect="equal")
                axes.set_xlabel(f"{feature_symbol(name)}, {_whose(second)}")
                axes.set_ylabel(f"{feature_symbol(name)}, {_whose(first)}")
                axes.locator_params(nbins=4)
                axes.set_title(f"ICC {_icc(reliability, name, (first, second))}", fontsize="small")
    return figure


def reliability_forest(reliability: pd.DataFrame) -> Figure:
    """Draw ICC(A,1) of each feature and pair of outlines with its interval."""
    chosen = reliability[reliability["measure"] == "ICC(A,1)"]
    groups = [
        (
            feature_symbol(name),
            [_row(chosen, {"feature": name, "first": a, "second": b}) for a, b in PAIRS],
        )
        for name in SHOWN
    ]
    names = [pair_name(*map(_whose, pair)) for pair in PAIRS]
    title = "ICC(A,1) (1: perfect agreement)"
    return _forest(groups, names, ("estimate", "low", "high"), title, (0, 1), None)


def explanation_forest(explanations: pd.DataFrame, feature: str = ASD) -> Figure:
    """Draw how each change moves ICC(A,1) of a feature, for each pair of outlines."""
    chosen = explanations[
        (explanations["measure"] == "ICC(A,1)") & (explanations["feature"] == feature)
    ]
    groups = []
    for change in dict.fromkeys(chosen["change"]):
        rows = chosen[chosen["change"] == change]
        groups.append(
            (change, [_row(rows, {"first": a, "second": b}, needed=False) for a, b in PAIRS])
        )
    names = [pair_name(*map(_whose, pair)) for pair in PAIRS]
    title = f"change of the ICC(A,1) of {feature_symbol(feature)} (right of 0: better agreement)"
    return _forest(groups, names, ("difference", "low", "high"), title, None, 0.0)


def effect_forest(by_ranks: pd.DataFrame) -> Figure:
    """Draw epsilon squared of each hypothesis by each outline."""
    groups = []
    for feature, label in dict.fromkeys(zip(by_ranks["feature"], by_ranks["label"], strict=True)):
        key = {"feature": feature, "label": label}
        rows = [_row(by_ranks, key | {"masks": masks}) for masks in OUTLINES]
        name = "IDH/1p19q" if label.startswith("idh") else label.removesuffix("Cluster")
        groups.append((f"{feature_symbol(feature)} × {name} (n {rows[0].n})", rows))
    columns = ("effect", "effect_low", "effect_high")
    title = "epsilon squared (0: no association)"
    return _forest(groups, [_whose(one) for one in OUTLINES], columns, title, (0, 0.5), None)


def _forest(
    groups: Sequence[tuple[str, Sequence[Any]]],
    names: Sequence[str],
    columns: tuple[str, str, str],
    value_name: str,
    limits: tuple[float, float] | None,
    no_effect: float | None,
) -> Figure:
    """Draw groups of estimates, each with a colour per name."""
    with house_style():
        height = 0.9 + 0.16 * len(groups) * (len(names) + 1)
        figure = HouseFigure(figsize=(6.8, height), layout="constrained")
        axes: Axes = figure.subplots()
        if no_effect is not None:
            axes.axvline(no_effect, color=MUTED, linewidth=0.8, linestyle=_DASHED, zorder=0)
        step = 1 / (len(names) + 1)
        for place, (_, rows) in enumerate(groups):
            for number, row in enumerate(rows):
                if row is None:
                    continue
                y = place + (number - (len(names) - 1) / 2) * step
                estimate, low, high = (float(getattr(row, name)) for name in columns)
                axes.hlines(y, low, high, color=LEVELS[number], linewidth=1.6)
                axes.scatter([estimate], [y], s=20, color=LEVELS[number], zorder=3)
        axes.set_yticks(range(len(groups)), [fill(name, _WIDTH) for name, _ in groups])
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(value_name)
        if limits is not None:
            axes.set_xlim(*limits)
        for number, name in enumerate(names):
            axes.plot([], [], "o-", color=LEVELS[number], label=name, markersize=4)
        figure.legend(loc="outside upper center", ncols=len(names), frameon=False, labelcolor=INK)
    return figure


def _whose(outlines: str) -> str:
    """Return the name of outlines as a figure shows it."""
    return "second group" if outlines == SECOND else outlines


def _row(table: pd.DataFrame, key: dict[str, str], *, needed: bool = True) -> Any:
    chosen = np.logical_and.reduce([table[name] == value for name, value in key.items()])
    rows = list(table[chosen].itertuples())
    return rows[0] if rows or needed else None


def _icc(reliability: pd.DataFrame, name: str, pair: tuple[str, str]) -> str:
    key = {"feature": name, "first": pair[0], "second": pair[1], "measure": "ICC(A,1)"}
    row = _row(reliability, key)
    return f"{row.estimate:.2f} ({row.low:.2f} to {row.high:.2f})"
