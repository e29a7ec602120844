"""`lggshape doctor`: is the installation as it should be?"""

from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape doctor",)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    debug: o.Debug = False,
) -> None:
    """Print what the machine and the installation are like, and test them for about ten seconds.

    Lists the versions, the extras that are missing, whether the bundled networks are as they were
    published, and what came of the tests: features, a statistical test, and the segmentation of a
    phantom. The exit status is 1 if something is wrong. Add the output to a report of a bug.
    """
    import json

    from lggshape.commands import SOME_FAILED
    from lggshape.doctor import examine

    found = []
    for one in examine():
        found.append(one)
        if not as_json:
            typer.echo(f"{'' if one.ok else 'WRONG: '}{one.what}: {one.found}")
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], indent=2))
    if not all(one.ok for one in found):
        raise typer.Exit(SOME_FAILED)
