"""The evidence of a detector as colours, a panel per slice."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from lggshape.figures.style import INK, MUTED, HouseFigure, house_style

_ACROSS = 4


class EvidencePanel(NamedTuple):
    """A slice that a detector looked at.

    Attributes
    ----------
    title : str
        The title of the panel.
    evidence : ndarray of shape (Y, X)
        Evidence for tumour above 0, against it below.
    outline : sequence of array_like of shape (N, 2)
        The parts of the tumour's outline: (row, column) of the points.
    head : sequence of array_like of shape (N, 2)
        Those of the outline of the head, for orientation.
    """

    title: str
    evidence: NDArray[np.floating]
    outline: Sequence[ArrayLike]
    head: Sequence[ArrayLike] = ()


def evidence_panels(panels: Sequence[EvidencePanel], *, value_name: str) -> Figure:
    """Draw evidence as colours, with the outline of the tumour.

    Parameters
    ----------
    panels : sequence of EvidencePanel
        At least one.
    value_name : str
        What the colours stand for.

    Returns
    -------
    Figure
        Four panels per row, with one colour scale that is white at 0; image rows run downwards.
    """
    reach = max(float(np.abs(panel.evidence).max()) for panel in panels) or 1.0
    with house_style():
        down = ceil(len(panels) / _ACROSS)
        figure = HouseFigure(figsize=(7.6, 0.2 + 2.0 * down), layout="constrained")
        every = figure.subplots(down, _ACROSS, squeeze=False)
        for axes in every.flat:
            axes.set_axis_off()
        for axes, panel in zip(every.flat, panels, strict=False):
            image = axes.imshow(panel.evidence, cmap="RdBu_r", vmin=-reach, vmax=reach)
            for parts, colour, width in ((panel.head, MUTED, 0.8), (panel.outline, INK, 1.1)):
                for part in parts:
                    rows, columns = np.asarray(part, dtype=float).T
                    axes.plot(columns, rows, color=colour, linewidth=width)
            axes.set_title(panel.title, fontsize=7)
        figure.colorbar(image, ax=every, label=value_name, shrink=0.8, fraction=0.03)
    return figure
