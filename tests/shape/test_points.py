import itertools

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from lggshape.shape.points import extreme_points


def scattered(seed):
    return np.random.default_rng(seed).random((4, 5, 6)) < 0.15


def all_corners(mask):
    steps = np.array(list(itertools.product((-0.5, 0.5), repeat=3)))
    return (np.argwhere(mask)[:, None] + steps).reshape(-1, 3)


@pytest.mark.parametrize("seed", range(8))
def test_hull_of_corners_is_that_of_all_corners_scipy(seed):
    mask = scattered(seed)
    some, every = extreme_points(mask), all_corners(mask)
    assert set(map(tuple, some)) <= set(map(tuple, every))
    one, other = ConvexHull(some), ConvexHull(every)
    assert one.volume == pytest.approx(other.volume, rel=1e-12)
    assert set(map(tuple, some[one.vertices])) == set(map(tuple, every[other.vertices]))


@pytest.mark.parametrize("seed", range(8))
def test_hull_of_centres_is_that_of_all_centres_scipy(seed):
    mask = scattered(seed)
    some, every = extreme_points(mask, points="centres"), np.argwhere(mask).astype(float)
    one, other = ConvexHull(some), ConvexHull(every)
    assert one.volume == pytest.approx(other.volume, rel=1e-12)
    assert set(map(tuple, some[one.vertices])) == set(map(tuple, every[other.vertices]))


def test_one_voxel_has_eight_corners_analytic():
    mask = np.zeros((3, 4, 5), dtype=bool)
    mask[1, 2, 3] = True
    assert set(map(tuple, extreme_points(mask))) == set(map(tuple, all_corners(mask)))
