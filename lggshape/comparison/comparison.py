"""A comparison of training runs, from their folders to its tables."""

import json
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from lggshape.checks import check_seed
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
from lggshape.files import StrPath
from lggshape.names import counted
from lggshape.progress import OnProgress, Progress
from lggshape.readers import CaseSource
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.readers.value_names import whole_region_of
from lggshape.results import check_folder, check_place
from lggshape.segmentation import Ensemble, read_configuration, read_ensemble
from lggshape.segmentation.run.folder import CONFIGURATION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TASKS = ("segmentation", "detection")
_ALIKE = ("patients", "epochs", "inner_every")
"""What the runs of a learning curve may differ in."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Runs side by side.

    Attributes
    ----------
    runs : DataFrame
        A row per run: what it is, what its training took, and how good it is on all the patients
        that it held out.
    differences : DataFrame
        Differences from the reference on the cases that both held out; see
        `tables.difference_table`.
    cases : DataFrame
        Dice of every case by every run.
    history : DataFrame
        A row per network and epoch.
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
    results: dict[str, HeldOut]

    def __repr__(self) -> str:
        """Return the names of the runs and the numbers of cases and failures."""
        names = ", ".join(self.results)
        return f"Comparison({names}: {len(self.cases)} cases, {len(self.failures)} failed)"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.runs.to_html(index=False)}"

    @property
    def names(self) -> "pd.Series[str]":
        """What to call each row of `cases`: its patient, or its case if a patient has several."""
        return self.cases["patient" if self.cases["patient"].is_unique else "case"]

    @property
    def failures(self) -> dict[str, str]:
        """The cases that could not be segmented or compared, with the run and the reason."""
        return {
            f"{case} ({run})": reason
            for run, result in self.results.items()
            for case, reason in result.failures.items()
        }

    def plots(self) -> "dict[str, Figure]":
        """Draw the figures for which there are data, by name; see `drawing.draw`."""
        from lggshape.comparison.drawing import draw

        return dict(draw(self))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table by its name."""
        return {
            "runs": self.runs,
            "differences": self.differences,
            "cases": self.cases,
            "history": self.history,
            "epochs": self.epochs,
        }

    def summary(self) -> str:
        """Return a line per run: Dice, its difference from the reference, and detection."""
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
    runs: Sequence[StrPath],
    dataset: Cases,
    work: StrPath | None = None,
    *,
    reference: str | None = None,
    device: str = "auto",
    surface_tolerance: float = 1.0,
    seed: int = 0,
    jobs: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Comparison:
    """Compare training runs on the patients that their networks have not seen.

    Parameters
    ----------
    runs : sequence of str or Path
        Folders of training runs, of segmentation or detection. The name of a folder is that of
        the run.
    dataset : str, path, or sequence of CaseSource
        Cases with image and mask: what `lggshape.open_cases` reads or returns. Networks find the
        whole tumour: of several regions, the one that holds all others is compared.
    work : str or Path, optional
        Folder for the masks, one in it for each run; by default a temporary one.
    reference : str, optional
        The run that the others are compared with; by default the first.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    surface_tolerance : float
        Tolerance of the surface Dice, in mm; in pixels where the spacing is unknown.
    seed : int
        Seed of bootstrap and permutations, 0 or more.
    jobs : int, optional
        Number of processes that score masks; all cores by default.
    resume : bool
        Whether masks that an earlier call has made in `work` may be kept.
    overwrite : bool
        Whether they may be replaced.
    on_progress : callable, optional
        Told after each case how far the work on its run is.

    Returns
    -------
    Comparison
        One bad case does not keep the others from being compared.

    Raises
    ------
    InputError
        If there are fewer than two runs, two have one name, one is no run or cannot tell anything
        of slices, the reference is not among them, the tolerance or the seed is no number from 0
        upwards, `work` cannot be used or is missing where it is to be resumed or replaced, no case
        has a mask, none of the regions holds all others, or a run held none of the cases out, or
        none that can be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration, train
    >>> training = TrainingConfiguration(
    ...     folds=2, epochs=1, batch=32, inner=0, encoder_weights="none"
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     cases = write_cohort(Path(folder, "cases"), patients=4, size=(6, 48, 48))
    ...     runs = [Path(folder, "unet"), Path(folder, "resunet")]
    ...     for run in runs:
    ...         network = NetworkConfiguration(
    ...             architecture=run.name, filters=(2, 4), size=32, neighbours=0
    ...         )
    ...         _ = train(cases, run, network=network, training=training, only=[0], jobs=1)
    ...     found = compare_runs(runs, cases, jobs=1)
    >>> found.runs["run"].tolist(), len(found.cases)
    (['unet', 'resunet'], 2)
    """
    check_tolerance(surface_tolerance)
    check_seed(seed)
    if work is None and (resume or overwrite):
        msg = "Expected a folder for the masks (`work`) to resume or overwrite, found none."
        raise InputError(msg)
    if work is None:
        with TemporaryDirectory() as folder:
            return compare_runs(
                runs, dataset, folder, reference=reference, device=device,
                surface_tolerance=surface_tolerance, seed=seed, jobs=jobs, on_progress=on_progress,
            )  # fmt: skip
    work = Path(work)
    every = sources_of(dataset)
    places = [source.path for source in every]
    check_place(work, inputs=[*places, *runs])
    # What can be refused is refused before hours of prediction.
    _refuse_parts(every)
    compared = _read_runs([Path(run) for run in runs], every)
    reference = _reference(reference, compared)
    for run in () if resume else compared:
        if not run.detects:
            check_folder(work / run.name, overwrite=overwrite, inputs=places)
    known = [describe(run.name, run.folder, run.ensemble, run.history) for run in compared]
    inner = ChainMap(*(read_inner_splits(run.name, run.ensemble) for run in compared))
    detect = partial(detect_held_out, device=device, jobs=jobs)
    segment = partial(
        segment_held_out, device=device, resume=resume, overwrite=overwrite,
        surface_tolerance=surface_tolerance, jobs=jobs,
    )  # fmt: skip
    results = {}
    for run in compared:
        tell = None if on_progress is None else partial(_tell, on_progress, run.name)
        examine = detect if run.detects else partial(segment, work=work / run.name)
        results[run.name] = examine(run.folder, run.sources, on_progress=tell)
    history = _whole_history([run.history for run in compared])
    return Comparison(
        runs=pd.DataFrame(one | result_columns(results[one["run"]], seed=seed) for one in known),
        differences=difference_table(results, reference, seed=seed),
        cases=case_table(results),
        history=history,
        epochs=epoch_table(history, reference, inner),
        curves=_learning_curves(compared),
        results=results,
    )


class _ComparedRun(NamedTuple):
    """A run, and the cases of the patients whom it held out."""

    name: str
    folder: Path
    ensemble: Ensemble
    sources: list[CaseSource]
    history: pd.DataFrame

    @property
    def detects(self) -> bool:
        return self.ensemble.configuration.task == "detection"


def _refuse_parts(sources: Sequence[CaseSource]) -> None:
    """Refuse regions of which none is the whole tumour, which networks find."""
    names = next((source.region_names for source in sources if source.region_names), ())
    if names and not whole_region_of(sources):
        msg = (
            "Expected a region that holds all others, to compare networks on, found "
            f"{', '.join(names)}. Add one, or give its values with --mask-values (mask_values= in "
            "Python)."
        )
        raise InputError(msg)


def _read_runs(folders: Sequence[Path], every: Sequence[CaseSource]) -> list[_ComparedRun]:
    """Read the runs; raise for those that cannot be compared on a data set."""
    names = [folder.resolve().name for folder in folders]
    if len(names) < 2 or len(set(names)) < len(names):
        msg = f"Expected two runs or more of different names, found: {', '.join(names)}."
        raise InputError(msg)
    ensembles = [read_ensemble(folder) for folder in folders]
    among = f"among {counted(len(every), 'case')}"
    if not any(source.has_mask for source in every):
        msg = f"Expected cases with reference masks, found none {among}."
        raise InputError(msg)
    runs = []
    for name, folder, ensemble in zip(names, folders, ensembles, strict=True):
        if ensemble.configuration.task not in _TASKS:
            task = ensemble.configuration.task
            msg = f"Expected networks for {' or '.join(_TASKS)}, found {task}: {name}."
            raise InputError(msg)
        sources = held_out_sources(every, ensemble)
        if not sources:
            msg = f"Expected cases of patients whom {name} held out, found none {among}."
            raise InputError(msg)
        runs.append(_ComparedRun(name, folder, ensemble, sources, read_history(name, ensemble)))
    return runs


def _reference(given: str | None, runs: Sequence[_ComparedRun]) -> str:
    names = [run.name for run in runs]
    if given is not None and given not in names:
        msg = f"Expected the reference to be one of {', '.join(names)}, found: {given}."
        raise InputError(msg)
    return given or names[0]


def _whole_history(histories: list[pd.DataFrame]) -> pd.DataFrame:
    # Before pandas 3, empty ones had a say in the types of the columns or not, and warned of it.
    filled = [one for one in histories if not one.empty]
    whole: pd.DataFrame = pd.concat(filled or histories, ignore_index=True)
    return whole


def _tell(on_progress: OnProgress, run: str, progress: Progress) -> None:
    on_progress(progress._replace(doing=f"{run}: {progress.doing}"))


def _learning_curves(runs: Sequence[_ComparedRun]) -> dict[str, tuple[str, ...]]:
    """Bring runs together as `Comparison.curves` describes."""
    alike: dict[str, dict[int, str]] = {}
    for run in runs:
        network, training = read_configuration(run.folder / CONFIGURATION)
        if network.task != "segmentation":
            continue
        common = {key: value for key, value in training.to_dict().items() if key not in _ALIKE}
        curve = alike.setdefault(json.dumps([network.to_dict(), common]), {})
        curve.setdefault(training.patients, run.name)
    groups = [tuple(curve.values()) for curve in alike.values()]
    return {group[0]: group for group in groups if len(group) > 2}


def _interval(row: Mapping[Any, Any], name: str) -> str:
    return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
