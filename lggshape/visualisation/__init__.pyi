from .case_features import plot_features
from .case_figures import write_case_figures
from .case_slices import plot_case
from .cohort_figures import write_cohort_figures
from .cohort_survey import survey
from .worst_cases import worst_cases

__all__ = [
    "plot_case",
    "plot_features",
    "survey",
    "worst_cases",
    "write_case_figures",
    "write_cohort_figures",
]
