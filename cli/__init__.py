"""The command line of lggshape: one thin file for each command, without computation."""

import gc
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from time import monotonic
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lggshape_cli import (
    associate,
    compare,
    demo,
    detect,
    doctor,
    evaluate,
    features,
    info,
    inspect,
    labels,
    merge,
    replicate,
    segment,
    show,
    train,
    verify,
    verify_run,
)
from lggshape_cli._errors import print_error
from lggshape_cli._options import DEBUG

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_CLEANING_UP = 3.0
"""Seconds after an interruption for which another has no effect."""


class _Program(typer.Typer):
    """The command line as the program that a process runs."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # The terminal may lack a character, or a file have a name that is no Unicode.
        raising = {"strict", "surrogateescape"}
        if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors in raising:
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().__call__(*args, **kwargs)
        finally:  # all is said and done: there is nothing left to interrupt
            if threading.current_thread() is threading.main_thread():
                for one in _SIGNALS:
                    signal.signal(one, signal.SIG_IGN)
            # Or else Python looks for garbage among all that was imported: 3 s with TensorFlow.
            gc.freeze()


class _Commands(TyperGroup):
    """The commands; whatever goes wrong ends in one line and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        with _sigterm_like_ctrl_c():
            try:
                return super().invoke(ctx)
            except (Exception, KeyboardInterrupt) as error:
                status = print_error(
                    error, command=ctx.invoked_subcommand or "", debug=ctx.meta.get(DEBUG, False)
                )
                if status is None:
                    raise
                raise typer.Exit(status) from error


class _Command(TyperCommand):
    """A command that refuses empty values, such as those of variables that are not set."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        from lggshape.errors import InputError

        given, _, _ = self.make_parser(ctx).parse_args(args=[*args])
        for one in () if ctx.resilient_parsing else self.params:
            # Otherwise, an empty path would be the working folder.
            value = given.get(one.name)
            values = value if isinstance(value, list | tuple) else [value]
            if "" in values and one.default != "":
                name = one.opts[0] if one.opts[0].startswith("-") else one.opts[0].upper()
                msg = f"Expected a value for {name}, found an empty one. State it, or leave it out."
                raise InputError(msg)
        return super().parse_args(ctx, args)


@contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that nothing is left behind.

    Of several in quick succession, the first counts: the others would end the cleaning up.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    last = -_CLEANING_UP

    def interrupt(*_: object) -> None:
        nonlocal last
        if monotonic() - last >= _CLEANING_UP:
            last = monotonic()
            raise KeyboardInterrupt

    before = {one: signal.getsignal(one) for one in _SIGNALS}
    for one, handler in before.items():
        if handler != signal.SIG_IGN:  # as for a program in the background
            signal.signal(one, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler or signal.SIG_DFL)


def _paragraphs(text: str) -> str:
    """Return a docstring without its line breaks, which would show in the help."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


app = _Program(
    name="lggshape",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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
    "130  interrupted or terminated",
)
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    anonymous: Annotated[
        bool,
        typer.Option(
            "--anonymous",
            help="Omit the name of this machine and the folders above the inputs from run.json and "
            "run.log. Tables and reports never contain them. Put the option before the command.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before the command."""
    from lggshape.provenance import ANONYMOUS

    ANONYMOUS.set(anonymous)


for _module in (
    *(inspect, verify, train, segment, detect, evaluate, compare, show),
    *(features, merge, labels, associate, replicate, demo),
    *(verify_run, doctor, info),
):
    _name = _module.__name__.rpartition(".")[2]
    _spelled = _name.replace("_", "-")
    _examples = "\n\n".join(["[bold]Examples[/bold]", *_module.EXAMPLES])
    _command = getattr(_module, _name)
    app.command(_spelled, cls=_Command, help=_paragraphs(_command.__doc__), epilog=_examples)(
        _command
    )
