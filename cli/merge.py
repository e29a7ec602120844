"""`lggshape merge`: the results of several jobs, combined."""

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
        typer.Option(help="Feature table (.csv) or folder of masks to write.", show_default=False),
    ],
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Combine the results of several jobs that ran with --shard.

    The results are feature tables (from lggshape features) or folders of masks (from lggshape
    segment). All jobs must have had the same options and inputs. Except for its record, the merged
    result is the same as that of one job without --shard.
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
        shards = counted(len(parts), "shard")
        run.summary.append(f"Merged {counted(found.cases, 'case')} of {shards}: {out}")
