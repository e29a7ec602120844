"""`lggshape detect`: the slices with tumour, by networks that were trained for that alone."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape_cli._console import progress


def detect(
    images: Annotated[
        list[Path],
        typer.Argument(help="Cases with images: folders, or NIfTI files.", show_default=False),
    ],
    networks: Annotated[Path, typer.Option(help="Folder of a `train --task detection`.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case and patient, perhaps site.")
    ] = None,
    device: Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Where to compute.")] = (
        "auto"
    ),
    skip_seen: Annotated[
        bool,
        typer.Option(
            "--skip-seen", help="Leave out cases that every network was trained on; else they fail."
        ),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Tell which slices have tumour.

    Writes slices.csv: a row a slice with the calibrated probability of tumour, where `segment`
    writes that of its masks. A case that cannot be looked at has no row and its reason on stderr;
    then the exit status is 1, unless it was to be skipped.
    """
    from lggshape.files import write_table
    from lggshape.provenance import recorded
    from lggshape.readers import assign_patients, open_cases
    from lggshape.results import results_folder
    from lggshape.segmentation import detect_cases

    sources = [source for path in images for source in open_cases(path)]
    if manifest is not None:
        sources = assign_patients(sources, manifest)
    options = {"device": device, "skip_seen": skip_seen}
    inputs = [*images, networks, *([manifest] if manifest else [])]
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="detect", options=options, inputs=inputs) as record,
    ):
        with progress("detecting", len(sources), quiet=quiet) as advance:
            found = detect_cases(
                sources,
                networks,
                device=device,
                skip_seen=skip_seen,
                on_progress=lambda progress: advance() if progress.done else None,
            )
        write_table(place / "slices.csv", found.slices)
        record.details["cases"] = len(sources)
        record.details["failed"] = len(found.failures)
        record.details["skipped"] = len(found.skipped)
    if not quiet:
        cases = found.slices["case"].nunique()
        typer.echo(f"Looked at {len(found.slices)} slices of {cases} cases: {out / 'slices.csv'}")
    for case, reason in found.failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if found.failures:
        raise typer.Exit(1)
