"""The whole replication, from images and label tables to the report."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.association import read_preset
from lggshape.errors import InputError
from lggshape.files import results_folder, write_json
from lggshape.labels import read_labels
from lggshape.progress import OnProgress
from lggshape.provenance import code_hash, describe_input, package_versions, recorded
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.buda2019.replication import Replication
from lggshape.studies.buda2019.report import as_json, write_report
from lggshape.studies.buda2019.roles import read_roles
from lggshape.studies.buda2019.run_steps import run_steps
from lggshape.studies.buda2019.steps import chosen_steps, failed_cases

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, repr=False)
class ReplicationResults:
    """What came of a replication.

    Attributes
    ----------
    folder : Path
        Where the results lie.
    tables : dict of str to DataFrame
        Every table by its name, as in the folder.
    failures : dict of str to str
        The cases that could not be measured, with the reason.
    """

    folder: Path
    tables: dict[str, pd.DataFrame]
    failures: dict[str, str]

    @property
    def claims(self) -> pd.DataFrame:
        """What the paper claims beside what was found, for each kind of mask."""
        return self.tables["claims"]

    @property
    def report(self) -> Path:
        """The report, an HTML file that stands alone."""
        return self.folder / "report.html"

    def summary(self) -> str:
        """Return a line per claim on automatic masks: what is reported, and what was found."""
        claims = self.claims[self.claims["masks"] == AUTOMATIC]
        return "\n".join(
            f"{row.feature} x {row.label}, {row.claim}: {row.found:.3g} (n = {row.n}), "
            f"{'reached' if row.reached else 'not reached'}"
            for row in claims.itertuples()
        )

    def __repr__(self) -> str:
        """Return how many claims were reached, and what there is."""
        reached = self.claims.loc[self.claims["masks"] == AUTOMATIC, "reached"]
        return (
            f"ReplicationResults({reached.sum()} of {len(reached)} claims reached on {AUTOMATIC} "
            f"masks, {len(self.tables)} tables, {len(self.failures)} masks failed)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.claims.to_html()}"


def replicate(
    dataset: StrPath,
    labels: StrPath | Sequence[StrPath],
    out: StrPath,
    *,
    networks: StrPath | None = None,
    masks: StrPath | None = None,
    protocol: StrPath | None = None,
    steps: Sequence[str] = (),
    work: StrPath | None = None,
    seed: int = 0,
    jobs: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> ReplicationResults:
    """Do the whole study again, with automatic and manual masks side by side.

    Each patient is segmented by networks that were not trained on them. Every table is written as
    CSV, all of them to `replication.json`, and the figures to `report.html` and beside it.

    Parameters
    ----------
    dataset : str or Path
        Folder of cases with images and manual masks.
    labels : str, Path or sequence of these
        Label tables (CSV) with a row per patient.
    out : str or Path
        Folder for the results.
    networks : str or Path, optional
        Folder of a training run; by default the networks that ship.
    masks : str or Path, optional
        Automatic masks that were made before, in place of networks.
    protocol : str or Path, optional
        What was written down before; `run.json` keeps its hash.
    steps : sequence of str
        Steps to do besides the primary analysis; ("primary",) for that alone, empty for all.
    work : str or Path, optional
        Folder for masks and unfinished work; by default beside the results.
    seed : int
        Of all random numbers.
    jobs : int, optional
        Number of processes; all cores by default.
    resume : bool
        Whether to continue an earlier run. Its results are replaced.
    overwrite : bool
        Whether to begin again, and to replace the work and the results of an earlier run.
    on_progress : callable, optional
        Called with a `Progress` after each unit of work.

    Returns
    -------
    ReplicationResults
        Tables, claims and failures.

    Raises
    ------
    InputError
        If the label tables lack a label that the study needs, there are both networks and masks, a
        step is unknown or needs networks that are not there, a folder overlaps with an input or
        holds something else, both `resume` and `overwrite` are asked for, or a step cannot be done.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.studies.buda2019.phantom_labels import write_phantoms
    >>> with TemporaryDirectory() as top:
    ...     data = write_phantoms(Path(top, "cases"), patients=12, seed=5, size=(6, 32, 32))
    ...     tables = [data / f"{name}.csv" for name in ("labels", "idh_1p19q", "clinical")]
    ...     out = Path(top, "out")
    ...     found = replicate(data, tables, out, masks=data, steps=["primary"], jobs=1)
    >>> sorted(found.tables)[:3]
    ['associations', 'claims', 'cohort']
    """
    if masks is not None and networks is not None:
        msg = "Expected networks or masks, found both."
        raise InputError(msg)
    if resume and overwrite:
        msg = "Expected resume or overwrite, found both."
        raise InputError(msg)
    out, tables = Path(out), _paths(labels)
    replication = _open(dataset, tables, out, networks, masks, work, seed, jobs, on_progress)
    chosen = chosen_steps(steps, networks=replication.networks is not None)
    inputs = [*_inputs(replication), *([] if protocol is None else [Path(protocol)])]
    settings = _settings(replication)
    options = {"seed": seed, "steps": [one.name for one in chosen]}
    with (
        results_folder(out, overwrite=overwrite or resume) as place,
        recorded(place / "run.json", command="replicate", options=options, inputs=inputs) as record,
    ):
        done = run_steps(replication, chosen, settings=settings, resume=resume, overwrite=overwrite)
        names = list(chain.from_iterable(step.tables for step in done.values()))
        found = {name: replication.read(name) for name in names}
        for name in names:
            shutil.copyfile(replication.table_path(name), place / f"{name}.csv")
        write_report(
            found, replication.family, replication.labels, place,
            on_progress=replication.tell("writing the report"),
        )  # fmt: skip
        write_json(place / "replication.json", as_json(found))
        failures = failed_cases(found["features"])
        record["failed"] = len(failures)
        record["code"] = settings["code"]
        record["seconds_by_step"] = {name: step.seconds for name, step in done.items()}
        record["outputs"] = sorted(
            str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()
        )
    return ReplicationResults(out, found, failures)


def _open(
    dataset: StrPath,
    tables: tuple[Path, ...],
    out: Path,
    networks: StrPath | None,
    masks: StrPath | None,
    work: StrPath | None,
    seed: int,
    jobs: int | None,
    on_progress: OnProgress | None,
) -> Replication:
    """Read what a replication needs to know, and refuse what it cannot work on."""
    from lggshape.segmentation import SHIPPED

    used = None if masks is not None else Path(networks or SHIPPED)
    known, roles = read_labels(tables), read_roles()
    roles.check(known)
    place = (
        Path(work) if work is not None else out.absolute().with_name(f"{out.absolute().name}.work")
    )
    replication = Replication(
        dataset=Path(dataset),
        labels=known,
        label_paths=tables,
        family=read_preset(),
        roles=roles,
        networks=used,
        masks=None if masks is None else Path(masks),
        work=place,
        seed=seed,
        jobs=jobs,
        on_progress=on_progress,
    )
    for path in (out, *_inputs(replication)):
        one, other = place.resolve(), path.resolve()
        if one.is_relative_to(other) or other.is_relative_to(one):
            msg = f"Expected the work to lie beside {path}, found it there: {place}."
            raise InputError(msg)
    return replication


def _paths(labels: StrPath | Sequence[StrPath]) -> tuple[Path, ...]:
    several = [labels] if isinstance(labels, str | os.PathLike) else labels
    return tuple(Path(path) for path in several)


def _inputs(replication: Replication) -> Iterator[Path]:
    """Return everything that is read but the protocol."""
    yield replication.dataset
    yield from replication.label_paths
    yield from filter(None, (replication.networks, replication.masks))


def _settings(replication: Replication) -> dict[str, Any]:
    """Return what the results depend on: an earlier run is continued only with the same."""
    read = {
        "dataset": replication.dataset,
        "networks": replication.networks,
        "masks": replication.masks,
    }
    return {
        "inputs": {
            name: describe_input(path).sha256 for name, path in read.items() if path is not None
        },
        "labels": [describe_input(path).sha256 for path in replication.label_paths],
        "seed": replication.seed,
        "versions": package_versions(),
        "code": code_hash(),
    }
