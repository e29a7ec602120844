"""Figures of the cases of a data set, and of a cohort as a whole."""

import lazy_loader

# Processes that draw cases load nothing of what describes cohorts.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
