"""`lggshape evaluate`: compare predicted masks with references."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lggshape_cli import _options as o

if TYPE_CHECKING:
    from lggshape.commands import Run
    from lggshape.evaluation import Evaluation

EXAMPLES = (
    "lggshape evaluate masks/ cases/ --out evaluation/ --report",
    "lggshape evaluate masks/ cases/ --out evaluation/ --labels labels.csv --by sex",
    "lggshape evaluate masks/ cases/ --out evaluation/ --regions brats",
    "lggshape evaluate masks/ cases/ --out evaluation/ --format png --dpi 600",
)

Predicted = Annotated[
    Path,
    typer.Argument(
        help="Predicted masks, as from `segment`: a folder or a file.", show_default=False
    ),
]
Reference = Annotated[
    Path,
    typer.Argument(
        help="Reference masks of cases with the same names, with or without images.",
        show_default=False,
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        help="Label to group the cases by. Repeat the option for further labels.",
        rich_help_panel=o.LABELS,
    ),
]


def evaluate(
    context: typer.Context,
    predicted: Predicted,
    reference: Reference,
    out: o.OutFolder,
    report: o.Report = False,
    title: o.Title = None,
    author: o.Authors = None,
    format: o.Format = None,
    dpi: o.Dpi = 300,
    width: o.Width = None,
    labels: o.Labels = None,
    by: By = None,
    patient_column: o.PatientColumn = None,
    manifest: o.Manifest = None,
    patient_from: o.PatientFrom = "hash",
    pattern: o.Pattern = "",
    sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    mask_values: o.MaskValues = None,
    regions: o.Regions = None,
    threshold: o.Threshold = None,
    resample_masks: o.ResampleMasks = False,
    surface_tolerance: o.SurfaceTolerance = 1.0,
    seed: o.Seed = 0,
    jobs: o.Jobs = None,
    scheduler: o.Scheduler = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Compare predicted masks with references; --report adds an HTML report.

    Scores each case by Dice, IoU, precision, recall, HD95, surface Dice and volume error.
    Summarises these scores, with intervals, and Dice also by group. Measures how well slices with
    tumour are detected. Writes scores.csv, summary.csv, groups.csv, detection.csv, slices.csv,
    evaluation.json, figures and run.json. If a case cannot be compared, its row has the reason and
    the exit status is 1.
    """
    from lggshape import evaluation
    from lggshape.commands import run_command
    from lggshape.readers import open_cases

    o.refuse_unused(
        context, labels=(not by, "without --by"), by=(not labels, "without --labels"),
        patient_column=(not labels, "without --labels"), **o.without_report(report),
    )  # fmt: skip
    journal = o.journal_of(context, format, dpi, width)
    meaning = o.mask_meaning(mask_values, regions, threshold)
    reading = o.reading(manifest, pattern, sequences, patient_from, spacing) | meaning
    reading |= {"threshold": None, "resample_masks": resample_masks}
    with run_command(
        "evaluate", out=out, overwrite=overwrite, quiet=quiet, scheduler=scheduler,
        inputs=[predicted, reference, *(labels or []), manifest, o.region_file(regions)],
        options={"pattern": pattern, "sequences": sequences, "spacing": spacing, **meaning,
                 "surface_tolerance": surface_tolerance, "by": by or [], "seed": seed,
                 "patient_column": patient_column, "resample_masks": resample_masks},
    ) as run:  # fmt: skip
        known = o.labels_of(run, labels, patient_column=patient_column) if labels else None
        found = evaluation.evaluate(
            predicted, open_cases(reference, masks_only=True, **reading), **meaning,
            labels=known, by=by or (), surface_tolerance=surface_tolerance, outlines=report,
            seed=seed, jobs=jobs, on_progress=run.on_progress,
        )  # fmt: skip
        grouped = {name: known[name] for name in by or []} if known else {}
        shown = {"labels": grouped, "title": title, "authors": author or [], "journal": journal}
        _write(found, run, out, predicted if report else None, shown)


def _write(
    found: "Evaluation", run: "Run", out: Path, predicted: Path | None, shown: dict[str, Any]
) -> None:
    """Write the tables, and the report or the figures alone; say where they are."""
    from lggshape.figures import write_figures
    from lggshape.readers.segmented import read_checks
    from lggshape.report.evaluation_report import write_evaluation_report

    journal = shown["journal"]
    run.options |= journal._asdict() if journal else {}
    run.write_tables(found.tables())
    run.write_json("evaluation.json", found.to_dict())
    if predicted is None:
        write_figures(found.plots(), run.place / "figures", journal=journal)
    else:
        # What `segment` said of the masks is shown beside their scores.
        write_evaluation_report(
            found, run.place, inputs=run.inputs, options=run.options,
            checks=read_checks(predicted), on_progress=run.on_progress, **shown,
        )  # fmt: skip
    run.fail(found.failures, of=found.cases)
    run.summary += [
        found.summary(),
        f"Results: {out / ('report.html' if predicted else 'scores.csv')}",
    ]
    run.notes += found.not_evaluated()
