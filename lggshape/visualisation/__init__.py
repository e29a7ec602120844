"""Figures of the cases of a data set, and of a cohort as a whole."""

from lggshape.visualisation.case_features import plot_features
from lggshape.visualisation.case_figures import write_cases
from lggshape.visualisation.case_slices import plot_case
from lggshape.visualisation.cohort_figures import write_cohort
from lggshape.visualisation.cohort_survey import survey

__all__ = ["plot_case", "plot_features", "survey", "write_cases", "write_cohort"]
