"""The report of a study."""

from lggshape.report.document import write_report

__all__ = ["write_report"]
