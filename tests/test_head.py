import numpy as np
import pytest

from lggshape.head import describe_misfit, find_head
from lggshape.phantoms import ball


@pytest.fixture
def head():
    """Return a box of 50 with a cavity, in air of 0."""
    values = np.zeros((10, 40, 30))
    values[1:9, 5:35, 4:24] = 50
    values[3:6, 15:20, 10:14] = 0
    return values


def test_the_head_is_found_in_noisy_air_with_its_cavities_analytic(head):
    noise = np.random.default_rng(1).uniform(0, 20, head.shape)
    found = find_head(head + noise)
    truth = np.zeros(head.shape, dtype=bool)
    truth[1:9, 5:35, 4:24] = True
    # The corners alone are rounded off by the blur.
    assert np.mean(found == truth) > 0.99
    assert found[3:6, 15:20, 10:14].all()


@pytest.mark.parametrize(("scale", "offset"), [(20.0, 0.0), (0.01, -3.0), (-1.0, 50.0)])
def test_the_scale_of_the_intensities_does_not_matter_invariant(head, scale, offset):
    found = find_head(scale * head + offset)
    np.testing.assert_array_equal(found, find_head(head))


def test_a_part_beside_the_head_does_not_count_analytic():
    values = np.pad(50.0 * ball(8), 4)
    values[10:13, 0:3, 0:3] = 50
    found = find_head(values)
    assert not found[:, :3, :3].any()
    assert found.sum() == pytest.approx(ball(8).sum(), rel=0.1)


def test_one_intensity_is_no_head_analytic():
    assert not find_head(np.ones((2, 4, 4))).any()


def box(*limits):
    mask = np.zeros((10, 140, 130), dtype=bool)
    mask[tuple(slice(*pair) for pair in limits)] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (box((4, 6), (20, 60), (20, 60)), ""),
        (box((4, 6), (0, 5), (0, 5)), "the mask touches nothing of the head"),
        (box((0, 10), (0, 140), (0, 130)), "the mask covers 182 % of the head"),
        (box((0, 10), (15, 125), (15, 70)), "the mask covers 61 % of the head"),
        (box((0, 0), (0, 0), (0, 0)), ""),
    ],
)
def test_a_mask_that_is_no_tumour_of_this_head_is_told_analytic(mask, expected):
    """The head is a box of 10 x 100 x 100 voxels."""
    flair = np.zeros((10, 140, 130))
    flair[:, 20:120, 15:115] = 100
    found = describe_misfit(mask, flair.__getitem__)
    words, share = found.split(" covers "), expected.split(" covers ")
    assert words[0] == share[0]
    if len(share) > 1:
        assert int(words[1].split()[0]) == pytest.approx(int(share[1].split()[0]), rel=0.1)


def test_without_a_head_there_is_nothing_to_tell_analytic():
    flair = np.ones((10, 140, 130))
    assert describe_misfit(box((4, 6), (20, 60), (20, 60)), flair.__getitem__) == ""


def test_a_mask_that_touches_the_head_in_one_of_many_slices_is_none_beside_it_analytic():
    """The slice of the largest area, which is looked at first, touches nothing."""
    flair = np.zeros((40, 64, 64))
    flair[:, 20:60, 20:60] = 100
    mask = np.zeros(flair.shape, dtype=bool)
    mask[17, 2:16, 2:16] = True
    assert describe_misfit(mask, flair.__getitem__) == "the mask touches nothing of the head"
    mask[18, 2:23, 2:4] = mask[18, 22, 2:23] = True
    assert describe_misfit(mask, flair.__getitem__) == ""


def test_few_slices_are_read_of_a_mask_that_is_fine_analytic():
    flair = np.zeros((60, 64, 64))
    flair[:, 20:60, 20:60] = 100
    mask = np.zeros(flair.shape, dtype=bool)
    mask[31, 30:34, 30:34] = True
    asked = []
    describe_misfit(mask, lambda slices: asked.append(slices) or flair[slices])
    assert asked == [[1, 11, 21, 31, 41, 51]]
