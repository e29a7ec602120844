"""The report of a study."""

from lggshape.report.document import write_report, write_report_files

__all__ = ["write_report", "write_report_files"]
