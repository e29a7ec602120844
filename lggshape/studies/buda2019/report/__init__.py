"""The report of a replication."""

from lggshape.studies.buda2019.report.document import write_report_files

__all__ = ["write_report_files"]
