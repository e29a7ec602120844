"""Outlines of two masks, a panel per slice."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from lggshape.figures.style import ACCENT, CONTRAST, HouseFigure, house_style

_ACROSS = 4


def outline_panels(panels: Sequence[tuple[str, Mapping[str, Sequence[ArrayLike]]]]) -> Figure:
    """Draw the outlines of one or two masks in each of several slices.

    Parameters
    ----------
    panels : sequence of (str, mapping of str to sequence of array_like of shape (N, 2))
        Titles, and the parts of each outline, by name of the mask: (row, column) of the points.

    Returns
    -------
    Figure
        A panel per slice, four per row, each with its own window; image rows run downwards.

    Examples
    --------
    >>> square = [[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]]
    >>> figure = outline_panels([("p1", {"automatic": [square], "manual": [square]})])
    >>> figure.axes[0].get_title()
    'p1'
    """
    names = list(dict.fromkeys(name for _, masks in panels for name in masks))
    colours = dict(zip(names, (ACCENT, CONTRAST), strict=False))
    with house_style():
        down = max(ceil(len(panels) / _ACROSS), 1)
        figure = HouseFigure(figsize=(7.2, 0.5 + 2.0 * down), layout="constrained")
        for number, (title, masks) in enumerate(panels, start=1):
            axes = figure.add_subplot(down, _ACROSS, number)
            for name, parts in masks.items():
                for part in parts:
                    rows, columns = np.asarray(part, dtype=float).T
                    axes.plot(columns, rows, color=colours[name], linewidth=1.1)
            axes.set_title(title, fontsize=8)
            axes.set_aspect("equal", adjustable="datalim")
            axes.invert_yaxis()
            axes.set_axis_off()
        keys = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
        figure.legend(handles=keys, loc="outside upper center", ncols=2, frameon=False)
    return figure
