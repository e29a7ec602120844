import numpy as np
import pytest
from scipy.ndimage import label as components
from scipy.stats import spearmanr

from lggshape.phantoms import cohort, make_phantom

SMALL = (10, 40, 40)


def has_empty_margin(mask):
    return all(not np.take(mask, [0, -1], axis=axis).any() for axis in range(mask.ndim))


@pytest.fixture(scope="module")
def head():
    return make_phantom(np.random.default_rng(0), name="A")


def test_a_phantom_is_a_case_like_the_real_ones(head):
    assert (head.id, head.patient) == ("A", "A")
    assert head.image.shape == (24, 96, 96, 3)
    assert head.image.dtype == np.uint8
    assert head.mask.shape == (24, 96, 96)
    assert head.mask.dtype == bool
    assert head.sequences == ("pre-contrast", "FLAIR", "post-contrast")
    assert head.geometry.spacing == pytest.approx((135 / 24, 225 / 96, 225 / 96))


@pytest.mark.parametrize("seed", range(5))
def test_the_tumour_is_bright_on_flair_within_the_brain_and_one_piece(seed):
    case = make_phantom(np.random.default_rng(seed), irregularity=seed / 4, size=SMALL)
    flair = case.image[..., 1].astype(float)
    brain = (flair > 30) & ~case.mask
    assert flair[case.mask].mean() > 1.3 * np.median(flair[brain])
    assert components(case.mask, np.ones((3, 3, 3)))[1] == 1
    assert has_empty_margin(case.mask.any(axis=0))


def test_air_is_dark_but_noisy(head):
    corner = head.image[:, :6, :6].astype(float)
    # Rayleigh: the mean of the magnitude of noise of SD 2.5 is 2.5 * sqrt(pi / 2).
    assert corner.mean() == pytest.approx(2.5 * np.sqrt(np.pi / 2), rel=0.1)


def test_the_head_fills_any_size_invariant():
    small = make_phantom(np.random.default_rng(7), size=(12, 48, 48))
    large = make_phantom(np.random.default_rng(7), size=(12, 96, 96))
    # The same tumour, at twice the resolution in the plane.
    assert large.mask.sum() == pytest.approx(4 * small.mask.sum(), rel=0.05)
    for axes in ((1, 2), (0, 2), (0, 1)):
        share = [(case.image[..., 0] > 50).any(axis=axes).mean() for case in (small, large)]
        assert share[0] == pytest.approx(share[1], abs=1.5 / 48)


def test_irregularity_makes_tumours_irregular():
    # Volume over that of the hull: 1 for a convex shape, less the deeper its lobes.
    skimage = pytest.importorskip("skimage.measure")
    made = cohort(patients=24, seed=3, size=(16, 64, 64))
    solidity = [skimage.regionprops(c.mask.astype(int))[0].solidity for c in made.cases]
    assert spearmanr(solidity, made.irregularity)[0] < -0.8
