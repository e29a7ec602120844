"""Tests of shape features against labels: labels, hypotheses, the tests of a study."""

from lggshape.association.feature_table import Take, read_features
from lggshape.association.hypotheses import (
    Family,
    Hypothesis,
    LeftOut,
    ReportedAUC,
    choose_family,
    every_pair,
    read_family,
    read_preset,
)
from lggshape.association.study import Study, Test, associate, irregularity

__all__ = [
    "Family",
    "Hypothesis",
    "LeftOut",
    "ReportedAUC",
    "Study",
    "Take",
    "Test",
    "associate",
    "choose_family",
    "every_pair",
    "irregularity",
    "read_family",
    "read_features",
    "read_preset",
]
