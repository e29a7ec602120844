from pathlib import Path

import pytest

from lggshape.shape.registry import FEATURES

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "features.md"


def test_every_feature_is_known_by_its_name():
    assert all(name == feature.name for name, feature in FEATURES.items())


def test_units_without_spacing():
    for feature in FEATURES.values():
        assert (feature.unit_without_spacing == "") == feature.needs_spacing
        assert "mm" not in feature.unit_without_spacing
        # What is a pure number stays one.
        assert feature.needs_spacing or (feature.unit == "1") == (
            feature.unit_without_spacing == "1"
        )


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


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_every_feature_is_in_the_manual(feature):
    row = next(
        line
        for line in MANUAL.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{feature.name}` ")
    )
    _, _, symbol, dimension, unit, without, ibsi, pyradiomics, _ = map(str.strip, row.split("|"))
    assert symbol == feature.symbol
    assert dimension == feature.dimension
    assert unit == feature.unit
    assert without == (feature.unit_without_spacing or "empty")
    assert ibsi == (feature.ibsi or "–")
    assert pyradiomics == (feature.pyradiomics or "–")
