"""The tables that sentences and small tables of a report and of its README are made from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lggshape.association import Family, Hypothesis
from lggshape.report.blocks import Column
from lggshape.report.wording import interval_text, symbol
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL

Tables = Mapping[str, pd.DataFrame]

KINDS = (AUTOMATIC, MANUAL)


class StudyEvidence(NamedTuple):
    """All results, and those of other masks of the same patients if there are any.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        The tables of the results, by name.
    family : Family
        The hypotheses.
    earlier : mapping of str to DataFrame
        The tables of the earlier run; empty if there was none.
    second : mapping of str to DataFrame
        The tables of a comparison with the outlines of other raters; empty if there was none.
    """

    tables: Tables
    family: Family
    earlier: Tables = MappingProxyType({})
    second: Tables = MappingProxyType({})

    @property
    def reported(self) -> list[Hypothesis]:
        """Return the hypotheses that the paper reports a bound for."""
        return [h for h in self.family.hypotheses if h.reported_below is not None]

    @property
    def main(self) -> list[Hypothesis]:
        """Return the reported hypotheses on the label that the paper reports areas for."""
        labels = {entry.label for entry in self.family.reported_aucs}
        return [h for h in self.reported if h.label in labels]

    def rows(self, name: str, *, earlier: bool = False, **cells: Any) -> pd.DataFrame:
        """Return the rows of a table with these values; none if there is no such table."""
        table = (self.earlier if earlier else self.tables).get(name, pd.DataFrame())
        if not cells.keys() <= set(table.columns):
            return table[:0]
        found = np.ones(len(table), dtype=bool)
        for column, value in cells.items():
            found &= (table[column] == value).to_numpy(dtype=bool)
        return table[found]

    def row(self, name: str, *, earlier: bool = False, **cells: Any) -> Any:
        """Return the first row of a table with these values, as a named tuple; None without one."""
        return next(iter(self.records(name, earlier=earlier, **cells)), None)

    def records(self, name: str, *, earlier: bool = False, **cells: Any) -> list[Any]:
        """Return the rows of a table with these values, as named tuples."""
        return list(self.rows(name, earlier=earlier, **cells).itertuples(index=False))


def key(h: Hypothesis) -> dict[str, Any]:
    """Return the columns by which tables know a hypothesis."""
    return {"feature": h.feature, "label": h.label}


def hypothesis_column(title: str = "") -> Column:
    """Return a column of the names of hypotheses, of rows that begin with one."""
    return Column(title, lambda row: pair_name(row[0].feature, row[0].label), "text")


def effect_text(row: Any) -> str:
    """Return the effect of a row with its interval, "" without a row."""
    return "" if row is None else interval_text(row.effect, row.effect_low, row.effect_high)


def label_name(label: str) -> str:
    """Return the short name of a label.

    Examples
    --------
    >>> label_name("RNASeqCluster"), label_name("idh_1p19q_buda_table2")
    ('RNASeq', 'IDH/1p19q')
    """
    return "IDH/1p19q" if label.startswith("idh_1p19q") else label.removesuffix("Cluster")


def pair_name(feature: str, label: str) -> str:
    """Return the short name of a hypothesis.

    Examples
    --------
    >>> pair_name("margin_fluctuation", "RNASeqCluster")
    'MF × RNASeq'
    """
    return f"{symbol(feature)} × {label_name(label)}"


def intervals_containing(value: int, automatic: Any, manual: Any) -> str:
    """Return in words which of the intervals of the two kinds of mask contain a value.

    Examples
    --------
    >>> class Row(NamedTuple):
    ...     masks: str
    ...     low: float
    ...     high: float
    >>> intervals_containing(1, Row("automatic", 0.8, 2.0), Row("manual", 1.2, 3.0))
    'the interval on automatic masks contains 1'
    """
    containing = [row.masks for row in (automatic, manual) if row.low <= value <= row.high]
    if not containing:
        return f"neither interval contains {value}"
    if len(containing) > 1:
        return f"both intervals contain {value}"
    return f"the interval on {containing[0]} masks contains {value}"
