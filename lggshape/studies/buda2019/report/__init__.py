"""The report of a replication."""

from lggshape.studies.buda2019.report.document import as_json, write_report

__all__ = ["as_json", "write_report"]
