"""Differences of pairs: every pair, and the mean of all with its interval."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.figures.groups import spread
from lggshape.figures.style import ACCENT, CONTRAST, MUTED, HouseFigure, house_style


class PairedRow(NamedTuple):
    """The differences of one comparison.

    Attributes
    ----------
    name : str
        What was compared.
    differences : array_like of float, shape (N,)
        Of each pair; NaN draws nothing.
    mean : tuple of float
        Their mean, and the ends of its interval.
    links : sequence of str or None
        Where each point leads in the SVG; empty for nowhere.
    """

    name: str
    differences: ArrayLike
    mean: tuple[float, float, float]
    links: Sequence[str | None] = ()


def paired_differences(rows: Sequence[PairedRow], *, value_name: str) -> Figure:
    """Draw the difference of every pair, and the mean with its interval, in a row per comparison.

    Parameters
    ----------
    rows : sequence of PairedRow
        At least one, from top to bottom.
    value_name : str
        What differs.

    Returns
    -------
    Figure
        With a line at 0. Points are moved up or down so that they do not hide each other.

    Examples
    --------
    >>> row = PairedRow("second run (n = 3)", [0.1, 0.2, -0.1], (0.07, -0.1, 0.2))
    >>> figure = paired_differences([row], value_name="Dice less that of the first run")
    >>> figure.axes[0].get_xlabel()
    'Dice less that of the first run'
    """
    with house_style():
        figure = HouseFigure(figsize=(6.6, 0.8 + 0.75 * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        for place, row in enumerate(rows):
            values = np.asarray(row.differences, dtype=float)
            points = axes.scatter(
                values, place - 0.08 + spread(values), s=12, color=ACCENT, alpha=0.75, linewidths=0
            )
            if any(row.links):
                points.set_urls(row.links)
            mean, low, high = row.mean
            axes.hlines(place + 0.34, low, high, color=CONTRAST, linewidth=1.6)
            axes.scatter([mean], [place + 0.34], s=26, color=CONTRAST, zorder=3)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(value_name)
        axes.tick_params(axis="y", length=0)
    return figure
