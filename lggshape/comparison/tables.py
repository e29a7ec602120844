"""Tables of a comparison: a row per run, and differences from one of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.comparison.held_out import HeldOut
from lggshape.evaluation.detection import detection_table
from lggshape.evaluation.summaries import THRESHOLDS, summary_table
from lggshape.statistics import adjust, cluster_bootstrap, clustered_auc_difference

SCORES = ("dice", "hd95", "surface_dice")
"""Scores of masks that are compared; of those but Dice, millimetres and pixels apart."""

SLICE_SCORES = ("auc", "sensitivity_at_95_specificity")

DIFFERENCE_COLUMNS = (
    "measure", "run", "reference", "patients", "cases", "value", "reference_value", "difference",
    "low", "high", "p", "p_holm",
)  # fmt: skip
"""Columns of the table of differences, in order."""

EPOCH_COLUMNS = (
    "run", "reference", "networks", "epochs", "reference_epochs", "inner_dice",
    "reference_inner_dice", "epochs_to_reference", "reference_epochs_to_run",
)  # fmt: skip
"""Columns of the table of epochs, in order."""

_PERMUTATIONS = 99_999


def result_columns(result: HeldOut, *, seed: int = 0) -> dict[str, Any]:
    """Summarise what came of the held-out patients of a run.

    Parameters
    ----------
    result : HeldOut
        Results of the run.
    seed : int
        Seed of the bootstrap intervals.

    Returns
    -------
    dict
        Means with 95 % intervals, medians and counts, as `summary_table` and `detection_table`
        have them. Distances have their unit in the name, and the number of cases in which they
        are defined: not those where only one of the masks is empty.
    """
    row: dict[str, Any] = {
        "patients": result.slices["patient"].nunique(),
        "cases": result.slices["case"].nunique(),
        "failed": len(result.failures),
        "seconds_per_case": result.seconds,
    }
    if len(result.scores):
        summary = summary_table(result.scores, seed=seed)
        for one in summary[summary["score"].isin(SCORES)].to_dict("records"):
            name = one["score"]
            if name == "dice":
                row |= {"dice_median": one["median"]}
                row |= {f"dice_below_{cut}": one[f"below_{cut}"] for cut in THRESHOLDS}
            elif one["unit"] != "1":
                name = f"{name}_{one['unit']}"
                row |= {f"{name}_cases": one["n"]}
            row |= {name: one["mean"], f"{name}_low": one["mean_low"]}
            row |= {f"{name}_high": one["mean_high"]}
    detection = detection_table(result.slices, seed=seed).set_index("measure").T.to_dict()
    for name in SLICE_SCORES:
        one = detection[name]
        row |= {name: one["estimate"], f"{name}_low": one["low"], f"{name}_high": one["high"]}
    return row


def difference_table(
    results: Mapping[str, HeldOut], reference: str, *, seed: int = 0
) -> pd.DataFrame:
    """Compare every run with one of them, on the cases that both held out.

    Parameters
    ----------
    results : mapping of str to HeldOut
        What came of each run, by its name.
    reference : str
        The run that the others are compared with.
    seed : int
        Seed of the bootstrap and the permutations.

    Returns
    -------
    DataFrame
        A row per measure and run with the columns `DIFFERENCE_COLUMNS`: the mean of run less
        reference with its 95 % interval and p. Measures have the names of `result_columns`. Of
        scores of masks, interval and p are those of the
        patients' mean differences: a percentile bootstrap, and a permutation test that flips their
        signs. Of `auc`, of tumour in a slice, they are those of `clustered_auc_difference`. Holm's
        correction is for the runs that are compared in a measure.
    """
    tables = []
    for name in SCORES:
        for unit in ("",) if name == "dice" else ("_mm", "_pixels"):
            rows = [
                _score_difference(
                    name, unit, run, results[run].scores, results[reference].scores, seed
                )
                for run in results
                if run != reference
            ]
            tables.append(_corrected([row for row in rows if row]))
    rows = [
        _area_difference(run, results[run].slices, results[reference].slices)
        for run in results
        if run != reference
    ]
    tables.append(_corrected([row for row in rows if row]))
    table = pd.concat([one for one in tables if len(one)] or tables[:1], ignore_index=True)
    table["reference"] = reference
    return table.reindex(columns=list(DIFFERENCE_COLUMNS))


def epoch_table(
    history: pd.DataFrame, reference: str, inner: Mapping[tuple[str, str], frozenset[str]]
) -> pd.DataFrame:
    """Find after how many epochs a run is as good as another one in the end, and the reverse.

    Parameters
    ----------
    history : DataFrame
        A row per network and epoch: `run`, `network`, `epoch`, `inner_dice`, which may be missing.
    reference : str
        The run that the others are compared with.
    inner : mapping of (str, str) to frozenset of str
        The cases of the inner split, by run and network.

    Returns
    -------
    DataFrame
        A row per run with the columns `EPOCH_COLUMNS`, by the mean Dice on the inner splits of the
        networks that both runs have with the same inner split: of either run the last epoch and its
        Dice, and the first epoch that reaches the last Dice of the other; missing where none does.
        Runs that were measured after a single epoch are left out.
    """
    curves = {
        run: rows.pivot(index="epoch", columns="network", values="inner_dice")
        for run, rows in history.dropna(subset="inner_dice").groupby("run", sort=False)
    }
    curves = {run: curve for run, curve in curves.items() if len(curve) > 1}
    rows = []
    for run in curves if reference in curves else ():
        shared = [
            name
            for name in curves[run].columns.intersection(curves[reference].columns)
            if inner[str(run), name] == inner[reference, name]
        ]
        if run == reference or not shared:
            continue
        ours, theirs = (curves[one][shared].mean(axis="columns") for one in (run, reference))
        rows.append(
            {
                "run": run,
                "reference": reference,
                "networks": len(shared),
                "epochs": ours.index[-1],
                "reference_epochs": theirs.index[-1],
                "inner_dice": ours.iloc[-1],
                "reference_inner_dice": theirs.iloc[-1],
                "epochs_to_reference": _first_reaching(ours, theirs.iloc[-1]),
                "reference_epochs_to_run": _first_reaching(theirs, ours.iloc[-1]),
            }
        )
    table = pd.DataFrame(rows, columns=list(EPOCH_COLUMNS))
    return table.astype(dict.fromkeys(EPOCH_COLUMNS[-2:], "Int64"))


def _first_reaching(curve: pd.Series, value: float) -> int | None:
    reached = curve.index[curve >= value]
    return int(reached[0]) if len(reached) else None


def case_table(results: Mapping[str, HeldOut]) -> pd.DataFrame:
    """Return the Dice of every case by every run that segments: a row per case."""
    columns = {
        name: result.scores.set_index("case")["dice"]
        for name, result in results.items()
        if len(result.scores)
    }
    patients = pd.concat(
        [result.scores.set_index("case")["patient"] for result in results.values()]
    )
    table = pd.DataFrame(columns).rename_axis("case").sort_index()
    table.insert(0, "patient", patients[~patients.index.duplicated()].reindex(table.index))
    return table.reset_index()


def _score_difference(
    name: str, unit: str, run: str, ours: pd.DataFrame, theirs: pd.DataFrame, seed: int
) -> dict[str, Any] | None:
    if not (len(ours) and len(theirs)):
        return None
    if unit:
        ours = ours[ours["spacing_known"] == (unit == "_mm")]
    both = ours.merge(theirs, on="case", suffixes=("", "_reference"))
    both = both.dropna(subset=[name, f"{name}_reference"])
    if both.empty:
        return None
    # A patient counts once, however many cases they have.
    means = both.groupby("patient")[[name, f"{name}_reference"]].mean().astype(float)
    differences = (means[name] - means[f"{name}_reference"]).to_numpy()
    low, high = cluster_bootstrap(
        lambda rows: differences[rows].mean(), np.arange(len(differences)), seed=seed
    ).ravel()
    return {
        "measure": f"{name}{unit}",
        "run": run,
        "patients": len(means),
        "cases": len(both),
        "value": means[name].mean(),
        "reference_value": means[f"{name}_reference"].mean(),
        "difference": differences.mean(),
        "low": low,
        "high": high,
        "p": _flipped(differences, seed),
    }


def _flipped(differences: NDArray[np.float64], seed: int) -> float:
    """Return the p of a mean difference by flipping signs; NaN of a single one."""
    from scipy.stats import permutation_test

    if len(differences) < 2:
        return np.nan
    found = permutation_test(
        (differences,),
        lambda values, axis: values.mean(axis=axis),
        permutation_type="samples",
        n_resamples=_PERMUTATIONS,  # all of them where there are no more than that
        batch=10_000,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _area_difference(run: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> dict[str, Any] | None:
    both = ours.merge(theirs, on=["case", "slice"], suffixes=("", "_reference"))
    tumour = both["reference_area"].to_numpy() > 0
    if tumour.all() or not tumour.any():  # also where nothing is shared
        return None
    areas = clustered_auc_difference(
        both["score"], both["score_reference"], tumour, both["patient"].to_numpy(dtype=str)
    )
    return {
        "measure": "auc",
        "run": run,
        "patients": both["patient"].nunique(),
        "cases": both["case"].nunique(),
        "value": areas.first,
        "reference_value": areas.second,
        "difference": areas.difference,
        "low": areas.low,
        "high": areas.high,
        "p": areas.p,
    }


def _corrected(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    if len(table):
        table["p_holm"] = adjust(table["p"].to_numpy(dtype=float)).holm
    return table
