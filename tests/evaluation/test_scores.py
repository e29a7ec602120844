import math

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from lggshape.errors import InputError
from lggshape.evaluation.scores import (
    hd95,
    iou,
    precision,
    recall,
    score_masks,
    surface_dice,
    surface_distances,
    volume_error,
)
from lggshape.masks import dice
from lggshape.phantoms import ball

SPACINGS = [(1.0, 1.0, 1.0), (5.0, 0.9, 1.1), (0.4, 2.0, 1.3)]


def blobs(seed, shape=(9, 24, 20)):
    """Draw two random masks that overlap and do not touch the edge, where SimpleITK differs."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((2, *shape), dtype=bool)
    for mask in masks:
        for _ in range(4):
            corner = [rng.integers(2, size // 2) for size in shape]
            extent = [rng.integers(2, size // 2 - 1) for size in shape]
            mask[tuple(slice(a, a + b) for a, b in zip(corner, extent, strict=True))] = True
    return masks & (rng.random(masks.shape) < 0.9)


def as_itk(mask, spacing):
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing[::-1])
    return image


def itk_distances(one, other, spacing):
    """Measure from the contour of one mask to that of the other, as SimpleITK's notebooks do."""
    contours = [sitk.LabelContour(as_itk(mask, spacing)) for mask in (one, other)]
    to_other = sitk.SignedMaurerDistanceMap(
        contours[1], squaredDistance=False, useImageSpacing=True
    )
    distances = np.abs(sitk.GetArrayFromImage(to_other))
    return distances[sitk.GetArrayFromImage(contours[0]) == 1]


@pytest.mark.parametrize("seed", range(5))
def test_overlap_simpleitk(seed):
    predicted, reference = blobs(seed)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(as_itk(reference, SPACINGS[0]), as_itk(predicted, SPACINGS[0]))
    assert dice(predicted, reference) == pytest.approx(overlap.GetDiceCoefficient())
    assert iou(predicted, reference) == pytest.approx(overlap.GetJaccardCoefficient())
    counts = sitk.LabelOverlapMeasuresImageFilter()
    counts.Execute(as_itk(predicted, SPACINGS[0]), as_itk(reference, SPACINGS[0]))
    # SimpleITK's errors are shares of the target, its second image.
    assert recall(predicted, reference) == pytest.approx(1 - counts.GetFalseNegativeError())
    assert precision(predicted, reference) == pytest.approx(1 - overlap.GetFalseNegativeError())


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(3))
def test_distances_simpleitk(seed, spacing):
    predicted, reference = blobs(seed)
    there = itk_distances(predicted, reference, spacing)
    back = itk_distances(reference, predicted, spacing)
    distances = surface_distances(predicted, reference, spacing=spacing)
    np.testing.assert_allclose(np.sort(distances.predicted), np.sort(there), atol=1e-5)
    np.testing.assert_allclose(np.sort(distances.reference), np.sort(back), atol=1e-5)
    expected = max(np.percentile(there, 95), np.percentile(back, 95))
    assert hd95(predicted, reference, spacing=spacing) == pytest.approx(expected, abs=1e-5)
    # A tolerance between two possible distances, so that rounding does not decide.
    near = np.concatenate([there, back]) <= 1.2345
    assert surface_dice(predicted, reference, spacing=spacing, tolerance=1.2345) == pytest.approx(
        near.mean()
    )


@pytest.mark.parametrize("seed", range(3))
def test_in_plane_distances_are_those_of_each_slice_simpleitk(seed):
    predicted, reference = blobs(seed)
    both = predicted.any(axis=(1, 2)) & reference.any(axis=(1, 2))
    predicted, reference = predicted[both], reference[both]
    there = np.concatenate(
        [itk_distances(a, b, (1.0, 1.0)) for a, b in zip(predicted, reference, strict=True)]
    )
    distances = surface_distances(predicted, reference)
    np.testing.assert_allclose(np.sort(distances.predicted), np.sort(there), atol=1e-5)
    assert distances.predicted_faced.all()


def test_literal_masks_analytic():
    reference = np.zeros((3, 8, 10), dtype=bool)
    reference[1, 2:6, 2:6] = True
    predicted = np.zeros_like(reference)
    predicted[1, 2:6, 3:9] = True
    scores = score_masks(predicted, reference)
    assert scores.dice == 2 * 12 / (24 + 16)
    assert scores.iou == 12 / 28
    assert scores.precision == 12 / 24
    assert scores.recall == 12 / 16
    assert scores.volume_error == 0.5
    # The predicted border has 16 pixels: in the two rows from x = 3 to 8, and between them at the
    # two ends; the reference's ends at x = 5. So 6 are on it, 4 one pixel away, 2 two, 4 three.
    distances = surface_distances(predicted, reference)
    assert sorted(distances.predicted.tolist()) == [0] * 6 + [1] * 4 + [2] * 2 + [3] * 4
    # Of the reference's 12, those at x = 2 are one away, and so are the two at x = 5 between rows.
    assert sorted(distances.reference.tolist()) == [0] * 6 + [1] * 6
    assert scores.hd95 == 3
    assert scores.surface_dice == 22 / 28


def test_shifted_ball_has_the_distance_of_the_shift_analytic():
    reference = np.pad(ball(12, spacing=(2, 1, 1)), ((0, 0), (0, 6), (0, 0)))
    predicted = np.roll(reference, 4, axis=1)
    # The surface lies |cos| times the shift away; the cosine is uniform on a ball.
    assert hd95(predicted, reference, spacing=(2, 1, 1)) == pytest.approx(4 * 0.95, abs=0.5)
    assert volume_error(predicted, reference) == 0


def test_empty_masks_analytic():
    empty = np.zeros((2, 4, 4), dtype=bool)
    full = empty.copy()
    full[0, 1:3, 1:3] = True
    for spacing in (None, (1.0, 1.0, 1.0)):
        both = score_masks(empty, empty, spacing=spacing)
        assert both == (1, 1, 1, 1, 0, 1, 0)
        nothing_found = score_masks(empty, full, spacing=spacing)
        assert nothing_found == pytest.approx((0, 0, math.nan, 0, math.nan, 0, -1), nan_ok=True)
        nothing_there = score_masks(full, empty, spacing=spacing)
        expected = (0, 0, 0, math.nan, math.nan, 0, math.nan)
        assert nothing_there == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("spacing", [None, (3.0, 1.0, 1.0)])
def test_swapped_masks_invariant(spacing):
    one, other = blobs(3)
    scores = score_masks(one, other, spacing=spacing)
    swapped = score_masks(other, one, spacing=spacing)
    assert swapped._replace(precision=0, recall=0, volume_error=0) == scores._replace(
        precision=0, recall=0, volume_error=0
    )
    assert (swapped.precision, swapped.recall) == (scores.recall, scores.precision)


def test_a_mask_at_the_edge_has_its_border_there_analytic():
    full = np.ones((1, 5, 5), dtype=bool)
    assert surface_distances(full, full).predicted.size == 16


def test_a_slice_with_one_mask_counts_to_its_centre_analytic():
    reference = np.zeros((2, 9, 9), dtype=bool)
    reference[:, 2:7, 2:7] = True
    predicted = reference.copy()
    predicted[1] = False
    distances = surface_distances(predicted, reference)
    assert distances.predicted.tolist() == [0] * 16
    missed = distances.reference[~distances.reference_faced]
    assert missed.size == 16
    assert missed.max() == pytest.approx(math.hypot(2, 2))
    assert missed.min() == pytest.approx(2)
    assert hd95(predicted, reference) == pytest.approx(math.hypot(2, 2))
    # Of 16 predicted and 32 reference pixels, 32 have a border beside them.
    assert surface_dice(predicted, reference, tolerance=100) == 32 / 48


def test_leaving_out_a_slice_is_no_nearer_than_finding_its_middle_invariant():
    y, x = np.mgrid[:41, :41]
    other = np.hypot(y - 20, x - 20) < 5  # a second slice, so that no mask is empty
    section = np.hypot((y - 20) / 18, (x - 20) / 12) < 1
    reference = np.stack([section, other])
    left_out = surface_distances(np.stack([np.zeros_like(section), other]), reference)
    for share in np.linspace(0.02, 1, 20):
        found = np.hypot((y - 20) / 18, (x - 20) / 12) < share
        distances = surface_distances(np.stack([found, other]), reference)
        assert np.all(distances.reference <= left_out.reference)
        if found.sum() == 1:
            np.testing.assert_allclose(distances.reference, left_out.reference)


def test_spacing_scales_distances_invariant():
    one, other = blobs(1)
    assert hd95(one, other, spacing=(2, 2, 2)) == pytest.approx(
        2 * hd95(one, other, spacing=(1, 1, 1))
    )


def test_input_is_not_changed_invariant():
    one, other = blobs(2)
    before = one.copy(), other.copy()
    score_masks(one, other)
    np.testing.assert_array_equal((one, other), before)


def test_unusable_arguments():
    mask = np.zeros((1, 2, 2), dtype=bool)
    with pytest.raises(InputError, match=r"found \(1, 2, 2\) and \(2, 2, 2\)"):
        score_masks(mask, np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="from 0 upwards, found -1"):
        surface_dice(mask, mask, tolerance=-1)
    with pytest.raises(InputError, match="from 0 upwards, found nan"):
        score_masks(mask, mask, tolerance=math.nan)
