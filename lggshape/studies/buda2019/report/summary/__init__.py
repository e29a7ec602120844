"""What was found, in sentences and small tables: the report and the README of results share them.

Every number in them is from a table of the results. A part whose tables are not there is empty.
"""

from collections.abc import Callable, Iterator, Mapping

from lggshape.report.blocks import Block
from lggshape.studies.buda2019.report.evidence import StudyEvidence
from lggshape.studies.buda2019.report.summary.agreement import agreement
from lggshape.studies.buda2019.report.summary.answer import answer, front, hypotheses
from lggshape.studies.buda2019.report.summary.confounding import confounding
from lggshape.studies.buda2019.report.summary.dependence import dependence
from lggshape.studies.buda2019.report.summary.failed_attempt import failed_attempt
from lggshape.studies.buda2019.report.summary.masks import draws, noise, runs
from lggshape.studies.buda2019.report.summary.prediction import prediction
from lggshape.studies.buda2019.report.summary.sets import drawing

PARTS: Mapping[str, Callable[[StudyEvidence], Iterator[Block]]] = {
    "front": front,
    "figure": drawing,
    "answer": answer,
    "hypotheses": hypotheses,
    "runs": runs,
    "dependence": dependence,
    "confounding": confounding,
    "agreement": agreement,
    "noise": noise,
    "draws": draws,
    "failed attempt": failed_attempt,
    "prediction": prediction,
}
"""The parts by name, in the order in which they are read."""

__all__ = ["PARTS"]
