"""A hypothesis with its patients: one feature, one label, one kind of mask."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association.hypotheses import Hypothesis
from lggshape.labels import Label
from lggshape.statistics import QuantileRule, auc, quantile_bins

CONFIDENCE = 0.95
"""Level of every interval."""

_FEWEST = 5
"""Fewer patients without a label than this are not compared with the others."""


@dataclass(frozen=True)
class TestedPair:
    """A hypothesis with its patients: those of one kind of mask.

    Attributes
    ----------
    hypothesis : Hypothesis
        What is asked.
    masks : str
        The kind of mask.
    levels : tuple of str
        The levels of the label; empty if it is a number.
    feature : ndarray of float, shape (n,)
        The feature of all patients, NaN where missing.
    label : ndarray of float, shape (n,)
        The label of all patients, NaN where missing: a number, or the position of the level, or
        the time of survival.
    names : ndarray of str, shape (n,)
        The names of the patients, for figures.
    events : ndarray of bool, shape (n,), or None
        Of survival, who has had the event at that time. None for other labels.
    asked : ndarray of bool, shape (n,), or None
        Who belongs to the population of the label. None if everybody does.
    """

    hypothesis: Hypothesis
    masks: str
    levels: tuple[str, ...]
    feature: NDArray[np.float64]
    label: NDArray[np.float64]
    names: NDArray[np.str_]
    events: NDArray[np.bool_] | None = None
    asked: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, hypothesis: Hypothesis, label: Label, group: pd.DataFrame) -> "TestedPair":
        """Collect the patients of a hypothesis from the rows of one kind of mask."""
        values = label.values.reindex(group["patient"])
        if label.kind.has_levels:
            positions = dict(zip(label.levels, range(len(label.levels)), strict=True))
            values = values.map(positions)
        events = None
        if label.events is not None:
            # Who is in no table has no event; the label is missing, so that nobody counts them.
            events = label.events.reindex(group["patient"]).eq(other=True).to_numpy(np.bool_)
        return cls(
            hypothesis,
            str(group["masks"].iloc[0]),
            label.levels,
            group[hypothesis.feature].to_numpy(np.float64),
            values.to_numpy(np.float64, na_value=np.nan),
            group["patient"].to_numpy(np.str_),
            events,
            None
            if label.population is None
            else group["patient"].isin(list(label.population)).to_numpy(np.bool_),
        )

    def among(self, patients: NDArray[np.bool_]) -> "TestedPair":
        """Return the hypothesis with some of its patients alone."""
        return replace(
            self,
            feature=self.feature[patients],
            label=self.label[patients],
            events=None if self.events is None else self.events[patients],
            names=self.names[patients],
            asked=None if self.asked is None else self.asked[patients],
        )

    def links(self, targets: Mapping[str, str]) -> list[str | None]:
        """Return where the points of the complete patients of a figure lead, by name of patient."""
        return [targets.get(str(name)) for name in self.names[self.complete]]

    @property
    def level(self) -> NDArray[np.int64]:
        """Position of each patient's level in `levels`, -1 where missing."""
        return np.where(np.isnan(self.label), -1, self.label).astype(np.int64)

    @property
    def happened(self) -> NDArray[np.bool_]:
        """Who has had the event of survival; nobody for other labels."""
        return np.zeros(len(self.label), dtype=np.bool_) if self.events is None else self.events

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which of the patients who are asked have the feature."""
        return self.inside & np.isfinite(self.feature)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which patients are asked: all, or the population of the label."""
        return np.ones(len(self.feature), dtype=np.bool_) if self.asked is None else self.asked

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which of the patients who are asked have the label."""
        return self.inside & np.isfinite(self.label)

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which patients have both the feature and the label."""
        return self.measured & self.labelled

    @property
    def level_counts(self) -> dict[str, int]:
        """Number of complete patients in each level."""
        levels = self.level[self.complete]
        return {name: int((levels == place).sum()) for place, name in enumerate(self.levels)}

    @property
    def level_sizes(self) -> list[int]:
        """Numbers of complete patients in the levels that have any."""
        return [count for count in self.level_counts.values() if count]

    @property
    def untestable(self) -> str:
        """Why no test is possible; empty if one is."""
        n = int(self.complete.sum())
        if n < 2:
            return (
                f"{'one patient alone' if n else 'no patient'} has both the feature and the label"
            )
        if np.unique(self.feature[self.complete]).size < 2:
            return "the feature has fewer than two different values"
        if self.events is not None:
            return "" if self.events[self.complete].any() else "no patient has had the event"
        if np.unique(self.label[self.complete]).size < 2:
            return f"the label has fewer than two {'levels' if self.levels else 'values'}"
        return ""

    def key(self) -> dict[str, str]:
        """Return the columns that say which pair a row of a table is about."""
        return {
            "masks": self.masks,
            "feature": self.hypothesis.feature,
            "label": self.hypothesis.label,
        }

    def cross_table(
        self, cut_among: NDArray[np.bool_], bins: int, rule: QuantileRule = "linear"
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Count the complete patients by quantile bin of the feature and level of the label.

        Parameters
        ----------
        cut_among : ndarray of bool, shape (n,)
            The patients whose quantiles are the cut-points: all complete ones, or more.
        bins : int
            Number of bins.
        rule : {"linear", "weibull", "median_unbiased"}
            How a quantile between two values is found.

        Returns
        -------
        table : ndarray of int, shape (bins, levels)
            Number of patients.
        cuts : ndarray of float, shape (bins - 1,)
            The cut-points.
        """
        binned = quantile_bins(self.feature[cut_among], bins, rule=rule)
        code = np.zeros(len(self.feature), dtype=np.int64)
        code[cut_among] = binned.codes
        table = np.zeros((bins, len(self.levels)), dtype=np.int64)
        np.add.at(table, (code[self.complete] - 1, self.level[self.complete]), 1)
        return table, np.asarray(binned.cuts, dtype=float)

    def discrimination(self, direction: int) -> Iterator[dict[str, Any]]:
        """Yield the area under the curve of each level against the rest."""
        for position, level in enumerate(self.levels):
            inside = self.complete & (self.level == position)
            outside = self.complete & (self.level != position)
            counts = {"level": level, "n": int(self.complete.sum()), "n_level": int(inside.sum())}
            yield self.key() | counts | self._area(inside, outside, direction)

    def contingency(self, bins: int) -> Iterator[dict[str, Any]]:
        """Yield the table of quantile bins against levels, a row per cell."""
        if self.untestable or not self.levels:
            return
        table, cuts = self.cross_table(self.complete, bins)
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
        unlabelled = self.measured & ~self.labelled
        tied, empty = 0, 0
        if self.levels and not self.untestable:
            binned = quantile_bins(self.feature[self.complete], bins)
            tied, empty = binned.on_cut, len(binned.empty)
        counts = {
            "n": int(self.complete.sum()),
            "label_missing": int(unlabelled.sum()),
            "feature_missing": int((~self.measured & self.labelled).sum()),
            "both_missing": int((self.inside & ~self.measured & ~self.labelled).sum()),
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
