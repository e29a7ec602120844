"""Forest plot: estimates with their intervals, one below the other."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lggshape.figures.style import ACCENT, CONTRAST, MUTED, HouseFigure, house_style


class Intervals(NamedTuple):
    """Estimates on one scale.

    Attributes
    ----------
    names : sequence of str
        What each estimate is of, from top to bottom.
    estimates, low, high : sequence of float
        The estimates and the ends of their intervals; NaN draws nothing.
    value_name : str
        What is estimated.
    no_effect : float or None
        Where to draw the line of no effect; None for no line.
    limits : tuple of float, or None
        Ends of the axis; None for as far as the intervals reach.
    is_ratio : bool
        Whether the axis is logarithmic.
    """

    names: Sequence[str]
    estimates: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    value_name: str
    no_effect: float | None = None
    limits: tuple[float, float] | None = None
    is_ratio: bool = False


def interval_plot(
    names: Sequence[str],
    estimates: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    *,
    value_name: str,
    no_effect: float | None,
    limits: tuple[float, float],
    references: Sequence[float | None] = (),
    reference_name: str = "reported",
) -> Figure:
    """Draw estimates with intervals (a forest plot).

    Parameters
    ----------
    names : sequence of str
        What each estimate is of, from top to bottom.
    estimates, low, high : sequence of float
        The estimates and the ends of their intervals; NaN draws nothing.
    value_name : str
        What is estimated.
    no_effect : float or None
        Where to draw the line of no effect; None for no line.
    limits : tuple of float
        Ends of the axis.
    references : sequence of float or None
        A published value for each, drawn as an open diamond; empty for none.
    reference_name : str
        What the diamonds are.

    Returns
    -------
    Figure
        One line per estimate.

    Examples
    --------
    >>> figure = interval_plot(
    ...     ["all", "women"], [0.8, 0.9], [0.7, 0.8], [0.9, 1.0], value_name="mean Dice",
    ...     no_effect=None, limits=(0.0, 1.0),
    ... )
    >>> figure.axes[0].get_xlabel()
    'mean Dice'
    """
    part = Intervals(names, estimates, low, high, value_name, no_effect, limits)
    with house_style():
        figure = HouseFigure(figsize=(5.6, 0.9 + 0.27 * len(names)), layout="constrained")
        axes = figure.subplots()
        _draw(axes, part)
        marked = [
            (value, row) for row, value in enumerate(references[: len(names)]) if value is not None
        ]
        if marked:
            axes.scatter(
                [value for value, _ in marked],
                [row for _, row in marked],
                marker="D",
                s=30,
                facecolors="none",
                edgecolors=CONTRAST,
                zorder=4,
                label=reference_name,
            )
            axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


def interval_panels(parts: Sequence[Intervals]) -> Figure:
    """Draw estimates of several scales with their intervals, a panel per scale.

    Parameters
    ----------
    parts : sequence of Intervals
        At least one.

    Returns
    -------
    Figure
        The panels from top to bottom.

    Examples
    --------
    >>> parts = [
    ...     Intervals(["age"], [0.3], [0.1], [0.5], "rho", 0.0, (-1.0, 1.0)),
    ...     Intervals(["survival"], [1.4], [1.1], [1.8], "hazard ratio", 1.0, is_ratio=True),
    ... ]
    >>> [axes.get_xlabel() for axes in interval_panels(parts).axes]
    ['rho', 'hazard ratio']
    """
    rows = [len(part.names) for part in parts]
    with house_style():
        size = (5.6, sum(0.9 + 0.27 * count for count in rows))
        figure = HouseFigure(figsize=size, layout="constrained")
        heights = [0.6 + 0.27 * count for count in rows]
        panels = figure.subplots(
            len(parts), 1, squeeze=False, gridspec_kw={"height_ratios": heights}
        )
        for axes, part in zip(panels[:, 0], parts, strict=True):
            _draw(axes, part)
    return figure


def _draw(axes: Axes, part: Intervals) -> None:
    rows = list(range(len(part.names)))
    if part.is_ratio:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("{x:g}")
    if part.no_effect is not None:
        axes.axvline(part.no_effect, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
    axes.hlines(rows, part.low, part.high, color=ACCENT, linewidth=1.6)
    axes.scatter(part.estimates, rows, s=26, color=ACCENT, zorder=3)
    axes.set_yticks(rows, part.names)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    if part.limits is not None:
        axes.set_xlim(*part.limits)
    axes.set_xlabel(part.value_name)
    axes.tick_params(axis="y", length=0)
