"""Maps of how often each place of the head is affected."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lggshape.figures.style import INK, MUTED, HouseFigure, house_style
from lggshape.figures.view import name_axes, plane_axes, set_view

_TITLES = ("axial", "coronal", "sagittal")
_STORED = ("along the slices", "along the rows", "along the columns")
_MARGIN = 0.08  # of the longest side
_PANEL = 2.1  # inches


def location_maps(
    shares: Mapping[str, NDArray[np.float64]],
    head: NDArray[np.float64],
    *,
    size: tuple[float, float, float],
    oriented: bool,
    value_name: str,
    note: str,
) -> Figure:
    """Draw the largest share along each line of sight, from three sides.

    Parameters
    ----------
    shares : mapping of str to ndarray of shape (Z, Y, X)
        Shares of cases, 0 to 1, on a grid common to all heads. Each has a row of panels.
    head : ndarray of shape (Z, Y, X)
        Share of the heads that cover a voxel. The outline encloses what at least half of them
        cover.
    size : tuple of float
        Extent of the grid along (z, y, x), in any unit.
    oriented : bool
        Whether z runs towards superior, y towards anterior and x towards the right of the patient.
        Then the views are the radiological ones, with letters; otherwise they are as stored.
    value_name : str
        What the shares are of.
    note : str
        Text below, in small letters.

    Returns
    -------
    Figure
        All panels have the same scales of colour and length.
    """
    top = max(float(share.max()) for share in shares.values()) or 1.0
    margin = _MARGIN * max(size)
    with house_style():
        extents = [plane_axes(along) for along in range(3)]
        widths = [size[across] + 2 * margin for _, across in extents]
        tallest = max(size[upright] for upright, _ in extents) + 2 * margin
        scale = 3 * _PANEL / sum(widths)
        height = len(shares) * (tallest * scale + 0.3) + 0.5
        figure = HouseFigure(figsize=(3 * _PANEL + 1.3, height), layout="constrained")
        panels = figure.subplots(len(shares), 3, squeeze=False, width_ratios=widths)
        for row, (name, share) in zip(panels, shares.items(), strict=True):
            for along, axes in enumerate(row):
                upright, across = extents[along]
                extent = (0, size[across], 0, size[upright])
                seen = share.max(axis=along)
                image = axes.imshow(
                    np.where(seen > 0, seen, np.nan),
                    cmap="viridis_r",
                    vmin=0,
                    vmax=top,
                    extent=extent,
                    origin="lower",
                    interpolation="nearest",
                )
                around = np.pad(head.max(axis=along), 1)
                y, x = (
                    (np.arange(-1, n + 1) + 0.5) / n * size[axis]
                    for axis, n in zip((upright, across), seen.shape, strict=True)
                )
                axes.contour(x, y, around, levels=[0.5], colors=INK, linewidths=1.0)
                limits = [(-margin, size[axis] + margin) for axis in (upright, across)]
                set_view(axes, along, limits[0], limits[1], oriented=oriented)
                axes.spines[:].set_visible(False)
                if not oriented:
                    name_axes(axes, along)
                axes.set_title((_TITLES if oriented else _STORED)[along], size=8, color=MUTED)
            # The empty line leaves room for the name of the view.
            row[0].set_title(f"{name}\n", loc="left", weight="bold", size=9)
        bar = figure.colorbar(image, ax=panels, fraction=0.04, pad=0.02, format="{x:.0%}")
        bar.set_label(value_name)
        bar.outline.set_visible(False)
        # Names would touch the upper edge.
        figure.set_layout_engine("constrained", rect=(0, 0, 1, 0.98))
        figure.supxlabel(note, size=7, color=MUTED, x=0.01, ha="left")
    return figure
