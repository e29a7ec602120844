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
from .kinds_of_test import CHECK, Result, Test, TestOfGroups
from .registry import TEST_CLASSES
from .study import Study
from .tested_pair import TestedPair
from .tests import TESTS

__all__ = [
    "CHECK",
    "TESTS",
    "TEST_CLASSES",
    "AdjustedResults",
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
    "every_pair",
    "feature_symbol",
    "irregularity",
    "read_family",
    "read_features",
    "read_study_family",
    "shipped_families",
]
