"""Many cases segmented into a folder: resumable, a bad case a row with its reason."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from lggshape.errors import CaseError, InputError
from lggshape.files import fresh_folder, read_table, write_json, write_table
from lggshape.parallel import map_cases
from lggshape.readers import CaseSource, open_cases
from lggshape.readers.source import MAPS, MASK
from lggshape.segmentation.inference import SeenCaseError, Segmenter
from lggshape.segmentation.runs import read_ensemble, read_json

Map = Literal["probability", "uncertainty", "entropy"]

SEGMENTATION, SLICES, SETTINGS = "segmentation.csv", "slices.csv", "segmentation.json"
RECORD = "run.json"

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
    files : tuple of str
        The masks, maps and tables in the folder, relative to it.
    """

    table: pd.DataFrame
    slices: pd.DataFrame
    failures: dict[str, str]
    skipped: tuple[str, ...]
    files: tuple[str, ...]


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
        Whether `out` may hold an earlier run, which is then replaced.
    on_case : callable, optional
        Called after each case, and at once for those that an earlier run has done.

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
    results: dict[str, _Result] = {}
    if resume and (out / SETTINGS).exists():
        _check_settings(out / SETTINGS, settings)
        results = _whole_results(out, sources)
    else:
        _make_folder(out, overwrite=overwrite)
        write_json(out / SETTINGS, settings)
    failures: dict[str, str] = {}
    skipped = []
    work = partial(_segment_case, segmenter, out=out, maps=maps)
    remaining = [source for source in sources if source.id not in results]
    if on_case is not None:
        for _ in results:
            on_case()
    # One process: the networks use all cores themselves.
    for outcome in map_cases(work, remaining, jobs=1):
        source = outcome.item
        if outcome.value is not None:
            results[source.id] = outcome.value
        elif isinstance(outcome.error, SeenCaseError) and skip_seen:
            skipped.append(source.id)
        else:
            if outcome.error is not None and isinstance(outcome.error.__cause__, InputError):
                raise outcome.error.__cause__  # the disk or the weights, not the case
            failures[source.id] = str(outcome.error)
            keys = {"case": source.id, "patient": source.patient, "status": "failed"}
            results[source.id] = _Result({**keys, "reason": str(outcome.error)}, _NO_SLICES)
        _write_tables(out, [results[name] for name in names if name in results])
        if on_case is not None:
            on_case()
    tables = _write_tables(out, [results[name] for name in names if name in results])
    return SegmentationTable(*tables, failures, tuple(skipped), _files_of_run(out))


class _Result(NamedTuple):
    """What the tables say of a case: its row, and its rows a slice."""

    row: dict[str, Any]
    slices: pd.DataFrame


_NO_SLICES = pd.DataFrame(columns=list(SLICE_COLUMNS), dtype=object)


def _check_settings(record: Path, settings: dict[str, Any]) -> None:
    earlier = read_json(record, settings)
    changed = [name for name in settings if earlier[name] != settings[name]]
    if changed:
        msg = (
            f"Expected the settings of the earlier run, found other {', '.join(changed)}: {record}."
        )
        raise InputError(msg)


def _whole_results(out: Path, sources: Sequence[CaseSource]) -> dict[str, _Result]:
    """Give the results of the cases whose mask is there and is the one that the tables describe.

    A case that now is of another patient is not among them: other networks may have seen him.
    """
    if not (out / SEGMENTATION).exists():
        return {}
    table = read_table(out / SEGMENTATION, required=COLUMNS)
    slices = read_table(out / SLICES, required=SLICE_COLUMNS)
    finished = table[table["status"].isin(["ok", "empty"])]
    patients = {source.id: source.patient for source in sources}
    try:
        masks = {source.id: source for source in open_cases(out, masks_only=True)}
    except InputError:  # there is none
        return {}
    results = {}
    for row in finished.to_dict("records"):
        case = str(row["case"])
        rows = slices[slices["case"] == case]
        known = case in masks and patients.get(case) == row["patient"]
        if known and _areas(masks[case]) == rows["area"].tolist():
            results[case] = _Result({str(name): value for name, value in row.items()}, rows)
    return results


def _areas(mask: CaseSource) -> list[str] | None:
    """Give the area of a mask in each slice; None if it cannot be read."""
    try:
        values = mask.read(image=False).mask
    except CaseError:
        return None
    return None if values is None else [str(area) for area in values.sum(axis=(1, 2))]


def _make_folder(out: Path, *, overwrite: bool) -> None:
    """Make a new folder, or an empty one of that of an earlier run, also of one that was killed."""
    if overwrite and (out / SETTINGS).exists():
        write_json(out / RECORD, {"outputs": _files_of_run(out)})
    fresh_folder(out, overwrite=overwrite)


def _files_of_run(out: Path) -> tuple[str, ...]:
    """Name what a run has written to a folder: masks, maps, tables."""
    ours = re.compile(rf".+_({'|'.join((MASK, *MAPS))})\.(tif|nii\.gz)")
    names = (path.relative_to(out) for path in [*out.glob("*"), *out.glob("*/*")])
    tables = (SEGMENTATION, SLICES, SETTINGS)
    found = (name.as_posix() for name in names if not name.as_posix().startswith("."))
    return tuple(
        sorted(name for name in found if name in tables or ours.fullmatch(Path(name).name))
    )


def _segment_case(
    segmenter: Segmenter,
    source: CaseSource,
    *,
    out: Path,
    maps: Sequence[Map],
) -> _Result:
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
    return _Result(row, slices)


def _write_tables(out: Path, results: Sequence[_Result]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write both tables as they are by now, the one that says what is done as the last."""
    # As objects: whole numbers stay so beside empty cells.
    table = pd.DataFrame([r.row for r in results], columns=list(COLUMNS), dtype=object).fillna("")
    whole = pd.concat([_NO_SLICES, *(result.slices for result in results)], ignore_index=True)
    write_table(out / SLICES, whole)
    write_table(out / SEGMENTATION, table)
    return table, whole


def _identity(networks: Path) -> str:
    """Give what tells these networks from others: the hash of what is in the folder."""
    from lggshape.provenance import describe_input

    return describe_input(networks).sha256
