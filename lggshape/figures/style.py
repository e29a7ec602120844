"""The look of all figures, and how they are saved."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatterSciNotation

INK = "#1f2933"
MUTED = "#5f6b78"
"""Of axes and notes. On white, as of ink, its contrast is above 4.5, so that it can be read."""
ACCENT = "#0b6e8f"
CONTRAST = "#c2410c"
LEVELS = ("#0b6e8f", "#c2410c", "#6b8e23", "#7a4f9a", "#b58900", "#555555")
"""Colours of groups, in an order that is distinct in grey and with colour blindness."""

MOST_POINTS = 1_000
"""More points than these are drawn as one image, so that the size of a file does not depend on how
many there are."""

VOLUME_UNITS = ((True, "mm3", "mm³"), (False, "voxels", "voxels"))
"""Whether the spacing is known, and what volumes then are in: in names of files, and on an axis."""

_IMAGE_DPI = 200

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

_SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    # Names come from data: a dollar sign in one of them begins no formula.
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    # Text stays text: small files that can be searched, and the same bytes on every run.
    "svg.fonttype": "none",
    "svg.hashsalt": "lggshape",
    # Fonts in a PDF are TrueType and embedded, as journals ask for.
    "pdf.fonttype": 42,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Use the style of the project, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def power_of_ten(value: float) -> str:
    """Return a positive number as its power of ten, in plain text.

    Examples
    --------
    >>> power_of_ten(0.001), power_of_ten(200)
    ('10⁻³', '2×10²')
    """
    factor, exponent = f"{value:.0e}".split("e")
    power = f"10{str(int(exponent)).translate(_RAISED)}"
    return power if factor == "1" else f"{factor}×{power}"


def link_or_rasterise(points: PathCollection, links: Sequence[str | None], *, total: int) -> None:
    """Let the points of a figure lead somewhere in the SVG; of very many make one image instead.

    Parameters
    ----------
    points : PathCollection
        The points, or some of them.
    links : sequence of str or None
        Where each of them leads; empty for nowhere. An image leads nowhere.
    total : int
        How many points the figure has.
    """
    if total > MOST_POINTS:
        points.set_rasterized(True)
        figure = points.figure
        assert isinstance(figure, Figure)  # they were drawn in one
        figure.set_dpi(_IMAGE_DPI)
    elif any(links):
        points.set_urls(links)


class _PowersOfTen(LogFormatterSciNotation):
    """The labels of a logarithmic axis as plain text."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        # An empty label marks a tick that is not labelled.
        return power_of_ten(x) if super().__call__(x, pos) else ""


def label_powers(axis: Axis) -> None:
    """Label a logarithmic axis in plain text, as the house style draws no formulas."""
    axis.set_major_formatter(_PowersOfTen())
    axis.set_minor_formatter(_PowersOfTen())


class Journal(NamedTuple):
    """How a journal wants figures.

    Attributes
    ----------
    format : {"pdf", "png", "svg"}
        The kind of file. The text of an SVG is drawn as paths, so that it needs no font.
    dpi : int
        Dots per inch of PNG, and of images in the other formats.
    width : float or None
        Width in mm; None for that of the house. Text shrinks with it, but never below 6 points.
    """

    format: Literal["pdf", "png", "svg"] = "pdf"
    dpi: int = 300
    width: float | None = None


class Rendered(NamedTuple):
    """The files of a figure."""

    svg: str
    png: bytes
    """At 150 dots per inch."""
    journal: tuple[str, bytes] | None = None
    """The ending and content of the file for a journal, if one was asked for."""


class HouseFigure(Figure):
    """A figure that a notebook shows without pyplot, in the style of the project."""

    def _repr_png_(self) -> bytes:
        pixels = io.BytesIO()
        with house_style():
            self.savefig(pixels, format="png", dpi=100)
        return pixels.getvalue()


_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a level or a name may hold, as escape codes, and an SVG file may not (XML 1.0, 2.2)."""


def render(figure: Figure, journal: Journal | None = None) -> Rendered:
    """Return a figure as SVG and PNG, and for a journal if asked; the same bytes on every run.

    Examples
    --------
    >>> from lggshape.figures import training_curve
    >>> rendered = render(training_curve({"fold 0": [0.9, 0.5, 0.3]}), Journal("pdf", width=85))
    >>> "<svg" in rendered.svg, rendered.journal[0]
    (True, 'pdf')
    """
    vector = io.StringIO()
    engine = figure.get_layout_engine()
    with house_style():
        _lay_out(figure)
        # With an engine, even "none", a format is drawn twice: once to find the layout.
        figure.set_layout_engine(None)
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
        pixels = as_png(figure)
        figure.set_layout_engine(engine)
        drawn = None if journal is None else (journal.format, _for_journal(figure, journal))
    return Rendered(_NOT_IN_XML.sub("\ufffd", vector.getvalue()), pixels, drawn)


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG, as `render` does, in the style and with the layout that it has."""
    pixels = io.BytesIO()
    figure.savefig(pixels, format="png", dpi=150, metadata={"Software": None})
    return pixels.getvalue()


def _lay_out(figure: Figure) -> None:
    """Find the layout of a figure, as if it were drawn as SVG."""
    engine, canvas = figure.get_layout_engine(), figure.canvas
    if figure.axes and engine is not None:
        FigureCanvasSVG(figure)
        engine.execute(figure)
        figure.set_canvas(canvas)


_NO_DATES: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


_SMALLEST = 2 / 3
"""Text of 9 points shrinks with a figure, but not below 6, which journals still accept."""


def _for_journal(figure: Figure, journal: Journal) -> bytes:
    """Return a figure as a journal wants it."""
    if journal.width is not None:
        _resize(figure, journal.width / 25.4 / figure.get_size_inches()[0])
    content = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "path"}):
        figure.savefig(
            content, format=journal.format, dpi=journal.dpi, metadata=_NO_DATES[journal.format]
        )
    return content.getvalue()


def _resize(figure: Figure, factor: float) -> None:
    """Change the width by a factor; text and rows of text shrink less, images in proportion."""
    scale = min(1.0, max(factor, _SMALLEST))
    width, height = figure.get_size_inches()
    in_proportion = any(axes.get_aspect() != "auto" for axes in figure.axes)
    figure.set_size_inches(factor * width, height * (factor if in_proportion else scale))
    for text in figure.findobj(Text):
        text.set_fontsize(scale * float(text.get_fontsize()))
    # Ticks that are made from now on have labels of the same size.
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        for which in ("major", "minor"):
            for label in axis.get_ticklabels(which=which)[:1]:
                axis.set_tick_params(which, labelsize=label.get_fontsize())
