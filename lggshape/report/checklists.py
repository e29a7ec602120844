"""The checklists of radiomics studies, filled in as far as the software knows the answers.

`checklists.csv` has the items of CLEAR [1]_ and METRICS [2]_ in short words of the project, with
the published numbers, sections and weights; their tools [3]_ [4]_ say what each asks for in full.
`checklist_answers.csv` has the answers of a report on associations. The first row of an item counts
whose condition holds.

References
----------
.. [1] Kocak B, Baessler B, Bakas S, et al. CheckList for EvaluAtion of Radiomics research (CLEAR).
   Insights into Imaging 14 (2023) 75.
.. [2] Kocak B, Akinci D'Antonoli T, Mercaldo N, et al. METhodological RadiomICs Score (METRICS).
   Insights into Imaging 15 (2024) 8. The weights are those of its table 1.
.. [3] https://clearchecklist.github.io/clear_checklist/CLEAR.html
.. [4] https://metricsscore.github.io/metrics/METRICS.html
"""

from collections.abc import Callable, Mapping
from importlib import resources

import pandas as pd

from lggshape import shape
from lggshape.association import Study
from lggshape.names import counted
from lggshape.report import columns
from lggshape.report.blocks import Block, Section, Table, Text, link
from lggshape.report.selection import labels_with_groups, tested_features

REFERENCES = {
    "CLEAR": "Kocak B, Baessler B, Bakas S, et al. CheckList for EvaluAtion of Radiomics research "
    "(CLEAR). Insights into Imaging 14 (2023) 75.",
    "METRICS": "Kocak B, Akinci D'Antonoli T, Mercaldo N, et al. METhodological RadiomICs Score "
    "(METRICS). Insights into Imaging 15 (2024) 8.",
}

YES, NO, NOT_APPLICABLE = "yes", "no", "not applicable"
FOR_THE_AUTHORS = "for the authors"
"""The answers; the last to what the software cannot know."""

_HOLDS: Mapping[str, Callable[[Study], bool]] = {
    "": lambda _: True,
    "covariates": lambda study: study.given is not None,
    "enough patients": lambda study: bool((study.associations["exploratory"] == "").all()),
    "groups": lambda study: bool(labels_with_groups(study)),
    "shape": lambda study: set(tested_features(study)) <= set(shape.FEATURES),
}
"""The conditions of answers, by name."""


def filled_in(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the items of the checklists with answers.

    Parameters
    ----------
    answers : DataFrame
        For each item `checklist`, `number`, `answer` and `where`: what shows it, or why not.

    Returns
    -------
    DataFrame
        `number`, `section`, `item`, `answer`, `where`, `checklist` and `weight`, in the published
        order. Only METRICS has weights.
    """
    items = pd.read_csv(str(resources.files(__package__) / "checklists.csv"))
    table = items.merge(answers, on=["checklist", "number"], validate="one_to_one")
    return table[["number", "section", "item", "answer", "where", "checklist", "weight"]]


def checklists_of(study: Study) -> pd.DataFrame:
    """Return the checklists as far as the report of a study answers them; see `filled_in`."""
    path = str(resources.files(__package__) / "checklist_answers.csv")
    rows = pd.read_csv(path, keep_default_na=False)
    rows = rows[[_HOLDS[name](study) for name in rows["if"]]]
    return filled_in(rows.drop_duplicates(["checklist", "number"]).drop(columns="if"))


def of_associations(table: pd.DataFrame) -> Section:
    """Return the section on the checklists of a report on associations, as of `checklists_of`."""
    of_metrics = table[table["checklist"] == "METRICS"]
    open_ones = int((of_metrics["answer"] == FOR_THE_AUTHORS).sum())
    note = f" (no score, because {counted(open_ones, 'item')} of {len(of_metrics)} are open)"
    intro = Text(
        "What the run itself can answer is filled in, with the sections of this report and the "
        "files beside it that show it. The other items are for the authors, who can complete "
        + link("checklists.csv")
        + ". Items are shortened; the publications say in full what each asks for."
    )
    blocks = [intro, *checklist_tables(table, {"METRICS": note})]
    return Section("checklists", "Reporting checklists", blocks, "Checklists", folded=True)


def checklist_tables(table: pd.DataFrame, notes: Mapping[str, str]) -> list[Block]:
    """Return a table per checklist, with a remark on some of them."""
    return [
        Table.of(
            rows,
            f"{name}, filled in where the software knows the answer{notes.get(str(name), '')}. "
            f"{REFERENCES[str(name)]}",
            "checklists",
            columns.count("No.", "number"), columns.words("section", "section"),
            columns.words("item", "item"), columns.words("answer", "answer"),
            columns.words("where", "where"),
            *([columns.number("weight", "weight", 4)] if rows["weight"].notna().any() else []),
        )
        for name, rows in table.groupby("checklist", sort=False)
    ]  # fmt: skip
