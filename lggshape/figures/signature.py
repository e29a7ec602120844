"""The contour and the ellipsoid from which shape features are computed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lggshape.figures.montage import OUTLINES
from lggshape.figures.style import ACCENT, CONTRAST, INK, MUTED, HouseFigure, house_style
from lggshape.figures.view import ink, name_axes, set_view

Floats = NDArray[np.float64]

_PLANES = ("axial", "coronal", "sagittal")
_REACH = 1.2  # of the edges of sectors, in largest distances from the centre
_LIGHT = "#cfe3ea"


class Signature(NamedTuple):
    """The contour of a mask in a slice, as seen from its centre; n points in order around it.

    Attributes
    ----------
    points : ndarray of shape (n, 2)
        (row, column) in pixels; pixel centres are whole numbers.
    centre : ndarray of shape (2,)
        (row, column) in pixels.
    angles : ndarray of shape (n,)
        `arctan2(row, column)` about the centre in degrees, -180 to 180.
    distances : ndarray of shape (n,)
        From the centre, divided by their mean.
    average : ndarray of shape (n,)
        Moving average of the distances along the contour.
    deviations : ndarray of shape (bins,)
        Standard deviation of the distances in each of the equal bins from -180 degrees on; NaN
        where a bin is empty.
    image : ndarray of shape (Y, X), optional
        Intensities of the slice.
    grey : tuple of float
        Intensities that are black and white.
    aspect : float
        Height of a pixel divided by its width.
    along : {0, 1, 2}
        The axis (z, y, x) of the volume along which the slices follow each other.
    """

    points: Floats
    centre: Floats
    angles: Floats
    distances: Floats
    average: Floats
    deviations: Floats
    image: NDArray[np.generic] | None = None
    grey: tuple[float, float] = (0.0, 1.0)
    aspect: float = 1.0
    along: int = 0


class Shadow(NamedTuple):
    """A mask and the ellipsoid around it, projected along one axis.

    Attributes
    ----------
    mask : ndarray of bool, shape (upright, across)
        Where the line of sight meets the mask.
    ellipse : ndarray of shape (m, 2)
        Outline of the ellipsoid: (upright, across) in voxels; voxel centres are whole numbers.
    support : ndarray of shape (k, 2)
        The corners of voxels that hold the ellipsoid, likewise.
    aspect : float or None
        Height of a voxel divided by its width; None if unknown.
    """

    mask: NDArray[np.bool_]
    ellipse: Floats
    support: Floats
    aspect: float | None


def feature_panels(
    signature: Signature,
    shadows: Sequence[Shadow],
    *,
    title: str,
    slice_name: str,
    features: tuple[str, str, str],
    spreads: tuple[float, float],
    oriented: bool,
) -> Figure:
    """Draw how angular standard deviation, margin fluctuation and ellipsoid ratio are computed.

    Parameters
    ----------
    signature : Signature
        The contour in the slice that the first two features are measured on.
    shadows : sequence of three Shadow
        The projections along z, y and x.
    title, slice_name : str
        Text above the figure, and above the slice.
    features : tuple of str
        The angular standard deviation (ASD), the margin fluctuation (MF) and the bounding ellipsoid
        volume ratio (BEVR) in words, with their values.
    spreads : tuple of float
        The values of the first two, for the lines that show them.
    oriented : bool
        Whether z runs towards superior, y towards anterior and x towards the right of the patient.
        Then the views are the radiological ones, with letters; otherwise they are as stored.

    Returns
    -------
    Figure
        Above, the slice with contour, centre and numbered bins; beside it, by angle, the distances
        with their moving average, what is left of them without it, and the standard deviation of
        each bin. Below, the mask in its ellipsoid from three sides.
    """
    deviation, fluctuation, ratio = features
    layout: list[Any] = [["slice", name] for name in ("distance", "rest", "bins")]
    with house_style():
        figure = HouseFigure(figsize=(8.6, 7.2), layout="constrained")
        figure.suptitle(title, weight="bold", x=0.01, ha="left", size=10)
        grid = figure.add_gridspec(2, 1, height_ratios=(1.35, 1.0))
        above, below = (figure.add_subfigure(grid[row]) for row in range(2))
        panels = above.subplot_mosaic(layout, width_ratios=(1, 1.9), height_ratios=(1.5, 1.0, 1.0))
        _draw_slice(panels["slice"], signature, oriented=oriented)
        _draw_signature(panels, signature, spreads)
        for name, text in (
            ("slice", slice_name),
            ("distance", "distance from the centre to the contour"),
            ("rest", fluctuation),
            ("bins", deviation),
        ):
            panels[name].set_title(text, size=9, loc="left")
        below.suptitle(ratio, size=9, x=0.01, ha="left")
        views = below.subplots(1, 3)
        for along, (axes, shadow) in enumerate(zip(views, shadows, strict=True)):
            _draw_shadow(axes, shadow, along, oriented=oriented)
    return figure


def _draw_slice(axes: Axes, signature: Signature, *, oriented: bool) -> None:
    """Draw the contour with its centre and the edges of the bins."""
    _, centre, _, _, _, deviations, image, grey, aspect, along = signature
    ring = np.vstack([signature.points, signature.points[:1]])
    # Lengths in the plane are in heights of a pixel.
    pixel = np.array([1.0, aspect])
    reach = _REACH * np.hypot(*((ring - centre) / pixel).T).max()
    on_image = image is not None
    if image is not None:
        axes.imshow(image, cmap="gray", vmin=grey[0], vmax=grey[1])
        axes.set_facecolor("black")
    width = 360 / len(deviations)
    for number in range(len(deviations)):
        edge, middle = (
            centre + far * reach * _direction(angle) * pixel
            for angle, far in ((number * width - 180, 1.0), ((number + 0.5) * width - 180, 1.12))
        )
        axes.plot(
            [centre[1], edge[1]],
            [centre[0], edge[0]],
            color="white" if on_image else MUTED,
            linewidth=0.5,
            alpha=0.7,
        )
        look = ink(on_image=on_image)
        axes.text(middle[1], middle[0], str(number + 1), size=7, ha="center", va="center", **look)
    axes.plot(ring[:, 1], ring[:, 0], color=OUTLINES[0] if on_image else ACCENT, linewidth=1.2)
    axes.plot(centre[1], centre[0], "+", color=CONTRAST, markersize=9, markeredgewidth=1.6)
    axes.set_aspect(aspect)
    half = 1.35 * reach * pixel
    window = [(float(c - h), float(c + h)) for c, h in zip(centre, half, strict=True)]
    set_view(axes, along, window[0], window[1], oriented=oriented, on_image=on_image)
    axes.spines[:].set_visible(False)


def _direction(angle: float) -> Floats:
    """Return (row, column) of the unit vector at `arctan2(row, column)` in degrees."""
    turn = np.radians(angle)
    return np.array([np.sin(turn), np.cos(turn)])


def _draw_signature(
    panels: dict[str, Axes], signature: Signature, spreads: tuple[float, float]
) -> None:
    """Draw the distances, their difference from the moving average, and the spread per bin."""
    angles, distances, average = signature.angles, signature.distances, signature.average
    deviation, fluctuation = spreads
    width = 360 / len(signature.deviations)
    edges = np.arange(-180, 181, width)
    stacked = [panels[name] for name in ("distance", "rest", "bins")]
    distance, rest, bins = stacked
    distance.plot(angles, distances, ".", color=ACCENT, markersize=3, label="contour")
    distance.plot(angles, average, ".", color=INK, markersize=1.2, label="moving average")
    # Room for the legend.
    distance.set_ylim(top=float(distances.max() + 0.3 * np.ptp(distances)))
    distance.legend(loc="upper right", frameon=False, fontsize=7, ncols=2, markerscale=2)
    distance.set_ylabel("distance /\nmean distance", size=8)
    rest.axhspan(-fluctuation, fluctuation, color=_LIGHT, linewidth=0)
    rest.plot(angles, distances - average, ".", color=ACCENT, markersize=3)
    rest.set_ylabel("less its\naverage", size=8)
    bins.bar(edges[:-1] + width / 2, signature.deviations, width=0.9 * width, color=_LIGHT)
    bins.axhline(deviation, color=CONTRAST, linewidth=1.2)
    bins.set_ylabel("standard\ndeviation", size=8)
    for axes, height, name in ((rest, 0.0, "± MF"), (bins, deviation, "ASD")):
        axes.annotate(name, (180, height), (4, 0), textcoords="offset points", va="center", size=8)
    for axes in stacked:
        axes.set_xlim(-180, 180)
        axes.set_xticks(edges)
        axes.grid(axis="x", color="#e4e7eb", linewidth=0.6)
        axes.set_axisbelow(True)
        if axes is not bins:
            axes.tick_params(labelbottom=False)
    for number, middle in enumerate(edges[:-1] + width / 2, start=1):
        bins.text(middle, 0, str(number), size=7, ha="center", va="bottom", color=INK)
    bins.set_xlabel("angle in degrees, and numbers of the bins", size=8)


def _draw_shadow(axes: Axes, shadow: Shadow, along: int, *, oriented: bool) -> None:
    """Draw a mask and the ellipsoid around it from one side."""
    seen = np.where(shadow.mask, 1.0, np.nan)
    axes.imshow(seen, cmap="Greys", vmin=0, vmax=4, interpolation="nearest")
    axes.plot(shadow.ellipse[:, 1], shadow.ellipse[:, 0], color=CONTRAST, linewidth=1.4)
    axes.plot(shadow.support[:, 1], shadow.support[:, 0], "o", color=CONTRAST, markersize=3)
    low, high = shadow.ellipse.min(axis=0), shadow.ellipse.max(axis=0)
    margin = 0.08 * (high - low)
    limits = [(float(a), float(b)) for a, b in zip(low - margin, high + margin, strict=True)]
    set_view(axes, along, limits[0], limits[1], oriented=oriented)
    axes.set_aspect("auto" if shadow.aspect is None else shadow.aspect)
    axes.spines[:].set_visible(False)
    if oriented:
        axes.set_title(_PLANES[along], size=8, color=MUTED)
    else:
        name_axes(axes, along)
        axes.set_title("height not to scale" if shadow.aspect is None else "", size=8, color=MUTED)
