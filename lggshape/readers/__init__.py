"""Readers: one module a layout; `open_cases` finds out which layout a path has."""

from lggshape.readers.discovery import open_cases
from lggshape.readers.manifest import assign_patients
from lggshape.readers.source import CaseSource

__all__ = ["CaseSource", "assign_patients", "open_cases"]
