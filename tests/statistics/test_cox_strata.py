import numpy as np
import pytest

from lggshape.errors import InputError
from lggshape.statistics import normal_scores
from lggshape.statistics.cox_comparison import compare_cox
from lggshape.statistics.survival import cox

# benchmarks/oracles/adjustment.R prints the values of R of this module, from the same numbers.
TIME = [5, 14, 9, 30, 22, 3, 17, 26, 8, 12, 9, 21, 16, 7, 19, 25, 11, 6, 28, 13]
EVENT = [1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1]
SITE = np.array(list("AABBACBACABCABCCABAC"))
_FEATURE = np.array(
    [
        *(2.1, 3.4, 1.9, 4.4, 5.0, 3.3, 6.1, 4.9, 7.2, 2.6),
        *(5.8, 6.6, 4.1, 3.9, 5.5, 2.9, 6.0, 4.7, 3.0, 5.1),
    ]
)
Z = (_FEATURE - _FEATURE.mean()) / _FEATURE.std(ddof=1)
AGE = normal_scores(
    [61, 35, 48, 52, 70, 44, 66, 58, 41, 39, 73, 55, 48, 62, 50, 35, 57, 64, 47, 69]
)
BOTH = np.column_stack([Z, AGE])
DUMMIES = np.column_stack([SITE == "B", SITE == "C"]).astype(float)


def test_within_strata_r() -> None:
    found = cox(TIME, EVENT, BOTH, strata=SITE)
    term = found.terms[0]
    assert found.log_likelihood == pytest.approx(-17.26257184)
    assert term.hazard_ratio == pytest.approx((0.9064474298, 0.3566679821, 2.303674522), rel=1e-5)
    assert term.p == pytest.approx(0.8364809332, rel=1e-5)
    assert term.p_likelihood_ratio == pytest.approx(0.8361277234, rel=1e-5)
    proportional = [one.p_proportional for one in found.terms]
    assert proportional == pytest.approx([0.2904342253, 0.7346940171], rel=1e-5)


def test_given_covariates_r() -> None:
    found = cox(TIME, EVENT, np.hstack([BOTH, DUMMIES]), tested=1)
    (term,) = found.terms
    assert found.log_likelihood == pytest.approx(-30.08613357)
    assert term.hazard_ratio == pytest.approx((0.7178395726, 0.2773404063, 1.85798261), rel=1e-5)
    assert term.p == pytest.approx(0.4944655065, rel=1e-5)


def test_interaction_with_strata_r() -> None:
    found = compare_cox(TIME, EVENT, Z[:, None] * DUMMIES, BOTH, strata=SITE)
    assert (found.statistic, found.p) == pytest.approx((1.394196687, 0.4980283162), rel=1e-5)
    assert found.df == 2
    # 14 events: 1 - exp(-X / 14).
    assert found.effect.estimate == pytest.approx(1 - np.exp(-1.394196687 / 14), rel=1e-5)
    assert found.effect.low == 0
    assert found.effect.estimate < found.effect.high < 1


def test_strata_without_an_event_change_nothing_invariant() -> None:
    alone = cox(TIME, EVENT, BOTH, strata=SITE)
    more = cox(
        [*TIME, 4, 40],
        [*EVENT, 0, 0],
        np.vstack([BOTH, [[9.0, 1], [7, 2]]]),
        strata=[*SITE, "D", "D"],
    )
    assert more.log_likelihood == pytest.approx(alone.log_likelihood)
    assert more.terms[0].coefficient == pytest.approx(alone.terms[0].coefficient)


def test_a_column_that_is_constant_within_strata_is_refused() -> None:
    with pytest.raises(InputError, match="`site` constant"):
        cox(TIME, EVENT, np.column_stack([Z, DUMMIES[:, 0]]), strata=SITE, names=["z", "site"])


def test_a_maximum_is_looked_for_within_strata_analytic() -> None:
    # Within each stratum the first to have the event has the highest value; across them not.
    arguments = ([1, 2, 1, 2], [1, 0, 1, 0], [[1.0], [0.0], [11.0], [10.0]])
    with pytest.raises(InputError, match="no maximum"):
        cox(*arguments, strata=["a", "a", "b", "b"])
    assert np.isfinite(cox(*arguments).log_likelihood)


def test_no_tested_column_is_refused() -> None:
    with pytest.raises(InputError, match="`tested` to have at least one column"):
        compare_cox(TIME, EVENT, np.empty((20, 0)), BOTH)
