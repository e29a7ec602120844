"""`lggshape segment`: masks of cases by trained networks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lggshape_cli._console import progress

if TYPE_CHECKING:
    from lggshape.segmentation import Map


def segment(
    images: Annotated[
        list[Path],
        typer.Argument(help="Cases with images: folders, or NIfTI files.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the masks.")],
    networks: Annotated[
        Path | None,
        typer.Option(help="Folder of a training run. Default: the networks that ship."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case and patient, perhaps site.")
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write the calibrated probability too.")
    ] = False,
    uncertainty: Annotated[
        bool,
        typer.Option(
            "--uncertainty", help="Write the spread over networks and flips, and the entropy, too."
        ),
    ] = False,
    flips: Annotated[bool, typer.Option(help="Average over a slice and its mirror image.")] = True,
    device: Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Where to compute.")] = (
        "auto"
    ),
    skip_seen: Annotated[
        bool,
        typer.Option(
            "--skip-seen", help="Leave out cases that every network was trained on; else they fail."
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what an earlier run of the same settings did.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Segment cases: masks in the layout and geometry of the images.

    Writes the masks, segmentation.csv (a row a case) and slices.csv (a row a slice). A patient that
    networks were trained on is segmented by the others alone. A case that cannot be segmented has a
    row with the reason; then the exit status is 1, unless it was to be skipped.
    """
    from lggshape.provenance import recorded
    from lggshape.readers import assign_patients, open_cases
    from lggshape.segmentation import SHIPPED, segment_cases

    sources = [source for path in images for source in open_cases(path)]
    if manifest is not None:
        sources = assign_patients(sources, manifest)
    maps: list[Map] = [
        *(["probability"] if probabilities else []),
        *(["uncertainty", "entropy"] if uncertainty else []),
    ]
    options = {"flips": flips, "maps": maps, "device": device, "skip_seen": skip_seen}
    networks = networks or SHIPPED
    inputs = [*images, networks, *([manifest] if manifest else [])]
    with recorded(
        out / "run.json", command="segment", options=options, inputs=inputs, in_place=True
    ) as record:
        with progress("segmenting", len(sources), quiet=quiet) as advance:
            result = segment_cases(
                sources,
                out,
                networks=networks,
                maps=maps,
                flips=flips,
                device=device,
                skip_seen=skip_seen,
                resume=resume,
                overwrite=overwrite,
                on_progress=lambda progress: advance() if progress.done else None,
            )
        record.details["outputs"] = list(result.files)
        record.details["cases"] = len(sources)
        record.details["failed"] = len(result.failures)
        record.details["skipped"] = len(result.skipped)
    if not quiet:
        empty = int((result.table["status"] == "empty").sum())
        segmented = len(sources) - len(result.failures) - len(result.skipped)
        typer.echo(
            f"Segmented {segmented} of {len(sources)} cases "
            f"({empty} without tumour, {len(result.skipped)} skipped): {out}"
        )
    for case, reason in result.failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if result.failures:
        raise typer.Exit(1)
