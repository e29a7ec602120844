"""Phantoms: shapes that are known, and a synthetic cohort with or without a planted association."""

from lggshape.phantoms.cohort import Cohort, cohort, write_cohort
from lggshape.phantoms.dicom import write_dicom
from lggshape.phantoms.heads import make_phantom
from lggshape.phantoms.labels import Patients, clinical_table, draw_patients, label_table
from lggshape.phantoms.shapes import ball, ellipsoid, lobulated, lobulated_disc, spiculated

__all__ = [
    "Cohort",
    "Patients",
    "ball",
    "clinical_table",
    "cohort",
    "draw_patients",
    "ellipsoid",
    "label_table",
    "lobulated",
    "lobulated_disc",
    "make_phantom",
    "spiculated",
    "write_cohort",
    "write_dicom",
]
