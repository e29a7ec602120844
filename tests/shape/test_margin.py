import math

import numpy as np
import pytest

from lggshape.shape.margin import convexity, smooth_contour, solidity, total_curvature
from lggshape.shape.radial import Contour, largest_part, trace_contour

RADII = (10, 15, 20, 40, 80)
SCALES = (0.01, 0.02, 0.04)


def lobulated(radius, *, depth=0.2, lobes=7, spacing=(1.0, 1.0)):
    reaches = [int(radius * (1 + depth) / step) + 2 for step in spacing]
    y, x = (np.arange(-n, n + 1) * step for n, step in zip(reaches, spacing, strict=True))
    angle = np.arctan2(y[:, None], x)
    return np.hypot(y[:, None], x) <= radius * (1 + depth * np.cos(lobes * angle))


def disc(radius):
    return lobulated(radius, depth=0)


def blob(seed):
    """A ragged mask without symmetry."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:40, :50] - np.array([18.0, 22.0])[:, None, None]
    return largest_part(np.hypot(1.3 * y, x + 0.2 * y) + generator.normal(0, 2, (40, 50)) < 14)


def curve(radii, *, points=4000):
    """A closed curve with a radius for each angle."""
    angles = np.arange(points) * 2 * math.pi / points
    radii = radii(angles)
    return Contour(np.column_stack([radii * np.sin(angles), radii * np.cos(angles)]), np.zeros(2))


def rose(depth=0.2, lobes=7):
    return curve(lambda angle: 30 * (1 + depth * np.cos(lobes * angle)))


def symmetries(mask):
    """The eight symmetries of the square, moved."""
    turned = [np.rot90(m, turns) for m in (mask, mask[:, ::-1]) for turns in range(4)]
    return [np.pad(one, ((2, 5), (7, 1))) for one in turned]


def measures(contour):
    return [
        solidity(contour),
        convexity(contour),
        *(total_curvature(contour, scale=s) for s in SCALES),
    ]


@pytest.mark.parametrize("mask", [blob(1), blob(2), lobulated(15), np.ones((1, 7), dtype=bool)])
def test_symmetries_of_the_square_invariant(mask):
    expected = measures(trace_contour(mask))
    for other in symmetries(mask):
        assert measures(trace_contour(other)) == pytest.approx(expected, rel=1e-9)


def test_starting_point_and_size_of_pixels_invariant():
    contour = trace_contour(blob(1))
    expected = measures(contour)
    rolled = contour._replace(points=np.roll(contour.points, 13, axis=0))
    assert measures(rolled) == pytest.approx(expected, rel=1e-9)
    assert measures(contour._replace(spacing=(0.4, 0.4))) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("spacing", [(2.0, 1.0), (1.0, 0.7)])
def test_oblong_pixels_invariant(spacing):
    flat = trace_contour(lobulated(40, spacing=spacing), spacing=spacing)
    expected = measures(trace_contour(lobulated(40)))
    assert measures(flat) == pytest.approx(expected, rel=0.02)


def test_one_pixel_is_convex_analytic():
    contour = trace_contour(np.ones((1, 1), dtype=bool))
    assert measures(contour) == pytest.approx([1] * 5)


def test_solidity_polygon_analytic():
    # An L of three squares; its hull lacks half a square of the fourth.
    corners = [(0, 0), (0, 2), (1, 2), (1, 1), (2, 1), (2, 0)]
    contour = Contour(np.array(corners, dtype=float), np.zeros(2))
    assert solidity(contour) == pytest.approx(3 / 3.5)


def test_solidity_convex_polygons_of_pixels_analytic():
    rows, columns = np.mgrid[-12:13, -12:13]
    for mask in (np.ones((9, 4), dtype=bool), abs(rows) + abs(columns) <= 11):
        assert solidity(trace_contour(mask)) == pytest.approx(1)


@pytest.mark.parametrize(("radius", "floor"), [(10, 0.952), (20, 0.975), (40, 0.987), (80, 0.992)])
def test_solidity_floor_of_the_pixel_grid_regression(radius, floor):
    # A disc has a solidity of 1; what is missing is the staircase of its pixels.
    assert solidity(trace_contour(disc(radius))) == pytest.approx(floor, abs=1e-3)


@pytest.mark.parametrize("radius", RADII)
def test_solidity_larger_lobulated_disc_analytic(radius):
    assert solidity(trace_contour(lobulated(radius))) == pytest.approx(solidity(rose()), abs=0.02)


def test_convexity_convex_shapes_analytic():
    rows, columns = np.mgrid[-40:41, -40:41]
    turned = np.exp(0.6j) * (columns + 1j * rows)
    oblique = np.maximum(abs(turned.real), abs(turned.imag)) <= 25
    for mask in (np.ones((30, 50), dtype=bool), disc(30), oblique):
        assert convexity(trace_contour(mask)) == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("radius", RADII)
def test_convexity_larger_lobulated_disc_analytic(radius):
    found = convexity(trace_contour(lobulated(radius)))
    assert found == pytest.approx(convexity(rose()), abs=0.01)


def test_convexity_smoothing_hides_little_analytic():
    # The hull of the rose, and its own length, without smoothing.
    points = rose().points @ [1j, 1]
    length = abs(points - np.roll(points, 1)).sum()
    angles = np.exp(1j * np.arange(720) * math.pi / 360)
    # The length of the hull is the mean width in all directions, times pi (Cauchy).
    hull = 2 * math.pi * np.mean([(points * turn.conj()).real.max() for turn in angles])
    assert convexity(rose()) == pytest.approx(hull / length, abs=0.01)


@pytest.mark.parametrize("scale", SCALES)
def test_total_curvature_of_convex_shapes_analytic(scale):
    ellipse = Contour(rose(depth=0).points * (3, 1), np.zeros(2))
    rows, columns = np.mgrid[-20:21, -20:21]
    diamond = trace_contour(abs(rows) + abs(columns) <= 18)
    for contour in (ellipse, diamond, trace_contour(np.ones((30, 50), dtype=bool))):
        assert total_curvature(contour, scale=scale) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("depth", "lobes"), [(0.02, 9), (0.05, 6)])
def test_total_curvature_of_a_rippled_circle_analytic(scale, depth, lobes):
    # By arc length a small ripple of k periods on a circle has the harmonics 1 + k and 1 - k, with
    # the shares (1 - 1 / k) / 2 and (1 + 1 / k) / 2. The Gaussian damps each more than the circle.
    damping = [math.exp(-2 * (math.pi * scale) ** 2 * (n**2 - 1)) for n in (1 + lobes, 1 - lobes)]
    gain = ((1 - 1 / lobes) * damping[0] + (1 + 1 / lobes) * damping[1]) / 2
    # The direction of the curve is that of the circle less the slope of the ripple.
    angles = np.arange(100_000) * 2 * math.pi / 100_000
    turning = 1 + depth * gain * (lobes**2 - 1) * np.cos(lobes * angles)
    expected = abs(turning).mean()
    found = total_curvature(rose(depth=depth, lobes=lobes), scale=scale)
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("scale", "radius", "floor"),
    [(0.01, 10, 2.38), (0.01, 20, 1.34), (0.01, 40, 1), (0.02, 10, 1.05), (0.02, 20, 1)],
)
def test_total_curvature_floor_of_the_pixel_grid_regression(scale, radius, floor):
    found = total_curvature(trace_contour(disc(radius)), scale=scale)
    assert found == pytest.approx(floor, abs=0.02)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("radius", RADII)
def test_total_curvature_of_a_larger_lobulated_disc_analytic(radius, scale):
    found = total_curvature(trace_contour(lobulated(radius)), scale=scale)
    assert found == pytest.approx(total_curvature(rose(), scale=scale), rel=0.08)


def test_total_curvature_is_never_below_one_turn_analytic():
    for mask in (*(blob(seed) for seed in range(4)), np.ones((1, 30), dtype=bool)):
        for scale in SCALES:
            assert total_curvature(trace_contour(mask), scale=scale) >= 1 - 1e-9


def test_smoothed_circle_shrinks_by_the_gaussian_analytic():
    circle = curve(lambda angle: np.full_like(angle, 7.0))
    smooth = smooth_contour(circle, scale=0.05)
    expected = 7 * math.exp(-2 * (math.pi * 0.05) ** 2)
    assert abs(smooth.points) == pytest.approx(np.full(4000, expected), rel=1e-5)
    assert abs(smooth.tangents) == pytest.approx(np.full(4000, expected / 7), rel=1e-5)
