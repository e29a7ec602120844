"""The checklists of radiomics studies, filled in for the replication with all of its steps.

`checklists.csv` has the answers. `where` names tables of the results (*.csv), documents of the
project (with their sections), or says why not.
"""

from importlib import resources

import pandas as pd

from lggshape.report.blocks import Section
from lggshape.report.checklists import NOT_APPLICABLE, YES, checklist_tables, filled_in


def read_checklists() -> pd.DataFrame:
    """Read the checklists, filled in: a row per item.

    Examples
    --------
    >>> read_checklists().groupby("checklist").size().to_dict()
    {'CLEAR': 58, 'METRICS': 30}
    """
    return filled_in(pd.read_csv(str(resources.files(__package__) / "checklists.csv")))


def score(table: pd.DataFrame) -> float:
    """Return the score of a checklist with weights, in percent.

    The weights of the items answered yes, over those of all items that apply. An item left to the
    authors counts as no, which is the default of the METRICS tool.

    References
    ----------
    Kocak B, Akinci D'Antonoli T, Mercaldo N, et al. METhodological RadiomICs Score (METRICS).
    Insights into Imaging 15 (2024) 8: its tool, metricsscore.github.io/metrics/METRICS.html.

    Examples
    --------
    >>> answers = ["yes", "no", "not applicable"]
    >>> round(score(pd.DataFrame({"answer": answers, "weight": [0.3, 0.1, 0.6]})), 6)
    75.0
    """
    weights = table.groupby("answer")["weight"].sum()
    applicable = weights.drop(NOT_APPLICABLE, errors="ignore")
    return float(100 * weights.get(YES, 0.0) / applicable.sum())


def checklists(table: pd.DataFrame) -> Section:
    """Return the section on the checklists."""
    metrics = score(table[table["checklist"] == "METRICS"])
    notes = {"METRICS": f" (score {metrics:.1f} %)"}
    return Section("checklists", "Checklists", checklist_tables(table, notes))
