"""Heat map of a table of numbers."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.figures.style import HouseFigure, house_style

_LETTER, _TURNED_LETTER = 0.075, 0.05
"""Inches that a letter of a name needs beside the cells, and below them."""


def heat_map(
    values: ArrayLike,
    texts: Sequence[Sequence[str]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    value_name: str,
    centre: float | None = None,
) -> Figure:
    """Draw a table of numbers as colours with a text in each cell.

    Parameters
    ----------
    values : array_like of float, shape (rows, columns)
        Numbers, from 0 upwards if there is no `centre`; NaN leaves the cell blank.
    texts : sequence of sequence of str
        The text of each cell.
    rows, columns : sequence of str
        Their names.
    value_name : str
        What the colours stand for.
    centre : float, optional
        The number that is white; smaller ones are blue and larger ones red, to the same distance.

    Returns
    -------
    Figure
        Its size depends on the number of cells and the length of the names.

    Examples
    --------
    >>> texts = [["0.1", "0.8"]]
    >>> figure = heat_map(
    ...     [[0.1, 0.8]], texts, rows=["volume"], columns=["idh", "sex"], value_name="effect"
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0.1', '0.8']
    """
    table = np.asarray(values, dtype=float)
    with house_style():
        beside, below = (max(map(len, names), default=0) for names in (rows, columns))
        size = (
            1.6 + max(1.0, _LETTER * beside) + 0.75 * len(columns),
            0.9 + max(0.8, _TURNED_LETTER * below) + 0.38 * len(rows),
        )
        figure = HouseFigure(figsize=size, layout="constrained")
        axes = figure.subplots()
        least = 0.0 if centre is None else centre
        reach = max(0.5, float(np.nanmax(np.abs(table - least), initial=0.0)))
        image = axes.pcolormesh(
            table,
            cmap="YlGnBu" if centre is None else "RdBu_r",
            vmin=least if centre is None else least - reach,
            vmax=least + reach,
            edgecolors="white",
            linewidth=1,
        )
        for (row, column), value in np.ndenumerate(table):
            if np.isfinite(value):
                axes.text(
                    column + 0.5,
                    row + 0.5,
                    texts[row][column],
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if abs(value - least) > 0.6 * reach else "#1f2933",
                )
        axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=40, ha="right")
        axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        figure.colorbar(image, ax=axes, label=value_name, pad=0.02, fraction=0.05)
    return figure
