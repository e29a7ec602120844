import numpy as np
import pytest

from lggshape.case import Case
from lggshape.phantoms import make_phantom
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.network_input import Frame, prepare_input, with_neighbours


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


def test_a_missing_sequence_stays_missing_and_a_present_one_present_invariant():
    phantom = make_phantom(np.random.default_rng(0), size=(4, 40, 56))
    case = Case(id="P", patient="P", image=phantom.image[..., :2], sequences=phantom.sequences[:2])
    volume = prepare_input(case, NetworkConfiguration(size=64))
    assert volume.codes.shape == (4, 64, 64, 3)
    assert volume.missing == ("post-contrast",)
    assert volume.frame == Frame((40, 56), (46, 64), 64)
    assert volume.codes[..., :2].min() >= 1
    assert not volume.codes[..., 2].any()


def numbered(count, channels):
    """Give slices that hold 10 times their number plus the channel."""
    codes = np.arange(count)[:, None] * 10 + np.arange(channels)
    return np.broadcast_to(codes[:, None, None], (count, 2, 2, channels)).astype(np.uint8)


@pytest.mark.parametrize(
    ("neighbours", "expected"),
    [
        (0, [[0, 1, 2], [10, 11, 12], [20, 21, 22], [50, 51, 52]]),
        (1, [[0, 1, 2, 1, 11], [10, 11, 12, 1, 21], [20, 21, 22, 11, 21], [50, 51, 52, 41, 51]]),
        (
            2,
            [
                [0, 1, 2, 1, 1, 11, 21],
                [10, 11, 12, 1, 1, 21, 21],
                [20, 21, 22, 1, 11, 21, 21],
                [50, 51, 52, 31, 41, 51, 51],
            ],
        ),
    ],
)
def test_neighbours_end_with_the_volume_analytic(neighbours, expected):
    # Two volumes of three slices each; FLAIR is the channel 1.
    codes = numbered(6, 3)
    slices = np.array([0, 1, 2, 5])
    gathered = with_neighbours(
        codes,
        slices,
        np.array([0, 0, 0, 3]),
        np.array([2, 2, 2, 5]),
        NetworkConfiguration(neighbours=neighbours),
    )
    assert gathered.shape == (4, 2, 2, 3 + 2 * neighbours)
    np.testing.assert_array_equal(gathered[:, 1, 0], expected)
    assert gathered.dtype == np.uint8


def test_flair_alone_with_neighbours_analytic():
    gathered = with_neighbours(
        numbered(2, 1),
        np.array([1]),
        np.array([0]),
        np.array([1]),
        NetworkConfiguration(sequences=("FLAIR",), neighbours=1),
    )
    np.testing.assert_array_equal(gathered[0, 0, 0], [10, 0, 10])
