"""The Jonckheere-Terpstra test of a feature."""

import numpy as np

from lggshape.association.kinds_of_test import (
    COHEN,
    Detectable,
    Result,
    TestOfGroups,
    trend_in_words,
)
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.labels import Kind, Label
from lggshape.statistics import detectable_somers_d, jonckheere_terpstra, somers_d

_LARGE = 0.43
"""Somers' d of two normal groups of one variance whose means differ by Cohen's d = 0.8."""


class JonckheereTerpstra(TestOfGroups):
    """The Jonckheere-Terpstra test of a feature that rises or falls with the levels of a label."""

    name = "jonckheere-terpstra"
    title = "Jonckheere-Terpstra test"
    kinds = frozenset({Kind.ORDINAL})
    statistic = "J"
    effect = "Somers' d"
    effect_limits = (-1.0, 1.0)
    references = (
        "Jonckheere AR. A distribution-free k-sample test against ordered alternatives. Biometrika "
        "1954; 41: 133-145.",
        "Somers RH. A new asymmetric measure of association for ordinal variables. American "
        "Sociological Review 1962; 27: 799-811.",
        "Newson R. Confidence intervals for rank statistics: Somers' D and extensions. Stata "
        "Journal 2006; 6: 309-334.",
        "Noether GE. Sample size determination for some common nonparametric tests. Journal of the "
        "American Statistical Association 1987; 82: 645-647.",
        COHEN,
    )
    power = (
        "That of Somers' d comes from the variance of J without a trend (Noether). A large d is "
        "0.43, which is that of two normal groups with Cohen's d = 0.8."
    )

    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        """Test whether the feature rises or falls with the levels."""
        n = int(pair.complete.sum())
        if reason := pair.untestable:
            return Result("jonckheere_terpstra", n, reason=reason)
        values, levels = pair.feature[pair.complete], pair.level[pair.complete]
        found = jonckheere_terpstra(values, levels)
        name = "jonckheere_terpstra" + "_exact" * (found.method == "exact")
        effect = somers_d(values, levels, level=CONFIDENCE)
        return Result(name, n, found.statistic, found.p, *effect)

    def detectable(self, pair: TestedPair, *, bins: int, alpha: float, power: float) -> Detectable:
        """Return the smallest Somers' d of levels of these sizes."""
        found = detectable_somers_d(pair.level_sizes, alpha=alpha, power=power)
        return Detectable(found, _LARGE)

    def direction(self, effect: float, label: Label) -> str:
        """Return whether the feature rises or falls with the levels."""
        return trend_in_words(effect, label)

    def methods(self, bins: int) -> str:
        """Describe the test and its effect."""
        return (
            "Whether each feature rises or falls with the levels of an ordinal label was tested by "
            "the two-sided Jonckheere-Terpstra test: by the exact distribution of its statistic "
            "for up to 100 patients without equal values, otherwise by the normal distribution "
            "with the variance corrected for ties. Somers' d is the probability that, of two "
            "patients with different levels, the one with the higher level has the higher value, "
            "minus the probability that they have the lower one. Its interval is symmetric on "
            "Fisher's z scale, with Student's t (Newson); for two levels it is that of the AUC."
        )
