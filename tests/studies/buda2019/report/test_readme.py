"""The parts of a README that are made from tables."""

import pytest

from lggshape.errors import InputError
from lggshape.report.blocks import Column, Drawing, Heading, Table, Text
from lggshape.studies.buda2019.report.markdown import to_markdown
from lggshape.studies.buda2019.report.readme import fill


def test_a_table_with_its_caption_and_source_analytic() -> None:
    table = Table.of(
        [("a", 1), ("b", 2)], "Counts.", "flow",
        Column("which", lambda row: row[0], "text"), Column("n", lambda row: str(row[1])),
    )  # fmt: skip
    assert to_markdown([Text("Said."), table]) == (
        "Said.\n\nCounts (`flow.csv`):\n\n| which | n |\n| --- | --- |\n| a | 1 |\n| b | 2 |"
    )


def test_a_drawing_is_described_analytic() -> None:
    assert to_markdown([Drawing("evidence", "What it shows", "")]) == (
        "![What it shows](figures/evidence.svg)"
    )


def test_a_block_that_markdown_has_not_is_refused() -> None:
    with pytest.raises(TypeError, match="found Heading"):
        to_markdown([Heading("Title")])


def test_text_around_the_parts_stays_and_filling_twice_is_filling_once_invariant() -> None:
    text = "Before.\n<!-- a -->\n<!-- end of a -->\nAfter."
    once = fill(text, {"a": "made"})
    assert once == "Before.\n<!-- a -->\n\nmade\n\n<!-- end of a -->\nAfter."
    assert fill(once, {"a": "made", "b": "unused"}) == once


@pytest.mark.parametrize("text", ["<!-- b -->\n<!-- end of b -->", "<!-- a -->\nopen"])
def test_a_mark_without_a_part_or_an_end_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Expected a part among a"):
        fill(text, {"a": "made"})
