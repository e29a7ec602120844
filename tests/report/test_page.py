import pytest
from markupsafe import Markup

from lggshape.report.blocks import (
    Block,
    Card,
    Column,
    Drawing,
    Facts,
    Flow,
    FlowStep,
    Heading,
    Points,
    Section,
    SideBySide,
    Table,
    Text,
    code,
    strong,
)
from lggshape.report.page import Page

NASTY = "<script>alert('x')</script>&\""
ESCAPED = str(Markup.escape(NASTY))


def html(*blocks: Block) -> str:
    return Page("A title", "a brand", [Section("one", "One", blocks)], "The end.").to_html()


@pytest.mark.parametrize(
    "block",
    [
        Text(NASTY),
        Text("see " + code(NASTY)),
        Text(strong(NASTY) + " " + NASTY, "lead"),
        Heading(NASTY),
        Points([NASTY]),
        Facts([(NASTY, NASTY)]),
        Flow([FlowStep(3, NASTY, NASTY)]),
        Drawing(NASTY, NASTY, "data:,"),
        Card(NASTY, NASTY, [Text(NASTY)]),
        SideBySide([Heading(NASTY)]),
        Table.of([NASTY], NASTY, NASTY, Column(NASTY, str), Column("a", str, "tag")),
    ],
    ids=lambda block: type(block).__name__,
)
def test_text_from_data_is_escaped_in_every_block_invariant(block: Block) -> None:
    page = html(block)
    assert ESCAPED in page
    assert "<script" not in page


def test_a_page_has_its_title_brand_contents_and_footer() -> None:
    sections = [Section("a", "Alpha", []), Section("b", "A long heading", [], "Beta")]
    page = Page(NASTY, "the brand", sections, "The end.").to_html()
    assert page.count(ESCAPED) == 2  # of the window, and the heading
    assert '<p class="brand">the brand</p>' in page
    assert '<a href="#a">Alpha</a>\n<a href="#b">Beta</a>' in page
    assert "<h2>A long heading</h2>" in page
    assert "<footer>The end.</footer>" in page


def test_a_table_shows_its_cells_by_what_they_hold() -> None:
    columns = Column("n", str), Column("verdict", str, "tag"), Column("why", str, "long")
    page = html(Table.of(["not tested"], "A caption.", "flow", *columns))
    assert "<caption>A caption. <code>flow.csv</code></caption>" in page
    assert '<th class="number">n</th><th class="tag">verdict</th>' in page
    assert '<span class="tag not-tested">not tested</span></td><td class="long">' in page
    assert "<caption>" not in html(Table.of([], "", "", *columns))
