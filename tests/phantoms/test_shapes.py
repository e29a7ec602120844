import numpy as np
import pytest
from scipy.ndimage import label as components
from scipy.spatial.transform import Rotation

from lggshape.phantoms import ball, ellipsoid, lobulated, lobulated_disc, spiculated

TURN = Rotation.from_rotvec([0.4, -0.3, 0.9])


def has_empty_margin(mask):
    return all(not np.take(mask, [0, -1], axis=axis).any() for axis in range(mask.ndim))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.5, 0.8)])
def test_volume_of_a_ball_analytic(spacing):
    mask = ball(20, spacing=spacing)
    assert mask.sum() * np.prod(spacing) == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)
    assert has_empty_margin(mask)


def test_a_ball_of_radius_one_is_a_cross_analytic():
    cross = np.zeros((5, 5, 5), dtype=bool)
    cross[2, 2, 1:4] = cross[2, 1:4, 2] = cross[1:4, 2, 2] = True
    np.testing.assert_array_equal(ball(1), cross)


@pytest.mark.parametrize("rotation", [None, TURN])
def test_volume_of_an_ellipsoid_analytic(rotation):
    mask = ellipsoid((10, 15, 24), rotation=rotation)
    assert mask.sum() == pytest.approx(4 / 3 * np.pi * 10 * 15 * 24, rel=0.01)
    assert has_empty_margin(mask)


def test_extent_of_an_ellipsoid_is_z_y_x_analytic():
    # The margin goes by the longest axis, so that any rotation fits.
    mask = ellipsoid((3, 5, 8))
    lengths = [np.flatnonzero(mask.any(axis=axes)).size for axes in ((1, 2), (0, 2), (0, 1))]
    assert lengths == [7, 11, 17]


def test_second_moments_of_a_turned_ellipsoid_analytic():
    semi_axes = np.array([10.0, 15.0, 24.0])
    points = np.argwhere(ellipsoid(tuple(semi_axes), rotation=TURN))
    matrix = TURN.as_matrix()
    expected = matrix @ np.diag(semi_axes**2 / 5) @ matrix.T
    np.testing.assert_allclose(np.cov(points.T), expected, atol=0.02 * semi_axes.max() ** 2 / 5)


def test_without_depth_or_length_a_solid_is_the_ball_invariant():
    np.testing.assert_array_equal(lobulated(9, 6, 0.0), ball(9))
    np.testing.assert_array_equal(spiculated(9, 6, 0.0), ball(9))


def test_lobes_lie_between_two_balls_and_reach_the_outer_one_invariant():
    mask = lobulated(20, 6, 0.4)
    outer, inner = ball(20), ball(20 * 0.6)
    width = (outer.shape[0] - inner.shape[0]) // 2
    assert not (mask & ~outer).any()
    assert mask[tuple([slice(width, -width)] * 3)][inner].all()
    distances = np.linalg.norm(np.argwhere(mask) - 21, axis=1)
    assert distances.max() > 19.5
    assert has_empty_margin(mask)


@pytest.mark.parametrize("count", [1, 4, 7])
def test_lobes_and_spikes_are_as_many_as_asked_for(count):
    # Beyond a ball between the valleys and the tops, every lobe and every spike is a piece.
    for mask in (lobulated(30, count, 0.6), spiculated(20, count, 12, rotation=TURN)):
        middle = (np.array(mask.shape) - 1) / 2
        distance = np.linalg.norm(np.moveaxis(np.indices(mask.shape), 0, -1) - middle, axis=-1)
        assert components(mask & (distance > 26), np.ones((3, 3, 3)))[1] == count


def test_spikes_reach_as_far_as_asked_for():
    mask = spiculated(10, 8, 6)
    distances = np.linalg.norm(np.argwhere(mask) - 17, axis=1)
    assert 14 < distances.max() <= 16
    assert ball(10).sum() < mask.sum() < ball(16).sum()
    assert has_empty_margin(mask)


@pytest.mark.parametrize("radius", [20, 40, 80])
@pytest.mark.parametrize(("lobes", "depth"), [(0, 0.0), (5, 0.2), (8, 0.4)])
def test_area_of_a_lobulated_disc_analytic(radius, lobes, depth):
    mask = lobulated_disc(radius, lobes, depth)
    expected = np.pi * radius**2 * (1 + depth**2 / 2)
    assert mask.sum() == pytest.approx(expected, rel=0.25 / radius)
    assert has_empty_margin(mask)


def test_a_larger_disc_is_the_same_shape_invariant():
    small, large = lobulated_disc(20, 6, 0.3), lobulated_disc(80, 6, 0.3)
    # Every fourth pixel of the large one, about its centre.
    half = large.shape[0] // 2
    picked = large[half % 4 :: 4, half % 4 :: 4]
    margin = (picked.shape[0] - small.shape[0]) // 2
    small = np.pad(small, margin) if margin >= 0 else small[-margin:margin, -margin:margin]
    np.testing.assert_array_equal(small, picked)
