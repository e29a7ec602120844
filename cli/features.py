"""`lggshape features`: measure the shape of masks."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape_cli._console import progress


def features(
    masks: Annotated[
        list[Path],
        typer.Argument(help="Cases with masks: folders, or NIfTI files.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Feature table (CSV) to write.")],
    kind: Annotated[
        str | None,
        typer.Option(
            "--masks",
            help="Where the masks come from: manual, automatic, ... Default: automatic for what "
            "`segment` wrote, else manual.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case and patient.")
    ] = None,
    spacing: Annotated[
        tuple[float, float, float] | None,
        typer.Option(
            metavar="Z Y X",
            help="Distances between voxel centres in mm, in place of what the files tell.",
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Number of processes. Default: all cores.", min=1)
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, to work there instead.")
    ] = None,
    component: Annotated[
        Literal["largest", "all"], typer.Option(help="The 6-connected component to measure.")
    ] = "largest",
    points: Annotated[
        Literal["corners", "centres"],
        typer.Option(help="What of the voxels the bounding ellipsoid encloses."),
    ] = "corners",
    slices: Annotated[
        Literal["largest", "all"],
        typer.Option(help="Measure 2D features in the slice of the largest area, or average all."),
    ] = "largest",
    bin_offset: Annotated[
        float, typer.Option(help="Where the first angular bin starts, in degrees from -180.")
    ] = 0.0,
    window: Annotated[
        Literal["round", "up", "down", "odd"],
        typer.Option(help="How a tenth of the contour becomes the window of margin fluctuation."),
    ] = "round",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the table of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Measure the shape of masks: a table with a row a case.

    Writes the table and, beside it, how it was made (.run.json). A case that cannot be read has a
    row with the reason; then the exit status is 1.
    """
    from lggshape.files import write_table
    from lggshape.provenance import recorded
    from lggshape.readers import assign_patients, open_cases
    from lggshape.results import record_beside, results_file
    from lggshape.shape import Conventions, feature_table

    conventions = Conventions(
        component=component, points=points, slices=slices, bin_offset=bin_offset, window=window
    )
    sources = [source for path in masks for source in open_cases(path, masks_only=True)]
    kind = _kind_of(masks) if kind is None else kind
    if manifest is not None:
        sources = assign_patients(sources, manifest)
    options = {"masks": kind, "spacing": spacing, **vars(conventions)}
    inputs = [*masks, *([manifest] if manifest else [])]
    with (
        results_file(out, overwrite=overwrite, inputs=inputs) as place,
        recorded(
            place / record_beside(out), command="features", options=options, inputs=inputs
        ) as record,
    ):
        with progress("measuring", len(sources), quiet=quiet) as advance:
            measured = feature_table(
                sources,
                masks=kind,
                spacing=spacing,
                conventions=conventions,
                jobs=jobs,
                scheduler=scheduler,
                on_progress=lambda progress: advance() if progress.done else None,
            )
        write_table(place / out.name, measured.table)
        record.details["cases"] = len(sources)
        record.details["failed"] = len(measured.failures)
    if not quiet:
        typer.echo(
            f"Measured {len(sources) - len(measured.failures)} of {len(sources)} cases: {out}"
        )
    for case, reason in measured.failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if measured.failures:
        raise typer.Exit(1)


def _kind_of(masks: list[Path]) -> str:
    """Say where masks come from by what lies beside them."""
    from lggshape.errors import InputError
    from lggshape.readers.segmented import SEGMENTATION

    kinds = {"automatic" if (path / SEGMENTATION).is_file() else "manual" for path in masks}
    if len(kinds) > 1:
        msg = (
            "Expected masks of one kind, found some that `segment` wrote and others. --masks says "
            "what to call them all."
        )
        raise InputError(msg)
    return kinds.pop()
