import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from lggshape.segmentation.run.calibration import Calibration
from lggshape.segmentation.training.fit_calibration import choose_threshold, fit_calibration


def planted(slope, intercept, *, size=100_000, seed=0):
    """Return probabilities, and masks that hold with what slope and intercept make of them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 2, size)
    mask = rng.random(size) < expit(slope * logits + intercept)
    return expit(logits).astype(np.float32), mask


@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.6, 0.5), (2.0, -1.5), (0.3, -3)])
def test_a_planted_calibration_is_found_statsmodels(slope, intercept):
    probability, mask = planted(slope, intercept)
    halves = [values.reshape(2, -1) for values in (probability, mask)]
    found = fit_calibration(*map(list, halves))
    np.testing.assert_allclose(found, (slope, intercept), atol=0.06)
    exact = sm.Logit(mask, sm.add_constant(logit(probability.astype(float)))).fit(disp=False).params
    np.testing.assert_allclose((found.intercept, found.slope), exact, atol=5e-3)


def test_calibrated_probabilities_are_honest_invariant():
    probability, mask = planted(0.5, -1)
    calibrated = fit_calibration([probability], [mask]).apply(probability)
    for low in np.arange(0, 0.8, 0.1):
        chosen = (calibrated >= low) & (calibrated < low + 0.1)
        assert mask[chosen].mean() == pytest.approx(calibrated[chosen].mean(), abs=0.03)


def test_application_analytic():
    probability = np.float32([[0.2, 0.5], [0.8, 0.9]])
    mapped = Calibration(2.0, 1.0).apply(probability)
    odds = (probability / (1 - probability)) ** 2 * np.e
    np.testing.assert_allclose(mapped, odds / (1 + odds), rtol=1e-5)
    assert mapped.dtype == np.float32
    assert Calibration().apply(probability) is probability


def test_certain_probabilities_stay_finite_and_in_order():
    mapped = Calibration(1.5, -0.5).apply(np.float32([0, 1e-7, 0.1, 0.9, 1]))
    assert np.isfinite(mapped).all()
    assert (np.diff(mapped) >= 0).all()
    assert 0 <= mapped[0] < 1e-4
    assert 1 - 1e-4 < mapped[-1] <= 1


@pytest.mark.parametrize(
    ("probability", "mask"),
    [
        ([0.2, 0.8], [False, False]),
        ([0.2, 0.8], [True, True]),
        ([0.4, 0.4], [True, False]),
        ([0.2, 0.2, 0.8, 0.8, 0.2, 0.8], [True, True, False, False, False, True]),
    ],
    ids=["all outside", "all inside", "predicted alike", "worse than nothing"],
)
def test_nothing_to_calibrate_by_gives_the_identity(probability, mask):
    assert fit_calibration([np.float32(probability)], [np.array(mask)]) == Calibration(1.0, 0.0)


def test_where_no_pixel_is_wrong_the_fit_is_finite_paper():
    """Platt's targets: 31/32 for 30 pixels inside, 1/72 for 70 outside."""
    mask = np.arange(100) < 30
    probability = np.where(mask, 0.8, 0.2).astype(np.float32)
    calibrated = fit_calibration([probability], [mask]).apply(probability)
    np.testing.assert_allclose(calibrated, np.where(mask, 31 / 32, 1 / 72), rtol=0.05)


def test_no_volumes_give_the_identity():
    assert fit_calibration([], []) == Calibration()


def test_certain_probabilities_are_counted():
    probability = np.tile(np.float32([0, 0, 0, 1, 1, 1, 0, 1]), 1000)
    mask = np.tile(np.array([0, 0, 0, 1, 1, 1, 1, 0], dtype=bool), 1000)
    # Three in four are right on either side.
    calibrated = fit_calibration([probability], [mask]).apply(probability)
    np.testing.assert_allclose(calibrated, np.where(probability > 0, 0.75, 0.25), atol=1e-2)


def volume(inner, outer):
    """Hold a cube of a probability in a larger one of another; the mask is the inner one."""
    probability = np.zeros((9, 9, 9), dtype=np.float32)
    mask = np.zeros(probability.shape, dtype=bool)
    probability[1:8, 1:8, 1:8] = outer
    mask[3:6, 3:6, 3:6] = True
    probability[mask] = inner
    return probability, mask


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        (0.68, 0.57, 0.6),
        (0.33, 0.22, 0.3),
        (0.98, 0.78, 0.8),
        (0.9, 0.1, 0.5),
        (0.1, 0.05, 0.5),  # nothing anywhere
    ],
)
def test_the_threshold_between_tumour_and_surroundings_analytic(inner, outer, expected):
    probability, mask = volume(inner, outer)
    assert choose_threshold([probability], [mask]) == expected


def test_one_standard_error_from_the_best_analytic():
    # One of the first kind has the Dice 2 * 27 / (27 + 343) below 0.43 and 1 above; one of the
    # second has 1 below 0.45 and 0 above. With one of each, 0.4 is the better one by
    # 0.5 (1 - 0.854) = 0.07 with a standard error of 0.93, so one half is as good. Were there three
    # of the second, it would be better by 0.54, with a standard error of 0.46.
    tight, faint = volume(0.9, 0.42), volume(0.44, 0.1)
    assert choose_threshold(*map(list, zip(tight, faint, strict=True))) == 0.5
    assert choose_threshold(*map(list, zip(tight, *[faint] * 3, strict=True))) == 0.4
    assert choose_threshold(*map(list, zip(faint, strict=True))) == 0.4
