"""`lggshape show`: figures of cases, or of a cohort."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lggshape_cli import _options as o

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lggshape.commands import Run
    from lggshape.figures import Journal
    from lggshape.readers import CaseSource

EXAMPLES = (
    "lggshape show cases/ --out figures/",
    "lggshape show cases/ --case patient_7 --predicted masks/ --out figures/",
    "lggshape show cases/ --worst 10 --predicted masks/ --out figures/",
    "lggshape show cases/ --out figures/ --format pdf --width 180",
)


Cases = Annotated[
    list[str] | None,
    typer.Option(
        help="Case or patient to show. Repeat the option to show more. Default: the cohort."
    ),
]
Every = Annotated[
    bool, typer.Option("--all", help="Show every case, and write a page of all, index.html.")
]
Worst = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Show the N cases with the lowest Dice of the predicted masks (without a reference "
        "the lowest Dice to expect), and write a page of them, index.html.",
        show_default=False,
    ),
]
Predicted = Annotated[
    Path | None, typer.Option(help="Predicted masks, as from `segment`, to show as well.")
]


def show(
    context: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="Cases: a folder or a file.", show_default=False)],
    out: o.OutFolder,
    case: Cases = None,
    every: Every = False,
    worst: Worst = None,
    predicted: Predicted = None,
    manifest: o.Manifest = None,
    patient_from: o.PatientFrom = "hash",
    pattern: o.Pattern = "",
    sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    register: o.Register = False,
    mask_values: o.MaskValues = None,
    regions: o.Regions = None,
    threshold: o.Threshold = None,
    resample_masks: o.ResampleMasks = False,
    format: o.Format = None,
    dpi: o.Dpi = 300,
    width: o.Width = None,
    jobs: o.Jobs = None,
    scheduler: o.Scheduler = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Draw cases slice by slice, or a cohort as a whole.

    With --case, --all or --worst, draws the slices with tumour, the outlines of the masks or of
    their regions, and how the features of the whole mask are computed. Without these, draws the
    volumes, locations and intensities of all cases, and writes cohort.csv. Figures are SVG and PNG.
    If a case cannot be shown, the reason is printed and the exit status is 1. The regions are those
    of the predicted masks too, if they have any; with --predicted, --threshold is for these masks.
    """
    from lggshape.commands import run_command
    from lggshape.readers import open_cases
    from lggshape.readers.predicted import MaskMeaning, open_predicted

    o.refuse_unused(
        context, case=(every or worst is not None, "with --all or --worst"),
        every=(worst is not None, "with --worst"), worst=(predicted is None, "without --predicted"),
    )  # fmt: skip
    journal = o.journal_of(context, format, dpi, width)
    meaning = o.mask_meaning(mask_values, regions, threshold)
    reading = o.reading(manifest, pattern, sequences, patient_from, spacing) | meaning
    reading |= {"register": register, "resample_masks": resample_masks}
    if predicted is not None:
        reading["threshold"] = None
    with run_command(
        "show", out=out, inputs=[dataset, predicted, manifest, o.region_file(regions)],
        overwrite=overwrite, quiet=quiet, scheduler=scheduler,
        options={"case": case or [], "all": every, "worst": worst, "predicted": predicted,
                 "pattern": pattern, "sequences": sequences, "spacing": spacing, **meaning,
                 "register": register, "resample_masks": resample_masks,
                 **(journal._asdict() if journal else {})},
    ) as run:  # fmt: skip
        sources = open_cases(dataset, **reading)
        masks = None if predicted is None else open_predicted(predicted, MaskMeaning(**meaning))
        shown = {"predicted": masks, "jobs": jobs, "on_progress": run.on_progress}
        if case or every or worst:
            total = _show_cases(run, sources, case or [], worst, predicted, journal, shown)
        else:
            total = _show_cohort(run, sources, journal, shown)
        first = out / "index.html" if every or worst else out
        run.summary.append(f"Shown {total - len(run.failures)} of {total} cases: {first}")


def _show_cohort(
    run: "Run",
    sources: "Sequence[CaseSource]",
    journal: "Journal | None",
    shown: dict[str, Any],
) -> int:
    """Write the figures of the cohort; return how many cases there are."""
    from lggshape import visualisation

    found = visualisation.survey(sources, **shown)
    visualisation.write_cohort_figures(found, run.place, journal=journal)
    run.fail(found.failures, of=len(found.table))
    return len(found.table)


def _show_cases(
    run: "Run",
    sources: "Sequence[CaseSource]",
    names: list[str],
    worst: int | None,
    predicted: Path | None,
    journal: "Journal | None",
    shown: dict[str, Any],
) -> int:
    """Write the figures of cases, and a page unless they were named; return how many there are."""
    from lggshape.readers.segmented import read_checks
    from lggshape.report.pictures import write_pictures
    from lggshape.visualisation import worst_cases
    from lggshape.visualisation.case_figures import write_cases

    checks = {} if predicted is None else read_checks(predicted)
    chosen = names
    if worst is not None:
        chosen = worst_cases(sources, count=worst, checks=checks, **shown)
    written = write_cases(sources, run.place, names=chosen, journal=journal, **shown)
    if worst is not None:
        places = {name: place for place, name in enumerate(chosen)}
        written.sort(key=lambda one: places[one.case])
    if not names:
        write_pictures(written, run.place, checks=checks)
    run.fail({one.case: one.reason for one in written if one.reason}, of=len(written))
    return len(written)
