"""The ROC curve of a score."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lggshape.figures.style import ACCENT, CONTRAST, MUTED, HouseFigure, house_style


def roc_curve(
    scores: ArrayLike,
    positive: ArrayLike,
    *,
    title: str,
    decision: tuple[float, float] | None = None,
    decision_name: str = "",
) -> Figure:
    """Draw the receiver operating characteristic curve of a score.

    Parameters
    ----------
    scores : array_like of float, shape (N,)
        The higher the score, the more likely positive.
    positive : array_like of bool, shape (N,)
        Which are positive: at least one, and not all.
    title : str
        Text above the curve, such as the area under it.
    decision : tuple of float, optional
        Specificity and sensitivity of a decision that was made, drawn as a point.
    decision_name : str
        Name of the decision.

    Returns
    -------
    Figure
        Sensitivity against 1 - specificity. Tied scores are one step, a slanted line.
    """
    values, chosen = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    order = np.argsort(-values, kind="stable")
    last_of_tie = np.append(np.diff(values[order]) != 0, True)
    hits = np.cumsum(chosen[order])[last_of_tie] / chosen.sum()
    alarms = np.cumsum(~chosen[order])[last_of_tie] / (~chosen).sum()
    with house_style():
        figure = HouseFigure(figsize=(3.6, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.plot(np.append(0, alarms), np.append(0, hits), color=ACCENT, linewidth=1.6)
        if decision is not None:
            specificity, sensitivity = decision
            axes.scatter(
                [1 - specificity], [sensitivity], s=30, color=CONTRAST, zorder=3,
                label=decision_name,
            )  # fmt: skip
            axes.legend(loc="lower right", frameon=False)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        axes.set_title(title)
        axes.set_xlabel("1 - specificity")
        axes.set_ylabel("sensitivity")
    return figure
