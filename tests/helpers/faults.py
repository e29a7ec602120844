"""Commands that are killed wherever they change a file, or whose disk fails there: what is left.

A command runs in a forked process, which Python tells of every file before it is opened for
writing, moved or removed: its points. At one of them the process kills itself (SIGKILL), or from
there on the system refuses to write.
"""

import errno
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd

from lggshape.errors import InputError
from lggshape.results.records import RECORD
from lggshape.run_check import check_run

Fault = Literal["kill", "torn", "full", "quota", "read-only"]
"""What happens at a point: a kill before it, or when half of what is written before it has got to
the disk; or from there on a disk that is full, is at its quota or cannot be written."""

_REFUSES = {"full": errno.ENOSPC, "quota": errno.EDQUOT, "read-only": errno.EROFS}
_TAKES_SPACE = {"open", "os.mkdir", "os.link", "os.symlink"}

SECONDS = 300
"""After which a process counts as hung."""

GROWING = {
    ".lggshape-outputs.jsonl", "segmentation.jsonl", "history.csv", "checkpoint.npz",
    "replicate_done.json",
}  # fmt: skip
"""Files that are not as they will be while a run goes on."""

_TIMES = {
    "history.csv": re.compile(r",[^,]*$"),
    "replicate_done.json": re.compile(r"^ *[\d.]+,$"),
    "seconds.json": re.compile(r"[\d.]+|null"),
    "ro-crate-metadata.json": re.compile(r"\d{4}-\d\d-\d\dT[\d:+]+"),
}
"""Files with times, and how these look."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NAMES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"}
_RANDOM = re.compile(r"(?<=[.-])[0-9a-f]{12}(?=\.)|(?<=\.)\d+(?=\.\*\.part)")


class Ended(NamedTuple):
    """How a process ended.

    Attributes
    ----------
    status : int
        Its exit status; minus the number of the signal that killed it.
    points : list of str
        Where it changed files, one after the other.
    """

    status: int
    points: list[str]


class Outcome(NamedTuple):
    """What came of a kill.

    Attributes
    ----------
    point : str
        Where.
    status : int
        How the command ended.
    half : str
        What was half there after it: "" if nothing was.
    again : str
        The option that it took to do the work again.
    other : str
        The first file that is then not as a run leaves it that nobody killed; "" if there is none.
    left : list of str
        Hidden files and folders that are still there.
    """

    point: str
    status: int
    half: str
    again: str
    other: str
    left: list[str]


def _changed(event: str, arguments: tuple[Any, ...]) -> str:
    """Return the path that an event changes; "" if it is none that does."""
    if event not in _NAMES:
        return ""
    path, where = arguments[0], arguments[-1]
    if event == "open":
        flags = arguments[2]
        if not flags & _WRITING or flags & os.O_TMPFILE == os.O_TMPFILE:
            return ""
    if not isinstance(path, str | bytes | os.PathLike):
        return ""
    path = os.fsdecode(path)
    if event in {"os.remove", "os.rmdir"} and isinstance(where, int) and where >= 0:
        path = str(Path(f"/proc/self/fd/{where}").readlink() / path)
    return os.path.normpath(Path(path).absolute())


def _watch(top: Path, at: int, fault: Fault, report: int) -> None:
    """Report each change below a folder to a file; let the fault happen before the n-th."""
    count, opened, busy = 0, ("", 0), False

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count, opened, busy
        path = "" if busy else _changed(event, arguments)
        if not path.startswith(f"{top}/"):
            return
        busy = True
        if 0 <= at <= count:
            busy = False
            _fail(event, fault, opened)
            busy = True
        name = _RANDOM.sub("*", path.removeprefix(f"{top}/"))
        os.write(report, f"{event.removeprefix('os.')} {name}\n".encode("utf-8", "replace"))
        count += 1
        opened = ("", 0)
        if event == "open":
            there = Path(path).exists() and not arguments[2] & os.O_TRUNC
            opened = (path, Path(path).stat().st_size if there else 0)
        busy = False

    sys.addaudithook(watch)


def _fail(event: str, fault: Fault, opened: tuple[str, int]) -> None:
    """Die, or refuse what needs the disk; `opened` is what was written before, and its old size."""
    if fault in _REFUSES:
        if fault == "read-only" or event in _TAKES_SPACE:
            raise OSError(_REFUSES[fault], os.strerror(_REFUSES[fault]))
        return
    if fault == "torn" and opened[0] and Path(opened[0]).is_file():
        os.truncate(opened[0], (opened[1] + Path(opened[0]).stat().st_size) // 2)
    os.kill(os.getpid(), signal.SIGKILL)


def run_forked(
    call: Callable[[], object], top: Path, *, at: int = -1, fault: Fault = "kill"
) -> Ended:
    """Call a function in a process of its own; a fault happens before its n-th change in `top`."""
    report, log = top.with_name("points.txt"), top.with_name("log.txt")
    process = os.fork()
    if process == 0:
        status = 70
        try:
            for stream in (1, 2):
                os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
            _watch(top, at, fault, os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
            call()
            status = 0
        except SystemExit as error:
            status = int(error.code or 0)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    until = time.monotonic() + SECONDS
    while True:
        done, code = os.waitpid(process, os.WNOHANG)
        if done:
            return Ended(os.waitstatus_to_exitcode(code), report.read_text().splitlines())
        if time.monotonic() > until:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.005)


class Killed:
    """A command, and a folder in which it is killed.

    Parameters
    ----------
    call : callable
        Takes further options, and runs the command in the working folder.
    work : Path
        The working folder, which is made anew for each kill. Beside it a log is kept.
    results : str
        The folder of the results in it, or the table that has its record beside it; "" if it writes
        no record.
    again : sequence of tuple of str
        Options of the second call, the first of which that works is taken.
    before : callable, optional
        What fills the working folder.
    """

    def __init__(
        self,
        call: Callable[[Sequence[str]], object],
        work: Path,
        results: str,
        again: Sequence[Sequence[str]] = ((), ("--overwrite",)),
        before: Callable[[], object] = lambda: None,
    ) -> None:
        self._call, self._work, self._again, self._before = call, work, again, before
        self._results = results
        self._fresh()
        self._old = self._contents()
        self._whole = run_forked(lambda: call(()), work)
        if self._whole.status:
            raise AssertionError(work.with_name("log.txt").read_text())
        self._new = self._contents()

    @property
    def points(self) -> list[str]:
        """Where the command changes files."""
        return self._whole.points

    def fail(self, number: int, fault: Fault = "kill") -> Outcome:
        """Let a fault happen before the n-th point of the command, do it again, and compare."""
        self._fresh()
        ended = run_forked(lambda: self._call(()), self._work, at=number, fault=fault)
        point = self.points[number] if number < len(self.points) else "after the end"
        half = self._half()
        again = "impossible"
        for options in self._again:
            if run_forked(lambda options=options: self._call(options), self._work).status == 0:
                again = " ".join(options) or "as it is"
                break
        other = self._other() or self._not_as_recorded()
        left = [path.name for path in self._work.rglob(".*") if path.name.endswith(".part")]
        return Outcome(point, ended.status, half, again, other, left)

    def _fresh(self) -> None:
        os.chdir(self._work.parent)
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir()
        os.chdir(self._work)
        self._before()

    def _contents(self) -> dict[str, Any]:
        """Return what is there by name, without what is hidden and what differs by its times."""
        found: dict[str, Any] = {}
        for path in sorted(self._work.rglob("*")):
            name = path.relative_to(self._work).as_posix()
            if not path.is_file() or any(part.startswith(".") for part in name.split("/")):
                continue
            if not name.endswith(RECORD):
                found[name] = _without_times(path)
        return found

    def _other(self) -> str:
        """Return the first file that is not as it has to be; "" if there is none."""
        found = self._contents()
        names = sorted(found.keys() | self._new.keys())
        return next((name for name in names if found.get(name) != self._new.get(name)), "")

    def _half(self) -> str:
        """Return the first file that is neither as it was nor as it will be."""
        for name, content in self._contents().items():
            known = (self._old.get(name), self._new.get(name))
            if content not in known and Path(name).name not in GROWING:
                return name
        return self._not_as_recorded()

    def _not_as_recorded(self) -> str:
        """Return what results that look whole lack; "" if they do not look so, or lack nothing."""
        try:
            checked = check_run(self._work / self._results) if self._results else []
        except InputError:
            return ""
        return next((one.name for one in checked if one.kind == "output" and not one.is_same), "")


def _without_times(path: Path) -> Any:
    """Return what is in a file, but for when it was made and how long that took."""
    if path.name in _TIMES:
        text = path.read_text(encoding="utf-8")
        return [_TIMES[path.name].sub("", line) for line in text.splitlines()]
    if path.name == "runs.csv":
        return pd.read_csv(path).drop(columns=["seconds_per_case", "training_minutes"]).to_csv()
    return path.read_bytes()
