"""Slices of a case with the outlines of its masks."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import ceil
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from lggshape.figures.style import MUTED, HouseFigure, house_style
from lggshape.figures.view import ink, set_view

OUTLINES = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#d55e00", "#cc79a7")
"""Colours of the masks, of Okabe and Ito: orange and sky blue, which show on any grey, first."""

_WIDE, _NARROW = 1.5, 0.8  # of the outlines: the first can be seen below the others

_ACROSS = range(4, 7)  # slices in a row
_CELL = 1.55  # inches
_TOP, _BOTTOM, _GAP = 0.56, 0.26, 0.04


class Slice(NamedTuple):
    """A slice of a case.

    Attributes
    ----------
    name : str
        Text in the corner.
    outlines : mapping of str to sequence of array_like of shape (N, 2)
        The parts of the outline of each mask, by its name: (row, column) of the points.
    image : ndarray of shape (Y, X), optional
        Intensities; None leaves the slice white.
    """

    name: str
    outlines: Mapping[str, Sequence[ArrayLike]]
    image: NDArray[np.generic] | None = None


def montage(
    slices: Sequence[Slice],
    *,
    title: str,
    note: str,
    window: tuple[tuple[float, float], tuple[float, float]],
    grey: tuple[float, float] = (0.0, 1.0),
    aspect: float = 1.0,
    oriented: bool = False,
    dashed: Mapping[str, str] | None = None,
) -> Figure:
    """Draw slices side by side, with the outlines of masks.

    Parameters
    ----------
    slices : sequence of Slice
        At least one.
    title, note : str
        Text above, and in small letters below.
    window : tuple of tuple of float
        Lowest and highest row, lowest and highest column to show.
    grey : tuple of float
        Intensities that are black and white.
    aspect : float
        Height of a pixel divided by its width.
    oriented : bool
        Whether rows run towards anterior and columns towards the right of the patient. Then the
        view is the radiological one, with letters; otherwise slices are drawn as stored.
    dashed : mapping of str to str, optional
        The masks that are drawn with dashed lines, each in the colour of another.

    Returns
    -------
    Figure
        Four to six panels per row.

    References
    ----------
    Okabe M, Ito K. Color universal design: how to make figures and presentations that are friendly
    to colorblind people. 2008.
    """
    names = list(dict.fromkeys(name for one in slices for name in one.outlines))
    looks = _looks(names, dashed or {})
    rows, columns = window
    across = min(max(len(slices), _ACROSS.start), _ACROSS.stop - 1)
    down = ceil(len(slices) / across)
    cell = _CELL * aspect * (rows[1] - rows[0]) / (columns[1] - columns[0])
    width, height = across * _CELL + 2 * _GAP, down * cell + _TOP + _BOTTOM
    with house_style():
        figure = HouseFigure(figsize=(width, height))
        panels = figure.subplots(
            down,
            across,
            squeeze=False,
            gridspec_kw={
                "left": _GAP / width,
                "right": 1 - _GAP / width,
                "bottom": _BOTTOM / height,
                "top": 1 - _TOP / height,
                "wspace": _GAP / _CELL,
                "hspace": _GAP / cell,
            },
        ).ravel()
        for axes in panels[len(slices) :]:
            axes.set_axis_off()
        for axes, one in zip(panels, slices, strict=False):
            _draw_slice(axes, one, looks, grey)
            axes.set_aspect(aspect)
            on_image = one.image is not None
            set_view(axes, 0, rows, columns, oriented=oriented, on_image=on_image)
        figure.text(_GAP / width, 1 - 0.06 / height, title, va="top", size=10, weight="bold")
        figure.text(_GAP / width, 0.06 / height, note, va="bottom", size=7, color=MUTED)
        keys = [
            Line2D([], [], color=look.colour, linestyle=look.style, label=name)
            for name, look in looks.items()
        ]
        figure.legend(
            handles=keys,
            loc="upper left",
            bbox_to_anchor=(0, 1 - 0.24 / height),
            borderaxespad=0.2,
            ncols=max(2, len(names)),
            frameon=False,
        )
    return figure


class _Look(NamedTuple):
    """The line of a mask."""

    colour: str
    width: float
    style: Literal["-", "--"]


def _looks(names: Sequence[str], dashed: Mapping[str, str]) -> dict[str, _Look]:
    """Return the line of each mask."""
    own = [name for name in names if name not in dashed]
    colours = dict(zip(own, cycle(OUTLINES), strict=False))
    return {
        name: _Look(
            colours[dashed.get(name, name)],
            _NARROW if place else _WIDE,
            "--" if name in dashed else "-",
        )
        for place, name in enumerate(names)
    }


def _draw_slice(
    axes: Axes, one: Slice, looks: Mapping[str, _Look], grey: tuple[float, float]
) -> None:
    """Draw a slice with its name and its outlines, each with the line of its mask."""
    on_image = one.image is not None
    if one.image is not None:
        axes.imshow(one.image, cmap="gray", vmin=grey[0], vmax=grey[1])
        axes.set_facecolor("black")
    for name, parts in one.outlines.items():
        look = looks[name]
        for part in parts:
            y, x = np.asarray(part, dtype=float).T
            axes.plot(x, y, color=look.colour, linewidth=look.width, linestyle=look.style)
    axes.spines[:].set_visible(not on_image)
    axes.spines[:].set_color("#e4e7eb")
    text = ink(on_image=on_image)
    axes.text(0.03, 0.97, one.name, transform=axes.transAxes, va="top", size=8, **text)
