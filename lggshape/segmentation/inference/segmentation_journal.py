"""What a segmentation has done so far: a line per case, appended as soon as the case is done.

The time for a case then does not depend on how many there are, and a run that was killed can go on.
When all cases are done the journal is written anew, in their order, and stays beside the tables. It
holds a hash of the image that each mask was made of.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import pandas as pd

from lggshape.errors import CaseError, InputError
from lggshape.files import write_text
from lggshape.readers import CaseSource, case_files, open_cases
from lggshape.readers.segmented import (
    CHECK_COLUMNS,
    COLUMNS,
    JOURNAL,
    SEGMENTATION,
    SLICES,
    journal_lines,
    parse_line,
)
from lggshape.results import record_file
from lggshape.tables import read_table

SLICE_COLUMNS = ("case", "slice", "area", "score")


class SegmentedCase(NamedTuple):
    """What came of a case.

    Attributes
    ----------
    row : dict
        Its row of `segmentation.csv`, with the columns `COLUMNS`; what is not known may be missing.
    slices : list of (int, int, str)
        Number, area and score of each slice.
    files : list of str
        The masks and maps that were written, relative to the folder.
    image : str
        Hash of the image that they were made of. Empty if it is not known, as in folders of
        versions that did not keep it, and of cases without a mask.
    """

    row: dict[str, Any]
    slices: Sequence[tuple[int, int, str]] = ()
    files: Sequence[str] = ()
    image: str = ""


class SegmentationJournal:
    """The journal in a folder, and what it says.

    Parameters
    ----------
    folder : Path
        The folder of the masks.

    Attributes
    ----------
    results : dict of str to SegmentedCase
        What came of each case, by its name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.results: dict[str, SegmentedCase] = {}
        self._begun: set[str] = set()
        self._grows = False

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the journal of an earlier run; without one, what its tables and masks tell.

        Raises
        ------
        InputError
            If a file cannot be read or has other columns.
        """
        journal = cls(folder)
        if (folder / JOURNAL).exists():
            journal._read_lines()
        elif (folder / SEGMENTATION).exists():
            journal.results = _read_tables(folder)
        return journal

    def _read_lines(self) -> None:
        path = self._folder / JOURNAL
        try:
            lines = journal_lines(path)
        except OSError as error:
            msg = f"Expected {path} to be a file that can be read, found: {error.strerror}."
            raise InputError(msg) from error
        for number, line in enumerate(lines, start=1):
            try:
                values = parse_line(line)
            except ValueError as error:
                msg = (
                    f"Expected {path} to have a line per case, found as line {number}: {error}. "
                    f"Move {self._folder} away, or choose another place for the new results."
                )
                raise InputError(msg) from error
            if "begun" in values:
                self._begun.add(str(values["begun"]))
            else:
                result = SegmentedCase(**values)
                self.results[str(result.row["case"])] = result

    def adopt_interrupted(self) -> None:
        """Record the files of cases that were being written when the run was killed."""
        for case in self._begun - self.results.keys():
            for name in case_files(self._folder, case):
                record_file(self._folder, name)

    def files_of(self, case: str) -> list[str]:
        """Return the files of a case that this run or an earlier one of it wrote."""
        if case in self.results:
            return list(self.results[case].files)
        return case_files(self._folder, case) if case in self._begun else []

    def begin(self, case: str) -> None:
        """Note that the files of a case are about to be written."""
        self.results.pop(case, None)
        self._begun.add(case)
        self._append({"begun": case})

    def add(self, result: SegmentedCase) -> None:
        """Note what came of a case."""
        self.results[str(result.row["case"])] = result
        self._append(result._asdict())

    def _append(self, values: Mapping[str, Any]) -> None:
        path = self._folder / JOURNAL
        try:
            if not self._grows:
                record_file(self._folder, path, finished=False)
                self._end_last_line(path)
                self._grows = True
            with path.open("ab") as file:
                file.write(f"{json.dumps(values)}\n".encode())
        except OSError as error:
            msg = f"Expected {path} to be a writable file, found: {error.strerror}."
            raise InputError(msg) from error

    @staticmethod
    def _end_last_line(path: Path) -> None:
        """Cut off what a kill left of a line: the next would become part of it."""
        if path.exists():
            whole = path.read_bytes()
            os.truncate(path, whole.rfind(b"\n") + 1)

    def close(self, names: Iterable[str]) -> None:
        """Write the journal anew: a line for each of some cases, in their order."""
        lines = (json.dumps(self.results[name]._asdict()) for name in names)
        write_text(self._folder / JOURNAL, "".join(f"{line}\n" for line in lines))
        record_file(self._folder, JOURNAL)

    def tables(self, names: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the table of some cases, and that of their slices."""
        results = [self.results[name] for name in names]
        # As objects: whole numbers stay so beside empty cells.
        rows = [result.row for result in results]
        table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
        table = table.where(table.notna(), "")
        slices = [(result.row["case"], *one) for result in results for one in result.slices]
        return table, pd.DataFrame(slices, columns=list(SLICE_COLUMNS), dtype=object)


def _read_tables(folder: Path) -> dict[str, SegmentedCase]:
    """Read what a version without a journal wrote.

    A case with a mask is returned only if its mask has the areas that the tables list.
    """
    required = [name for name in COLUMNS if name not in CHECK_COLUMNS]
    table = read_table(folder / SEGMENTATION, required=required)
    by_case = read_table(folder / SLICES, required=SLICE_COLUMNS).groupby("case")
    try:
        masks = {source.id: source for source in open_cases(folder, masks_only=True)}
    except InputError:  # there is none
        masks = {}
    results = {}
    for row in table.to_dict("records"):
        case = str(row["case"])
        if row["status"] not in {"ok", "empty"}:
            results[case] = SegmentedCase({str(name): cell for name, cell in row.items()})
            continue
        try:
            slices = [
                (int(one["slice"]), int(one["area"]), str(one["score"]))
                for one in by_case.get_group(case).to_dict("records")
            ]
            result = SegmentedCase(_typed(row), slices, case_files(folder, case))
        except (KeyError, ValueError):  # someone has changed the tables
            continue
        if case in masks and _areas(masks[case]) == [area for _, area, _ in slices]:
            results[case] = result
    return results


def _typed(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the row of a segmented case as it was before it was written as text."""
    spacing_known = row["spacing_known"] == str(True)
    return {
        **{str(name): cell for name, cell in row.items()},
        "fold": int(row["fold"]) if row["fold"] else None,
        "volume": float(row["volume"]) if spacing_known else int(row["volume"]),
        "components_removed": int(row["components_removed"]),
        "spacing_known": spacing_known,
    }


def _areas(mask: CaseSource) -> list[int] | None:
    """Return the area of a mask in each slice; None if it cannot be read."""
    try:
        values = mask.read(image=False).mask
    except CaseError:
        return None
    return None if values is None else [int(area) for area in values.sum(axis=(1, 2))]
