"""Hypothesis by hypothesis: the verdict in words, the groups in a figure and in a table."""

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from lggshape import shape
from lggshape.association import Hypothesis, Study
from lggshape.figures import box_and_points
from lggshape.report import wording
from lggshape.report.blocks import (
    Block,
    Card,
    Column,
    Drawing,
    Section,
    SideBySide,
    Table,
    Text,
    code,
)
from lggshape.report.gallery import Gallery, on_axis
from lggshape.report.selection import effect_name, for_each_kind, of_masks, of_pair

MOST_CARDS = 40
"""A report shows at most this many hypotheses one by one, those with the smallest p; the figures of
all of them lie beside it."""


def hypotheses(study: Study, gallery: Gallery) -> Section:
    """Return the section with a card for each hypothesis."""
    total = len(study.family.hypotheses)

    def cards(masks: str) -> Iterator[Block]:
        table = of_masks(study.associations, masks)
        made = [
            _card(study, number, hypothesis, row, gallery)
            for number, (hypothesis, row) in enumerate(
                zip(study.family.hypotheses, table.itertuples(index=False), strict=True), start=1
            )
        ]
        if total > MOST_CARDS:
            yield Text(
                f"The {MOST_CARDS} with the smallest p of {total}. The figures of all are in "
                + code("figures/") + ", their tables in " + code("contingency.csv") + ".",
                "note",
            )  # fmt: skip
        order = np.argsort(table["p"].to_numpy(), kind="stable")[:MOST_CARDS]
        yield from (made[position] for position in sorted(order))

    return Section(
        "hypotheses", "Hypothesis by hypothesis", for_each_kind(study, cards), "Hypotheses"
    )


def _card(study: Study, number: int, hypothesis: Hypothesis, row: Any, gallery: Gallery) -> Card:
    short, sentence = wording.verdict(row, study.family)
    sentences = [
        sentence,
        wording.extremes(study, row.masks, hypothesis) if short in wording.SUGGESTIVE else "",
        wording.beside_the_paper(row, hypothesis) if wording.comparable(study) else "",
    ]
    effect = wording.interval_text(row.effect, row.effect_low, row.effect_high)
    blocks: list[Block] = [
        Text(" ".join(filter(None, sentences))),
        Text(
            f"n = {row.n}, p {wording.p_equals(row.p)}, Bonferroni "
            f"{wording.p_text(row.p_bonferroni)}, {effect_name(study)} {effect}."
        ),
    ]
    counts = of_pair(study.contingency, row.masks, hypothesis.feature, hypothesis.label)
    if not counts.empty:
        drawing = _groups(study, number, hypothesis, counts, gallery)
        blocks.append(SideBySide([drawing, _counts(study, hypothesis, counts)]))
    title = f"{number}. {wording.plain(hypothesis.feature)} × {hypothesis.label}"
    return Card(title, short, blocks)


def _groups(
    study: Study, number: int, hypothesis: Hypothesis, counts: pd.DataFrame, gallery: Gallery
) -> Drawing:
    """Draw the feature of the patients of each group."""
    masks = counts["masks"].iloc[0]
    levels = study.labels[hypothesis.label].levels
    data = of_masks(study.data, masks)
    label = study.labels[hypothesis.label].values.reindex(data["patient"])
    figure = box_and_points(
        [data.loc[(label == level).to_numpy(), hypothesis.feature].dropna() for level in levels],
        [on_axis(level) for level in levels],
        value_name=on_axis(wording.plain(hypothesis.feature)) + _unit(hypothesis.feature, data),
        cuts=list(counts.drop_duplicates("bin")["high"][:-1]),
    )
    name = wording.plain(hypothesis.feature)
    description = f"{name} in each group of {hypothesis.label}, all patients"
    names = masks, f"{number:03d}", hypothesis.feature, hypothesis.label
    return gallery.keep(figure, description, *names)


def _unit(name: str, data: pd.DataFrame) -> str:
    """Return the unit of a feature in brackets, as an axis shows it."""
    if name not in shape.FEATURES:
        return ""
    feature = shape.FEATURES[name]
    known = "spacing_known" in data and bool((data["spacing_known"] == True).any())  # noqa: E712
    unit = feature.unit if known else feature.unit_without_spacing
    return f" ({unit})" if unit not in {"", "1"} else ""


def _counts(study: Study, hypothesis: Hypothesis, counts: pd.DataFrame) -> Table:
    """Return the table of bins against groups."""
    levels = list(study.labels[hypothesis.label].levels)
    cells = counts.pivot(index="bin", columns="level", values="count")[levels]
    bins = counts.drop_duplicates("bin")
    rows = [
        [f"{low:.4g}, {high:.4g}", *map(str, row)]
        for low, high, row in zip(bins["low"], bins["high"], cells.to_numpy(), strict=True)
    ]
    kind = "quartile" if study.bins == 4 else "quantile bin"
    return Table.of(
        rows,
        f"Patients by {kind} of the feature and group.",
        "",
        Column("from, to", itemgetter(0), "text"),
        *(Column(level, itemgetter(place)) for place, level in enumerate(levels, start=1)),
    )
