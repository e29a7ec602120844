"""One group against the rest: areas under the curve."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from lggshape.association import Study, irregularity
from lggshape.figures import interval_plot
from lggshape.report import columns, wording
from lggshape.report.blocks import Block, Column, Heading, Section, SideBySide, Table, Text
from lggshape.report.gallery import Gallery, on_axis
from lggshape.report.selection import for_each_kind, labels_with_groups


def areas(study: Study, gallery: Gallery) -> Section:
    """Return the section on one group against the rest."""

    def of(masks: str) -> Iterator[Block]:
        for label in labels_with_groups(study):
            yield Heading(label)
            yield _of_label(study, masks, label, gallery)

    blocks: list[Block] = [
        Text(
            "The area under the ROC curve (AUC) is the probability that a patient of the group has "
            "a higher value than a patient of the other groups; 0.50 is chance. For the features "
            "that lggshape measures, higher means a larger or more irregular shape: a feature that "
            "is lower for irregular shapes is inverted (written 1/…). Intervals for groups of a "
            "few patients are rough. If there are only two groups, the second is shown: the AUC of "
            "the first is 1 minus it."
        ),
        *for_each_kind(study, of),
    ]
    return Section("aucs", "One group against the rest", blocks)


def _of_label(study: Study, masks: str, label: str, gallery: Gallery) -> SideBySide:
    table = study.discrimination
    table = _without_mirrors(table[(table["masks"] == masks) & (table["label"] == label)], study)
    rows: list[Any] = list(table.itertuples(index=False))
    reported = [_reported(study, row) for row in rows]
    figure = interval_plot(
        [on_axis(_name(row)) for row in rows],
        table["auc"].tolist(),
        table["auc_low"].tolist(),
        table["auc_high"].tolist(),
        value_name="AUC, this group against the rest",
        no_effect=0.5,
        limits=(0.0, 1.0),
        references=[value for value, _ in reported],
        reference_name="in the publication",
    )
    description = f"Area under the curve of each feature for each group of {label}, with intervals"
    shown = [
        Column("feature: group", _name, "text"),
        Column("in group / n", lambda row: f"{row.n_level} / {row.n}"),
        columns.interval("AUC (95 %)", "auc", "auc_low", "auc_high"),
    ]
    if any(masks for _, masks in reported):
        shown.append(Column("published (masks)", lambda row: _published(study, row)))
    return SideBySide(
        [
            gallery.keep(figure, description, masks, "auc", label),
            Table.of(table, "", "discrimination", *shown),
        ]
    )


def _without_mirrors(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return areas without those of the first of two groups: 1 minus those of the second.

    Those that a publication reports stay.
    """
    groups = list(dict.fromkeys(table["level"]))
    if len(groups) != 2:
        return table
    reported = [_reported(study, row)[0] is not None for row in table.itertuples(index=False)]
    kept = (table["level"] == groups[1]).to_numpy() | np.array(reported)
    others: pd.DataFrame = table.loc[kept]
    return others


def _name(row: Any) -> str:
    inverse = "1/" if irregularity(row.feature) < 0 else ""
    return f"{inverse}{wording.symbol(row.feature)}: {row.level}"


def _published(study: Study, row: Any) -> str:
    value, masks = _reported(study, row)
    return "—" if value is None else f"{wording.number_text(value)} ({masks})"


def _reported(study: Study, row: Any) -> tuple[float | None, str]:
    """Return the published AUC: of the same kind of mask if there is one, else of another."""
    entries = [
        entry
        for entry in study.family.reported_aucs
        if (entry.feature, entry.label) == (row.feature, row.label) and row.level in entry.values
    ]
    entries.sort(key=lambda entry: entry.masks != row.masks)
    if not entries:
        return None, ""
    return entries[0].values[row.level], entries[0].masks
