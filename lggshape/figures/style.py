"""The look of all figures, and how they are saved."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#1f2933"
MUTED = "#7b8794"
ACCENT = "#0b6e8f"
CONTRAST = "#c2410c"
LEVELS = ("#0b6e8f", "#c2410c", "#6b8e23", "#7a4f9a", "#b58900", "#555555")
"""Colours of groups; distinct in grey and for the colour-blind in this order."""

_SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "xtick.color": INK,
    "ytick.color": INK,
    # Text stays text: small files that can be searched, and the same bytes on every run.
    "svg.fonttype": "none",
    "svg.hashsalt": "lggshape",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the style of the project, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


class Rendered(NamedTuple):
    """A figure as the files of it."""

    svg: str
    png: bytes
    """At 150 dots an inch."""


def render(figure: Figure) -> Rendered:
    """Draw a figure as SVG and PNG, the same bytes on every run."""
    vector, pixels = io.StringIO(), io.BytesIO()
    with house_style():
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": None})
        # The layout is found by now; finding it takes as long as drawing.
        figure.set_layout_engine("none")
        figure.savefig(pixels, format="png", dpi=150, metadata={"Software": None})
    return Rendered(vector.getvalue(), pixels.getvalue())
