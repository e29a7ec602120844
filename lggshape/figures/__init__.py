"""Figures: arrays and tables in, Matplotlib figures out; written as SVG and PNG."""

from lggshape.figures.decision import decision_curves
from lggshape.figures.groups import box_and_points
from lggshape.figures.heat_map import heat_map
from lggshape.figures.intervals import interval_plot
from lggshape.figures.strips import strip_plot
from lggshape.figures.style import Rendered, render
from lggshape.figures.training import training_curve
from lggshape.figures.writing import write_figures

__all__ = [
    "Rendered",
    "box_and_points",
    "decision_curves",
    "heat_map",
    "interval_plot",
    "render",
    "strip_plot",
    "training_curve",
    "write_figures",
]
