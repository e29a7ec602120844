"""`lggshape inspect`: which file belongs to which case, and what it shows."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = (
    "lggshape inspect cases/",
    "lggshape inspect cases/ --write manifest.csv",
    "lggshape inspect cases/ --pattern '{patient}/{session}/{role}.nii.gz'",
)


def inspect(
    dataset: Annotated[
        list[Path],
        typer.Argument(help="Cases: folders, files or a manifest.", show_default=False),
    ],
    write: Annotated[
        Path | None,
        typer.Option(
            help="Write a manifest to this new CSV file. Commands that read cases accept it as "
            "--manifest."
        ),
    ] = None,
    masks_only: Annotated[
        bool,
        typer.Option(
            "--masks-only",
            help="Read the folder as `features` does: if no file name says what the file shows, "
            "all files are masks.",
        ),
    ] = False,
    manifest: o.Manifest = None,
    patient_from: o.PatientFrom = "hash",
    pattern: o.Pattern = "",
    sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    debug: o.Debug = False,
) -> None:
    """Show which file belongs to which case, what each shows, and which are not used.

    Reads names and headers, not voxels. Counts the files by what they show, shape, spacing and
    plane; the slices of a volume count as one file. If there are at most 40 files, also lists them
    one by one. With --write, writes a manifest with a row per case, in which you can edit patients,
    sessions and files, and add columns of your own.
    """
    import json

    from lggshape.inspection import inspect as inspect_files

    found = inspect_files(
        dataset,
        masks_only=masks_only,
        **o.reading(manifest, pattern, sequences, patient_from, spacing),
        relative_to=None if write is None else write.parent,
    )
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        typer.echo(found.summary())
    if write is not None:
        found.write_manifest(write)
        if not as_json:
            typer.echo(f"Manifest: {write}")
            place = write.parent.resolve()
            if not all(one.resolve().is_relative_to(place) for one in dataset):
                typer.echo(
                    "Its paths are relative to the data: name the data as well as --manifest "
                    "in other commands."
                )
