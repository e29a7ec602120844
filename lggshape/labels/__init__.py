"""Labels of patients: tables, codebooks, kinds."""

from lggshape.labels.codebook import Codebook, Kind, read_codebook
from lggshape.labels.definitions import LabelDefinition, StatedLevels, define_labels
from lggshape.labels.kinds import holds_events, words_among_numbers
from lggshape.labels.label_tables import LabelSource, as_labels, read_labels
from lggshape.labels.labels import Label, Labels, LabelTable
from lggshape.labels.match_patients import MatchIds, PatientMatch, match_patients
from lggshape.labels.populations import value_counts
from lggshape.labels.supplements import Supplement, read_supplement

__all__ = [
    "Codebook",
    "Kind",
    "Label",
    "LabelDefinition",
    "LabelSource",
    "LabelTable",
    "Labels",
    "MatchIds",
    "PatientMatch",
    "StatedLevels",
    "Supplement",
    "as_labels",
    "define_labels",
    "holds_events",
    "match_patients",
    "read_codebook",
    "read_labels",
    "read_supplement",
    "value_counts",
    "words_among_numbers",
]
