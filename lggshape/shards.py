"""Divide the cases over several independent jobs, and combine their results.

Job k of n processes every n-th case, beginning with the k-th: `--shard k/n`. The record of its
results says so. The combined results are those that one job would have written, to the byte. Only
the record differs.
"""

import csv
import logging
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from itertools import chain, groupby, zip_longest
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lggshape.errors import InputError
from lggshape.files import read_json, write_text
from lggshape.names import first_few
from lggshape.provenance import InputFile, LeftOut, combined_hash
from lggshape.readers import CaseSource
from lggshape.readers.segmented import (
    JOURNAL,
    SEGMENTATION,
    SETTINGS,
    SLICES,
    journal_lines,
    parse_line,
)
from lggshape.results import (
    RECORD,
    read_record,
    record_beside,
    recorded_outputs,
    unchanged_files,
)

_LOGGER = logging.getLogger("lggshape")

_Item = TypeVar("_Item")
_Rows = list[list[str]]

RUN_AGAIN = "Run that shard again."

_CASE = "case"
"""The column by which rows of several tables belong together."""

SHARD = "shard"
"""The option in a record that says which share of the cases was processed."""


class Shard(NamedTuple):
    """A share of the cases.

    Attributes
    ----------
    number : int
        Which one, from 1.
    of : int
        How many there are.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read a shard as it stands on the command line.

        Raises
        ------
        InputError
            If it is not of the form k/n, or there is no k-th of n.

        Examples
        --------
        >>> Shard.parse("3/20")
        Shard(number=3, of=20)
        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
        shard = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= shard.number <= shard.of:
            msg = f"Expected a shard such as 3/20, the third of twenty, found {text!r}."
            raise InputError(msg)
        return shard

    def take(self, cases: Sequence[_Item]) -> list[_Item]:
        """Return the cases of this share, in their order.

        Raises
        ------
        InputError
            If there are fewer cases than shares.

        Examples
        --------
        >>> Shard(2, 3).take(["a", "b", "c", "d", "e"])
        ['b', 'e']
        """
        if len(cases) < self.of:
            msg = f"Expected at least as many cases as shards ({self.of}), found {len(cases)}."
            raise InputError(msg)
        return list(cases[self.number - 1 :: self.of])

    def __str__(self) -> str:
        """Return it as it stands on the command line."""
        return f"{self.number}/{self.of}"


def of_others(own: Iterable[CaseSource], every: Iterable[CaseSource]) -> LeftOut:
    """Return a function that tells whether a file belongs only to cases of other shards.

    Parameters
    ----------
    own, every : iterable of CaseSource
        The cases of the shard, and all.
    """
    mine = {path for case in own for path in case.files_of_it}
    others = {path for case in every for path in case.files_of_it} - mine

    def is_of_others(file: Path) -> bool:
        places = {file, *file.parents}
        return mine.isdisjoint(places) and not others.isdisjoint(places)

    return is_of_others


class Merged(NamedTuple):
    """The combined results.

    Attributes
    ----------
    cases : int
        How many cases there are.
    inputs : list of InputFile
        What all shards read, as one job would have recorded it.
    """

    cases: int
    inputs: list[InputFile]


def merge_tables(parts: Sequence[Path], out: Path) -> Merged:
    """Combine the feature tables of all shards.

    Parameters
    ----------
    parts : sequence of Path
        The tables, in any order, each with its record beside it.
    out : Path
        The table to write.

    Returns
    -------
    Merged
        How many cases, and what they were made of.

    Raises
    ------
    InputError
        If a shard is missing or given twice, a table was changed since, or the shards are not of
        the same command with the same options and inputs.
    """
    tables, inputs = _ordered([(path, path.parent, record_beside(path)) for path in parts])
    order = _order(tables)
    _write(out, tables, order)
    return Merged(len(order), inputs)


def merge_masks(parts: Sequence[Path], out: Path) -> Merged:
    """Combine the masks of all shards, as `segment` wrote them.

    Parameters
    ----------
    parts : sequence of Path
        The folders, in any order.
    out : Path
        The folder to write to, which exists and is empty.

    Returns
    -------
    Merged
        How many cases, and what they were made of.

    Raises
    ------
    InputError
        As for `merge_tables`, and if a file cannot be copied.
    """
    ordered, inputs = _ordered([(path, path, RECORD) for path in parts])
    settings = [read_json(path / SETTINGS) for path in ordered]
    for path, one in zip(ordered, settings, strict=True):
        if one != settings[0]:
            msg = (
                f"Expected the same settings in all shards, found different ones in "
                f"{path / SETTINGS}. {RUN_AGAIN}"
            )
            raise InputError(msg)
    tables = [path / SEGMENTATION for path in ordered]
    order = _order(tables)
    lines = {}
    for path in ordered:
        for case, line, files in _journal(path):
            lines[case] = line
            for name in files:
                _copy(path / name, out / name)
    if other := sorted(lines.keys() ^ set(order)):
        msg = (
            f"Expected the same cases in {JOURNAL} and {SEGMENTATION} of the shards, found in one "
            f"alone: {first_few(other)}. {RUN_AGAIN}"
        )
        raise InputError(msg)
    _copy(ordered[0] / SETTINGS, out / SETTINGS)
    write_text(out / JOURNAL, "".join(f"{lines[case]}\n" for case in order))
    _write(out / SLICES, [path / SLICES for path in ordered], order)
    _write(out / SEGMENTATION, tables, order)
    return Merged(len(order), inputs)


def _journal(folder: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the case, the line and the files of each result in the journal of a shard.

    The files of its record are known to be its own; another could be a link to a private one.
    """
    recorded = recorded_outputs(folder).keys()
    try:
        for line in journal_lines(folder / JOURNAL):
            result = parse_line(line)
            if "begun" in result:
                raise ValueError(f"case {result['begun']}, which was begun only")
            files = result.get("files", [])
            if unknown := set(files) - recorded:
                raise ValueError(f"a file that its record does not list: {min(unknown)}")
            yield str(result["row"]["case"]), line.decode(), files
    except (OSError, ValueError) as error:
        msg = f"Expected {folder / JOURNAL} to have a line per case, found: {error}. {RUN_AGAIN}"
        raise InputError(msg) from error


def _ordered(
    parts: Sequence[tuple[Path, Path, str]],
) -> tuple[list[Path], list[InputFile]]:
    """Return results in the order of their shards, and what all of them read.

    `parts` has the results, each with the folder and the name of its record.
    Shards that do not belong together or are not complete are refused. Shards of folders that
    differ only in their place give a warning: no record tells whether these are copies.
    """
    found: dict[Shard, Path] = {}
    inputs: list[InputFile] = []
    first: tuple[Path, dict[str, Any]] | None = None
    places: dict[tuple[str, ...], Path] = {}
    for path, folder, name in parts:
        _check_record(path, folder / name)
        record = read_record(folder / name)
        outputs = recorded_outputs(folder, record=name)
        there = len(unchanged_files(folder, outputs, otherwise=RUN_AGAIN))
        if there < len(outputs):
            msg = (
                f"Expected the {len(outputs)} files of {path} that its record lists, found "
                f"{there}. {RUN_AGAIN}"
            )
            raise InputError(msg)
        options = dict(record["options"])
        number = options.pop(SHARD, None)
        if not number:
            msg = f"Expected results made with --shard, found {path}, which was made without it."
            raise InputError(msg)
        shard = Shard.parse(str(number))
        what = {
            "command": record["command"],
            "options": options,
            "inputs": [one.get("names", one["sha256"]) for one in record["inputs"]],
            "version of lggshape": record["versions"]["lggshape"],
        }
        first = first or (path, what)
        other = [name for name, value in what.items() if value != first[1][name]]
        if not other:
            inputs, agree = _with_inputs(inputs, record["inputs"])
            other = [] if agree else ["inputs"]
        if other:
            msg = (
                f"Expected shards of one run, found different {', '.join(other)}: {first[0]}, "
                f"{path}. Run the shards again with the same inputs and options."
            )
            raise InputError(msg)
        if shard in found:
            msg = f"Expected every shard once, found {shard} twice: {found[shard]}, {path}."
            raise InputError(msg)
        found[shard] = path
        places.setdefault(tuple(one["path"] for one in record["inputs"]), path)
    _check_complete(found)
    if len(places) > 1:  # as on nodes of a cluster that have copies of their own
        _LOGGER.warning(
            "%s and %s come from different folders with files of the same names. The merged "
            "results are those of one job only if these are copies of one another.",
            *[path.name for path in places.values()][:2],
        )
    return [found[shard] for shard in sorted(found)], inputs


def _check_complete(found: Collection[Shard]) -> None:
    """Refuse shards of which others are missing."""
    count = next(iter(found)).of if found else 0
    missing = [str(Shard(k, count)) for k in range(1, count + 1) if Shard(k, count) not in found]
    if missing or len(found) != count:
        others = sorted({shard.of for shard in found} - {count})
        none = f"no shard {', '.join(missing)}" if missing else "none"
        what_else = f"shards of {count} and of {others[0]}" if others else none
        msg = f"Expected all shards of one run, found {what_else}. Give all of them."
        raise InputError(msg)


def _check_record(path: Path, record: Path) -> None:
    """Refuse a table or a folder without a record."""
    if record.is_file():
        return
    found = "no such file or folder"
    if path.exists():
        found = (
            f"no record of one: {record}. Tables are merged into a table (--out features.csv), "
            "folders of masks into a folder"
        )
    raise InputError(f"Expected {path} to be the result of a shard, found {found}.")


def _with_inputs(
    known: Sequence[InputFile], records: Sequence[Mapping[str, Any]]
) -> tuple[list[InputFile], bool]:
    """Return what several shards read, and whether files that they share were the same."""
    found = []
    agree = True
    for number, record in enumerate(records):
        earlier = known[number] if known else InputFile(record["path"], "", 0)
        own: Mapping[str, str] = record.get("hashes", {})
        agree &= all(earlier.hashes.get(name, one) == one for name, one in own.items())
        hashes = {**earlier.hashes, **own}
        unreadable = tuple(dict.fromkeys([*earlier.unreadable, *record.get("unreadable", ())]))
        # Earlier versions hashed everything in each shard.
        sha256 = combined_hash(hashes) if own else record["sha256"]
        files = len(hashes) or record.get("files", 0)
        sha256 = "" if unreadable else sha256
        found.append(InputFile(record["path"], sha256, files, unreadable, hashes=hashes))
    return found, agree


def _read(path: Path) -> tuple[list[str], _Rows]:
    """Return the header and the rows of a table as text: numbers keep their digits."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, strict=True)
        if header.count(_CASE) != 1 or any(len(row) != len(header) for row in rows):
            raise ValueError("rows of other columns")
    except (OSError, ValueError, csv.Error) as error:
        msg = (
            f"Expected {path} to be a table with the column {_CASE} and full rows, found another "
            f"file. {RUN_AGAIN}"
        )
        raise InputError(msg) from error
    return header, rows


def _order(tables: Iterable[Path]) -> list[str]:
    """Return the cases of all shards in their original order: one of each shard in turn."""
    cases = []
    for header, rows in map(_read, tables):
        place = header.index(_CASE)
        cases.append([case for case, _ in groupby(row[place] for row in rows)])
    dealt = chain.from_iterable(zip_longest(*cases))
    return [case for case in dealt if case is not None]


def _write(path: Path, tables: Iterable[Path], order: Iterable[str]) -> None:
    """Write the rows of several tables with one header, in the order of the cases."""
    headers, rows = [], dict[str, _Rows]()
    for header, own in map(_read, tables):
        headers.append(header)
        for row in own:
            rows.setdefault(row[header.index(_CASE)], []).append(row)
    if any(header != headers[0] for header in headers):
        msg = f"Expected the same columns in {path.name} of all shards, found different ones."
        raise InputError(msg)
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headers[0])
    writer.writerows(chain.from_iterable(rows.get(case, []) for case in order))
    write_text(path, text.getvalue())


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        msg = f"Expected {source} to be copied to {target}, found: {error.strerror or error}."
        raise InputError(msg) from error
