"""`lggshape detect`: the slices with tumour, by networks that were trained for that alone."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape detect images/ --networks run/ --out slices/",)


def detect(
    images: Annotated[
        list[Path],
        typer.Argument(help="Cases with images: folders or files.", show_default=False),
    ],
    networks: Annotated[
        Path,
        typer.Option(help="Folder of a training run with --task detection.", show_default=False),
    ],
    out: o.OutFolder,
    manifest: o.Manifest = None,
    patient_from: o.PatientFrom = "hash",
    pattern: o.Pattern = "",
    sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    register: o.Register = False,
    skip_seen: o.SkipSeen = False,
    device: o.Device = "auto",
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Find the slices that contain tumour.

    Writes slices.csv: one row per slice, with the calibrated probability of tumour. If a case
    cannot be examined, it has no rows, the reason is printed and the exit status is 1.
    """
    from lggshape.commands import run_command
    from lggshape.readers import open_cases
    from lggshape.segmentation import detect_cases

    with run_command(
        "detect", out=out, inputs=[*images, networks, manifest], overwrite=overwrite, quiet=quiet,
        options={
            "device": device, "skip_seen": skip_seen, "register": register, "pattern": pattern,
            "sequences": sequences, "spacing": spacing,
        },
    ) as run:  # fmt: skip
        reading = o.reading(manifest, pattern, sequences, patient_from, spacing)
        sources = open_cases(images, register=register, **reading)
        found = detect_cases(
            sources,
            networks,
            device=device,
            skip_seen=skip_seen,
            on_progress=run.on_progress,
        )
        run.write_tables({"slices": found.slices})
        run.fail(found.failures, of=len(sources))
        run.details["skipped"] = len(found.skipped)
        cases = found.slices["case"].nunique()
        run.summary.append(
            f"Examined {len(found.slices)} slices of {cases} cases: {out / 'slices.csv'}"
        )
