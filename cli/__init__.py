"""The command line of lggshape: one thin file for each command, no computation."""

import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lggshape_cli import (
    associate,
    compare,
    demo,
    detect,
    evaluate,
    features,
    info,
    inspect,
    replicate,
    segment,
    show,
    train,
    verify,
)
from lggshape_cli._options import DEBUG


class _Commands(TyperGroup):
    """The commands; whatever goes wrong ends in one line and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with _terminated_in_order():
                return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            status = _print_error(error, debug=ctx.meta.get(DEBUG, False))
            if status is None:
                raise
            raise typer.Exit(status) from error


@contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Let a request to terminate end the block as Ctrl-C does, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _print_error(error: BaseException, *, debug: bool) -> int | None:
    """Print what ended a command, and return its exit status; None if Typer should say it."""
    from lggshape.commands import BUG, INTERRUPTED, NOT_STARTED, is_bug, kept_log
    from lggshape.errors import LggshapeError

    if debug and isinstance(error, LggshapeError | OSError | MemoryError):
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        _say("interrupted")
        return INTERRUPTED
    if isinstance(error, LggshapeError):
        _say(str(error))
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


def _kind(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _say(text: str) -> None:
    print(f"lggshape: {text}", file=sys.stderr)  # noqa: T201


def _paragraphs(text: str) -> str:
    """Return a docstring without its line breaks, which would show in the help."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


app = typer.Typer(
    name="lggshape",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"lggshape {version('lggshape')}")
        raise typer.Exit


@app.callback(
    help="Is the shape of a glioma associated with molecular or clinical labels?\n\n"
    "Verify a data set, train networks, segment cases, evaluate and show the masks, measure their "
    "shape, and test the features against labels. Or replicate a published study.",
    epilog="[bold]Exit status[/bold]\n\n"
    "  0  all done\n\n"
    "  1  done, but some cases failed; each is listed with its reason\n\n"
    "  2  could not start or continue, because of the input, an option or the system\n\n"
    " 70  stopped by a bug in lggshape\n\n"
    "130  interrupted, or asked to terminate",
)
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options that stand before the command."""


for _module in (
    *(inspect, verify, train, segment, detect, evaluate, compare, show),
    *(features, associate, replicate, demo, info),
):
    _name = _module.__name__.rpartition(".")[2]
    _examples = "\n\n".join(["[bold]Examples[/bold]", *_module.EXAMPLES])
    _command = getattr(_module, _name)
    app.command(_name, help=_paragraphs(_command.__doc__), epilog=_examples)(_command)
