"""Fisher's exact test of the quantile bins of a feature."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lggshape.association.kinds_of_test import (
    COHEN,
    COWAN,
    INTERVAL,
    Detectable,
    Result,
    TestOfGroups,
)
from lggshape.association.tested_pair import CONFIDENCE, TestedPair
from lggshape.statistics import (
    FisherResult,
    QuantileRule,
    cramers_v,
    detectable_v,
    fisher_exact,
)

_LARGE_W = 0.5


class FisherOnBins(TestOfGroups):
    """Fisher's exact test of the quantile bins of a feature against the levels of a label."""

    name = "fisher"
    title = "Fisher's exact test"
    statistic = ""
    effect = "Cramér's V"
    references = (
        "Freeman GH, Halton JH. Note on an exact treatment of contingency, goodness of fit and "
        "other problems of significance. Biometrika 1951; 38: 141-149.",
        "Hyndman RJ, Fan Y. Sample quantiles in statistical packages. The American Statistician "
        "1996; 50: 361-365.",
        "Bergsma W. A bias-correction for Cramér's V and Tschuprow's T. Journal of the Korean "
        "Statistical Society 2013; 42: 323-328.",
        COWAN,
        COHEN,
    )
    power = (
        "That of Cramér's V comes from the noncentral chi-squared distribution of Pearson's "
        "statistic. A large V is that of Cohen's w = 0.5: 0.5 for two groups, 0.35 for three and "
        "0.29 for four."
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
        fisher = _fisher(tuple(map(tuple, table.tolist())), seed)
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

    def detectable(self, pair: TestedPair, *, bins: int, alpha: float, power: float) -> Detectable:
        """Return the smallest V of a table of so many patients, bins and groups."""
        table, _ = pair.cross_table(pair.complete, bins)
        rows, columns = (int(table.any(axis=axis).sum()) for axis in (1, 0))
        if min(rows, columns) < 2:
            return Detectable(large=_LARGE_W)
        smallest = detectable_v(int(table.sum()), rows, columns, alpha=alpha, power=power)
        return Detectable(smallest, _LARGE_W / math.sqrt(min(rows, columns) - 1))

    def methods(self, bins: int) -> str:
        """Describe the bins, the test and its effect."""
        return (
            f"Each feature was cut into {bins} bins at its quantiles (type 7 of Hyndman and Fan, "
            "intervals closed on the right) among the patients who have both the feature and the "
            "label. The table of bins against groups was tested by Fisher's exact test in the form "
            "of Freeman and Halton. If a table is too large for the exact p, p is estimated from "
            "99,999 random tables with the same margins, with its standard error. Cramér's V is "
            f"corrected for bias (Bergsma). {INTERVAL}"
        )


@lru_cache(maxsize=16)
def _fisher(counts: tuple[tuple[int, ...], ...], seed: np.random.SeedSequence) -> FisherResult:
    """Test a table; where no label is missing, the variation of the cut-points has it once more."""
    return fisher_exact(counts, seed=seed)
