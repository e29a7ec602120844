"""`lggshape doctor`: does the installation work?"""

from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape doctor",)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    debug: o.Debug = False,
) -> None:
    """Describe the machine and the installation, and test the installation in about ten seconds.

    Lists the versions and the missing extras. Tests the features and one statistical test; with the
    extra segment, also whether the bundled networks are as they were published, and the
    segmentation of a phantom. The exit status is 1 if something is wrong. Include the output when
    you report a bug.
    """
    import json

    from lggshape.doctor import examine
    from lggshape.errors import SOME_FAILED

    found = []
    for one in examine():
        found.append(one)
        if not as_json:
            typer.echo(f"{'' if one.ok else 'WRONG: '}{one.what}: {one.found}")
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], indent=2))
    if not all(one.ok for one in found):
        raise typer.Exit(SOME_FAILED)
