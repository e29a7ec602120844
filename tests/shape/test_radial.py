import itertools
import math

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.shape.radial import (
    BINS,
    Contour,
    angular_standard_deviation,
    largest_part,
    margin_fluctuation,
    offset_averaged_angular_standard_deviation,
    trace_contour,
    window_length,
)


def disc(radius):
    reach = int(radius) + 1
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    return y**2 + x**2 <= radius**2


def lobulated(radius, *, depth=0.2, lobes=7):
    reach = int(radius * (1 + depth)) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.hypot(y, x) <= radius * (1 + depth * np.cos(lobes * np.arctan2(y, x)))


def blob(seed, *, size=24):
    """A connected mask with a ragged margin and no symmetry."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    middle, slope = generator.uniform(9, 14, 2), generator.uniform(-0.4, 0.4)
    distance = np.hypot((y - middle[0]) * 1.4 + slope * x, x - middle[1])
    return largest_part(distance + generator.normal(0, 1.2, (size, size)) < 8)


def arrow():
    """A mask that is the same upside down but not left to right; its centroid is on a row."""
    mask = np.zeros((11, 14), dtype=bool)
    mask[5, 1:13] = True
    mask[3:8, 6:11] = True
    mask[1:10, 8] = True
    return mask


def symmetries(mask):
    """The eight symmetries of the square: turns, then mirrored turns."""
    return [np.rot90(m, turns) for m in (mask, mask[:, ::-1]) for turns in range(4)]


def ring(angles, distances):
    """A contour with its centroid at the origin, angles in degrees."""
    radians = np.radians(angles)
    points = np.column_stack([np.sin(radians), np.cos(radians)]) * np.asarray(distances)[:, None]
    return Contour(points, np.zeros(2))


BLOBS = [*(blob(seed) for seed in range(6)), arrow(), lobulated(20)]


class TraceContourTests:
    def test_one_pixel_analytic(self):
        contour = trace_contour(np.pad(np.ones((1, 1), dtype=bool), ((3, 0), (0, 2))))
        assert set(map(tuple, contour.points)) == {(2.5, 0), (3.5, 0), (3, -0.5), (3, 0.5)}
        assert contour.centroid.tolist() == [3, 0]

    def test_a_diagonal_joins_two_pixels_analytic(self):
        contour = trace_contour(np.eye(2, dtype=bool))
        assert len(contour.points) == 8
        assert contour.centroid.tolist() == [0.5, 0.5]

    def test_no_point_is_doubled_analytic(self):
        for mask in BLOBS:
            points = trace_contour(mask).points
            assert len(np.unique(points, axis=0)) == len(points)
            steps = np.hypot(*(points - np.roll(points, 1, axis=0)).T)
            assert steps.max() <= 1

    def test_ring_has_an_even_number_of_points_analytic(self):
        assert {len(trace_contour(mask).points) % 2 for mask in BLOBS} == {0}

    def test_hole_counts_as_inside_analytic(self):
        full = np.ones((5, 6), dtype=bool)
        holed = full.copy()
        holed[2, 2] = False
        for one, other in zip(trace_contour(full), trace_contour(holed), strict=True):
            assert np.array_equal(one, other)

    def test_only_the_largest_part_counts_analytic(self):
        mask = np.zeros((9, 12), dtype=bool)
        mask[1:5, 1:6] = True
        alone = trace_contour(mask)
        mask[7, 8:11] = True
        assert np.array_equal(trace_contour(mask).points, alone.points)
        assert np.array_equal(trace_contour(mask).centroid, alone.centroid)

    def test_first_of_two_largest_parts_counts_analytic(self):
        mask = np.array([[0, 0, 0, 1], [1, 0, 0, 0]], dtype=bool)
        assert trace_contour(mask).centroid.tolist() == [0, 3]

    def test_mask_may_touch_the_border_invariant(self):
        mask = lobulated(8)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        shift = [rows[0], columns[0]]
        assert np.array_equal(trace_contour(cut).points + shift, trace_contour(mask).points)

    def test_spacing_scales_the_offsets_analytic(self):
        contour = trace_contour(np.ones((1, 1), dtype=bool), spacing=(1.0, 2.0))
        assert sorted(contour.distances()) == pytest.approx([2 / 3, 2 / 3, 4 / 3, 4 / 3])
        assert sorted(contour.angles()) == [-90, 0, 90, 180]

    def test_empty_slice_is_refused(self):
        with pytest.raises(InputError, match="at least one pixel"):
            trace_contour(np.zeros((3, 3), dtype=bool))


class AngularStandardDeviationTests:
    def test_two_distances_a_bin_analytic(self):
        # 0.9 and 1.1 in every bin: mean 1, population standard deviation 0.1 in each.
        angles = np.arange(-180, 180, 18) + 9.0
        contour = ring(angles, np.tile([0.9, 1.1], 10))
        assert angular_standard_deviation(contour) == (pytest.approx(0.1, abs=1e-15), 0)

    def test_differences_between_bins_do_not_count_analytic(self):
        angles = np.arange(-180, 180, 18) + 9.0
        contour = ring(angles, np.repeat(np.linspace(1, 2, 10), 2))
        assert angular_standard_deviation(contour).value == pytest.approx(0, abs=1e-15)

    def test_empty_bins_are_left_out_and_counted_analytic(self):
        contour = ring([10, 20, 40, 50, 60], [0.9, 1.1, 0.8, 1.2, 1.0])
        expected = (0.1 + math.sqrt(0.08 / 3)) / 2
        assert angular_standard_deviation(contour) == (pytest.approx(expected), 8)

    def test_point_on_an_edge_counts_half_in_both_bins_analytic(self):
        # The mean is 1. Each of the two bins holds 0.8 and half of 1.4.
        contour = ring([0, 10, -10], [1.4, 0.8, 0.8])
        mean = (0.8 + 0.5 * 1.4) / 1.5
        variance = ((0.8 - mean) ** 2 + 0.5 * (1.4 - mean) ** 2) / 1.5
        assert angular_standard_deviation(contour) == (pytest.approx(math.sqrt(variance)), 8)

    def test_offset_moves_the_bins_analytic(self):
        contour = ring([10, 30, -100, -105], [0.9, 1.1, 1.0, 1.0])
        assert angular_standard_deviation(contour).value == pytest.approx(0.05)
        assert angular_standard_deviation(contour, offset=18).value == pytest.approx(0)

    @pytest.mark.parametrize("offset", [36, -36, 360, 3600])
    def test_whole_bins_of_offset_change_nothing_invariant(self, offset):
        for mask in BLOBS:
            contour = trace_contour(mask)
            moved = angular_standard_deviation(contour, offset=offset)
            assert moved == pytest.approx(angular_standard_deviation(contour), rel=1e-12)

    @pytest.mark.parametrize("mask", BLOBS)
    def test_translation_half_turn_and_mirrors_invariant(self, mask):
        expected = angular_standard_deviation(trace_contour(mask))
        same = [mask[::-1, ::-1], mask[::-1], mask[:, ::-1], np.pad(mask, ((7, 1), (12, 3)))]
        for other in same:
            found = angular_standard_deviation(trace_contour(other))
            assert found == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("offset", [0, 18])
    def test_points_on_edges_do_not_break_mirrors_invariant(self, offset):
        # The arrow has its tip at 180 degrees, and turned at 90, so points do lie on edges.
        for mask in (arrow(), arrow().T):
            angles = trace_contour(mask).angles()
            if not np.any(np.isin(angles, [0, 180] if offset == 0 else [90, -90])):
                continue
            values = [
                angular_standard_deviation(trace_contour(other), offset=offset).value
                for other in (mask, mask[::-1], mask[:, ::-1], mask[::-1, ::-1])
            ]
            assert values == pytest.approx([values[0]] * 4, rel=1e-12)
            break
        else:
            pytest.fail("no point on an edge")

    @pytest.mark.parametrize("mask", BLOBS)
    def test_starting_point_invariant(self, mask):
        contour = trace_contour(mask)
        expected = angular_standard_deviation(contour)
        for start in (1, 5, len(contour.points) // 2):
            rolled = contour._replace(points=np.roll(contour.points, start, axis=0))
            assert angular_standard_deviation(rolled) == pytest.approx(expected, rel=1e-12)

    def test_quarter_turn_is_an_offset_of_18_degrees_analytic(self):
        for mask in BLOBS:
            turned = angular_standard_deviation(trace_contour(np.rot90(mask)))
            shifted = angular_standard_deviation(trace_contour(mask), offset=18)
            assert turned == pytest.approx(shifted, rel=1e-12)
        assert turned.value != pytest.approx(angular_standard_deviation(trace_contour(mask)).value)

    @pytest.mark.parametrize("mask", BLOBS)
    def test_offset_average_symmetries_of_the_square_invariant(self, mask):
        values = [
            offset_averaged_angular_standard_deviation(trace_contour(other))
            for other in symmetries(mask)
        ]
        assert values == pytest.approx([values[0]] * 8, rel=1e-12)

    def test_offset_average_is_the_mean_of_both_analytic(self):
        contour = trace_contour(BLOBS[0])
        both = [angular_standard_deviation(contour, offset=offset).value for offset in (0, 18)]
        assert offset_averaged_angular_standard_deviation(contour) == pytest.approx(sum(both) / 2)

    @pytest.mark.parametrize("points", [[[0, 1]], [[0, 1], [0, -1], [0, 1]]])
    def test_fewer_than_three_points_are_missing(self, points):
        contour = Contour(np.array(points, dtype=float), np.zeros(2))
        deviation = angular_standard_deviation(contour)
        assert math.isnan(deviation.value)
        assert deviation.empty_bins == BINS
        assert math.isnan(offset_averaged_angular_standard_deviation(contour))
        assert math.isnan(margin_fluctuation(contour))

    def test_size_of_pixels_does_not_matter_invariant(self):
        mask = BLOBS[1]
        expected = angular_standard_deviation(trace_contour(mask))
        scaled = trace_contour(mask, spacing=(0.4, 0.4))
        assert angular_standard_deviation(scaled) == pytest.approx(expected, rel=1e-12)

    def test_shape_of_pixels_does_matter_invariant(self):
        # Pixels twice as high as wide on half the rows are the same shape as square ones: the
        # contours differ only in how finely they are sampled.
        y, x = np.mgrid[-60:60, -120:120] + 0.5
        square = angular_standard_deviation(trace_contour((y / 50) ** 2 + (x / 100) ** 2 <= 1))
        flat = trace_contour((y / 50) ** 2 + (x / 50) ** 2 <= 1, spacing=(1, 2))
        assert angular_standard_deviation(flat).value == pytest.approx(square.value, rel=0.05)


class MarginFluctuationTests:
    @pytest.mark.parametrize(("points", "waves"), [(90, 1), (90, 4), (200, 3), (200, 17)])
    def test_waves_analytic(self, points, waves):
        # A moving average over w points multiplies a wave of k periods over n points by the
        # Dirichlet kernel; an even window also shifts it by half a point.
        turn = np.arange(points) * 2 * np.pi / points
        contour = ring(np.degrees(turn), 1 + 0.2 * np.cos(waves * turn))
        window = points // 10
        half = np.pi * waves / points
        gain = np.sin(window * half) / (window * np.sin(half))
        if window % 2 == 0:
            gain = gain * np.exp(1j * half)
        expected = 0.2 / np.sqrt(2) * abs(1 - gain)
        assert margin_fluctuation(contour) == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("mask", BLOBS)
    def test_symmetries_of_the_square_invariant(self, mask):
        values = [margin_fluctuation(trace_contour(other)) for other in symmetries(mask)]
        assert values == pytest.approx([values[0]] * 8, rel=1e-12)

    def test_even_windows_are_among_the_masks_tested(self):
        assert any(window_length(len(trace_contour(mask).points)) % 2 == 0 for mask in BLOBS)

    def test_translation_and_starting_point_invariant(self):
        contour = trace_contour(BLOBS[2])
        expected = margin_fluctuation(contour)
        moved = trace_contour(np.pad(BLOBS[2], ((5, 0), (9, 2))))
        rolled = contour._replace(points=np.roll(contour.points, 13, axis=0))
        assert margin_fluctuation(moved) == pytest.approx(expected, rel=1e-12)
        assert margin_fluctuation(rolled) == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize(("radius", "floor"), [(5, 0.050), (20, 0.012), (50, 0.005)])
    def test_floor_of_the_pixel_grid_regression(self, radius, floor):
        # A disc has no margin fluctuation; what is found is the staircase of its pixels.
        assert margin_fluctuation(trace_contour(disc(radius))) == pytest.approx(floor, abs=5e-4)

    def test_larger_lobulated_disc_invariant(self):
        small, large = (trace_contour(lobulated(radius)) for radius in (20, 80))
        assert margin_fluctuation(small) > 0.07
        assert margin_fluctuation(large) == pytest.approx(margin_fluctuation(small), rel=0.05)
        assert angular_standard_deviation(large).value == pytest.approx(
            angular_standard_deviation(small).value, rel=0.05
        )

    def test_rules_differ_analytic(self):
        contour = trace_contour(lobulated(20))
        rules = ("round", "up", "down", "odd")
        lengths = [window_length(len(contour.points), rule) for rule in rules]
        values = [margin_fluctuation(contour, window=rule) for rule in rules]
        for one, other in itertools.combinations(range(4), 2):
            assert (lengths[one] == lengths[other]) == (values[one] == values[other])
        assert len(set(lengths)) > 1

    @pytest.mark.parametrize(
        ("points", "rounded", "up", "down", "odd"),
        [(4, 1, 1, 1, 1), (20, 2, 2, 2, 3), (34, 3, 4, 3, 3), (46, 5, 5, 4, 5), (84, 8, 9, 8, 9)],
    )
    def test_window_length_analytic(self, points, rounded, up, down, odd):
        found = [window_length(points, rule) for rule in ("round", "up", "down", "odd")]
        assert found == [rounded, up, down, odd]
