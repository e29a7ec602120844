"""The Kruskal-Wallis test of a feature."""

import numpy as np

from lggshape.association.kinds_of_test import (
    COHEN,
    COWAN,
    INTERVAL,
    Detectable,
    Result,
    TestOfGroups,
)
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.statistics import detectable_epsilon_squared, epsilon_squared, kruskal_wallis

_LARGE = 0.4**2 / (1 + 0.4**2)
"""The share of the variance that belongs to Cohen's f = 0.4."""


class KruskalWallis(TestOfGroups):
    """The Kruskal-Wallis test of the ranks of a feature between the levels of a label."""

    name = "kruskal-wallis"
    title = "Kruskal-Wallis test"
    statistic = "H"
    effect = "epsilon squared"
    references = (
        "Kruskal WH, Wallis WA. Use of ranks in one-criterion variance analysis. Journal of the "
        "American Statistical Association 1952; 47: 583-621.",
        COWAN,
        COHEN,
    )
    power = (
        "That of epsilon squared comes from the noncentral chi-squared distribution of H. A large "
        "one is 0.14, which is that of Cohen's f = 0.4."
    )

    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        """Test the feature between the levels by its ranks."""
        n = int(pair.complete.sum())
        if reason := pair.untestable:
            return Result("kruskal_wallis", n, reason=reason)
        values, groups = pair.feature[pair.complete], pair.level[pair.complete]
        effect = epsilon_squared(values, groups, level=CONFIDENCE)
        return Result("kruskal_wallis", n, *kruskal_wallis(values, groups), *effect)

    def detectable(self, pair: TestedPair, *, bins: int, alpha: float, power: float) -> Detectable:
        """Return the smallest epsilon squared of groups of these sizes."""
        found = detectable_epsilon_squared(pair.level_sizes, alpha=alpha, power=power)
        return Detectable(found, _LARGE)

    def methods(self, bins: int) -> str:
        """Describe the test and its effect."""
        return (
            "The ranks of each feature were compared between the groups by the Kruskal-Wallis "
            "test. Epsilon squared is its statistic divided by n − 1; it is not corrected for "
            f"bias. {INTERVAL}"
        )
