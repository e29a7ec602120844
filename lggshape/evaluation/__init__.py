"""How good predicted masks are: scores against a reference, and detection of tumour in a slice."""

from lggshape.evaluation import scores
from lggshape.evaluation.evaluation import Evaluation, evaluate
from lggshape.evaluation.matching import Matched, Pair, match_cases

__all__ = ["Evaluation", "Matched", "Pair", "evaluate", "match_cases", "scores"]
