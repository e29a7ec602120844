"""Table 1 of the report: who was studied, by level of each tested label."""

import math
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

import pandas as pd

from lggshape.association import Study
from lggshape.report.blocks import Block, Column, Folded, Section, Table, Text, code
from lggshape.report.gallery import on_axis
from lggshape.report.selection import for_each_kind, labels_with_groups, of_masks

MOST_TABLES = 6
"""A report shows the cohort by at most this many labels."""

MOST_CHARACTERISTICS = 30
"""A report shows at most this many characteristics."""

_Cells = Mapping[tuple[str, str], Any]


def cohort(study: Study) -> Section:
    """Return the section on who was studied."""
    names = list(dict.fromkeys(study.cohort["characteristic"]))
    shown = names[:MOST_CHARACTERISTICS]
    grouping = labels_with_groups(study)

    def of(masks: str) -> Iterator[Block]:
        table = of_masks(study.cohort, masks)
        yield _by(table, "".join(grouping[:1]), shown)
        for by in grouping[1:MOST_TABLES]:
            yield Folded(f"The same by {by}", [_by(table, by, shown)])

    blocks: list[Block] = [
        Text(
            "Characteristics of the patients, as given in the label tables. Numbers are given "
            "as median (lower to upper quartile), groups as number (per cent of those who are "
            "known). There are no p-values here, because a description is not a test (STROBE, item "
            "14)."
        ),
        *for_each_kind(study, of),
    ]
    if len(names) > MOST_CHARACTERISTICS or len(grouping) > MOST_TABLES:
        blocks.append(
            Text(
                f"Shown are the first {len(shown)} of {len(names)} characteristics, by the first "
                f"{min(len(grouping), MOST_TABLES)} of {len(grouping)} labels. All are in "
                + code("cohort.csv") + ".",
                "note",
            )
        )  # fmt: skip
    return Section("cohort", "The cohort", blocks)


def _by(table: pd.DataFrame, by: str, names: list[str]) -> Table:
    """Return the characteristics of all patients, and by level of a label if there is one."""
    groups = {
        (str(key_by), str(level)): group
        for (key_by, level), group in table.groupby(["by", "level"], sort=False)
        if key_by in {"", by}
    }
    cells: list[_Cells] = [
        {(str(row.characteristic), str(row.value)): row for row in group.itertuples(index=False)}
        for group in groups.values()
    ]
    rows: list[list[str]] = []
    for name in names:
        if name == by:
            continue
        own = [key for key in cells[0] if key[0] == name]
        rows += [[_title(*key), *(_cell(found[key]) for found in cells)] for key in own]
        missing = [found[own[0]].missing for found in cells]
        if missing[0]:
            rows.append([f"{name}: missing", *map(str, missing)])
    headings = (
        f"{on_axis(level or 'not known') if key_by else 'all'} (n = {group['patients'].iloc[0]})"
        for (key_by, level), group in groups.items()
    )
    return Table.of(
        rows,
        f"The patients by {by}." if by else "The patients.",
        "cohort",
        Column("characteristic", itemgetter(0), "text"),
        *(Column(title, itemgetter(place)) for place, title in enumerate(headings, start=1)),
    )


def _title(name: str, value: str) -> str:
    return f"{name}: {value}" if value else name


def _cell(row: Any) -> str:
    if row.value:
        share = "" if math.isnan(row.percent) else f" ({row.percent:.0f} %)"
        return f"{row.count}{share}"
    if math.isnan(row.median):
        return f"{row.known} known"
    return f"{_number(row.median)} ({_number(row.lower_quartile)} to {_number(row.upper_quartile)})"


def _number(value: float) -> str:
    """Return a number with three digits, or more if it is whole and large."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
