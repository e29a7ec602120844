"""Figures of the cases of a data set, and of a cohort as a whole."""

from lggshape.visualisation.case_features import plot_features
from lggshape.visualisation.case_figures import write_case_figures
from lggshape.visualisation.case_slices import plot_case
from lggshape.visualisation.cohort_figures import write_cohort_figures
from lggshape.visualisation.cohort_survey import survey
from lggshape.visualisation.worst_cases import worst_cases

__all__ = [
    "plot_case",
    "plot_features",
    "survey",
    "worst_cases",
    "write_case_figures",
    "write_cohort_figures",
]
