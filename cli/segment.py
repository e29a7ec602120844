"""`lggshape segment`: masks of cases by trained networks."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lggshape_cli import _options as o
from lggshape_cli._shards import ShareOfCases, of_shard, sharded

if TYPE_CHECKING:
    from lggshape.segmentation import Effort, Map, SegmentationTable

EXAMPLES = (
    "lggshape segment images/ --out masks/",
    "lggshape segment images/ --out masks/ --networks run/ --probabilities --resume",
)


Write = Annotated[
    Literal["layout", "dicom-seg", "seg.nrrd"],
    typer.Option(
        metavar="FORMAT",
        help="Format of the masks: layout (that of the images; for DICOM, dicom-seg), dicom-seg, "
        "or seg.nrrd for 3D Slicer.",
        rich_help_panel=o.WRITING,
    ),
]
Probabilities = Annotated[
    bool,
    typer.Option(
        "--probabilities",
        help="Also write maps of calibrated probabilities.",
        rich_help_panel=o.WRITING,
    ),
]
Uncertainty = Annotated[
    bool,
    typer.Option(
        "--uncertainty",
        help="Also write maps of uncertainty: the standard deviation over networks and mirror "
        "images, and the entropy.",
        rich_help_panel=o.WRITING,
    ),
]

Fast = Annotated[
    bool,
    typer.Option(
        "--fast",
        help="Faster: use at most two networks, and no mirror images of the slices.",
        rich_help_panel=o.NETWORKS,
    ),
]
Thorough = Annotated[
    bool,
    typer.Option(
        "--thorough",
        help="Slower: use all networks on all slices, not only on slices in which some network "
        "finds tumour.",
        rich_help_panel=o.NETWORKS,
    ),
]


def segment(
    images: Annotated[
        list[Path],
        typer.Argument(help="Cases with images: folders or files.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the masks.", show_default=False)],
    networks: o.Networks = None,
    manifest: o.Manifest = None,
    pattern: o.Pattern = "",
    sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    register: o.Register = False,
    patient_from: o.PatientFrom = "hash",
    with_table: o.PatientTable = False,
    write: Write = "layout",
    probabilities: Probabilities = False,
    uncertainty: Uncertainty = False,
    fast: Fast = False,
    thorough: Thorough = False,
    skip_seen: o.SkipSeen = False,
    device: o.Device = "auto",
    scheduler: o.Scheduler = None,
    shard: ShareOfCases = "",
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Outline the tumours of cases. The masks have the layout and geometry of the images.

    Writes the masks, segmentation.csv (one row per case) and slices.csv (one row per slice). If a
    patient from the training data is recognised, only networks that were not trained on that
    patient are used (docs/training.md has the limits). If a case cannot be segmented, its row has
    the reason, and the exit status is 1.
    """
    from lggshape.commands import run_command
    from lggshape.readers import open_cases
    from lggshape.readers.dicom_patients import patient_table, write_patient_table
    from lggshape.segmentation import SHIPPED, segment_cases

    networks = networks or SHIPPED
    effort = _effort(fast=fast, thorough=thorough)
    maps: list[Map] = [
        *(["probability"] if probabilities else []),
        *(["uncertainty", "entropy"] if uncertainty else []),
    ]
    with run_command(
        "segment", out=out, kind="in place", inputs=[*images, networks, manifest],
        hash_later=bool(shard), quiet=quiet, scheduler=scheduler,
        options={"effort": effort, "maps": maps, "device": device, "skip_seen": skip_seen,
                 "write": write, "register": register, "pattern": pattern, "sequences": sequences,
                 "spacing": spacing} | of_shard(shard),
    ) as run:  # fmt: skip
        reading = o.reading(manifest, pattern, sequences, patient_from, spacing)
        sources = sharded(run, open_cases(images, register=register, **reading), shard)
        private = patient_table(sources) if with_table else None
        found = segment_cases(
            sources, out, networks=networks, maps=maps, effort=effort, device=device, write=write,
            skip_seen=skip_seen, resume=resume, overwrite=overwrite,
            on_progress=run.on_progress,
        )  # fmt: skip
        run.fail(found.failures, of=len(sources))
        files = list(found.files)
        if private is not None:
            files.append(write_patient_table(out, private))
        run.details |= {"outputs": files, "skipped": len(found.skipped)}
        run.summary += [f"Segmented {_counted(found)}: {out}", *_to_look_at(found, images, out)]


def _counted(found: "SegmentationTable") -> str:
    """Return how many cases were segmented, and what happened to the others."""
    cases, failed, skipped = len(found.table), len(found.failures), len(found.skipped)
    status, checks = (found.table[name].value_counts() for name in ("status", "check"))
    kept = f", {status['corrected']} corrected and kept" if "corrected" in status else ""
    empty = f"{status.get('empty', 0)} without tumour"
    doubtful = f", {checks['doubtful']} doubtful" if "doubtful" in checks else ""
    parts = f"{empty}, {skipped} skipped{kept}{doubtful}"
    return f"{cases - failed - skipped} of {cases} cases ({parts})"


def _to_look_at(found: "SegmentationTable", images: list[Path], out: Path) -> list[str]:
    """Return which masks somebody should look at, and how to draw them; empty if none."""
    from lggshape.names import first_few

    by_check = found.table.groupby("check")["case"].apply(list)
    names = [name for check in ("doubtful", "look") for name in by_check.get(check, [])]
    if not names:
        return []
    shown = shlex.quote(str(images[0])) if len(images) == 1 else "FOLDER"
    return [
        f"Masks to look at: {first_few(names, 10)}. check_reason in segmentation.csv says why. To "
        f"draw them: lggshape show {shown} --predicted {shlex.quote(str(out))} "
        f"--worst {len(names)} --out figures"
    ]


def _effort(*, fast: bool, thorough: bool) -> "Effort":
    from lggshape.errors import InputError

    if fast and thorough:
        msg = "Expected --fast or --thorough, found both. Leave one out."
        raise InputError(msg)
    return "fast" if fast else "thorough" if thorough else "usual"
