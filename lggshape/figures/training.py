"""Curves of training by epoch, and learning curves by number of patients."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from lggshape.figures.style import LEVELS, HouseFigure, house_style

_LINES = ("-", (0, (4, 1.5)), (0, (1, 1)))


def training_curve(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw values by epoch, each in a panel of its own.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        The values from the first epoch on, by what was measured; NaN if nothing was measured.

    Returns
    -------
    Figure
        The panels above each other, with one axis of epochs.

    Examples
    --------
    >>> figure = training_curve({"fold 0": [0.9, 0.5, 0.3]})
    >>> figure.axes[0].get_xlabel()
    'epoch'
    """
    with house_style():
        figure = HouseFigure(figsize=(4.6, 0.8 + 1.6 * len(curves)), layout="constrained")
        panels = figure.subplots(len(curves), sharex=True, squeeze=False)[:, 0]
        for axes, colour, (name, values) in zip(panels, LEVELS, curves.items(), strict=False):
            points = [(n, value) for n, value in enumerate(values, 1) if not np.isnan(value)]
            axes.plot(*zip(*points, strict=True), color=colour, marker="o", markersize=3)
            axes.set_ylabel(name)
        panels[-1].set_xlabel("epoch")
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def curves_side_by_side(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, x_name: str, y_name: str
) -> Figure:
    """Draw several curves in one panel.

    Parameters
    ----------
    curves : mapping of str to (array_like of shape (N,), array_like of shape (N,))
        Places and values, by name.
    x_name, y_name : str
        What they are.

    Returns
    -------
    Figure
        With the names beside it, in the order of the curves.
    """
    with house_style():
        figure = HouseFigure(figsize=(7.2, 3.6), layout="constrained")
        axes = figure.subplots()
        for number, (name, (places, values)) in enumerate(curves.items()):
            line = _LINES[number // len(LEVELS) % len(_LINES)]
            colour = LEVELS[number % len(LEVELS)]
            axes.plot(places, values, color=colour, linestyle=line, linewidth=1.4, label=name)
        axes.set_xlabel(x_name)
        axes.set_ylabel(y_name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure


def learning_curves(
    curves: Mapping[str, Sequence[tuple[float, float, float, float]]],
    *,
    x_name: str,
    y_name: str,
) -> Figure:
    """Draw estimates with their intervals against the amount of data.

    Parameters
    ----------
    curves : mapping of str to sequence of (amount, estimate, low, high)
        By name, in ascending order of the amount.
    x_name, y_name : str
        What amount and estimate are.

    Returns
    -------
    Figure
        One line per curve. Each is moved aside a little, so that intervals do not hide each other.
    """
    with house_style():
        figure = HouseFigure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.subplots()
        most = max((point[0] for points in curves.values() for point in points), default=1.0)
        for number, (name, points) in enumerate(curves.items()):
            amounts, estimates, low, high = zip(*points, strict=True)
            places = [amount + 0.008 * most * number for amount in amounts]
            colour = LEVELS[number % len(LEVELS)]
            axes.plot(places, estimates, color=colour, marker="o", markersize=4, label=name)
            axes.vlines(places, low, high, color=colour, linewidth=1.2)
        axes.set_xlabel(x_name)
        axes.set_ylabel(y_name)
        axes.set_xlim(left=0)
        axes.legend(frameon=False, loc="lower right")
    return figure
