"""`lggshape demo`: the whole way on a synthetic cohort."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape demo --out demo/", "lggshape demo --layout bids --out demo/")


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the cohort and the results.")] = Path(
        "lggshape-demo"
    ),
    patients: Annotated[int, typer.Option(help="Number of synthetic patients.", min=8)] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic cohort.", min=0)] = 0,
    layout: Annotated[
        Literal[
            "slices",
            "nifti",
            "bids",
            "brats",
            "nnunet",
            "nrrd",
            "packed",
            "multipage-tiff",
            "dicom",
            "dicom-enhanced",
        ],
        typer.Option(help="How the files of the cohort are laid out."),
    ] = "slices",
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Run all steps, from images to a report, on a synthetic cohort with a planted association.

    Runs the steps of verify, segment (with the bundled networks), evaluate, features and associate
    --report, and prints the commands for them.
    """
    from lggshape.commands import run_command
    from lggshape.demo import write_demo

    def say(text: str) -> None:
        if not quiet:
            typer.echo(text)

    options = {"patients": patients, "seed": seed, "layout": layout}
    with run_command("demo", out=out, options=options, overwrite=overwrite, quiet=quiet) as run:
        write_demo(
            run.place, patients=patients, seed=seed, layout=layout, shown_as=out, say=say,
            on_progress=run.on_progress,
        )  # fmt: skip
