"""Sentences and tables of a report as Markdown."""

import textwrap
from collections.abc import Iterable

from lggshape.report.blocks import Block, Drawing, Points, Table, Text

WIDTH = 120
"""Columns of a line of text."""


def to_markdown(blocks: Iterable[Block]) -> str:
    """Return blocks as Markdown: texts, points, tables and drawings.

    Examples
    --------
    >>> print(to_markdown([Text("Shape differs.", "lead"), Points(["by a little"])]))
    **Shape differs.**
    <BLANKLINE>
    - by a little
    """
    return "\n\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return _wrapped(f"**{block.text}**" if block.style == "lead" else block.text)
    if isinstance(block, Points):
        return "\n".join(_wrapped(item, first="- ", others="  ") for item in block.items)
    if isinstance(block, Drawing):
        return _wrapped(f"![{block.description}](figures/{block.name}.svg)")
    if isinstance(block, Table):
        source = f" (`{block.source}.csv`)" if block.source else ""
        caption = _wrapped(f"{block.caption.removesuffix('.')}{source}:") if block.caption else ""
        return "\n\n".join(part for part in (caption, _table(block)) if part)
    msg = f"Expected a text, points, a table or a drawing, found {type(block).__name__}."
    raise TypeError(msg)


def _table(table: Table) -> str:
    rows = [[column.title for column in table.columns], ["---"] * len(table.columns), *table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _wrapped(text: str, *, first: str = "", others: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
