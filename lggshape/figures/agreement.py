"""Agreement of two measurements of the same items."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.figures.style import (
    ACCENT,
    CONTRAST,
    MUTED,
    HouseFigure,
    house_style,
    link_or_rasterise,
)


def agreement_plot(
    measured: ArrayLike,
    reference: ArrayLike,
    *,
    measured_name: str,
    reference_name: str,
    quantity: str,
    lines: Sequence[tuple[float, float]] = (),
    links: Sequence[str | None] = (),
) -> Figure:
    """Draw two measurements against each other, and their difference against their mean.

    Parameters
    ----------
    measured, reference : array_like of float, shape (N,)
        The two measurements of each item.
    measured_name, reference_name : str
        Their names.
    quantity : str
        What was measured, with its unit.
    lines : sequence of pairs of float, optional
        Mean difference, lower and upper limit of agreement, each at the smallest and at the largest
        mean, where they are straight lines of it and no constants.
    links : sequence of str or None
        Where the points of each item lead in the SVG; empty for nowhere.

    Returns
    -------
    Figure
        Left, one against the other with the line of equality; right, a Bland-Altman plot with the
        mean difference and, from three items on, the limits of agreement (1.96 standard
        deviations, if no lines are given).

    References
    ----------
    Bland JM, Altman DG. Statistical methods for assessing agreement between two methods of clinical
    measurement. Lancet 327 (1986) 307-310.
    """
    one, other = np.asarray(measured, dtype=float), np.asarray(reference, dtype=float)
    difference, means = one - other, (one + other) / 2
    with house_style():
        figure = HouseFigure(figsize=(6.8, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        top = max(one.max(initial=0), other.max(initial=0)) * 1.05
        left.plot([0, top], [0, top], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        left.set_xlabel(f"{reference_name} {quantity}")
        left.set_ylabel(f"{measured_name} {quantity}")
        right.axhline(0, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        look: dict[str, Any] = {"s": 12, "color": ACCENT, "alpha": 0.75, "linewidths": 0}
        for axes, place in ((left, (other, one)), (right, (means, difference))):
            points = axes.scatter(*place, **look)
            link_or_rasterise(points, links, total=len(one))
        if len(difference) > 2:
            ends = (means.min(), means.max())
            mean, spread = float(difference.mean()), 1.96 * float(difference.std(ddof=1))
            constant = [(height, height) for height in (mean, mean - spread, mean + spread)]
            for heights, width, dashes in zip(
                lines or constant, (1.2, 0.8, 0.8), ("solid", (0, (4, 2)), (0, (4, 2))), strict=True
            ):
                right.plot(ends, heights, color=CONTRAST, linewidth=width, linestyle=dashes)
        right.set_xlabel(f"mean {quantity}")
        right.set_ylabel(f"{measured_name} − {reference_name} {quantity}")
        for axes in (left, right):
            axes.ticklabel_format(scilimits=(-3, 4))
    return figure
