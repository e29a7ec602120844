import math
from types import SimpleNamespace

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.shape import ellipsoid as module
from lggshape.shape.ellipsoid import minimum_volume_ellipsoid
from lggshape.shape.extraction import extract_features
from lggshape.shape.solid import convex_hull


def ball(radius):
    reach = int(radius) + 1
    z, y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1, -reach : reach + 1]
    return z**2 + y**2 + x**2 <= radius**2


def ratio(mask):
    return mask.sum() / minimum_volume_ellipsoid(convex_hull(mask).vertices).volume


def reaches(ellipsoid, points):
    """How far out points lie: 1 is on the surface."""
    offsets = points - ellipsoid.centre
    return np.einsum("ij,jk,ik->i", offsets, ellipsoid.matrix, offsets)


def gap_by_definition(ellipsoid, points):
    """The gap recomputed from the weights alone, by weak duality."""
    dimensions = points.shape[1]
    carrying = points[ellipsoid.support]
    centre = ellipsoid.weights @ carrying
    scatter = ((carrying - centre).T * ellipsoid.weights) @ (carrying - centre)
    smallest = SimpleNamespace(centre=centre, matrix=np.linalg.inv(scatter) / dimensions)
    return reaches(smallest, points).max() ** (dimensions / 2) - 1


def titterington(points, steps):
    """The weights by the multiplicative algorithm: slow, short, and never decreasing."""
    lifted = np.column_stack([points, np.ones(len(points))])
    weights = np.full(len(points), 1 / len(points))
    for _ in range(steps):
        moments = (lifted.T * weights) @ lifted
        variances = np.einsum("ij,ij->i", lifted @ np.linalg.inv(moments), lifted)
        weights *= variances / lifted.shape[1]
    centre = weights @ points
    scatter = ((points - centre).T * weights) @ (points - centre)
    reach = np.einsum("ij,jk,ik->i", points - centre, np.linalg.inv(scatter), points - centre).max()
    return 4 / 3 * math.pi * reach**1.5 * math.sqrt(np.linalg.det(scatter))


def test_cube_analytic():
    assert ratio(np.ones((1, 1, 1), dtype=bool)) == pytest.approx(2 / (math.pi * math.sqrt(3)))


@pytest.mark.parametrize("shape", [(2, 2, 2), (1, 1, 9), (1, 7, 5), (30, 4, 11)])
def test_box_is_a_stretched_cube_invariant(shape):
    expected = 2 / (math.pi * math.sqrt(3))
    assert ratio(np.ones(shape, dtype=bool)) == pytest.approx(expected, rel=1e-9)


def test_ball_rises_with_the_radius_analytic():
    # The corners stick out by less and less of the radius, so the ratio goes to 1.
    ratios = [ratio(ball(radius)) for radius in (2, 5, 10, 20, 30, 40)]
    assert np.all(np.diff(ratios) > 0)
    assert 0.91 < ratios[4] < 0.93
    assert ratios[-1] < 1


def test_triangle_analytic():
    # Steiner's ellipse around a triangle is 4 pi / (3 sqrt 3) times as large.
    points = np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 3.0]])
    found = minimum_volume_ellipsoid(points)
    assert found.volume == pytest.approx(6 * 4 * math.pi / (3 * math.sqrt(3)), rel=1e-9)
    assert found.centre == pytest.approx(points.mean(axis=0))


def test_points_on_an_ellipsoid_analytic():
    generator = np.random.default_rng(1)
    directions = generator.normal(size=(60, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    # With each point's opposite and the axes, the ellipsoid they lie on is the smallest.
    sphere = np.vstack([directions, -directions, np.eye(3), -np.eye(3)])
    stretch = np.array([[3.0, 0.4, 0.0], [0.0, 2.0, 0.3], [0.1, 0.0, 0.5]])
    found = minimum_volume_ellipsoid(sphere @ stretch.T + [5, -2, 9])
    assert found.volume == pytest.approx(4 / 3 * math.pi * np.linalg.det(stretch), rel=1e-9)
    assert found.centre == pytest.approx([5, -2, 9])
    assert found.matrix == pytest.approx(np.linalg.inv(stretch @ stretch.T), abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_multiplicative_algorithm(seed):
    points = np.random.default_rng(seed).normal(size=(25, 3))
    slow = titterington(points, steps=4000)
    assert minimum_volume_ellipsoid(points).volume == pytest.approx(slow, rel=2e-3)
    assert minimum_volume_ellipsoid(points).volume <= slow * (1 + 1e-9)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_certificate_and_containment(dimensions, seed):
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(40, dimensions))
    if seed % 2:
        points = np.round(2 * points)  # doubled and aligned points
    found = minimum_volume_ellipsoid(points)
    assert found.certified
    assert found.gap <= 1e-10
    assert gap_by_definition(found, points) == pytest.approx(found.gap, abs=1e-12)
    assert found.weights.sum() == pytest.approx(1)
    assert found.weights.min() > 0
    assert reaches(found, points).max() == pytest.approx(1, abs=1e-9)
    unit_ball = math.pi ** (dimensions / 2) / math.gamma(dimensions / 2 + 1)
    volume = unit_ball / math.sqrt(np.linalg.det(found.matrix))
    assert found.volume == pytest.approx(volume, rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_affine_maps_invariant(seed):
    generator = np.random.default_rng(seed)
    vertices = convex_hull(generator.random((6, 9, 8)) < 0.3).vertices
    scale = np.diag(10 ** generator.uniform(-2, 2, 3))
    matrix = generator.normal(size=(3, 3)) @ scale
    mapped = minimum_volume_ellipsoid(vertices @ matrix.T + generator.normal(size=3) * 10)
    expected = minimum_volume_ellipsoid(vertices).volume * abs(np.linalg.det(matrix))
    assert mapped.volume == pytest.approx(expected, rel=1e-9)


def test_points_inside_make_no_difference_invariant():
    generator = np.random.default_rng(3)
    shell = generator.normal(size=(30, 3))
    inner = shell @ np.diag([0.1, 0.1, 0.1])
    both = minimum_volume_ellipsoid(np.vstack([shell, inner]))
    assert both.volume == pytest.approx(minimum_volume_ellipsoid(shell).volume, rel=1e-9)


def test_looser_tolerance_still_holds_all_points():
    points = np.random.default_rng(0).normal(size=(60, 3))
    loose = minimum_volume_ellipsoid(points, tolerance=1e-3)
    assert 1e-10 < loose.gap <= 1e-3
    assert reaches(loose, points).max() <= 1 + 1e-9
    tight = minimum_volume_ellipsoid(points).volume
    assert tight <= loose.volume <= tight * (1 + loose.gap) * (1 + 1e-9)


def test_unfinished_search_tells_its_gap(monkeypatch):
    monkeypatch.setattr(module, "_MOST_ROUNDS", 1)
    points = np.random.default_rng(0).normal(size=(60, 3))
    rough = minimum_volume_ellipsoid(points)
    assert not rough.certified
    assert rough.gap == pytest.approx(gap_by_definition(rough, points))
    assert reaches(rough, points).max() <= 1 + 1e-9


def test_newton_steps_run_out(monkeypatch):
    monkeypatch.setattr(module, "_MOST_NEWTON_STEPS", 2)
    points = np.random.default_rng(0).normal(size=(60, 3))
    rough = minimum_volume_ellipsoid(points)
    assert not rough.certified
    assert reaches(rough, points).max() <= 1 + 1e-9


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([[1, 2, 3]], "all points are one"),
        ([[1, 2, 3], [1, 2, 3]], "all points are one"),
        ([[0, 0, 0], [1, 1, 1], [5, 5, 5]], "all points lie on a line"),
        ([[0, 0, 0], [1, 0, 0], [0, 1, 0], [3, 3, 0]], "all points lie in a plane"),
        (np.eye(5)[:4], "all points span only 3 dimensions"),
    ],
)
def test_points_without_volume_have_a_reason(points, reason):
    found = minimum_volume_ellipsoid(np.array(points, dtype=float))
    assert found.reason == reason
    assert found.volume == 0
    assert math.isnan(found.gap)
    assert not found.certified
    assert len(found.support) == len(found.weights) == 0


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.zeros(3), [[0, 0, math.nan]]])
def test_other_points_are_refused(points):
    with pytest.raises(InputError, match="finite numbers"):
        minimum_volume_ellipsoid(points)


@pytest.mark.real_data
def test_every_manual_mask_is_certified(dataset):
    for source in open_cases(dataset, masks_only=True)[::5]:
        vertices = convex_hull(source.read(image=False).mask).vertices
        found = minimum_volume_ellipsoid(vertices)
        assert gap_by_definition(found, vertices) <= 1e-6
        assert reaches(found, vertices).max() <= 1 + 1e-9


def test_ratio_is_missing_without_a_certificate(monkeypatch):
    monkeypatch.setattr(module, "_MOST_ROUNDS", 1)
    mask = np.random.default_rng(5).random((12, 14, 13)) < 0.4
    result = extract_features(mask)
    assert math.isnan(result.values["bounding_ellipsoid_volume_ratio"])
    assert "not certified" in result.reasons["bounding_ellipsoid_volume_ratio"]
