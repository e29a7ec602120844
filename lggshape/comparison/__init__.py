"""Training runs side by side: on the patients that their networks have not seen."""

from lggshape.comparison.comparison import Comparison, compare_runs

__all__ = ["Comparison", "compare_runs"]
