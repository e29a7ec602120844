"""The figures of a case: its slices with outlines, and what its features are computed from."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lggshape.case import Spacing
from lggshape.errors import CaseError
from lggshape.figures import Rendered, render
from lggshape.figures.montage import Slice, montage
from lggshape.figures.signature import Shadow, Signature, feature_panels
from lggshape.figures.view import plane_axes
from lggshape.files import write_figure
from lggshape.masks import bounding_box, dice, largest_component
from lggshape.parallel import map_cases
from lggshape.shape import (
    Ellipsoid,
    extract_features,
    minimum_volume_ellipsoid,
    trace_contour,
)
from lggshape.shape.radial import bin_deviations, moving_average, trace_rings
from lggshape.shape.solid import convex_hull
from lggshape.visualisation.sources import (
    PREDICTED,
    REFERENCE,
    Material,
    Shown,
    head_in,
    read_material,
)

Window = tuple[tuple[float, float], tuple[float, float]]
"""Lowest and highest row, lowest and highest column."""

MOST_SLICES = 22
"""Slices with tumour that a montage shows, besides the one beyond each end."""

_GREY = (1.0, 98.0)  # percentiles of the head that are black and white
_MARGINS = (0.02, 0.06)  # around the head, as a share of it; with letters there
_ELLIPSE_POINTS = 200
_CARRIES = 1e-6  # weight of a corner that holds the ellipsoid


def write_cases(
    cases: Sequence[Shown],
    folder: Path,
    *,
    jobs: int | None = None,
    on_case: Callable[[], None] | None = None,
) -> dict[str, str]:
    """Write the figures of cases, `<case>` and `<case>-features`, as SVG and PNG.

    Parameters
    ----------
    cases : sequence of Shown
        As `find_cases` gives them.
    folder : Path
        Where to write.
    jobs : int, optional
        Number of processes; all cores by default.
    on_case : callable, optional
        Called after each case.

    Returns
    -------
    dict of str to str
        The cases that could not be shown, with the reason.
    """
    failures = {}
    for outcome in map_cases(draw_case, cases, jobs=jobs):
        if outcome.error is None:
            for name, figure in outcome.value.items():
                write_figure(folder / name, *figure)
        else:
            failures[outcome.item.id] = str(outcome.error)
        if on_case is not None:
            on_case()
    return failures


def draw_case(shown: Shown) -> dict[str, Rendered]:
    """Read a case and draw its figures.

    Parameters
    ----------
    shown : Shown
        The case.

    Returns
    -------
    dict of str to Rendered
        The montage under the name of the case, and `<case>-features`, of the reference mask, or of
        the predicted one where there is no tumour in a reference.

    Raises
    ------
    CaseError
        If the case cannot be read, or has no mask with a tumour.
    """
    material = read_material(shown)
    masks = {name: mask for name, mask in material.masks.items() if mask.any()}
    if not masks:
        found = f"empty {' and '.join(material.masks)}" if material.masks else "none"
        msg = f"Expected case {shown.id} to have a mask with a tumour, found {found}: "
        raise CaseError(f"{msg}{shown.source.path}.")
    numbers = _choose_slices(np.logical_or.reduce(list(masks.values())))
    seen = [mask[numbers] for mask in masks.values()]
    grey = (0.0, 1.0)
    if material.flair is not None:
        head = head_in(material)
        low, high = np.percentile(material.flair[head].astype(np.float64), _GREY)
        grey = (float(low), float(high))
        seen.append(head[numbers])
    window = _window(np.logical_or.reduce(seen).any(axis=0), _MARGINS[material.oriented])
    return {
        shown.id: render(_montage(material, numbers, window, grey)),
        f"{shown.id}-features": render(_features(material, next(iter(masks)), grey)),
    }


def _choose_slices(tumour: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Choose the slices to show: those with tumour, thinned evenly, and one beyond either end."""
    holding = np.flatnonzero(tumour.any(axis=(1, 2)))
    steps = np.linspace(0, len(holding) - 1, min(len(holding), MOST_SLICES)).round().astype(int)
    ends = np.array([holding[0] - 1, holding[-1] + 1]).clip(0, len(tumour) - 1)
    return np.union1d(holding[steps], ends)


def _window(plane: NDArray[np.bool_], margin: float) -> Window:
    """Give lowest and highest row and column of what is inside, with a margin on all sides."""
    box = bounding_box(plane)
    assert box is not None  # there is a tumour
    room = margin * max(side.stop - side.start for side in box)
    rows, columns = ((side.start - 0.5 - room, side.stop - 0.5 + room) for side in box)
    return rows, columns


def _montage(
    material: Material,
    numbers: NDArray[np.intp],
    window: Window,
    grey: tuple[float, float],
) -> Figure:
    case, flair, masks = material
    title = case.id
    if {REFERENCE, PREDICTED} <= masks.keys():
        title += f"   Dice {dice(masks[PREDICTED], masks[REFERENCE]):.3f}"
    depth = len(next(iter(masks.values())))
    slices = [
        Slice(
            str(number + 1),
            {name: trace_rings(mask[number]) for name, mask in masks.items()},
            None if flair is None else flair[number],
        )
        for number in numbers
    ]
    return montage(
        slices,
        title=title,
        note=f"Slices {numbers[0] + 1} to {numbers[-1] + 1} of {depth}, {len(numbers)} shown. "
        f"{_view_note(oriented=material.oriented)}",
        window=window,
        grey=grey,
        aspect=_aspects(case.geometry.spacing)[0] or 1.0,
        oriented=material.oriented,
    )


def _features(material: Material, name: str, grey: tuple[float, float]) -> Figure:
    mask = material.masks[name]
    spacing = material.case.geometry.spacing
    component = largest_component(mask)
    values, number, _, _ = extract_features(mask, spacing=spacing)
    assert number is not None
    contour = trace_contour(component[number - 1], spacing=spacing and spacing[1:])
    vertices = convex_hull(component).vertices
    ellipsoid = minimum_volume_ellipsoid(vertices)
    support = vertices[ellipsoid.support[ellipsoid.weights > _CARRIES]]
    aspects = _aspects(spacing)
    deviation, fluctuation, ratio = (
        values[name]
        for name in (
            "angular_standard_deviation", "margin_fluctuation", "bounding_ellipsoid_volume_ratio",
        )
    )  # fmt: skip
    return feature_panels(
        Signature(
            contour.points,
            contour.centroid,
            contour.angles(),
            contour.distances(),
            moving_average(contour),
            bin_deviations(contour),
            image=None if material.flair is None else material.flair[number - 1],
            grey=grey,
            aspect=aspects[0] or 1.0,
        ),
        [
            Shadow(
                np.any(component, axis=along),
                shadow(ellipsoid, plane_axes(along)),
                support[:, plane_axes(along)],
                aspects[along],
            )
            for along in range(3)
        ],
        title=f"{material.case.id}   features of the {name} mask",
        slice_name=f"slice {number}, the largest area",
        features=(
            f"angular standard deviation, ASD = {deviation:.4f}: the mean over the bins",
            f"margin fluctuation, MF = {fluctuation:.4f}: the standard deviation of what is left",
            f"bounding ellipsoid volume ratio, BEVR = {component.sum()} / {ellipsoid.volume:.0f} "
            f"voxels = {ratio:.4f}. Dots: the corners that hold the ellipsoid",
        ),
        spreads=(deviation, fluctuation),
        oriented=material.oriented,
    )


def shadow(ellipsoid: Ellipsoid, axes: tuple[int, int]) -> NDArray[np.float64]:
    """Give the outline of an ellipsoid's projection onto the plane of two axes.

    Parameters
    ----------
    ellipsoid : Ellipsoid
        In three dimensions.
    axes : tuple of int
        The two axes that remain.

    Returns
    -------
    ndarray of shape (200, 2)
        Points around the outline, the last one the first again.
    """
    # The inverse of the matrix is the covariance, up to scale, whose marginal is that of a shadow.
    spread = np.linalg.inv(ellipsoid.matrix)[np.ix_(axes, axes)]
    turn = np.linspace(0, 2 * np.pi, _ELLIPSE_POINTS)
    circle = np.column_stack([np.sin(turn), np.cos(turn)])
    outline: NDArray[np.float64] = (
        ellipsoid.centre[list(axes)] + circle @ np.linalg.cholesky(spread).T
    )
    return outline


def _aspects(spacing: Spacing | None) -> tuple[float | None, float | None, float | None]:
    """Give height by width of a voxel seen along z, y and x; pixels of unknown size are square."""
    if spacing is None:
        return 1.0, None, None
    axial, coronal, sagittal = (
        spacing[upright] / spacing[across] for upright, across in map(plane_axes, range(3))
    )
    return axial, coronal, sagittal


def _view_note(*, oriented: bool) -> str:
    if oriented:
        return "Radiological view: the patient's right is on the left."
    return "As stored: which side is which is unknown."
