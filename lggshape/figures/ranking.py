"""Values in ascending order, with names for the low ones."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from lggshape.figures.style import (
    ACCENT,
    CONTRAST,
    MUTED,
    HouseFigure,
    house_style,
    link_or_rasterise,
)

_MOST_NAMED = 12


def ranking(
    values: ArrayLike,
    names: Sequence[str],
    *,
    value_name: str,
    item_name: str,
    named_below: float,
    limits: tuple[float, float] = (0.0, 1.0),
    links: Sequence[str | None] = (),
) -> Figure:
    """Draw values in ascending order, with their median, and name those that are low.

    Parameters
    ----------
    values : array_like of float, shape (N,)
        A value per item; NaN is left out.
    names : sequence of str
        The names of the items.
    value_name, item_name : str
        What was measured, and what the items are, in the plural.
    named_below : float
        Items with a smaller value are named; the twelve lowest if there are more.
    limits : tuple of float
        Ends of the axis of values.
    links : sequence of str or None
        Where the point of each item leads in the SVG; empty for nowhere.

    Returns
    -------
    Figure
        A point per item.
    """
    numbers = np.asarray(values, dtype=float)
    order = np.argsort(numbers, kind="stable")[: int(np.isfinite(numbers).sum())]
    ordered = numbers[order]
    is_low = ordered < named_below
    with house_style():
        figure = HouseFigure(figsize=(6.0, 3.2), layout="constrained")
        axes = figure.subplots()
        ranks = np.arange(1, len(ordered) + 1)
        axes.axhline(named_below, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        for chosen, size, colour in ((~is_low, 12, ACCENT), (is_low, 16, CONTRAST)):
            places = ranks[chosen], ordered[chosen]
            points = axes.scatter(*places, s=size, color=colour, linewidths=0)
            led = [links[i] for i in order[chosen]] if links else []
            link_or_rasterise(points, led, total=len(ordered))
        if len(ordered):
            median = float(np.median(ordered))
            axes.axhline(median, color=ACCENT, linewidth=0.8, zorder=0)
            axes.text(
                1, median, f"median {median:.2f}", ha="left", va="bottom", fontsize=8, color=ACCENT
            )
        low = [f"{names[i]}  {numbers[i]:.2f}" for i in order[is_low]]
        if len(low) > _MOST_NAMED:
            low = [*low[:_MOST_NAMED], f"and {len(low) - _MOST_NAMED} more"]
        axes.text(
            0.98, 0.04, "\n".join(low), transform=axes.transAxes, ha="right", va="bottom",
            fontsize=7.5, color=CONTRAST,
        )  # fmt: skip
        margin = 0.03 * (limits[1] - limits[0])
        axes.set_ylim(limits[0] - margin, limits[1] + margin)
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        axes.set_xlabel(f"{item_name}, from the lowest to the highest (n = {len(ordered)})")
        axes.set_ylabel(value_name)
    return figure
