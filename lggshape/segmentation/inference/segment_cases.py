"""Many cases segmented into a folder: resumable, a bad case a row with its reason."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from lggshape.errors import CaseError, InputError
from lggshape.files import names_cell, read_table, write_json, write_table
from lggshape.parallel import map_cases
from lggshape.readers import CaseSource, open_cases
from lggshape.readers.naming import MAPS, MASK
from lggshape.readers.segmented import SEGMENTATION
from lggshape.results import fresh_folder
from lggshape.segmentation._backend import keras
from lggshape.segmentation.inference.network_cache import SeenCaseError
from lggshape.segmentation.inference.segmenter import Prepare, Segmentation, Segmenter
from lggshape.segmentation.preprocessing.network_input import prepare
from lggshape.segmentation.run.folder import (
    CASES,
    CONFIGURATION,
    FOLDS,
    NETWORK,
    Ensemble,
    read_ensemble,
    read_json,
)

Map = Literal["probability", "uncertainty", "entropy"]

SLICES, SETTINGS = "slices.csv", "segmentation.json"

COLUMNS = (
    "case", "patient", "fold", "status", "reason", "networks", "volume", "components_removed",
    "missing_sequences", "spacing_known",
)  # fmt: skip
SLICE_COLUMNS = ("case", "slice", "area", "score")

_KINDS = "|".join((MASK, *MAPS))
_IN_FOLDER = re.compile(rf"(?P<case>[^/]+)/(?P=case)(_[0-9]+_({_KINDS})\.tif|_({_KINDS})\.nii\.gz)")
_FLAT = re.compile(rf"(?P<case>[^/]+)_({_KINDS})\.nii\.gz")
"""The files of a case, relative to the folder that it was written to."""


@dataclass(frozen=True)
class SegmentationTable:
    """What was segmented.

    Attributes
    ----------
    table : DataFrame
        A row a case, in the order of the cases, with the columns `COLUMNS`. `status` is "ok",
        "empty", "failed" or "skipped"; `volume` is in mm3 where the spacing is known, else in
        voxels.
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
    samples: bool = False,
    prepare: Prepare = prepare,
    prepare_settings: Mapping[str, Any] = MappingProxyType({}),
    skip_seen: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    on_case: Callable[[], None] | None = None,
    on_result: Callable[[str, Segmentation], None] | None = None,
) -> SegmentationTable:
    """Segment cases and write their masks in their own layout.

    Parameters
    ----------
    sources : sequence of CaseSource
        Cases with an image.
    out : Path
        Folder for the masks, `segmentation.csv` and `slices.csv`. What an earlier run wrote
        there for a case that now fails or is skipped is removed.
    networks : Path
        Folder of a training run.
    maps : sequence of {"probability", "uncertainty", "entropy"}
        What to write beside the masks.
    flips : bool
        Whether to average over a slice and its mirror image, left to right.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    samples : bool
        Whether `on_result` gets the mask of each network and flip alone, too.
    prepare : callable
        Turns a case into what the networks are shown; see `Segmenter`.
    prepare_settings : mapping
        What tells this `prepare` from others. It is recorded, and a run of other ones is not
        resumed.
    skip_seen : bool
        Whether a case that every network was trained on is left out; by default it fails.
    resume : bool
        Whether `out` may hold an earlier run of the same settings, of these cases or some of them:
        what is done and whole is kept.
    overwrite : bool
        Whether `out` may hold an earlier run, which is then replaced.
    on_case : callable, optional
        Called after each case, and at once for those that an earlier run has done.
    on_result : callable, optional
        Called with the name of a case and what was found, before its mask is written.

    Returns
    -------
    SegmentationTable
        One bad case does not keep the others from being segmented.

    Raises
    ------
    InputError
        If `out` or `networks` cannot be used, two cases have one name, the run to resume has other
        settings or cases, or a GPU is asked for and there is none.
    """
    names = different_names(sources)
    _check_place(out, sources)
    ensemble = read_ensemble(networks)
    segmenter = Segmenter(ensemble, flips=flips, device=device, samples=samples, prepare=prepare)
    if resume and overwrite:
        msg = "Expected --resume or --overwrite, found both."
        raise InputError(msg)
    settings = {
        "networks": _identity(networks, ensemble),
        "maps": list(maps),
        "flips": flips,
        **prepare_settings,
        "backend": keras.backend.backend(),
        "precision": segmenter.precision,
    }
    results: dict[str, _Result] = {}
    if resume and (out / SETTINGS).exists():
        _check_settings(out / SETTINGS, settings)
        results = _whole_results(out, sources)
    else:
        fresh_folder(out, overwrite=overwrite)
        write_json(out / SETTINGS, settings)
    failures: dict[str, str] = {}
    skipped = []
    work = partial(_segment_case, segmenter, out=out, maps=maps, on_result=on_result)
    remaining = [source for source in sources if source.id not in results]
    # What is there of one that fails now, or is skipped, must not be taken for its mask.
    _remove(out, [source.id for source in remaining])
    if on_case is not None:
        for _ in results:
            on_case()
    # One process: the networks use all cores themselves.
    for outcome in map_cases(work, remaining, jobs=1):
        source = outcome.item
        if outcome.error is None:
            results[source.id] = outcome.value
        elif isinstance(outcome.error.__cause__, InputError):
            raise outcome.error.__cause__  # the disk or the weights, not the case
        elif isinstance(outcome.error, SeenCaseError) and skip_seen:
            skipped.append(source.id)
            results[source.id] = _without_mask(source, "skipped", outcome.error)
        else:
            failures[source.id] = str(outcome.error)
            results[source.id] = _without_mask(source, "failed", outcome.error)
        _write_tables(out, [results[name] for name in names if name in results])
        if on_case is not None:
            on_case()
    tables = _write_tables(out, [results[name] for name in names if name in results])
    return SegmentationTable(*tables, failures, tuple(skipped), _files_of_run(out, names))


def different_names(sources: Sequence[CaseSource]) -> list[str]:
    """Give the names of cases.

    Raises
    ------
    InputError
        If two have the same.
    """
    names = [source.id for source in sources]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        msg = f"Expected every case once, found several of: {', '.join(doubled)}."
        raise InputError(msg)
    return names


class _Result(NamedTuple):
    """What the tables say of a case: its row, and its rows a slice."""

    row: dict[str, Any]
    slices: pd.DataFrame


_NO_SLICES = pd.DataFrame(columns=list(SLICE_COLUMNS), dtype=object)


def _without_mask(source: CaseSource, status: str, reason: CaseError) -> _Result:
    keys = {"case": source.id, "patient": source.patient, "status": status}
    return _Result({**keys, "reason": str(reason)}, _NO_SLICES)


def _check_place(out: Path, sources: Sequence[CaseSource]) -> None:
    """Refuse the folder of the images: masks that lie there are not those of a run."""
    places = {source.path.resolve() for source in sources}
    if out.resolve() in places | {place.parent for place in places}:
        msg = f"Expected another folder than the cases are read from, found: {out}."
        raise InputError(msg)


def _check_settings(record: Path, settings: dict[str, Any]) -> None:
    earlier = read_json(record, ())
    if earlier.get("noise") == 0:  # written by versions that had it as an option
        earlier = {name: value for name, value in earlier.items() if name not in {"noise", "seed"}}
    names = sorted({*earlier, *settings})
    changed = [name for name in names if earlier.get(name) != settings.get(name)]
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
    patients = {source.id: source.patient for source in sources}
    others = [case for case in table["case"] if case not in patients]
    if others:
        msg = (
            "Expected every case of the earlier run to be among those to segment, found no "
            f"{', '.join(others)}: {out / SEGMENTATION}."
        )
        raise InputError(msg)
    try:
        masks = {source.id: source for source in open_cases(out, masks_only=True)}
    except InputError:  # there is none
        return {}
    results = {}
    for row in table[table["status"].isin(["ok", "empty"])].to_dict("records"):
        case = str(row["case"])
        try:
            areas = slices[slices["case"] == case].astype({"slice": int, "area": int})
            result = _Result(_typed(row), areas)
        except ValueError:  # someone has changed the tables
            continue
        known = case in masks and patients[case] == row["patient"]
        if known and _areas(masks[case]) == areas["area"].tolist():
            results[case] = result
    return results


def _typed(row: Mapping[Any, str]) -> dict[str, Any]:
    """Give the row of a segmented case as it was before it was written as text."""
    spacing_known = row["spacing_known"] == str(True)
    return {
        **row,
        "fold": int(row["fold"]) if row["fold"] else None,
        "volume": float(row["volume"]) if spacing_known else int(row["volume"]),
        "components_removed": int(row["components_removed"]),
        "spacing_known": spacing_known,
    }


def _areas(mask: CaseSource) -> list[int] | None:
    """Give the area of a mask in each slice; None if it cannot be read."""
    try:
        values = mask.read(image=False).mask
    except CaseError:
        return None
    return None if values is None else [int(area) for area in values.sum(axis=(1, 2))]


def _files_of_run(out: Path, cases: Iterable[str]) -> tuple[str, ...]:
    """Name what a run of some cases has written to a folder: masks, maps, tables."""
    tables = (name for name in (SEGMENTATION, SLICES, SETTINGS) if (out / name).exists())
    return tuple(sorted([*_files_of(out, cases), *tables]))


def _files_of(out: Path, cases: Iterable[str]) -> list[str]:
    """Name the masks and maps of cases in a folder; what else is there may be the user's own."""
    wanted = set(cases)
    names = (
        path.relative_to(out).as_posix()
        for path in (*out.glob("*"), *out.glob("*/*"))
        if path.is_file()
    )
    matches = ((_IN_FOLDER.fullmatch(name) or _FLAT.fullmatch(name)) for name in names)
    return [match[0] for match in matches if match and match["case"] in wanted]


def _remove(out: Path, cases: Iterable[str]) -> None:
    """Remove the masks and maps of cases, and the folders that held nothing else."""
    files = [out / name for name in _files_of(out, cases)]
    try:
        for path in files:
            path.unlink()
        for folder in {path.parent for path in files} - {out}:
            if not any(folder.iterdir()):
                folder.rmdir()
    except OSError as error:
        msg = f"Expected {out} to be a folder that can be written, found: {error}."
        raise InputError(msg) from error


def _segment_case(
    segmenter: Segmenter,
    source: CaseSource,
    *,
    out: Path,
    maps: Sequence[Map],
    on_result: Callable[[str, Segmentation], None] | None,
) -> _Result:
    case = source.read(mask=False)
    result = segmenter.segment(case)
    if on_result is not None:
        on_result(case.id, result)
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
        "networks": "; ".join(result.networks),
        "volume": voxels * float(np.prod(spacing)) if spacing else voxels,
        "components_removed": result.removed,
        "missing_sequences": names_cell(result.missing),
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


def _identity(networks: Path, ensemble: Ensemble) -> str:
    """Give what tells these networks from others; when and how they were trained does not."""
    members = [member.weights for member in ensemble.members]
    files = [
        *(networks / name for name in (CONFIGURATION, FOLDS, CASES)),
        *(weights.with_name(NETWORK) for weights in members),
        *members,
    ]
    total = hashlib.sha256()
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            msg = f"Expected {path} to be a file that can be read, found: {error.strerror}."
            raise InputError(msg) from error
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()
