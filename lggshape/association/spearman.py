"""Spearman's rank correlation of a feature with a number."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lggshape.association.kinds_of_test import (
    COHEN,
    NOWHERE,
    Detectable,
    Result,
    TestOfGroups,
    short_name,
    trend_in_words,
)
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.labels import Kind, Label
from lggshape.statistics import detectable_rank_correlation, rank_correlation

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Spearman(TestOfGroups):
    """Spearman's rank correlation of a feature with a number, or with ordered levels."""

    name = "spearman"
    title = "Spearman's rank correlation"
    kinds = frozenset({Kind.CONTINUOUS, Kind.ORDINAL})
    statistic = ""
    effect = "Spearman's rho"
    effect_limits = (-1.0, 1.0)
    references = (
        "Spearman C. The proof and measurement of association between two things. American Journal "
        "of Psychology 1904; 15: 72-101.",
        "Bonett DG, Wright TA. Sample size requirements for estimating Pearson, Kendall and "
        "Spearman correlations. Psychometrika 2000; 65: 23-28.",
        COHEN,
    )
    power = (
        "That of Spearman's rho comes from Fisher's z with the variance of Bonett and Wright. A "
        "large rho is Cohen's 0.5."
    )

    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        """Correlate the ranks of the feature and of the label."""
        n = int(pair.complete.sum())
        if reason := pair.untestable:
            return Result("spearman", n, reason=reason)
        if n < _FEWEST:
            return Result("spearman", n, reason=f"fewer than {_FEWEST} patients")
        feature, label = pair.feature[pair.complete], pair.label[pair.complete]
        found = rank_correlation(feature, label, level=CONFIDENCE)
        return Result("spearman", n, np.nan, found.p, found.estimate, found.low, found.high)

    def detectable(self, pair: TestedPair, *, bins: int, alpha: float, power: float) -> Detectable:
        """Return the smallest correlation of so many patients."""
        n = int(pair.complete.sum())
        return Detectable(detectable_rank_correlation(n, alpha=alpha, power=power), _LARGE)

    def direction(self, effect: float, label: Label) -> str:
        """Return whether the feature rises or falls with the label."""
        return trend_in_words(effect, label)

    def methods(self, bins: int) -> str:
        """Describe the test and its effect."""
        return (
            "The ranks of each feature and of a continuous or ordinal label were correlated; ties "
            "have their mean rank. The p-value is that of Student's t, or counts all orders of up "
            "to eight patients. The interval of Spearman's rho is symmetric on Fisher's z scale, "
            "with the variance of Bonett and Wright; that of a rho of 1 or -1 comes from disjoint "
            "pairs of patients."
        )

    def figure(
        self, pair: TestedPair, *, bins: int, value_name: str, targets: Mapping[str, str] = NOWHERE
    ) -> "Figure":
        """Draw the feature against a number, or in each level."""
        if pair.levels:
            return super().figure(pair, bins=bins, value_name=value_name, targets=targets)
        from lggshape.figures import scatter_plot

        return scatter_plot(
            pair.label[pair.complete],
            pair.feature[pair.complete],
            x_name=short_name(pair.hypothesis.label),
            y_name=value_name,
            links=pair.links(targets),
        )


_FEWEST = 3
"""Fewer patients have no rank correlation."""

_LARGE = 0.5
