"""The option of the commands that can process a share of the cases."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lggshape_cli._options import RUNNING

if TYPE_CHECKING:
    from lggshape.commands import Run
    from lggshape.readers import CaseSource

ShareOfCases = Annotated[
    str,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Process only the K-th of N shares of the cases. `lggshape merge` combines the "
        "results.",
        rich_help_panel=RUNNING,
    ),
]


def of_shard(shard: str) -> dict[str, str]:
    """Return the entry of a shard in the record; empty if none is given."""
    return {"shard": shard} if shard else {}


def sharded(run: "Run", cases: "Sequence[CaseSource]", shard: str) -> "Sequence[CaseSource]":
    """Return the cases of a shard, and hash their files; all cases if no shard is given."""
    from lggshape.shards import Shard, of_others

    if not shard:
        return cases
    own = Shard.parse(shard).take(cases)
    run.hash_inputs(of_others(own, cases))
    return own
