"""Effects with their intervals beside the p-values of the same data, a row per set of data."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lggshape.figures.style import (
    ACCENT,
    CONTRAST,
    INK,
    MUTED,
    HouseFigure,
    house_style,
    label_powers,
)

_FLOOR = 1e-7
"""Where the axis of p begins. Smaller values are drawn there."""


_DASHES = (0, (4, 2))


class EffectsAndP(NamedTuple):
    """A row of the figure.

    Attributes
    ----------
    name : str
        What the data are.
    n : int
        Number of patients.
    effects : sequence of float
        The effect, or that of each of several sets of data.
    low, high : float
        The interval, if there is one effect with an interval; NaN draws none.
    p : mapping of str to sequence of float
        The p-values by the name of the test; NaN is left out. All rows name the same tests.
    """

    name: str
    n: int
    effects: Sequence[float]
    low: float
    high: float
    p: Mapping[str, Sequence[float]]


def effects_beside_p(
    panels: Mapping[str, Sequence[EffectsAndP]],
    *,
    effect_name: str,
    bounds: Mapping[str, float],
    bound_name: str = "reported bound",
    title: str = "",
) -> Figure:
    """Draw effects on the left and the p-values of the same data on the right.

    Parameters
    ----------
    panels : mapping of str to sequence of EffectsAndP
        The rows of each panel, from top to bottom, by what was tested. There are one or two tests.
    effect_name : str
        What the effects are, from 0 (none) to 1.
    bounds : mapping of str to float
        A bound of p that was published, by panel; a panel may have none.
    bound_name : str
        What the bounds are.
    title : str
        The title of the whole figure.

    Returns
    -------
    Figure
        Two axes for each panel, with the numbers of patients on the right.

    Examples
    --------
    >>> row = EffectsAndP("manual masks", 92, [0.3], 0.1, 0.5, {"ranks": [1e-5], "bins": [1e-3]})
    >>> figure = effects_beside_p({"shape x group": [row]}, effect_name="rho", bounds={})
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['rho', 'p  (← stronger evidence)']
    """
    counts = [len(rows) for rows in panels.values()]
    tests = list(next(iter(panels.values()))[0].p)
    widest = max(_end(row) for rows in panels.values() for row in rows)
    colours = dict(zip(tests, (ACCENT, CONTRAST), strict=True))
    with house_style():
        figure = HouseFigure(figsize=(8.8, 1.2 + sum(0.82 + 0.27 * count for count in counts)))
        figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
        grid = figure.subplots(
            len(counts), 2, squeeze=False,
            gridspec_kw={"height_ratios": [0.5 + 0.27 * count for count in counts]},
        )  # fmt: skip
        for (left, right), (name, rows) in zip(grid, panels.items(), strict=True):
            left.set_title(name, loc="left", fontweight="bold")
            _draw_effects(left, rows)
            left.set_xlim(-0.02, min(1.0, 1.05 * widest))
            _draw_p(right, rows, colours, bounds.get(name))
            left.set_xlabel(effect_name)
            right.set_xlabel("p  (← stronger evidence)")
            _count(right, rows)
        if title:
            figure.suptitle(title, fontweight="bold", x=0.02, ha="left")
        keys = [
            Line2D([], [], linestyle="none", marker="o", markersize=5, color=colour, label=name)
            for name, colour in colours.items()
        ]
        if bounds:
            keys.append(
                Line2D([], [], color=INK, linewidth=1.2, linestyle=_DASHES, label=bound_name)
            )
        figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return figure


def _end(row: EffectsAndP) -> float:
    """Return how far the effects of a row reach."""
    ends = (*row.effects, row.high, 0.1)
    return max(end for end in ends if not math.isnan(end))


def _draw_effects(axes: Axes, rows: Sequence[EffectsAndP]) -> None:
    for place, row in enumerate(rows):
        axes.hlines(place, row.low, row.high, color=INK, linewidth=1.8)
        several = len(row.effects) > 1
        axes.scatter(
            row.effects, [place] * len(row.effects), color=INK, zorder=3,
            s=14 if several else 26, alpha=_opacity(len(row.effects)), linewidths=0,
        )  # fmt: skip
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    _finish(axes, rows)


def _draw_p(
    axes: Axes, rows: Sequence[EffectsAndP], colours: Mapping[str, str], bound: float | None
) -> None:
    axes.set_xscale("log")
    label_powers(axes.xaxis)
    for place, row in enumerate(rows):
        for (name, colour), shift in zip(colours.items(), (-0.17, 0.17), strict=False):
            p = [max(value, _FLOOR) for value in row.p[name] if not math.isnan(value)]
            axes.scatter(
                p, [place + shift] * len(p), color=colour, zorder=3, linewidths=0,
                s=14 if len(p) > 1 else 26, alpha=_opacity(len(p)),
            )  # fmt: skip
    if bound is not None:
        axes.axvline(bound, color=INK, linewidth=1.2, linestyle=_DASHES, zorder=1)
        axes.annotate(
            f"p < {bound:g}", (bound, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", va="bottom",
        )  # fmt: skip
    axes.set_yticks([])
    _finish(axes, rows)
    axes.set_xlim(_FLOOR / 1.6, 1.3)


def _count(axes: Axes, rows: Sequence[EffectsAndP]) -> None:
    """Write to the right of the panel how many patients each row has."""
    look: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"), "xytext": (22, 0), "textcoords": "offset points",
        "ha": "right", "annotation_clip": False,
    }  # fmt: skip
    axes.annotate("n", (1, -0.6), va="bottom", **look)
    for place, row in enumerate(rows):
        axes.annotate(f"{row.n}", (1, place), va="center_baseline", **look)


def _finish(axes: Axes, rows: Sequence[EffectsAndP]) -> None:
    """Draw a line between rows, and a shade behind those of other patients than the first."""
    for edge, (above, below) in enumerate(pairwise(rows)):
        colour = MUTED if above.n != below.n else "#eceff2"
        axes.axhline(edge + 0.5, color=colour, linewidth=0.8, zorder=0)
        if below.n != rows[0].n:
            axes.axhspan(edge + 0.5, edge + 1.5, color="#f1f3f5", linewidth=0, zorder=-1)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _opacity(count: int) -> float:
    """Return how opaque the dots of so many values are."""
    return 1.0 if count == 1 else 0.7 if count < 10 else 0.25
