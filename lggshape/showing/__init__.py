"""Figures of the cases of a data set, and of a cohort as a whole."""

from lggshape.showing.case import write_cases
from lggshape.showing.cohort import survey
from lggshape.showing.drawing import write_cohort
from lggshape.showing.sources import find_cases

__all__ = ["find_cases", "survey", "write_cases", "write_cohort"]
