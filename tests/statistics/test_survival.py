import math

import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics.survival import cox

# R: d <- na.omit(lung[185:228, c("time", "status", "age", "sex", "ph.ecog")]), survival 3.5-3.
DAYS = [
    *(292, 332, 285, 259, 110, 286, 270, 81, 131, 225, 269, 225, 243, 279, 276, 135, 79, 59, 240),
    *(202, 235, 105, 224, 239, 237, 173, 252, 221, 185, 92, 13, 222, 192, 183, 211, 175, 197, 203),
    *(116, 188, 191, 105, 174, 177),
]
MONTHS = np.round(np.array(DAYS) / 30.44)
"""With up to four events in one."""
DIED = np.isin(np.arange(44), [2, 4, 5, 6, 7, 8, 10, 15, 16, 17, 21, 23, 30, 33, 38])
AGE = [
    *(51, 45, 72, 58, 64, 53, 72, 52, 50, 64, 71, 70, 63, 64, 52, 60, 64, 73, 63, 50, 63, 62),
    *(55, 50, 69, 59, 60, 67, 69, 64, 65, 65, 41, 76, 70, 57, 67, 71, 76, 77, 39, 75, 66, 58),
]
SEX = [
    *(2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 2, 1, 2, 1, 2, 2, 2, 1),
    *(2, 2, 1, 2, 2, 1, 1, 2, 1, 1, 2, 1, 2, 2, 1, 2, 1, 1, 1, 2, 1, 2),
]
ECOG = [
    *(0, 0, 2, 0, 1, 0, 1, 2, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 2),
    *(0, 2, 1, 1, 0, 1, 1, 2, 1, 1, 1, 2, 2, 0, 1, 1, 1, 1, 0, 2, 1, 1),
]
THREE = np.column_stack([AGE, SEX, ECOG])


def numbers(term):
    """All that a term says but its name."""
    return [*term[1:3], *term.hazard_ratio, *term[4:]]


@pytest.mark.parametrize(
    ("time", "covariates", "log_likelihood", "expected"),
    # R: f <- coxph(Surv(time, status) ~ age + sex + ph.ecog, d, ties = "efron"); cbind(coef(f),
    # sqrt(diag(vcov(f))), exp(coef(f)), exp(confint(f)), summary(f)$coefficients[, 5]); without
    # each column, ll its maximum: pchisq(2 * (f$loglik[2] - ll), 1, lower = FALSE); and
    # cox.zph(f, transform = "km")$table[, "p"]
    [
        (
            DAYS,
            THREE,
            -34.6779927909447,
            [
                *(-0.0349718171380537, 0.0334437538478387, 0.965632630165189, 0.904366690105965),
                *(1.031049005498516, 0.2957039302334382, 0.307861405285018, 0.59877270850679),
                *(-2.3011919394039091, 0.800004036213397, 0.100139412447941, 0.0208756673922751),
                *(0.480363177712327, 0.0040214352495135, 8.38713665720863e-4, 0.702055711316669),
                *(1.9386940361565916, 0.5401607920344621, 6.949669025111382, 2.4108956992844282),
                *(20.033176703964326, 3.31814626680318e-4, 2.24488774932509e-4, 0.158527250789837),
            ],
        ),
        (
            MONTHS,
            THREE,
            -37.7166452652516,
            [
                *(-0.0428849143391896, 0.0323696536086362, 0.958021638276227, 0.8991294427588515),
                *(1.020771221315264, 0.185221125022245, 0.19849245333952, 0.879018778368871),
                *(-1.9237399268676576, 0.738295012930413, 0.146059686836378, 0.0343631138336089),
                *(0.620823602367365, 0.0091699558231915, 0.00328862479699788, 0.573533733498645),
                *(1.832529351011008, 0.516364829829577, 6.249674303878396, 2.2715737691701614),
                *(17.194435608765868, 3.86837682500122e-4, 2.85271390284189e-4, 0.212636383373711),
            ],
        ),
        (
            MONTHS,
            np.array(SEX)[:, None],
            -44.4553813988414,
            [
                *(-1.35253801797979, 0.646888565031096, 0.258583138450002, 0.0727725607610734),
                *(0.918824881127714, 0.0365427513927502, 0.0195645539630066, 0.494019145345084),
            ],
        ),
    ],
)
def test_terms_and_likelihood_r(time, covariates, log_likelihood, expected):
    result = cox(time, DIED, covariates)
    found = [number for term in result.terms for number in numbers(term)]
    assert found == pytest.approx(expected, rel=1e-7)
    assert (result.n, result.events) == (44, 15)
    assert result.log_likelihood == pytest.approx(log_likelihood, rel=1e-12)


def test_three_events_analytic():
    # With u the hazard ratio, u / (2 + u) + u / (1 + u) = 1: u is the root of 2.
    result = cox([1, 2, 3], [1, 1, 1], [[0], [1], [0]])
    u = math.sqrt(2)
    assert result.terms[0].hazard_ratio.estimate == pytest.approx(u, rel=1e-12)
    assert result.log_likelihood == pytest.approx(math.log(u / (2 + u) / (1 + u)), rel=1e-12)


def test_efron_counts_ties_as_any_order_analytic():
    # Two of four tie, the one with x = 1 and one without: u / ((3 + u) (3 + u - (1 + u) / 2)) is
    # largest at u^2 = 15.
    result = cox([1, 1, 2, 2], [1, 1, 0, 0], [[1], [0], [0], [0]])
    assert result.terms[0].hazard_ratio.estimate == pytest.approx(math.sqrt(15), rel=1e-9)


def test_level_widens_the_interval_analytic():
    # R: qnorm(.9) and qnorm(.975)
    narrow = cox(DAYS, DIED, THREE, level=0.8).terms[0].hazard_ratio
    wide = cox(DAYS, DIED, THREE).terms[0].hazard_ratio
    widths = [math.log(ratio.high / ratio.low) for ratio in (narrow, wide)]
    assert widths[0] / widths[1] == pytest.approx(1.2815515655446 / 1.95996398454005, rel=1e-9)


def test_order_of_times_is_all_that_counts_invariant():
    expected = cox(MONTHS, DIED, THREE)
    found = cox(np.exp(MONTHS / 10), DIED, THREE)
    for term, same in zip(found.terms, expected.terms, strict=True):
        assert numbers(term) == pytest.approx(numbers(same))


def test_rows_that_leave_before_the_first_event_count_for_n_alone_invariant():
    expected = cox(DAYS, DIED, THREE)
    found = cox([*DAYS, 0, 12], [*DIED, 0, 0], [*THREE, [1e5, 0, 0], [0, 0, -1e5]])
    assert (found.n, found.events) == (46, 15)
    for term, same in zip(found.terms, expected.terms, strict=True):
        assert numbers(term) == pytest.approx(numbers(same))


def test_units_do_not_matter_invariant():
    expected = cox(DAYS, DIED, THREE, names=["age", "sex", "ecog"])
    found = cox(DAYS, DIED, 1e4 + 1e-3 * THREE[:, ::-1], names=["ecog", "sex", "age"])
    for term, same in zip(found.terms, reversed(expected.terms), strict=True):
        assert term.name == same.name
        assert term.coefficient == pytest.approx(1e3 * same.coefficient, rel=1e-7)
        assert term[4:] == pytest.approx(same[4:], rel=1e-6)


def test_ratio_beyond_all_numbers_is_infinite():
    ratio = cox(DAYS, DIED, 1e-5 * THREE[:, 2:]).terms[0].hazard_ratio
    assert ratio.estimate == math.inf


def test_proportional_hazards_are_told_from_others_simulated():
    rng = np.random.default_rng(5)
    proportional, changing = [], []
    for _ in range(25):
        group = np.repeat([0.0, 1.0], 60)
        censored = rng.exponential(3, 120)
        for shape, found in ((1, proportional), (3, changing)):
            # A Weibull hazard of another shape: the ratio grows with time.
            time = 2 * rng.weibull(np.where(group == 1, shape, 1))
            happened = time <= censored
            result = cox(np.minimum(time, censored), happened, group[:, None])
            found.append(result.terms[0].p_proportional)
    assert np.mean(np.array(proportional) <= 0.05) < 0.2
    assert 0.3 < np.mean(proportional) < 0.7
    assert np.mean(np.array(changing) <= 0.05) > 0.9


def test_events_of_one_time_say_nothing_of_proportionality():
    result = cox([3, 3, 3, 5, 6, 2], [1, 1, 0, 0, 0, 0], [[1], [2], [3], [1], [2], [9]])
    # R: coxph(Surv(time, event) ~ x)
    assert result.terms[0].coefficient == pytest.approx(-0.648681339431276, rel=1e-9)
    assert math.isnan(result.terms[0].p_proportional)


def test_no_check_if_patients_at_risk_differ_at_one_event_alone_r() -> None:
    # cox.zph of R's survival 3.5 stops here: the system is singular.
    time, event = [22.2, 4.1, 10.9, 0.2, 0.7], [1, 0, 0, 1, 0]
    result = cox(time, event, np.array([[-1.0], [1], [0], [0], [-2]]))
    assert math.isfinite(result.terms[0].p)
    assert math.isnan(result.terms[0].p_proportional)


@pytest.mark.parametrize(
    ("time", "event", "covariates", "found"),
    [
        # The larger, the earlier; and a dummy without an event.
        ([1, 2, 3, 4], [1, 1, 0, 1], [[9], [7], [2], [6]], "`column 1`"),
        (DAYS, DIED, np.column_stack([AGE, np.arange(44) == 0]), "`column 2`"),
        # Neither column alone, but their sum.
        ([1, 2, 3, 4], [1] * 4, [[5, 0], [0, 4], [3, 0], [0, 2]], "`column 1`, `column 2`"),
        # Both events that tie have the largest value.
        ([1, 1, 2, 2], [1, 1, 0, 0], [[2], [2], [1], [0]], "`column 1`"),
    ],
)
def test_likelihood_without_a_maximum(time, event, covariates, found):
    with pytest.raises(InputError, match=f"highest or the lowest value of {found} of all"):
        cox(time, event, covariates)


@pytest.mark.parametrize(
    ("time", "event", "covariates", "expected"),
    # As above, but for a comparison or two. R: coef(coxph(Surv(time, event) ~ x))
    [
        ([1, 2, 3, 4], [1, 1, 0, 1], [[9], [6], [2], [7]], [0.746381961686239]),
        (
            DAYS,
            DIED,
            np.column_stack([AGE, np.isin(np.arange(44), [0, 2])]),
            [0.0583653476729939, -1.2448616015668141],
        ),
        (
            [1, 2, 3, 4, 5],
            [1] * 5,
            [[5, 0], [0, 4], [3, 0], [0, 2], [4, 1]],
            [-0.00850006189416916, 0.05368744702085683],
        ),
        ([1, 1, 2, 2], [1, 1, 0, 0], [[2], [1], [1], [0]], [1.29356246522598]),
    ],
)
def test_likelihood_that_just_has_a_maximum_r(time, event, covariates, expected):
    found = [term.coefficient for term in cox(time, event, covariates).terms]
    assert found == pytest.approx(expected, rel=1e-9)


def test_sparse_column_converges_r():
    # Whole steps of Newton's diverge here. R: e <- rep(1, 12); e[c(1, 3, 5, 7, 11)] <- 0;
    # coef(coxph(Surv(1:12, e) ~ x)) with x <- as.numeric(1:12 == 4)
    rows = np.arange(1, 13)
    event = ~np.isin(rows, [1, 3, 5, 7, 11])
    found = cox(rows, event, rows[:, None] == 4).terms[0].coefficient
    assert found == pytest.approx(2.19101331733694, rel=1e-9)


def test_no_convergence():
    # The first event has a value so large that the hazards of all others vanish beside it.
    with pytest.raises(InputError, match="found no convergence"):
        cox([1, 2, 3, 4, 5, 6], [1] * 6, [[1e6], [4], [5], [2], [3], [1]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"time": [-1, *DAYS[1:]]}, r"no negative times, found -1.0"),
        ({"time": [math.nan, *DAYS[1:]]}, "`time` to hold finite numbers, found 1 not"),
        ({"event": np.zeros(44)}, "at least one event, found none"),
        ({"event": DIED + 1}, r"`event` to hold 0 and 1, found \[1.0, 2.0\]"),
        ({"event": DIED[:5]}, "`event` to hold 44 values, found 5"),
        ({"covariates": AGE}, r"`covariates` to have shape \(44, columns\), found \(44,\)"),
        ({"covariates": np.empty((44, 0))}, "at least one column, found none"),
        ({"covariates": np.full((44, 1), math.inf)}, "finite numbers, found 44 not"),
        (
            {"covariates": np.column_stack([AGE, [0.1] * 44]), "names": ["age", "site"]},
            "vary among the rows at risk, found `site` constant",
        ),
        # Varies only before the first event.
        (
            {"event": np.array(DAYS) > 320, "covariates": np.array(DAYS)[:, None] < 100},
            "found `column 1` constant",
        ),
        (
            {"covariates": np.column_stack([AGE, SEX, np.add(AGE, SEX)])},
            "found 2 independent ones of 3",
        ),
        ({"names": ["age"]}, "`names` to hold 3, one per column, found 1"),
        ({"level": 0}, "between 0 and 1"),
    ],
)
def test_unusable_arguments(changed, message):
    with pytest.raises(InputError, match=message):
        cox(**({"time": DAYS, "event": DIED, "covariates": THREE} | changed))
