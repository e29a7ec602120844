import itertools
import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lggshape.errors import InputError
from lggshape.phantoms import ball, ellipsoid
from lggshape.studies.buda2019.analyses.failed_attempt import (
    DIRECTIONS,
    bounding_ellipsoid_volume_ratio,
    measure,
    one_against_rest,
    radial_signature,
)

ASD, BEVR, MF = (
    "angular_standard_deviation",
    "bounding_ellipsoid_volume_ratio",
    "margin_fluctuation",
)


def star(radius, depth, lobes, *, size=401):
    """A slice whose outline is radius * (1 + depth * cos(lobes * angle))."""
    y, x = np.mgrid[:size, :size] - size // 2
    angle = np.arctan2(y, x)
    return (np.hypot(y, x) <= radius * (1 + depth * np.cos(lobes * angle)))[np.newaxis]


def arrow():
    mask = np.zeros((3, 12, 15), dtype=bool)
    mask[1, 2:9, 3:7] = mask[1, 5, 3:14] = mask[0, 3:5, 4:6] = True
    return mask


class BoundingEllipsoidTests:
    @pytest.mark.parametrize("sides", [(5, 5, 5), (5, 7, 9), (3, 12, 8)])
    def test_box_analytic(self, sides):
        # The corner is at 1 along all three axes, so that they grow by the square root of 3.
        halves = [(side - 1) / 2 for side in sides]
        expected = math.prod(sides) / (4 / 3 * math.pi * 3**1.5 * math.prod(halves))
        found = bounding_ellipsoid_volume_ratio(np.pad(np.ones(sides), 2))
        assert found == pytest.approx(expected, rel=1e-12)

    def test_cube_of_125_voxels_by_hand(self):
        # 125 / (4.18879 * 5.19615 * 8) = 125 / 174.1247
        found = bounding_ellipsoid_volume_ratio(np.ones((5, 5, 5)))
        assert found == pytest.approx(0.717876, abs=1e-6)

    def test_single_slice_is_half_a_voxel_deep_analytic(self):
        # Half axes 0.5, 3 and 4 grow by the square root of 2.
        expected = 63 / (4 / 3 * math.pi * 2**1.5 * 0.5 * 3 * 4)
        assert bounding_ellipsoid_volume_ratio(np.ones((1, 7, 9))) == pytest.approx(expected)

    def test_ball_is_near_1_analytic(self):
        # Radius 20 through voxel centres; the ball has 4 / 3 pi 20**3 voxels, less some noise.
        assert bounding_ellipsoid_volume_ratio(ball(20)) == pytest.approx(1, abs=0.01)

    @pytest.mark.parametrize("seed", range(3))
    def test_turned_ellipsoid_is_near_1_analytic(self, seed):
        # Centres lie up to about half a voxel inside of it, so that it is drawn in too tightly.
        turned = Rotation.random(rng=np.random.default_rng(seed))
        found = bounding_ellipsoid_volume_ratio(ellipsoid((12, 20, 30), rotation=turned))
        assert 0.93 < found <= 1

    def test_never_more_than_1_analytic(self):
        assert bounding_ellipsoid_volume_ratio(np.ones((2, 2, 2))) == 1

    def test_every_voxel_is_enclosed_invariant(self):
        # Half of an ellipsoid: its axes are those of the array, its mean 3/8 of the depth.
        mask = ellipsoid((20, 16, 12))
        mask[mask.shape[0] // 2 + 1 :] = False
        centres = np.argwhere(mask) - np.argwhere(mask).mean(axis=0)
        halves = np.abs(centres).max(axis=0)
        growth = np.sqrt(((centres / halves) ** 2).sum(axis=1)).max()
        expected = len(centres) / (4 / 3 * math.pi * np.prod(halves * growth))
        assert growth > 1.1
        assert bounding_ellipsoid_volume_ratio(mask) == pytest.approx(expected, rel=1e-9)

    def test_an_island_lowers_it_invariant(self):
        mask = np.pad(ball(8), ((0, 0), (0, 0), (0, 40)))
        alone = bounding_ellipsoid_volume_ratio(mask)
        mask[9, 9, 50] = True
        assert bounding_ellipsoid_volume_ratio(mask) < 0.5 * alone

    def test_fewer_than_four_voxels_are_missing(self):
        assert math.isnan(bounding_ellipsoid_volume_ratio(np.ones((1, 1, 3))))
        assert not math.isnan(bounding_ellipsoid_volume_ratio(np.ones((1, 1, 4))))


class RadialTests:
    def test_nine_pixels_by_hand(self):
        # Around the centre there are a pixel at 1 (up, down, left, right) or at the square root of
        # 2 (corners) every 45 degrees. A bin holds its lower edge, but the last one 180 degrees.
        knots = {22: 2, 45: 1, 67: 2, 90: 1, 112: 2, 135: 1, 157: 2, 179: 1, 202: 2}
        pieces = [
            np.linspace(math.sqrt(start), math.sqrt(end), after - before, endpoint=False)
            for (before, start), (after, end) in itertools.pairwise(knots.items())
        ]
        expected = np.roll(np.concatenate(pieces), 22)
        signature = radial_signature(np.ones((3, 3)))
        assert signature == pytest.approx(expected, abs=1e-12)
        found = measure(np.ones((1, 3, 3)))
        assert found[ASD] == pytest.approx(expected.std() / expected.mean(), rel=1e-12)

    def test_disc_is_almost_round_analytic(self):
        found = measure(star(100, 0, 1))
        assert found[ASD] < 0.005
        assert found[MF] < 0.005

    def test_square_analytic(self):
        # The farthest point of a square of half side 200 is where its direction is nearest to a
        # diagonal: at the end of the bin, or at the diagonal itself in the bin that holds it.
        ends = np.minimum(np.arange(2, 92, 2), np.minimum(45, np.arange(90, 0, -2)))
        quarter = 200 / np.cos(np.radians(ends))
        signature = radial_signature(np.ones((401, 401)))
        assert signature == pytest.approx(np.tile(quarter, 4), rel=0.01)
        found = measure(np.ones((1, 401, 401)))
        assert found[ASD] == pytest.approx(quarter.std() / quarter.mean(), rel=0.01)

    def test_margin_fluctuation_is_what_waves_leave_lstsq(self):
        signature = radial_signature(arrow()[1])
        turns = np.arange(DIRECTIONS) * 2 * math.pi / DIRECTIONS
        waves = np.column_stack([f(k * turns) for k in range(6) for f in (np.cos, np.sin)])
        left = signature - waves @ np.linalg.lstsq(waves, signature)[0]
        assert measure(arrow())[MF] == pytest.approx(left.std() / signature.mean(), rel=1e-9)

    @pytest.mark.parametrize(
        ("lobes", "fluctuates"), [(3, False), (5, False), (6, True), (9, True)]
    )
    def test_lobes_analytic(self, lobes, fluctuates):
        # A cosine of amplitude 0.1 has a standard deviation of 0.1 / sqrt 2.
        found = measure(star(150, 0.1, lobes))
        expected = 0.1 / math.sqrt(2)
        assert found[ASD] == pytest.approx(expected, rel=0.02)
        assert found[MF] == pytest.approx(expected if fluctuates else 0, rel=0.02, abs=0.003)

    def test_first_largest_slice_counts_with_its_islands(self):
        mask = np.zeros((4, 30, 30), dtype=bool)
        mask[0, 3:8, 3:8] = True
        mask[1, 3:12, 4:10] = mask[1, 20, 20:25] = True
        mask[3, 1, :] = mask[3, 2, :29] = True
        assert mask.sum(axis=(1, 2)).tolist() == [25, 59, 0, 59]
        signature = radial_signature(mask[1])
        pixels = np.argwhere(mask[1])
        distances = np.hypot(*(pixels - pixels.mean(axis=0)).T)
        assert signature.max() == pytest.approx(distances.max())
        assert measure(mask)[ASD] == signature.std() / signature.mean()

    def test_half_turn_and_translation_invariant(self):
        # No pixel of this mask has an angle on the edge of a bin, where a mirror would move it.
        mask = arrow()
        turned = mask[:, ::-1, ::-1]
        assert measure(np.pad(mask, ((1, 2), (5, 0), (3, 9)))) == pytest.approx(measure(mask))
        assert measure(turned) == pytest.approx(measure(mask), rel=1e-9)

    @pytest.mark.parametrize(
        ("area", "missing"),
        [
            (np.ones((1, 7)), True),  # too few pixels
            (np.ones((1, 20)), True),  # too few directions
            (np.ones((2, 4)), False),
            (np.zeros((4, 4)), True),
        ],
    )
    def test_missing(self, area, missing):
        signature = radial_signature(area)
        assert signature.shape == (DIRECTIONS,)
        assert np.isnan(signature).all() == missing
        found = measure(area[np.newaxis])
        assert math.isnan(found[ASD]) == math.isnan(found[MF]) == missing


def test_empty_mask_has_no_feature():
    found = measure(np.zeros((2, 5, 5)))
    assert list(found) == [BEVR, ASD, MF]
    assert all(map(math.isnan, found.values()))


FEATURE = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3]
LEVEL = [0, 0, 0, 0, 0, 1, 0, 1, 2, 2, 2, 1, 1, 1, 2, 2]
EXPECTED = {"a": 0.0338411588411588, "b": 0.00137362637362637, "c": 0.587912087912088}
"""R: for (k in 0:2) print(fisher.test(feature > median(feature), level == k)$p.value)"""


class OneAgainstRestTests:
    def test_ties_with_the_median_r(self):
        # Three patients have just the median, 5: they count as low.
        assert one_against_rest(FEATURE, LEVEL, "abc") == pytest.approx(EXPECTED, rel=1e-9)

    def test_incomplete_patients_do_not_count_for_the_median_r(self):
        feature = [*FEATURE, *[100.0] * 9, math.nan]
        level = [*LEVEL, *[-1] * 9, 1]
        assert one_against_rest(feature, level, "abc") == pytest.approx(EXPECTED, rel=1e-9)

    def test_order_of_patients_invariant(self):
        found = one_against_rest(FEATURE[::-1], LEVEL[::-1], "abc")
        assert found == pytest.approx(EXPECTED, rel=1e-9)

    def test_nothing_to_compare(self):
        single = one_against_rest([1, 2, 3, 4], [0, 1, 1, 1], "abc")
        assert all(map(math.isnan, single.values()))
        assert math.isnan(one_against_rest([2, 2, 2, 2], [0, 0, 1, 1], "ab")["a"])
        assert math.isnan(one_against_rest([], [], "a")["a"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measure(np.ones((3, 3))), r"array \(Z, Y, X\), found shape \(3, 3\)"),
        (lambda: radial_signature(np.ones(3)), r"array \(Y, X\), found shape \(3,\)"),
        (lambda: one_against_rest([1, 2], [0], "a"), r"one length, found shapes \(2,\) and \(1,\)"),
    ],
)
def test_unusable_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
