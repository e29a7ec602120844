"""What all commands share: cases, results and their record, progress, failures, log, exit status.

A command reads its options, calls one function and says what came of it, inside `run_command`.
"""

import logging
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lggshape.errors import SOME_FAILED
from lggshape.files import StrPath, json_text, without_folders, write_table, write_text
from lggshape.names import first_few
from lggshape.parallel import end_processes, in_workers
from lggshape.progress import OnProgress, Progress
from lggshape.provenance import InputFile, LeftOut, Record, recorded
from lggshape.results import (
    RECORD,
    check_place,
    record_beside,
    recorded_in_place,
    results_file,
    results_folder,
)

if TYPE_CHECKING:
    import pandas as pd

LOGGER = logging.getLogger("lggshape")
LOG = "run.log"

SECONDS_PER_LINE = 10.0
"""How long the progress is shown in no new line where there is no terminal."""

_MANY = 3  # more cases than the first that fail alike: they have one line
_PATH = re.compile(r"\S*[/\\]\S*")
_NUMBERS = re.compile(r"\d(?:[\d., ]*\d)?")

Kind = Literal["folder", "file", "in place", "nothing"]


@dataclass
class Run:
    """A command at work.

    Attributes
    ----------
    place : Path
        The folder to write to.
    inputs : tuple of InputFile
        What is read, as it was before the work began.
    options : dict
        The options for the record.
    details : dict
        What the record says besides, such as counts of cases.
    on_progress : callable or None
        What long functions are given to show how far they have come.
    summary : list of str
        Lines to print at the end, unless the command is to be quiet.
    notes : list of str
        Lines to print on stderr in any case.
    failures : dict of str to str
        The cases that failed, with the reason; they make the exit status 1.
    hash_inputs : callable
        Hashes what is read, without the files that it is told to leave out, if the command is to
        do so itself (`hash_later`).
    """

    place: Path
    inputs: tuple[InputFile, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    on_progress: OnProgress | None = None
    summary: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    hash_inputs: Callable[[LeftOut], None] = lambda _: None

    def write_tables(self, tables: "Mapping[str, pd.DataFrame]") -> None:
        """Write each table under its name."""
        for name, table in tables.items():
            write_table(self.place / f"{name}.csv", table)

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write the results as JSON."""
        write_text(self.place / name, without_folders(json_text(value)))

    def fail(self, failures: Mapping[str, str], *, of: int | None = None) -> None:
        """Note the cases that failed, each with its reason, and of how many."""
        self.failures.update(failures)
        if of is not None:
            self.details["cases"] = of
        self.details["failed"] = len(self.failures)


@contextmanager
def run_command(
    name: str,
    *,
    out: StrPath | None = None,
    kind: Kind = "folder",
    options: Mapping[str, Any] | None = None,
    inputs: Iterable[StrPath | None] = (),
    tables_of: str | None = None,
    hash_later: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
    scheduler: str | None = None,
) -> Iterator[Run]:
    """Do a command's work: refuse what can be refused, record, show progress, list failures.

    Parameters
    ----------
    name : str
        The command.
    out : str or Path, optional
        Where the results go; None for a command that writes nothing.
    kind : {"folder", "file", "in place", "nothing"}
        Whether `out` is a folder that is replaced as a whole, a table with its record beside it,
        or a folder that is written in place.
    options : mapping, optional
        The options for the record.
    inputs : iterable of str, Path or None
        What is read. Results inside an input are refused; None counts for nothing.
    tables_of : str, optional
        The command whose tables this one writes, if they are not its own.
    hash_later : bool
        Whether the block calls `Run.hash_inputs` when it knows which cases are its share. By
        default all inputs are hashed before the block.
    overwrite : bool
        Whether the results of an earlier run may be replaced.
    quiet : bool
        Whether to show neither progress nor a summary.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers do the work on cases; else processes do it.

    Yields
    ------
    Run
        What to write to and to report to.

    Raises
    ------
    InputError
        If the results could not be written, or the scheduler does not answer; the block does not
        begin then.
    SystemExit
        With the status 1, if cases failed.
    """
    given = [Path(path) for path in inputs if path is not None]
    target = Path() if out is None else Path(out)
    run = Run(target, options=dict(options or {}))
    with ExitStack() as stack:
        log = stack.enter_context(_Log.kept(beside=None if out is None else target))
        stack.enter_context(in_workers(scheduler))
        record = Record([])
        if kind != "nothing":
            run.place = stack.enter_context(
                _results(target, kind, overwrite=overwrite, inputs=given)
            )
            path = run.place / (record_beside(target) if kind == "file" else RECORD)
            in_place = kind == "in place"
            record = stack.enter_context(
                recorded(
                    path,
                    command=name,
                    options=run.options,
                    inputs=given,
                    tables_of=tables_of,
                    in_place=in_place,
                    hash_later=hash_later,
                )
            )
            run.hash_inputs = record.hash_inputs
            log_name = f"{target.stem}.log" if kind == "file" else LOG
            record.at_end.append(
                lambda: log.write(run.place / log_name, run.failures, in_place=in_place)
            )
            log.shown = target.parent / log_name if kind == "file" else target / log_name
        run.inputs, run.details = record.inputs, record.details
        # Before the results are moved or removed: none is to write while that is done.
        stack.push(lambda kind, *_: end_processes(at_once=kind is not None))
        run.on_progress = stack.enter_context(progress_bar(quiet=quiet))
        yield run
    _report(run, log, quiet=quiet)


def _results(
    target: Path, kind: Kind, *, overwrite: bool, inputs: list[Path]
) -> AbstractContextManager[Path]:
    if kind == "folder":
        return results_folder(target, overwrite=overwrite, inputs=inputs)
    if kind == "file":
        return results_file(target, overwrite=overwrite, inputs=inputs)
    check_place(target, inputs=inputs)
    return nullcontext(target)


def _report(run: Run, log: "_Log", *, quiet: bool) -> None:
    """Print what came of a run, and end with the status 1 if cases failed."""
    for line in () if quiet else run.summary:
        print(line)  # noqa: T201
    for line in [*run.notes, *_failed(run.failures, log.shown), *log.summary(quiet=quiet)]:
        print(line, file=sys.stderr)  # noqa: T201
    if run.failures:
        raise SystemExit(SOME_FAILED)


def _failed(failures: Mapping[str, str], shown: Path | None) -> Iterator[str]:
    """Yield a line per case that failed; of many that failed alike the first, and the names."""
    for first, *others in _alike(failures):
        yield f"{first}: {failures[first]}"
        if len(others) < _MANY:
            yield from (f"{case}: {failures[case]}" for case in others)
            continue
        # Where there is no log, nothing else holds the names.
        names = ", ".join(others) if shown is None else first_few(others)
        where = "" if shown is None else f". Each is listed in {shown}"
        yield f"{len(others)} other cases failed alike: {names}{where}."


def _alike(failures: Mapping[str, str]) -> list[list[str]]:
    """Return the cases by what they failed of, whatever their names, files and numbers are."""
    groups: dict[str, list[str]] = {}
    for case, reason in failures.items():
        # Not within a word, for a case whose name is a letter.
        words = re.sub(rf"(?<!\w){re.escape(case)}(?![a-z])", "", _PATH.sub("", reason))
        groups.setdefault(_NUMBERS.sub("0", words), []).append(case)
    return list(groups.values())


# --- progress


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[OnProgress | None]:
    """Provide what shows progress: a bar on a terminal, lines elsewhere; None if `quiet`."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _progress_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(progress: Progress) -> None:
            if progress.done == 0:  # another piece of work: its time has nothing to do with before
                bar.reset(task)
            bar.update(
                task,
                description=progress.doing,
                completed=progress.done,
                total=progress.total,
            )

        yield show


def _progress_lines() -> OnProgress:
    """Return what prints a line every few seconds, for a log."""
    printed = time.monotonic()

    def show(progress: Progress) -> None:
        nonlocal printed
        if time.monotonic() - printed >= SECONDS_PER_LINE:
            printed = time.monotonic()
            line = f"{progress.doing}: {progress.done} of {progress.total}"
            print(line, file=sys.stderr, flush=True)  # noqa: T201

    return show


# --- the log


class _Log(logging.Handler):
    """Keeps warnings and tracebacks of a run, to be written beside its results.

    Attributes
    ----------
    shown : Path or None
        Where the log is written, for the summary.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        self.shown: Path | None = None
        self._lines: list[str] = []
        self._errors = 0

    @classmethod
    @contextmanager
    def kept(cls, *, beside: Path | None) -> "Iterator[_Log]":
        """Provide a log while the block runs; keep it in a new file if the block ends in a bug."""
        log = cls()
        loggers = (LOGGER, logging.getLogger("py.warnings"))
        for logger in loggers:
            logger.addHandler(log)
        logging.captureWarnings(True)
        try:
            yield log
        except Exception as error:
            if is_bug(error):
                error.add_note(_KEPT + str(log.keep(error, beside)))
            raise
        finally:
            logging.captureWarnings(False)
            for logger in loggers:
                logger.removeHandler(log)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        self._errors += record.levelno >= logging.ERROR

    def write(self, path: Path, failures: Mapping[str, str], *, in_place: bool) -> None:
        """Write what there is to say, if anything: failures too, if not all have a line."""
        many = any(len(group) > _MANY for group in _alike(failures))
        listed = [f"FAILED {case}: {reason}" for case, reason in failures.items() if many]
        if not (self._lines or listed):
            return
        with recorded_in_place(path.parent, path) if in_place else nullcontext():
            write_text(path, without_folders("\n".join([*self._lines, *listed]) + "\n"))

    def keep(self, error: BaseException, beside: Path | None) -> Path:
        """Write everything and the traceback of an error to a new file, and return its path."""
        text = "".join([*(f"{line}\n" for line in self._lines), *traceback.format_exception(error)])
        folders = [] if beside is None else [beside.resolve().parent]
        for folder in (*folders, Path(tempfile.gettempdir())):
            try:
                number, name = tempfile.mkstemp(".log", "lggshape-bug-", folder)
            except OSError:
                continue
            with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(name)
        return Path("(nowhere: no folder can be written)")

    def summary(self, *, quiet: bool) -> list[str]:
        """Return what to print of the log: bugs in any case, warnings unless `quiet`."""
        if not self._lines or (quiet and not self._errors):
            return []
        if self._errors:
            count = "A case" if self._errors == 1 else f"{self._errors} cases"
            text = f"lggshape: {count} failed by an internal error. This is a bug in lggshape: "
            text += "please report it with the log"
        else:
            count = "There was a warning" if len(self._lines) == 1 else "There were warnings"
            text = f"lggshape: {count}: see the log"
        if self.shown is None:  # a command without results has no file for it
            return [f"{text}, which follows.", *self._lines]
        return [f"{text}, {self.shown}."]


_KEPT = "log: "


def is_bug(error: BaseException) -> bool:
    """Return whether an error is a fault of the program, not of its input or of the system."""
    from lggshape.errors import LggshapeError

    # Typer and Click raise errors of their own to end a command.
    own = type(error).__module__.partition(".")[0] in {"click", "typer"}
    expected = (LggshapeError, OSError, MemoryError, KeyboardInterrupt, SystemExit)
    return not (own or isinstance(error, expected))


def kept_log(error: BaseException) -> str:
    """Return where `run_command` kept the traceback of an error; "" if it did not."""
    notes = getattr(error, "__notes__", ())
    return next((note.removeprefix(_KEPT) for note in notes if note.startswith(_KEPT)), "")
