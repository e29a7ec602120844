"""The page of a report: what it is made of, and the template that every report uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from lggshape.files import write_text
from lggshape.report.blocks import Block, Section


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
    footer : str
        The last line.
    """

    title: str
    brand: str
    sections: Sequence[Section]
    footer: str = "Made by lggshape. For research use only; not for diagnosis or treatment."

    def to_html(self) -> str:
        """Return the HTML of the page, which stands alone: styles and figures are in it."""
        return _environment().get_template("base.html.jinja").render(page=self)


def write_page(page: Page, path: Path) -> None:
    """Write a page as HTML, whole or not at all."""
    write_text(path, page.to_html())


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["template"] = _template
    return environment


def _template(block: Block) -> str:
    """Return the template of a block: that with the name of its class."""
    return f"blocks/{type(block).__name__}.jinja"
