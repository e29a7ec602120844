"""The command line of lggshape: one thin file a command, no computation."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lggshape.errors import InputError
from lggshape_cli.associate import associate
from lggshape_cli.compare import compare
from lggshape_cli.demo import demo
from lggshape_cli.detect import detect
from lggshape_cli.evaluate import evaluate
from lggshape_cli.features import features
from lggshape_cli.info import info
from lggshape_cli.replicate import replicate
from lggshape_cli.segment import segment
from lggshape_cli.show import show
from lggshape_cli.train import train
from lggshape_cli.verify import verify


class _Commands(TyperGroup):
    """The commands; input that cannot be used ends in one line and exit status 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            print(f"lggshape: {error}", file=sys.stderr)  # noqa: T201
            raise typer.Exit(2) from error


app = typer.Typer(
    name="lggshape",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"lggshape {version('lggshape')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Does the shape of a lower-grade glioma go with its genomics?

    verify a data set, train networks, segment cases, evaluate and show the masks,
    measure their features, associate these with labels; or replicate a whole study.
    Exit status: 0 all done; 1 done, but some cases failed; 2 could not start.
    """


for command in (
    *(verify, train, segment, detect, evaluate, compare, show),
    *(features, associate, replicate, demo, info),
):
    app.command()(command)
