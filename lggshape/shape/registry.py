"""The registry of the features: what each is, in which unit, and who defined it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A shape feature.

    Attributes
    ----------
    name : str
        Its column in tables.
    symbol : str
        Its abbreviation; empty if it has none.
    dimension : {"2D", "3D"}
        Whether it is measured in a slice or on the whole.
    unit : str
        With known spacing; "1" for a pure number.
    unit_without_spacing : str
        With unknown spacing; empty if it needs the spacing.
    needs_spacing : bool
        Whether it is missing where the spacing is unknown.
    definition : str
        In a sentence.
    source : str
        Where the definition comes from.
    ibsi : str or None
        Code of the same feature in the reference manual of the Image Biomarker Standardisation
        Initiative; None if it is not in there.
    pyradiomics : str or None
        Name of the same feature in pyradiomics; None if it is not in there.
    irregularity : {1, -1}
        1 if a larger value means a larger or more irregular shape, -1 if a smaller one does.
    variant : str or None
        Name of a feature that measures the same by another convention; a sensitivity analysis of
        the first.
    """

    name: str
    symbol: str = ""
    dimension: Literal["2D", "3D"]
    unit: str = "1"
    unit_without_spacing: str = "1"
    needs_spacing: bool = False
    definition: str
    source: str
    ibsi: str | None = None
    pyradiomics: str | None = None
    irregularity: Literal[1, -1] = 1
    variant: str | None = None


_IBSI = "IBSI reference manual (Zwanenburg et al., arXiv 1612.07003)"
_OWN = "counted by lggshape"

_ALL = (
    Feature(
        name="angular_standard_deviation",
        symbol="ASD",
        dimension="2D",
        definition="Distances from the centroid to the contour, divided by their mean; standard "
        "deviation within each of ten bins of 36 degrees; mean of the ten.",
        source="Georgiou et al. 2007; Buda et al. 2019. Not in IBSI",
        variant="angular_standard_deviation_offset_averaged",
    ),
    Feature(
        name="angular_standard_deviation_offset_averaged",
        symbol="ASD (offset-averaged)",
        dimension="2D",
        definition="Mean of the angular standard deviation with bins that start at 0 and at 18 "
        "degrees; unlike that, it does not change with a quarter-turn.",
        source="lggshape, after Georgiou et al. 2007. Not in IBSI",
    ),
    Feature(
        name="margin_fluctuation",
        symbol="MF",
        dimension="2D",
        definition="Distances from the centroid to the contour, divided by their mean; standard "
        "deviation of their difference from a moving average over a tenth of the contour.",
        source="Giger et al. 1994; Pohlman et al. 1996; Buda et al. 2019. Not in IBSI",
    ),
    Feature(
        name="bounding_ellipsoid_volume_ratio",
        symbol="BEVR",
        dimension="3D",
        definition="Volume divided by that of the smallest ellipsoid that holds the corners of all "
        "voxels.",
        source="Buda et al. 2019. Not in IBSI: its volume density SWZ1 divides the volume of the "
        "mesh by the ellipsoid around the mesh, and has no reference value",
        irregularity=-1,
    ),
    Feature(
        name="volume",
        dimension="3D",
        unit="mm3",
        unit_without_spacing="voxels",
        definition="Number of voxels times the volume of one.",
        source=_IBSI,
        ibsi="YEKZ",
        pyradiomics="VoxelVolume",
    ),
    Feature(
        name="convex_hull_volume_ratio",
        dimension="3D",
        definition="Volume divided by that of the convex hull of the corners of all voxels.",
        source="lggshape. Not in IBSI: its volume density R3ER divides the volume of the mesh by "
        "that of its hull",
        irregularity=-1,
    ),
    Feature(
        name="components",
        dimension="3D",
        definition="Number of 6-connected components of the whole mask.",
        source=_OWN,
    ),
    Feature(
        name="slices",
        dimension="3D",
        definition="Number of slices that the measured component touches.",
        source=_OWN,
    ),
    Feature(
        name="largest_area",
        dimension="2D",
        unit="mm2",
        unit_without_spacing="pixels",
        definition="Area of the measured component in the slice where it is largest.",
        source=_OWN,
    ),
    Feature(
        name="mesh_volume",
        dimension="3D",
        unit="mm3",
        unit_without_spacing="",
        needs_spacing=True,
        definition="Volume within a triangle mesh around the voxels.",
        source=_IBSI,
        ibsi="RNU0",
        pyradiomics="MeshVolume",
    ),
    Feature(
        name="surface_area",
        dimension="3D",
        unit="mm2",
        unit_without_spacing="",
        needs_spacing=True,
        definition="Area of a triangle mesh around the voxels.",
        source=_IBSI,
        ibsi="C0JK",
        pyradiomics="SurfaceArea",
    ),
    Feature(
        name="sphericity",
        dimension="3D",
        unit_without_spacing="",
        needs_spacing=True,
        definition="Surface area of the ball of the mesh's volume, divided by that of the mesh.",
        source=_IBSI,
        ibsi="QCFX",
        pyradiomics="Sphericity",
        irregularity=-1,
    ),
    Feature(
        name="elongation",
        dimension="3D",
        unit_without_spacing="",
        needs_spacing=True,
        definition="Second principal axis of the voxel centres divided by the first.",
        source=_IBSI,
        ibsi="Q3CK",
        pyradiomics="Elongation",
        irregularity=-1,
    ),
    Feature(
        name="flatness",
        dimension="3D",
        unit_without_spacing="",
        needs_spacing=True,
        definition="Third principal axis of the voxel centres divided by the first.",
        source=_IBSI,
        ibsi="N17B",
        pyradiomics="Flatness",
        irregularity=-1,
    ),
    Feature(
        name="maximum_3d_diameter",
        dimension="3D",
        unit="mm",
        unit_without_spacing="",
        needs_spacing=True,
        definition="Largest distance between two vertices of a triangle mesh around the voxels.",
        source=_IBSI,
        ibsi="L0JK",
        pyradiomics="Maximum3DDiameter",
    ),
)

FEATURES: Mapping[str, Feature] = MappingProxyType({feature.name: feature for feature in _ALL})
"""All features by name, in the order of the columns."""
