"""How a training went: a curve an epoch."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lggshape.figures.style import LEVELS, house_style


def training_curve(curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw values an epoch, each in a panel of its own.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        The values of each epoch from the first, by the name of what was measured.

    Returns
    -------
    Figure
        The panels above each other, with one axis of epochs.
    """
    with house_style():
        figure = Figure(figsize=(4.6, 0.8 + 1.6 * len(curves)), layout="constrained")
        panels = figure.subplots(len(curves), sharex=True, squeeze=False)[:, 0]
        for axes, colour, (name, values) in zip(panels, LEVELS, curves.items(), strict=False):
            axes.plot(range(1, len(values) + 1), values, color=colour, marker="o", markersize=3)
            axes.set_ylabel(name)
        panels[-1].set_xlabel("epoch")
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
