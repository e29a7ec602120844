"""Figures: arrays and tables in, Matplotlib figures out; written as SVG and PNG."""

from lggshape.figures.decision import decision_curves
from lggshape.figures.effects_and_p import EffectsAndP, effects_beside_p
from lggshape.figures.groups import box_and_points
from lggshape.figures.heat_map import heat_map
from lggshape.figures.intervals import interval_plot
from lggshape.figures.scatter import scatter_plot
from lggshape.figures.strips import strip_plot
from lggshape.figures.style import Journal, Rendered, render
from lggshape.figures.survival import SurvivalGroup, survival_curves
from lggshape.figures.training import training_curve
from lggshape.figures.writing import write_figures

__all__ = [
    "EffectsAndP",
    "Journal",
    "Rendered",
    "SurvivalGroup",
    "box_and_points",
    "decision_curves",
    "effects_beside_p",
    "heat_map",
    "interval_plot",
    "render",
    "scatter_plot",
    "strip_plot",
    "survival_curves",
    "training_curve",
    "write_figures",
]
