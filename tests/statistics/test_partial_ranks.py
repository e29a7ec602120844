import math

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from lggshape.errors import InputError
from lggshape.statistics import (
    freedman_lane,
    normal_scores,
    partial_rank_correlation,
    variance_inflation,
)

# benchmarks/oracles/adjustment.R prints the values of R of this module, from the same numbers.
X = [
    *(2.1, 3.4, 1.9, 4.4, 5.0, 3.3, 6.1, 4.9, 7.2, 2.6),
    *(5.8, 6.6, 4.1, 3.9, 5.5, 2.9, 6.0, 4.7, 3.0, 5.1),
]
AGE = [61, 35, 48, 52, 70, 44, 66, 58, 41, 39, 73, 55, 48, 62, 50, 35, 57, 64, 47, 69]
GRADE = [1, 0, 0, 1, 2, 0, 2, 1, 2, 0, 1, 2, 1, 0, 2, 1, 1, 0, 0, 2]
NUMBER = [12, 30, 25, 18, 9, 28, 14, 20, 8, 33, 11, 16, 21, 19, 13, 27, 10, 22, 31, 15]
SITE = np.array(list("AABBACBACABCABCCABAC"))
GIVEN = np.column_stack([rankdata(AGE), normal_scores(AGE), SITE == "B", SITE == "C"]).astype(float)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (GRADE, (0.5957675381, 0.09639662154, 0.8555289905)),
        (NUMBER, (-0.5421615986, -0.8303881735, -0.02503338533)),
    ],
)
def test_partial_correlation_of_ranks_r(label: list[int], expected: tuple[float, ...]) -> None:
    found = partial_rank_correlation(X, label, GIVEN)
    assert found == pytest.approx(expected, rel=1e-8)


def test_variance_inflation_r() -> None:
    assert variance_inflation(X, GIVEN) == pytest.approx(1.595519601, rel=1e-9)


def test_the_square_of_the_partial_correlation_is_partial_r_squared_invariant() -> None:
    ranks = [np.argsort(np.argsort(values)) for values in (X, NUMBER)]
    model = freedman_lane(ranks[0], ranks[1][:, None], GIVEN, strata=None, permutations=1)
    rho = partial_rank_correlation(X, NUMBER, GIVEN).estimate
    assert rho**2 == pytest.approx(model.effect.estimate)


def test_normal_scores_do_not_depend_on_the_scale_invariant() -> None:
    np.testing.assert_array_equal(normal_scores(AGE), normal_scores(np.exp(AGE)))
    assert normal_scores([1, 1, 2])[0] == pytest.approx(norm.ppf(1.5 / 4))


def test_what_covariates_explain_has_no_correlation_analytic() -> None:
    ranks = np.arange(6.0)[:, None]
    found = partial_rank_correlation(range(6), [3, 1, 2, 6, 5, 4], ranks)
    assert math.isnan(found.estimate)
    assert variance_inflation(range(6), ranks) == math.inf
    assert math.isnan(variance_inflation([1, 1, 1], np.empty((3, 0))))


def test_few_rows_have_no_interval_analytic() -> None:
    found = partial_rank_correlation([1, 2, 3, 4], [2, 1, 4, 3], [[1.0], [0], [0], [0]])
    assert not math.isnan(found.estimate)
    assert math.isnan(found.low)


def test_covariates_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match=r"`covariates` to have shape \(20, columns\)"):
        partial_rank_correlation(X, NUMBER, GIVEN[:3])
