"""The report of a replication."""

from lggshape.studies.buda2019.report.document import write_report

__all__ = ["write_report"]
