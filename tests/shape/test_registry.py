import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from lggshape.shape.extraction import extract_features
from lggshape.shape.features import FEATURES
from lggshape.shape.registry import REGISTERED, feature

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_units_without_spacing():
    for one in FEATURES.values():
        assert (one.unit_without_spacing == "") == one.needs_spacing
        assert "mm" not in one.unit_without_spacing
        # What is a pure number stays one.
        assert one.needs_spacing or (one.unit == "1") == (one.unit_without_spacing == "1")


def test_features_of_the_paper_are_not_in_ibsi():
    for name in (
        "angular_standard_deviation",
        "margin_fluctuation",
        "bounding_ellipsoid_volume_ratio",
    ):
        assert FEATURES[name].ibsi is None
        assert "Not in IBSI" in FEATURES[name].source


def test_directions_of_the_paper():
    # The paper takes 1 / BEVR as the feature that rises with irregularity, and ASD and MF as is.
    directions = {
        "angular_standard_deviation": 1,
        "margin_fluctuation": 1,
        "bounding_ellipsoid_volume_ratio": -1,
    }
    assert {name: FEATURES[name].irregularity for name in directions} == directions


def test_every_variant_is_another_feature():
    variants = {f.name: f.variant for f in FEATURES.values() if f.variant is not None}
    assert variants == {"angular_standard_deviation": "angular_standard_deviation_offset_averaged"}
    for name, variant in variants.items():
        # It stands in for the first, so it has its unit and direction and no variant of its own.
        assert FEATURES[variant].unit == FEATURES[name].unit
        assert FEATURES[variant].irregularity == FEATURES[name].irregularity
        assert FEATURES[variant].variant is None


def test_the_table_of_the_manual_is_that_of_the_registry_invariant():
    page = (DOCS / "features.md").read_text(encoding="utf-8")
    replace_table = runpy.run_path(str(DOCS / "features_table.py"))["replace_table"]
    assert replace_table(page) == page


@pytest.fixture
def register(monkeypatch):
    """Let features be registered for the time of a test."""

    def add(name, **metadata):
        monkeypatch.setitem(REGISTERED, name, None)  # what takes it out again
        return feature(name, dimension="3D", definition="", source="", **metadata)

    return add


def test_a_registered_function_is_measured_analytic(register):
    register("height")(lambda mask: mask.whole.shape[1])
    register("nothing")(lambda mask: "there is no such thing")
    register("unclear")(lambda mask: math.nan)
    register("spaced", needs_spacing=True, unit_without_spacing="")(lambda mask: mask.spacing[0])
    result = extract_features(np.ones((2, 5, 3)))
    assert list(result.values)[-4:] == ["height", "nothing", "unclear", "spaced"]
    assert result.values["height"] == 5
    assert math.isnan(result.values["nothing"])
    assert result.reasons["nothing"] == "there is no such thing"
    assert result.reasons["unclear"] == "not defined for this mask"
    assert result.reasons["spaced"] == "the spacing is unknown"


def test_the_mesh_of_unknown_spacing_is_a_programming_error(register):
    register("mesh_of_voxels")(lambda mask: mask.mesh.volume)
    with pytest.raises(TypeError, match="needs_spacing"):
        extract_features(np.ones((2, 5, 3)))
