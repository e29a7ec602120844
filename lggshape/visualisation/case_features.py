"""What the features of a case are computed from."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from lggshape.case import Case
from lggshape.errors import CaseError
from lggshape.figures.signature import Shadow, Signature, feature_panels
from lggshape.figures.view import plane_axes
from lggshape.masks import Mask, largest_component
from lggshape.readers.in_memory import sources_of
from lggshape.shape import (
    extract_features,
    minimum_volume_ellipsoid,
    trace_contour,
)
from lggshape.shape.radial import bin_deviations, moving_average
from lggshape.shape.solid import convex_hull
from lggshape.visualisation.case_slices import Image, aspects, head_and_grey, image_of
from lggshape.visualisation.shown_cases import REFERENCE

_CARRIES = 1e-6  # weight of a corner that holds the ellipsoid


def plot_features(case: Case, *, sequence: str | None = None) -> Figure:
    """Draw what the features of the mask of a case are computed from.

    Parameters
    ----------
    case : Case
        With a mask, which is not empty.
    sequence : str, optional
        The sequence to show behind the contour. By default it is FLAIR, or the first one of an
        image without FLAIR.

    Returns
    -------
    matplotlib.figure.Figure
        The contour in the slice of the largest area in the plane of acquisition, the distances of
        its points from the centroid with the angular bins and the moving average, and the bounding
        ellipsoid from three sides.

    Raises
    ------
    CaseError
        If the case has no mask, or an empty one, contradicts itself, or its intensities are not
        finite.
    InputError
        If the image has no such sequence.

    Examples
    --------
    >>> mask = np.zeros((5, 20, 20), dtype=bool)
    >>> mask[1:4, 5:12, 6:15] = True
    >>> figure = plot_features(Case("patient_1", "patient_1", mask=mask))
    >>> figure.get_suptitle()
    'patient_1   features of the reference mask'
    """
    (source,) = sources_of([case])
    case = source.read()
    if case.mask is None or not case.mask.any():
        found = "none" if case.mask is None else "an empty one"
        msg = f"Expected case {case.id} to have a mask with a tumour, found {found}."
        raise CaseError(msg)
    return draw_features(case, image_of(case, sequence), case.mask, REFERENCE)


def draw_features(case: Case, image: Image | None, mask: Mask, name: str) -> Figure:
    """Draw what the features of a mask are computed from.

    Parameters
    ----------
    case : Case
        The case, for its name and its geometry.
    image : ndarray of shape (Z, Y, X) or None
        Finite intensities; without them the slice is white.
    mask : ndarray of bool, shape (Z, Y, X)
        The mask, which is not empty.
    name : str
        What to call the mask.

    Returns
    -------
    Figure
        As that of `plot_features`.
    """
    grey = (0.0, 1.0) if image is None else head_and_grey(image)[1]
    spacing, plane = case.geometry.spacing, case.geometry.plane
    turned = largest_component(plane.turn(mask))
    component = np.moveaxis(turned, 0, plane.axis)
    values, number, *_ = extract_features(replace(case, mask=mask))
    assert number is not None
    pixel = spacing and plane.turn_spacing(spacing)[1:]
    contour = trace_contour(turned[number - 1], spacing=pixel)
    vertices = convex_hull(component).vertices
    ellipsoid = minimum_volume_ellipsoid(vertices)
    support = vertices[ellipsoid.support[ellipsoid.weights > _CARRIES]]
    every = aspects(spacing)
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
            image=None if image is None else plane.turn(image)[number - 1],
            grey=grey,
            aspect=every[plane.axis] or 1.0,
            along=plane.axis,
        ),
        [
            Shadow(
                np.any(component, axis=along),
                ellipsoid.shadow(plane_axes(along)),
                support[:, plane_axes(along)],
                aspect,
            )
            for along, aspect in enumerate(every)
        ],
        title=f"{case.id}   features of the {name} mask",
        slice_name=f"{f'{plane.name} ' if plane.axis else ''}slice {number}, the largest area",
        features=(
            f"angular standard deviation, ASD = {deviation:.4f}: the mean over the bins",
            f"margin fluctuation, MF = {fluctuation:.4f}: the standard deviation of what is left",
            f"bounding ellipsoid volume ratio, BEVR = {component.sum()} / {ellipsoid.volume:.0f} "
            f"voxels = {ratio:.4f}. Dots: the corners that hold the ellipsoid",
        ),
        spreads=(deviation, fluctuation),
        oriented=case.geometry.affine is not None,
    )
