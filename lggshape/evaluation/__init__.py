"""How good predicted masks are: scores against a reference, and detection of tumour in a slice."""

from lggshape.evaluation import scores
from lggshape.evaluation.evaluation import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate", "scores"]
