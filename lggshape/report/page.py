"""The page of a report: what it is made of, and the template that every report uses."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from importlib.metadata import version
from itertools import count
from pathlib import Path

import jinja2
from markupsafe import Markup

from lggshape.files import without_folders, write_text
from lggshape.report import library, wording
from lggshape.report.blocks import Block, Section

MOST_ROWS = 12
"""Longer tables are folded, and can be sorted and filtered."""


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes
    ----------
    title : str
        Its heading.
    brand : str
        The line above the heading: which kind of report this is.
    sections : sequence of Section
        What is in it; the contents are made from them.
    facts : sequence of (str, str)
        What stands below the heading, such as the cohort and the date, by name.
    authors : sequence of str
        Who wrote it.
    footer : str
        The last line.
    """

    title: str
    brand: str
    sections: Sequence[Section]
    facts: Sequence[tuple[str, str]] = ()
    authors: Sequence[str] = ()
    footer: str = "Made by lggshape. For research use only; not for diagnosis or treatment."

    def to_html(self) -> str:
        """Return the HTML of the page, which stands alone: styles, scripts and figures are in it.

        A browser runs no script but the one of the page and the library that lies in it, and loads
        nothing: the content security policy forbids all else.
        """
        script = (resources.files(__package__) / "templates" / "page.js").read_text("utf-8")
        return _environment().get_template("base.html.jinja").render(
            page=self,
            script=Markup(script),
            policy=_policy(script),
            library=library,
            number=count(1).__next__,
            MOST_ROWS=MOST_ROWS,
        )  # fmt: skip


def made_by() -> list[tuple[str, str]]:
    """Return when and by which version a page is made."""
    return [
        ("Date", date.today().isoformat()),
        ("Made by", f"lggshape {version('lggshape')}"),
    ]


def write_page(page: Page, path: Path) -> None:
    """Write a page as HTML, whole or not at all."""
    write_text(path, without_folders(page.to_html()))


def _policy(script: str) -> str:
    """Return the content security policy of a page with one script of its own."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}' blob:; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["template"] = _template
    environment.filters["by_number"] = by_number
    environment.filters["symbol"] = wording.symbol
    return environment


def _template(block: Block) -> str:
    """Return the template of a block: that with the name of its class."""
    return f"blocks/{type(block).__name__}.jinja"


def by_number(cell: str) -> Markup:
    """Return the attributes of a cell by which a table is sorted and filtered: its first number."""
    return Markup('data-order="{0}" data-search="{0}"').format(leading_number(cell))


def leading_number(cell: str) -> str:
    """Return the first number of a cell; "" without one.

    Examples
    --------
    >>> leading_number("0.31 (0.20 to 0.42)"), leading_number("< 0.000001"), leading_number("—")
    ('0.31', '0.000001', '')
    """
    found = re.search(r"-?\d[\d,]*(\.\d+)?", cell.replace("−", "-"))
    return found[0].replace(",", "") if found else ""
