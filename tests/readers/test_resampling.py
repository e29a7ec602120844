"""Volumes brought onto other grids."""

import numpy as np
import pytest

from lggshape.case import Geometry
from lggshape.readers.resampling import resample_image, resample_mask
from lggshape.readers.unusable import UnusableError

ZYX = np.eye(4)[[2, 1, 0, 3]]  # from indices (z, y, x) to (x, y, z)


def geometry(spacing, *, shift=(0, 0, 0), degrees=0.0):
    """Make a grid of a spacing (z, y, x), turned about the z axis, and shifted by (x, y, z) mm."""
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = shift
    return Geometry(tuple(map(float, spacing)), turn @ ZYX @ np.diag([*spacing, 1.0]))


def places(grid, shape):
    indices = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return indices @ grid.affine[:3, :3].T + grid.affine[:3, 3]


def waves(points, length=40.0):
    """Return a sum of a cosine along each axis, of which the second derivative is known."""
    return np.cos(2 * np.pi * points / length).sum(axis=-1)


FLAIR, SHAPE = geometry((3, 1, 1), shift=(-20, -25, 5)), (8, 40, 36)


@pytest.mark.parametrize(
    ("spacing", "shift", "degrees"),
    [
        ((3, 1, 1), (-22.3, -26.1, 3.5), 0),  # shifted
        ((3, 1, 1), (-18, -30, 4), 7),  # turned
        ((2, 1.6, 1.6), (-24, -29, 4), 0),  # coarser in the plane
        ((2, 1.6, 1.6), (-20, -34, 4), -7),
    ],
)
def test_a_sequence_on_another_grid_comes_back_analytic(spacing, shift, degrees):
    """To within the error of linear interpolation, h^2 / 8 times the second derivative per axis."""
    other = geometry(spacing, shift=shift, degrees=degrees)
    values = waves(places(other, (20, 48, 48)))
    found = resample_image(values, other, FLAIR, SHAPE)
    expected = waves(places(FLAIR, SHAPE))
    indices = places(FLAIR, SHAPE) @ np.eye(3)
    inverse = np.linalg.inv(other.affine)
    indices = indices @ inverse[:3, :3].T + inverse[:3, 3]
    inside = np.all((indices >= 0) & (indices <= np.array([19, 47, 47])), axis=-1)
    assert inside.mean() > 0.5
    bound = sum(size**2 / 8 * (2 * np.pi / 40) ** 2 for size in spacing) * 1.5  # turned axes mix
    assert np.abs(found.values - expected)[inside].max() < bound < 0.06


def test_the_same_grid_gives_the_same_values_and_axes_that_run_backwards_too_invariant():
    values = np.random.default_rng(0).random(SHAPE)
    found = resample_image(values, FLAIR, FLAIR, SHAPE)
    np.testing.assert_allclose(found.values, values, atol=1e-12)
    assert found.note == "corners up to 0.0 mm apart"
    flip = np.diag([1.0, -1.0, 1.0, 1.0])
    flip[1, 3] = SHAPE[1] - 1
    backwards = Geometry(FLAIR.spacing, FLAIR.affine @ flip)
    found = resample_image(values[:, ::-1].copy(), backwards, FLAIR, SHAPE)
    np.testing.assert_allclose(found.values, values, atol=1e-12)


def test_notes_tell_the_shift_and_the_part_that_is_covered_analytic():
    moved = geometry((3, 1, 1), shift=(-20 + 9, -25, 5))
    found = resample_image(np.ones(SHAPE, np.float32), moved, FLAIR, SHAPE)
    # 9 of 36 columns lie before it.
    assert found.note == "corners up to 9.0 mm apart, covers 75 % of it"
    assert found.values.dtype == np.float32


def test_around_a_volume_is_its_lowest_value_analytic():
    values = np.full(SHAPE, 7, dtype=np.int16)
    values[0, 0, 0] = -3
    moved = geometry((3, 1, 1), shift=(-20 + 9, -25, 5))
    found = resample_image(values, moved, FLAIR, SHAPE).values
    assert found[1:, :, :8].tolist() == np.full((7, 40, 8), -3.0).tolist()
    assert (found[1:, :, 9:] == 7).all()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.float16, np.int64, ">i2"])
def test_a_mask_keeps_its_values_and_volume_analytic(dtype):
    fine = geometry((3, 0.5, 0.5), shift=(-20.25, -25.25, 5))
    mask = np.zeros((8, 80, 72))
    mask[2:5, 20:40, 10:30] = 1
    found = resample_mask(mask.astype(dtype), fine, FLAIR, SHAPE)
    assert found.values.dtype == np.dtype(dtype)
    assert set(np.unique(found.values).tolist()) == {0, 1}
    expected = np.zeros(SHAPE, dtype=bool)
    expected[2:5, 10:20, 5:15] = True
    np.testing.assert_array_equal(found.values != 0, expected)


def test_labels_stay_labels_and_are_not_mixed_invariant():
    labels = np.random.default_rng(0).choice([0, 1, 2, 4], SHAPE).astype(np.uint8)
    turned = geometry((3, 1, 1), shift=(-18, -24, 5), degrees=5)
    found = resample_mask(labels, turned, FLAIR, SHAPE)
    assert set(np.unique(found.values).tolist()) == {0, 1, 2, 4}


def test_a_part_of_a_mask_that_lies_outside_is_told_and_all_of_it_refused_analytic():
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[3, 10, 0:10] = 1
    half = geometry((3, 1, 1), shift=(-25, -25, 5))
    found = resample_mask(mask, half, FLAIR, SHAPE)
    assert found.note == "corners up to 5.0 mm apart, 50 % of it lies outside"
    assert found.values.sum() == 5
    with pytest.raises(UnusableError, match=r"mask beside the image, corners up to 30.0 mm apart"):
        resample_mask(mask, geometry((3, 1, 1), shift=(-50, -25, 5)), FLAIR, SHAPE)
    empty = resample_mask(np.zeros_like(mask), half, FLAIR, SHAPE)
    assert not empty.values.any()


def test_a_sequence_beside_the_other_is_refused():
    far = geometry((3, 1, 1), shift=(500, -25, 5))
    with pytest.raises(UnusableError, match=r"beside the other, corners up to 520.0 mm apart"):
        resample_image(np.ones(SHAPE), far, FLAIR, SHAPE)
