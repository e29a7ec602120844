"""Decision curves: what a prediction is worth for a decision."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.errors import InputError
from lggshape.figures.style import LEVELS, MUTED, HouseFigure, house_style

_DASHES = ("-", (0, (5, 2)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2, 3, 2)))
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
    curves : mapping of str to array_like of float, shape (T,)
        Net benefit of each model, in true positives per patient; NaN leaves a gap.
    treat_all : array_like of float, shape (T,)
        Net benefit of treating everyone; that of treating no one is 0.

    Returns
    -------
    Figure
        A line per model. The axis reaches no further below 0 than above it, so the line of treating
        everyone may leave it.

    Raises
    ------
    InputError
        If there are fewer than two thresholds, they do not ascend, or a curve has another length.

    References
    ----------
    Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models.
    Med Decis Making 26 (2006) 565-574.

    Examples
    --------
    >>> figure = decision_curves([0.1, 0.2], {"age": [0.2, 0.15]}, treat_all=[0.18, 0.08])
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['age', 'treat all', 'treat none']
    """
    x, everyone = np.asarray(thresholds, dtype=float), np.asarray(treat_all, dtype=float)
    models = {name: np.asarray(curve, dtype=float) for name, curve in curves.items()}
    if x.ndim != 1 or len(x) < 2 or not np.all(np.diff(x) > 0):
        msg = f"Expected `thresholds` to be two or more, ascending, found {x.tolist()}."
        raise InputError(msg)
    for name, curve in [*models.items(), ("treat_all", everyone)]:
        if curve.shape != x.shape:
            msg = f"Expected `{name}` to have {len(x)} values, found shape {curve.shape}."
            raise InputError(msg)
    benefits = np.array([np.zeros(len(x)), *models.values()])
    top = max(float(np.nanmax([*benefits, everyone])), _LEAST_TOP)
    bottom = max(float(np.nanmin(benefits)), -top)
    margin = 0.06 * (top - bottom)
    with house_style():
        figure = HouseFigure(figsize=(6.6, 3.4), layout="constrained")
        axes = figure.subplots()
        for (name, curve), colour, dashes in zip(
            models.items(), cycle(LEVELS), cycle(_DASHES), strict=False
        ):
            axes.plot(x, curve, color=colour, linestyle=dashes, linewidth=1.6, label=name)
        axes.plot(x, everyone, color=MUTED, linewidth=1.0, label="treat all", zorder=1)
        axes.plot(
            x, np.zeros(len(x)), color=MUTED, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1,
            label="treat none",
        )  # fmt: skip
        axes.set_xlim(x.min(), x.max())
        axes.set_ylim(bottom - margin, top + margin)
        axes.set_xlabel("threshold probability")
        axes.set_ylabel("net benefit")
        figure.legend(loc="outside right upper", frameon=False, handlelength=3.0)
    return figure
