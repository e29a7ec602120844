import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.optimize import brentq
from scipy.stats import ncx2, norm

from lggshape.errors import InputError
from lggshape.studies.buda2019.analyses.perturbation import (
    dilate,
    draw_mask,
    erode,
    jitter,
    random_field,
    resample,
    smooth,
    thin,
)


def disc(radius, *, size=64, centre=None):
    y, x = np.mgrid[:size, :size] - ((size - 1) / 2 if centre is None else centre)
    return (y**2 + x**2 <= radius**2)[np.newaxis]


def square(side, *, size=20):
    mask = np.zeros((1, size, size), dtype=bool)
    start = (size - side) // 2
    mask[0, start : start + side, start : start + side] = True
    return mask


def blob(seed, shape=(5, 24, 28)):
    """A ragged mask without symmetry; its first slice is empty and it touches a border."""
    noise = np.random.default_rng(seed).normal(size=shape)
    mask = ndimage.gaussian_filter(noise, (1, 2, 2)) > 0.02
    mask[0] = False
    return mask


def rng():
    return np.random.default_rng(7)


def moved(mask, **options):
    return jitter(mask, amplitude=1.5, length=(1, 3), rng=rng(), **options)


CHANGES = {
    "erode": lambda mask: erode(mask, 2),
    "dilate": lambda mask: dilate(mask, 2),
    "smooth": lambda mask: smooth(mask, 1.5),
    "jitter": moved,
    "halve": lambda mask: resample(mask, 0.5),
    "enlarge": lambda mask: resample(mask, 1.6),
    "thin": lambda mask: thin(mask, 2),
    "thin by 1": lambda mask: thin(mask, 1),
    "erode by 0": lambda mask: erode(mask, 0),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_input_stays_as_it_is_and_is_not_shared_invariant(change):
    mask = blob(0)
    before = mask.copy()
    changed = change(mask)
    assert changed.dtype == bool
    changed[...] = ~changed
    assert np.array_equal(mask, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda mask: erode(mask, 0),
        lambda mask: dilate(mask, 0),
        lambda mask: smooth(mask, 0),
        lambda mask: jitter(mask, amplitude=0, length=(1, 4), rng=rng()),
        lambda mask: resample(mask, 1),
        lambda mask: thin(mask, 1),
    ],
)
@pytest.mark.parametrize("mask", [blob(1), np.ones((2, 5, 6), dtype=bool)])
def test_a_change_of_nothing_is_none_analytic(change, mask):
    assert np.array_equal(change(mask), mask)


@pytest.mark.parametrize("name", ["erode", "dilate", "smooth", "halve", "enlarge"])
@pytest.mark.parametrize("seed", range(4))
def test_mirrors_and_transposes_go_along_invariant(name, seed):
    change, mask = CHANGES[name], blob(seed)
    for view in (np.flip, np.fliplr, lambda a: a[..., ::-1], lambda a: a.transpose(0, 2, 1)):
        assert np.array_equal(change(view(mask)), view(change(mask)))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_nothing_comes_of_an_empty_mask_analytic(change):
    assert not change(np.zeros((3, 8, 8), dtype=bool)).any()


@pytest.mark.parametrize("name", ["erode", "dilate", "smooth", "jitter", "halve"])
def test_slices_do_not_mix_invariant(name):
    mask = np.zeros((3, 64, 64), dtype=bool)
    mask[1] = disc(12)
    assert CHANGES[name](mask).any(axis=(1, 2)).tolist() == [False, True, False]


class ErodeAndDilateTests:
    @pytest.mark.parametrize("pixels", [1, 2, 3])
    def test_square_analytic(self, pixels):
        assert np.array_equal(erode(square(12), pixels), square(12 - 2 * pixels))
        # Around the square come strips as long as its sides, and triangles at its corners.
        area = 12**2 + 4 * 12 * pixels + 2 * pixels * (pixels - 1)
        assert dilate(square(12), pixels).sum() == area

    @pytest.mark.parametrize("pixels", [1, 3, 6])
    def test_disc_analytic(self, pixels):
        # Steiner's formula: the mixed area of a disc and a diamond is its perimeter, 4 sqrt(2) p,
        # times the radius.
        radius = 40
        expected = math.pi * radius**2 + 4 * math.sqrt(2) * pixels * radius + 2 * pixels**2
        found = dilate(disc(radius, size=128), pixels).sum()
        assert found == pytest.approx(expected, rel=0.005)

    @pytest.mark.parametrize("pixels", [1, 2])
    def test_eroding_is_dilating_the_outside_invariant(self, pixels):
        mask = np.pad(blob(2), ((0, 0), (4, 4), (4, 4)))
        inner = (slice(None), slice(4, -4), slice(4, -4))
        assert np.array_equal(erode(mask, pixels)[inner], ~dilate(~mask, pixels)[inner])

    def test_beyond_the_array_is_outside_analytic(self):
        assert erode(np.ones((1, 5, 6), dtype=bool)).sum() == 3 * 4


class SmoothTests:
    @pytest.mark.parametrize(("radius", "sigma"), [(40, 3), (40, 8), (12, 6)])
    def test_disc_shrinks_analytic(self, radius, sigma):
        # The blurred disc is the probability that a Gaussian displacement ends in it; the new
        # radius is where that is one half.
        shrunk = brentq(
            lambda r: ncx2.cdf((radius / sigma) ** 2, 2, (r / sigma) ** 2) - 0.5, 1e-6, radius
        )
        found = smooth(disc(radius, size=128), sigma).sum()
        assert shrunk < radius - 0.1
        assert found == pytest.approx(math.pi * shrunk**2, rel=0.01)

    def test_straight_outline_stays_analytic(self):
        mask = np.zeros((1, 9, 40), dtype=bool)
        mask[..., :20] = True
        assert np.array_equal(smooth(mask, 2)[:, 4], mask[:, 4])

    @pytest.mark.parametrize(("sigma", "stays"), [(0.6, True), (0.9, False)])
    def test_line_goes_where_the_blur_spreads_it_analytic(self, sigma, stays):
        # A Gaussian has its weight within half a pixel down to one half at a sigma of 0.74.
        line = np.zeros((1, 41, 9), dtype=bool)
        line[..., 4] = True
        assert smooth(line, sigma)[0, 20].any() == stays


class JitterTests:
    def test_constant_field_moves_a_disc_evenly_analytic(self):
        # So long a field is constant in a slice; with no length across, every slice has its own.
        mask = np.repeat(disc(30, size=100), 12, axis=0)
        options = {"length": (0, 1e6)}
        shifts = 3 * random_field(mask.shape, **options, rng=rng())[:, 0, 0]
        found = jitter(mask, amplitude=3, **options, rng=rng()).sum(axis=(1, 2))
        assert np.ptp(shifts) > 4
        # The nearest point of the outline lies a little off the shortest way to the circle.
        assert np.sqrt(found / math.pi) == pytest.approx(30 - shifts, abs=0.35)

    def test_probability_to_be_inside_analytic(self):
        # A strip of 30 columns: the centre of a pixel is inside if the field there, times the
        # amplitude, is less than its depth below the nearer edge.
        mask = np.zeros((300, 60, 50), dtype=bool)
        mask[..., 10:40] = True
        found = jitter(mask, amplitude=2, length=(0, 2), rng=rng())[:, 15:-15].mean(axis=(0, 1))
        columns = np.arange(50)
        depth = np.minimum(columns - 9.5, 39.5 - columns)
        assert found == pytest.approx(norm.cdf(depth / 2), abs=0.03)

    def test_straight_outline_is_half_a_pixel_from_the_pixels_analytic(self):
        mask = np.zeros((60, 60, 60), dtype=bool)
        mask[:, 1:-1, 20:40] = True
        options = {"length": (0, 1e6)}
        shifts = 2 * random_field(mask.shape, **options, rng=rng())[:, 0, 0]
        widths = jitter(mask, amplitude=2, **options, rng=rng())[:, 30].sum(axis=1)
        assert np.array_equal(widths, 20 - 2 * np.round(shifts))

    def test_slices_without_tumour_stay_without(self):
        mask = blob(3)
        filled = mask.any(axis=(1, 2))
        assert not filled.all()
        assert not jitter(mask, amplitude=20, length=(1, 5), rng=rng())[~filled].any()

    def test_masks_are_moved_alike_invariant(self):
        mask = blob(4)
        smaller = mask & (np.arange(28) < 20)
        assert np.array_equal(moved(mask), moved(mask))
        assert not np.array_equal(moved(mask), mask)
        assert not np.any(moved(smaller) & ~moved(mask))

    def test_full_slice_has_its_outline_at_the_border_analytic(self):
        mask = np.ones((40, 9, 9), dtype=bool)
        areas = jitter(mask, amplitude=1.5, length=(0, 1e6), rng=rng()).sum(axis=(1, 2))
        assert set(areas) <= {81, 49, 25, 9, 1, 0}
        assert len(set(areas)) > 2


class Impulse:
    """Gives white noise that is 1 in one place and 0 elsewhere."""

    def __init__(self, place):
        self.place = place

    def standard_normal(self, shape, dtype):
        noise = np.zeros(shape, dtype)
        if self.place < noise.size:  # a smooth field takes fewer numbers
            noise.flat[self.place] = 1
        return noise


class RandomFieldTests:
    shape = (3, 17, 17)

    def covariance(self, length):
        """Of all voxels: the sum over places of noise of the products of what each does."""
        size = math.prod(self.shape)
        responses = np.array(
            [
                random_field(self.shape, length=length, rng=Impulse(place)).ravel()
                for place in range(size)
            ]
        )
        return (responses.T @ responses).reshape(*self.shape, *self.shape)

    @pytest.mark.parametrize("length", [(0, 0), (0, 2), (0.8, 0.7), (1, 3), (50, 200)])
    def test_every_voxel_has_variance_1_analytic(self, length):
        size = math.prod(self.shape)
        variances = self.covariance(length).reshape(size, size).diagonal()
        assert variances == pytest.approx(np.ones(size), abs=1e-5)

    @pytest.mark.parametrize("sigma", [1.0, 1.3, 1.6])
    def test_correlation_in_the_middle_analytic(self, sigma):
        middle = self.covariance((0, sigma))[1, 8, 8]
        assert not middle[[0, 2]].any()
        y, x = np.mgrid[-4:5, -4:5]
        expected = np.exp(-(y**2 + x**2) / (2 * sigma) ** 2)
        assert middle[1, 4:13, 4:13] == pytest.approx(expected, abs=0.01)

    def test_opposite_borders_are_independent_analytic(self):
        assert self.covariance((0, 1))[1, 8, 0, 1, 8, -1] < 1e-6

    def test_across_and_in_the_plane_analytic(self):
        covariance = self.covariance((1.0, 2.0))[1, 5, 8]
        plane = self.covariance((0, 2.0))[1, 5, 8, 1]
        slices = self.covariance((1.0, 0))[1, 5, 8, :, 5, 8]
        assert covariance == pytest.approx(slices[:, None, None] * plane, abs=1e-6)

    def test_values_simulated(self):
        fields = np.array(
            [random_field((4, 6, 6), length=(1, 2), rng=r) for r in rng().spawn(4000)]
        )
        # Five standard errors of a mean, and of a variance, of so many draws.
        assert np.abs(fields.mean(axis=0)).max() < 5 / math.sqrt(4000)
        assert np.abs(fields.var(axis=0) - 1).max() < 5 * math.sqrt(2 / 4000)
        assert np.mean(fields[:, [0, 2], [0, 3], [0, 3]] < 1) == pytest.approx(0.8413, abs=0.02)

    def test_without_length_it_is_the_noise_itself_analytic(self):
        noise = rng().standard_normal(self.shape, dtype=np.float32)
        assert np.array_equal(random_field(self.shape, length=(0, 0), rng=rng()), noise)


class DrawMaskTests:
    def test_share_of_draws_is_the_probability_analytic(self):
        chances = np.linspace(0, 1, 64).reshape(1, 8, 8)
        draws = [
            draw_mask(chances, random_field(chances.shape, length=(0, 2), rng=r))
            for r in rng().spawn(5000)
        ]
        share = np.mean(draws, axis=0)
        assert np.abs(share - chances).max() < 5 * 0.5 / math.sqrt(5000)
        assert share[0, 0, 0] == 0
        assert share[0, -1, -1] == 1

    def test_neighbours_agree_analytic(self):
        # Sheppard: two normals of correlation r are both below 0 with 1 / 4 + arcsin(r) / (2 pi).
        field = random_field((60, 100, 100), length=(0, 2), rng=rng())
        inside = draw_mask(np.full(field.shape, 0.5), field)[:, 12:-12, 12:-12]
        for distance in (1, 3, 20):
            both = np.mean(inside[..., distance:] & inside[..., :-distance])
            correlation = math.exp(-((distance / 4) ** 2))
            expected = 0.25 + math.asin(correlation) / (2 * math.pi)
            assert both == pytest.approx(expected, abs=0.01)

    def test_higher_probability_holds_the_lower_one_invariant(self):
        field = random_field((2, 20, 20), length=(1, 2), rng=rng())
        chances = np.random.default_rng(1).random(field.shape)
        assert not np.any(draw_mask(chances * 0.7, field) & ~draw_mask(chances, field))


class ResampleTests:
    def test_half_of_four_is_inside_analytic(self):
        blocks = [[1, 0, 1, 1, 0, 1], [0, 0, 0, 0, 1, 0], [1, 1, 1, 1, 0, 0], [1, 0, 1, 1, 0, 0]]
        expected = [[False, True, True], [True, True, False]]
        assert resample([blocks], 0.5)[0].tolist() == expected

    @pytest.mark.parametrize("factor", [1.5, 2, 3.25, 4])
    def test_enlarging_is_linear_interpolation_scipy(self, factor):
        mask = blob(5)
        interpolated = ndimage.zoom(
            mask.astype(float), (1, factor, factor), order=1, grid_mode=True, mode="grid-constant"
        )
        assert np.array_equal(resample(mask, factor), interpolated >= 0.5 - 1e-9)

    @pytest.mark.parametrize("factor", [0.25, 0.5, 0.7, 1.5, 2])
    def test_area_of_a_disc_analytic(self, factor):
        found = resample(disc(100, size=256, centre=121.3), factor).sum()
        assert found == pytest.approx(math.pi * 100**2 * factor**2, rel=0.01)

    @pytest.mark.parametrize("seed", range(4))
    def test_whole_pixels_come_back_invariant(self, seed):
        mask = blob(seed)
        assert np.array_equal(resample(np.kron(mask, np.ones((1, 2, 2), dtype=bool)), 0.5), mask)

    def test_sides_are_rounded(self):
        assert resample(np.ones((2, 5, 9), dtype=bool), 0.3).shape == (2, 2, 3)


class ThinTests:
    @pytest.mark.parametrize("step", [1, 2, 3, 9])
    def test_keeps_the_largest_slice_analytic(self, step):
        mask = np.zeros((8, 3, 3), dtype=bool)
        for number, area in enumerate([0, 2, 3, 5, 9, 9, 1, 0]):
            mask[number].flat[:area] = True
        kept = [number for number in range(8) if number % step == 4 % step]
        assert np.array_equal(thin(mask, step), mask[kept])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: erode(np.ones((3, 3))),
            r"the mask to be an array \(Z, Y, X\), found shape \(3, 3",
        ),
        (lambda: dilate(square(3), -1), "`pixels` to be at least 0, found -1"),
        (lambda: smooth(square(3), -1), "`sigma` to be a number from 0 upwards, found -1"),
        (lambda: smooth(square(3), math.nan), "`sigma` to be a number from 0 upwards, found nan"),
        (
            lambda: jitter(square(3), amplitude=math.inf, length=(1, 1), rng=rng()),
            "`amplitude` to be a number from 0 upwards, found inf",
        ),
        (
            lambda: random_field((2, 2, 2), length=(1, -2), rng=rng()),
            "`length` to be a number from 0 upwards, found -2",
        ),
        (
            lambda: random_field((2, 0, 2), length=(1, 1), rng=rng()),
            r"three positive numbers \(Z, Y, X\), found \(2, 0, 2\)",
        ),
        (lambda: draw_mask([[[0.5]]], [[[0.0, 1.0]]]), r"found \(1, 1, 1\) and \(1, 1, 2\)"),
        (lambda: draw_mask([[[math.nan]]], [[[0.0]]]), "from 0 to 1"),
        (lambda: draw_mask([[[1.1]]], [[[0.0]]]), "from 0 to 1"),
        (lambda: resample(square(3), 0.01), "leave a pixel of 20 x 20, found 0.01"),
        (lambda: resample(square(3), math.nan), "leave a pixel of 20 x 20, found nan"),
        (lambda: thin(square(3), 0), "`step` to be at least 1, found 0"),
    ],
)
def test_unusable_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
