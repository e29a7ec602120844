import numpy as np
import pytest

from lggshape.phantoms import ball
from lggshape.segmentation.preprocessing.find_head import find_head


@pytest.fixture
def head():
    """Give a box of 50 with a cavity, in air of 0."""
    values = np.zeros((10, 40, 30))
    values[1:9, 5:35, 4:24] = 50
    values[3:6, 15:20, 10:14] = 0
    return values


def test_the_head_is_found_in_noisy_air_with_its_cavities_analytic(head):
    noise = np.random.default_rng(1).uniform(0, 20, head.shape)
    found = find_head(head + noise)
    truth = np.zeros(head.shape, dtype=bool)
    truth[1:9, 5:35, 4:24] = True
    # The corners alone are rounded off by the blur.
    assert np.mean(found == truth) > 0.99
    assert found[3:6, 15:20, 10:14].all()


@pytest.mark.parametrize(("scale", "offset"), [(20.0, 0.0), (0.01, -3.0), (-1.0, 50.0)])
def test_the_scale_of_the_intensities_does_not_matter_invariant(head, scale, offset):
    found = find_head(scale * head + offset)
    np.testing.assert_array_equal(found, find_head(head))


def test_a_part_beside_the_head_does_not_count_analytic():
    values = np.pad(50.0 * ball(8), 4)
    values[10:13, 0:3, 0:3] = 50
    found = find_head(values)
    assert not found[:, :3, :3].any()
    assert found.sum() == pytest.approx(ball(8).sum(), rel=0.1)


def test_one_intensity_is_no_head_analytic():
    assert not find_head(np.ones((2, 4, 4))).any()
