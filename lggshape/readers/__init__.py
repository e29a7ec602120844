"""Readers: one module per layout; `open_cases` finds out which layout a path has."""

from lggshape.readers.discovery import case_files, open_cases
from lggshape.readers.manifest import assign_patients
from lggshape.readers.source import CaseSource, refuse_repeated_names

__all__ = ["CaseSource", "assign_patients", "case_files", "open_cases", "refuse_repeated_names"]
