"""Many cases segmented into a folder: resumable, and a bad case is a row with its reason."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import pandas as pd

from lggshape.errors import CaseError, InputError
from lggshape.files import write_table
from lggshape.parallel import Outcome, map_cases, on_cluster, outcome_of
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.readers.columns import check_columns, with_columns
from lggshape.readers.in_memory import CaseInMemory, Cases, sources_of
from lggshape.readers.segmented import COLUMNS, JOURNAL, SEGMENTATION, SETTINGS, SLICES
from lggshape.readers.source import LAYOUT, Form, UnreadableCase
from lggshape.results import alone_in, check_folder, check_place, recorded_in_place
from lggshape.segmentation._backend import keras
from lggshape.segmentation.inference.case_work import (
    CaseWork,
    Map,
    OnResult,
    Recipe,
    Task,
    is_alone,
    segment_on_worker,
)
from lggshape.segmentation.inference.effort import Effort
from lggshape.segmentation.inference.network_cache import SeenCaseError
from lggshape.segmentation.inference.segmentation_folder import (
    begin_folder,
    networks_identity,
    open_folder,
    remove_files,
)
from lggshape.segmentation.inference.segmentation_journal import SegmentationJournal, SegmentedCase
from lggshape.segmentation.inference.segmenter import (
    Prepare,
    Segmenter,
)
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.run.folder import SHIPPED, read_ensemble, warn_if_changed
from lggshape.stages import map_stages


@dataclass(frozen=True, eq=False, repr=False)
class SegmentationTable:
    """What was segmented.

    Attributes
    ----------
    table : DataFrame
        A row per case, in the order of the cases, with the columns `COLUMNS` of
        `segmentation_journal`. `status` is "ok", "empty", "failed", "skipped", or "corrected" for a
        mask that was changed by hand after an earlier run wrote it; `volume` is in mm3 where the
        spacing is known, else in voxels.
    slices : DataFrame
        A row per slice of each case that was segmented: the area of the mask in pixels, and the
        score for tumour in the slice.
    failures : dict of str to str
        The cases that could not be segmented, with the reason.
    skipped : tuple of str
        The cases that were left out because every network was trained on them.
    files : tuple of str
        The masks, maps and tables in the folder, relative to it.
    """

    table: pd.DataFrame
    slices: pd.DataFrame
    failures: dict[str, str]
    skipped: tuple[str, ...]
    files: tuple[str, ...]

    def __repr__(self) -> str:
        """Return the numbers of cases, failures and cases that were left out."""
        count = f"{len(self.table)} case{'' if len(self.table) == 1 else 's'}"
        failed, skipped = len(self.failures), len(self.skipped)
        return f"SegmentationTable({count}, {failed} failed, {skipped} skipped)"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.table.to_html(index=False)}"


def segment_cases(
    cases: Cases,
    out: str | os.PathLike[str],
    *,
    networks: str | os.PathLike[str] = SHIPPED,
    maps: Sequence[Map] = (),
    effort: Effort = "usual",
    device: str = "auto",
    samples: bool = False,
    prepare: Prepare = prepare_input,
    prepare_settings: Mapping[str, Any] = MappingProxyType({}),
    skip_seen: bool = False,
    write: Form = LAYOUT,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_result: OnResult | None = None,
) -> SegmentationTable:
    """Segment cases and write their masks in their own layout.

    Parameters
    ----------
    cases : str, path, or sequence of CaseSource
        Cases with an image: a path, or what `open_cases` returns.
    out : str or Path
        Folder for the masks, `segmentation.csv` and `slices.csv`.
    networks : str or Path
        Folder of a training run; by default the bundled networks.
    maps : sequence of {"probability", "uncertainty", "entropy"}
        What to write beside the masks.
    effort : {"fast", "usual", "thorough"}
        How much is computed; see `EFFORTS`.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    samples : bool
        Whether `on_result` gets the mask of each network and flip alone, too.
    prepare : callable
        Turns a case into what the networks are shown; see `Segmenter`.
    prepare_settings : mapping
        What distinguishes this `prepare` from others. It is recorded, and a run with other ones is
        not resumed.
    skip_seen : bool
        Whether a case that every network was trained on is left out; by default it fails.
    write : {"layout", "dicom-seg", "seg.nrrd"}
        The form of masks and maps: the layout of the images, which for DICOM is a DICOM
        segmentation that refers to the series; or files with names and colours for 3D Slicer.
    resume : bool
        Whether `out` may hold an earlier run of the same settings, of these cases or some of them.
        A mask that is whole, and of the image that the case has now, is kept. One that was
        corrected by hand is kept in any case. One that now fails or is skipped is removed.
    overwrite : bool
        Whether `out` may hold an earlier run, which is then replaced. Masks that were corrected by
        hand have to be moved away first.
    on_progress : callable, optional
        Told after each case how far the work is.
    on_result : callable, optional
        Called with the name of a case and what was found, before its mask is written.

    Returns
    -------
    SegmentationTable
        One bad case does not keep the others from being segmented.

    Raises
    ------
    InputError
        If `out` or `networks` cannot be used, a map is unknown, two cases have one name, a case is
        in memory and so has no layout, the run to resume has other settings or cases, files in the
        place of masks are not as an earlier run wrote them (with `resume`: and no corrected masks
        that can be read), another run is at work in `out`, or a GPU is asked for and there is none.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> from lggshape.readers import open_cases
    >>> with TemporaryDirectory() as folder:
    ...     cases = open_cases(write_cohort(Path(folder, "cases"), patients=2, size=(2, 32, 32)))
    ...     segment_cases(cases[:1], Path(folder, "masks"))
    SegmentationTable(1 case, 0 failed, 0 skipped)
    """
    out, networks, sources = Path(out), Path(networks), sources_of(cases)
    resumed = resume and (out / SETTINGS).exists()
    check_columns(sources, COLUMNS)
    _refuse_options(sources, out, maps, resume=resume, overwrite=overwrite, resumed=resumed)
    _check_form(sources, write)
    ensemble = read_ensemble(networks)
    warn_if_changed(ensemble)
    segmenter = Segmenter(ensemble, effort=effort, device=device, samples=samples, prepare=prepare)
    settings = {
        "networks": networks_identity(networks, ensemble),
        "maps": list(maps),
        "effort": effort,
        **prepare_settings,
        "backend": keras.backend.backend(),
        "precision": segmenter.precision,
    }
    if write != LAYOUT:
        settings["write"] = write
    # As JSON has them: it knows no tuples.
    if stated := sorted({one.options.spacing for one in sources if one.options.spacing}):
        settings["spacing"] = [list(spacing) for spacing in stated]
    with alone_in(out):
        journal, corrected = (
            open_folder(out, sources, settings)
            if resumed
            else begin_folder(out, sources, settings, overwrite=overwrite)
        )
        work = CaseWork(segmenter, out, tuple(maps), write, journal, on_result, corrected)
        advance = counter(on_progress, "segmenting", len(sources))
        if on_cluster():
            recipe = Recipe(networks.resolve(), effort, device, samples, prepare)
            outcomes = _on_cluster(work, recipe, sources)
        else:
            # The networks use all cores themselves; files are read and written beside them.
            outcomes = map_stages(work.read, work.predict, work.write, sources, alone=is_alone)
        for outcome in outcomes:
            if outcome.error is not None:
                _without_mask(outcome.item, outcome.error, out, journal, skip_seen=skip_seen)
            advance()
        return _finish(out, sources, journal)


def _on_cluster(work: CaseWork, recipe: Recipe, sources: Sequence[CaseSource]) -> Iterator[Outcome]:
    """Segment cases on the workers of a cluster, and write their masks here."""
    known = {source.id: work.known_image(source) for source in sources}
    tasks = [Task(one, known[one.id] or "") for one in sources if known[one.id] is not None]
    for _ in range(len(sources) - len(tasks)):
        yield Outcome(None, None, None)  # it stays as it is
    find = partial(segment_on_worker, recipe=recipe)
    for task, found, error in map_cases(find, tasks):
        if found is None:
            yield Outcome(task.source, None, error)
        else:
            yield outcome_of(partial(work.store, result=found.result, row=found.row), task.source)


def _refuse_options(
    sources: Sequence[CaseSource],
    out: Path,
    maps: Sequence[str],
    *,
    resume: bool,
    overwrite: bool,
    resumed: bool,
) -> None:
    """Raise for what cannot work, before networks are loaded."""
    if resume and overwrite:
        msg = "Expected resume or overwrite, found both."
        raise InputError(msg)
    unknown = [name for name in maps if name not in get_args(Map)]
    if unknown:
        msg = f"Expected maps among {', '.join(get_args(Map))}, found: {', '.join(unknown)}."
        raise InputError(msg)
    in_memory = [source.id for source in sources if isinstance(source, CaseInMemory)]
    if in_memory:
        msg = (
            f"Expected cases with files, whose layout the masks take, found case {in_memory[0]} in "
            "memory. `segment` returns the mask of such a case."
        )
        raise InputError(msg)
    # A row of a manifest whose files are missing has the place of the manifest, which is no input.
    places = [source.path for source in sources if not isinstance(source, UnreadableCase)]
    if resumed:
        check_place(out, inputs=places)
    else:
        check_folder(out, overwrite=overwrite, inputs=places)


def _check_form(sources: Sequence[CaseSource], form: Form) -> None:
    """Raise for a form that the cases do not have."""
    if form not in get_args(Form):
        msg = f"Expected masks to be written as {', '.join(get_args(Form))}, found: {form}."
        raise InputError(msg)
    others = [
        source.id
        for source in sources
        if form not in source.forms and not isinstance(source, UnreadableCase)
    ]
    if others:
        msg = (
            f"Expected cases of DICOM series, to write {form}, found case {others[0]}, which has "
            "none. Write the layout of the images, or seg.nrrd for 3D Slicer."
        )
        raise InputError(msg)


def _without_mask(
    source: CaseSource,
    error: CaseError,
    out: Path,
    journal: SegmentationJournal,
    *,
    skip_seen: bool,
) -> None:
    """Note why a case has no mask; what is there of it must not be taken for one."""
    if isinstance(error.__cause__, InputError):
        raise error.__cause__  # the disk or the weights, not the case
    remove_files(out, journal.files_of(source.id))
    status = "skipped" if skip_seen and isinstance(error, SeenCaseError) else "failed"
    row = {"case": source.id, "patient": source.patient, "status": status, "reason": str(error)}
    journal.add(SegmentedCase(row))


def _finish(
    out: Path, sources: Sequence[CaseSource], journal: SegmentationJournal
) -> SegmentationTable:
    """Write the tables; the table of the cases comes last."""
    names = [source.id for source in sources]
    table, slices = journal.tables(names)
    table = with_columns(table, sources)
    journal.close(names)
    for name, one in ((SLICES, slices), (SEGMENTATION, table)):
        with recorded_in_place(out, name):
            write_table(out / name, one)
    results = [journal.results[name] for name in names]
    reasons: dict[str, dict[str, str]] = {"failed": {}, "skipped": {}}
    for name, result in zip(names, results, strict=True):
        if result.row["status"] in reasons:
            reasons[result.row["status"]][name] = str(result.row["reason"])
    masks = [file for result in results for file in result.files]
    files = sorted([*masks, SEGMENTATION, SETTINGS, SLICES, JOURNAL])
    return SegmentationTable(
        table,
        slices.astype({"slice": int, "area": int, "score": float}),
        reasons["failed"],
        tuple(reasons["skipped"]),
        tuple(files),
    )
