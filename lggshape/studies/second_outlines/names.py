"""Names that the tables of this study share."""

from lggshape.studies.buda2019.names import ASD, AUTOMATIC, BEVR, MANUAL, MF, OFFSETS

SECOND = "second"

OUTLINES = (MANUAL, AUTOMATIC, SECOND)
"""Whose outlines are compared."""

PAIRS = ((MANUAL, SECOND), (AUTOMATIC, MANUAL), (AUTOMATIC, SECOND))
"""The pairs that are compared: that of the two groups first."""

COMPARED = (ASD, OFFSETS, MF, BEVR)
"""The features that are compared: pure numbers, which do not depend on the grid."""

IN_THE_SLICE = (ASD, OFFSETS, MF)
"""Those of them that are measured in one slice."""

RESAMPLES = 9_999
"""Bootstrap samples of patients behind every interval."""
