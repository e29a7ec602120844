"""The features: each a function of a prepared mask, with its metadata.

To add a feature, add a function here. It returns the value, or the reason why there is none.
"""

import math
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from lggshape.shape.boxes import TOO_SMALL, fractal_dimension, lacunarity
from lggshape.shape.margin import convexity, solidity, total_curvature
from lggshape.shape.prepared import PreparedMask
from lggshape.shape.radial import margin_fluctuation, offset_averaged_angular_standard_deviation
from lggshape.shape.registry import REGISTERED, Feature, feature

_IBSI = "IBSI reference manual (Zwanenburg et al., arXiv 1612.07003)"
_OWN = "counted by lggshape"
_SURVEY = "Yang et al. 2008, a survey of shape features. Not in IBSI"
_BOXES = (
    "Boxes have sides of 1/16 to 1/4 of the diameter of a {} of the same size, in up to five "
    "geometric steps, and their number is averaged over all places of their grid."
)
_IN_GLIOMAS = (
    "molecular subtypes of lower-grade gliomas: Buda et al. 2019, Comput Biol Med 109: 218-225; "
    "survival with glioblastoma: Czarnek et al. 2017, J Neurooncol 132: 55-62"
)
_ONE_VOXEL = "one voxel has no principal axes"

_with_spacing = partial(
    feature,
    dimension="3D",
    unit_without_spacing="",
    needs_spacing=True,
    source=_IBSI,
)
"""A feature of IBSI that depends on the proportions of the voxels: empty if they are unknown."""

FEATURES: Mapping[str, Feature] = MappingProxyType(REGISTERED)
"""All features by name, in the order of the columns."""


@feature(
    "angular_standard_deviation",
    symbol="ASD",
    dimension="2D",
    definition="Distances from the centroid to the contour, divided by their mean; standard "
    "deviation within each of ten bins of 36 degrees; mean over the bins that are not empty.",
    source="Georgiou et al. 2007; Buda et al. 2019. Not in IBSI",
    variant="angular_standard_deviation_offset_averaged",
    literature=_IN_GLIOMAS,
)
def _angular_standard_deviation(mask: PreparedMask) -> float:
    return _mean([deviation.value for deviation in mask.deviations])


@feature(
    "angular_standard_deviation_offset_averaged",
    title="offset-averaged angular standard deviation",
    symbol="ASD (offset-averaged)",
    dimension="2D",
    definition="Mean of the angular standard deviations at bin offsets of 0 and 18 degrees. It "
    "does not change with a quarter-turn of the mask.",
    source="lggshape, after Georgiou et al. 2007. Not in IBSI",
)
def _offset_averaged(mask: PreparedMask) -> float:
    return _mean([offset_averaged_angular_standard_deviation(one) for one in mask.contours])


@feature(
    "margin_fluctuation",
    symbol="MF",
    dimension="2D",
    definition="Distances from the centroid to the contour, divided by their mean; standard "
    "deviation of their difference from a moving average over a tenth of the contour.",
    source="Giger et al. 1994; Pohlman et al. 1996; Buda et al. 2019. Not in IBSI",
    literature=_IN_GLIOMAS,
)
def _margin_fluctuation(mask: PreparedMask) -> float:
    window = mask.conventions.window
    return _mean([margin_fluctuation(one, window=window) for one in mask.contours])


@feature(
    "bounding_ellipsoid_volume_ratio",
    symbol="BEVR",
    dimension="3D",
    definition="Volume divided by that of the smallest ellipsoid that encloses the corners of all "
    "voxels.",
    source="Buda et al. 2019. Not in IBSI: its volume density SWZ1 divides the volume of the "
    "mesh by the ellipsoid around the mesh, and has no reference value",
    irregularity=-1,
    literature=_IN_GLIOMAS,
)
def _bounding_ellipsoid_volume_ratio(mask: PreparedMask) -> float | str:
    if mask.ellipsoid.reason:
        return f"no ellipsoid over voxel centres: {mask.ellipsoid.reason}"
    if not mask.ellipsoid.certified:
        return f"the ellipsoid is not certified: its gap is {mask.ellipsoid.gap:.1g}"
    return mask.voxels / mask.ellipsoid.volume


@feature(
    "volume",
    dimension="3D",
    unit="mm3",
    unit_without_spacing="voxels",
    definition="Number of voxels times the volume of one.",
    source=_IBSI,
    ibsi="YEKZ",
    pyradiomics="VoxelVolume",
    mirp="morph_vol_approx",
    literature="survival with low-grade gliomas: Smith et al. 2008, J Clin Oncol 26: 1338-1345",
)
def _volume(mask: PreparedMask) -> float:
    depth, height, width = mask.steps
    return mask.voxels * depth * height * width


@feature(
    "convex_hull_volume_ratio",
    dimension="3D",
    definition="Volume divided by that of the convex hull of the corners of all voxels.",
    source="lggshape. Not in IBSI: its volume density R3ER divides the volume of the mesh by "
    "that of its hull",
    irregularity=-1,
)
def _convex_hull_volume_ratio(mask: PreparedMask) -> float:
    return mask.voxels / mask.hull.volume


@feature(
    "components",
    title="number of components",
    dimension="3D",
    is_count=True,
    definition="Number of 6-connected components of the whole mask.",
    source=_OWN,
)
def _components(mask: PreparedMask) -> float:
    return mask.components.number


@feature(
    "slices",
    title="number of slices",
    dimension="3D",
    is_count=True,
    definition="Number of slices that the measured component touches.",
    source=_OWN,
)
def _slices(mask: PreparedMask) -> float:
    return int((mask.areas > 0).sum())


@feature(
    "largest_area",
    dimension="2D",
    unit="mm2",
    unit_without_spacing="pixels",
    definition="Area of the measured component in the slice where it is largest.",
    source=_OWN,
)
def _largest_area(mask: PreparedMask) -> float:
    _, height, width = mask.steps
    return int(mask.areas[mask.largest_slice]) * height * width


@_with_spacing(
    "mesh_volume",
    unit="mm3",
    definition="Volume within a triangle mesh around the voxels.",
    ibsi="RNU0",
    pyradiomics="MeshVolume",
    mirp="morph_volume",
)
def _mesh_volume(mask: PreparedMask) -> float:
    return mask.mesh.volume


@_with_spacing(
    "surface_area",
    unit="mm2",
    definition="Area of a triangle mesh around the voxels.",
    ibsi="C0JK",
    pyradiomics="SurfaceArea",
    mirp="morph_area_mesh",
)
def _surface_area(mask: PreparedMask) -> float:
    return mask.mesh.surface_area


@_with_spacing(
    "sphericity",
    definition="Surface area of a ball with the volume of the mesh, divided by the surface area of "
    "the mesh.",
    ibsi="QCFX",
    pyradiomics="Sphericity",
    mirp="morph_sphericity",
    irregularity=-1,
    literature="survival with glioblastoma, as regularity of the surface: Pérez-Beteta et al. "
    "2018, Radiology 288: 218-225",
)
def _sphericity(mask: PreparedMask) -> float:
    return mask.mesh.sphericity


@_with_spacing(
    "elongation",
    definition="Length of the second principal axis of the voxel centres, divided by that of "
    "the first.",
    ibsi="Q3CK",
    pyradiomics="Elongation",
    mirp="morph_pca_elongation",
    irregularity=-1,
)
def _elongation(mask: PreparedMask) -> float | str:
    return _ONE_VOXEL if mask.voxels == 1 else mask.axes.elongation


@_with_spacing(
    "flatness",
    definition="Length of the third principal axis of the voxel centres, divided by that of "
    "the first.",
    ibsi="N17B",
    pyradiomics="Flatness",
    mirp="morph_pca_flatness",
    irregularity=-1,
)
def _flatness(mask: PreparedMask) -> float | str:
    return _ONE_VOXEL if mask.voxels == 1 else mask.axes.flatness


@_with_spacing(
    "maximum_3d_diameter",
    title="maximum 3D diameter",
    unit="mm",
    definition="Largest distance between two vertices of a triangle mesh around the voxels.",
    ibsi="L0JK",
    pyradiomics="Maximum3DDiameter",
    mirp="morph_diam",
)
def _maximum_3d_diameter(mask: PreparedMask) -> float:
    return mask.mesh.maximum_diameter


@feature(
    "contour_fractal_dimension",
    is_exploratory=True,
    dimension="2D",
    definition="Minus the slope of the logarithm of the number of boxes that meet the contour, on "
    "that of their side. " + _BOXES.format("disc"),
    source="Rangayyan and Nguyen 2007; Foroutan-pour et al. 1999; in gliomas, Curtin et al. 2021. "
    "Not in IBSI",
)
def _contour_fractal_dimension(mask: PreparedMask) -> float | str:
    return _mean_of_known(
        [fractal_dimension(part, spacing=mask.steps[1:]) for part in mask.parts], TOO_SMALL
    )


@feature(
    "surface_fractal_dimension",
    is_exploratory=True,
    dimension="3D",
    unit_without_spacing="",
    needs_spacing=True,
    definition="Minus the slope of the logarithm of the number of boxes that meet the surface, on "
    "that of their side. " + _BOXES.format("ball"),
    source="Foroutan-pour et al. 1999; Falconer 2014. Not in IBSI",
)
def _surface_fractal_dimension(mask: PreparedMask) -> float | str:
    return _mean_of_known([fractal_dimension(mask.component, spacing=mask.steps)], TOO_SMALL)


@feature(
    "solidity",
    is_exploratory=True,
    dimension="2D",
    definition="Area within the contour, divided by that of its convex hull.",
    source=_SURVEY,
    irregularity=-1,
)
def _solidity(mask: PreparedMask) -> float:
    return _mean([solidity(contour) for contour in mask.contours])


@feature(
    "convexity",
    is_exploratory=True,
    dimension="2D",
    definition="Length of the convex hull of the contour, divided by that of the contour, both "
    "after smoothing by a Gaussian whose standard deviation is 0.5 % of the contour's length.",
    source=_SURVEY,
    irregularity=-1,
)
def _convexity(mask: PreparedMask) -> float:
    return _mean([convexity(contour) for contour in mask.contours])


def _register_total_curvature(percent: int) -> None:
    def measure(mask: PreparedMask) -> float:
        return _mean([total_curvature(one, scale=percent / 100) for one in mask.contours])

    feature(
        f"total_curvature_{percent}_percent",
        is_exploratory=True,
        title=f"total curvature at {percent} %",
        dimension="2D",
        definition="Sum of the angles by which the contour turns, to whichever side, in whole "
        "turns, after smoothing by a Gaussian whose standard deviation is "
        f"{percent} % of the contour's length. A convex shape has 1.",
        source="Fenchel 1929; smoothing after Mokhtarian and Mackworth 1992. Not in IBSI",
    )(measure)


for _percent in (1, 2, 4):
    _register_total_curvature(_percent)


@feature(
    "lacunarity",
    is_exploratory=True,
    dimension="2D",
    definition="Number of pixels of the mask within a gliding box: mean of its square, divided by "
    "the square of its mean, over all places where box and mask meet. The side of the box is 1/4 "
    "of the diameter of a disc of the same area.",
    source="Allain and Cloitre 1991; in gliomas, Curtin et al. 2021. Not in IBSI",
)
def _lacunarity(mask: PreparedMask) -> float | str:
    return _mean_of_known(
        [lacunarity(plane, spacing=mask.steps[1:]) for plane in mask.planes], TOO_SMALL
    )


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _mean_of_known(values: list[float], reason: str) -> float | str:
    """Return the mean of the slices that have a value, or why none has."""
    known = [value for value in values if not math.isnan(value)]
    return _mean(known) if known else reason
