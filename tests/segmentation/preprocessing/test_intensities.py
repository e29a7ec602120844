import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from lggshape.case import Case
from lggshape.errors import CaseError
from lggshape.phantoms import make_phantom
from lggshape.segmentation.preprocessing.intensities import (
    HIGHEST,
    LOWEST,
    MISSING,
    STEP,
    encode,
    standardise,
)

SEQUENCES = ("pre-contrast", "FLAIR", "post-contrast")


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(np.random.default_rng(3), size=(12, 48, 48))


def case_of(image, sequences=SEQUENCES):
    return Case(id="P1", patient="P1", image=image, sequences=sequences)


def test_codes_of_known_quantiles_analytic():
    # A background of zeros, and a head whose intensities are normal, of mean 500 and SD 50.
    levels = norm.ppf((np.arange(20000) + 0.5) / 20000)
    values = np.concatenate([np.zeros(30000), 500 + 50 * levels]).reshape(5, 100, 100)
    codes = encode(values).ravel()
    assert set(codes[:30000]) == {1}  # -10 SD, at the end of the scale
    expected = (np.clip(levels, LOWEST, HIGHEST) - LOWEST) / STEP + 1
    np.testing.assert_allclose(codes[30000:], expected, atol=0.51)
    assert codes[40000] == round(4 / STEP + 1)


def test_the_ends_of_the_scale_analytic():
    values = np.concatenate([np.linspace(90, 110, 1000), [1e6]]).reshape(1, 13, 77)
    codes = encode(np.pad(values, ((0, 0), (9, 9), (9, 9))))
    assert codes[0, 0, 0] == 1
    assert codes[0, -10, -10] == 255
    assert pytest.approx(HIGHEST) == LOWEST + 254 * STEP


@pytest.mark.parametrize(
    ("factor", "offset"), [(1, 0), (7.3, 0), (0.01, 0), (2.5, -300), (16, 1000)]
)
def test_unit_and_zero_of_the_intensities_do_not_matter_invariant(phantom, factor, offset):
    expected = encode(phantom.image[..., 1]).astype(int)
    found = encode(phantom.image[..., 1] * float(factor) + offset)
    assert np.abs(found - expected).max() <= 1


def test_the_type_of_the_intensities_does_not_matter_invariant(phantom):
    expected = encode(phantom.image[..., 1])
    for dtype in (np.int16, np.uint16, np.float32, np.float64):
        np.testing.assert_array_equal(encode(phantom.image[..., 1].astype(dtype)), expected)


def test_the_size_of_the_background_does_not_matter_invariant(phantom):
    values = np.where(phantom.image[..., 1] > 20, phantom.image[..., 1], 0)
    wide = np.pad(values, ((1, 1), (20, 20), (20, 20)))
    np.testing.assert_array_equal(encode(wide)[1:-1, 20:-20, 20:-20], encode(values))


def test_air_of_one_value_amid_the_intensities_invariant(phantom):
    # As after a z-score of the brain alone: 0 outside, and negative intensities inside.
    values = np.pad(phantom.image[..., 1].astype(float), ((0, 0), (3, 3), (3, 3)))
    head = values > 20
    normalised = np.where(head, (values - values[head].mean()) / values[head].std(), 0)
    found = encode(normalised)
    assert (found[:, 0] == found.min()).all()
    # The head has nearly the contrast that it has with air at the bottom.
    expected = encode(np.where(head, values, 0))[head].astype(float)
    slope, _ = np.polyfit(expected, found[head], 1)
    assert slope == pytest.approx(1, abs=0.15)
    assert np.median(found[head]) == pytest.approx(np.median(expected), abs=4)


def test_air_with_noise_amid_the_intensities_analytic():
    """As in inversion recovery that keeps the sign: the head spreads to both sides of the air."""
    rng = np.random.default_rng(0)
    values = np.rint(rng.normal(76, 0.7, (6, 100, 100)))
    head = np.zeros(values.shape, dtype=bool)
    head[:, 20:80, 20:80] = True
    # In any order: the corners of a square head are not found.
    spread = np.concatenate([np.linspace(30, 70, 4320), np.linspace(90, 150, 17280)])
    values[head] = rng.permutation(spread)
    found = encode(values)
    # A fifth of the head is darker than the air, the others are 90 to 150: so the quartiles.
    for intensity, deviations in ((112.5, 0), (93.75, -0.6745), (131.25, 0.6745)):
        code = found[head][np.argmin(np.abs(values[head] - intensity))]
        assert code == pytest.approx((deviations - LOWEST) / STEP + 1, abs=1)
    # The air stays where it is, between dark and bright.
    air = ((76 - 112.5) / (37.5 / 1.349) - LOWEST) / STEP + 1
    assert np.median(found[~head]) == pytest.approx(air, abs=1)


def test_noisy_air_is_no_head_invariant():
    """Noise of up to a fifth of the intensities inside changes no code there by more than two."""
    rng = np.random.default_rng(1)
    values = np.zeros((6, 100, 100))
    head = np.zeros(values.shape, dtype=bool)
    head[:, 20:80, 20:80] = True
    values[head] = rng.uniform(100, 200, 21600)
    plain = encode(values)[head].astype(int)
    noisy = encode(np.where(head, values, rng.uniform(0, 40, values.shape)))[head].astype(int)
    assert np.abs(noisy - plain).max() <= 2


def test_stripping_the_skull_moves_the_median_little_invariant():
    """By half an SD at most; contrast grows, and the order of the intensities stays."""
    for seed in range(3):
        whole = make_phantom(np.random.default_rng(seed), size=(12, 64, 64)).image
        # The brain is the inner 0.86 of an ellipsoid of about 74 x 96 x 76 mm.
        z, y, x = np.meshgrid(
            *(
                np.linspace(-1, 1, n) * half
                for n, half in zip((12, 64, 64), (62, 111, 111), strict=True)
            ),
            indexing="ij",
        )
        brain = ((z + 12) / 74) ** 2 + (y / 96) ** 2 + (x / 76) ** 2 < 0.7
        for channel in range(3):
            before = encode(whole[..., channel])[brain] * STEP
            after = encode(np.where(brain, whole[..., channel], 0))[brain] * STEP
            assert abs(np.median(after) - np.median(before)) < 0.5
            assert 1 < after.std() / before.std() < 5
            assert np.corrcoef(before, after)[0, 1] > 0.97


def test_every_voxel_of_a_present_sequence_has_a_code_invariant(phantom):
    found = standardise(phantom, SEQUENCES)
    codes = found.codes()
    assert codes.shape == phantom.image.shape
    assert codes.dtype == np.uint8
    assert codes.min() > MISSING
    assert found.missing == ()


def test_channels_come_in_the_order_asked_for(phantom):
    codes = standardise(phantom, SEQUENCES).codes()
    turned = standardise(phantom, ("FLAIR", "pre-contrast")).codes()
    np.testing.assert_array_equal(turned, codes[..., [1, 0]])


@pytest.mark.parametrize("kind", ["absent", "constant", "copy", "without contrast"])
def test_a_missing_sequence_is_said_to_be(phantom, kind):
    image, sequences = phantom.image.copy(), SEQUENCES
    if kind == "absent":
        image, sequences = image[..., :2], SEQUENCES[:2]
    elif kind == "constant":
        image[..., 2] = 17
    elif kind == "without contrast":
        image[..., 2] = 100 * (image[..., 2] > 30)
    else:
        image[..., 2] = image[..., 1]
    found = standardise(case_of(image, sequences), SEQUENCES)
    codes, expected = found.codes(), standardise(phantom, SEQUENCES).codes()
    assert found.missing == ("post-contrast",)
    assert not codes[..., 2].any()
    np.testing.assert_array_equal(codes[..., :2], expected[..., :2])


def test_the_image_is_left_as_it_is(phantom):
    before = phantom.image.copy()
    standardise(phantom, SEQUENCES).codes()
    np.testing.assert_array_equal(phantom.image, before)


def test_a_case_without_flair_is_refused(phantom):
    without = dataclasses.replace(phantom, image=phantom.image[..., :1], sequences=SEQUENCES[:1])
    with pytest.raises(CaseError, match="PHANTOM to have an image with FLAIR, found: pre-contrast"):
        standardise(without, SEQUENCES)
    with pytest.raises(CaseError, match="found: no image"):
        standardise(Case(id="P1", patient="P1"), SEQUENCES)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_intensities_that_are_no_numbers_are_refused(phantom, value):
    image = phantom.image.astype(np.float32)
    image[0, 0, 0, 2] = value
    with pytest.raises(CaseError, match="P1 to be finite"):
        standardise(case_of(image), SEQUENCES)


def test_flair_without_a_head_is_refused(phantom):
    image = phantom.image.copy()
    image[..., 1] = 9
    with pytest.raises(CaseError, match="FLAIR of case P1 to show a head"):
        standardise(case_of(image), SEQUENCES)


def test_a_head_of_one_intensity_has_no_scale():
    values = np.zeros((2, 10, 10))
    values[:, 3:7, 3:7] = 5
    assert encode(values) is None
    assert encode(np.zeros((2, 10, 10), dtype=np.uint8)) is None
