"""Labels of patients: tables, codebooks, kinds."""

from lggshape.labels.codebook import Codebook, Kind, read_codebook
from lggshape.labels.label_tables import LabelSource, as_labels, read_labels
from lggshape.labels.labels import Label, Labels, LabelTable
from lggshape.labels.match_patients import MatchIds, PatientMatch, match_patients

__all__ = [
    "Codebook",
    "Kind",
    "Label",
    "LabelSource",
    "LabelTable",
    "Labels",
    "MatchIds",
    "PatientMatch",
    "as_labels",
    "match_patients",
    "read_codebook",
    "read_labels",
]
