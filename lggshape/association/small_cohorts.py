"""What the test of a hypothesis could have shown with its number of patients."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lggshape.association.hypotheses import Family
from lggshape.association.kinds_of_test import Detectable, Test
from lggshape.association.tested_pair import TestedPair

POWER = 0.8
"""Probability with which the smallest effect is found."""

_SHARE = f"{100 * POWER:.0f} %"

_DIGITS = 2
"""Conventions about large effects are no more exact than this."""

FEWEST = 10
"""A test of fewer patients outside the largest level, or of fewer events, is exploratory."""

SMALL_COHORT = ("n_per_level", "detectable", "large", "exploratory")
"""The columns of `small_cohort`."""

REFERENCES_OF_POWER = (
    "Peduzzi P, Concato J, Feinstein AR, Holford TR. Importance of events per independent variable "
    "in proportional hazards regression analysis II. Journal of Clinical Epidemiology 1995; 48: "
    "1503-1510.",
    "Button KS, Ioannidis JPA, Mokrysz C, et al. Power failure: why small sample size undermines "
    "the reliability of neuroscience. Nature Reviews Neuroscience 2013; 14: 365-376.",
)
"""Where the rule for exploratory tests comes from."""


def corrected_alpha(family: Family) -> float:
    """Return the level of each test at which the family keeps its error rate (Bonferroni).

    Examples
    --------
    >>> from lggshape.association import Hypothesis
    >>> hypotheses = Hypothesis("MF", "grade"), Hypothesis("BEVR", "grade")
    >>> corrected_alpha(Family("mine", "Mine", hypotheses))
    0.025
    """
    return family.alpha / len(family.hypotheses)


def small_cohort(pair: TestedPair, test: Test, family: Family, bins: int) -> dict[str, Any]:
    """Return what a test could have shown with so many patients, as columns of its row.

    A test is exploratory if it has fewer than ten patients outside the largest level (ten events,
    or ten patients, where there are no levels), or if the smallest effect that it finds with 80 %
    power at the family's corrected level is larger than a large one.

    Parameters
    ----------
    pair : TestedPair
        The hypothesis with its patients.
    test : Test
        The test that decides about it.
    family : Family
        The family that the correction covers.
    bins : int
        Number of quantile bins.

    Returns
    -------
    dict
        `n_per_level` (as text), `detectable` and `large` (effects; NaN if there is none, or if the
        hypothesis cannot be tested), and `exploratory` (the reason why it is; empty if not).
    """
    counts = "; ".join(f"{name}: {count}" for name, count in pair.level_counts.items())
    alpha = corrected_alpha(family)
    found = Detectable()
    if not pair.untestable and alpha < POWER:
        found = test.detectable(pair, bins=bins, alpha=alpha, power=POWER)
    reasons = [] if pair.untestable else [*_few(pair), *_blind(found)]
    return dict(zip(SMALL_COHORT, (counts, *found, "; ".join(reasons)), strict=True))


def _few(pair: TestedPair) -> Iterator[str]:
    """Yield a reason if few patients carry the comparison."""
    n = int(pair.complete.sum())
    if pair.events is not None:
        events = int(pair.happened[pair.complete].sum())
        if events < FEWEST:
            yield f"fewer than {FEWEST} events"
    elif pair.levels:
        if n - max(pair.level_sizes) < FEWEST:
            yield f"fewer than {FEWEST} patients outside the largest level"
    elif n < FEWEST:
        yield f"fewer than {FEWEST} patients"


def _blind(found: Detectable) -> Iterator[str]:
    """Yield a reason if only effects that are very large would be found."""
    if np.isnan(found.large):
        return
    if np.isnan(found.smallest):
        yield f"not even the largest effect has {_SHARE} power"
    elif round(found.smallest, _DIGITS) > round(found.large, _DIGITS):
        yield (
            f"only effects of {found.smallest:.{_DIGITS}f} and more have {_SHARE} power, and "
            f"{found.large:.{_DIGITS}f} is large"
        )
