"""The look of all figures, and how they are saved."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation

INK = "#1f2933"
MUTED = "#5f6b78"
"""Of axes and notes. On white, as of ink, its contrast is above 4.5, so that it can be read."""
ACCENT = "#0b6e8f"
CONTRAST = "#c2410c"
LEVELS = ("#0b6e8f", "#c2410c", "#6b8e23", "#7a4f9a", "#b58900", "#555555")
"""Colours of groups, in an order that is distinct in grey and with colour blindness."""

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


class _PowersOfTen(LogFormatterSciNotation):
    """The labels of a logarithmic axis as plain text."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        # An empty label marks a tick that is not labelled.
        return power_of_ten(x) if super().__call__(x, pos) else ""


def label_powers(axis: Axis) -> None:
    """Label a logarithmic axis in plain text, as the house style draws no formulas."""
    axis.set_major_formatter(_PowersOfTen())
    axis.set_minor_formatter(_PowersOfTen())


class Rendered(NamedTuple):
    """The files of a figure."""

    svg: str
    png: bytes
    """At 150 dots per inch."""


class HouseFigure(Figure):
    """A figure that a notebook shows without pyplot, in the style of the project."""

    def _repr_png_(self) -> bytes:
        pixels = io.BytesIO()
        with house_style():
            self.savefig(pixels, format="png", dpi=100)
        return pixels.getvalue()


def render(figure: Figure) -> Rendered:
    """Return a figure as SVG and PNG, the same bytes on every run.

    Examples
    --------
    >>> from lggshape.figures import training_curve
    >>> rendered = render(training_curve({"fold 0": [0.9, 0.5, 0.3]}))
    >>> "<svg" in rendered.svg
    True
    """
    vector, pixels = io.StringIO(), io.BytesIO()
    with house_style():
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
        # The layout is found by now; with an engine, even "none", all would be drawn twice.
        figure.set_layout_engine(None)
        figure.savefig(pixels, format="png", dpi=150, metadata={"Software": None})
    return Rendered(vector.getvalue(), pixels.getvalue())
