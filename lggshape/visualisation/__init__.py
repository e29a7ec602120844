"""Figures of the cases of a data set, and of a cohort as a whole."""

from lggshape.visualisation.case import write_cases
from lggshape.visualisation.cohort import survey
from lggshape.visualisation.drawing import write_cohort
from lggshape.visualisation.sources import find_cases

__all__ = ["find_cases", "survey", "write_cases", "write_cohort"]
