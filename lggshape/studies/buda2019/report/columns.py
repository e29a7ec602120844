"""Columns that several tables of the replication's report have."""

from lggshape import shape
from lggshape.association import irregularity
from lggshape.report import columns, wording
from lggshape.report.blocks import Column


def predictor(name: str) -> str:
    """Return the symbol of what an area under the curve is of, towards irregular shapes.

    Examples
    --------
    >>> predictor("bounding_ellipsoid_volume_ratio")
    '1/BEVR'
    """
    name = name.removeprefix("1/")
    inverse = name in shape.FEATURES and irregularity(name) < 0
    return f"{'1/' if inverse else ''}{wording.symbol(name)}"


FEATURE = columns.feature()
LABEL = columns.label()
PREDICTOR = Column("feature", lambda row: predictor(row.feature), "text")
CLUSTER = columns.words("cluster", "level")
MASKS = columns.words("masks", "masks")
N = columns.count("n", "n")
P = columns.p("p")
V = columns.interval("Cramér's V (95 %)", "effect", "effect_low", "effect_high")
AUC = columns.interval("AUC (95 %)", "auc", "auc_low", "auc_high")
