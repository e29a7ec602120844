"""Whether automatic and manual masks agree."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from math import nan
from typing import Any

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, number_text, symbol
from lggshape.studies.buda2019.analyses.agreement import MARGIN
from lggshape.studies.buda2019.names import MF
from lggshape.studies.buda2019.report.columns import predictor
from lggshape.studies.buda2019.report.evidence import StudyEvidence
from lggshape.studies.buda2019.report.findings import listed


def agreement(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield which AUCs agree by the protocol's rule, and how well the features do."""
    yield from _areas(evidence)
    yield from _features(evidence)
    yield from _limits(evidence)
    yield from _margin(evidence)


def _areas(evidence: StudyEvidence) -> Iterator[Block]:
    areas = evidence.records("area_differences")
    if not areas:
        return
    agreeing = [row for row in areas if row.agrees]
    names = listed([f"{predictor(row.feature)} for {row.level}" for row in agreeing])
    entry = evidence.family.reported_aucs[0]
    level = max(entry.values, key=lambda name: entry.values[name])
    main = evidence.row("area_differences", feature=evidence.reported[0].feature, level=level)
    yield Text(
        f"Two AUCs agree if the whole interval of their difference lies within ±{MARGIN:.2f}, a "
        f"margin set beforehand. By this rule {len(agreeing)} of {len(areas)} agree"
        f"{f' ({names})' if names else ''}; the other {len(areas) - len(agreeing)} are "
        "inconclusive, because their intervals reach beyond the margin."
    )
    if main is not None:
        yield Text(
            f"The AUC of {predictor(main.feature)} for {level} on automatic masks minus that on "
            f"manual masks is {_three(main.difference, main.low, main.high)}."
        )


def _features(evidence: StudyEvidence) -> Iterator[Block]:
    rows = evidence.rows("agreement", measure="ICC(A,1)")
    if not len(rows):
        return
    earlier = evidence.records("agreement", measure="ICC(A,1)", earlier=True)
    first = {row.feature: row.estimate for row in earlier}
    yield Table.of(
        rows,
        "Agreement of the features of automatic and manual masks: ICC(A,1) (95 %, bootstrap of "
        "patients)",
        "agreement",
        Column("", lambda row: symbol(row.feature), "text"),
        Column("n", lambda row: f"{row.n}"),
        Column("this run", lambda row: _three(row.estimate, row.low, row.high)),
        *(
            [Column("first run", lambda row: number_text(first.get(row.feature, nan), 3))]
            if first
            else []
        ),
    )  # fmt: skip


def _limits(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the limits of agreement at low, median and high values of each feature."""
    found = groupby(evidence.records("agreement_limits"), key=lambda row: row.feature)
    rows = [list(places) for _, places in found]
    if not rows:
        return
    yield Table.of(
        rows,
        "Limits of agreement, between which about 95 % of the differences (automatic minus manual) "
        "lie. Where the size of the differences grows with the mean of the two values (the whole "
        "interval of Spearman's correlation lies above 0), the limits are proportional: straight "
        "lines in that mean. Elsewhere they are constant",
        "agreement_limits",
        Column("", lambda row: symbol(row[0].feature), "text"),
        Column(
            "correlation with the mean",
            lambda row: interval_text(row[0].growth, row[0].growth_low, row[0].growth_high),
        ),
        Column("limits", lambda row: row[0].kind, "text"),
        *(Column(f"at the {place.at}", partial(_limits_at, k)) for k, place in enumerate(rows[0])),
    )


def _limits_at(place: int, rows: list[Any]) -> str:
    row = rows[place]
    lower, upper, mean = (
        number_text(value, 3 if abs(row.mean) < 10 else 0)
        for value in (row.lower, row.upper, row.mean)
    )
    return f"{lower} to {upper} (mean {mean})"


def _margin(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield which way margin fluctuation of automatic masks is off."""
    row = evidence.row("agreement", feature=MF, measure="bias")
    if row is None:
        return
    if row.high < 0:
        found = "are smoother than manual ones"
    elif row.low > 0:
        found = "are rougher than manual ones"
    else:
        found = "are not shown to be smoother or rougher than manual ones"
    values = (number_text(value, 4) for value in (row.estimate, row.low, row.high))
    yield Text(
        "Automatic outlines {}, as judged by MF: the mean difference is {} ({} to {}).".format(
            found, *values
        )
    )


def _three(*values: float) -> str:
    return "{} ({} to {})".format(*(number_text(value, 3) for value in values))
