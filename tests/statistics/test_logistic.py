import math

import numpy as np
import pytest
from scipy.stats import norm

from lggshape.errors import InputError
from lggshape.statistics.logistic import ridge_logistic

X = [1.2, 0.4, 2.2, 3.1, 1.9, 0.7, 2.8, 3.6, 1.1, 2.5, 0.9, 3.9, 2.0, 1.5, 3.3, 0.2]
Z = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3]
Y = [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0]
BOTH = np.column_stack([X, Z])


@pytest.mark.parametrize(
    ("scale", "intercept", "ratios"),
    # R: X <- scale(cbind(x, z)); s <- scale; nl <- function(b) { e <- b[1] + X %*% b[-1];
    # sum(log1p(exp(e)) - y * e) + sum(b[-1]^2) / (2 * s^2) }; b <- optim(c(0, 0, 0), nl, gr,
    # method = "BFGS", control = list(reltol = 1e-16))$par, with gr its gradient; D <- cbind(1, X);
    # p <- c(plogis(D %*% b)); H <- t(D) %*% (D * p * (1 - p)) + diag(c(0, 1, 1)) / s^2;
    # se <- sqrt(diag(solve(H))); exp(cbind(b, b - qnorm(.975) * se, b + qnorm(.975) * se))
    [
        (
            2.5,
            0.0480321982647204,
            [
                (7.1473534001966, 1.218975228349915, 41.90787428588966),
                (1.4648142915749, 0.357394764251424, 6.00367191527352),
            ],
        ),
        (
            0.5,
            0.0039487587815475,
            [
                (2.00259897029928, 0.953771478323047, 4.20478356397798),
                (1.14284725556104, 0.552094188298596, 2.36571925085545),
            ],
        ),
    ],
)
def test_odds_ratios_and_intervals_r(scale, intercept, ratios):
    result = ridge_logistic(Y, BOTH, prior_scale=scale)
    assert result.intercept == pytest.approx(intercept, abs=1e-6)
    for found, expected in zip(result.odds_ratios, ratios, strict=True):
        assert found == pytest.approx(expected, rel=1e-5)
    assert (result.n, result.events) == (16, 8)


def test_without_a_prior_it_is_the_usual_regression_r():
    # R: m <- glm(y ~ scale(cbind(x, z)), binomial, control = list(epsilon = 1e-14));
    # exp(cbind(coef(m), coef(m) - q, coef(m) + q)) with q <- qnorm(.975) * sqrt(diag(vcov(m)))
    result = ridge_logistic(Y, BOTH, prior_scale=1e4)
    assert result.intercept == pytest.approx(0.0635108300951236, abs=1e-6)
    expected = [
        (10.34886768071351, 1.064218120961645, 100.63638285496269),
        (1.66647795258543, 0.314576548589448, 8.82821297043915),
    ]
    for found, ratio in zip(result.odds_ratios, expected, strict=True):
        assert found == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_narrow_prior_is_all_that_is_left_analytic(level):
    reach = norm.ppf((1 + level) / 2) * 1e-3
    for ratio in ridge_logistic(Y, BOTH, prior_scale=1e-3, level=level).odds_ratios:
        expected = (1, math.exp(-reach), math.exp(reach))
        assert ratio == pytest.approx(expected, abs=1e-5)


def test_slope_balances_likelihood_and_prior_analytic():
    # At the mode the residuals' product with the column is the slope over the prior's variance,
    # and the residuals sum to 0: the intercept has no prior.
    outcome = np.array([0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1])
    column = np.arange(12.0)
    result = ridge_logistic(outcome, column[:, None], prior_scale=0.7)
    standardised = (column - column.mean()) / column.std(ddof=1)
    slope = math.log(result.odds_ratios[0].estimate)
    residuals = outcome - 1 / (1 + np.exp(-result.intercept - slope * standardised))
    assert residuals @ standardised == pytest.approx(slope / 0.7**2, rel=1e-5)
    assert residuals.sum() == pytest.approx(0, abs=1e-5)


def test_equal_columns_share_a_slope_analytic():
    # Two slopes with a variance s^2 on the same column: their sum has the variance 2 s^2.
    twice = ridge_logistic(Y, np.column_stack([X, X, Z]), prior_scale=1.5)
    assert twice.odds_ratios[0] == pytest.approx(twice.odds_ratios[1], rel=1e-6)
    single = ridge_logistic(Y, np.array(X)[:, None], prior_scale=1.5 * math.sqrt(2))
    alone = ridge_logistic(Y, np.column_stack([X, X]), prior_scale=1.5)
    assert alone.odds_ratios[0].estimate ** 2 == pytest.approx(
        single.odds_ratios[0].estimate, rel=1e-5
    )


def test_complete_separation_is_finite_invariant():
    outcome = np.array(X) > 2
    ratios = [
        ridge_logistic(outcome, np.array(X)[:, None], prior_scale=scale).odds_ratios[0]
        for scale in (1, 2.5, 10)
    ]
    assert all(0 < ratio.low < ratio.estimate < ratio.high < math.inf for ratio in ratios)
    assert ratios[0].estimate < ratios[1].estimate < ratios[2].estimate


def test_units_do_not_matter_invariant():
    expected = ridge_logistic(Y, BOTH)
    result = ridge_logistic(Y, BOTH * [1e-6, -1e5] + [40, 3])
    assert result.odds_ratios[0] == pytest.approx(expected.odds_ratios[0], rel=1e-5)
    estimate, low, high = expected.odds_ratios[1]
    assert result.odds_ratios[1] == pytest.approx((1 / estimate, 1 / high, 1 / low), rel=1e-5)


def test_the_other_outcome_has_reciprocal_ratios_invariant():
    one, other = ridge_logistic(Y, BOTH), ridge_logistic(1 - np.array(Y), BOTH)
    assert other.intercept == pytest.approx(-one.intercept, abs=1e-6)
    for ratio, mirrored in zip(one.odds_ratios, other.odds_ratios, strict=True):
        estimate, low, high = ratio
        assert mirrored == pytest.approx((1 / estimate, 1 / high, 1 / low), rel=1e-5)


def test_interval_beyond_all_numbers_is_infinite():
    ratio = ridge_logistic([0, 0, 1, 1], [[1], [2], [3], [4]], prior_scale=1e4).odds_ratios[0]
    assert (ratio.low, ratio.high) == (0, math.inf)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"outcome": [0] * 16}, "both 0 and 1, found 0 of 16"),
        ({"outcome": [1] * 16}, "both 0 and 1, found 16 of 16"),
        ({"outcome": [0, 1, 2, 3] * 4}, r"`outcome` to hold 0 and 1, found \[0.0, 1.0, 2.0"),
        ({"outcome": Y[:5]}, r"`covariates` to have shape \(5, columns\), found \(16, 2\)"),
        ({"covariates": X}, r"`covariates` to have shape \(16, columns\), found \(16,\)"),
        ({"covariates": np.empty((16, 0))}, "columns that vary, found no column"),
        ({"covariates": np.column_stack([X, [0.1] * 16])}, "vary, found column 2 constant"),
        ({"covariates": np.full((16, 1), math.nan)}, "finite numbers, found 16 not"),
        ({"prior_scale": 0}, "`prior_scale` to be positive and finite, found 0"),
        ({"prior_scale": math.inf}, "`prior_scale` to be positive and finite, found inf"),
        ({"level": 2}, "between 0 and 1"),
    ],
)
def test_unusable_arguments(changed, message):
    with pytest.raises(InputError, match=message):
        ridge_logistic(**({"outcome": Y, "covariates": BOTH} | changed))
