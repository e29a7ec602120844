import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from lggshape.errors import InputError
from lggshape.statistics.performance import calibration, decision_curve, net_benefit_interval

OUTCOME = np.array([0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1])
PROBABILITY = np.array(
    [0.2, 0.4, 0.5, 0.7, 0.9, 0.1, 0.35, 0.8, 0.6, 0.3, 0.05, 0.15, 0.65, 0.45, 0.97]
)
THRESHOLDS = [0, 0.1, 0.35, 0.5, 0.8, 0.99]


@pytest.mark.parametrize(
    ("level", "slope", "intercept"),
    [
        # R: l <- qlogis(p); f <- glm(y ~ l, binomial); g <- glm(y ~ 1, binomial, offset = l);
        # coef(f)[2]; confint.default(f, level = level)[2, ]; the same of g
        (
            0.95,
            (1.54913175002, -0.0796903042317, 3.17795380427),
            (-0.0469969330101, -1.27439435284, 1.18040048682),
        ),
        (
            0.8,
            (1.54913175002, 0.484102254537, 2.6141612455),
            (-0.0469969330101, -0.849548968319, 0.755555102299),
        ),
    ],
)
def test_recalibration_r(level, slope, intercept):
    result = calibration(OUTCOME, PROBABILITY, level=level)
    assert result[:6] == pytest.approx((*slope, *intercept), rel=1e-6)


def test_brier_scores_r():
    # R: b <- mean((p - y)^2); 1 - b / (mean(y) * (1 - mean(y)))
    result = calibration(OUTCOME, PROBABILITY)
    assert result[6:] == pytest.approx((0.14156, 0.431232142857), rel=1e-10)


def test_groups_with_the_risk_that_was_predicted_analytic():
    y = np.repeat([0, 1, 0, 1], [8, 2, 3, 7])
    result = calibration(y, np.repeat([0.2, 0.7], 10))
    assert (result.slope, result.intercept) == pytest.approx((1, 0), abs=1e-9)
    # The information of the intercept is the sum of p (1 - p).
    reach = norm.ppf(0.975) / math.sqrt(10 * (0.16 + 0.21))
    assert (result.intercept_low, result.intercept_high) == pytest.approx((-reach, reach))


def test_log_odds_of_a_line_are_found_again_analytic():
    shifted = 1 / (1 + np.exp(-(2 * np.log(PROBABILITY / (1 - PROBABILITY)) + 1)))
    before, after = calibration(OUTCOME, PROBABILITY), calibration(OUTCOME, shifted)
    assert np.array(after[:3]) == pytest.approx(np.array(before[:3]) / 2, rel=1e-6)


@pytest.mark.parametrize(
    "probability", [[0.3, 0.3, 0.3, 0.3], [0.1, 0.2, 0.2, 0.4], [0.9, 0.8, 0.7, 0.6]]
)
def test_without_overlap_there_is_no_slope_analytic(probability):
    result = calibration([0, 0, 1, 1], probability)
    assert all(math.isnan(value) for value in result[:3])
    assert np.isfinite(result[3:]).all()
    risk = 1 / (1 + np.exp(-result.intercept) * (1 / np.array(probability) - 1))
    assert risk.sum() == pytest.approx(2)


def test_intercept_of_confident_and_wrong_predictions_analytic():
    # Iterated least squares diverges here. By symmetry the intercept is 0.
    y, p = np.tile([0, 1], 10), np.repeat([1e-12, 1 - 1e-12], 10)
    assert calibration(y, p).intercept == pytest.approx(0, abs=1e-3)
    assert calibration(y, np.full(20, 1e-12)).intercept == pytest.approx(math.log(1e12))


def test_prevalence_for_all_has_no_skill_analytic():
    prevalence = np.full(15, OUTCOME.mean())
    assert calibration(OUTCOME, prevalence).scaled_brier == pytest.approx(0)


def test_net_benefit_r():
    # R: sum(p >= t & y == 1) / 15 - sum(p >= t & y == 0) / 15 * t / (1 - t);
    # mean(y) - (1 - mean(y)) * t / (1 - t)
    curve = decision_curve(OUTCOME, PROBABILITY, THRESHOLDS)
    model = [0.466666666667, 0.414814814815, 0.25641025641, 0.2, 0.2, 0]
    everyone = [0.466666666667, 0.407407407407, 0.179487179487]
    everyone += [-0.0666666666667, -1.66666666667, -52.3333333333]
    assert curve.model == pytest.approx(np.array(model), rel=1e-10)
    assert curve.treat_all == pytest.approx(np.array(everyone), rel=1e-10)
    assert curve.treat_none.tolist() == [0] * 6


def test_net_benefit_of_certain_predictions_analytic():
    prevalence = OUTCOME.mean()
    perfect, wrong = (decision_curve(OUTCOME, p, [0.2, 0.75]) for p in (OUTCOME, 1 - OUTCOME))
    assert perfect.model == pytest.approx(np.full(2, prevalence))
    assert wrong.model == pytest.approx(-(1 - prevalence) * np.array([0.25, 3]))


def test_the_interval_of_the_net_benefit_of_treating_all_is_binomial_scipy():
    """Where everybody is treated, the net benefit is a linear function of how many have it."""
    outcome, t = np.repeat([1, 0], [30, 70]), 0.2
    low, high = net_benefit_interval(outcome, np.ones((3, 100)), [t], replicates=20000)
    ends = binom(100, 0.3).ppf([0.025, 0.975]) / 100
    np.testing.assert_allclose([low[0], high[0]], ends - t / (1 - t) * (1 - ends), atol=0.013)


def test_repetitions_that_agree_are_as_one_invariant():
    once = net_benefit_interval(OUTCOME, [PROBABILITY], THRESHOLDS)
    thrice = net_benefit_interval(OUTCOME, [PROBABILITY] * 3, THRESHOLDS)
    np.testing.assert_array_equal(once, thrice)
    benefit = decision_curve(OUTCOME, PROBABILITY, THRESHOLDS).model
    assert (once[0] <= benefit).all()
    assert (benefit <= once[1]).all()


def test_a_patient_without_a_prediction_does_not_count_invariant():
    some = np.where(np.arange(15) < 12, PROBABILITY, np.nan)
    low, high = net_benefit_interval(OUTCOME, [some], THRESHOLDS)
    benefit = decision_curve(OUTCOME[:12], some[:12], THRESHOLDS).model
    assert (low <= benefit).all()
    assert (benefit <= high).all()
    with pytest.raises(InputError, match=r"shape \(R, 15\), found \(15,\)"):
        net_benefit_interval(OUTCOME, some, THRESHOLDS)


def test_treating_all_and_none_meet_at_the_prevalence_invariant():
    curve = decision_curve(OUTCOME, np.full(15, 0.9), [OUTCOME.mean(), 0.3])
    assert curve.treat_all[0] == pytest.approx(0)
    assert curve.model == pytest.approx(curve.treat_all)


@pytest.mark.parametrize(
    ("probability", "message"),
    [
        ([0.1, 1.0], "above 0 and below 1, found 0.1 to 1.0"),
        ([0.0, 0.5], "above 0 and below 1, found 0.0 to 0.5"),
        ([0.5, math.nan], "`probability` to hold finite numbers, found 1 not"),
        ([0.5], r"`probability` to have shape \(2,\)"),
    ],
)
def test_unusable_probabilities(probability, message):
    with pytest.raises(InputError, match=message):
        calibration([0, 1], probability)


def test_unusable_arguments_of_calibration_and_decision_curve():
    with pytest.raises(InputError, match="`level`"):
        calibration([0, 1], [0.2, 0.4], level=95)
    with pytest.raises(InputError, match=r"from 0 to 1, found 0\.2 to 40"):
        decision_curve([0, 1], [0.2, 40], [0.5])
    with pytest.raises(InputError, match=r"from 0 to below 1, found 0\.5 to 1"):
        decision_curve([0, 1], [0.2, 0.4], [0.5, 1])
