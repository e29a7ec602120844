"""The whole replication, from images and label tables to the report."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.association import read_study_family
from lggshape.checks import check_seed, check_whole_number
from lggshape.errors import InputError
from lggshape.extras import require
from lggshape.files import StrPath, to_records, write_json
from lggshape.labels import Labels, LabelSource, as_labels
from lggshape.progress import OnProgress
from lggshape.provenance import Record, code_hash, package_versions, recorded
from lggshape.results import results_folder
from lggshape.shape.portrait import read_portraits
from lggshape.studies.buda2019.comparison_step import check_earlier
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.buda2019.replication import Replication, Tables
from lggshape.studies.buda2019.report import write_report_files
from lggshape.studies.buda2019.roles import read_roles
from lggshape.studies.buda2019.run_steps import run_steps
from lggshape.studies.buda2019.steps import chosen_steps, failed_cases


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
        """Return a line per claim on automatic masks: the effect, and what is reported of it."""
        claims = self.claims[self.claims["masks"] == AUTOMATIC]
        return "\n".join(map(_claim_line, claims.itertuples()))

    def __repr__(self) -> str:
        """Return how many claims were reached, and what there is."""
        reached = self.claims.loc[self.claims["masks"] == AUTOMATIC, "reached"]
        return (
            f"ReplicationResults({reached.sum()} of {len(reached)} claims reached on {AUTOMATIC} "
            f"masks, {len(self.tables)} tables, {len(self.failures)} masks failed)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.claims.to_html()}"


def _claim_line(row: Any) -> str:
    """Return a claim in a line: the effect with its interval, then p, then what is reported."""
    is_bound = row.claim.startswith("p")
    effect = f"{'V' if is_bound else 'AUC'} {row.effect:.2f} ({row.low:.2f} to {row.high:.2f})"
    p = f", p {row.found:.2g}" if is_bound else ""
    reached = "reached" if row.reached else "not reached"
    return f"{row.feature} x {row.label}: {effect}{p}, n {row.n}; {row.claim} is {reached}"


def replicate(
    dataset: StrPath,
    labels: Labels | LabelSource,
    out: StrPath,
    *,
    networks: StrPath | None = None,
    masks: StrPath | None = None,
    earlier: StrPath | None = None,
    protocol: StrPath | None = None,
    steps: Sequence[str] = (),
    realisations: int | None = None,
    title: str | None = None,
    authors: Sequence[str] = (),
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
    labels : Labels, or what `read_labels` takes
        Label tables with a row per patient, as CSV files or in memory.
    out : str or Path
        Folder for the results.
    networks : str or Path, optional
        Folder of a training run; by default the bundled networks.
    masks : str or Path, optional
        Automatic masks that were made before, in place of networks.
    earlier : str or Path, optional
        Results of an earlier replication of the same patients, to compare effects with.
    protocol : str or Path, optional
        What was written down before; `run.json` keeps its hash.
    steps : sequence of str
        Steps to do besides the primary analysis; ("primary",) for that alone, empty for all.
    realisations : int, optional
        How often the steps noise and failed-attempt draw noise of each strength; once by default.
        Networks segment all patients again for each.
    title : str, optional
        Heading of the report.
    authors : sequence of str
        Who wrote the report.
    work : str or Path, optional
        Folder for masks and unfinished work; by default beside the results.
    seed : int
        Seed of all random numbers.
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
        If the label tables lack a label that the study needs, a patient has several cases, the
        earlier results lack a table, there are both networks and masks, a step is unknown or needs
        networks that are not there, a folder overlaps with an input or holds something else, both
        `resume` and `overwrite` are asked for, or a step cannot be done.
    """
    if masks is not None and networks is not None:
        msg = "Expected networks or masks, found both."
        raise InputError(msg)
    if masks is None:
        require("keras", "to segment the cases")
    if resume and overwrite:
        msg = "Expected resume or overwrite, found both."
        raise InputError(msg)
    out = Path(out)
    drawn = 1 if realisations is None else realisations
    check_whole_number(drawn, "the number of realisations of noise", least=1)
    replication = _open(
        dataset, labels, out, networks, masks, earlier, drawn, work, seed, jobs, on_progress
    )
    chosen = chosen_steps(steps, networks=replication.networks is not None)
    inputs = [*_inputs(replication), *([] if protocol is None else [Path(protocol)])]
    options = {"seed": seed, "steps": [one.name for one in chosen], "realisations": drawn}
    with (
        results_folder(out, overwrite=overwrite or resume, inputs=inputs) as place,
        recorded(place / "run.json", command="replicate", options=options, inputs=inputs) as record,
    ):
        settings = _settings(replication, record)
        done = run_steps(replication, chosen, settings=settings, resume=resume, overwrite=overwrite)
        names = list(chain.from_iterable(step.tables for step in done.values()))
        found = {name: replication.read(name) for name in names}
        for name in names:
            shutil.copyfile(replication.table_path(name), place / f"{name}.csv")
        write_report_files(
            found, replication.family, replication.labels, place,
            earlier=replication.earlier_tables,
            portraits=read_portraits(replication.mask_folders, jobs=jobs),
            title=title, authors=authors, on_progress=replication.tell("writing the report"),
        )  # fmt: skip
        write_json(place / "replication.json", _records(found))
        failures = failed_cases(found["features"])
        record.details["failed"] = len(failures)
        record.details["code"] = settings["code"]
        record.details["seconds_by_step"] = {name: step.seconds for name, step in done.items()}
    return ReplicationResults(out, found, failures)


def _records(tables: Tables) -> dict[str, Any]:
    return {name: to_records(table) for name, table in tables.items()}


def _open(
    dataset: StrPath,
    labels: Labels | LabelSource,
    out: Path,
    networks: StrPath | None,
    masks: StrPath | None,
    earlier: StrPath | None,
    realisations: int,
    work: StrPath | None,
    seed: int,
    jobs: int | None,
    on_progress: OnProgress | None,
) -> Replication:
    """Read what a replication needs to know, and refuse what it cannot work on."""
    check_seed(seed)
    from lggshape.segmentation import SHIPPED

    used = None if masks is not None else Path(networks or SHIPPED)
    known, roles = as_labels(labels), read_roles()
    roles.check(known)
    beside = out.absolute().with_name(f"{out.absolute().name}.work")
    place = beside if work is None else Path(work)
    replication = Replication(
        dataset=Path(dataset),
        labels=known,
        label_tables=tuple(table.source for table in known.tables),
        family=read_study_family("buda2019"),
        roles=roles,
        networks=used,
        masks=None if masks is None else Path(masks),
        work=place,
        earlier=None if earlier is None else Path(earlier),
        realisations=realisations,
        seed=seed,
        jobs=jobs,
        on_progress=on_progress,
    )
    check_earlier(replication.earlier)
    for path in (out, *_inputs(replication)):
        one, other = place.resolve(), path.resolve()
        if one.is_relative_to(other) or other.is_relative_to(one):
            msg = f"Expected the work to lie beside {path}, found it there: {place}."
            raise InputError(msg)
    counts = Counter(source.patient for source in replication.sources)
    several = [patient for patient, cases in counts.items() if cases > 1]
    if several:
        msg = (
            f"Expected one case per patient in {replication.dataset}, found several of: "
            f"{', '.join(several)}."
        )
        raise InputError(msg)
    return replication


def _inputs(replication: Replication) -> list[Path]:
    """Return every file and folder that is read but the protocol."""
    tables = [
        Path(table) for table in replication.label_tables if not isinstance(table, pd.DataFrame)
    ]
    optional = (replication.networks, replication.masks, replication.earlier)
    return [replication.dataset, *tables, *(path for path in optional if path is not None)]


def _settings(replication: Replication, record: Record) -> dict[str, Any]:
    """Return what the results depend on: an earlier run is continued only with the same."""
    hashes = {Path(source.path): source.sha256 for source in record.inputs}
    read = {
        "dataset": replication.dataset,
        "networks": replication.networks,
        "masks": replication.masks,
        "earlier": replication.earlier,
    }
    return {
        "inputs": {name: hashes[path] for name, path in read.items() if path is not None},
        "labels": [
            _hash_table(table) if isinstance(table, pd.DataFrame) else hashes[Path(table)]
            for table in replication.label_tables
        ],
        "seed": replication.seed,
        "realisations": replication.realisations,
        "versions": package_versions(),
        "code": code_hash(),
    }


def _hash_table(table: pd.DataFrame) -> str:
    return hashlib.sha256(table.to_csv().encode()).hexdigest()
