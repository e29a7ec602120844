"""The distribution of intensities in each case, by group."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from lggshape.figures.style import INK, LEVELS, MUTED, HouseFigure, house_style

QUANTILES = (5, 25, 50, 75, 95)
"""In percent."""

_HEIGHTS = (2.4, 9.0)  # inches
_LINE = 0.06  # inches a case
_BETWEEN = 2.0  # groups, in cases


def intensity_quantiles(panels: Mapping[str, ArrayLike], groups: Sequence[str]) -> Figure:
    """Draw quantiles of every case, on the same line in all panels.

    Parameters
    ----------
    panels : mapping of str to array_like of float, shape (N, 5)
        The quantiles `QUANTILES` of each case, by the name of what was measured, with its unit.
    groups : sequence of str, length N
        The group of each case.

    Returns
    -------
    Figure
        A panel per measurement. Cases are sorted by group, then by the median in the first panel.
        The vertical line of a group is the median of its medians.
    """
    values = {name: np.asarray(table, dtype=float) for name, table in panels.items()}
    labels = np.asarray(groups, dtype=str)
    order = np.lexsort((next(iter(values.values()))[:, 2], labels))
    names, firsts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    numbers = np.repeat(np.arange(len(names)), counts)
    lines = np.arange(len(order)) + _BETWEEN * numbers
    colours = np.array(LEVELS)[numbers % len(LEVELS)]
    middles = lines[firsts] + (counts - 1) / 2
    with house_style():
        height = float(np.clip(1.0 + _LINE * (lines[-1] + 1), *_HEIGHTS))
        figure = HouseFigure(figsize=(7.4, height), layout="constrained")
        for axes, (name, table) in zip(
            figure.subplots(1, len(values), sharey=True, squeeze=False)[0],
            values.items(),
            strict=True,
        ):
            low, lower, median, upper, high = table[order].T
            axes.hlines(lines, low, high, colors=colours, linewidth=0.6, alpha=0.6)
            axes.hlines(lines, lower, upper, colors=colours, linewidth=2.0, alpha=0.6)
            axes.scatter(
                median, lines, s=7, c=colours, edgecolors="white", linewidths=0.4, zorder=3
            )
            medians = [np.median(median[numbers == number]) for number in range(len(names))]
            axes.vlines(
                medians, lines[firsts] - 0.8, lines[firsts] + counts - 0.2, colors=INK, linewidth=1
            )
            axes.set_xlabel(name)
            axes.tick_params(axis="y", length=0)
        axes.set_ylim(lines[-1] + 1.5, -1.5)
        axes.set_yticks(
            middles, [f"{name} (n = {count})" for name, count in zip(names, counts, strict=True)]
        )
        keys = [
            Line2D([], [], color=MUTED, linewidth=0.8, label="5 to 95 %"),
            Line2D([], [], color=MUTED, linewidth=2.5, label="25 to 75 %"),
            Line2D([], [], color=MUTED, marker=".", linestyle="none", label="median of a case"),
            Line2D([], [], color=INK, marker="|", linestyle="none", label="median of the medians"),
        ]
        figure.legend(handles=keys, loc="outside upper center", ncols=4, frameon=False)
    return figure
