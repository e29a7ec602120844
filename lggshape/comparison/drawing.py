"""The figures of a comparison."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lggshape.comparison.comparison import Comparison
from lggshape.evaluation.summaries import summary_table
from lggshape.figures import heat_map, interval_plot
from lggshape.figures.evidence import EvidencePanel, evidence_panels
from lggshape.figures.paired import PairedRow, paired_differences
from lggshape.figures.training import curves_side_by_side, learning_curves
from lggshape.shape.radial import trace_rings

_WORST = 25
_NOWHERE: Mapping[str, str] = MappingProxyType({})


def draw(
    comparison: Comparison, *, targets: Mapping[str, str] = _NOWHERE
) -> Iterator[tuple[str, Figure]]:
    """Draw the figures of a comparison that there are data for.

    Parameters
    ----------
    comparison : Comparison
        The results.
    targets : mapping of str to str
        Where the points of cases lead in the SVG, by their names in `Comparison.names`.

    Yields
    ------
    tuple of str and Figure
        The name of the file, without ending, and the figure: `dice` and `detection` (of every
        run), `differences` (of Dice, from the reference), `paired` (the same of every case),
        `training` (Dice of the inner split per
        epoch), `learning_curve`, `worst` (the cases with the lowest Dice, by run), and
        `evidence_<run>` (where a detector found tumour).
    """
    runs = comparison.runs
    named = (("dice", "dice", "mean Dice"), ("detection", "auc", "AUC of slices with tumour"))
    for name, column, title in named:
        known = runs.dropna(subset=column) if column in runs else runs[:0]
        if len(known):
            yield name, _estimates(known, column, f"{title}, 95 % interval")
    differences = comparison.differences
    differences = differences[differences["measure"] == "dice"]
    if len(differences):
        yield "differences", _differences(differences)
        yield "paired", _paired(comparison, differences, targets)
    followed = _followed(comparison.history)
    if len(followed):
        means = followed.groupby(["run", "epoch"], sort=False)["inner_dice"].mean()
        curves = {
            str(run): (values.index.get_level_values("epoch"), values.to_numpy())
            for run, values in means.groupby("run", sort=False)
        }
        networks = ", ".join(sorted(set(followed["network"])))
        name = f"Dice of the inner split ({networks})"
        yield "training", curves_side_by_side(curves, x_name="epoch", y_name=name)
    shared = _shared_by_curves(comparison)
    if shared:
        yield "learning_curve", _learning(comparison, shared)
    lowest = _lowest(comparison.cases)
    if len(lowest):
        yield "worst", _worst(lowest)
    for run, result in comparison.results.items():
        if result.evidence:
            panels = [
                EvidencePanel(
                    f"{one.case}\nslice {one.slice}",
                    one.evidence,
                    trace_rings(one.mask),
                    trace_rings(one.head),
                )
                for one in result.evidence
            ]
            yield f"evidence_{run}", evidence_panels(panels, value_name="evidence for tumour")


def _followed(history: pd.DataFrame) -> pd.DataFrame:
    """Keep the runs that were measured after several epochs.

    Only the networks that every run has are kept, if there are any: others have other inner splits.
    """
    history = history.dropna(subset="inner_dice")
    history = history[history.groupby("run")["epoch"].transform("nunique") > 1]
    networks = history.groupby("run")["network"].agg(set)
    shared = set.intersection(*networks) if len(networks) else set()
    return history[history["network"].isin(shared)] if shared else history


def _estimates(runs: pd.DataFrame, name: str, title: str) -> Figure:
    low, high = runs[f"{name}_low"], runs[f"{name}_high"]
    lowest = float(np.nanmin([*runs[name], *low]))
    return interval_plot(
        list(runs["run"] + " (n = " + runs["patients"].astype(str) + ")"),
        list(runs[name]),
        list(low),
        list(high),
        value_name=title,
        no_effect=None,  # the runs may have held out different patients
        limits=(math.ceil(20 * lowest - 1) / 20, 1.0),  # also if all are 1
    )


def _differences(differences: pd.DataFrame) -> Figure:
    reach = float(np.nanmax(np.abs(differences[["difference", "low", "high"]].to_numpy())))
    reach = math.ceil(50 * reach + 0.5) / 50
    names = [f"{row.run} (n = {row.patients}, p {row.p_holm:.2g})" for row in _rows(differences)]
    return interval_plot(
        names,
        list(differences["difference"]),
        list(differences["low"]),
        list(differences["high"]),
        value_name=f"Dice less that of {differences['reference'].iloc[0]}, 95 % interval",
        no_effect=0.0,
        limits=(-reach, reach),
    )


def _paired(
    comparison: Comparison, differences: pd.DataFrame, targets: Mapping[str, str]
) -> Figure:
    reference = differences["reference"].iloc[0]
    links = [targets.get(name) for name in comparison.names]
    cases = comparison.cases
    return paired_differences(
        [
            PairedRow(
                f"{row.run}\n(n = {row.cases})",
                cases[row.run] - cases[reference],
                (row.difference, row.low, row.high),
                links,
            )
            for row in _rows(differences)
        ],
        value_name=f"Dice less that of {reference}, each case, and mean with 95 % interval",
    )


def _shared_by_curves(comparison: Comparison) -> set[str]:
    """Return the cases that all runs of all curves held out and scored."""
    chosen = [name for names in comparison.curves.values() for name in names]
    every = [set(comparison.results[name].scores.dropna(subset="dice")["case"]) for name in chosen]
    return set.intersection(*every) if every else set()


def _learning(comparison: Comparison, shared: set[str]) -> Figure:
    """Draw Dice by training patients."""
    rows = {row.run: row for row in _rows(comparison.runs)}
    curves = {}
    for start, names in comparison.curves.items():
        points = []
        for name in names:
            scores = comparison.results[name].scores
            one = next(_rows(summary_table(scores[scores["case"].isin(shared)])))
            points.append((rows[name].training_patients, one.mean, one.mean_low, one.mean_high))
        curves[start] = sorted(points)
    return learning_curves(
        curves,
        x_name="patients trained on",
        y_name=f"mean Dice of {len(shared)} cases, 95 % interval",
    )


def _lowest(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the cases of the lowest mean Dice.

    Only cases that every run held out are returned: others would leave cells blank.
    """
    shared = cases.set_index(["case", "patient"]).dropna()
    order = shared.mean(axis="columns").argsort(kind="stable")
    return shared.iloc[order[:_WORST]]


def _worst(lowest: pd.DataFrame) -> Figure:
    values = lowest.to_numpy(dtype=float)
    return heat_map(
        values,
        [[f"{value:.2f}" for value in row] for row in values],
        rows=list(lowest.index.get_level_values("case")),
        columns=list(lowest.columns),
        value_name="Dice",
    )


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    yield from table.itertuples()
