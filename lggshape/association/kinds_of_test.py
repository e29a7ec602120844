"""What a test of a hypothesis is, and what tests of groups share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from lggshape.association.tested_pair import TestedPair
from lggshape.labels import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTERVAL = (
    "Its interval comes from inverting the noncentral chi-squared distribution. The upper limit is "
    "power-constrained (Cowan et al.): it is never below the upper limit of a typical table "
    "without association."
)
"""How the intervals of effects of groups are found."""

COWAN = "Cowan G, Cranmer K, Gross E, Vitells O. Power-constrained limits. arXiv 1105.3166, 2011."

_LONGEST = 40
"""Longer names of levels are cut in figures."""


class Result(NamedTuple):
    """One test of one hypothesis; p is NaN and `reason` says why if it cannot be tested."""

    test: str
    """How p was found, as "fisher_exact"."""
    n: int
    statistic: float = np.nan
    p: float = np.nan
    effect: float = np.nan
    effect_low: float = np.nan
    effect_high: float = np.nan
    p_standard_error: float = np.nan
    """Standard error of a Monte Carlo p."""
    reason: str = ""


class Test(ABC):
    """A way to test whether a feature is associated with a label.

    Attributes
    ----------
    name : str
        What it is called in options and results.
    title : str
        What texts call it.
    kinds : frozenset of Kind
        The kinds of label that it takes.
    statistic, effect : str
        What texts call its statistic (empty if it has none) and its effect.
    effect_limits : tuple of float
        The ends of the effect's scale; 0 is no effect.
    references : tuple of str
        The publications of the test and of its effect.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]]
    statistic: ClassVar[str]
    effect: ClassVar[str]
    effect_limits: ClassVar[tuple[float, float]] = (0.0, 1.0)
    references: ClassVar[tuple[str, ...]]

    @abstractmethod
    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        """Test a hypothesis on its patients.

        Parameters
        ----------
        pair : TestedPair
            The hypothesis with its patients.
        bins : int
            Number of quantile bins of the feature, for a test that needs them.
        seed : SeedSequence
            For random numbers, in a test that needs them.

        Returns
        -------
        Result
            With the reason in place of p if the hypothesis cannot be tested.
        """

    def variations(
        self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence
    ) -> Mapping[str, Result]:
        """Test the hypothesis by other choices of this test, as sensitivity analyses by name."""
        return {}

    @abstractmethod
    def methods(self, bins: int) -> str:
        """Describe the test and its effect, as the methods section of a report does."""

    @abstractmethod
    def figure(self, pair: TestedPair, *, bins: int, value_name: str) -> "Figure":
        """Draw the patients of a hypothesis that can be tested.

        Parameters
        ----------
        pair : TestedPair
            The hypothesis with its patients.
        bins : int
            Number of quantile bins of the feature.
        value_name : str
            What the feature is called, with its unit.

        Returns
        -------
        Figure
            The feature against the label.
        """


class TestOfGroups(Test):
    """A test of a feature between the levels of a label; its figure shows every level."""

    kinds = frozenset({Kind.NOMINAL, Kind.ORDINAL})

    def figure(self, pair: TestedPair, *, bins: int, value_name: str) -> "Figure":
        """Draw the feature in each group, with the cut-points of its quantile bins."""
        from lggshape.figures import box_and_points

        _, cuts = pair.cross_table(pair.complete, bins)
        values, level = pair.feature[pair.complete], pair.level[pair.complete]
        names = [
            name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in pair.levels
        ]
        return box_and_points(
            [values[level == position] for position in range(len(names))],
            names,
            value_name=value_name,
            cuts=cuts.tolist(),
        )
