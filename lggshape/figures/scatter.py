"""One number of each thing against another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.figures.style import ACCENT, HouseFigure, house_style, link_or_rasterise


def scatter_plot(
    x: ArrayLike, y: ArrayLike, *, x_name: str, y_name: str, links: Sequence[str | None] = ()
) -> Figure:
    """Draw a point per thing.

    Parameters
    ----------
    x, y : array_like of float, shape (N,)
        The two numbers of each.
    x_name, y_name : str
        What they are, with their units.
    links : sequence of str or None
        Where each point of the SVG leads; empty for nowhere.

    Returns
    -------
    Figure
        Without a line through the points: a rank correlation is not about a line.

    Examples
    --------
    >>> figure = scatter_plot([30, 41, 55], [0.2, 0.4, 0.3], x_name="age", y_name="MF")
    >>> figure.axes[0].get_xlabel(), len(figure.axes[0].collections[0].get_offsets())
    ('age', 3)
    """
    across, up = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    with house_style():
        figure = HouseFigure(figsize=(4.6, 3.0), layout="constrained")
        axes = figure.subplots()
        points = axes.scatter(across, up, s=12, color=ACCENT, alpha=0.75, linewidths=0)
        link_or_rasterise(points, links, total=len(across))
        axes.set_xlabel(x_name)
        axes.set_ylabel(y_name)
        axes.margins(0.05)
    return figure
