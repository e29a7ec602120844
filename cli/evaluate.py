"""`lggshape evaluate`: compare predicted masks with references."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli._console import progress


def evaluate(
    predicted: Annotated[
        Path,
        typer.Argument(help="Predicted masks, as from `segment`: a folder, or a NIfTI file."),
    ],
    reference: Annotated[
        Path,
        typer.Argument(help="Reference masks, of cases of the same names; images may lie beside."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Label table (CSV, one row a patient), to group by; may be repeated."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Label of the tables to group by; may be repeated."),
    ] = None,
    patient_column: Annotated[
        str | None, typer.Option(help="Patient column of the label tables. Default: Patient.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case, patient and perhaps site.")
    ] = None,
    surface_tolerance: Annotated[
        float,
        typer.Option(help="Of the surface Dice, in mm; in pixels if the spacing is unknown."),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="For bootstrap intervals.", min=0)] = 0,
    jobs: Annotated[
        int | None, typer.Option(help="Number of processes. Default: all cores.", min=1)
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, to work there instead.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Compare predicted masks with references.

    Dice, IoU, precision, recall, HD95, surface Dice and volume error of every case, over all and by
    group; detection of the slices with tumour. Writes scores.csv, summary.csv, groups.csv,
    detection.csv, slices.csv, evaluation.json, figures and run.json. A case that cannot be compared
    has a row with the reason; then the exit status is 1.
    """
    from lggshape import evaluation
    from lggshape.evaluation.drawing import write_figures
    from lggshape.files import write_json, write_table
    from lggshape.labels import read_labels
    from lggshape.provenance import recorded
    from lggshape.results import results_folder

    known = read_labels(labels, patient_column=patient_column) if labels else None
    options = {
        "surface_tolerance": surface_tolerance, "by": by or [], "patient_column": patient_column,
        "seed": seed,
    }  # fmt: skip
    inputs = [predicted, reference, *(labels or []), *([manifest] if manifest else [])]
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="evaluate", options=options, inputs=inputs) as record,
    ):
        with progress("evaluating", None, quiet=quiet) as advance:
            found = evaluation.evaluate(
                predicted,
                reference,
                manifest=manifest,
                labels=known,
                by=by or (),
                surface_tolerance=surface_tolerance,
                seed=seed,
                jobs=jobs,
                scheduler=scheduler,
                on_progress=lambda progress: advance() if progress.done else None,
            )
        for name, table in found.tables().items():
            write_table(place / f"{name}.csv", table)
        write_json(place / "evaluation.json", found.to_dict())
        write_figures(found, place / "figures")
        record.details["cases"] = len(found.scores)
        record.details["failed"] = len(found.failures)
    if not quiet:
        typer.echo(found.summary_text())
        typer.echo(f"Results: {out / 'scores.csv'}")
    if found.without_prediction:
        names = ", ".join(found.without_prediction)
        typer.echo(f"Not evaluated, as there is no prediction: {names}", err=True)
    for case, reason in found.failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if found.failures:
        raise typer.Exit(1)
