"""`lggshape compare`: training runs side by side."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape_cli.train import _progress


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of training runs, two or more.", show_default=False),
    ],
    dataset: Annotated[Path, typer.Option(help="Cases with image and mask.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    reference: Annotated[
        str | None,
        typer.Option(help="The run that others are compared with. Default: the first."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns case and patient, perhaps site.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder for the masks. Default: beside the results.")
    ] = None,
    surface_tolerance: Annotated[
        float,
        typer.Option(help="Of the surface Dice, in mm; in pixels if the spacing is unknown."),
    ] = 1.0,
    device: Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="Where to compute.")] = (
        "auto"
    ),
    seed: Annotated[int, typer.Option(help="Of bootstrap and permutations.", min=0)] = 0,
    jobs: Annotated[
        int | None, typer.Option(help="Processes that score masks. Default: all cores.", min=1)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the masks that an earlier call has made.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the results of an earlier call.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary.")] = False,
) -> None:
    """Compare training runs on the patients that their networks have not seen.

    Each run segments (or detects tumour in the slices of) the patients that it held out. Writes
    runs.csv (size, cost, Dice, HD95, surface Dice, slice detection), differences.csv (from the
    reference, paired by patient, corrected), cases.csv, history.csv, epochs.csv (until as
    good as the reference), figures and run.json. Another run is added by the same call with it and
    --resume --overwrite.
    """
    from lggshape.comparison import compare_runs, write_figures
    from lggshape.files import write_table
    from lggshape.provenance import recorded
    from lggshape.results import results_folder

    work = work or out.absolute().with_name(f"{out.absolute().name}.work")
    options = {
        "reference": reference, "surface_tolerance": surface_tolerance, "device": device,
        "seed": seed,
    }  # fmt: skip
    inputs = [dataset, *runs, *([manifest] if manifest else [])]
    with (
        results_folder(out, overwrite=overwrite) as place,
        recorded(place / "run.json", command="compare", options=options, inputs=inputs) as record,
    ):
        with _progress(quiet=quiet) as on_progress:
            found = compare_runs(
                runs,
                dataset,
                work,
                reference=reference,
                manifest=manifest,
                device=device,
                surface_tolerance=surface_tolerance,
                seed=seed,
                jobs=jobs,
                resume=resume,
                overwrite=overwrite and not resume,
                on_progress=on_progress,
            )
        for name, table in found.tables().items():
            write_table(place / f"{name}.csv", table)
        write_figures(found, place / "figures")
        record.details["failed"] = len(found.failures)
    if not quiet:
        typer.echo(found.summary_text())
        typer.echo(f"Results: {out / 'runs.csv'}")
    for case, reason in found.failures.items():
        typer.echo(f"{case}: {reason}", err=True)
    if found.failures:
        raise typer.Exit(1)
