"""`lggshape features`: measure the shape of masks."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lggshape_cli import _options as o
from lggshape_cli._shards import ShareOfCases, of_shard, sharded

EXAMPLES = (
    "lggshape features cases/ --out features.csv",
    "lggshape features masks/ --out features.csv --masks automatic --spacing 5 1 1",
    "lggshape features masks/ --out features.csv --regions brats",
)
_DEFINITIONS = "What the definitions leave open"

Kind = Annotated[
    str | None,
    typer.Option(
        "--masks",
        help="Where the masks come from: manual, automatic or another word. Default: automatic for "
        "what `segment` wrote, else manual.",
    ),
]
Lesions = Annotated[
    bool,
    typer.Option(
        "--lesions",
        help="Measure each lesion (26-connected component) separately: a row per lesion.",
    ),
]
Component = Annotated[
    Literal["largest", "all"],
    typer.Option(
        help="Measure the largest 6-connected component, or the whole mask.",
        rich_help_panel=_DEFINITIONS,
    ),
]
Points = Annotated[
    Literal["corners", "centres"],
    typer.Option(
        help="Points of each voxel that the ellipsoid of the BEVR encloses.",
        rich_help_panel=_DEFINITIONS,
    ),
]
Slices = Annotated[
    Literal["largest", "all"],
    typer.Option(
        help="Measure 2D features in the slice with the largest area, or average over all slices.",
        rich_help_panel=_DEFINITIONS,
    ),
]
BinOffset = Annotated[
    float,
    typer.Option(
        help="Start of the first angular bin of the ASD, in degrees counted from -180.",
        rich_help_panel=_DEFINITIONS,
    ),
]
Window = Annotated[
    Literal["round", "up", "down", "odd"],
    typer.Option(
        help="How to round the window of the MF, which is a tenth of the contour's points.",
        rich_help_panel=_DEFINITIONS,
    ),
]


def features(
    context: typer.Context,
    masks: Annotated[
        list[Path],
        typer.Argument(help="Cases with masks: folders or files.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Feature table (CSV) to write.", show_default=False)],
    kind: Kind = None,
    manifest: o.Manifest = None,
    patient_from: o.PatientFrom = "hash",
    pattern: o.Pattern = "",
    sequences: o.Sequences = "",
    spacing: o.Spacing = None,
    mask_values: o.MaskValues = None,
    regions: o.Regions = None,
    threshold: o.Threshold = None,
    resample_masks: o.ResampleMasks = False,
    lesions: Lesions = False,
    component: Component = "largest",
    points: Points = "corners",
    slices: Slices = "largest",
    bin_offset: BinOffset = 0.0,
    window: Window = "round",
    jobs: o.Jobs = None,
    scheduler: o.Scheduler = None,
    shard: ShareOfCases = "",
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Measure the shape of masks: a table with one row per case, or per case and region.

    Writes the table and, beside it, a record of how it was made (.run.json). If a case cannot be
    read, its row has the reason and the exit status is 1.
    """
    from lggshape.commands import run_command
    from lggshape.files import write_table
    from lggshape.readers import open_cases
    from lggshape.shape import Conventions, feature_table

    o.refuse_unused(context, component=(lesions, "with --lesions"))
    meaning = o.mask_meaning(mask_values, regions, threshold) | {"resample_masks": resample_masks}
    conventions = Conventions(
        component=component, points=points, slices=slices, bin_offset=bin_offset, window=window
    )
    with run_command(
        "features", out=out, kind="file", inputs=[*masks, manifest, o.region_file(regions)],
        hash_later=bool(shard), overwrite=overwrite, quiet=quiet, scheduler=scheduler,
        options={"masks": kind, **meaning, "lesions": lesions, "spacing": spacing}
        | vars(conventions) | {"pattern": pattern, "sequences": sequences} | of_shard(shard),
    ) as run:  # fmt: skip
        reading = o.reading(manifest, pattern, sequences, patient_from, spacing) | meaning
        sources = sharded(run, open_cases(masks, masks_only=True, **reading), shard)
        measured = feature_table(
            sources, masks=kind, conventions=conventions, lesions=lesions,
            jobs=jobs, on_progress=run.on_progress,
        )  # fmt: skip
        run.options["masks"] = str(measured.table["masks"].iloc[0])
        write_table(run.place / out.name, measured.table)
        run.fail(measured.failures, of=(count := len(sources)))
        run.summary.append(f"Measured {count - len(measured.failures)} of {count} cases: {out}")
