"""`lggshape replicate`: a published study, from images to the report."""

from pathlib import Path
from typing import Annotated

import typer


def replicate(
    dataset: Annotated[
        Path, typer.Argument(help="Cases with images and manual masks.", show_default=False)
    ],
    labels: Annotated[
        list[Path],
        typer.Option(help="Label table (CSV, a row per patient). May be repeated."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    study: Annotated[
        str | None, typer.Option(help="Name of the study. Default: the only one that ships.")
    ] = None,
    networks: Annotated[
        Path | None,
        typer.Option(help="Folder of a training run. Default: the networks that ship."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(help="Automatic masks made before, as from `segment`, in place of networks."),
    ] = None,
    protocol: Annotated[
        Path | None, typer.Option(help="What was written down before; run.json keeps its hash.")
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            help="Do this step besides the primary analysis, not all of them. May be repeated. "
            "primary: the primary analysis alone."
        ),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(help="Folder for masks and unfinished work. Default: beside the results."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)] = 0,
    jobs: Annotated[
        int | None, typer.Option(help="Number of processes. Default: all cores.", min=1)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an earlier run, and replace its results.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin again, and replace an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Do a whole published study again, with automatic and manual masks side by side.

    Verify, segment (each patient by networks that were not trained on them), evaluate, measure,
    test the hypotheses, and do the further steps of the study. Writes tables, figures,
    replication.json, report.html and run.json. If a case cannot be segmented or measured, its row
    has the reason and the exit status is 1.
    """
    from lggshape.commands import run_command
    from lggshape.studies import open_study

    opened = open_study(study)
    with run_command("replicate", kind="nothing", quiet=quiet) as run:
        found = opened.replicate(
            dataset,
            labels,
            out,
            networks=networks,
            masks=masks,
            protocol=protocol,
            steps=step or (),
            work=work,
            seed=seed,
            jobs=jobs,
            resume=resume,
            overwrite=overwrite,
            on_progress=run.on_progress,
        )
        run.summary += [opened.title, found.summary(), f"Results: {found.report}"]
        run.fail(found.failures)
