from dataclasses import replace

import numpy as np
import pytest

from lggshape.phantoms import make_phantom
from lggshape.segmentation._backend import keras
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.decode_codes import decode
from lggshape.segmentation.preprocessing.intensities import HIGHEST, LOWEST, STEP
from lggshape.segmentation.preprocessing.network_input import prepare_input, with_neighbours
from lggshape.segmentation.training.augmentation import Draws, augment, draw, hide

CONFIGURATION = NetworkConfiguration(architecture="unet", filters=(4, 8), neighbours=1, size=32)


@pytest.fixture(scope="module")
def batch():
    """Return codes (4, 32, 32, 5) and masks of a phantom with a tumour in each slice."""
    phantom = make_phantom(np.random.default_rng(1), size=(12, 32, 32))
    codes = prepare_input(phantom, CONFIGURATION).codes
    slices = np.argsort(phantom.mask.sum(axis=(1, 2)))[-4:]
    ends = np.zeros(4, dtype=int), np.full(4, 11)
    return with_neighbours(codes, slices, *ends, CONFIGURATION), phantom.mask[slices].astype("u1")


def identity(count, channels, **other):
    """Return draws that change nothing, but for those that are given."""
    values = {
        "transforms": np.tile(np.float32([1, 0, 0, 0, 1, 0, 0, 0]), (count, 1)),
        "contrast": np.ones((count, channels), dtype=np.float32),
        "brightness": np.zeros((count, channels), dtype=np.float32),
        "gamma": np.ones((count, channels), dtype=np.float32),
        "bias": np.zeros((count, channels, 5), dtype=np.float32),
        "present": np.ones((count, channels), dtype=np.float32),
        "hidden": np.zeros((count, 1, 1), dtype=np.float32),
    }
    return Draws(**values | other)


def augmented(batch, draws, *, crop=32):
    return [keras.ops.convert_to_numpy(part) for part in augment(*batch, draws, crop=crop)]


def draws_of(seed=0, count=4, *, crop=32, configuration=CONFIGURATION, sequence_dropout=0.3):
    rng = np.random.default_rng(seed)
    return draw(rng, count, configuration, crop=crop, sequence_dropout=sequence_dropout)


def geometry_alone(count, seed, *, crop=32):
    return identity(count, 5, transforms=draws_of(seed, count, crop=crop).transforms)


def test_decoded_codes_analytic():
    codes = np.array([0, 1, 128, 255], dtype=np.uint8).reshape(1, 2, 2, 1)
    decoded = keras.ops.convert_to_numpy(decode(codes))
    assert decoded.dtype == np.float32
    expected = [0, LOWEST, LOWEST + 127 * STEP, HIGHEST]
    np.testing.assert_allclose(decoded.ravel(), expected, atol=1e-6)


def test_draws_that_change_nothing_give_the_slices_back_invariant(batch):
    slices, masks = augmented(batch, identity(4, 5))
    expected = keras.ops.convert_to_numpy(decode(batch[0]))
    np.testing.assert_allclose(slices, expected, atol=2e-6)  # rounding of float32
    np.testing.assert_array_equal(masks[..., 0], batch[1])


@pytest.mark.parametrize(("x", "y"), [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_flips_are_exact_analytic(batch, x, y):
    row = [x, 0, 31 if x < 0 else 0, 0, y, 31 if y < 0 else 0, 0, 0]
    slices, masks = augmented(batch, identity(4, 5, transforms=np.tile(np.float32(row), (4, 1))))
    plain, _ = augmented(batch, identity(4, 5))
    np.testing.assert_array_equal(slices, plain[:, ::y, ::x])
    np.testing.assert_array_equal(masks[..., 0], batch[1][:, ::y, ::x])


def test_slices_that_are_not_moved_are_flipped_alone_invariant(batch):
    transforms = draws_of(count=400).transforms
    unmoved = transforms[(transforms[:, 1] == 0) & (transforms[:, 3] == 0)]
    assert 0.1 < len(unmoved) / 400 < 0.3
    kinds = {tuple(row) for row in unmoved[:, [0, 4]].tolist()}
    assert kinds == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    for row in unmoved[:8]:
        slices, _ = augmented([part[:1] for part in batch], identity(1, 5, transforms=row[None]))
        plain, _ = augmented([part[:1] for part in batch], identity(1, 5))
        flipped = plain[:, :: int(row[4]), :: int(row[0])]
        np.testing.assert_allclose(slices, flipped, atol=2e-5)


@pytest.mark.parametrize("crop", [32, 16])
def test_the_mask_moves_with_the_image_invariant(batch, crop):
    """A mask, and the same mask as FLAIR thresholded at half its height."""
    codes = np.repeat(np.where(batch[1], 200, 50).astype(np.uint8)[..., None], 5, axis=-1)
    middle = (LOWEST * 2 + (199 + 49) * STEP) / 2
    for seed in range(5):
        slices, masks = augmented((codes, batch[1]), geometry_alone(4, seed, crop=crop), crop=crop)
        assert slices.shape == (4, crop, crop, 5)
        assert masks.shape == (4, crop, crop, 1)
        assert (slices[..., 1:2] > middle)[np.abs(slices[..., 1:2] - middle) > 1e-3].tolist() == (
            masks > 0
        )[np.abs(slices[..., 1:2] - middle) > 1e-3].tolist()


def test_moved_masks_are_binary_and_keep_their_size_invariant():
    mask = np.zeros((64, 32, 32), dtype=np.uint8)
    mask[:, 12:20, 11:21] = 1
    codes = np.ones((64, 32, 32, 5), dtype=np.uint8)
    draws = geometry_alone(64, 0)
    _, masks = augmented((codes, mask), draws)
    assert set(np.unique(masks)) == {0, 1}
    # The area changes by the determinant of the map from the result to the stored slice.
    a, b, _, c, d = draws.transforms[:, :5].T
    expected = 80 / np.abs(a * d - b * c)
    np.testing.assert_allclose(masks.sum(axis=(1, 2, 3)), expected, rtol=0.15)
    assert 0.7 < expected.min() / 80 < expected.max() / 80 < 1.4


def test_windows_that_are_cut_lie_inside_and_anywhere_analytic():
    transforms = draws_of(count=3000, crop=16).transforms
    unmoved = transforms[(transforms[:, 1] == 0) & (transforms[:, 3] == 0)]
    for scale, offset in ((unmoved[:, 0], unmoved[:, 2]), (unmoved[:, 4], unmoved[:, 5])):
        ends = np.stack([offset, offset + scale * 15])
        assert ends.min() == 0
        assert ends.max() == 31
        np.testing.assert_array_equal(ends, ends.round())
        assert set(ends.min(axis=0)) == set(range(17))  # every place that there is


def test_a_window_is_cut_out_analytic(batch):
    row = np.float32([1, 0, 5, 0, 1, 9, 0, 0])
    slices, masks = augmented(batch, identity(4, 5, transforms=np.tile(row, (4, 1))), crop=16)
    plain, _ = augmented(batch, identity(4, 5))
    np.testing.assert_array_equal(slices, plain[:, 9:25, 5:21])
    np.testing.assert_array_equal(masks[..., 0], batch[1][:, 9:25, 5:21])


@pytest.mark.parametrize("neighbours", [0, 1, 2])
def test_neighbours_have_the_numbers_of_flair_invariant(neighbours):
    configuration = NetworkConfiguration(sequences=("T2", "FLAIR"), neighbours=neighbours, size=32)
    draws = draws_of(configuration=configuration)
    assert draws.transforms.shape == (4, 8)
    for values in draws[1:-1]:
        assert values.shape[:2] == (4, 2 + 2 * neighbours)
        assert values.dtype == np.float32
        for channel in range(2, 2 + 2 * neighbours):
            np.testing.assert_array_equal(values[:, channel], values[:, 1])
    assert (draws.contrast[:, 0] != draws.contrast[:, 1]).all()


def test_flair_is_never_taken_away_and_others_as_often_as_asked_analytic():
    present = draws_of(count=4000, sequence_dropout=0.3).present
    assert set(np.unique(present)) == {0, 1}
    assert (present[:, [1, 3, 4]] == 1).all()
    # Three standard deviations of a share of 4000.
    np.testing.assert_allclose(present[:, [0, 2]].mean(axis=0), 0.7, atol=3 * 0.46 / 4000**0.5)
    assert (draws_of(count=50, sequence_dropout=0).present == 1).all()


def test_a_sequence_that_is_missing_or_taken_away_is_zero_invariant(batch):
    codes = batch[0].copy()
    codes[:2, ..., 0] = 0  # missing in two slices
    draws = draws_of(sequence_dropout=0)
    present = np.ones((4, 5), dtype=np.float32)
    present[3, 2] = 0  # taken away from one
    slices, _ = augmented((codes, batch[1]), draws._replace(present=present))
    zero = np.zeros((4, 5), dtype=bool)
    zero[:2, 0] = zero[3, 2] = True
    np.testing.assert_array_equal((slices == 0).all(axis=(1, 2)), zero)


def test_contrast_and_brightness_analytic(batch):
    contrast = np.float32([[1.2, 0.8, 1, 1, 1]] * 4)
    brightness = np.float32([[0.1, -0.2, 0.3, 0, 0]] * 4)
    slices, _ = augmented(batch, identity(4, 5, contrast=contrast, brightness=brightness))
    plain = keras.ops.convert_to_numpy(decode(batch[0]))
    expected = plain * contrast[:, None, None] + brightness[:, None, None]
    np.testing.assert_allclose(slices, expected, atol=1e-5)


def test_intensities_keep_their_order_invariant():
    """What is done with intensities is increasing, whatever is drawn."""
    ramp = np.arange(1, 256, dtype=np.uint8)
    codes = np.broadcast_to(ramp[None, None, :, None], (8, 255, 255, 5))
    draws = draws_of(count=8, sequence_dropout=0)
    still = identity(8, 5).transforms
    draws = draws._replace(transforms=still, bias=np.zeros_like(draws.bias))
    slices, _ = augmented((codes, np.zeros((8, 255, 255), dtype=np.uint8)), draws, crop=255)
    assert (np.diff(slices, axis=2) > 0).all()
    assert np.isfinite(slices).all()


def test_a_bias_field_multiplies_what_lies_above_the_air_analytic(batch):
    bias = np.zeros((4, 5, 5), dtype=np.float32)
    bias[..., 0] = 0.1  # along x alone
    slices, _ = augmented(batch, identity(4, 5, bias=bias))
    plain = keras.ops.convert_to_numpy(decode(batch[0]))
    field = np.exp(0.1 * np.linspace(-1, 1, 32))[:, None]
    np.testing.assert_allclose(slices, (plain + 2.5) * field - 2.5, atol=1e-5)


# --- what is hidden for reconstruction


def test_nothing_is_hidden_but_for_reconstruction_invariant():
    assert not draws_of(crop=32).hidden.any()
    task = replace(CONFIGURATION, task="reconstruction")
    drawn = draws_of(count=400, crop=32, configuration=task)
    assert drawn.hidden.shape == (400, 2, 2)
    # Half of 1600 squares, to within four standard errors.
    assert abs(drawn.hidden.mean() - 0.5) < 4 * 0.5 / 40
    # All else is as it is for the other tasks.
    for name, values in draws_of(count=400, crop=32)._asdict().items():
        if name != "hidden":
            np.testing.assert_array_equal(getattr(drawn, name), values)


@pytest.mark.parametrize(("size", "squares"), [(32, 2), (24, 1), (56, 3)])
def test_hidden_squares_are_zero_and_the_rest_is_as_it_was_numpy(size, squares):
    rng = np.random.default_rng(4)
    slices = rng.normal(size=(5, size, size, 2)).astype(np.float32)
    hidden = (rng.random((5, squares, squares)) < 0.5).astype(np.float32)
    shown, pixels = map(keras.ops.convert_to_numpy, hide(slices, hidden))
    side = -(-size // squares)
    expected = np.kron(hidden, np.ones((1, side, side)))[:, :size, :size, None]
    np.testing.assert_array_equal(pixels, expected)
    np.testing.assert_array_equal(shown, np.where(expected, 0, slices))
