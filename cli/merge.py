"""`lggshape merge`: the results of several jobs, put together."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = (
    "lggshape merge part1.csv part2.csv --out features.csv",
    "lggshape merge masks1/ masks2/ --out masks/",
)


def merge(
    parts: Annotated[
        list[Path],
        typer.Argument(help="The results of all shards, in any order.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Feature table (CSV) or folder of masks to write.", show_default=False),
    ],
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Put together what several jobs wrote, each with --shard of the same command.

    Takes feature tables (lggshape features --shard), or folders of masks (lggshape segment
    --shard). The result is the same as that of one job without --shard, but for its record.
    """
    from lggshape.commands import run_command
    from lggshape.names import counted
    from lggshape.shards import merge_masks, merge_tables

    are_tables = out.suffix.lower() == ".csv"
    with run_command(
        "merge", out=out, kind="file" if are_tables else "folder", inputs=parts,
        tables_of="features" if are_tables else "segment", overwrite=overwrite, quiet=quiet,
    ) as run:  # fmt: skip
        if are_tables:
            found = merge_tables(parts, run.place / out.name)
        else:
            found = merge_masks(parts, run.place)
        run.details["inputs_of_shards"] = [one.without_files().to_dict() for one in found.inputs]
        run.summary.append(f"Merged {counted(found.cases, 'case')} of {len(parts)} shards: {out}")
