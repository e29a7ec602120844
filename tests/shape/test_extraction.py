import math
from dataclasses import replace

import numpy as np
import pytest

from lggshape.case import Case, Geometry
from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.shape.conventions import Conventions
from lggshape.shape.extraction import extract_features
from lggshape.shape.features import FEATURES

CUBE = 2 / (math.pi * math.sqrt(3))  # share of a box in its smallest ellipsoid
SPACED = [name for name, feature in FEATURES.items() if feature.needs_spacing]
BOXED = ("contour_fractal_dimension", "surface_fractal_dimension", "lacunarity")
TOO_SMALL = dict.fromkeys(BOXED, "it spans too few voxels for boxes of several sizes")


def tumour(seed=0):
    """Two touching balls with a ragged margin, one 6-connected component, no symmetry."""
    generator = np.random.default_rng(seed)
    z, y, x = np.mgrid[:14, :30, :26]
    first = ((z - 6) * 2) ** 2 + (y - 12) ** 2 + (x - 11) ** 2
    second = ((z - 8) * 2) ** 2 + (y - 20) ** 2 + (x - 15) ** 2
    return (np.minimum(first / 80, second / 50) + generator.normal(0, 0.08, z.shape)) < 1


def box(*shape, at=(0, 0, 0), inside=(12, 12, 12)):
    mask = np.zeros(inside, dtype=bool)
    mask[tuple(slice(start, start + size) for start, size in zip(at, shape, strict=True))] = True
    return mask


def test_box_analytic():
    result = extract_features(box(2, 3, 4, at=(1, 2, 3)))
    assert list(result.values) == list(FEATURES)
    assert result.values["volume"] == 24
    assert result.values["largest_area"] == 12
    assert result.values["slices"] == 2
    assert result.values["components"] == 1
    assert result.values["convex_hull_volume_ratio"] == pytest.approx(1)
    assert result.values["bounding_ellipsoid_volume_ratio"] == pytest.approx(CUBE, rel=1e-9)
    assert result.slice == 2  # counted from 1, the lowest-numbered of two equal ones
    unknown = dict.fromkeys(SPACED, "the spacing is unknown")
    assert result.reasons == TOO_SMALL | unknown
    assert all(
        math.isnan(value) == (name in result.reasons) for name, value in result.values.items()
    )


def test_box_with_spacing_analytic():
    values, _, _, reasons = extract_features(box(2, 3, 4), spacing=(5.0, 0.5, 0.25))
    assert values["volume"] == 24 * 5 * 0.5 * 0.25
    assert values["largest_area"] == 12 * 0.5 * 0.25
    assert values["bounding_ellipsoid_volume_ratio"] == pytest.approx(CUBE, rel=1e-9)
    # Standard deviations of 2 x 5, 3 x 0.5 and 4 x 0.25 mm: sqrt((n^2 - 1) / 12) steps.
    axes = sorted([5 * math.sqrt(3 / 12), 0.5 * math.sqrt(8 / 12), 0.25 * math.sqrt(15 / 12)])
    assert values["elongation"] == pytest.approx(axes[1] / axes[2])
    assert values["flatness"] == pytest.approx(axes[0] / axes[2])
    assert reasons == TOO_SMALL
    assert {name for name, value in values.items() if math.isnan(value)} == set(reasons)


def test_exploratory_features_of_a_box_analytic():
    # Of 24 x 30 x 30 mm in slices of 3 mm: a quarter of the ball's diameter is 8.6 mm.
    values, _, _, reasons = extract_features(box(8, 30, 30, inside=(9, 40, 40)), spacing=(3, 1, 1))
    assert reasons == {}
    flat_ones = ("contour_fractal_dimension", "solidity", "convexity")
    curvatures = [f"total_curvature_{percent}_percent" for percent in (1, 2, 4)]
    assert [values[name] for name in (*flat_ones, *curvatures)] == pytest.approx([1] * 6, abs=1e-3)
    assert values["surface_fractal_dimension"] == pytest.approx(2, abs=0.05)


def test_slices_without_a_value_are_left_out_of_the_mean_invariant():
    mask = np.zeros((3, 40, 40), dtype=bool)
    mask[0, 2:30, 2:30] = mask[1, 2:34, 2:30] = mask[2, 4:7, 4:7] = True
    every = Conventions(slices="all")
    values = extract_features(mask, conventions=every).values
    assert extract_features(mask[2:], conventions=every).reasons["lacunarity"]
    assert (
        values["lacunarity"] == extract_features(mask[:2], conventions=every).values["lacunarity"]
    )


def test_empty_mask_has_a_reason():
    values, number, empty_bins, reasons = extract_features(np.zeros((3, 4, 5)))
    assert number is None
    assert empty_bins is None
    assert all(map(math.isnan, values.values()))
    assert reasons == dict.fromkeys(FEATURES, "the mask is empty")


def test_mask_without_voxels_is_empty():
    assert extract_features(np.zeros((0, 4, 5), dtype=bool)).slice is None


@pytest.mark.parametrize(
    "mask",
    [
        box(1, 1, 1, at=(3, 4, 5)),
        np.ones((1, 1, 1), dtype=bool),
        box(1, 1, 9),
        box(1, 9, 1),
        box(9, 1, 1),
        box(1, 5, 6, at=(11, 7, 6)),
        np.ones((4, 5, 6), dtype=bool),
    ],
    ids=["voxel", "voxel alone", "line x", "line y", "line z", "slice", "to every border"],
)
def test_small_flat_and_cut_boxes_analytic(mask):
    values, number, _, reasons = extract_features(mask, spacing=(2.0, 1.0, 1.0))
    assert values["bounding_ellipsoid_volume_ratio"] == pytest.approx(CUBE, rel=1e-9)
    assert values["convex_hull_volume_ratio"] == pytest.approx(1)
    assert values["slices"] == mask.any(axis=(1, 2)).sum()
    assert number == mask.any(axis=(1, 2)).argmax() + 1
    one = mask.sum() == 1
    assert set(reasons) - set(BOXED) == ({"elongation", "flatness"} if one else set())
    assert {name: reasons[name] for name in BOXED} == TOO_SMALL
    assert {name for name, value in values.items() if math.isnan(value)} == set(reasons)


def test_one_voxel_has_round_contour_analytic():
    values = extract_features(np.ones((1, 1, 1), dtype=bool)).values
    assert values["angular_standard_deviation"] == 0
    assert values["margin_fluctuation"] == 0


def test_position_in_the_volume_invariant():
    mask = tumour()
    plain = extract_features(mask, spacing=(3.0, 1.0, 1.0))
    moved = extract_features(np.pad(mask, ((5, 0), (1, 9), (30, 2))), spacing=(3.0, 1.0, 1.0))
    assert moved.values == pytest.approx(plain.values, rel=0, nan_ok=True)
    assert moved.slice == plain.slice + 5


def test_mirrors_and_half_turns_invariant():
    mask = tumour()
    plain = extract_features(mask, spacing=(3.0, 1.0, 1.0)).values
    for other in (mask[:, ::-1], mask[:, :, ::-1], mask[:, ::-1, ::-1]):
        values = extract_features(other, spacing=(3.0, 1.0, 1.0)).values
        assert values == pytest.approx(plain, rel=1e-9, nan_ok=True)


def test_quarter_turns_change_the_angular_standard_deviation_alone_invariant():
    mask = tumour()
    plain = extract_features(mask).values
    turned = extract_features(np.rot90(mask, axes=(1, 2))).values
    changed = {
        name
        for name in FEATURES
        if name not in SPACED and turned[name] != pytest.approx(plain[name], rel=1e-9)
    }
    assert changed == {"angular_standard_deviation"}


def test_spacing_changes_no_ratio_of_volumes_invariant():
    mask = tumour()
    plain, spaced = extract_features(mask), extract_features(mask, spacing=(5.0, 0.7, 0.3))
    for name in ("bounding_ellipsoid_volume_ratio", "convex_hull_volume_ratio", "components"):
        assert spaced.values[name] == plain.values[name]


@pytest.mark.parametrize(
    "kind", [np.uint8, np.int16, np.float32, np.float64, bool], ids=lambda kind: kind.__name__
)
@pytest.mark.parametrize("inside", [1, 255])
def test_type_and_value_of_the_mask_invariant(kind, inside):
    mask = (tumour() * inside).astype(kind)
    assert extract_features(mask).values == pytest.approx(
        extract_features(tumour()).values, nan_ok=True, rel=0
    )


def test_a_case_is_measured_with_its_own_spacing_invariant():
    geometry = Geometry(spacing=(3.0, 1.0, 2.0))
    case = Case("a", "p", mask=tumour(), geometry=geometry)
    assert extract_features(case) == extract_features(tumour(), spacing=geometry.spacing)
    other = extract_features(case, spacing=(1.0, 1.0, 1.0))
    assert other == extract_features(tumour(), spacing=(1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="Expected case a to have a mask, found none"):
        extract_features(Case("a", "p"))


@pytest.mark.parametrize("axis", [1, 2], ids=["coronal", "sagittal"])
def test_thick_slices_of_any_plane_have_the_same_features_invariant(axis):
    mask, spacing = tumour(), (5.0, 1.0, 0.9)
    axial = Case("a", "p", mask=mask, geometry=Geometry(spacing, np.eye(4)))
    steps = tuple(np.insert(spacing[1:], axis, spacing[0]).tolist())
    turned = replace(axial, mask=np.moveaxis(mask, 0, axis), geometry=Geometry(steps, np.eye(4)))
    expected, found = extract_features(axial), extract_features(turned)
    assert found.values == pytest.approx(expected.values, rel=1e-9, nan_ok=True)
    assert found[1:] == expected[1:]
    # The same voxels without their orientation are measured in slices along the first axis.
    assert extract_features(turned.mask, spacing=steps).values["slices"] != found.values["slices"]
    # A spacing that is given decides on the plane, as it decides on lengths.
    given = extract_features(replace(turned, geometry=Geometry(None, np.eye(4))), spacing=steps)
    assert given == found
    assert expected == extract_features(mask, spacing=spacing)


def test_input_is_not_changed():
    mask = tumour()
    mask.flags.writeable = False
    extract_features(mask, spacing=(1.0, 1.0, 1.0))


def test_parts_joined_by_an_edge_are_two_components_analytic():
    mask = box(2, 2, 2) | box(2, 2, 3, at=(2, 2, 0))
    assert extract_features(mask).values["components"] == 2
    assert extract_features(mask).values["volume"] == 12


def test_first_of_two_largest_components_counts_analytic():
    mask = box(1, 1, 4, at=(0, 3, 0)) | box(1, 4, 1, at=(4, 0, 6))
    assert extract_features(mask).slice == 1


class ConventionsTests:
    def test_stray_voxels_count_only_if_asked_for(self):
        mask = tumour()
        stray = np.pad(mask, ((0, 0), (0, 0), (0, 30)))
        stray[2:5, 1:4, -1] = True
        alone, kept = extract_features(mask).values, extract_features(stray).values
        everything = extract_features(stray, conventions=Conventions(component="all")).values
        assert kept.pop("components") == alone.pop("components") + 1
        assert kept == pytest.approx(alone, nan_ok=True, rel=0)
        assert everything["volume"] == alone["volume"] + 9
        assert (
            everything["bounding_ellipsoid_volume_ratio"]
            < 0.75 * alone["bounding_ellipsoid_volume_ratio"]
        )

    def test_centres_give_a_smaller_ellipsoid_analytic(self):
        # The centres of a 3 x 4 x 5 box are the corners of one of 2 x 3 x 4.
        centres = Conventions(points="centres")
        values = extract_features(box(3, 4, 5), conventions=centres).values
        assert values["bounding_ellipsoid_volume_ratio"] == pytest.approx(CUBE * 60 / 24)

    @pytest.mark.parametrize(
        ("mask", "reason"),
        [(box(1, 1, 1), "are one"), (box(1, 1, 3), "on a line"), (box(1, 2, 3), "in a plane")],
    )
    def test_centres_without_volume_have_a_reason(self, mask, reason):
        values, _, _, reasons = extract_features(mask, conventions=Conventions(points="centres"))
        assert math.isnan(values["bounding_ellipsoid_volume_ratio"])
        assert reason in reasons["bounding_ellipsoid_volume_ratio"]

    def test_all_slices_give_the_plain_mean_analytic(self):
        mask = tumour()
        names = (
            "angular_standard_deviation",
            "angular_standard_deviation_offset_averaged",
            "margin_fluctuation",
        )
        whole = Conventions(component="all")
        single = [
            extract_features(one[None], conventions=whole).values for one in mask if one.any()
        ]
        every = extract_features(mask, conventions=Conventions(slices="all", component="all"))
        for name in names:
            expected = np.mean([values[name] for values in single])
            assert every.values[name] == pytest.approx(expected, rel=1e-12)
        assert every.slice == extract_features(mask).slice

    def test_bin_offset_of_18_degrees_is_a_quarter_turn_invariant(self):
        mask = tumour()
        offset = extract_features(mask, conventions=Conventions(bin_offset=18)).values
        turned = extract_features(np.rot90(mask, axes=(1, 2))).values
        name = "angular_standard_deviation"
        assert offset[name] == pytest.approx(turned[name], rel=1e-12)
        name = "angular_standard_deviation_offset_averaged"
        assert offset[name] == extract_features(mask).values[name]

    def test_window_reaches_the_margin_fluctuation(self):
        # 94 points: windows of 9, 10, 9 and 9.
        mask = np.zeros((1, 30, 30), dtype=bool)
        mask[0, 2:24, 3:24] = True
        mask[0, 10:14, 20:24] = False
        measured = {}
        for rule in ("round", "up", "down", "odd"):
            values = extract_features(mask, conventions=Conventions(window=rule)).values
            measured[rule] = values["margin_fluctuation"]
        assert measured["round"] == measured["down"] == measured["odd"] != measured["up"]


def test_centroid_outside_leaves_bins_empty():
    # A thin hook sees its centroid from one side only.
    mask = np.zeros((1, 40, 40), dtype=bool)
    mask[0, 2:38, 2] = mask[0, 2, 2:12] = True
    result = extract_features(mask)
    assert result.empty_bins > 0
    assert not math.isnan(result.values["angular_standard_deviation"])


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        (np.ones((3, 3)), "shape"),
        (np.array([[[0, 1, 2]]]), "found 0 .1 voxel., 1 .1., 2 .1."),
        (np.array([[[0.0, np.nan]]]), "found 0 .1 voxel., nan .1."),
        (np.array([[[0, -1]]]), "found -1 .1 voxel., 0 .1."),
    ],
)
def test_other_masks_are_refused(mask, found):
    with pytest.raises(InputError, match=f"Expected the mask to .*{found}"):
        extract_features(mask)


@pytest.mark.parametrize(
    "spacing",
    [
        (1, 1),
        (1, 0, 1),
        (1, -1, 1),
        (1, math.nan, 1),
        (1, 1, math.inf),
        (1e-300, 1, 1),
        (9e-4, 1, 1),
        (1, 1001, 1),
        (1e200, 1e200, 1e200),
    ],
)
def test_other_spacings_are_refused(spacing):
    with pytest.raises(InputError, match=r"three positive numbers \(z, y, x\) of 0.001 to 1000 mm"):
        extract_features(np.ones((2, 2, 2)), spacing=spacing)


@pytest.mark.parametrize("spacing", [(1e-3,) * 3, (1e3,) * 3, (1e-3, 1e3, 1)])
def test_spacings_at_the_ends_of_the_range_analytic(spacing):
    values, _, _, reasons = extract_features(box(2, 3, 4), spacing=spacing)
    assert reasons == TOO_SMALL
    assert values["volume"] == pytest.approx(24 * math.prod(spacing))


@pytest.mark.real_data
def test_symmetries_of_manual_masks_invariant(dataset):
    # Among these is the only case with a contour point on an edge of a bin, TCGA_HT_7475.
    sources = open_cases(dataset, masks_only=True)
    chosen = [*sources[::10], *(case for case in sources if case.patient == "TCGA_HT_7475")]
    for source in chosen:
        mask = source.read(image=False).mask
        plain = extract_features(mask).values
        for other in (mask[:, ::-1], mask[:, :, ::-1], mask[:, ::-1, ::-1]):
            assert extract_features(other).values == pytest.approx(plain, rel=1e-9, nan_ok=True)


def test_the_spacing_may_be_an_array_invariant():
    mask, spacing = box(3, 4, 5), (5.0, 1.0, 1.0)
    expected = extract_features(mask, spacing=spacing).values
    for given in (np.array(spacing), np.array(spacing, np.float32), [5, 1, 1]):
        assert extract_features(mask, spacing=given).values == expected


@pytest.mark.parametrize("spacing", ["abc", 1, ("1", "1", "1"), np.ones((3, 3))])
def test_a_spacing_that_is_not_three_numbers_is_refused(spacing):
    with pytest.raises(InputError, match="three positive numbers"):
        extract_features(box(3, 4, 5), spacing=spacing)


def plates():
    """65 full slices, and a column that joins them: 65 (2 128 256 + 2 (128 + 256)) + 64 (4 - 2)."""
    mask = np.zeros((129, 128, 256), dtype=bool)
    mask[::2] = mask[:, 0, 0] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.ones((257, 256, 256), dtype=bool), "the mask has 16842752 voxels, more than"),
        (plates(), "the surface of the mask has 4309888 voxel faces, more than"),
    ],
)
def test_a_mask_larger_or_rougher_than_any_tumour_is_not_measured_analytic(mask, reason):
    values, place, bins, reasons = extract_features(mask, spacing=(1.0, 1.0, 1.0))
    assert (place, bins) == (None, None)
    assert all(math.isnan(value) for value in values.values())
    assert all(one.startswith(reason) for one in reasons.values())
