"""Many cases segmented into a folder: resumable, a bad case a row with its reason."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lggshape.errors import CaseError, InputError
from lggshape.files import fresh_folder, read_table, write_json, write_table
from lggshape.parallel import map_cases
from lggshape.readers import CaseSource, open_cases
from lggshape.segmentation.inference import SeenCaseError, Segmenter
from lggshape.segmentation.runs import read_ensemble, read_json

Map = Literal["probability", "uncertainty", "entropy"]

SEGMENTATION, SLICES, SETTINGS = "segmentation.csv", "slices.csv", "segmentation.json"

COLUMNS = (
    "case", "patient", "fold", "status", "reason", "networks", "volume", "components_removed",
    "missing_sequences", "spacing_known",
)  # fmt: skip
SLICE_COLUMNS = ("case", "slice", "area", "score")


@dataclass(frozen=True)
class SegmentationTable:
    """What was segmented.

    Attributes
    ----------
    table : DataFrame
        A row a case, in the order of the cases, with the columns `COLUMNS`. `volume` is in mm3
        where the spacing is known, else in voxels.
    slices : DataFrame
        A row a slice of each case that was segmented: the area of the mask in pixels, and the
        score for tumour in the slice.
    failures : dict of str to str
        The cases that could not be segmented, with the reason.
    skipped : tuple of str
        The cases that were left out because every network was trained on them.
    """

    table: pd.DataFrame
    slices: pd.DataFrame
    failures: dict[str, str]
    skipped: tuple[str, ...]


def segment_cases(
    sources: Sequence[CaseSource],
    out: Path,
    *,
    networks: Path,
    maps: Sequence[Map] = (),
    flips: bool = True,
    device: str = "auto",
    skip_seen: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    on_case: Callable[[], None] | None = None,
) -> SegmentationTable:
    """Segment cases and write their masks in their own layout.

    Parameters
    ----------
    sources : sequence of CaseSource
        Cases with an image.
    out : Path
        Folder for the masks, `segmentation.csv` and `slices.csv`.
    networks : Path
        Folder of a training run.
    maps : sequence of {"probability", "uncertainty", "entropy"}
        What to write beside the masks.
    flips : bool
        Whether to average over the four flips of a slice.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    skip_seen : bool
        Whether a case that every network was trained on is left out; by default it fails.
    resume : bool
        Whether `out` may hold an earlier run of the same settings: what is done and whole is kept.
    overwrite : bool
        Whether `out` may hold a finished earlier run, which is then replaced.
    on_case : callable, optional
        Called after each case.

    Returns
    -------
    SegmentationTable
        One bad case does not keep the others from being segmented.

    Raises
    ------
    InputError
        If `out` or `networks` cannot be used, two cases have one name, or a GPU is asked for and
        there is none.
    """
    names = [source.id for source in sources]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        msg = f"Expected every case once, found several of: {', '.join(doubled)}."
        raise InputError(msg)
    segmenter = Segmenter(read_ensemble(networks), flips=flips, device=device)
    settings = {"networks": _identity(networks), "maps": list(maps), "flips": flips}
    done = _begin(out, settings, resume=resume, overwrite=overwrite)
    rows: dict[str, dict[str, Any]] = {}
    slices: dict[str, pd.DataFrame] = {}
    failures: dict[str, str] = {}
    skipped = []
    work = partial(_segment_case, segmenter, out=out, maps=maps, done=done)
    # One process: the networks use all cores themselves.
    for outcome in map_cases(work, sources, jobs=1):
        source = outcome.item
        if outcome.value is not None:
            rows[source.id], slices[source.id] = outcome.value
        elif isinstance(outcome.error, SeenCaseError) and skip_seen:
            skipped.append(source.id)
        else:
            if outcome.error is not None and isinstance(outcome.error.__cause__, InputError):
                raise outcome.error.__cause__  # the disk or the weights, not the case
            failures[source.id] = str(outcome.error)
            keys = {"case": source.id, "patient": source.patient, "status": "failed"}
            rows[source.id] = {**keys, "reason": str(outcome.error)}
        _write_tables(out, rows, slices)
        if on_case is not None:
            on_case()
    return SegmentationTable(*_write_tables(out, rows, slices), failures, tuple(skipped))


@dataclass(frozen=True)
class _Done:
    """What an earlier run has finished: its tables, and its masks."""

    table: pd.DataFrame
    slices: pd.DataFrame
    masks: dict[str, CaseSource]

    def find(self, source: CaseSource) -> tuple[dict[str, Any], pd.DataFrame] | None:
        """Give the rows of a case whose mask is there and is the one that they describe."""
        row = self.table[self.table["case"] == source.id]
        slices = self.slices[self.slices["case"] == source.id]
        if len(row) != 1 or source.id not in self.masks:
            return None
        try:
            mask = self.masks[source.id].read(image=False).mask
        except CaseError:
            return None
        areas = pd.to_numeric(slices["area"], errors="coerce").to_numpy()
        if mask is None or not np.array_equal(mask.sum(axis=(1, 2)), areas):
            return None
        kept = {name: value for name, value in row.iloc[0].items() if value != ""}
        return {str(name): value for name, value in kept.items()}, slices


def _begin(out: Path, settings: dict[str, Any], *, resume: bool, overwrite: bool) -> _Done | None:
    """Make the folder ready; give what an earlier run has finished in it."""
    record = out / SETTINGS
    if resume and record.exists():
        earlier = read_json(record, settings)
        if earlier != settings:
            changed = [name for name in settings if earlier[name] != settings[name]]
            msg = f"Expected the settings of the earlier run, found other {changed}: {record}."
            raise InputError(msg)
        if not (out / SEGMENTATION).exists():
            return None
        table = read_table(out / SEGMENTATION, required=COLUMNS)
        masks = {source.id: source for source in open_cases(out, masks_only=True)}
        finished = table[table["status"].isin(["ok", "empty"])]
        return _Done(finished, read_table(out / SLICES, required=SLICE_COLUMNS), masks)
    fresh_folder(out, overwrite=overwrite)
    write_json(record, settings)
    return None


def _segment_case(
    segmenter: Segmenter,
    source: CaseSource,
    *,
    out: Path,
    maps: Sequence[Map],
    done: _Done | None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    earlier = done.find(source) if done else None
    if earlier is not None:
        return earlier
    case = source.read(mask=False)
    result = segmenter.segment(case)
    volumes = {"mask": result.mask} | {name: getattr(result, name) for name in maps}
    source.write(out, volumes)
    areas = result.mask.sum(axis=(1, 2))
    spacing = case.geometry.spacing
    voxels = int(areas.sum())
    row = {
        "case": case.id,
        "patient": case.patient,
        "fold": result.fold,
        "status": "ok" if voxels else "empty",
        "reason": "" if voxels else "no voxel reached the threshold",
        "networks": ";".join(result.networks),
        "volume": voxels * float(np.prod(spacing)) if spacing else voxels,
        "components_removed": result.removed,
        "missing_sequences": ";".join(result.missing),
        "spacing_known": spacing is not None,
    }
    slices = pd.DataFrame(
        {
            "case": case.id,
            "slice": np.arange(1, len(areas) + 1),
            "area": areas,
            "score": [f"{score:.6g}" for score in result.slice_scores],
        }
    )
    return row, slices


def _write_tables(
    out: Path, rows: dict[str, dict[str, Any]], slices: dict[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write both tables as they are by now, the one that says what is done as the last."""
    table = pd.DataFrame(list(rows.values()), columns=list(COLUMNS)).astype(object)
    table = table.where(table.notna(), "")
    whole = pd.concat([pd.DataFrame(columns=list(SLICE_COLUMNS)), *slices.values()])
    write_table(out / SLICES, whole)
    write_table(out / SEGMENTATION, table)
    return table, whole


def _identity(networks: Path) -> str:
    """Give what tells these networks from others: the hash of what is in the folder."""
    from lggshape.provenance import describe_input

    return describe_input(networks).sha256
