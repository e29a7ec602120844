"""Summaries of the scores: over all cases, and by group."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.evaluation.scores import Scores
from lggshape.labels import Kind, Label, Labels
from lggshape.names import natural_key
from lggshape.statistics import cluster_bootstrap, quantile_bins

UNKNOWN = "unknown"
"""Level of the patients whose label is missing."""

THRESHOLDS = (0.5, 0.7)
"""The cases below these values are counted, of scores that are shares."""

_SHARES = frozenset({"dice", "iou", "precision", "recall", "surface_dice"})
_DISTANCES = frozenset({"hd95", "surface_dice"})
_OWN_GROUPS = ("fold", "site", "missing_sequences")
_PARTS = 3  # tertiles of numbers
_LEAST_VOLUMES = 3 * _PARTS  # fewer are no groups
_COUNTS = dict.fromkeys((f"below_{threshold}" for threshold in THRESHOLDS), "Int64")


def summary_table(scores: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Summarise each score over the cases.

    Parameters
    ----------
    scores : DataFrame
        A row per case, as `evaluate` makes it.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        A row per score: `score`; `unit` of the score, or of the tolerance of the surface Dice (mm
        or pixels; cases with and without known spacing are apart); `n`, the cases in which it is
        defined; `mean` and `median` with 95 % percentile intervals of a bootstrap that draws
        patients (`mean_low` ...); `sd`, `q25`, `q75`, `min`, `max`; and, of shares, how many lie
        below 0.5 and 0.7.
    """
    rows = []
    for name in Scores._fields:
        if name in _DISTANCES:
            for known, unit in ((True, "mm"), (False, "pixels")):
                part = scores[scores["spacing_known"] == known]
                if len(part):
                    rows.append({"score": name, "unit": unit} | _described(part, name, seed))
        else:
            rows.append({"score": name, "unit": "1"} | _described(scores, name, seed))
    return pd.DataFrame(rows).astype(_COUNTS)


def choose_labels(labels: Labels, by: Sequence[str]) -> list[Label]:
    """Return the labels to group cases by.

    Parameters
    ----------
    labels : Labels
        The labels of the patients.
    by : sequence of str
        The names of those to group by.

    Returns
    -------
    list of Label
        The labels, in the order of their names in `by`.

    Raises
    ------
    InputError
        If a label is not there, or is neither levels nor numbers.
    """
    chosen = [labels[name] for name in by]
    for label in chosen:
        if label.kind is Kind.IDENTIFIER:
            msg = f"Expected {label.name} to have levels or numbers to group by, found text."
            raise InputError(msg)
    return chosen


def group_table(
    scores: pd.DataFrame, labels: Sequence[Label] = (), *, seed: int = 0
) -> pd.DataFrame:
    """Summarise Dice by groups of cases.

    The groups are the folds, the sites and the missing sequences, as far as they are known, the
    volume of the reference (from nine volumes on), and the levels of labels. Numbers are cut at
    their tertiles among the cases.

    Parameters
    ----------
    scores : DataFrame
        A row per case, as `evaluate` makes it.
    labels : sequence of Label
        As from `choose_labels`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        A row per level: `group`, `level` and the columns of `summary_table` from `n` on. Cases
        without a value have the level "unknown"; those without scores are left out.
    """
    scores = scores[scores["dice"].notna()]
    groups = {name: _named(scores[name]) for name in _OWN_GROUPS}
    if scores["reference_volume"].nunique() >= _LEAST_VOLUMES:
        groups["reference_volume"] = _cut(scores["reference_volume"])
    groups |= {label.name: _labelled(label, scores["patient"]) for label in labels}
    rows = [
        {"group": name, "level": level} | _described(scores[chosen], "dice", seed)
        for name, column in groups.items()
        for level, chosen in _members(column)
    ]
    columns = ["group", "level", *_described(scores, "dice", seed)]
    return pd.DataFrame(rows, columns=columns).astype(_COUNTS)


def _named(column: "pd.Series[str]") -> "pd.Series[Any]":
    """Return a column of names as levels in natural order."""
    known = column.replace("", None)
    levels = sorted(known.dropna().unique(), key=natural_key)
    return known.astype(pd.CategoricalDtype(levels))


def _labelled(label: Label, patients: "pd.Series[str]") -> "pd.Series[Any]":
    """Return the level of each case."""
    values = patients.map(label.values)
    if label.kind.has_levels:
        return values.astype(pd.CategoricalDtype(list(label.levels)))
    return _cut(values)


def _cut(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the third of the values that each number is in."""
    known = values.dropna().astype(float)
    if known.empty:
        return values.astype("category")
    binned = quantile_bins(known, _PARTS)
    low, high = (f"{float(f'{cut:.4g}'):.12g}" for cut in binned.cuts)  # no power of ten
    names = [f"up to {low}", f"above {low} to {high}", f"above {high}"]
    levels = pd.Series([names[code - 1] for code in binned.codes], index=known.index)
    return levels.reindex(values.index).astype(pd.CategoricalDtype(names))


def _members(column: "pd.Series[Any]") -> Iterator[tuple[str, "pd.Series[bool]"]]:
    """Yield each level with its cases, the unknown last; nothing if all are unknown."""
    if column.isna().all():
        return
    for level in column.cat.categories:
        if (column == level).any():
            yield str(level), column == level
    if column.isna().any():
        yield UNKNOWN, column.isna()


def _described(scores: pd.DataFrame, name: str, seed: int) -> dict[str, Any]:
    """Describe one score of some cases."""
    defined = scores[scores[name].notna()]
    values = defined[name].to_numpy(dtype=float)
    ends = np.full((2, 2), np.nan)
    if values.size:

        def middle(rows: NDArray[np.intp]) -> tuple[float, float]:
            drawn = values[rows]
            return float(drawn.mean()), float(np.median(drawn))

        ends = cluster_bootstrap(middle, defined["patient"].to_numpy(dtype=str), seed=seed)
    column = defined[name].astype(float)
    return {
        "n": len(values),
        "mean": column.mean(),
        "mean_low": ends[0, 0],
        "mean_high": ends[1, 0],
        "median": column.median(),
        "median_low": ends[0, 1],
        "median_high": ends[1, 1],
        "sd": column.std(),
        "q25": column.quantile(0.25),
        "q75": column.quantile(0.75),
        "min": column.min(),
        "max": column.max(),
        **{
            f"below_{threshold}": int((values < threshold).sum()) if name in _SHARES else None
            for threshold in THRESHOLDS
        },
    }
