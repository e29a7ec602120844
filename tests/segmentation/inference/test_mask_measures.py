from functools import partial
from itertools import permutations

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from lggshape.masks import dice
from lggshape.segmentation.inference import mask_measures as m
from lggshape.segmentation.inference.mask_check import WORDS
from lggshape.segmentation.preprocessing.frame import Frame

RNG = np.random.default_rng(0)


def box(shape, *parts):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(*part) for part in parts)] = True
    return mask


SQUARE = box((3, 20, 20), (1, 2), (5, 9), (5, 9))
HEAD = box((10, 40, 40), (2, 9), (10, 31), (8, 33))
"""Of every second row and column: 7 slices of 21 x 25 pixels."""


def disc(radius, *, size=128):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(y, x)[None] <= radius


def test_soft_dice_of_a_mask_is_its_dice_invariant():
    other = box(SQUARE.shape, (1, 2), (5, 9), (7, 11))
    assert m.soft_dice(other.astype(float), SQUARE) == pytest.approx(dice(other, SQUARE))


def test_soft_dice_leaves_out_low_probabilities_analytic():
    probability = np.where(SQUARE, 0.5, 0.09)
    assert m.soft_dice(probability, SQUARE) == pytest.approx(2 * 8 / (8 + 16))


def test_second_component_is_the_ratio_of_sums_analytic():
    probability = np.where(SQUARE, 0.9, 0)
    assert m.second_component(probability, 0.5) == 0
    probability[2, 0, :4] = 0.6
    assert m.second_component(probability, 0.5) == pytest.approx(4 * 0.6 / (16 * 0.9))


def test_uncertain_voxels_by_those_of_the_mask_analytic():
    probability = np.where(SQUARE, 0.75, 0)
    probability[1, 5, 5:9] = 0.7
    probability[1, 9, 5:9] = 0.25
    assert m.uncertain(probability, SQUARE) == pytest.approx(8 / 16)


def test_volume_is_the_logarithm_of_the_share_of_the_head_analytic():
    head = box((3, 10, 10), (0, 1), (0, 4), (0, 10))  # 160 pixels of the whole grid
    assert m.volume(SQUARE, head) == pytest.approx(-1)


def test_the_hull_within_slices_analytic():
    corner = box((2, 9, 9), (0, 1), (2, 7), (2, 3)) | box((2, 9, 9), (0, 1), (6, 7), (2, 7))
    hull = m.hull_within_slices(corner)
    assert hull[0].sum() == 15  # the triangle with 5 pixels along each side
    assert not hull[1].any()
    np.testing.assert_array_equal(m.hull_within_slices(SQUARE), SQUARE)
    for degenerate in (np.eye(9, dtype=bool)[None], box((1, 9, 9), (0, 1), (3, 4), (3, 4))):
        np.testing.assert_array_equal(m.hull_within_slices(degenerate), degenerate)


def test_place_in_the_box_of_the_head_analytic():
    lowest_front_left = box((10, 80, 80), (2, 3), (20, 21), (16, 17))
    assert m.place(lowest_front_left, HEAD) == pytest.approx((0, 0, 0.5))
    middle = box((10, 80, 80), (5, 6), (40, 41), (40, 41))
    assert m.place(middle, HEAD) == pytest.approx((0.5, 0.5, 0))


def test_contrast_is_that_to_a_shell_analytic():
    mask = disc(10)
    flair = np.where(mask, 3.0, 1.0)
    flair[~disc(19)] = 7  # beyond the shell
    flair[disc(12) & ~mask] = -7  # nearer than the shell
    assert m.contrast(flair, mask) == pytest.approx(2)


def test_head_size_is_the_side_of_a_square_of_its_area_analytic():
    assert m.head_size(box((3, 100, 100), (1, 2), (20, 60), (10, 50))) == pytest.approx(0.4)


def test_cut_is_the_share_of_the_edge_that_has_most_head_analytic():
    whole = Frame.of((80, 80), 80)
    assert m.cut(HEAD, whole) == 0
    at_the_left = box((10, 40, 40), (2, 9), (10, 30), (0, 20))
    assert m.cut(at_the_left, whole) == pytest.approx(20 / 40)
    narrow = Frame.of((80, 48), 80)  # columns 16 to 63 of the square
    assert m.cut(HEAD, narrow) == pytest.approx(21 / 40)


def test_skull_is_the_darkest_layer_against_the_brain_analytic():
    radius = 50
    head, inside, outside = disc(radius), disc(0.75 * radius), disc(0.95 * radius)
    flair = np.where(head, 1.0, -4)
    assert m.skull(flair, head) == pytest.approx(0)
    flair[outside & ~inside] = -2  # bone
    assert m.skull(flair, head) == pytest.approx(-3)


def test_noise_of_white_noise_is_its_deviation_analytic():
    flair = 0.2 * RNG.standard_normal((10, 80, 80)).astype(np.float32)
    flair += np.linspace(0, 3, 80)  # a slope is no noise
    assert m.noise(flair, HEAD) == pytest.approx(np.log10(0.2), abs=0.02)


def test_saturated_is_the_share_of_the_highest_code_analytic():
    codes = np.full(HEAD.shape, 90, dtype=np.uint8)
    codes[box(HEAD.shape, (2, 9), (10, 31), (8, 13))] = 200
    assert m.saturated(codes, HEAD) == pytest.approx(5 / 25)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_agreement_is_the_mean_over_pairs_invariant(count):
    maps = RNG.random((count, 50))
    pairs = [one @ other for one, other in permutations(maps, 2)]
    expected = np.mean(pairs) / np.mean([one @ one for one in maps])
    together, alone = (maps.mean(axis=0) ** 2).sum(), (maps**2).sum()
    assert m.agreement_of(together, alone, count) == pytest.approx(expected)


def test_agreement_of_one_network_is_unknown_analytic():
    assert np.isnan(m.agreement_of(1.0, 1.0, 1))


def test_a_head_with_a_tumour_has_all_measures_invariant():
    head, tumour = np.repeat(disc(50), 9, axis=0), np.repeat(disc(12), 9, axis=0)
    tumour[:3] = tumour[6:] = False
    skull = head & ~np.stack([binary_erosion(one, iterations=10) for one in head])
    codes = np.where(head, 90, 1).astype(np.uint8)
    codes[skull], codes[tumour] = 40, 150
    probability = np.where(tumour, 0.9, 0).astype(np.float32)
    frame = Frame.of((128, 128), 128)
    measure = partial(
        m.measure_mask, codes, threshold=0.5, frame=frame, agreement=0.9, missing=1
    )  # fmt: skip
    found = measure(probability)
    assert found.keys() == WORDS.keys()
    assert np.isfinite(list(found.values())).all()
    assert measure(0 * probability) == {}


@pytest.mark.parametrize("slices", [1, 2, 3, 4])
@pytest.mark.parametrize("side", [1, 2, 30, 64])
def test_a_few_slices_and_a_tiny_head_have_measures_invariant(slices, side):
    rng = np.random.default_rng(slices)
    codes = np.ones((slices, 64, 64), dtype=np.uint8)
    codes[:, :side, :side] = rng.integers(60, 200, (slices, side, side))
    probability = np.zeros(codes.shape, dtype=np.float32)
    probability[0, :2, :2] = 0.9
    found = m.measure_mask(
        codes, probability, threshold=0.5, frame=Frame.of((64, 64), 64), agreement=1.0, missing=0
    )
    assert found["soft_dice"] == pytest.approx(2 * 4 * 0.9 / (4 * 0.9 + 4))
    assert not any(np.isinf(value) for value in found.values())
