import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.model_selection import StratifiedKFold
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from lggshape.errors import InputError
from lggshape.statistics import auc
from lggshape.statistics.prediction import (
    calibration,
    cox_snell,
    cox_snell_from_auc,
    cross_validated,
    decision_curve,
    required_sample_size,
    stratified_folds,
)

OUTCOME = np.array([0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1])
PROBABILITY = np.array(
    [0.2, 0.4, 0.5, 0.7, 0.9, 0.1, 0.35, 0.8, 0.6, 0.3, 0.05, 0.15, 0.65, 0.45, 0.97]
)


def patients(seed, count=60, covariates=3, effect=1.5):
    """Draw patients whose first covariate matters."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, covariates)) * 10.0 ** np.arange(covariates) + 5
    risk = 1 / (1 + np.exp(-effect * (X[:, 0] - 5) + 0.5))
    return (rng.random(count) < risk).astype(int), X


def ridge(y, X, C, new):
    """Predict new rows by Newton's method; the intercept is not penalised."""
    design = np.column_stack([np.ones(len(X)), X])
    penalty = np.diag([0.0, *[1 / C] * X.shape[1]])
    beta = np.zeros(design.shape[1])
    for _ in range(30):
        risk = 1 / (1 + np.exp(-design @ beta))
        information = (design.T * (risk * (1 - risk))) @ design + penalty
        beta += np.linalg.solve(information, design.T @ (y - risk) - penalty @ beta)
    return 1 / (1 + np.exp(-beta[0] - new @ beta[1:]))


# No effect, some, and one that hardly needs a penalty: the grid's first, middle and last values.
@pytest.mark.parametrize("effect", [0, 1.5, 50])
def test_nested_cross_validation_by_newtons_method_analytic(effect):
    y, X = patients(0, effect=effect)
    folds = np.arange(60) % 2
    expected = np.empty(60)
    for fold in (0, 1):
        train, losses = folds != fold, {}
        Z, outcome = (X - X[train].mean(axis=0)) / X[train].std(axis=0), y[train]
        inner = StratifiedKFold(5, shuffle=True, random_state=4)
        for C in (0.001, 0.01, 0.1, 1, 10, 100):
            means = []
            for fit, check in inner.split(outcome, outcome):
                p = ridge(outcome[fit], Z[train][fit], C, Z[train][check])
                means.append(-np.mean(np.log(np.where(outcome[check] == 1, p, 1 - p))))
            losses[C] = np.mean(means)
        expected[~train] = ridge(outcome, Z[train], min(losses, key=losses.get), Z[~train])
    result = cross_validated(y, X, folds, seed=4)
    assert result.probability == pytest.approx(expected, abs=1e-5)
    assert result.unpredicted == 0


def test_a_held_out_row_does_not_leak_invariant():
    y, X = patients(1)
    folds = stratified_folds(y, 3)
    before = cross_validated(y, X, folds).probability
    row = 7
    X[row], y[row] = [1e6, -1e7, 1e9], 1 - y[row]
    after = cross_validated(y, X, folds).probability
    same = (folds == folds[row]) & (np.arange(60) != row)
    assert (after[same] == before[same]).all()
    assert (after[folds != folds[row]] != before[folds != folds[row]]).all()


def test_units_of_covariates_do_not_matter_invariant():
    y, X = patients(2)
    folds = stratified_folds(y, 4)
    rescaled = cross_validated(y, 1e3 * X - 40, folds).probability
    assert rescaled == pytest.approx(cross_validated(y, X, folds).probability, abs=1e-9)


def test_names_of_folds_do_not_matter_invariant():
    y, X = patients(3)
    institutions = np.repeat([0, 1, 2], [30, 20, 10])
    renamed = np.array([7, -1, 3])[institutions]
    expected = cross_validated(y, X, institutions).probability
    assert (cross_validated(y, X, renamed).probability == expected).all()


def test_constant_covariates_leave_the_prevalence_of_the_training_part_analytic():
    y = np.repeat([0, 1, 0, 1], [3, 7, 6, 4])
    folds = np.repeat([0, 1], 10)
    expected = np.repeat([0.4, 0.7], 10)
    result = cross_validated(y, np.full((20, 2), 3.0), folds)
    assert result.probability == pytest.approx(expected, abs=1e-6)


def test_permuted_outcome_is_predicted_by_chance_simulated():
    rng = np.random.default_rng(5)
    y, X = patients(5, count=80)
    areas = []
    for shuffled in [y, *(rng.permutation(y) for _ in range(5))]:
        p = cross_validated(shuffled, X, stratified_folds(shuffled, 4)).probability
        areas.append(auc(p[shuffled == 1], p[shuffled == 0]).estimate)
    assert areas[0] > 0.75
    # Below one half rather than above: see the notes of the function.
    assert 0.35 < np.mean(areas[1:]) < 0.55


@pytest.mark.parametrize(("positives", "unpredicted"), [(0, 10), (1, 10), (2, 0)])
def test_folds_without_enough_positives_elsewhere_analytic(positives, unpredicted):
    # All other positives are in fold 0, so that its training part has this many.
    y = np.zeros(30, dtype=int)
    y[:4] = 1
    y[10 : 10 + positives] = 1
    folds = np.repeat([0, 1, 2], 10)
    result = cross_validated(y, np.arange(30.0)[:, None], folds)
    assert result.unpredicted == unpredicted
    assert (np.isnan(result.probability) == ((folds == 0) & (unpredicted > 0))).all()


def test_seed_decides_the_inner_folds_alone_invariant():
    y, X = patients(6, count=40, effect=0.4)
    folds = stratified_folds(y, 2)
    results = [cross_validated(y, X, folds, seed=seed).probability for seed in (0, 0, 1, 2, 3)]
    assert (results[0] == results[1]).all()
    assert any((results[0] != other).any() for other in results[2:])


@pytest.mark.parametrize("count", [2, 5, 13])
def test_folds_are_stratified_invariant(count):
    y = np.repeat([0, 1], [40, 13])
    folds = stratified_folds(y, count, seed=1)
    sizes, positives = np.bincount(folds), np.bincount(folds, y)
    assert len(sizes) == count
    assert np.ptp(positives) <= 1
    assert np.ptp(sizes) <= 2
    assert (stratified_folds(y, count, seed=1) == folds).all()
    assert (stratified_folds(y, count, seed=2) != folds).any()


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
    assert cox_snell(OUTCOME, prevalence) == pytest.approx(0)


THRESHOLDS = [0, 0.1, 0.35, 0.5, 0.8, 0.99]


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


def test_treating_all_and_none_meet_at_the_prevalence_invariant():
    curve = decision_curve(OUTCOME, np.full(15, 0.9), [OUTCOME.mean(), 0.3])
    assert curve.treat_all[0] == pytest.approx(0)
    assert curve.model == pytest.approx(curve.treat_all)


def test_cox_snell_of_a_fit_r():
    # R: f <- glm(y ~ qlogis(p), binomial); 1 - exp((f$deviance - f$null.deviance) / 15)
    log_odds = np.log(PROBABILITY / (1 - PROBABILITY))
    design = np.column_stack([np.ones(15), log_odds])
    fitted = GLM(OUTCOME, design, family=Binomial()).fit().fittedvalues
    assert cox_snell(OUTCOME, fitted) == pytest.approx(0.429112760007, rel=1e-9)


def test_cox_snell_of_a_bad_prediction_is_negative_analytic():
    # The log-likelihood falls by log 2 - log 4 a row.
    assert cox_snell([0, 1], [0.75, 0.25]) == pytest.approx(1 - 4)


@pytest.mark.parametrize(
    ("area", "prevalence", "expected"),
    [
        # R: integrate(), over f = phi N(mu, 1) + (1 - phi) N(0, 1), of the expected log-likelihood
        # of plogis(qlogis(phi) + mu x - mu^2 / 2); mu <- sqrt(2) * qnorm(auc)
        (0.5, 0.3, 0),
        (0.7, 0.5, 0.120844712962),
        (0.77, 0.2, 0.147615094977),
        (0.79, 0.018, 0.022351228530),
        (0.81, 0.77, 0.212053719056),
        (0.89, 0.174, 0.290954910091),
        (0.999, 0.3, 0.683663107527),
    ],
)
def test_cox_snell_from_auc_r(area, prevalence, expected):
    assert cox_snell_from_auc(area, prevalence) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    mirrored = cox_snell_from_auc(area, 1 - prevalence)
    assert mirrored == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_cox_snell_from_auc_is_that_of_a_large_sample_statsmodels():
    # The quantiles of the two distributions, as Riley et al. draw random numbers.
    y = np.repeat([0, 1], [14000, 6000])
    x = np.concatenate([norm.ppf((np.arange(n) + 0.5) / n) for n in (14000, 6000)])
    x += y * math.sqrt(2) * norm.ppf(0.8)
    fitted = GLM(y, np.column_stack([np.ones(20000), x]), family=Binomial()).fit().fittedvalues
    assert cox_snell_from_auc(0.8, 0.3) == pytest.approx(cox_snell(y, fitted), rel=1e-3)


def test_sample_size_published():
    # Riley et al., BMJ 2020, and the example of pmsampsize: 24 parameters, 17.4 % of patients.
    size = required_sample_size(prevalence=0.174, cox_snell_r2=0.288, parameters=24)
    assert size == (623, 662, 221, 662)
    # The test of pmsampsize for a C statistic of 0.89, which simulates a million patients.
    r2 = cox_snell_from_auc(0.89, 0.174)
    size = required_sample_size(prevalence=0.174, cox_snell_r2=r2, parameters=24)
    assert size == (615, 660, 221, 660)


@pytest.mark.parametrize(
    ("prevalence", "r2", "parameters", "target"),
    [(0.05, 0.05, 30, 0.9), (0.5, 0.3, 6, 0.9), (0.25, 0.1, 3, 0.8), (0.5, 0.74, 1, 0.95)],
)
def test_one_patient_fewer_misses_the_criterion_analytic(prevalence, r2, parameters, target):
    size = required_sample_size(
        prevalence=prevalence, cox_snell_r2=r2, parameters=parameters, shrinkage=target
    )
    entropy = -prevalence * math.log(prevalence) - (1 - prevalence) * math.log(1 - prevalence)
    nagelkerke = r2 / (1 - math.exp(-2 * entropy))

    def shrinkage(n, factor):
        # Van Houwelingen and Le Cessie's factor of a model with apparent R squared r2 / factor.
        return 1 + parameters / (n * math.log(1 - r2 / factor))

    # Optimism is 0.05 where the apparent R squared of Nagelkerke is this many times the true one.
    inflated = nagelkerke / (nagelkerke + 0.05)
    for n, factor in ((size.shrinkage, target), (size.optimism, inflated)):
        assert shrinkage(n, factor) >= factor > shrinkage(n - 1, factor)
    reach = [
        1.96 * math.sqrt(prevalence * (1 - prevalence) / n) for n in (size.risk, size.risk - 1)
    ]
    assert reach[0] <= 0.05 < reach[1]
    assert size.required == max(size[:3])


@pytest.mark.parametrize(
    ("outcome", "covariates", "folds", "message"),
    [
        ([0, 1, 2], np.ones((3, 1)), [0, 1, 1], r"`outcome` to hold 0 and 1, found \[0.0, 1.0, 2"),
        ([0, 0, 0], np.ones((3, 1)), [0, 1, 1], r"`outcome` to hold 0 and 1, found \[0.0\]"),
        ([0, 1, math.nan], np.ones((3, 1)), [0, 1, 1], "`outcome` to hold finite numbers"),
        ([0, 1, 1], [[1.0], [math.nan], [2.0]], [0, 1, 1], "`covariates` .* finite .* found 1 not"),
        ([0, 1, 1], [["a"], ["b"], ["c"]], [0, 1, 1], "`covariates` to hold numbers"),
        ([0, 1, 1], np.ones((2, 4)), [0, 1, 1], r"shape \(3, P\), found \(2, 4\)"),
        ([0, 1, 1], np.ones((3, 0)), [0, 1, 1], "`covariates` .* at least one number"),
        ([0, 1, 1], np.ones(3), [0, 1, 1], r"shape \(3, P\), found \(3,\)"),
        ([0, 1, 1], np.ones((3, 1)), [0, 1], r"`folds` to be 3 integers, found shape \(2,\)"),
        ([0, 1, 1], np.ones((3, 1)), [0, 1, math.nan], "`folds` .* of type float64"),
        ([0, 1, 1], np.ones((3, 1)), [4, 4, 4], r"at least two folds, found \[4\]"),
    ],
)
def test_unusable_rows(outcome, covariates, folds, message):
    with pytest.raises(InputError, match=message):
        cross_validated(outcome, covariates, folds)


@pytest.mark.parametrize("count", [1, 3])
def test_unusable_number_of_folds(count):
    with pytest.raises(InputError, match=f"from 2 to the 2 of the rarer outcome, found {count}"):
        stratified_folds([0, 1, 0, 1, 0], count)


@pytest.mark.parametrize("function", [calibration, cox_snell])
@pytest.mark.parametrize(
    ("probability", "message"),
    [
        ([0.1, 1.0], "above 0 and below 1, found 0.1 to 1.0"),
        ([0.0, 0.5], "above 0 and below 1, found 0.0 to 0.5"),
        ([0.5, math.nan], "`probability` to hold finite numbers, found 1 not"),
        ([0.5], r"`probability` to have shape \(2,\)"),
    ],
)
def test_unusable_probabilities(function, probability, message):
    with pytest.raises(InputError, match=message):
        function([0, 1], probability)


def test_unusable_arguments_of_calibration_and_decision_curve():
    with pytest.raises(InputError, match="`level`"):
        calibration([0, 1], [0.2, 0.4], level=95)
    with pytest.raises(InputError, match=r"from 0 to 1, found 0\.2 to 40"):
        decision_curve([0, 1], [0.2, 40], [0.5])
    with pytest.raises(InputError, match=r"from 0 to below 1, found 0\.5 to 1"):
        decision_curve([0, 1], [0.2, 0.4], [0.5, 1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"prevalence": 0.0}, "`prevalence` to be above 0 and below 1, found 0.0"),
        ({"prevalence": math.nan}, "`prevalence`"),
        ({"cox_snell_r2": 0.0}, "`cox_snell_r2` to be above 0 and below 0.6752"),
        ({"cox_snell_r2": 0.7}, "`cox_snell_r2` to be above 0 and below 0.6752, found 0.7"),
        ({"parameters": 0}, "`parameters` to be at least 1, found 0"),
        ({"shrinkage": 1.0}, "`shrinkage` to be above 0.2 and below 1, found 1.0"),
        ({"shrinkage": 0.2}, "`shrinkage` to be above 0.2"),
    ],
)
def test_unusable_assumptions(changed, message):
    usable = {"prevalence": 0.25, "cox_snell_r2": 0.2, "parameters": 5}
    with pytest.raises(InputError, match=message):
        required_sample_size(**(usable | changed))


@pytest.mark.parametrize(("area", "prevalence"), [(0.49, 0.3), (1.0, 0.3), (0.7, 1.0)])
def test_unusable_auc_or_prevalence(area, prevalence):
    with pytest.raises(InputError, match=r"`auc`|`prevalence`"):
        cox_snell_from_auc(area, prevalence)
