"""A hypothesis with its patients: one feature, one label, one kind of mask."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association.hypotheses import Hypothesis
from lggshape.labels.labels import Label
from lggshape.statistics import (
    QuantileRule,
    auc,
    cramers_v,
    epsilon_squared,
    fisher_exact,
    kruskal_wallis,
    quantile_bins,
)

CONFIDENCE = 0.95
"""Level of every interval."""

_FEWEST = 5
"""Fewer patients without a label than this are not compared with the others."""


class Result(NamedTuple):
    """One test of one hypothesis; p is NaN and `reason` says why if it cannot be tested."""

    test: str
    n: int
    statistic: float = np.nan
    p: float = np.nan
    effect: float = np.nan
    effect_low: float = np.nan
    effect_high: float = np.nan
    p_standard_error: float = np.nan
    """Of a Monte Carlo p."""
    reason: str = ""


@dataclass(frozen=True)
class Pair:
    """A hypothesis with its patients: those of one kind of mask.

    Attributes
    ----------
    hypothesis : Hypothesis
        What is asked.
    masks : str
        The kind of mask.
    levels : tuple of str
        The levels of the label.
    feature : ndarray of float, shape (n,)
        The feature of all patients, NaN where missing.
    level : ndarray of int, shape (n,)
        Position of each patient's level in `levels`, -1 where missing.
    """

    hypothesis: Hypothesis
    masks: str
    levels: tuple[str, ...]
    feature: NDArray[np.float64]
    level: NDArray[np.intp]

    @classmethod
    def of(cls, hypothesis: Hypothesis, label: Label, group: pd.DataFrame) -> "Pair":
        """Collect the patients of a hypothesis from the rows of one kind of mask."""
        values = label.values.reindex(group["patient"])
        return cls(
            hypothesis,
            str(group["masks"].iloc[0]),
            label.levels,
            group[hypothesis.feature].to_numpy(float),
            pd.Categorical(values, categories=label.levels).codes.astype(np.intp),
        )

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which patients have the feature."""
        return np.isfinite(self.feature)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which patients have both the feature and the label."""
        return self.measured & (self.level >= 0)

    def key(self) -> dict[str, str]:
        """Give the columns that say which pair a row of a table is about."""
        return {
            "masks": self.masks,
            "feature": self.hypothesis.feature,
            "label": self.hypothesis.label,
        }

    def fisher(
        self,
        cut_among: NDArray[np.bool_],
        *,
        bins: int,
        seed: np.random.SeedSequence,
        rule: QuantileRule = "linear",
    ) -> Result:
        """Test the table of quantile bins against levels, cut at the quantiles of some patients."""
        n = int(self.complete.sum())
        if reason := self._untestable():
            return Result("fisher_exact", n, reason=reason)
        table, _ = self._cross_table(cut_among, bins, rule)
        fisher = fisher_exact(table, seed=seed)
        result = Result(fisher.method, n, np.nan, fisher.p, *cramers_v(table, level=CONFIDENCE))
        if fisher.method == "fisher_exact":
            return result
        return result._replace(p_standard_error=fisher.standard_error)

    def kruskal_wallis(self) -> Result:
        """Test the feature between the levels by its ranks."""
        n = int(self.complete.sum())
        if reason := self._untestable():
            return Result("kruskal_wallis", n, reason=reason)
        values, groups = self.feature[self.complete], self.level[self.complete]
        effect = epsilon_squared(values, groups, level=CONFIDENCE)
        return Result("kruskal_wallis", n, *kruskal_wallis(values, groups), *effect)

    def discrimination(self, direction: int) -> Iterator[dict[str, Any]]:
        """Give the area under the curve of each level against the rest."""
        for position, level in enumerate(self.levels):
            inside = self.complete & (self.level == position)
            outside = self.complete & (self.level != position)
            counts = {"level": level, "n": int(self.complete.sum()), "n_level": int(inside.sum())}
            yield self.key() | counts | self._area(inside, outside, direction)

    def contingency(self, bins: int) -> Iterator[dict[str, Any]]:
        """Give the table of quantile bins against levels, a row a cell."""
        if self._untestable():
            return
        table, cuts = self._cross_table(self.complete, bins)
        values = self.feature[self.complete]
        edges = [values.min(), *cuts, values.max()]
        for row, column in np.ndindex(*table.shape):
            yield self.key() | {
                "bin": row + 1,
                "low": float(edges[row]),
                "high": float(edges[row + 1]),
                "level": self.levels[column],
                "count": int(table[row, column]),
            }

    def patients(self, direction: int, bins: int) -> dict[str, Any]:
        """Count who is in and who is missing, and compare those without a label with the rest."""
        unlabelled = self.measured & (self.level < 0)
        tied, empty = 0, 0
        if not self._untestable():
            binned = quantile_bins(self.feature[self.complete], bins)
            tied, empty = binned.on_cut, len(binned.empty)
        counts = {
            "n": int(self.complete.sum()),
            "label_missing": int(unlabelled.sum()),
            "feature_missing": int((~self.measured & (self.level >= 0)).sum()),
            "both_missing": int((~self.measured & (self.level < 0)).sum()),
            "on_cut": tied,
            "empty_bins": empty,
        }
        enough = min(counts["label_missing"], counts["n"]) >= _FEWEST
        compared = unlabelled if enough else np.zeros_like(unlabelled)
        return self.key() | counts | self._area(compared, self.complete, direction)

    def _area(
        self, inside: NDArray[np.bool_], outside: NDArray[np.bool_], direction: int
    ) -> dict[str, float]:
        if not (inside.any() and outside.any()):
            return {"auc": np.nan, "auc_low": np.nan, "auc_high": np.nan}
        values = direction * self.feature
        area = auc(values[inside], values[outside], level=CONFIDENCE)
        return {"auc": area.estimate, "auc_low": area.low, "auc_high": area.high}

    def _cross_table(
        self, cut_among: NDArray[np.bool_], bins: int, rule: QuantileRule = "linear"
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Count the complete patients by bin and level; give the cut-points too."""
        binned = quantile_bins(self.feature[cut_among], bins, rule=rule)
        code = np.zeros(len(self.feature), dtype=np.int64)
        code[cut_among] = binned.codes
        table = np.zeros((bins, len(self.levels)), dtype=np.int64)
        np.add.at(table, (code[self.complete] - 1, self.level[self.complete]), 1)
        return table, np.asarray(binned.cuts, dtype=float)

    def _untestable(self) -> str:
        if np.unique(self.feature[self.complete]).size < 2:
            return "the feature has fewer than two different values"
        if np.unique(self.level[self.complete]).size < 2:
            return "the label has fewer than two levels"
        return ""
