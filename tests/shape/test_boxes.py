"""Fractal dimension and lacunarity.

The dimensions of the fractals are those of Falconer, Fractal geometry, 2014: log 4 / log 3 for the
curve of Koch, log 20 / log 3 for the sponge of Menger.
"""

import math

import numpy as np
import pytest
from skimage.draw import polygon

from lggshape.shape.boxes import choose_boxes, fractal_dimension, lacunarity, outline_counts

PIXELS, VOXELS = (1.0, 1.0), (1.0, 1.0, 1.0)
RADII = (10, 15, 20, 40, 80)


def lobulated(radius, *, depth=0.2, lobes=7, spacing=PIXELS):
    reaches = [int(radius * (1 + depth) / step) + 2 for step in spacing]
    y, x = (np.arange(-n, n + 1) * step for n, step in zip(reaches, spacing, strict=True))
    angle = np.arctan2(y[:, None], x)
    return np.hypot(y[:, None], x) <= radius * (1 + depth * np.cos(lobes * angle))


def disc(radius):
    return lobulated(radius, depth=0)


def ball(radius, *, spacing=VOXELS):
    reaches = [int(radius / step) + 1 for step in spacing]
    z, y, x = (np.arange(-n, n + 1) * step for n, step in zip(reaches, spacing, strict=True))
    return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= radius**2


def snowflake(side, order=5):
    """The island of Koch: an equilateral triangle with smaller ones on its sides."""
    corners = np.array([0, 1, 0.5 + 0.5j * math.sqrt(3), 0]) * side
    for _ in range(order):
        thirds = np.diff(corners) / 3
        starts = corners[:-1]
        tips = starts + thirds + thirds * np.exp(-1j * math.pi / 3)
        corners = np.column_stack([starts, starts + thirds, tips, starts + 2 * thirds]).ravel()
        corners = np.append(corners, 0)
    rows, columns = corners.imag - corners.imag.min() + 1, corners.real + side / 10
    mask = np.zeros((int(1.2 * side), int(1.2 * side)), dtype=bool)
    mask[polygon(rows, columns)] = True
    return mask


def menger(order):
    piece = np.ones((3, 3, 3), dtype=bool)
    piece[1, 1, :] = piece[1, :, 1] = piece[:, 1, 1] = False
    sponge = np.ones((1, 1, 1), dtype=bool)
    for _ in range(order):
        sponge = np.kron(sponge, piece)
    return sponge


def blob(seed, shape):
    """A ragged mask without symmetry."""
    generator = np.random.default_rng(seed)
    places = np.stack(np.indices(shape), axis=-1) - np.array(shape) / 2.3
    noise = generator.normal(0, 0.15, shape)
    return np.linalg.norm(places / np.array(shape), axis=-1) + noise < 0.35


def dimension(mask, spacing=None):
    return fractal_dimension(mask, spacing=spacing or (1.0,) * mask.ndim)


def brute_counts(mask, size):
    """The boxes of n + 1 voxels a side with voxels inside and outside, at all places."""
    padded = np.pad(mask, [(n, n) for n in size])
    windows = np.lib.stride_tricks.sliding_window_view(padded, [n + 1 for n in size])
    axes = tuple(range(mask.ndim, 2 * mask.ndim))
    return (windows.any(axis=axes) & ~windows.all(axis=axes)).sum() / math.prod(size)


def brute_masses(mask, size):
    """The pixels inside at each place of a box that lies across the mask."""
    padded = np.pad(mask, [(n, n) for n in size])
    return np.lib.stride_tricks.sliding_window_view(padded, size).sum(axis=(2, 3)).astype(float)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((23, 31), [(1, 1), (3, 2), (5, 7)]),
        ((5, 4), [(1, 1), (8, 9)]),
        ((9, 14, 11), [(1, 2, 2), (2, 5, 4), (4, 9, 7)]),
        ((1, 6, 6), [(1, 2, 2), (3, 3, 3)]),
    ],
)
def test_counts_every_place_of_every_box_oracle(shape, sizes):
    mask = blob(4, shape) if 1 not in shape else np.ones(shape, dtype=bool)
    expected = [brute_counts(mask, size) for size in sizes]
    assert outline_counts(mask, sizes) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("side", [1, 2, 5, 10, 20])
def test_counts_square_and_cube_analytic(side):
    # Boxes of side s have their first corner in a ring, or shell, 2 s wide.
    square, cube = np.ones((20, 20), dtype=bool), np.ones((20, 20, 20), dtype=bool)
    ring = ((20 + side) ** 2 - (20 - side) ** 2) / side**2
    shell = ((20 + side) ** 3 - (20 - side) ** 3) / side**3
    assert outline_counts(square, [(side, side)]) == [ring]
    assert outline_counts(cube, [(side,) * 3]) == [shell]


def test_dimension_contour_of_a_filled_square_analytic():
    for side in (8, 20, 40, 160):
        assert dimension(np.ones((side, side), dtype=bool)) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("side", "tolerance"), [(81, 0.05), (162, 0.02)])
def test_dimension_curve_of_koch_analytic(side, tolerance):
    expected = math.log(4) / math.log(3)
    assert dimension(snowflake(side)) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("radius", RADII)
def test_dimension_disc_analytic(radius):
    assert dimension(disc(radius)) == pytest.approx(1, abs=0.03 if radius < 15 else 0.01)


@pytest.mark.parametrize("radius", [10, 20, 40])
def test_dimension_sphere_analytic(radius):
    # Both sides of a closed surface together reach a little further than a plane does.
    assert dimension(ball(radius)) == pytest.approx(2, abs=0.02)


def test_dimension_sponge_of_menger_analytic():
    # The boxes overhang a set that fills space: those of the sizes in use by a quarter, those
    # of one and three voxels by little.
    expected = math.log(20) / math.log(3)
    sponge = menger(4)
    assert expected - 0.2 < dimension(sponge) < expected
    fine, coarse = outline_counts(sponge, [(1, 1, 1), (3, 3, 3)])
    assert math.log(fine / coarse) / math.log(3) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("radius", RADII)
def test_dimension_larger_lobulated_disc_invariant(radius):
    assert dimension(lobulated(radius)) == pytest.approx(1.06, abs=0.02)


@pytest.mark.parametrize("mask", [blob(1, (60, 44)), blob(2, (26, 34, 30))], ids=["2D", "3D"])
def test_dimension_translation_quarter_turns_and_mirrors_invariant(mask):
    expected = dimension(mask)
    assert not math.isnan(expected)
    moved = np.pad(mask, [(3, 8)] * mask.ndim)
    for other in (moved, np.rot90(mask), mask[::-1], mask[..., ::-1], mask.T):
        assert dimension(other) == pytest.approx(expected, rel=1e-12)


def test_dimension_size_of_voxels_invariant():
    mask = blob(2, (26, 34, 30))
    assert dimension(mask, (0.4, 0.4, 0.4)) == pytest.approx(dimension(mask), rel=1e-9)


def test_dimension_turn_by_any_angle_invariant():
    rows, columns = np.mgrid[-60:61, -60:61]
    for degrees in (10, 27, 45):
        along = np.exp(-1j * math.radians(degrees)) * (columns + 1j * rows)
        square = np.maximum(abs(along.real), abs(along.imag)) <= 40
        assert dimension(square) == pytest.approx(1, abs=0.035)


@pytest.mark.parametrize("spacing", [(2.0, 1.0), (1.0, 0.8), (0.5, 1.5)])
def test_dimension_oblong_pixels_invariant(spacing):
    flat = lobulated(40, spacing=spacing)
    assert dimension(flat, spacing) == pytest.approx(dimension(lobulated(40)), abs=0.02)


@pytest.mark.parametrize("spacing", [(2.0, 1.0, 1.0), (5.0, 1.0, 1.0), (6.5, 0.86, 0.86)])
def test_dimension_thick_slices_invariant(spacing):
    flat = ball(40, spacing=spacing)
    assert dimension(flat, spacing) == pytest.approx(dimension(ball(40)), abs=0.02)
    # Taken for cubes, the same voxels would be another shape.
    assert flat.shape[0] < flat.shape[1] / 1.9


def test_dimension_fewest_voxels_analytic():
    # A disc of 51 pixels is 8.06 across: a quarter of that is twice the size of a pixel.
    assert len(choose_boxes(np.ones((3, 17), dtype=bool), spacing=PIXELS)) == 2
    assert choose_boxes(np.ones((5, 10), dtype=bool), spacing=PIXELS) == []
    assert math.isnan(dimension(np.ones((5, 10), dtype=bool)))
    # Of a ball of 80 mm, slices may be 10 mm apart.
    for apart, missing in ((9.0, False), (11.0, True)):
        slices = ball(40, spacing=(apart, 2.0, 2.0))
        assert math.isnan(dimension(slices, (apart, 2.0, 2.0))) == missing


@pytest.mark.parametrize("mask", [blob(3, (50, 41)), lobulated(15), disc(12)])
def test_lacunarity_every_place_of_the_box_oracle(mask):
    size = choose_boxes(mask, spacing=PIXELS)[-1].steps
    masses = brute_masses(mask, size)
    reach = np.lib.stride_tricks.sliding_window_view(
        np.pad(mask, [(n, n) for n in size]), [n + 1 for n in size]
    ).any(axis=(2, 3))
    expected = reach.sum() * (masses**2).sum() / masses.sum() ** 2
    assert lacunarity(mask, spacing=PIXELS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("side", [20, 40, 160, 320])
def test_lacunarity_square_analytic(side):
    # Along an axis a box of side s meets a square of side a over the length a + s. It holds s
    # over the length a - s, and from 0 to s in two ramps.
    box = choose_boxes(np.ones((side, side), dtype=bool), spacing=PIXELS)[-1].steps[0]
    one = (side + box) * (side - box / 3) / side**2
    found = lacunarity(np.ones((side, side), dtype=bool), spacing=PIXELS)
    assert found == pytest.approx(one**2, rel=1 / box**2)


def test_lacunarity_of_uneven_gaps_is_larger_analytic():
    full = np.ones((60, 60), dtype=bool)
    uneven, even = full.copy(), full.copy()
    uneven[:, :30:2] = False
    even[:, 5::10] = even[:, 6::10] = False
    expected = lacunarity(full, spacing=PIXELS)
    assert lacunarity(even, spacing=PIXELS) == pytest.approx(expected, abs=0.06)
    assert lacunarity(uneven, spacing=PIXELS) > expected + 0.07


@pytest.mark.parametrize("radius", RADII)
def test_lacunarity_larger_lobulated_disc_invariant(radius):
    assert lacunarity(lobulated(radius), spacing=PIXELS) == pytest.approx(1.5, abs=0.035)


def test_lacunarity_translation_quarter_turns_and_mirrors_invariant():
    mask = blob(1, (60, 44))
    expected = lacunarity(mask, spacing=PIXELS)
    for other in (np.pad(mask, [(3, 8)] * 2), np.rot90(mask), mask[::-1], mask[:, ::-1]):
        assert lacunarity(other, spacing=PIXELS) == pytest.approx(expected, rel=1e-12)


def test_lacunarity_size_and_shape_of_pixels_invariant():
    expected = lacunarity(lobulated(40), spacing=PIXELS)
    assert lacunarity(lobulated(40), spacing=(0.7, 0.7)) == pytest.approx(expected, rel=1e-9)
    flat = lobulated(40, spacing=(2.0, 1.0))
    assert lacunarity(flat, spacing=(2.0, 1.0)) == pytest.approx(expected, abs=0.03)


def test_lacunarity_too_small_is_missing():
    assert math.isnan(lacunarity(np.ones((5, 10), dtype=bool), spacing=PIXELS))
