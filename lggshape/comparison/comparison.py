"""A comparison of training runs, from their folders to its tables."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.comparison.description import describe, read_history, read_inner_splits
from lggshape.comparison.held_out import (
    HeldOut,
    detect_held_out,
    held_out_sources,
    segment_held_out,
)
from lggshape.comparison.tables import (
    case_table,
    difference_table,
    epoch_table,
    result_columns,
)
from lggshape.errors import InputError
from lggshape.evaluation.scores import check_tolerance
from lggshape.readers import assign_patients, open_cases
from lggshape.segmentation import read_configuration, read_ensemble
from lggshape.segmentation.run.folder import CONFIGURATION

_ALIKE = ("patients", "epochs", "inner_every")
"""What the runs of a learning curve may differ in."""


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes
    ----------
    runs : DataFrame
        A row a run: what it is, what its training took, and how good it is on all the patients
        that it held out.
    differences : DataFrame
        From the reference, on the cases that both held out; see `tables.difference_table`.
    cases : DataFrame
        Dice of every case by every run.
    history : DataFrame
        A row a network and epoch.
    epochs : DataFrame
        How many epochs runs need to be as good as the reference; see `tables.epoch_table`.
    curves : dict of str to tuple of str
        The runs that segment and differ in the number of patients alone, and perhaps in the epochs
        and in how often the inner split was measured, three or more, by the first of them. Of runs
        of as many patients the first is taken.
    results : dict of str to HeldOut
        What came of each run.
    """

    runs: pd.DataFrame
    differences: pd.DataFrame
    cases: pd.DataFrame
    history: pd.DataFrame
    epochs: pd.DataFrame
    curves: dict[str, tuple[str, ...]]
    results: dict[str, HeldOut] = field(repr=False)

    @property
    def failures(self) -> dict[str, str]:
        """The cases that could not be looked at or compared, with the run and the reason."""
        return {
            f"{case} ({run})": reason
            for run, result in self.results.items()
            for case, reason in result.failures.items()
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give every table by its name."""
        return {
            "runs": self.runs,
            "differences": self.differences,
            "cases": self.cases,
            "history": self.history,
            "epochs": self.epochs,
        }

    def summary_text(self) -> str:
        """Give a line a run: Dice, its difference from the reference, and detection."""
        differences = self.differences[self.differences["measure"] == "dice"].set_index("run")
        lines = []
        for row in self.runs.to_dict("records"):
            parts = [f"{row['run']}: n = {row['patients']}"]
            if pd.notna(row.get("dice")):
                parts.append(f"Dice {_interval(row, 'dice')}, median {row['dice_median']:.3f}")
            if row["run"] in differences.index:
                one = differences.loc[row["run"]]
                low, high = one["low"], one["high"]
                parts.append(
                    f"{one['difference']:+.3f} ({low:+.3f} to {high:+.3f}) against "
                    f"{one['reference']}, p {one['p_holm']:.2g} (Holm)"
                )
            parts.append(f"AUC of slices {_interval(row, 'auc')}")
            lines.append(", ".join(parts))
        return "\n".join(lines)


def compare_runs(
    runs: Sequence[Path],
    dataset: Path,
    work: Path,
    *,
    reference: str | None = None,
    manifest: Path | None = None,
    device: str = "auto",
    surface_tolerance: float = 1.0,
    seed: int = 0,
    jobs: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[str, int], AbstractContextManager[Callable[[], None]]],
) -> Comparison:
    """Let the networks of each run look at the patients that they have not seen, and compare.

    Parameters
    ----------
    runs : sequence of Path
        Folders of training runs, of segmentation or detection. The name of a folder is that of
        the run.
    dataset : Path
        Cases with image and mask.
    work : Path
        Folder for the masks, one in it for each run.
    reference : str, optional
        The run that the others are compared with; by default the first.
    manifest : Path, optional
        A CSV with the columns `case` and `patient`, and perhaps `site`.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    surface_tolerance : float
        Of the surface Dice, in mm; in pixels where the spacing is unknown.
    seed : int
        Of bootstrap and permutations.
    jobs : int, optional
        Number of processes that score masks; all cores by default.
    resume : bool
        Whether masks that an earlier call has made may be kept.
    overwrite : bool
        Whether they may be replaced.
    progress : callable
        Called with what is done and how many cases there are; gives what is called after each.

    Returns
    -------
    Comparison
        One bad case does not keep the others from being compared.

    Raises
    ------
    InputError
        If there are fewer than two runs, two have one name, one is no run or cannot tell anything
        of slices, the reference is not among them, the tolerance is no number from 0 upwards, no
        case has a mask, or a run held none of the cases out, or none that can be used.
    """
    names = [run.resolve().name for run in runs]
    if len(names) < 2 or len(set(names)) < len(names):
        msg = f"Expected two runs or more of different names, found: {', '.join(names)}."
        raise InputError(msg)
    if reference is not None and reference not in names:
        msg = f"Expected the reference to be one of {', '.join(names)}, found: {reference}."
        raise InputError(msg)
    check_tolerance(surface_tolerance)
    folders = dict(zip(names, runs, strict=True))
    ensembles = {name: read_ensemble(run) for name, run in folders.items()}
    for name, ensemble in ensembles.items():
        if ensemble.configuration.task == "reconstruction":
            msg = f"Expected networks for segmentation or detection, found reconstruction: {name}."
            raise InputError(msg)
    every = open_cases(dataset)
    if manifest is not None:
        every = assign_patients(every, manifest)
    if not any(source.has_mask for source in every):
        msg = f"Expected cases with reference masks, found none: {dataset}."
        raise InputError(msg)
    held_out = {name: held_out_sources(every, ensemble) for name, ensemble in ensembles.items()}
    for name, sources in held_out.items():
        if not sources:
            msg = f"Expected cases of patients whom {name} held out, found none: {dataset}."
            raise InputError(msg)
    # What can be refused is refused before hours of prediction.
    histories = {name: read_history(name, ensemble) for name, ensemble in ensembles.items()}
    described = [
        describe(name, run, ensembles[name], histories[name]) for name, run in folders.items()
    ]
    inner: dict[tuple[str, str], frozenset[str]] = {}
    for name, ensemble in ensembles.items():
        inner |= read_inner_splits(name, ensemble)
    curves = _learning_curves(folders)
    results = {}
    for name, run in folders.items():
        sources = held_out[name]
        with progress(name, len(sources)) as on_case:
            if ensembles[name].configuration.task == "detection":
                results[name] = detect_held_out(
                    run, sources, device=device, jobs=jobs, on_case=on_case
                )
            else:
                results[name] = segment_held_out(
                    run,
                    dataset,
                    sources,
                    work / name,
                    device=device,
                    resume=resume,
                    overwrite=overwrite,
                    surface_tolerance=surface_tolerance,
                    jobs=jobs,
                    on_case=on_case,
                )
    reference = reference or names[0]
    history = pd.concat(histories.values(), ignore_index=True)
    rows = [one | result_columns(results[one["run"]], seed=seed) for one in described]
    return Comparison(
        runs=pd.DataFrame(rows),
        differences=difference_table(results, reference, seed=seed),
        cases=case_table(results),
        history=history,
        epochs=epoch_table(history, reference, inner),
        curves=curves,
        results=results,
    )


def _learning_curves(runs: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
    """Bring runs together as `Comparison.curves` describes."""
    alike: dict[str, dict[int, str]] = {}
    for name, run in runs.items():
        network, training = read_configuration(run / CONFIGURATION)
        if network.task != "segmentation":
            continue
        common = {key: value for key, value in training.to_dict().items() if key not in _ALIKE}
        curve = alike.setdefault(json.dumps([network.to_dict(), common]), {})
        curve.setdefault(training.patients, name)
    groups = [tuple(curve.values()) for curve in alike.values()]
    return {group[0]: group for group in groups if len(group) > 2}


def _interval(row: Mapping[Any, Any], name: str) -> str:
    return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
