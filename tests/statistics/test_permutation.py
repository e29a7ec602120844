import itertools
import math

import numpy as np
import pytest
from scipy.stats import f, f_oneway, kstest, ncf

from lggshape.errors import InputError
from lggshape.statistics import permutation
from lggshape.statistics.permutation import freedman_lane

Y = [3.1, 4.7, 2.2, 5.9, 4.4, 6.8, 3.9, 7.3, 5.1, 8.6, 4.9, 9.2]
X = [0.2, 1.1, 0.4, 1.9, 0.7, 2.2, 0.1, 2.9, 1.3, 2.4, 0.8, 3.3]
Z = [5, 3, 6, 2, 7, 1, 9, 4, 8, 2, 6, 3]
G = np.tile(np.eye(3)[:, 1:], (4, 1))
"""Two dummies of three groups."""


def columns(*parts):
    return np.column_stack(parts)


def residual_sum(response, design):
    return np.sum((response - design @ np.linalg.lstsq(design, response)[0]) ** 2)


def enumerated_p(response, tested, covariates, permutations):
    """Freedman and Lane to the letter: fit, permute, add, refit; over all permutations."""
    ones = np.ones((len(response), 1))
    reduced, full = np.hstack([ones, covariates]), np.hstack([ones, covariates, tested])
    fit = reduced @ np.linalg.lstsq(reduced, response)[0]

    def ratio(values):
        return residual_sum(values, reduced) / residual_sum(values, full)

    observed = ratio(response)
    return np.mean(
        [
            ratio(fit + (response - fit)[list(order)]) >= observed * (1 - 1e-9)
            for order in permutations
        ]
    )


@pytest.mark.parametrize(
    ("tested", "covariates", "expected"),
    # R: a <- anova(r, m); F <- a$F[2]; q <- a$Df[2]; d <- a$Res.Df[2]; n <- 12;
    # lo <- if (pf(F, q, d) <= .975) 0 else uniroot(function(l) pf(F, q, d, l) - .975, ...)$root;
    # hi <- uniroot(function(l) pf(max(F, qf(.5, q, d)), q, d, l) - .025, ...)$root;
    # c(F, q, d, 1 - a$RSS[2] / a$RSS[1], lo / (lo + n), hi / (hi + n)), where r and m are
    [
        # lm(y ~ z), lm(y ~ z + x)
        (
            columns(X),
            columns(Z),
            (38.282453332813475, 1, 9, 0.809654546970089, 0.379392971732849, 0.883966384150778),
        ),
        # lm(y ~ x), lm(y ~ x + g)
        (G, columns(X), (1.041531669872588, 2, 8, 0.206590325733074, 0, 0.469785183339068)),
        # lm(y ~ z + x), lm(y ~ z + x + g)
        (G, columns(Z, X), (1.15076182810282, 2, 7, 0.247435123671394, 0, 0.486174494568091)),
        # lm(y ~ 1), lm(y ~ x + z)
        (
            columns(X, Z),
            np.empty((12, 0)),
            (33.40738624067103, 2, 9, 0.881289625947042, 0.548367634893997, 0.92633124928529),
        ),
    ],
)
def test_statistic_effect_and_interval_r(tested, covariates, expected):
    result = freedman_lane(Y, tested, covariates, strata=None, permutations=9)
    found = (result.statistic, result.df_tested, result.df_residual, *result.effect)
    assert found == pytest.approx(expected, rel=1e-7)
    assert (result.n, result.permutations) == (12, 9)


@pytest.mark.parametrize(
    ("tested", "covariates"),
    [
        (columns(X[:7]), columns(Z[:7])),
        (G[:7], columns(Z[:7])),
        (columns([0, 0, 0, 1, 1, 1, 1]), columns([0, 1, 0, 1, 0, 1, 1])),
    ],
)
def test_p_is_that_of_all_permutations_analytic(tested, covariates):
    response = np.array(Y[:7])
    expected = enumerated_p(response, tested, covariates, itertools.permutations(range(7)))
    draws = 20_000
    result = freedman_lane(response, tested, covariates, strata=None, permutations=draws)
    assert result.p == pytest.approx(expected, abs=4 * math.sqrt(expected / draws))


def test_p_is_that_of_all_permutations_within_strata_analytic():
    response, tested, covariates = np.array(Y[4:]), columns(Z[4:]), columns(X[4:])
    strata = np.array(list("abababab"))
    inner = list(itertools.permutations(range(4)))
    orders = np.empty((len(inner) ** 2, 8), dtype=int)
    for row, (one, other) in zip(orders, itertools.product(inner, inner), strict=True):
        row[::2], row[1::2] = 2 * np.array(one), 2 * np.array(other) + 1
    expected = enumerated_p(response, tested, covariates, orders)
    everywhere = freedman_lane(response, tested, covariates, strata=None, permutations=20_000)
    within = freedman_lane(response, tested, covariates, strata=strata, permutations=20_000)
    assert within.p == pytest.approx(expected, abs=4 * math.sqrt(expected / 20_000))
    assert abs(everywhere.p - expected) > 0.05


def test_without_covariates_it_is_the_permutation_of_f_scipy():
    response, groups = np.array(Y[:6]), np.array([0, 1, 0, 1, 2, 2])
    dummies = np.eye(3)[groups][:, 1:]

    def statistic(values):
        return f_oneway(*(values[groups == group] for group in range(3))).statistic

    observed = statistic(response)
    expected = np.mean(
        [
            statistic(np.array(values)) >= observed * (1 - 1e-9)
            for values in itertools.permutations(response)
        ]
    )
    result = freedman_lane(response, dummies, np.empty((6, 0)), strata=None, permutations=20_000)
    assert result.statistic == pytest.approx(observed)
    assert result.p == pytest.approx(expected, abs=4 * math.sqrt(expected / 20_000))


def test_large_sample_comes_near_the_f_distribution_analytic():
    rng = np.random.default_rng(1)
    covariates, tested = rng.normal(size=(110, 4)), rng.normal(size=(110, 3))
    response = rng.normal(size=110) + covariates[:, 0] + 0.2 * tested[:, 0]
    result = freedman_lane(response, tested, covariates, strata=None, permutations=20_000)
    expected = f.sf(result.statistic, 3, 110 - 8)
    assert result.p == pytest.approx(expected, abs=0.01)


def test_p_is_uniform_without_an_effect_simulated():
    # Skewed errors, a tested column that goes with the covariate, strata with means of their own.
    rng = np.random.default_rng(2)
    strata = np.repeat([0, 1, 2], 10)
    dummies = np.eye(3)[strata][:, 1:]
    p = []
    for seed in range(400):
        covariate = rng.normal(size=30)
        response = rng.exponential(size=30) + covariate + strata
        tested = columns(covariate + rng.normal(size=30))
        covariates = columns(covariate, dummies)
        result = freedman_lane(
            response, tested, covariates, strata=strata, permutations=199, seed=seed
        )
        p.append(result.p)
    assert kstest(p, "uniform").pvalue > 0.05
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.025)


def test_columns_that_are_constant_within_strata_gain_nothing_analytic():
    # Every permutation within strata has the same F as the response.
    response = np.arange(12) + np.array(X)
    tested, strata = columns(np.repeat([0, 1], 6)), np.repeat(["a", "b"], 6)
    none = np.empty((12, 0))
    assert freedman_lane(response, tested, none, strata=strata, permutations=999).p == 1
    assert freedman_lane(response, tested, none, strata=None, permutations=999).p < 0.01


def test_smallest_p_counts_the_response_itself_analytic():
    values = np.arange(60.0)
    result = freedman_lane(
        values, columns(values + np.sin(values)), np.empty((60, 0)), strata=None, permutations=99
    )
    assert result.p == 0.01


def test_batches_do_not_matter_invariant(monkeypatch):
    arguments = Y, columns(X), columns(Z)
    options = {"strata": list("abcabcabcabc"), "permutations": 1000}
    expected = freedman_lane(*arguments, **options)
    for size in (1, 12 * 7, 12 * 999):
        monkeypatch.setattr(permutation, "_BATCH", size)
        assert freedman_lane(*arguments, **options) == expected


def test_same_seed_gives_the_same_p_invariant():
    one, same, other = (
        freedman_lane(Y, G, columns(X), strata=None, permutations=500, seed=seed).p
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_dependent_columns_do_not_matter_invariant():
    z, x = np.array(Z, dtype=float), np.array(X)
    expected = freedman_lane(Y, columns(x, G[:, 0]), columns(z), strata=None, permutations=500)
    covariates = columns(1e6 * z + 3, z, np.full(12, 0.1), 2 * z - 1)
    tested = columns(x, G[:, 0], x - 2 * z, 1e-5 * x)
    result = freedman_lane(Y, tested, covariates, strata=None, permutations=500)
    assert (result.df_tested, result.df_residual) == (2, 8)
    assert result.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert result.p == expected.p


def test_units_do_not_matter_invariant():
    expected = freedman_lane(Y, columns(X), columns(Z), strata=None, permutations=500)
    result = freedman_lane(
        1e4 - 1e-3 * np.array(Y),
        columns(1e5 + np.array(X)),
        columns(1e-6 * np.array(Z)),
        strata=None,
        permutations=500,
    )
    assert result.effect == pytest.approx(expected.effect, rel=1e-8)
    assert result.p == expected.p


@pytest.mark.parametrize(
    ("response", "tested", "covariates", "freedoms"),
    [
        # Tested: explained by the covariates, constant, or none.
        (Y, columns(np.array(Z) * 3 + 1.5), columns(Z), (0, 10)),
        (Y, np.full((12, 1), 0.1), columns(Z), (0, 10)),
        (Y, np.empty((12, 0)), columns(Z), (0, 10)),
        # Response: explained by the covariates, or constant.
        (np.array(Z) / 3, columns(X), columns(Z), (1, 9)),
        ([0.1] * 12, columns(X), columns(Z), (1, 9)),
        # No degree of freedom for the residuals.
        (Y, columns(X), np.eye(12)[:, :10], (1, 0)),
    ],
)
def test_nothing_to_test_is_nan(response, tested, covariates, freedoms):
    result = freedman_lane(response, tested, covariates, strata=None, permutations=9)
    assert all(math.isnan(value) for value in (result.statistic, result.p, *result.effect))
    assert (result.df_tested, result.df_residual) == freedoms


def test_complete_explanation_analytic():
    response = np.array(X) + 2 * np.array(Z)
    result = freedman_lane(response, columns(X), columns(Z), strata=None, permutations=999)
    assert result.statistic == math.inf
    assert result.effect.estimate == pytest.approx(1)
    assert result.effect.low > 0.9999
    assert result.p < 0.01


def test_too_weak_effects_claim_no_more_than_the_median_one_analytic():
    # Orthogonal to the tested column but for a trace: F is near 0 and counts as the median.
    response = np.array([1, -1, -1, 1] * 5) + 1e-3 * np.arange(20)
    result = freedman_lane(
        response, columns([0, 0, 1, 1] * 5), np.empty((20, 0)), strata=None, permutations=9
    )
    assert result.effect.low == 0
    noncentrality = 20 * result.effect.high / (1 - result.effect.high)
    assert ncf.cdf(f.median(1, 18), 1, 18, noncentrality) == pytest.approx(0.025, rel=1e-6)


def test_interval_holds_the_truth_simulated():
    rng = np.random.default_rng(3)
    covariates, tested = columns(Z * 3), columns(X * 3, rng.normal(size=36))
    design = columns(np.ones(36), covariates)
    unexplained = tested[:, 0] - design @ np.linalg.lstsq(design, tested[:, 0])[0]
    noncentrality = np.sum(unexplained**2) * 0.5**2
    truth = noncentrality / (noncentrality + 36)
    inside = []
    for _ in range(400):
        response = 0.5 * tested[:, 0] + covariates[:, 0] + rng.normal(size=36)
        effect = freedman_lane(response, tested, covariates, strata=None, permutations=1).effect
        inside.append(effect.low <= truth <= effect.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"response": [1.0, math.nan] * 6}, "`response` to hold finite numbers, found 6 not"),
        ({"tested": X}, r"`tested` to have shape \(12, columns\), found \(12,\)"),
        ({"tested": [["a"]] * 12}, "`tested` to hold numbers"),
        ({"covariates": columns(Z[:5])}, r"\(12, columns\), found \(5, 1\)"),
        ({"covariates": columns([math.inf] * 12)}, "finite numbers, found 12 not"),
        ({"strata": [1, 2]}, r"`strata` to have shape \(12,\), one per row, found \(2,\)"),
        ({"strata": ["a", None] * 6}, "a stratum for every row, found 6 missing"),
        ({"permutations": 0}, "`permutations` to be a whole number of at least 1, found 0"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_unusable_arguments(changed, message):
    arguments = {"response": Y, "tested": columns(X), "covariates": columns(Z), "strata": None}
    with pytest.raises(InputError, match=message):
        freedman_lane(**(arguments | changed))
