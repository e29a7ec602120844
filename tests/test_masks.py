import re

import numpy as np
import pytest
import skimage.measure
from scipy.ndimage import binary_fill_holes

from lggshape.errors import InputError
from lggshape.masks import (
    as_mask,
    bounding_box,
    count_faces,
    dice,
    fill_slices,
    find_components,
    largest_component,
    split_lesions,
)


def islands(seed, shape=(6, 20, 20)):
    """Draw a mask of many islands, some of which touch only in an edge or a corner."""
    return np.random.default_rng(seed).random(shape) < 0.2


@pytest.mark.parametrize(
    "values",
    [
        np.array([0, 1, 0], dtype=np.uint8),
        np.array([0, 255, 0], dtype=np.uint8),
        np.array([False, True, False]),
        np.array([0.0, 2.0, 0.0], dtype=np.float32),
        np.array([0.0, 255 * np.float32(1 / 255), 0.0]),  # bytes with a factor
        np.array([0, 65535, 0], dtype=np.uint16),
        [0, 1, 0],
    ],
)
def test_two_values_are_a_mask_whatever_the_type_analytic(values):
    np.testing.assert_array_equal(as_mask(values), [False, True, False])


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0, 1, 2, 4, 4], "0 (1 voxel), 1 (1), 2 (1), 4 (2)."),
        ([0, 0, -1], "-1 (1 voxel), 0 (2)."),
        ([0, 0, 0.5], "0 (2 voxels), 0.5 (1)."),
        ([0.25, 0.25], "0.25 (2 voxels)."),
        ([0, 1.001], "0 (1 voxel), 1.001 (1)."),
        ([0, 1e-9], "0 (1 voxel), 1e-09 (1)."),
        ([0, 1, np.nan], "0 (1 voxel), 1 (1), nan (1)."),
        ([0, 0, np.inf], "0 (2 voxels), inf (1)."),
        (
            range(100),
            "0 (1 voxel), 1 (1), 2 (1), 3 (1), 4 (1), 5 (1), 6 (1), 7 (1), 8 (1), 9 (1) and 90 "
            "other values.",
        ),
        # As few digits as tell the values apart: a mask resampled by interpolation.
        ([0, 0.9999999, 1], "0 (1 voxel), 0.9999999 (1), 1 (1)."),
        ([0, 0.123456, 0.5], "0 (1 voxel), 0.123456 (1), 0.5 (1)."),
        ([0, 1, np.nextafter(1, 2)], "0 (1 voxel), 1 (1), 1.0000000000000002 (1)."),
        ([0, 2**53, 2**53 + 1], "0 (1 voxel), 9007199254740992 (1), 9007199254740993 (1)."),
    ],
)
def test_other_values_are_listed_with_their_voxels_analytic(values, found):
    wanted = f"two values, 0 and a positive whole one, found {found}"
    with pytest.raises(InputError, match=re.escape(wanted)):
        as_mask(values)


def test_values_have_to_be_numbers_analytic():
    with pytest.raises(InputError, match="the left mask to hold numbers, found complex128"):
        as_mask(np.zeros(3, dtype=complex), called="the left mask")


def test_the_number_of_axes_is_checked_analytic():
    with pytest.raises(InputError, match=r"an array \(Y, X\), found shape \(3,\)"):
        as_mask([0, 1, 0], ndim=2)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("shape", [(6, 20, 20), (40, 40)])
def test_components_skimage(shape, diagonal):
    mask = islands(0, shape)
    labels, count = skimage.measure.label(
        mask, connectivity=mask.ndim if diagonal else 1, return_num=True
    )
    found = find_components(mask, diagonal=diagonal)
    assert found.number == count
    sizes = np.bincount(labels.ravel())[1:]
    largest = largest_component(mask, diagonal=diagonal)
    assert largest.sum() == sizes.max()
    assert len(np.unique(labels[largest])) == 1


def test_of_equal_components_the_first_is_kept_analytic():
    mask = np.array([[[0, 1, 0, 1], [0, 0, 0, 0]], [[0, 0, 0, 0], [1, 0, 0, 0]]], dtype=bool)
    assert np.argwhere(largest_component(mask)).tolist() == [[0, 0, 1]]


def test_lesions_are_the_26_connected_components_by_volume_skimage():
    mask = islands(1)
    labels = skimage.measure.label(mask, connectivity=3)
    lesions = list(split_lesions(mask))
    sizes = [int(one.sum()) for one in lesions]
    assert sizes == sorted(np.bincount(labels.ravel())[1:], reverse=True)
    for one in lesions:
        (number,) = np.unique(labels[one])
        np.testing.assert_array_equal(one, labels == number)


def test_of_equal_lesions_the_first_comes_first_analytic():
    mask = np.array([[[0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 0, 0]]], dtype=bool)
    places = [np.argwhere(one).tolist() for one in split_lesions(mask)]
    assert places == [[[0, 2, 0], [0, 2, 1]], [[0, 0, 1]], [[0, 0, 3]]]
    assert list(split_lesions(np.zeros_like(mask))) == []


def test_an_empty_mask_has_no_component_and_no_box_analytic():
    empty = np.zeros((2, 3, 4), dtype=bool)
    assert find_components(empty).number == 0
    assert not largest_component(empty).any()
    assert not find_components(empty).largest().any()
    assert bounding_box(empty) is None


@pytest.mark.parametrize("seed", range(3))
def test_bounding_box_skimage(seed):
    mask = np.zeros((8, 9, 10), dtype=bool)
    corner = np.random.default_rng(seed).integers(0, 4, size=3)
    mask[tuple(slice(first, first + 4) for first in corner)] = islands(seed, (4, 4, 4))
    (region,) = skimage.measure.regionprops(mask.astype(np.uint8))
    assert bounding_box(mask) == region.slice


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [([1, 1, 0, 0], [0, 1, 0, 0], 2 / 3), ([0, 0], [0, 0], 1), ([1, 0], [0, 0], 0)],
)
def test_dice_analytic(one, other, expected):
    assert dice([[one]], [[other]]) == expected


def test_dice_of_two_grids_is_refused_analytic():
    with pytest.raises(InputError, match=r"one shape \(Z, Y, X\), found \(1, 1, 2\) and \(1, 1, 1"):
        dice(np.ones((1, 1, 2)), np.ones((1, 1, 1)))


def test_slices_are_filled_one_by_one_scipy():
    mask = np.random.default_rng(5).random((6, 19, 13)) < 0.6
    mask[0, 5:9, 5:9] = np.pad(np.zeros((2, 2), dtype=bool), 1, constant_values=True)
    expected = np.stack([binary_fill_holes(plane) for plane in mask])
    np.testing.assert_array_equal(fill_slices(mask), expected)
    assert (expected != mask).any()


def test_faces_are_those_of_the_voxels_invariant():
    mask = islands(4)
    padded = np.pad(mask, 1)
    steps = [np.eye(3, dtype=int)[axis] * way for axis in range(3) for way in (-1, 1)]
    outside = [~np.roll(padded, step, axis=(0, 1, 2)) & padded for step in steps]
    assert count_faces(mask) == sum(int(one.sum()) for one in outside)
