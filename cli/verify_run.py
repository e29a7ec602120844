"""`lggshape verify-run`: does the record of a run still hold?"""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = (
    "lggshape verify-run features.csv",
    "lggshape verify-run features.csv --ro-crate",
)


def verify_run(
    results: Annotated[
        Path,
        typer.Argument(
            help="Folder of results, or table with its record beside it.", show_default=False
        ),
    ],
    ro_crate: Annotated[
        bool,
        typer.Option(
            "--ro-crate",
            help="Also write ro-crate-metadata.json beside the results: a description of the run "
            "(RO-Crate) to publish with them.",
        ),
    ] = False,
    debug: o.Debug = False,
) -> None:
    """Compare the record of a run with its inputs, its results and the installed versions.

    Lists what differs from the record. Inputs with relative paths are looked for in the working
    folder. So are all inputs of a run with --anonymous, whose record leaves their folders out: call
    this command where they lie. The exit status is 1 if an input or a result is missing or
    was changed. Different versions are listed, but do not change the exit status.
    """
    from lggshape.errors import SOME_FAILED
    from lggshape.files import write_json
    from lggshape.run_check import CRATE, check_run, run_crate

    checked = check_run(results)
    for one in checked:
        if not one.is_same:
            typer.echo(f"{one.kind} {one.name}: {one.found}")
    if any(
        one.kind == "input" and one.found == "missing" and not Path(one.name).is_absolute()
        for one in checked
    ):
        typer.echo(
            f"Inputs with relative paths were looked for in {Path.cwd()}. If they lie elsewhere, "
            "call verify-run from the folder in which the run was started; after a run with "
            "--anonymous, from the folder that holds the inputs."
        )
    same = sum(one.is_same for one in checked)
    typer.echo(f"{same} of {len(checked)} inputs, results and versions are as recorded.")
    if ro_crate:
        folder = results if results.is_dir() else results.parent
        write_json(folder / CRATE, run_crate(results))
        typer.echo(f"RO-Crate: {folder / CRATE}")
    if any(not one.is_same and one.kind != "version" for one in checked):
        raise typer.Exit(SOME_FAILED)
