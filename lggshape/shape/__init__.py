"""Shape features of a mask: contour (ASD, MF), ellipsoid (BEVR), solid (volume, surface, ...)."""

from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.ellipsoid import Ellipsoid, minimum_volume_ellipsoid
from lggshape.shape.extraction import FeatureResult, extract_features
from lggshape.shape.features import FEATURES
from lggshape.shape.radial import (
    AngularDeviation,
    Contour,
    angular_standard_deviation,
    margin_fluctuation,
    offset_averaged_angular_standard_deviation,
    trace_contour,
)
from lggshape.shape.registry import Feature
from lggshape.shape.table import FeatureTable, feature_table

__all__ = [
    "DEFAULT_CONVENTIONS",
    "FEATURES",
    "AngularDeviation",
    "Contour",
    "Conventions",
    "Ellipsoid",
    "Feature",
    "FeatureResult",
    "FeatureTable",
    "angular_standard_deviation",
    "extract_features",
    "feature_table",
    "margin_fluctuation",
    "minimum_volume_ellipsoid",
    "offset_averaged_angular_standard_deviation",
    "trace_contour",
]
