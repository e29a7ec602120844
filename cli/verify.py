"""`lggshape verify`: is a data set whole?"""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli._console import progress


def verify(
    dataset: Annotated[
        Path, typer.Argument(help="A folder of cases, or a NIfTI file.", show_default=False)
    ],
    labels: Annotated[
        list[Path] | None, typer.Option(help="Label table (CSV); may be given several times.")
    ] = None,
    patient_column: Annotated[
        str | None, typer.Option(help="Patient column of the label tables. Default: Patient.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case and patient.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Number of processes. Default: all cores.", min=1)
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, to work there instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Check that a data set is whole, and that its cases and labels fit together.

    Pairs, numbering, shapes and types of the files; masks with two values; missing sequences; empty
    or parted masks; patients without a label. The exit status is 1 if a case cannot be used;
    warnings do not change it.
    """
    import json

    from lggshape.readers import assign_patients, open_cases
    from lggshape.verification import verify as verify_cases

    sources = open_cases(dataset)
    if manifest is not None:
        sources = assign_patients(sources, manifest)
    with progress("verifying", len(sources), quiet=quiet) as advance:
        found = verify_cases(
            sources,
            labels=labels or [],
            patient_column=patient_column,
            jobs=jobs,
            scheduler=scheduler,
            on_progress=lambda progress: advance() if progress.done else None,
        )
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    elif not quiet:
        typer.echo(found.summary())
    for case, reason in found.failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if found.failures:
        raise typer.Exit(1)
