"""Tests of shape features against labels: hypotheses, tests, the results of a study."""

from lggshape.association.associate_family import associate
from lggshape.association.families import choose_family, every_pair, read_study_family
from lggshape.association.feature_table import (
    Take,
    feature_symbol,
    irregularity,
    read_features,
)
from lggshape.association.hypotheses import (
    Family,
    Hypothesis,
    LeftOut,
    ReportedAUC,
    read_family,
    shipped_families,
)
from lggshape.association.study import Study
from lggshape.association.tested_pair import TestedPair
from lggshape.association.tests import TESTS, Test

__all__ = [
    "TESTS",
    "Family",
    "Hypothesis",
    "LeftOut",
    "ReportedAUC",
    "Study",
    "Take",
    "Test",
    "TestedPair",
    "associate",
    "choose_family",
    "every_pair",
    "feature_symbol",
    "irregularity",
    "read_family",
    "read_features",
    "read_study_family",
    "shipped_families",
]
