"""The tests of a hypothesis, each an object; the kind of a label chooses among them.

A new test is a class here and an entry in `TESTS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.labels import Kind
from lggshape.statistics import (
    QuantileRule,
    cramers_v,
    epsilon_squared,
    fisher_exact,
    kruskal_wallis,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST = 40
"""Longer names of levels are cut in figures."""


_INTERVAL = (
    "Its interval comes from inverting the noncentral chi-squared distribution. The upper limit is "
    "power-constrained (Cowan et al.): it is never below the upper limit of a typical table "
    "without association."
)
_COWAN = "Cowan G, Cranmer K, Gross E, Vitells O. Power-constrained limits. arXiv 1105.3166, 2011."


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
    """Of a Monte Carlo p."""
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


class FisherOnBins(Test):
    """Fisher's exact test of the quantile bins of a feature against the levels of a label."""

    name = "fisher"
    title = "Fisher's exact test"
    kinds = frozenset({Kind.NOMINAL, Kind.ORDINAL})
    statistic = ""
    effect = "Cramér's V"
    references = (
        "Freeman GH, Halton JH. Note on an exact treatment of contingency, goodness of fit and "
        "other problems of significance. Biometrika 1951; 38: 141-149.",
        "Hyndman RJ, Fan Y. Sample quantiles in statistical packages. The American Statistician "
        "1996; 50: 361-365.",
        "Bergsma W. A bias-correction for Cramér's V and Tschuprow's T. Journal of the Korean "
        "Statistical Society 2013; 42: 323-328.",
        _COWAN,
    )

    def run(
        self,
        pair: TestedPair,
        *,
        bins: int,
        seed: np.random.SeedSequence,
        cut_among: NDArray[np.bool_] | None = None,
        rule: QuantileRule = "linear",
    ) -> Result:
        """Test a hypothesis; `cut_among` and `rule` are those of `TestedPair.cross_table`."""
        n = int(pair.complete.sum())
        if reason := pair.untestable:
            return Result("fisher_exact", n, reason=reason)
        table, _ = pair.cross_table(
            pair.complete if cut_among is None else cut_among, bins, rule=rule
        )
        fisher = fisher_exact(table, seed=seed)
        result = Result(fisher.method, n, np.nan, fisher.p, *cramers_v(table, level=CONFIDENCE))
        if fisher.method == "fisher_exact":
            return result
        return result._replace(p_standard_error=fisher.standard_error)

    def variations(
        self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence
    ) -> Mapping[str, Result]:
        """Test the hypothesis with the cut-points of all patients that have the feature."""
        everyone = self.run(pair, bins=bins, seed=seed, cut_among=pair.measured)
        return {"cut-points among all patients with the feature": everyone}

    def methods(self, bins: int) -> str:
        """Describe the bins, the test and its effect."""
        return (
            f"Each feature was cut into {bins} bins at its quantiles (type 7 of Hyndman and Fan, "
            "intervals closed on the right) among the patients who have both the feature and the "
            "label. The table of bins against groups was tested by Fisher's exact test in the form "
            "of Freeman and Halton. If a table is too large for the exact p, p is estimated from "
            "99,999 random tables with the same margins, with its standard error. Cramér's V is "
            f"corrected for bias (Bergsma). {_INTERVAL}"
        )

    def figure(self, pair: TestedPair, *, bins: int, value_name: str) -> "Figure":
        """Draw the feature in each group, with the cut-points."""
        return _groups(pair, bins, value_name)


class KruskalWallis(Test):
    """The Kruskal-Wallis test of the ranks of a feature between the levels of a label."""

    name = "kruskal-wallis"
    title = "Kruskal-Wallis test"
    kinds = frozenset({Kind.NOMINAL, Kind.ORDINAL})
    statistic = "H"
    effect = "epsilon squared"
    references = (
        "Kruskal WH, Wallis WA. Use of ranks in one-criterion variance analysis. Journal of the "
        "American Statistical Association 1952; 47: 583-621.",
        _COWAN,
    )

    def run(self, pair: TestedPair, *, bins: int, seed: np.random.SeedSequence) -> Result:
        """Test the feature between the levels by its ranks."""
        n = int(pair.complete.sum())
        if reason := pair.untestable:
            return Result("kruskal_wallis", n, reason=reason)
        values, groups = pair.feature[pair.complete], pair.level[pair.complete]
        effect = epsilon_squared(values, groups, level=CONFIDENCE)
        return Result("kruskal_wallis", n, *kruskal_wallis(values, groups), *effect)

    def methods(self, bins: int) -> str:
        """Describe the test and its effect."""
        return (
            "The ranks of each feature were compared between the groups by the Kruskal-Wallis "
            "test. Epsilon squared is its statistic divided by n − 1; it is not corrected for "
            f"bias. {_INTERVAL}"
        )

    def figure(self, pair: TestedPair, *, bins: int, value_name: str) -> "Figure":
        """Draw the feature in each group, with the cut-points of its quantile bins."""
        return _groups(pair, bins, value_name)


TESTS: Mapping[str, Test] = {test.name: test for test in (FisherOnBins(), KruskalWallis())}
"""All tests by name. The first that takes a kind of label is the one for that kind by default."""


def tests_for(kind: Kind) -> tuple[Test, ...]:
    """Return the tests that take a kind of label, the default first.

    Examples
    --------
    >>> [test.name for test in tests_for(Kind.NOMINAL)], tests_for(Kind.IDENTIFIER)
    (['fisher', 'kruskal-wallis'], ())
    """
    return tuple(test for test in TESTS.values() if kind in test.kinds)


def deciding_test(name: str, kind: Kind) -> Test:
    """Return the test that decides about a label: the one of this name, if it takes its kind.

    Parameters
    ----------
    name : str
        The test that was asked for, one of `TESTS`.
    kind : Kind
        The kind of the label, one that a test takes.

    Returns
    -------
    Test
        The test of this name, or the default one for the kind.
    """
    return TESTS[name] if kind in TESTS[name].kinds else tests_for(kind)[0]


def testable_kinds() -> str:
    """Return the kinds of label that a test takes, in words."""
    kinds = [kind for kind in Kind if tests_for(kind)]
    return " or ".join(
        dict.fromkeys("categorical" if kind.has_levels else kind.word for kind in kinds)
    )


def _groups(pair: TestedPair, bins: int, value_name: str) -> "Figure":
    from lggshape.figures import box_and_points

    _, cuts = pair.cross_table(pair.complete, bins)
    values, level = pair.feature[pair.complete], pair.level[pair.complete]
    names = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in pair.levels]
    return box_and_points(
        [values[level == position] for position in range(len(names))],
        names,
        value_name=value_name,
        cuts=cuts.tolist(),
    )
