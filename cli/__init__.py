"""The command line of lggshape: one thin file for each command, without computation."""

import signal
import threading
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


class _Commands(TyperGroup):
    """The commands; whatever goes wrong ends in one line and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with _sigterm_like_ctrl_c():
                return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            status = print_error(
                error, command=ctx.invoked_subcommand or "", debug=ctx.meta.get(DEBUG, False)
            )
            if status is None:
                raise
            raise typer.Exit(status) from error


@contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _paragraphs(text: str) -> str:
    """Return a docstring without its line breaks, which would show in the help."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


app = typer.Typer(
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
    app.command(_name.replace("_", "-"), help=_paragraphs(_command.__doc__), epilog=_examples)(
        _command
    )
