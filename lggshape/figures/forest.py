"""Forest plot of several series: what was found and what was published, on one scale."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from lggshape.figures.style import INK, LEVELS, MUTED, HouseFigure, house_style

_MARKERS = "osDv^P"
_ROW, _MORE = 0.26, 0.13
"""Height of a row with one series, and of each further one, in inches."""
_MANY_DECADES = 3
"""From so many on, only powers of ten are labelled."""


class ForestRow(NamedTuple):
    """What was estimated once in each series.

    Attributes
    ----------
    name : str
        What it is of.
    estimates : sequence of (float, float, float)
        Estimate and ends of the interval in each series; NaN draws nothing.
    note : str
        Text at the right.
    published : float or None
        A published value.
    filled : sequence of bool
        Whether the marker of each series is filled; all are if it is empty.
    """

    name: str
    estimates: Sequence[tuple[float, float, float]]
    note: str = ""
    published: float | None = None
    filled: Sequence[bool] = ()


class ForestPanel(NamedTuple):
    """Rows on one scale.

    Attributes
    ----------
    rows : sequence of ForestRow
        From top to bottom.
    value_name : str
        What is estimated.
    no_effect : float or None
        Where to draw the line of no effect; None for no line.
    limits : tuple of float, or None
        Ends of the axis; None for as far as the intervals reach.
    is_ratio : bool
        Whether the axis is logarithmic.
    """

    rows: Sequence[ForestRow]
    value_name: str
    no_effect: float | None = None
    limits: tuple[float, float] | None = None
    is_ratio: bool = False


def forest_plot(
    panels: Sequence[ForestPanel], series: Sequence[str], *, note_name: str = ""
) -> Figure:
    """Draw estimates with intervals, those of each series below each other in a row.

    Parameters
    ----------
    panels : sequence of ForestPanel
        A panel per scale, from top to bottom.
    series : sequence of str
        What the estimates of a row are, such as kinds of mask.
    note_name : str
        The heading of the notes.

    Returns
    -------
    Figure
        With a legend if there are several series or published values.

    Examples
    --------
    >>> rows = [ForestRow("MF × IDH", [(0.3, 0.1, 0.5)], "p 0.002")]
    >>> figure = forest_plot([ForestPanel(rows, "Cramér's V", 0.0, (0.0, 1.0))], ["manual"])
    >>> figure.axes[0].get_xlabel()
    "Cramér's V"
    """
    heights = [0.55 + len(panel.rows) * (_ROW + _MORE * (len(series) - 1)) for panel in panels]
    with house_style():
        figure = HouseFigure(figsize=(7.6, sum(heights) + 0.45), layout="constrained")
        grid = figure.subplots(
            len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for axes, panel in zip(grid[:, 0], panels, strict=True):
            _draw(axes, panel, len(series))
        if note_name:
            grid[0, 0].annotate(
                note_name, (1, 1), xytext=(8, 4), xycoords="axes fraction",
                textcoords="offset points", va="bottom", color=MUTED,
            )  # fmt: skip
        keys = [
            Line2D(
                [], [], linestyle="none", marker=_MARKERS[place], color=LEVELS[place], label=name
            )
            for place, name in enumerate(series)
        ]
        published = [row for panel in panels for row in panel.rows if row.published is not None]
        if published:
            keys.append(_diamond())
        if len(keys) > 1:
            figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return figure


def _diamond() -> Line2D:
    return Line2D(
        [], [], linestyle="none", marker="d", label="published", markersize=7,
        markerfacecolor="none", markeredgecolor=INK,
    )  # fmt: skip


def draw_frame(axes: Axes, panel: ForestPanel, names: Sequence[str]) -> None:
    """Draw the axes of a panel and the line of no effect, for rows of these names."""
    if panel.is_ratio:
        axes.set_xscale("log")
        _label_ratios(axes, panel)
    if panel.no_effect is not None:
        axes.axvline(panel.no_effect, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    if panel.limits is not None:
        axes.set_xlim(*panel.limits)
    axes.set_xlabel(panel.value_name)
    axes.tick_params(axis="y", length=0)


def _label_ratios(axes: Axes, panel: ForestPanel) -> None:
    """Label as many values of a logarithmic axis as there is room for."""
    found = [value for row in panel.rows for estimate in row.estimates for value in estimate]
    finite = [value for value in found if 0 < value < math.inf]
    decades = math.log10(max(finite) / min(finite)) if finite else 0.0
    axes.xaxis.set_major_formatter("{x:g}")
    if decades <= 1:
        axes.xaxis.set_minor_formatter("{x:g}")
        return
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < _MANY_DECADES else (1,)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw(axes: Axes, panel: ForestPanel, count: int) -> None:
    draw_frame(axes, panel, [row.name for row in panel.rows])
    for place, row in enumerate(panel.rows):
        if place % 2:
            axes.axhspan(place - 0.5, place + 0.5, color="#f3f5f7", linewidth=0, zorder=-1)
        for number, (estimate, low, high) in enumerate(row.estimates):
            height = place + 0.5 * ((number + 0.5) / count - 0.5)
            look = number % len(LEVELS)
            colour, marker = LEVELS[look], _MARKERS[look]
            if not math.isnan(estimate):
                # Not hlines: before Matplotlib 3.11 they gave a logarithmic axis wrong limits.
                axes.plot(
                    [low, high], [height, height],
                    color=colour, linewidth=1.6, solid_capstyle="butt",
                )  # fmt: skip
                filled = row.filled[number] if row.filled else True
                axes.plot(
                    estimate, height, marker=marker, color=colour, markersize=5, zorder=3,
                    markerfacecolor=colour if filled else "white",
                )  # fmt: skip
        if row.published is not None:
            axes.plot(
                row.published, place, marker="d", markersize=7, zorder=4, linestyle="none",
                markerfacecolor="none", markeredgecolor=INK,
            )  # fmt: skip
        if row.note:
            axes.annotate(
                row.note, (1, place), xytext=(8, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", va="center_baseline", annotation_clip=False,
            )  # fmt: skip
