"""Values of groups: boxes with every point."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.figures.style import INK, LEVELS, HouseFigure, house_style, link_or_rasterise


def box_and_points(
    groups: Sequence[ArrayLike],
    names: Sequence[str],
    *,
    value_name: str,
    cuts: Sequence[float] = (),
    links: Sequence[Sequence[str | None]] = (),
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw a box and all points of each group.

    Parameters
    ----------
    groups : sequence of array_like of float
        The values of each group.
    names : sequence of str
        The names of the groups.
    value_name : str
        What was measured, with its unit.
    cuts : sequence of float
        Values to mark with a dotted line, such as quartiles.
    links : sequence of sequence of str or None
        Where each point of each group leads in the SVG; empty for nowhere.
    limits : tuple of float, optional
        Lowest and highest value of the axis, for figures beside each other; by default those of
        the points.

    Returns
    -------
    Figure
        Boxes from quartile to quartile with the median; whiskers to the last point within 1.5
        times that range. Points are moved sideways so that they do not hide each other.

    Examples
    --------
    >>> figure = box_and_points([[1, 2, 4], [3, 5, 6]], ["low", "high"], value_name="volume")
    >>> figure.axes[0].get_ylabel()
    'volume'
    """
    with house_style():
        figure = HouseFigure(figsize=(4.6, 3.0), layout="constrained")
        axes = figure.subplots()
        values = [np.asarray(group, dtype=float) for group in groups]
        for cut in cuts:
            axes.axhline(cut, color="#cbd2d9", linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        boxes = axes.boxplot(
            values,
            widths=0.55,
            showfliers=False,
            patch_artist=True,
            medianprops={"color": INK, "linewidth": 1.6},
            whiskerprops={"color": "#9aa5b1"},
            capprops={"color": "#9aa5b1"},
        )
        for position, (box, group) in enumerate(zip(boxes["boxes"], values, strict=True)):
            colour = LEVELS[position % len(LEVELS)]
            box.set(facecolor=colour, alpha=0.18, edgecolor=colour)
            points = axes.scatter(
                position + 1 + spread(group),
                group,
                color=colour,
                linewidths=0,
                **_look(len(group)),
            )
            link_or_rasterise(points, links[position] if links else (), total=sum(map(len, values)))
        labels = [f"{name}\nn = {len(group)}" for name, group in zip(names, values, strict=True)]
        axes.set_xticks(range(1, len(labels) + 1), labels)
        if limits is not None:
            room = 0.04 * (limits[1] - limits[0])
            axes.set_ylim(limits[0] - room, limits[1] + room)
        axes.set_ylabel(value_name)
    return figure


def _look(count: int) -> dict[str, Any]:
    """Return the size and opacity of so many points, which a large group has to show through."""
    return {"s": 9, "alpha": 0.75} if count <= 100 else {"s": 5, "alpha": 0.35}


def spread(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the shift of each point sideways, which depends on its rank alone."""
    order = np.argsort(values, kind="stable")
    shift = np.empty(len(values))
    shift[order] = np.resize([0.0, 0.12, -0.12, 0.2, -0.2, 0.06, -0.06], len(values))
    return shift
