"""What all reports share: figures that are kept as files and embedded, and the templates."""

import base64
from collections.abc import Callable
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

import jinja2
from matplotlib.figure import Figure

from lggshape.figures import render
from lggshape.files import write_figure


class Drawing(NamedTuple):
    """A figure of the report."""

    name: str
    """Of its files, without ending."""
    description: str
    """What it shows, for those who cannot see it."""
    source: str
    """The SVG as a data URL."""


class Gallery:
    """The figures of a report, in `figures/` beside it.

    Parameters
    ----------
    folder : Path
        Of the report.
    on_figure : callable, optional
        Called after each figure, to show progress.
    """

    def __init__(self, folder: Path, *, on_figure: Callable[[], None] | None = None) -> None:
        self._folder = folder / "figures"
        self._on_figure = on_figure
        self._taken: set[str] = set()

    def keep(self, name: str, description: str, figure: Figure) -> Drawing:
        """Write a figure as PNG and SVG, and give what the report embeds."""
        # Names that differ only in signs that a file's name cannot have must not share a file.
        names = chain([name], (f"{name}-{i}" for i in count(2)))
        unique = next(n for n in names if n not in self._taken)
        self._taken.add(unique)
        drawn = render(figure)
        write_figure(self._folder / unique, *drawn)
        if self._on_figure is not None:
            self._on_figure()
        encoded = base64.b64encode(drawn.svg.encode()).decode()
        return Drawing(unique, description, f"data:image/svg+xml;base64,{encoded}")


def page_environment(*packages: str) -> jinja2.Environment:
    """Return the environment of the templates: those of `packages`, then the shared ones."""
    loaders = [jinja2.PackageLoader(package) for package in (*packages, __package__)]
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
