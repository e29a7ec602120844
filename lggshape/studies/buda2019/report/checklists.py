"""The checklists of radiomics studies, filled in for the replication."""

from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import NamedTuple

import pandas as pd

from lggshape.files import read_toml


class Answer(StrEnum):
    """The answer to an item."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "not applicable"
    FOR_THE_AUTHORS = "for the authors"
    """What the software cannot know."""


class Item(NamedTuple):
    """An item of a checklist, in the project's words, with its answer.

    Attributes
    ----------
    number : int
        The published number, from 1.
    section : str
        The published section or category.
    item : str
        What is asked for.
    answer : Answer
        The answer for the whole of `lggshape replicate`.
    where : str
        Tables of the results and documents of the project that show it, or why not.
    weight : float or None
        The published weight, if the checklist has weights.
    """

    number: int
    section: str
    item: str
    answer: Answer
    where: str
    weight: float | None = None


class Condition(NamedTuple):
    """What has to hold for some items to apply."""

    number: int
    condition: str
    holds: bool
    items: tuple[int, ...]


@dataclass(frozen=True)
class Checklist:
    """A checklist, filled in.

    Attributes
    ----------
    name, reference : str
        What it is called, and the publication.
    items : tuple of Item
        In the published order.
    conditions : tuple of Condition
        What some of the items depend on.
    """

    name: str
    reference: str
    items: tuple[Item, ...]
    conditions: tuple[Condition, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return a row per item: `number`, `section`, `item`, `answer`, `where`, any `weight`."""
        return pd.DataFrame(self.items).dropna(axis="columns", how="all")

    @property
    def score(self) -> float | None:
        """Return the score in percent; None if the checklist has no weights.

        The weights of the items answered yes, over those of all items that apply. An item left to
        the authors counts as no, which is the default of the METRICS tool.

        References
        ----------
        Kocak B, Akinci D'Antonoli T, Mercaldo N, et al. METhodological RadiomICs Score (METRICS).
        Insights into Imaging 15 (2024) 8: its tool, metricsscore.github.io/metrics/METRICS.html.

        Examples
        --------
        >>> rows = [("yes", 0.3), ("no", 0.1), ("not applicable", 0.6)]
        >>> items = [Item(n, "", "", Answer(a), "", w) for n, (a, w) in enumerate(rows, start=1)]
        >>> round(Checklist("any", "", tuple(items)).score, 6)
        75.0
        """
        table = self.table()
        if "weight" not in table:
            return None
        weights = table.groupby("answer")["weight"].sum()
        applicable = weights.drop(Answer.NOT_APPLICABLE, errors="ignore")
        return float(100 * weights.get(Answer.YES, 0.0) / applicable.sum())


def read_checklists() -> tuple[Checklist, ...]:
    """Read the bundled checklists, CLEAR and METRICS.

    Examples
    --------
    >>> [(checklist.name, len(checklist.items)) for checklist in read_checklists()]
    [('CLEAR', 58), ('METRICS', 30)]
    """
    content = read_toml((resources.files(__package__) / "checklists.toml").read_bytes())
    return tuple(
        Checklist(
            entry["name"],
            entry["reference"],
            tuple(Item(**item | {"answer": Answer(item["answer"])}) for item in entry["item"]),
            tuple(
                Condition(**condition | {"items": tuple(condition["items"])})
                for condition in entry.get("condition", ())
            ),
        )
        for entry in content["checklist"]
    )
