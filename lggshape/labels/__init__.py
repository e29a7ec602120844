"""Labels of patients: tables, codebooks, kinds."""

from lggshape.labels.codebook import Codebook, Kind, read_codebook
from lggshape.labels.label_tables import LabelSource, as_labels, read_labels
from lggshape.labels.labels import Label, Labels, LabelTable

__all__ = [
    "Codebook",
    "Kind",
    "Label",
    "LabelSource",
    "LabelTable",
    "Labels",
    "as_labels",
    "read_codebook",
    "read_labels",
]
