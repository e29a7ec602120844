"""What a reader sees of a patient's tumour: outlines, radial signature, sections of the ellipsoid.

All points are (x, y) on a screen: x to the right, y down, in widths of a pixel of the slice. If the
orientation is known the view is the radiological one, otherwise as stored.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import CaseError, InputError
from lggshape.files import StrPath
from lggshape.head import find_head
from lggshape.masks import Mask, dice, largest_component
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource, open_cases
from lggshape.readers.segmented import read_checks
from lggshape.shape.ellipsoid import minimum_volume_ellipsoid
from lggshape.shape.radial import (
    BINS,
    bin_deviations,
    moving_average,
    trace_contour,
    trace_rings,
)
from lggshape.shape.solid import convex_hull
from lggshape.shape.table import kind_of

Points = NDArray[np.float64]

_ELLIPSE_POINTS = 60
_MARGIN = 0.3  # of the tumour's size, around it in the image
_GREY = (1.0, 98.0)  # percentiles of the head that are black and white
_SMOOTH = 0.5  # voxels by which a simplified outline of a projection may differ


class Projection(NamedTuple):
    """A tumour and the ellipsoid around it, projected along one axis.

    Attributes
    ----------
    name : str
        The plane of the projection.
    rings : sequence of ndarray of shape (n, 2)
        The outlines of the projected tumour.
    ellipse : ndarray of shape (m, 2)
        The outline of the projected ellipsoid; empty if there is none.
    to_scale : bool
        Whether the proportions are known.
    """

    name: str
    rings: Sequence[Points]
    ellipse: Points
    to_scale: bool


class Construction(NamedTuple):
    """What the features of a mask are computed from.

    Attributes
    ----------
    contour : ndarray of shape (n, 2)
        The contour that the 2D features are measured on.
    centre : ndarray of shape (2,)
        Its centroid.
    angles, distances, average : ndarray of shape (n,)
        The angles of the contour's points in degrees, their distances from the centroid divided by
        the mean, and the moving average of these.
    deviations : ndarray of shape (bins,)
        The standard deviation of the distances in each angular bin; NaN where a bin is empty.
    spokes : ndarray of shape (bins, 2)
        Unit vectors along the edges of the bins.
    sections : sequence of Projection
        Three projections.
    """

    contour: Points
    centre: Points
    angles: Points
    distances: Points
    average: Points
    deviations: Points
    spokes: Points
    sections: Sequence[Projection]


class Portrait(NamedTuple):
    """What is drawn of one case.

    Attributes
    ----------
    case, patient : str
        Its names.
    slice : int
        The slice of the largest area of the first mask, counted from 1.
    outlines : mapping of str to sequence of ndarray of shape (n, 2)
        All outlines in this slice, by kind of mask.
    construction : Construction or None
        What the features of the first mask are computed from; None if outlines are all there is.
    dice : float
        Of the masks of the first two kinds; NaN if there is one kind.
    image : ndarray of uint8, shape (height, width), or None
        The slice around the tumour.
    corner : tuple of float
        Where its upper left corner lies.
    pixel : float
        Height of a pixel of the image; its width is 1.
    """

    case: str
    patient: str
    slice: int
    outlines: Mapping[str, Sequence[Points]]
    construction: Construction | None
    dice: float = np.nan
    image: NDArray[np.uint8] | None = None
    corner: tuple[float, float] = (0.0, 0.0)
    pixel: float = 1.0


class _Screen(NamedTuple):
    """How (upright, across) of an array become (x, y) on a screen."""

    aspect: float
    flip_x: bool
    flip_y: bool

    @classmethod
    def along(cls, axis: int, case: Case) -> "_Screen":
        upright, across = _plane_axes(axis)
        oriented, spacing = case.geometry.affine is not None, case.geometry.spacing
        aspect = 1.0 if spacing is None else spacing[upright] / spacing[across]
        return cls(aspect, oriented, oriented or upright == 0)

    def place(self, points: Points) -> Points:
        signs = (-1.0 if self.flip_x else 1.0, self.aspect * (-1.0 if self.flip_y else 1.0))
        return points[:, ::-1] * signs


def portray(masks: Mapping[str, Case], *, measured: bool = True) -> Portrait | None:
    """Return what is drawn of a case.

    Parameters
    ----------
    masks : mapping of str to Case
        The case by kind of mask; the first one is measured, and its image is shown if it has one.
    measured : bool
        Whether to return what the features are computed from, besides the outlines.

    Returns
    -------
    Portrait or None
        None if the first mask is empty.

    Examples
    --------
    >>> mask = np.zeros((3, 9, 9), dtype=bool)
    >>> mask[1, 2:7, 2:7] = True
    >>> portrait = portray({"manual": Case("a", "a", mask=mask)})
    >>> portrait.slice, portrait.construction.centre.tolist(), len(portrait.construction.sections)
    (2, [4.0, 4.0], 3)
    """
    case = next(iter(masks.values()))
    assert case.mask is not None  # it is required
    if not case.mask.any():
        return None
    plane = case.geometry.plane
    turned = largest_component(plane.turn(case.mask))
    number = int(turned.sum(axis=(1, 2)).argmax())
    screen = _Screen.along(plane.axis, case)
    slices = {
        kind: plane.turn(one.mask)[number]
        for kind, one in masks.items()
        if one.mask is not None and one.mask.shape == case.mask.shape
    }
    others = [one.mask for one in masks.values() if one.mask is not None][1:2]
    image, corner = _image(case, number, slices, screen)
    return Portrait(
        case.id,
        case.patient,
        number + 1,
        {kind: [screen.place(ring) for ring in trace_rings(one)] for kind, one in slices.items()},
        _construct(case, turned, number, screen) if measured else None,
        dice(case.mask, others[0]) if others and len(slices) > 1 else np.nan,
        image,
        corner,
        screen.aspect,
    )


def _construct(case: Case, turned: Mask, number: int, screen: _Screen) -> Construction:
    """Return what the features of a component, with its slices in front, are computed from."""
    plane, spacing = case.geometry.plane, case.geometry.spacing
    contour = trace_contour(
        turned[number], spacing=None if spacing is None else plane.turn_spacing(spacing)[1:]
    )
    edges = np.radians(np.arange(BINS) * 360 / BINS - 180)
    return Construction(
        screen.place(contour.points),
        screen.place(contour.centroid[None])[0],
        contour.angles(),
        contour.distances(),
        moving_average(contour),
        bin_deviations(contour),
        # Angles are those of lengths, in which a pixel is as high as it is.
        _Screen(1.0, screen.flip_x, screen.flip_y).place(
            np.column_stack([np.sin(edges), np.cos(edges)])
        ),
        _sections(case, np.moveaxis(turned, 0, plane.axis)),
    )


class Portraits(NamedTuple):
    """What is drawn of many cases, and what is known of their masks.

    Attributes
    ----------
    drawn : dict of str to Portrait
        By case. What cannot be read, or is empty, is left out.
    checks : dict of str to dict of str to str
        By case, the columns of `lggshape segment` about the Dice to expect.
    """

    drawn: dict[str, Portrait]
    checks: dict[str, dict[str, str]]


def read_portraits(
    folders: Sequence[StrPath] | Mapping[str, StrPath],
    *,
    images: bool = False,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Portraits:
    """Read cases, and return what is drawn of them.

    Parameters
    ----------
    folders : sequence of str or Path, or mapping of str to str or Path
        Folders of cases with masks, each of another kind, or by kind. Those of the first are
        measured; the outlines of the others are drawn beside them.
    images : bool
        Whether to read the images of the first folder, too.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Raises
    ------
    InputError
        If a folder cannot be opened, or two hold masks of one kind.
    """
    by_case: dict[str, dict[str, CaseSource]] = {}
    checks: dict[str, dict[str, str]] = {}
    kinds: dict[str, StrPath] = {}
    named = folders.items() if isinstance(folders, Mapping) else [(None, one) for one in folders]
    for name, folder in named:
        sources = open_cases(folder, masks_only=not images or bool(kinds))
        kind = name or kind_of(sources)
        if kind in kinds:
            msg = (
                f"Expected folders with masks of different kinds, found {kind} ones in "
                f"{kinds[kind]} and in {folder}. Name one of them."
            )
            raise InputError(msg)
        kinds[kind] = folder
        checks |= read_checks(Path(folder))
        for source in sources:
            by_case.setdefault(source.id, {})[kind] = source
    advance = counter(on_progress, "outlining", len(by_case))
    found = {}
    for outcome in map_cases(partial(_portray, images=images), list(by_case.values()), jobs=jobs):
        if outcome.value is not None:
            found[outcome.value.case] = outcome.value
        advance()
    return Portraits(found, checks)


def _portray(sources: Mapping[str, CaseSource], *, images: bool) -> Portrait | None:
    first, *others = sources
    cases = {first: sources[first].read(image=images)}
    for kind in others:
        with suppress(CaseError):  # it could not be segmented, say
            cases[kind] = sources[kind].read(image=False)
    return portray(cases)


def _sections(case: Case, component: Mask) -> list[Projection]:
    """Return the component and its ellipsoid from three sides."""
    from skimage.measure import approximate_polygon  # loads scipy.signal and scipy.stats

    ellipsoid = minimum_volume_ellipsoid(convex_hull(component).vertices)
    oriented, spacing = case.geometry.affine is not None, case.geometry.spacing
    names = ("axial", "coronal", "sagittal") if oriented else ("slices", "rows", "columns")
    found = []
    for axis, name in enumerate(names):
        screen = _Screen.along(axis, case)
        rings = trace_rings(np.any(component, axis=axis))
        ellipse = np.empty((0, 2))
        if not ellipsoid.reason:
            ellipse = ellipsoid.shadow(_plane_axes(axis), points=_ELLIPSE_POINTS)
        found.append(
            Projection(
                name if oriented else f"along the {name}",
                [screen.place(approximate_polygon(ring, _SMOOTH)) for ring in rings],
                screen.place(ellipse),
                spacing is not None or axis == 0,
            )
        )
    return found


def _plane_axes(along: int) -> tuple[int, int]:
    upright, across = (axis for axis in range(3) if axis != along)
    return upright, across


def _image(
    case: Case, number: int, slices: Mapping[str, Mask], screen: _Screen
) -> tuple[NDArray[np.uint8] | None, tuple[float, float]]:
    """Return the slice around the tumour as it is shown, and where its corner lies."""
    if case.image is None or not case.sequences:
        return None, (0.0, 0.0)
    channel = case.sequences.index(FLAIR) if FLAIR in case.sequences else 0
    volume = case.image[..., channel]
    if not np.isfinite(volume).all():
        msg = f"Expected the image of case {case.id} to be finite, found NaN or infinity."
        raise CaseError(msg)
    head = find_head(volume)
    low, high = np.percentile(volume[head if head.any() else ~head].astype(float), _GREY)
    rows, columns = np.nonzero(np.logical_or.reduce(list(slices.values())))
    room = round(_MARGIN * max(np.ptp(rows), np.ptp(columns)) + 4)
    window = tuple(
        slice(max(int(axis.min()) - room, 0), int(axis.max()) + room + 1)
        for axis in (rows, columns)
    )
    part = case.geometry.plane.turn(volume)[number][window].astype(float)
    grey = np.clip((part - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    ends = screen.place(
        np.array(
            [
                (window[0].start - 0.5, window[1].start - 0.5),
                (
                    window[0].start + part.shape[0] - 0.5,
                    window[1].start + part.shape[1] - 0.5,
                ),
            ]
        )
    )
    seen = grey[:: -1 if screen.flip_y else 1, :: -1 if screen.flip_x else 1]
    x, y = ends.min(axis=0)
    return np.ascontiguousarray(seen), (float(x), float(y))
