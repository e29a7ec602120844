"""What ended a command, in one line with a next step, and the exit status."""

import sys
import traceback
from pathlib import Path

import lggshape
from lggshape.errors import BUG, INTERRUPTED, NOT_STARTED, LggshapeError

PAGES = {
    "association": "docs/inputs.md#hypotheses",
    "comparison": "docs/comparison.md",
    "evaluation": "docs/evaluation.md",
    "inspection": "docs/inputs.md#when-something-is-refused",
    "labels": "docs/inputs.md#labels",
    "parallel": "docs/cluster.md",
    "readers": "docs/inputs.md#when-something-is-refused",
    "regions": "docs/inputs.md#regions",
    "run_check": "docs/questions.md",
    "segmentation": "docs/training.md",
    "shape": "docs/features.md",
    "shards": "docs/cluster.md",
    "studies": "docs/replication.md",
    "tables": "docs/inputs.md#tables",
    "visualisation": "docs/show.md",
}
"""For the parts of the package that a page explains: the page to read if they refuse something."""


def print_error(error: BaseException, *, command: str, debug: bool) -> int | None:
    """Print what ended a command, and return its exit status; None if Typer should say it."""
    if isinstance(error, KeyboardInterrupt):  # perhaps in the middle of an import: so none here
        _say(
            "interrupted. Run the command again: with --resume, if it has that option, it "
            "continues where it stopped."
        )
        return INTERRUPTED
    from lggshape.commands import is_bug, kept_log

    if debug and isinstance(error, LggshapeError | OSError | MemoryError):
        traceback.print_exception(error)
    if isinstance(error, LggshapeError):
        _say(f"{error} {next_step(error, command)}")
        return NOT_STARTED
    if isinstance(error, OSError | MemoryError) and not isinstance(error, BrokenPipeError):
        _say(
            f"The system refused a request: {_kind(error)}. Check permissions, free disk space and "
            "memory, then run the command again."
        )
        return NOT_STARTED
    if not is_bug(error):
        return None
    if debug:
        traceback.print_exception(error)
    log = kept_log(error)
    where = f" with the log {log}" if log else ", with what --debug prints"
    _say(f"{_kind(error)}. This is a bug in lggshape: please report it{where}.")
    return BUG


def next_step(error: LggshapeError, command: str) -> str:
    """Return what to read: the help of the command, and the page of the part that refused."""
    pages = [PAGES[part] for part in _parts(error) if part in PAGES]
    page = f" and {pages[-1]}" if pages else ""
    return f"See lggshape {command} -h{page}."


def _parts(error: LggshapeError) -> list[str]:
    """Return the parts of the package that an error passed through, the one that raised it last."""
    package = Path(lggshape.__file__).parent
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    return [
        file.relative_to(package).parts[0].removesuffix(".py")
        for file in files
        if file.is_relative_to(package)
    ]


def _kind(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _say(text: str) -> None:
    print(f"lggshape: {text}", file=sys.stderr)  # noqa: T201
