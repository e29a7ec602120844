import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes
from skimage.measure import label

from lggshape.segmentation.inference.postprocessing import select_component


def volume():
    """Hold a large component that is unsure, and a small one that is certain."""
    probability = np.full((3, 8, 9), 0.1, dtype=np.float32)
    probability[1, 1:4, 1:3] = 0.5  # 6 voxels, sum 3.0
    probability[1:, 6, 5:7] = 0.9  # 4 voxels, sum 3.6
    probability[0, 0, 8] = 0.99
    return probability


def test_the_component_of_the_largest_sum_analytic():
    mask, removed = select_component(volume(), 0.5)
    np.testing.assert_array_equal(mask, volume() == np.float32(0.9))
    assert removed == 2


def test_the_threshold_is_inside():
    assert select_component(volume(), 0.99).removed == 0
    assert select_component(volume(), np.float32(0.99)).mask.sum() == 1


def test_nothing_reaches_the_threshold():
    mask, removed = select_component(volume(), 0.999)
    assert not mask.any()
    assert mask.dtype == bool
    assert removed == 0


def test_edges_and_corners_do_not_connect_and_the_first_wins_a_tie():
    probability = np.zeros((2, 2, 2))
    probability[0, 0, 1] = probability[0, 1, 0] = probability[1, 0, 0] = 0.7
    mask, removed = select_component(probability, 0.5)
    assert np.argwhere(mask).tolist() == [[0, 0, 1]]
    assert removed == 2


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_random_volumes_skimage(dtype):
    probability = np.random.default_rng(0).random((6, 20, 20)).astype(dtype)
    probability[0] *= 0.9
    before = probability.copy()
    for threshold in (0.5, 0.7, 0.9):
        labels, count = label(probability >= threshold, connectivity=1, return_num=True)
        parts = [labels == number for number in range(1, count + 1)]
        worth = [probability[part].sum(dtype=float) for part in parts]
        mask, removed = select_component(probability, threshold)
        chosen = [binary_fill_holes(plane) for plane in parts[int(np.argmax(worth))]]
        np.testing.assert_array_equal(mask, chosen)
        assert removed == count - 1
    np.testing.assert_array_equal(probability, before)


def test_sums_of_half_precision_do_not_saturate():
    # In 16 bits the sum of the first would stop growing at 1024.
    probability = np.zeros((1, 60, 120), dtype=np.float16)
    probability[0, :, :50] = 0.5  # 3000 voxels, sum 1500
    probability[0, :, 60:95] = 0.6  # 2100 voxels, sum 1260
    assert select_component(probability, 0.5).mask.sum() == 3000


def test_what_is_enclosed_within_a_slice_is_filled_analytic():
    probability = np.zeros((3, 9, 9))
    probability[:, 1:8, 1:8] = 0.8
    probability[1, 3:5, 3:6] = 0.1  # a hole
    probability[2, 3, 1:4] = 0.1  # a bay
    probability[2, 6, 5] = 0.1
    mask, removed = select_component(probability, 0.5)
    expected = probability >= 0.5
    expected[1, 3:5, 3:6] = expected[2, 6, 5] = True
    np.testing.assert_array_equal(mask, expected)
    assert removed == 0


def test_another_component_within_a_hole_is_no_hole_of_its_own_analytic():
    probability = np.zeros((1, 9, 9))
    probability[0, 1:8, 1:8] = 0.8
    probability[0, 2:7, 2:7] = 0.1
    probability[0, 4, 4] = 0.9
    mask, removed = select_component(probability, 0.5)
    assert mask.sum() == 49
    assert removed == 1  # it was not chosen, and lies in what is filled
