from .adjustment import AdjustedResults
from .associate_family import associate
from .families import choose_family, every_pair, read_study_family
from .feature_table import (
    Take,
    feature_symbol,
    irregularity,
    read_features,
)
from .hypotheses import (
    Family,
    Hypothesis,
    LeftOut,
    ReportedAUC,
    read_family,
    shipped_families,
)
from .kinds_of_test import CHECK, Detectable, Result, Test, TestOfGroups
from .registry import TEST_CLASSES
from .small_cohorts import FEWEST, POWER, REFERENCES_OF_POWER, SMALL_COHORT, corrected_alpha
from .study import Study
from .tested_pair import TestedPair
from .tests import TESTS

__all__ = [
    "CHECK",
    "FEWEST",
    "POWER",
    "REFERENCES_OF_POWER",
    "SMALL_COHORT",
    "TESTS",
    "TEST_CLASSES",
    "AdjustedResults",
    "Detectable",
    "Family",
    "Hypothesis",
    "LeftOut",
    "ReportedAUC",
    "Result",
    "Study",
    "Take",
    "Test",
    "TestOfGroups",
    "TestedPair",
    "associate",
    "choose_family",
    "corrected_alpha",
    "every_pair",
    "feature_symbol",
    "irregularity",
    "read_family",
    "read_features",
    "read_study_family",
    "shipped_families",
]
