"""How much the results depend on the masks."""

from lggshape.report.blocks import Section
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.summary import PARTS


def mask_sets(findings: Findings) -> Section:
    """Return the section on effects and p by several sets of masks of the same patients."""
    return Section(
        "mask-sets", "Other masks of the same patients", [*PARTS["runs"](findings.evidence)]
    )
