import math

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from lggshape.errors import InputError
from lggshape.statistics.sample_size import cox_snell_from_auc, required_sample_size


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
    fitted = GLM(y, np.column_stack([np.ones(20000), x]), family=Binomial()).fit()
    share = 1 - math.exp((fitted.deviance - fitted.null_deviance) / 20000)
    assert cox_snell_from_auc(0.8, 0.3) == pytest.approx(share, rel=1e-3)


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
