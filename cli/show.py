"""`lggshape show`: figures of cases, or of a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli._console import progress


def show(
    dataset: Annotated[
        Path,
        typer.Argument(help="Cases: a folder, or a NIfTI file.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the figures.")],
    case: Annotated[
        list[str] | None,
        typer.Option(help="Case or patient to show; may be repeated. Default: the cohort."),
    ] = None,
    predicted: Annotated[
        Path | None, typer.Option(help="Predicted masks, as from `segment`, to show as well.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case, patient and perhaps site.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Number of processes. Default: all cores.", min=1)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Draw cases slice by slice, or a cohort as a whole.

    With --case: the slices with tumour and the outlines of the masks, and what the features are
    computed from. Without: volumes, locations and intensities of all cases, and cohort.csv. Figures
    are SVG and PNG. A case that cannot be shown is listed with the reason; then the exit status is
    1.
    """
    from lggshape import visualisation
    from lggshape.provenance import recorded
    from lggshape.results import results_folder

    cases = visualisation.find_cases(
        dataset, names=case or (), predicted=predicted, manifest=manifest
    )
    options = {"case": case or [], "predicted": predicted}
    inputs = [path for path in (dataset, predicted, manifest) if path is not None]
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="show", options=options, inputs=inputs) as record,
    ):
        with progress("drawing", len(cases), quiet=quiet) as advance:
            if case:
                failures = visualisation.write_cases(
                    cases,
                    place,
                    jobs=jobs,
                    on_progress=lambda progress: advance() if progress.done else None,
                )
            else:
                found = visualisation.survey(
                    cases,
                    jobs=jobs,
                    on_progress=lambda progress: advance() if progress.done else None,
                )
                failures = found.failures
                visualisation.write_cohort(found, place)
        record.details["cases"] = len(cases)
        record.details["failed"] = len(failures)
    if not quiet:
        typer.echo(f"Shown {len(cases) - len(failures)} of {len(cases)} cases: {out}")
    for name, reason in failures.items():
        typer.echo(f"{name}: {reason}", err=True)
    if failures:
        raise typer.Exit(1)
