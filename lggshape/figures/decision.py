"""Decision curves: what a prediction is worth for a decision."""

from collections.abc import Mapping
from math import ceil

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.errors import InputError
from lggshape.figures.style import ACCENT, MUTED, HouseFigure, house_style

_ACROSS = 3
_LEAST_TOP = 0.05
"""Height of the axis of net benefit if no model has any."""


def decision_curves(
    thresholds: ArrayLike, curves: Mapping[str, ArrayLike], treat_all: ArrayLike
) -> Figure:
    """Draw the net benefit of models against the threshold probability of treatment.

    Parameters
    ----------
    thresholds : array_like of float, shape (T,)
        Threshold probabilities, ascending.
    curves : mapping of str to array_like of float, shape (3, T)
        Net benefit of each model, in true positives per patient, and the ends of its interval; NaN
        leaves a gap.
    treat_all : array_like of float, shape (T,)
        Net benefit of treating everyone; that of treating no one is 0.

    Returns
    -------
    Figure
        A panel per model, with the interval as a band, on one scale. The axis reaches no further
        below 0 than above it, so bands and the line of treating everyone may leave it.

    Raises
    ------
    InputError
        If there is no model, there are fewer than two thresholds, they do not ascend, or a curve
        has another length.

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models.
    Med Decis Making 26 (2006) 565-574.

    Examples
    --------
    >>> age = [[0.2, 0.15], [0.1, 0.05], [0.3, 0.25]]
    >>> figure = decision_curves([0.1, 0.2], {"age": age}, treat_all=[0.18, 0.08])
    >>> figure.axes[0].get_title("left")
    'age'
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['model, 95 % interval', 'treat all', 'treat none']
    """
    x, everyone = np.asarray(thresholds, dtype=float), np.asarray(treat_all, dtype=float)
    models = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
    if not models:
        msg = "Expected `curves` to hold at least one model, found none."
        raise InputError(msg)
    if x.ndim != 1 or len(x) < 2 or not np.all(np.diff(x) > 0):
        msg = f"Expected `thresholds` to be two or more, ascending, found {x.tolist()}."
        raise InputError(msg)
    shapes = {name: (3, len(x)) for name in models} | {"treat_all": x.shape}
    for name, values in [*models.items(), ("treat_all", everyone)]:
        if values.shape != shapes[name]:
            msg = f"Expected `{name}` to have shape {shapes[name]}, found {values.shape}."
            raise InputError(msg)
    benefits = np.array([model[0] for model in models.values()])
    top = max(float(np.nanmax([everyone, *benefits])), _LEAST_TOP)
    bottom = max(float(np.nanmin([np.zeros(len(x)), *benefits])), -top)
    margin = 0.06 * (top - bottom)
    with house_style():
        down = ceil(len(models) / _ACROSS)
        figure = HouseFigure(figsize=(7.2, 0.5 + 2.1 * down), layout="constrained")
        panels = figure.subplots(down, _ACROSS, sharex=True, sharey=True, squeeze=False)
        for axes, (name, (benefit, low, high)) in zip(panels.flat, models.items(), strict=False):
            axes.fill_between(x, low, high, color=ACCENT, alpha=0.2, linewidth=0)
            (line,) = axes.plot(x, benefit, color=ACCENT, linewidth=1.6)
            (treated,) = axes.plot(x, everyone, color=MUTED, linewidth=1.0, zorder=1)
            (none,) = axes.plot(
                x, np.zeros(len(x)), color=MUTED, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1
            )
            axes.set_title(name, loc="left", size=9)
            axes.set_xlim(x.min(), x.max())
            axes.set_ylim(bottom - margin, top + margin)
        for axes in panels.flat[len(models) :]:
            axes.set_visible(False)
        for axes in panels.flat[max(0, len(models) - _ACROSS) : len(models)]:
            axes.tick_params(labelbottom=True)  # also where the panel below is empty
        figure.supxlabel("threshold probability", size=9)
        figure.supylabel("net benefit", size=9)
        figure.legend(
            [line, treated, none], ["model, 95 % interval", "treat all", "treat none"],
            loc="outside upper right", ncols=3, frameon=False,
        )  # fmt: skip
    return figure
