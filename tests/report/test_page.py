import base64
import hashlib

import pytest
from markupsafe import Markup

from lggshape.report.blocks import (
    Block,
    Card,
    Column,
    Copyable,
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
    return Page("A title", "a brand", [Section("one", "One", blocks)]).to_html()


@pytest.mark.parametrize(
    "block",
    [
        Text(NASTY),
        Text("see " + code(NASTY)),
        Text(strong(NASTY) + " " + NASTY, "lead"),
        Heading(NASTY),
        Points([NASTY]),
        Facts([(NASTY, NASTY)]),
        Copyable(NASTY, NASTY),
        Flow([FlowStep(3, NASTY, NASTY)]),
        Drawing(NASTY, NASTY, Markup("<svg></svg>")),
        Card(NASTY, NASTY, [Text(NASTY)]),
        SideBySide([Heading(NASTY)]),
        Table.of([NASTY], NASTY, NASTY, Column(NASTY, str), Column("a", str, "tag")),
    ],
    ids=lambda block: type(block).__name__,
)
def test_text_from_data_is_escaped_in_every_block_invariant(block: Block) -> None:
    page = html(block)
    assert ESCAPED in page
    assert page.count("<script") == 1  # the page's own


def test_a_page_has_its_title_brand_contents_and_footer() -> None:
    sections = [Section("a", "Alpha", []), Section("b", "A long heading", [], "Beta")]
    facts, authors = [("Cohort", "8 patients")], ["A. One", "B. Two"]
    page = Page(NASTY, "the brand", sections, facts, authors, "The end.").to_html()
    assert page.count(ESCAPED) == 2  # of the window, and the heading
    assert "<dt>Cohort</dt><dd>8 patients</dd>" in page
    assert '<meta name="author" content="B. Two">' in page
    assert "A. One, B. Two" in page
    assert '<p class="brand">the brand</p>' in page
    assert '<li><a href="#a">Alpha</a></li>\n<li><a href="#b">Beta</a></li>' in page
    assert "<h2>A long heading</h2>" in page
    assert "<footer>The end.</footer>" in page


def test_a_table_shows_its_cells_by_what_they_hold() -> None:
    columns = Column("n", str), Column("verdict", str, "tag"), Column("why", str, "long")
    page = html(Table.of(["not tested"], "A caption.", "flow", *columns))
    assert 'A caption. <a href="flow.csv"><code>flow.csv</code></a>' in page
    assert '<th scope="col" class="number">n</th><th scope="col" class="tag">verdict</th>' in page
    assert '<span class="tag not-tested">not tested</span></td><td class="long">' in page
    assert "<caption" not in html(Table.of([], "", "", *columns))


def test_a_long_table_is_folded_and_sorted_by_its_numbers_and_the_library_comes_with_it() -> None:
    columns = Column("p", lambda row: f"{row:.2f} (0.10 to 0.20)"), Column("name", str, "text")
    short, long = (html(Table.of(range(n), "", "flow", *columns)) for n in (12, 13))
    assert "data-order" not in short
    assert 'id="tables-library"' not in short
    assert '<details class="table">' in long
    assert (
        '<td class="number" data-order="3.00" data-search="3.00">3.00 (0.10 to 0.20)</td>' in long
    )
    assert "DataTables" in long
    # Nothing in the text of the library ends or opens a script element.
    assert long.count("<script") == 2
    assert long.count("</script") == 2


def test_the_policy_allows_the_script_of_the_page_and_nothing_from_elsewhere() -> None:
    page = html(Text("a"))
    text = page[page.index('<script type="module">') + 22 : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    start = page.index('http-equiv="Content-Security-Policy"')
    policy = page[start : page.index(">", start)].replace("&#39;", "'")
    assert f"script-src 'sha256-{digest}' blob:;" in policy
    assert "default-src 'none'" in policy
    assert "http" not in policy.removeprefix("http-equiv")
