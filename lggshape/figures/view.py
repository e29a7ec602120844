"""Views of a volume along one of its axes."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from lggshape.figures.style import INK

_ENDS = (("I", "S"), ("P", "A"), ("L", "R"))
"""The sides of the patient at the low and high end of z, y and x, if the orientation is known."""

_NAMES = ("slice", "row", "column")


def plane_axes(along: int) -> tuple[int, int]:
    """Return the axes that are drawn vertically and horizontally in a view along another.

    Examples
    --------
    >>> [plane_axes(along) for along in range(3)]
    [(1, 2), (0, 2), (0, 1)]
    """
    upright, across = (axis for axis in range(3) if axis != along)
    return upright, across


def ink(*, on_image: bool) -> Mapping[str, Any]:
    """Return the style of text: dark on white, or white in a dark box on an image."""
    if not on_image:
        return {"color": INK}
    box = {"facecolor": "black", "alpha": 0.45, "linewidth": 0, "pad": 0.8}
    return {"color": "white", "bbox": box}


def set_view(
    axes: Axes,
    along: int,
    upright: tuple[float, float],
    across: tuple[float, float],
    *,
    oriented: bool,
    on_image: bool = False,
) -> None:
    """Set the limits and directions of a panel, with letters for the sides of the patient.

    If the orientation is known, the view is the radiological one, with letters: the patient's right
    is on the left, anterior and superior are on top, and in a sagittal view anterior is on the
    left. Otherwise rows run down and columns to the right, as stored, and the first slice is at the
    bottom.

    Parameters
    ----------
    axes : Axes
        The panel. Its coordinates are those of the array.
    along : {0, 1, 2}
        The axis (z, y, x) of the view.
    upright, across : tuple of float
        Lowest and highest coordinate to show, along either axis of the panel.
    oriented : bool
        Whether z runs towards superior, y towards anterior and x towards the right of the patient.
    on_image : bool
        Whether the letters lie on an image.
    """
    vertical, horizontal = plane_axes(along)
    axes.set_xlim(*(across[::-1] if oriented else across))
    axes.set_ylim(*(upright if oriented or vertical == 0 else upright[::-1]))
    axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
    if oriented:
        (bottom, top), (right, left) = _ENDS[vertical], _ENDS[horizontal]
        look = {"fontsize": 7, "transform": axes.transAxes, **ink(on_image=on_image)}
        axes.text(0.02, 0.5, left, ha="left", va="center", **look)
        axes.text(0.98, 0.5, right, ha="right", va="center", **look)
        axes.text(0.5, 0.98, top, ha="center", va="top", **look)
        axes.text(0.5, 0.02, bottom, ha="center", va="bottom", **look)


def name_axes(axes: Axes, along: int) -> None:
    """Label the axes of a panel whose orientation is unknown."""
    vertical, horizontal = plane_axes(along)
    axes.set_ylabel(f"{_NAMES[vertical]} {'→' if vertical == 0 else '←'}", fontsize=8)
    axes.set_xlabel(f"{_NAMES[horizontal]} →", fontsize=8)
