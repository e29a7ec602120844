"""From a mask to its features."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lggshape.case import Spacing
from lggshape.errors import InputError
from lggshape.masks import as_mask, bounding_box, find_components
from lggshape.readers.source import VOXEL_SIZES
from lggshape.shape import radial, solid
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.ellipsoid import minimum_volume_ellipsoid
from lggshape.shape.points import extreme_points
from lggshape.shape.registry import FEATURES


class FeatureResult(NamedTuple):
    """The features of a mask.

    Attributes
    ----------
    values : dict of str to float
        Every feature of the registry, in its order; NaN if it could not be computed.
    slice : int or None
        Number of the slice of the largest area, counted from 1; None if the mask is empty.
    empty_bins : int or None
        How many bins of the angular standard deviation held no point, over all slices that were
        measured; None if the mask is empty.
    reasons : dict of str to str
        Why a feature is NaN. No other feature is in there.
    """

    values: dict[str, float]
    slice: int | None
    empty_bins: int | None
    reasons: dict[str, str]


class _InPlane(NamedTuple):
    """The radial features of a slice."""

    deviation: radial.AngularDeviation
    offset_averaged: float
    fluctuation: float


def extract_features(
    mask: ArrayLike,
    *,
    spacing: Spacing | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> FeatureResult:
    """Measure the shape of a mask.

    Parameters
    ----------
    mask : array_like, shape (Z, Y, X)
        0 outside and one positive value inside; the type does not matter. It may touch the border.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm. Without it volume and area are in
        voxels and pixels, the contour is measured in pixels, and what needs the distance between
        slices is NaN.
    conventions : Conventions
        What the definitions leave open.

    Returns
    -------
    FeatureResult
        What cannot be computed is NaN, with the reason. An empty mask is no error.

    Raises
    ------
    InputError
        If `mask` is no array (Z, Y, X) of at most two values, or `spacing` is not three numbers of
        0.001 to 1000 mm.

    Examples
    --------
    >>> result = extract_features(np.ones((2, 2, 2), dtype=bool))
    >>> round(result.values["bounding_ellipsoid_volume_ratio"], 5)
    0.36755
    >>> result.reasons["sphericity"]
    'the spacing is unknown'
    """
    inside = as_mask(mask, ndim=3)
    if spacing is not None:
        check_spacing(spacing)
    values = dict.fromkeys(FEATURES, math.nan)
    box = bounding_box(inside)
    if box is None:
        return FeatureResult(values, None, None, dict.fromkeys(FEATURES, "the mask is empty"))
    whole = inside[box]
    component, values["components"] = _component(whole, conventions)
    areas = component.sum(axis=(1, 2))
    largest = int(areas.argmax())

    depth, height, width = spacing or (1.0, 1.0, 1.0)
    voxels = int(areas.sum())
    values["volume"] = voxels * depth * height * width
    values["slices"] = float(np.count_nonzero(areas))
    values["largest_area"] = float(areas[largest]) * height * width

    chosen = [largest] if conventions.slices == "largest" else np.flatnonzero(areas).tolist()
    in_plane = list(_in_plane(component[chosen], (height, width), conventions))
    values["angular_standard_deviation"] = _mean([plane.deviation.value for plane in in_plane])
    values["angular_standard_deviation_offset_averaged"] = _mean(
        [plane.offset_averaged for plane in in_plane]
    )
    values["margin_fluctuation"] = _mean([plane.fluctuation for plane in in_plane])

    reasons = _measure_solid(values, component, voxels, conventions)
    if spacing is None:
        needing = (name for name, feature in FEATURES.items() if feature.needs_spacing)
        reasons |= dict.fromkeys(needing, "the spacing is unknown")
    else:
        reasons |= _measure_in_space(values, component, spacing)
    return FeatureResult(
        values,
        # The box starts at a slice of its own.
        slice=(box[0].start or 0) + largest + 1,
        empty_bins=sum(plane.deviation.empty_bins for plane in in_plane),
        reasons={name: reasons[name] for name in FEATURES if name in reasons},
    )


def _measure_solid(
    values: dict[str, float],
    component: NDArray[np.bool_],
    voxels: int,
    conventions: Conventions,
) -> dict[str, str]:
    """Fill in what is measured in voxels; affine maps, so the spacing too, make no difference."""
    hull = solid.convex_hull(component)
    values["convex_hull_volume_ratio"] = voxels / hull.volume
    points = (
        hull.vertices
        if conventions.points == "corners"
        else extreme_points(component, points=conventions.points)
    )
    ellipsoid = minimum_volume_ellipsoid(points)
    name = "bounding_ellipsoid_volume_ratio"
    if ellipsoid.reason:
        return {name: f"no ellipsoid over voxel centres: {ellipsoid.reason}"}
    if not ellipsoid.certified:
        return {name: f"the ellipsoid is not certified: its gap is {ellipsoid.gap:.1g}"}
    values[name] = voxels / ellipsoid.volume
    return {}


def _measure_in_space(
    values: dict[str, float], component: NDArray[np.bool_], spacing: Spacing
) -> dict[str, str]:
    """Fill in what needs the distance between slices."""
    measures = solid.measure_mesh(solid.mesh(component, spacing=spacing))
    values["mesh_volume"] = measures.volume
    values["surface_area"] = measures.surface_area
    values["sphericity"] = measures.sphericity
    values["maximum_3d_diameter"] = measures.maximum_diameter
    values["elongation"], values["flatness"] = solid.axis_ratios(component, spacing=spacing)
    if math.isnan(values["elongation"]):
        return dict.fromkeys(("elongation", "flatness"), "one voxel has no principal axes")
    return {}


def _in_plane(
    slices: NDArray[np.bool_], spacing: tuple[float, float], conventions: Conventions
) -> Iterator[_InPlane]:
    for area in slices:
        contour = radial.trace_contour(area, spacing=spacing)
        yield _InPlane(
            radial.angular_standard_deviation(contour, offset=conventions.bin_offset),
            radial.offset_averaged_angular_standard_deviation(contour),
            radial.margin_fluctuation(contour, window=conventions.window),
        )


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _component(
    whole: NDArray[np.bool_], conventions: Conventions
) -> tuple[NDArray[np.bool_], float]:
    """Give what is to be measured, and the number of components of the whole."""
    found = find_components(whole)
    keep_all = conventions.component == "all" or found.number == 1
    return whole if keep_all else found.largest(), float(found.number)


def check_spacing(spacing: Spacing) -> None:
    """Raise InputError unless the spacing is three numbers in the range of `VOXEL_SIZES`."""
    low, high = VOXEL_SIZES
    # A NaN fails both comparisons.
    if len(spacing) != 3 or not all(low <= step <= high for step in spacing):
        msg = (
            f"Expected spacing to be three positive numbers (z, y, x) of {low:g} to {high:g} mm, "
            f"found: {spacing}."
        )
        raise InputError(msg)
