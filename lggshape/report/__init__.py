"""The report of a study."""

from lggshape.report.document import count_figures, write_report

__all__ = ["count_figures", "write_report"]
