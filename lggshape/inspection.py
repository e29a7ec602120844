"""Inspect a data set: which file belongs to which case and shows what, from names and headers."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lggshape.case import FLAIR, Spacing
from lggshape.errors import InputError
from lggshape.files import to_records, write_table
from lggshape.names import as_unicode, counted, printable
from lggshape.readers import CaseSource
from lggshape.readers.description import FileDescription
from lggshape.readers.discovery import find_cases
from lggshape.readers.manifest import FILE_COLUMNS
from lggshape.readers.naming import IMAGE, UNDERSTOOD
from lggshape.readers.read_options import PatientFrom, ReadOptions
from lggshape.readers.spacing import contradiction, with_stated
from lggshape.readers.unnamed import ONLY_MASKS, WAYS_OUT, LeftOutFile, NothingNamedError
from lggshape.readers.volume_case import VolumeCase
from lggshape.tables import TableSource

COLUMNS = ("file", "case", "patient", "session", "role", "shape", "spacing", "plane", "reason")
"""Columns of `Inspection.files`, in order."""

_GROUPED = ["role", "shape", "spacing", "plane", "reason"]
_MOST_SHOWN = 40
"""More files than these are shown by groups alone, one example each."""
_SHORT_REASON = 50
"""Reasons of at most so many characters stand beside the file, as well as below its group."""


@dataclass(frozen=True, repr=False)
class Inspection:
    """What lies in a data set.

    Attributes
    ----------
    files : DataFrame
        A row per file (or, for slices, per folder and role), with the columns `COLUMNS`: the
        `file` relative to the path, `case`, `patient`, `session`, the `role`, `shape` (Z x Y x X),
        `spacing` (z x y x x, in mm), the `plane` of the slices, and the `reason` why it is not used
        or cannot be read. A cell is empty where nothing is known.
    manifest : DataFrame
        A row per case: `case`, `patient`, `site`, `session`, the files `flair`, `t1`, `t1ce` and
        `mask`, and the columns of a manifest that was read. What `lggshape.open_cases` takes as
        a manifest.
    """

    files: pd.DataFrame
    manifest: pd.DataFrame

    def __repr__(self) -> str:
        """Return the numbers of files and cases."""
        files, cases = counted(len(self.files), "file"), counted(len(self.manifest), "case")
        return f"Inspection({files}, {cases})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.files.to_html(index=False, max_rows=_MOST_SHOWN)}"

    def groups(self) -> pd.DataFrame:
        """Return the files by what they have in common: how many there are, and an example."""
        if self.files.empty:
            return pd.DataFrame(columns=["files", *_GROUPED, "example"])
        grouped = self.files.groupby(_GROUPED, sort=False, dropna=False)
        table = grouped.agg(files=("file", "size"), example=("file", "first")).reset_index()
        return table[["files", *_GROUPED, "example"]]

    def summary(self) -> str:
        """Return the counts, the groups of files, and the files themselves if they are few."""
        patients = self.manifest["patient"].nunique()
        without = int((self.files["case"] == "").sum())
        lines = [
            f"{counted(len(self.files), 'file')}: {counted(len(self.manifest), 'case')} of "
            f"{counted(patients, 'patient')}, {counted(without, 'file')} of no case",
            *_in_groups(self.groups()),
        ]
        if 0 < len(self.files) <= _MOST_SHOWN:
            lines += _by_case(self.files)
        if without:
            lines += ["", f"Names that end in these words are understood: {UNDERSTOOD}."]
            lines += [f"You can {WAYS_OUT}."]
            if self.manifest.empty:
                lines += [ONLY_MASKS]
        return "\n".join(map(printable, lines))  # the names of files may hold anything

    def write_manifest(self, path: str | os.PathLike[str]) -> None:
        """Write the manifest as CSV to a new file.

        Raises
        ------
        InputError
            If there is such a file, which someone may have edited, it cannot be written, or it
            could not name the files of a case.
        """
        if Path(path).exists():
            msg = f"Expected a new file for the manifest, found one: {path}."
            raise InputError(msg)
        for cell in self.manifest.to_numpy().ravel():
            if as_unicode(str(cell)) != str(cell):
                msg = (
                    f"Expected the names of the files of all cases to be Unicode, found {cell}. "
                    "A manifest cannot name it: rename the file or its folder."
                )
                raise InputError(msg)
        write_table(path, self.manifest)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return {"files": to_records(self.files), "cases": to_records(self.manifest)}


def inspect(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    masks_only: bool = False,
    manifest: TableSource | None = None,
    patient_from: PatientFrom = "hash",
    pattern: str = "",
    sequences: Sequence[str] = (),
    spacing: Spacing | None = None,
    relative_to: str | os.PathLike[str] | None = None,
) -> Inspection:
    """Find out which file of a data set belongs to which case and what it shows.

    Names and headers are read, not voxels, as far as the format allows.

    Parameters
    ----------
    path, masks_only, manifest, patient_from, pattern, sequences, spacing
        As for `lggshape.open_cases`.
    relative_to : path, optional
        The folder that the manifest will lie in. Its paths are relative to this folder if the files
        lie below it, and else to `path`.

    Returns
    -------
    Inspection
        Every image file is in it, used or not. Unlike `open_cases`, it does not refuse a data set
        in which no file tells what it shows.

    Raises
    ------
    InputError
        If the path is missing, cannot be listed or holds nothing that is known, or the manifest or
        the pattern cannot be used.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> with TemporaryDirectory() as folder:
    ...     found = inspect(write_cohort(Path(folder) / "cohort", patients=2, size=(6, 24, 24)))
    >>> found
    Inspection(4 files, 2 cases)
    >>> found.files[["role", "shape"]].drop_duplicates().values.tolist()
    [['pre-contrast + FLAIR + post-contrast', '6 x 24 x 24'], ['mask', '6 x 24 x 24']]
    """
    options = ReadOptions(sequences=tuple(sequences), patient_from=patient_from, spacing=spacing)
    paths = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(one) for one in path]
    folders = [one if one.is_dir() else one.parent for one in paths]
    try:
        cases, left_out = find_cases(
            path, masks_only=masks_only, manifest=manifest, pattern=pattern, options=options
        )
    except NothingNamedError as error:
        cases, left_out = [], list(error.left_out)
    rows = [_row(case, said, folders) for case in cases for said in case.described()]
    rows += [_left_out_row(one, folders) for one in left_out]
    places = [*([] if relative_to is None else [Path(relative_to)]), *folders]
    return Inspection(pd.DataFrame(rows, columns=list(COLUMNS)), _manifest_of(cases, places))


def _in_groups(groups: pd.DataFrame) -> list[str]:
    """Return the groups as lines, each with its reason, which can be long, below it."""
    head, *lines = _aligned(groups.drop(columns="reason"), head=True)
    shown = ["", head]
    for line, reason in zip(lines, groups["reason"], strict=True):
        shown += [line, f"       {reason}"] if reason else [line]
    return shown


def _by_case(files: pd.DataFrame) -> list[str]:
    """Return a line per file, below the name of its case. Paths are last, so that they may wrap."""
    lines = _aligned(files[[*_GROUPED[:-1], "file"]], head=False)
    shown: list[str] = []
    before = None
    for line, (_, row) in zip(lines, files.iterrows(), strict=True):
        if row["case"] != before:
            shown += ["", _heading(row["case"], row["patient"], row["session"])]
            before = row["case"]
        short = 0 < len(row["reason"]) <= _SHORT_REASON
        shown.append(f"  {line} ({row['reason']})" if short else f"  {line}")
    return shown


def _heading(case: str, patient: str, session: str) -> str:
    if not case:
        return "of no case"
    about = [f"patient {patient}"] if patient != case else []
    about += [f"session {session}"] if session else []
    return f"case {case}" + (f" ({', '.join(about)})" if about else "")


def _aligned(table: pd.DataFrame, *, head: bool) -> list[str]:
    """Return rows as lines of aligned columns, without the columns that are empty throughout."""
    columns = []
    for name in table:
        cells = [str(cell) for cell in table[name]]
        if any(cells):
            cells = [str(name), *cells] if head else cells
            width = max(map(len, cells))
            columns.append([cell.ljust(width) for cell in cells])
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _row(case: CaseSource, said: FileDescription, folders: Sequence[Path]) -> dict[str, str]:
    stated = case.options.spacing if said.shape else None
    # The grid of a case is that of FLAIR, or of the mask where there is no image.
    decides = FLAIR in said.role if case.has_image else case.has_mask
    against = contradiction(said.geometry, stated) if decides else ""
    if against:
        against = f"Expected the stated spacing, {against}."
    return {
        "file": as_unicode(_below(said.path, folders)),
        "case": case.id,
        "patient": case.patient,
        "session": case.session,
        "role": said.role,
        "shape": " x ".join(map(str, said.shape[:3])),
        "spacing": _in_words(with_stated(said.geometry, stated).spacing),
        "plane": said.plane,
        "reason": said.reason or against,
    }


def _left_out_row(one: LeftOutFile, folders: Sequence[Path]) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {
        "file": as_unicode(_below(one.path, folders)), "reason": one.reason,
    }  # fmt: skip


def _in_words(spacing: Spacing | None) -> str:
    return "" if spacing is None else " x ".join(f"{step:.4g}" for step in spacing)


def _below(path: Path, folders: Sequence[Path]) -> str:
    """Return a path relative to the first folder that it lies below, else as it is."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  (a link's own name counts)
    for folder in folders:
        top = Path(os.path.abspath(folder))  # noqa: PTH100
        if absolute.is_relative_to(top):
            return absolute.relative_to(top).as_posix()
    return str(absolute)


def _manifest_of(cases: Sequence[CaseSource], places: Sequence[Path]) -> pd.DataFrame:
    """Return the table of the cases, as a manifest has it."""
    names = {role: name for name, role in FILE_COLUMNS.items()} | {IMAGE: "image"}
    optional = [name for name in FILE_COLUMNS if name != "image"]
    rows = []
    for case in cases:
        row = {"case": case.id, "patient": case.patient, "site": case.site, "session": case.session}
        row |= dict.fromkeys(optional, "")
        if isinstance(case, VolumeCase):
            row |= {names[role]: _below(file, places) for role, file in case.files if role in names}
        rows.append(row | dict(case.columns))
    columns = None if rows else ["case", "patient", "site", "session"]
    # As objects: a column of text could not hold the name of a file that is no Unicode.
    return pd.DataFrame(rows, columns=columns, dtype=object).fillna("")
