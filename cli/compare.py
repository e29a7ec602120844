"""`lggshape compare`: training runs side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lggshape_cli import _options as o

if TYPE_CHECKING:
    from lggshape.commands import Run
    from lggshape.comparison import Comparison
    from lggshape.figures import Journal

EXAMPLES = (
    "lggshape compare run1/ run2/ --dataset cases/ --out comparison/ --report",
    "lggshape compare run1/ run2/ run3/ --dataset cases/ --out comparison/ --resume",
)

Runs = Annotated[
    list[Path],
    typer.Argument(help="Folders of training runs, two or more.", show_default=False),
]
Reference = Annotated[
    str | None,
    typer.Option(help="Name of the run with which the others are compared. Default: the first."),
]


def compare(
    context: typer.Context,
    runs: Runs,
    dataset: Annotated[Path, typer.Option(help="Cases with images and masks.", show_default=False)],
    out: o.OutFolder,
    report: o.Report = False,
    title: o.Title = None,
    author: o.Authors = None,
    format: o.Format = None,
    dpi: o.Dpi = 300,
    width: o.Width = None,
    reference: Reference = None,
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
    device: o.Device = "auto",
    jobs: o.Jobs = None,
    scheduler: o.Scheduler = None,
    work: o.Work = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Compare training runs on each run's held-out patients; --report adds an HTML report.

    Each run segments the patients that it held out, or detects their slices with tumour. Writes
    runs.csv (size, cost, Dice, HD95, surface Dice, slice detection), differences.csv (from the
    reference run, paired by patient, with corrected p-values), cases.csv, history.csv, epochs.csv
    (epochs until a run is as good as the reference), figures and run.json. With --resume, the masks
    of an earlier call are used again, so that only new runs are segmented.
    """
    from lggshape.commands import run_command
    from lggshape.comparison import compare_runs
    from lggshape.readers import open_cases
    from lggshape.results import check_place

    replaces = (resume, "with --resume, which replaces the results too")
    o.refuse_unused(context, overwrite=replaces, **o.without_report(report))
    journal = o.journal_of(context, format, dpi, width)
    meaning = o.mask_meaning(mask_values, regions, threshold) | {"resample_masks": resample_masks}
    reading = o.reading(manifest, pattern, sequences, patient_from, spacing) | meaning
    work = work or out.resolve().with_name(f"{out.resolve().name}.work")
    with run_command(
        "compare", out=out, inputs=[dataset, *runs, manifest, o.region_file(regions)],
        overwrite=overwrite or resume, quiet=quiet, scheduler=scheduler,
        options=meaning | {"reference": reference, "surface_tolerance": surface_tolerance,
                           "device": device, "seed": seed, "pattern": pattern,
                           "sequences": sequences, "spacing": spacing},
    ) as run:  # fmt: skip
        # `compare_runs` knows the cases, not the folder that they lie in.
        check_place(work, inputs=[dataset])
        found = compare_runs(
            runs, open_cases(dataset, **reading), work, reference=reference, device=device,
            seed=seed, jobs=jobs, surface_tolerance=surface_tolerance, resume=resume,
            overwrite=overwrite, on_progress=run.on_progress,
        )  # fmt: skip
        first = _write(found, run, title, author or [], journal, report=report)
        run.fail(found.failures)
        run.summary += [found.summary(), f"Results: {out / first}"]


def _write(
    found: "Comparison",
    run: "Run",
    title: str | None,
    authors: list[str],
    journal: "Journal | None",
    *,
    report: bool,
) -> str:
    """Write the tables, and the report or the figures alone; return what to read first."""
    run.options |= journal._asdict() if journal else {}
    run.write_tables(found.tables())
    if not report:
        from lggshape.figures import write_figures

        write_figures(found.plots(), run.place / "figures", journal=journal)
        return "runs.csv"
    from lggshape.report.comparison_report import write_comparison_report

    write_comparison_report(
        found, run.place, surface_tolerance=run.options["surface_tolerance"], inputs=run.inputs,
        options=run.options, title=title, authors=authors, journal=journal,
        on_progress=run.on_progress,
    )  # fmt: skip
    return "report.html"
