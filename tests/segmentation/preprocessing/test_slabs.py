import numpy as np
import pytest

from lggshape.segmentation.preprocessing.slabs import Slabs


@pytest.mark.parametrize(
    ("apart", "each"),
    [(0.5, 6), (0.9375, 3), (1.0, 3), (1.00000002, 3), (1.5, 2), (1.6, 1), (5.0, 1), (None, 1)],
)
def test_slabs_are_at_most_3_mm_thick_analytic(apart, each):
    assert Slabs.of(10, apart) == (10, each)


def test_the_last_slab_has_what_is_left_analytic():
    values = np.arange(8, dtype=np.uint8)[:, None] * np.array([1, 10], dtype=np.uint8)
    averaged = Slabs(8, 3).average(values)
    np.testing.assert_array_equal(averaged, np.array([1, 4, 6.5])[:, None] * [1, 10])


def test_what_is_linear_comes_back_between_the_middles_analytic():
    slabs = Slabs(8, 3)
    values = np.arange(8.0, dtype=np.float32)[:, None]
    # Constant beyond the middles of the outermost slabs, the slices 1 and 6.5.
    expected = np.clip(values, 1, 6.5)
    np.testing.assert_allclose(slabs.restore(slabs.average(values)), expected, atol=1e-6)


def test_thick_slices_are_left_as_they_are_invariant():
    values = np.random.default_rng(0).random((4, 3, 3), dtype=np.float32)
    assert Slabs(4).average(values) is values
    assert Slabs(4).restore(values) is values


def test_a_single_slab_is_in_all_its_slices_analytic():
    slabs = Slabs(2, 3)
    np.testing.assert_array_equal(slabs.restore(slabs.average(np.array([1.0, 3.0]))), [2, 2])
