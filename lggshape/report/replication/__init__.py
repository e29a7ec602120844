"""The report of a replication."""

from lggshape.report.replication.document import as_json, write_report

__all__ = ["as_json", "write_report"]
