import numpy as np
import pytest
from skimage.transform import resize

from lggshape.segmentation.preprocessing.frame import FIELD_OF_VIEW, Frame

ALL = slice(None)


def smooth(shape):
    """Make waves of a length of half the slice: (Z, Y, X), 20 to 220."""
    row, column = (np.linspace(0, 1, size) for size in shape)
    wave = 120 + 50 * np.sin(4 * np.pi * row)[:, None] + 50 * np.cos(4 * np.pi * column)
    return np.stack([wave, wave[::-1]])


@pytest.mark.parametrize(
    ("shape", "inner", "corner"),
    [
        ((32, 32), (32, 32), (0, 0)),
        ((64, 64), (32, 32), (0, 0)),
        ((16, 16), (32, 32), (0, 0)),
        ((64, 48), (32, 24), (0, 4)),
        ((20, 80), (8, 32), (12, 0)),
        ((1, 500), (1, 32), (15, 0)),
    ],
)
def test_frames_analytic(shape, inner, corner):
    frame = Frame.of(shape, 32)
    assert frame == Frame(shape, inner, 32)
    assert frame.corner == corner


def test_slices_of_the_size_are_left_as_they_are_invariant():
    slices = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 2), dtype=np.uint8)
    frame = Frame.of((32, 32), 32)
    np.testing.assert_array_equal(frame.fit(slices), slices)
    values = slices[..., 0].astype(np.float32)
    np.testing.assert_array_equal(frame.restore(values), values)


@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (180, 120), (50, 64), (48, 96), (33, 31)])
def test_a_smooth_image_comes_back_invariant(shape):
    """To 6 of a range of 200 anywhere, and to 2 on average."""
    image = smooth(shape)
    frame = Frame.of(shape, 64)
    squares = frame.fit(np.rint(image).astype(np.uint8)[..., None])
    assert squares.shape == (2, 64, 64, 1)
    assert squares.dtype == np.uint8
    restored = frame.restore(squares[..., 0].astype(np.float32))
    assert restored.shape == image.shape
    assert restored.dtype == np.float32
    error = np.abs(restored - image)
    assert error.max() < 6
    assert error.mean() < 2


def test_what_lies_around_a_slice_analytic():
    slices = np.random.default_rng(0).integers(7, 256, (2, 16, 32, 2), dtype=np.uint8)
    slices[1, 3, 3] = 5, 6
    frame = Frame.of((16, 32), 32)
    square = frame.fit(slices)
    np.testing.assert_array_equal(square[:, 8:24], slices)
    for outside in (square[:, :8], square[:, 24:]):
        assert (outside == [5, 6]).all()
    assert not frame.fit(slices, fill=0)[:, :8].any()


def test_values_around_a_slice_do_not_come_back():
    frame = Frame.of((8, 16), 32)
    squares = np.full((1, 32, 32), 9, dtype=np.float32)
    squares[:, 8:24] = 0.5
    np.testing.assert_allclose(frame.restore(squares), np.full((1, 8, 16), 0.5))


@pytest.mark.parametrize(
    ("shape", "pixel", "inner", "corner", "shown"),
    [
        # A square of 240 mm has 32 pixels of 7.5 mm.
        ((240, 240), (1.0, 1.0), (32, 32), (0, 0), (ALL, ALL)),
        ((32, 32), (7.5, 7.5), (32, 32), (0, 0), (ALL, ALL)),
        ((120, 180), (1.0, 1.0), (16, 24), (8, 4), (ALL, ALL)),
        ((120, 240), (2.0, 1.0), (32, 32), (0, 0), (ALL, ALL)),
        ((480, 240), (1.0, 1.0), (32, 32), (0, 0), (slice(120, 360), ALL)),
        ((240, 10), (0.5, 48.0), (16, 32), (8, 0), (ALL, slice(2, 7))),
        # Part of a pixel is not shown: 7 of 32 mm are 224 mm.
        ((16, 16), (32.0, 32.0), (30, 30), (1, 1), (slice(4, 11), slice(4, 11))),
        # As 32-bit headers have it.
        ((100, 2400), (2.4, 0.1000000015), (32, 32), (0, 0), (ALL, ALL)),
        # Far from any head, but nothing breaks.
        ((9, 9), (1000.0, 0.001), (32, 1), (0, 15), (slice(4, 5), ALL)),
    ],
)
def test_frames_of_known_pixels_analytic(shape, pixel, inner, corner, shown):
    frame = Frame.with_pixels(shape, 32, pixel)
    assert frame == Frame(shape, inner, 32, shown, cubic=max(pixel) > 1.1 * 7.5)
    assert frame.corner == corner


def test_a_field_of_240_mm_is_as_without_its_pixels_invariant():
    for shape in ((256, 256), (240, 240), (512, 400), (300, 48)):
        pixel = FIELD_OF_VIEW / max(shape)
        assert Frame.with_pixels(shape, 256, (pixel, pixel)) == Frame.of(shape, 256)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        # Rows 240 of 480 that are shown lie around the head, as far as there are any.
        ((100, 0), (200, 9), slice(30, 270)),
        ((0, 0), (50, 9), slice(0, 240)),
        ((400, 0), (480, 9), slice(240, 480)),
        ((0, 0), (480, 9), slice(120, 360)),
    ],
)
def test_what_is_shown_lies_around_the_head_analytic(low, high, shown):
    frame = Frame.with_pixels((480, 180), 32, (1.0, 1.0))
    inside = np.zeros((2, 480, 180), dtype=bool)
    inside[:, low[0] : high[0], low[1] : high[1]] = True
    assert frame.around(inside) == Frame((480, 180), (32, 24), 32, (shown, ALL))
    # A speck far away does not move it.
    inside[0, 478, 0] = inside[0, 1, 0] = True
    assert abs(frame.around(inside).shown[0].start - shown.start) <= 2
    assert frame.around(inside & False) == frame


@pytest.mark.parametrize(
    ("shape", "pixel"),
    [((256, 256), (2.0, 2.0)), ((180, 180), (1.5, 1.5)), ((300, 75), (1.0, 4.0))],
)
def test_what_is_shown_comes_back_to_its_place_invariant(shape, pixel):
    image = smooth(shape)
    frame = Frame.with_pixels(shape, 240, pixel)
    squares = frame.fit(np.rint(image).astype(np.uint8)[..., None])
    assert squares.shape == (2, 240, 240, 1)
    restored = frame.restore(squares[..., 0].astype(np.float32))
    assert restored.shape == image.shape
    assert np.abs(restored - image)[:, *frame.shown].max() < 6
    beyond = np.ones(shape, dtype=bool)
    beyond[frame.shown] = False
    assert not restored[:, beyond].any()
    assert beyond.any() == frame.is_cut


def test_coarse_pixels_are_interpolated_by_splines_skimage():
    image = np.rint(smooth((60, 48))).astype(np.uint8)[..., None]
    frame = Frame.with_pixels((60, 48), 256, (4.0, 5.0))
    assert frame.cubic
    expected = resize(image.astype(np.float32), (2, 256, 256, 1), order=3, mode="edge")
    found = frame.fit(image).astype(np.float32)
    # Up to rounding; at the borders the two go on in different ways.
    np.testing.assert_allclose(found[:, 20:-20, 20:-20], expected[:, 20:-20, 20:-20], atol=0.6)


def test_each_channel_keeps_its_range_invariant():
    values = np.random.default_rng(0).choice([7, 200], size=(2, 20, 20, 1)).astype(np.uint8)
    slices = np.concatenate([values, np.zeros_like(values)], axis=-1)
    shown = Frame.with_pixels((20, 20), 256, (12.0, 12.0)).fit(slices)
    assert (shown[..., 0].min(), shown[..., 0].max()) == (7, 200)
    assert not shown[..., 1].any()


@pytest.mark.parametrize("pixel", [(4.0, 5.0), (9.0, 12.0)])
def test_turned_slices_are_shown_as_if_they_were_stored_so_invariant(pixel):
    slices = np.random.default_rng(0).integers(0, 256, (3, 41, 34, 2), dtype=np.uint8)
    inside = slices[..., 0] > 250
    plain = Frame.with_pixels((41, 34), 32, pixel).around(inside[:, ::-1, ::-1])
    turned = Frame.with_pixels((41, 34), 32, pixel)._replace(turned=True).around(inside)
    assert turned == plain._replace(turned=True)
    shown = turned.fit(slices)
    np.testing.assert_array_equal(shown, plain.fit(slices[:, ::-1, ::-1]))
    squares = shown[..., 0].astype(np.float32)
    np.testing.assert_array_equal(turned.restore(squares), plain.restore(squares)[:, ::-1, ::-1])
