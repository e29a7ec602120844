"""A patient's tumour as paths of SVG, which a template puts together."""

import base64
import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray
from skimage.measure import approximate_polygon

from lggshape.shape.portrait import Construction, Points, Portrait, Projection

_MARGIN = 0.06  # of the larger side of a drawing
_SMOOTH = 0.4  # degrees, by which a simplified signature may differ
_REACH = 1.15  # of the spokes, in largest distances from the centre
_QUALITY = 80  # of an image
HEIGHT = 100.0
"""Of the drawing of the signature; its width is 360, a unit per degree."""


class Side(NamedTuple):
    """The tumour and its ellipsoid from one side."""

    name: str
    box: str
    tumour: str
    ellipse: str


class DrawnConstruction(NamedTuple):
    """The paths of what the features are computed from.

    Attributes
    ----------
    spokes : str
        The edges of the angular bins.
    centre : tuple of str
        x and y of the centroid.
    distances, average : str
        The radial signature and its moving average.
    bars : sequence of (str, str)
        Left end and height of the standard deviation in each bin.
    top : str
        The distance at the upper edge of the signature, in mean distances.
    most : str
        The standard deviation of the highest bar.
    sides : sequence of Side
        Three projections.
    """

    spokes: str
    centre: tuple[str, str]
    distances: str
    average: str
    bars: Sequence[tuple[str, str]]
    top: str
    most: str
    sides: Sequence[Side]


class Picture(NamedTuple):
    """The paths of a patient's drawings.

    Attributes
    ----------
    slice : int
        The slice of the largest area.
    box : str
        The box that holds it.
    outlines : sequence of (str, str)
        Kind of mask, path.
    image : str
        The slice as a data URL; empty without an image.
    frame : tuple of str
        x, y, width and height of the image.
    construction : DrawnConstruction or None
        What the features are computed from, if it is drawn.
    """

    slice: int
    box: str
    outlines: Sequence[tuple[str, str]]
    image: str
    frame: tuple[str, str, str, str]
    construction: DrawnConstruction | None


def draw_portrait(portrait: Portrait) -> Picture:
    """Return a portrait as paths."""
    corners = [ring for several in portrait.outlines.values() for ring in several]
    if portrait.construction is not None:
        corners.append(portrait.construction.contour)
    frame = ("0", "0", "0", "0")
    if portrait.image is not None:
        high, wide = portrait.image.shape[0] * portrait.pixel, float(portrait.image.shape[1])
        x, y = portrait.corner
        frame = (_short(x), _short(y), _short(wide), _short(high))
        corners = [np.array([(x, y), (x + wide, y + high)])]
    return Picture(
        portrait.slice,
        _box(corners, 0.0 if portrait.image is not None else _MARGIN),
        [(kind, "".join(map(_closed, rings))) for kind, rings in portrait.outlines.items()],
        _data_url(portrait.image),
        frame,
        None if portrait.construction is None else _draw_construction(portrait.construction),
    )


def _draw_construction(found: Construction) -> DrawnConstruction:
    reach = _REACH * float(np.hypot(*(found.contour - found.centre).T).max())
    ends = found.centre + reach * found.spokes
    top = float(found.distances.max())
    deviations = np.nan_to_num(found.deviations)
    most = float(deviations.max()) or 1.0
    width = 360 / len(deviations)
    return DrawnConstruction(
        "".join(f"M{_pair(found.centre)}L{_pair(end)}" for end in ends),
        (_short(found.centre[0]), _short(found.centre[1])),
        _by_angle(found.angles, found.distances / top),
        _by_angle(found.angles, found.average / top),
        [
            (_short(place * width), _short(HEIGHT / 2 * value / most))
            for place, value in enumerate(deviations)
        ],
        f"{top:.2f}",
        f"{most:.3f}",
        [_side(projection) for projection in found.sections],
    )


def _side(projection: Projection) -> Side:
    return Side(
        projection.name + ("" if projection.to_scale else ", height not to scale"),
        _box([*projection.rings, projection.ellipse], _MARGIN),
        "".join(map(_closed, projection.rings)),
        _closed(projection.ellipse) if len(projection.ellipse) else "",
    )


def _box(rings: Iterable[Points], margin: float) -> str:
    """Return the viewBox of what is drawn."""
    points = np.vstack(list(rings))
    low, high = points.min(axis=0), points.max(axis=0)
    room = margin * float((high - low).max())
    return " ".join(map(_short, (*(low - room), *(high - low + 2 * room))))


def _closed(ring: Points) -> str:
    """Return a closed path: its first point, and the steps from each to the next.

    The first point is absolute, so that paths can stand one after the other.

    Examples
    --------
    >>> _closed(np.array([[10, 10.5], [11, 10], [10, 9.5]]))
    'M10,10.5l1,-.5 -1,-.5z'
    """
    tenths = np.round(10 * ring).astype(int)
    steps = np.diff(tenths, axis=0) / 10
    return f"M{_pair(tenths[0] / 10)}l{' '.join(map(_pair, steps))}z"


def _by_angle(angles: Points, heights: Points) -> str:
    """Return a curve over the angles, which begins again where they jump by a turn."""
    points = np.column_stack([angles + 180, HEIGHT * (1 - heights)])
    pieces = np.split(points, np.flatnonzero(np.abs(np.diff(angles)) > 180) + 1)
    return "".join(
        f"M{' '.join(map(_pair, approximate_polygon(piece, _SMOOTH)))}" for piece in pieces
    )


def _pair(point: Points) -> str:
    return f"{_short(point[0])},{_short(point[1])}"


def _short(value: float) -> str:
    """Return a coordinate to a tenth, without what is not needed.

    Examples
    --------
    >>> _short(12.0), _short(-0.04), _short(3.25), _short(-0.5)
    ('12', '0', '3.2', '-.5')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text.replace("0.", ".") if abs(value) < 1 else text


def _data_url(image: NDArray[np.uint8] | None) -> str:
    if image is None:
        return ""
    pixels = io.BytesIO()
    look: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255}
    imsave(pixels, image, format="jpg", pil_kwargs={"quality": _QUALITY}, **look)
    return f"data:image/jpeg;base64,{base64.b64encode(pixels.getvalue()).decode()}"
