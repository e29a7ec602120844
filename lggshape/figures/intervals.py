"""Forest plot: estimates with their intervals, one below the other."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from lggshape.figures.forest import ForestPanel, draw_frame
from lggshape.figures.style import ACCENT, CONTRAST, HouseFigure, house_style


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
    with house_style():
        figure = HouseFigure(figsize=(5.6, 0.9 + 0.27 * len(names)), layout="constrained")
        axes = figure.subplots()
        draw_frame(axes, ForestPanel([], value_name, no_effect, limits), names)
        rows = range(len(names))
        axes.hlines(rows, low, high, color=ACCENT, linewidth=1.6)
        axes.scatter(estimates, rows, s=26, color=ACCENT, zorder=3)
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
