"""From a mask to its features."""

import math
from dataclasses import replace
from typing import NamedTuple

from numpy.typing import ArrayLike

from lggshape.case import Case, Geometry, Spacing
from lggshape.errors import InputError
from lggshape.masks import as_mask
from lggshape.readers.spacing import check_spacing
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.features import FEATURES
from lggshape.shape.prepared import prepare_mask


class FeatureResult(NamedTuple):
    """The features of a mask.

    Attributes
    ----------
    values : dict of str to float
        Every feature of the registry, in its order; NaN if it could not be computed.
    slice : int or None
        Number of the slice of the largest area in the plane of acquisition, counted from 1; None
        if nothing was measured.
    empty_bins : int or None
        How many bins of the angular standard deviation held no point, over all slices that were
        measured; None if nothing was.
    reasons : dict of str to str
        Why a feature is NaN, for each feature that is.
    """

    values: dict[str, float]
    slice: int | None
    empty_bins: int | None
    reasons: dict[str, str]


def extract_features(
    mask: ArrayLike | Case,
    *,
    spacing: Spacing | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
) -> FeatureResult:
    """Measure the shape of a mask.

    The 2D features of a case are measured in the plane of acquisition, `Geometry.plane`; those of
    an array in its slices along the first axis.

    Parameters
    ----------
    mask : array_like, shape (Z, Y, X), or Case
        0 outside and one positive value inside; the type does not matter. It may touch the border.
        The mask of a case is measured.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm; by default those of the case. If
        they are unknown, volume and area are in voxels and pixels, the contour is measured in
        pixels, and what needs the distance between slices is NaN.
    conventions : Conventions
        What the definitions leave open.

    Returns
    -------
    FeatureResult
        What cannot be computed is NaN, with the reason. An empty mask is no error, nor is one that
        is larger or rougher than any tumour: both have no features.

    Raises
    ------
    InputError
        If `mask` is not an array (Z, Y, X) with at most two values, the case has no mask, or
        `spacing` is not three numbers from 0.001 to 1000 mm.

    Examples
    --------
    >>> import numpy as np
    >>> result = extract_features(np.ones((2, 2, 2), dtype=bool))
    >>> round(result.values["bounding_ellipsoid_volume_ratio"], 5)
    0.36755
    >>> result.reasons["sphericity"]
    'the spacing is unknown'
    """
    geometry = Geometry()
    if isinstance(mask, Case):
        if mask.mask is None:
            msg = f"Expected case {mask.id} to have a mask, found none."
            raise InputError(msg)
        geometry, mask = mask.geometry, mask.mask
    inside = as_mask(mask, ndim=3)
    spacing = geometry.spacing if spacing is None else spacing
    if spacing is not None:
        geometry = replace(geometry, spacing=check_spacing(spacing))
    plane = geometry.plane
    prepared = prepare_mask(
        plane.turn(inside),
        spacing=geometry.spacing and plane.turn_spacing(geometry.spacing),
        conventions=conventions,
    )
    if prepared is None:
        return _without_features("the mask is empty")
    if prepared.oversized:
        return _without_features(prepared.oversized)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for name, feature in FEATURES.items():
        unknown = feature.needs_spacing and geometry.spacing is None
        found = "the spacing is unknown" if unknown else feature.measure(prepared)
        if isinstance(found, float) and math.isnan(found):
            found = "not defined for this mask"
        if isinstance(found, str):
            values[name], reasons[name] = math.nan, found
        else:
            values[name] = float(found)
    return FeatureResult(
        values,
        slice=prepared.first_slice + prepared.largest_slice,
        empty_bins=sum(deviation.empty_bins for deviation in prepared.deviations),
        reasons=reasons,
    )


def _without_features(reason: str) -> FeatureResult:
    missing = dict.fromkeys(FEATURES, math.nan)
    return FeatureResult(missing, None, None, dict.fromkeys(FEATURES, reason))
