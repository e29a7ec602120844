"""Manifests: tables of cases, with their patients and perhaps their files.

========================= =========================================================================
column                    what it says
========================= =========================================================================
`case`                    name of the case
`patient`                 key of the patient, the one that label tables use
`site`, `session`         the institution, and the examination of the patient; optional
`flair`, `t1`, `t1ce`     the files of the sequences; optional
`mask`                    the file of the mask; optional
`image`                   one file of several sequences, whose order is said (`sequences`); optional
any other                 goes into the tables of results as it is
========================= =========================================================================

Without files, or with none in any row, the table says whose the cases are that a layout finds. With
files it is itself the source of cases. A path is relative to the folder of the manifest or to that
of the data. A DICOM series is named by its folder, by one of its files, or by its UID, which is
looked for in these folders. A row without files is then a case that a layout finds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from lggshape.case import FLAIR, SEQUENCES
from lggshape.errors import InputError
from lggshape.names import first_few, what_is_unsafe
from lggshape.readers.dicom_manifest import SeriesFinder, case_of_series
from lggshape.readers.formats import split_ending
from lggshape.readers.layouts import patient_key
from lggshape.readers.naming import IMAGE, MASK, UNNAMED, read_name
from lggshape.readers.pattern import common_place
from lggshape.readers.source import CaseSource, UnreadableCase
from lggshape.readers.tiff_file import FORMAT as TIFF
from lggshape.readers.volume_case import VolumeCase, volume_case
from lggshape.tables import (
    TableSource,
    find_patient_column,
    is_missing,
    plain_numbers,
    read_text_table,
    table_file,
)

PRE, _, POST = SEQUENCES
FILE_COLUMNS = {"flair": FLAIR, "t1": PRE, "t1ce": POST, "mask": MASK, "image": UNNAMED}
"""The role of the files in each column."""

_ABOUT = ("case", "patient", "site", "session")


@dataclass(frozen=True)
class ManifestRow:
    """What a manifest says of a case.

    Attributes
    ----------
    patient, site, session : str
        Whose it is; the patient is empty if the table does not tell.
    files : tuple of (str, str)
        Roles and paths, as they stand in the table.
    columns : tuple of (str, str)
        All other columns.
    """

    patient: str
    site: str = ""
    session: str = ""
    files: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A table of cases.

    Attributes
    ----------
    rows : mapping of str to ManifestRow
        The cases by name, in the order of the table.
    where : str
        What messages call the table.
    folder : Path or None
        The folder of the file; None for a table in memory.
    """

    rows: Mapping[str, ManifestRow]
    where: str
    folder: Path | None = None

    @property
    def has_files(self) -> bool:
        """Whether any case has files in it."""
        return any(row.files for row in self.rows.values())

    def check_has_files(self) -> None:
        """Refuse a table that names no files, where nothing else does."""
        if not self.has_files:
            msg = (
                f"Expected {self.where} to name files in the columns {', '.join(FILE_COLUMNS)}, "
                "found none. Add them, or give the folder of the data and this table with "
                "--manifest (manifest=)."
            )
            raise InputError(msg)

    def without_files(self) -> list[str]:
        """Return the cases that have no files in it."""
        return [case for case, row in self.rows.items() if not row.files]

    def cases(self, folders: Iterable[Path], *, masks_only: bool) -> list[CaseSource]:
        """Return the cases that have files in it; one that lacks a file cannot be read.

        Parameters
        ----------
        folders : iterable of Path
            Folders that paths may be relative to, besides that of the manifest.
        masks_only : bool
            Whether every case has to have a mask.

        Returns
        -------
        list of CaseSource
            In the order of the table, without patients.

        Raises
        ------
        InputError
            If a file is said to be of two patients.
        """
        own = [] if self.folder is None else [self.folder]
        places = list(dict.fromkeys((*own, *folders)))
        finder = SeriesFinder(places)
        found: list[CaseSource] = []
        for case, row in self.rows.items():
            files = [(role, finder.find(path) or _found(path, places)) for role, path in row.files]
            wrong = [file for _, file in files if isinstance(file, str)]
            parts = [(role, file) for role, file in files if not isinstance(file, str)]
            paths = [(_role(role, file), file) for role, file in parts if isinstance(file, Path)]
            if wrong:
                reason = f"Expected {self.where} to name files of case {case}, found {wrong[0]}."
                found.append(UnreadableCase(case, "", places[0], reason=reason))
            elif len(paths) < len(parts):
                found.append(case_of_series(case, parts, masks_only=masks_only))
            elif paths:
                place = common_place(path for _, path in paths)
                found.append(volume_case(case, place, paths, masks_only=masks_only))
        _refuse_shared_files(found, self.rows)
        return found


def is_table(path: Path) -> bool:
    """Test whether a path can only be a manifest: a table, such as `.csv` or `.xlsx`."""
    file = table_file(path)
    endings = {".csv", ".tsv", ".xlsx", ".xlsm", ".parquet"}
    return file.suffix.lower() in endings and file.is_file()


def read_manifest(manifest: TableSource) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    manifest : path or DataFrame
        A file (CSV, TSV, Excel, Parquet), or a table in memory, with the column `case` and one that
        tells the patient: `patient`, or the only one with another such name.

    Returns
    -------
    Manifest
        What it says of each case.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, names something that cannot be a case, has
        several rows for a case or none in a row, or a column of files with another name.
    """
    read = read_text_table(manifest, required=["case"])
    table, where = read.cells, read.where
    if "patient" not in table:
        remedy = "Call it patient, or add it: it may repeat the column case."
        column = find_patient_column(table.columns, where, but=["case"], remedy=remedy)
        table = table.rename(columns={column: "patient"})
    # Keys are those of the label tables, which are read in the same way.
    for name in ("patient", "session"):
        if name in table:
            table[name] = plain_numbers(table[name])
    for name in ("patient", "site", "session", *FILE_COLUMNS):
        if name in table:
            table[name] = table[name].mask(is_missing(table[name]), "")
    _check_file_columns(table, where)
    known: dict[str, ManifestRow] = {}
    doubled = []
    others = [str(name) for name in table.columns if name not in {*_ABOUT, *FILE_COLUMNS}]
    rows = (
        {str(name): str(cell) for name, cell in row.items()} for row in table.to_dict("records")
    )
    for position, row in enumerate(rows):
        case, patient = row["case"], row["patient"]
        unsafe = what_is_unsafe(case) if case else ""
        if unsafe or not patient.isprintable():
            wrong = f"{unsafe} in the name {case!r}" if unsafe else f"the patient {patient!r}"
            msg = (
                f"Expected {where} to name cases and patients, found {wrong} in "
                f"{read.lines[position]}."
            )
            raise InputError(msg)
        if not case and any(row.values()):
            msg = (
                f"Expected {where} to name a case in every row, found none in "
                f"{read.lines[position]}."
            )
            raise InputError(msg)
        if case and case in known:
            doubled.append(case)
        if case:
            known[case] = ManifestRow(
                patient=patient_key(patient),
                site=row.get("site", ""),
                session=row.get("session", ""),
                files=tuple(
                    (role, row[name]) for name, role in FILE_COLUMNS.items() if row.get(name)
                ),
                columns=tuple((name, row[name]) for name in others),
            )
    if doubled:
        cases = first_few(list(dict.fromkeys(doubled)))
        msg = f"Expected one row per case in {where}, found several for {cases}."
        raise InputError(msg)
    folder = None if isinstance(manifest, pd.DataFrame) else table_file(manifest).parent
    return Manifest(known, where, folder)


def assign_patients(
    sources: Sequence[CaseSource], manifest: TableSource | Manifest
) -> list[CaseSource]:
    """Replace the patients of the cases, and their sites, by those of a table.

    Parameters
    ----------
    sources : sequence of CaseSource
        The cases, as `open_cases` returns them.
    manifest : path, DataFrame or Manifest
        A file or a table in memory with the columns `case` and `patient`, and perhaps `site`,
        `session` and others. Rows of other cases are left aside. Where there is no site or session,
        a case keeps the one that is known.

    Returns
    -------
    list of CaseSource
        The same cases in the same order, with the patients and sites of the table.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, names something that cannot be a case, or has
        several rows for a case, or if a case has no patient in it.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from lggshape.readers.source import UnreadableCase
    >>> case = UnreadableCase("scan_1", "scan_1", Path("scan_1"))
    >>> manifest = pd.DataFrame({"case": ["scan_1"], "patient": [7], "site": ["Bonn"]})
    >>> (assigned,) = assign_patients([case], manifest)
    >>> assigned.patient, assigned.site
    ('7', 'Bonn')
    """
    known = manifest if isinstance(manifest, Manifest) else read_manifest(manifest)
    rows = [known.rows.get(source.id, ManifestRow("")) for source in sources]
    without = [source.id for source, row in zip(sources, rows, strict=True) if not row.patient]
    if without:
        msg = (
            f"Expected a patient for every case in {known.where}, found none for "
            f"{first_few(without)}. Add their rows, as lggshape inspect --write writes them."
        )
        raise InputError(msg)
    return [
        replace(
            source,
            patient=row.patient,
            site=row.site or source.site,
            session=row.session or source.session,
            columns=row.columns,
        )
        for source, row in zip(sources, rows, strict=True)
    ]


def _check_file_columns(table: pd.DataFrame, where: str) -> None:
    """Refuse columns of files that would be passed through because of their spelling."""
    for name in table.columns:
        role = read_name(str(name)).role
        wanted = next((column for column, one in FILE_COLUMNS.items() if role and one == role), "")
        cells = table[name].astype(str)
        is_file = any(split_ending(cell)[1] is not None for cell in cells)
        if name not in FILE_COLUMNS and wanted and is_file:
            msg = (
                f"Expected the columns of files in {where} to be {', '.join(FILE_COLUMNS)}, found "
                f"{name}. Call it {wanted}."
            )
            raise InputError(msg)


def _refuse_shared_files(cases: Iterable[CaseSource], rows: Mapping[str, ManifestRow]) -> None:
    """Refuse a file that is said to be of two patients."""
    first: dict[Path, str] = {}
    for case in cases:
        for _, path in case.files if isinstance(case, VolumeCase) else ():
            other = first.setdefault(path.resolve(), case.id)
            if rows[other].patient != rows[case.id].patient:
                msg = (
                    f"Expected a file to be of one patient, found it for {rows[other].patient} "
                    f"(case {other}) and {rows[case.id].patient} (case {case.id}): {path}. Correct "
                    "one of the rows of the manifest."
                )
                raise InputError(msg)


def _role(role: str, file: Path) -> str:
    """Return the role of a file in the table; the colours of a TIFF file are known sequences."""
    return IMAGE if role == UNNAMED and split_ending(file.name)[1] is TIFF else role


def _found(path: str, places: Sequence[Path]) -> Path | str:
    """Return the file of a path; in words what is wrong, if there is none or several."""
    if "\\" in path and not any((place / path).exists() for place in places):
        path = path.replace("\\", "/")  # as Windows writes it
    found = {place / path for place in places if (place / path).exists()}
    different = {one.resolve() for one in found}
    if len(different) > 1:
        return f"several files: {', '.join(sorted(map(str, found)))}"
    if not found:
        return (
            f"no such file: {path}. Paths are relative to the folder of the manifest, or of the "
            "data, which you give beside --manifest"
        )
    file = next(place / path for place in places if place / path in found)
    if not file.is_file() or split_ending(file.name)[1] is None:
        return f"something that is no image file of a known format: {file}"
    return file
