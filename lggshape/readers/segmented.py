"""Folders that `lggshape segment` wrote: how they are recognised, and what their table says.

`segmentation.csv` has a row per case, with its patient and what came of it.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from errno import EINVAL
from pathlib import Path
from typing import Any

from lggshape.errors import InputError
from lggshape.files import parse_json, read_json
from lggshape.names import counted, what_is_unsafe
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.results import is_inside, is_results_folder
from lggshape.tables import read_table

SEGMENTATION, SLICES = "segmentation.csv", "slices.csv"
"""The tables of `lggshape segment`: a row per case, and a row per slice."""

JOURNAL = "segmentation.jsonl"
"""The journal of `lggshape segment`, with a line for each case as soon as it is done."""

CHECK_COLUMNS = (
    "expected_dice", "expected_dice_low", "expected_dice_high", "check", "check_reason",
)  # fmt: skip
"""The columns about the Dice to expect. Tables of earlier versions lack them."""

COLUMNS = (
    "case", "patient", "fold", "status", "reason", "networks", "volume", "components_removed",
    "missing_sequences", "spacing_known", *CHECK_COLUMNS, "notes",
)  # fmt: skip
"""The columns of the table of cases. Further ones are those of a manifest."""

_STATUSES = ("ok", "empty", "corrected", "failed", "skipped")
SETTINGS, _SETTINGS_KEYS = "segmentation.json", {"networks", "maps"}
"""The file by which a run of `lggshape segment` is recognised, and what it has to hold."""

_REQUIRED = ("case", "patient", "status", "reason")
_BEGINNING = "case,patient,"  # of segmentation.csv


def holds_results(path: Path, files: Iterable[str]) -> bool:
    """Test whether a folder holds results of this tool, and so is no case.

    Parameters
    ----------
    path : Path
        The folder.
    files : iterable of str
        The names of the files in it.

    Returns
    -------
    bool
        True if there is the record of a run (`run.json`), whole or unfinished, or the settings or
        the table of `lggshape segment`.
    """
    there = {SETTINGS, SEGMENTATION}.intersection(files)
    names = {name for name in there if (path / name).is_file()}  # a pipe would never end
    if is_results_folder(path):
        return True
    if SETTINGS in names:
        try:
            record = read_json(path / SETTINGS)
        except InputError:
            record = None
        if isinstance(record, dict) and record.keys() >= _SETTINGS_KEYS:
            return True
    if SEGMENTATION not in names:
        return False
    try:
        with (path / SEGMENTATION).open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def is_segmented(path: Path) -> bool:
    """Return whether the mask of a case, read from a path, was written by `lggshape segment`.

    Parameters
    ----------
    path : Path
        The folder or file of the case.
    """
    # A case lies in the folder with the table; one that is lost has the folder itself as its place.
    return any((folder / SEGMENTATION).is_file() for folder in (path.parent, path))


def journal_lines(path: Path) -> list[bytes]:
    """Return the lines of a journal, without one that a kill or a full disk left unfinished.

    Only a line feed ends a line: a reason may hold other separators, such as U+2028.

    Raises
    ------
    OSError
        If it cannot be read, or is no regular file: a pipe would never end.
    """
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "a folder, a pipe or a device")
    return path.read_bytes().split(b"\n")[:-1]


def parse_line(line: bytes) -> dict[str, Any]:
    """Return what a line of the journal says: that a case was begun, or its result.

    Raises
    ------
    ValueError
        If it says neither, or names a file outside the folder of the journal, which could then be
        removed or written over.
    """
    try:
        values = parse_json(line.decode())
    except ValueError:
        values = None
    if not isinstance(values, dict) or not (values.keys() == {"begun"} or _is_result(values)):
        raise ValueError("a line that is no result")
    for name in values.get("files", []):
        if not is_inside(name):
            raise ValueError(f"a file outside the folder: {name!r}")
    return values


def _is_result(values: dict[str, Any]) -> bool:
    row, slices = values.get("row"), values.get("slices", [])
    return (
        values.keys() <= {"row", "slices", "files", "image"}
        and isinstance(row, dict)
        and row.keys() >= set(_REQUIRED)
        and not any(isinstance(value, list | dict) for value in row.values())
        and isinstance(slices, list)
        and all(isinstance(one, list) and list(map(type, one)) == [int, int, str] for one in slices)
        and isinstance(values.get("files", []), list)
    )


def read_checks(folder: Path) -> dict[str, dict[str, str]]:
    """Read what `lggshape segment` knows about its masks.

    Returns
    -------
    dict of str to dict of str to str
        By case, the columns about the Dice to expect, as text; nothing if the folder has no table,
        or one of an earlier version.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    path = folder / SEGMENTATION
    if not path.is_file():
        return {}
    table = read_table(path, required=("case",))
    known = [name for name in CHECK_COLUMNS if name in table]
    rows = (dict(zip(known, row, strict=True)) for row in table[known].itertuples(index=False))
    return dict(zip(table["case"], rows, strict=True)) if known else {}


def refuse_segmented(cases: Iterable[CaseSource]) -> None:
    """Refuse to look for regions in masks that `lggshape segment` wrote, which have none.

    Raises
    ------
    InputError
        If one of the cases was read from such a folder.
    """
    for case in cases:
        if is_segmented(case.path):
            msg = (
                "Expected masks with regions, found those that `segment` wrote, which are of the "
                f"whole tumour: {case.path}. Leave --regions or --mask-values out."
            )
            raise InputError(msg)


def as_recorded(cases: Mapping[str, CaseSource], folder: Path) -> dict[str, CaseSource]:
    """Change the cases found in a folder to what the table of the run that wrote them says.

    Parameters
    ----------
    cases : mapping of str to CaseSource
        The cases that were found, by name.
    folder : Path
        The folder. Without a table, and without the journal of a run, nothing changes.

    Returns
    -------
    dict of str to CaseSource
        Patients, sites, sessions and further columns are those of the table. A case that failed, or
        whose mask is gone, is one that cannot be read, so that it stays in every account of n; one
        that was skipped is left out.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, has a case twice, an unknown status, or the
        name of a case that cannot be that of a file; or if the run was interrupted, so that there
        is no table yet.
    """
    path = folder / SEGMENTATION
    if not path.is_file():
        _refuse_interrupted(folder)
        return dict(cases)
    table = read_table(path, required=_REQUIRED)
    found = dict(cases)
    seen = set()
    for line, row in enumerate(table.to_dict("records"), start=2):
        case, patient, status, reason = (row[name] for name in _REQUIRED)
        said = {str(name): cell for name, cell in row.items() if name not in COLUMNS}
        wrong = what_is_unsafe(case) if case not in cases else ""
        if not wrong and case in seen:
            wrong = "a second row of this case"
        if not wrong and status not in _STATUSES:
            wrong = f"the status {status!r}, which is none of {', '.join(_STATUSES)}"
        if wrong:
            msg = (
                f"Expected one row per segmented case in {path}, found {wrong} in line {line}: "
                f"{case!r}."
            )
            raise InputError(msg)
        seen.add(case)
        source = found.pop(case, None)
        if status == "skipped":
            continue
        if source is None or status == "failed":
            why = f"Expected case {case} to have a mask, found none: {folder}."
            if status == "failed":
                why = f"segmentation failed: {reason}"
            source = UnreadableCase(case, "", folder, reason=why)
        # A patient called like the case is one that the table knew by nothing but the name.
        found[case] = replace(
            source,
            patient=patient if patient not in {"", case} else source.patient,
            site=said.pop("site", "") or source.site,
            session=said.pop("session", "") or source.session,
            columns=tuple(said.items()),
        )
    return found


def _refuse_interrupted(folder: Path) -> None:
    """Refuse masks of a run that was interrupted: those that are missing would not be noticed."""
    path = folder / JOURNAL
    if not path.is_file():
        return
    done = set()
    for line in journal_lines(path):
        with suppress(ValueError, KeyError):
            done.add(str(parse_line(line)["row"]["case"]))
    msg = (
        f"Expected masks of a run of `segment` that is finished, found one that was interrupted "
        f"after {counted(len(done), 'case')}: {folder}. Finish it with `segment --resume`. To use "
        "the masks that are there, copy them to another folder."
    )
    raise InputError(msg)
