"""`lggshape replicate`: a published study, from images to the report."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = (
    "lggshape replicate cases/ --labels a.csv --labels b.csv --out replication/",
    "lggshape replicate cases/ --labels a.csv --masks masks/ --step primary --out replication/",
)
_STEPS = "What the study does"

Masks = Annotated[
    Path | None,
    typer.Option(
        help="Existing automatic masks, as from `segment`, to use instead of networks.",
        rich_help_panel=o.NETWORKS,
    ),
]
Earlier = Annotated[
    Path | None,
    typer.Option(
        help="Results of an earlier replication of the same patients. The step comparison compares "
        "the effects with theirs.",
        rich_help_panel=_STEPS,
    ),
]
Protocol = Annotated[
    Path | None,
    typer.Option(
        help="Protocol that was written beforehand. run.json records its hash.",
        rich_help_panel=_STEPS,
    ),
]
Steps = Annotated[
    list[str] | None,
    typer.Option(
        help="Run the primary analysis and this step. Repeat it for further steps. primary: run "
        "the primary analysis alone. Default: all steps.",
        rich_help_panel=_STEPS,
    ),
]
Realisations = Annotated[
    int | None,
    typer.Option(
        help="Number of times that noise of each strength is drawn in the steps noise and "
        "failed-attempt. The networks segment all patients again for each. Default: once.",
        min=1,
        show_default=False,
        rich_help_panel=_STEPS,
    ),
]


def replicate(
    context: typer.Context,
    dataset: Annotated[
        Path, typer.Argument(help="Cases with images and manual masks.", show_default=False)
    ],
    labels: o.RequiredLabels,
    out: o.OutFolder,
    study: Annotated[
        str | None,
        typer.Option(help="Name of the study. Default: the one with hypotheses of its own."),
    ] = None,
    networks: o.Networks = None,
    masks: Masks = None,
    earlier: Earlier = None,
    protocol: Protocol = None,
    step: Steps = None,
    realisations: Realisations = None,
    title: o.Title = None,
    author: o.Authors = None,
    seed: o.Seed = 0,
    jobs: o.Jobs = None,
    scheduler: o.Scheduler = None,
    work: o.Work = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Replicate a published study, with automatic and manual masks side by side.

    Verifies the data set, segments it (each patient by networks that were not trained on them),
    evaluates and measures the masks, tests the hypotheses, and runs the further steps of the study.
    Writes tables, figures, replication.json, report.html and run.json. If a case cannot be
    segmented or measured, its row has the reason and the exit status is 1.
    """
    from lggshape.commands import run_command
    from lggshape.studies import open_study

    o.refuse_unused(
        context,
        networks=(masks is not None, "with --masks, which take their place"),
        realisations=(masks is not None, "with --masks, because only networks are shown noise"),
        overwrite=(resume, "with --resume, which replaces the results too"),
    )
    opened = open_study(study)
    with run_command("replicate", out=out, kind="nothing", quiet=quiet, scheduler=scheduler) as run:
        found = opened.replicate(
            dataset, labels, out, networks=networks, masks=masks, earlier=earlier,
            protocol=protocol, steps=step or (), realisations=realisations, title=title,
            authors=author or (), work=work, seed=seed, jobs=jobs, resume=resume,
            overwrite=overwrite, on_progress=run.on_progress,
        )  # fmt: skip
        run.summary += [opened.title, found.summary(), f"Results: {found.report}"]
        run.fail(found.failures)
