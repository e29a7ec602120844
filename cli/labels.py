"""`lggshape labels`: a table of labels from a published supplement."""

from pathlib import Path
from typing import Annotated

import typer

from lggshape_cli import _options as o

EXAMPLES = ("lggshape labels idh --from supplement.xlsx --out idh.csv",)


def labels(
    which: Annotated[str, typer.Argument(help="Labels to take from it: idh.", show_default=False)],
    supplement: Annotated[
        Path,
        typer.Option("--from", help="The workbook, as it was downloaded.", show_default=False),
    ],
    out: Annotated[Path, typer.Option(help="Label table (CSV) to write.", show_default=False)],
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Make a table of labels from the supplement of a publication, as it is downloaded.

    idh: IDH and 1p/19q status of the patients of the public data set. docs/replication.md says
    which table to download. Writes a row per patient and, beside the table, a record of how it was
    made (.run.json).
    """
    from lggshape.commands import run_command
    from lggshape.files import write_table
    from lggshape.labels.supplements import read_supplement
    from lggshape.names import counted

    with run_command(
        "labels", out=out, kind="file", inputs=[supplement], overwrite=overwrite, quiet=quiet,
        options={"labels": which},
    ) as run:  # fmt: skip
        table = read_supplement(supplement, which)
        write_table(run.place / out.name, table)
        run.summary.append(f"Labels of {counted(len(table), 'patient')}: {out}")
