"""Labels of patients: tables, codebooks, kinds."""

from lggshape.labels.codebook import Codebook, Kind, read_codebook
from lggshape.labels.labels import Label, Labels, read_labels

__all__ = ["Codebook", "Kind", "Label", "Labels", "read_codebook", "read_labels"]
