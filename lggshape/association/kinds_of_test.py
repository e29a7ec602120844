"""What a test of a hypothesis is, and what tests of groups share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from lggshape.association.tested_pair import TestedPair
from lggshape.labels import Kind, Label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTERVAL = (
    "Its interval comes from inverting the noncentral chi-squared distribution. The upper limit is "
    "power-constrained (Cowan et al.): it is never below the upper limit of a typical table "
    "without association."
)
"""How the intervals of effects of groups are found."""

COWAN = "Cowan G, Cranmer K, Gross E, Vitells O. Power-constrained limits. arXiv 1105.3166, 2011."

COHEN = (
    "Cohen J. Statistical power analysis for the behavioral sciences. 2nd ed. Hillsdale: Erlbaum; "
    "1988."
)

CHECK = "check: "
"""The names of analyses that check what a test assumes begin with this."""

NOWHERE: Mapping[str, str] = MappingProxyType({})
"""The points of a figure lead nowhere."""

_LONGEST = 40
"""Longer names from data are cut in figures."""


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
    events: int | None = None
    """Number of events of survival; None for all other labels."""


class Detectable(NamedTuple):
    """The smallest effect that a test of so many patients is likely to find."""

    smallest: float = np.nan
    """On the side of no effect that has the larger numbers; NaN if even the largest is missed."""
    large: float = np.nan
    """What counts as a large effect by convention; NaN if the test does not tell either."""


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
        The ends of the effect's scale.
    no_effect : float
        Its value without an association: 0, or 1 of a ratio.
    references : tuple of str
        The publications of the test and of its effect.
    power : str
        How `detectable` finds the smallest effect, and which effect is large, as the methods
        section of a report says it; empty if the test does not tell.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]]
    statistic: ClassVar[str]
    effect: ClassVar[str]
    effect_limits: ClassVar[tuple[float, float]] = (0.0, 1.0)
    no_effect: ClassVar[float] = 0.0
    references: ClassVar[tuple[str, ...]]
    power: ClassVar[str] = ""

    @property
    def is_ratio(self) -> bool:
        """Whether the effect is a ratio, which is compared on a logarithmic scale."""
        return self.no_effect == 1

    @property
    def is_signed(self) -> bool:
        """Whether the effect tells a direction."""
        return self.effect_limits[0] < self.no_effect

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

    def detectable(self, pair: TestedPair, *, bins: int, alpha: float, power: float) -> Detectable:
        """Return the smallest effect that the test is likely to find in so many patients.

        Parameters
        ----------
        pair : TestedPair
            The hypothesis with its patients, one that can be tested.
        bins : int
            Number of quantile bins of the feature.
        alpha : float
            Level of the test.
        power : float
            Probability with which it finds the effect, above `alpha`.

        Returns
        -------
        Detectable
            That effect, and a large one to compare it with. By default none: the test does not
            tell.
        """
        return Detectable()

    def direction(self, effect: float, label: Label) -> str:
        """Return in a sentence which way the effect goes; "" if it has no direction."""
        return ""

    @abstractmethod
    def methods(self, bins: int) -> str:
        """Describe the test and its effect, as the methods section of a report does."""

    @abstractmethod
    def figure(
        self, pair: TestedPair, *, bins: int, value_name: str, targets: Mapping[str, str] = NOWHERE
    ) -> "Figure":
        """Draw the patients of a hypothesis that can be tested.

        Parameters
        ----------
        pair : TestedPair
            The hypothesis with its patients.
        bins : int
            Number of quantile bins of the feature.
        value_name : str
            What the feature is called, with its unit.
        targets : mapping of str to str
            Where the points of patients lead, by name; empty for no links.

        Returns
        -------
        Figure
            The feature against the label.
        """


class TestOfGroups(Test):
    """A test of a feature between the levels of a label; its figure shows every level."""

    kinds = frozenset({Kind.NOMINAL, Kind.ORDINAL})

    def figure(
        self, pair: TestedPair, *, bins: int, value_name: str, targets: Mapping[str, str] = NOWHERE
    ) -> "Figure":
        """Draw the feature in each group, with the cut-points of its quantile bins."""
        from lggshape.figures import box_and_points

        _, cuts = pair.cross_table(pair.complete, bins)
        values, level = pair.feature[pair.complete], pair.level[pair.complete]
        names = [short_name(name) for name in pair.levels]
        return box_and_points(
            [values[level == position] for position in range(len(names))],
            names,
            value_name=value_name,
            cuts=cuts.tolist(),
            links=[
                [link for link, own in zip(pair.links(targets), level, strict=True) if own == place]
                for place in range(len(names))
            ],
        )


def short_name(name: str) -> str:
    """Return a name from data as a figure has room for it.

    Examples
    --------
    >>> len(short_name("a" * 100))
    40
    """
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def trend_in_words(effect: float, label: Label) -> str:
    """Return in a sentence whether a feature rises or falls with a label."""
    upper = f"later levels of {label.name} ({', '.join(label.levels)})"
    return (
        f"Its values are {'higher' if effect > 0 else 'lower'} in patients with "
        f"{upper if label.levels else f'higher {label.name}'}."
    )
