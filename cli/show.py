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
    "lggshape show cases/ --out figures/ --format pdf --width 180",
)


def show(
    context: typer.Context,
    dataset: Annotated[Path, typer.Argument(help="Cases: a folder or a file.", show_default=False)],
    out: o.OutFolder,
    case: Annotated[
        list[str] | None,
        typer.Option(
            help="Case or patient to show. Repeat the option to show more. Default: the cohort."
        ),
    ] = None,
    predicted: Annotated[
        Path | None, typer.Option(help="Predicted masks, as from `segment`, to show as well.")
    ] = None,
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
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Draw cases slice by slice, or a cohort as a whole.

    With --case, draws the slices with tumour, the outlines of the masks or of their regions, and
    how the features of the whole mask are computed. Without it, draws the volumes, locations and
    intensities of all cases, and writes cohort.csv. Figures are SVG and PNG. If a case cannot be
    shown, the reason is printed and the exit status is 1. The regions are those of the predicted
    masks too, if they have any; with --predicted, --threshold is for these masks.
    """
    from lggshape.commands import run_command
    from lggshape.readers import open_cases
    from lggshape.readers.predicted import MaskMeaning, open_predicted

    journal = o.journal_of(context, format, dpi, width)
    meaning = o.mask_meaning(mask_values, regions, threshold)
    reading = o.reading(manifest, pattern, sequences, patient_from, spacing) | meaning
    reading |= {"register": register, "resample_masks": resample_masks}
    if predicted is not None:
        reading["threshold"] = None
    with run_command(
        "show", out=out, inputs=[dataset, predicted, manifest, o.region_file(regions)],
        overwrite=overwrite, quiet=quiet,
        options={"case": case or [], "predicted": predicted, "pattern": pattern,
                 "sequences": sequences, "spacing": spacing, **meaning, "register": register,
                 "resample_masks": resample_masks, **(journal._asdict() if journal else {})},
    ) as run:  # fmt: skip
        sources = open_cases(dataset, **reading)
        masks = None if predicted is None else open_predicted(predicted, MaskMeaning(**meaning))
        shown = {"predicted": masks, "jobs": jobs, "on_progress": run.on_progress}
        failures, total = _draw(run, sources, case, journal, **shown)
        run.fail(failures, of=total)
        run.summary.append(f"Shown {total - len(failures)} of {total} cases: {out}")


def _draw(
    run: "Run", sources: "Sequence[CaseSource]", names: list[str] | None,
    journal: "Journal | None", **shown: Any,
) -> tuple[dict[str, str], int]:  # fmt: skip
    """Draw cases, or the cohort if there are no names; return what failed, and of how many."""
    from lggshape import visualisation

    if not names:
        found = visualisation.survey(sources, **shown)
        visualisation.write_cohort_figures(found, run.place, journal=journal)
        return found.failures, len(found.table)
    reasons = visualisation.write_case_figures(
        sources, run.place, names=names, journal=journal, **shown
    )
    return {name: reason for name, reason in reasons.items() if reason}, len(reasons)
