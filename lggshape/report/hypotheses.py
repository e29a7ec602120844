"""Hypothesis by hypothesis: the verdict in words, the groups in a figure and in a table."""

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from lggshape import shape
from lggshape.association import CHECK, Hypothesis, Study
from lggshape.names import counted
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
from lggshape.report.people import People
from lggshape.report.selection import for_each_kind, of_masks, of_pair

MOST_CARDS = 40
"""A report shows at most this many hypotheses one by one, those with the smallest p; the figures of
all of them lie beside it."""


def hypotheses(study: Study, gallery: Gallery, people: People) -> Section:
    """Return the section with a card for each hypothesis."""
    total = len(study.family.hypotheses)

    def cards(masks: str) -> Iterator[Block]:
        table = of_masks(study.associations, masks)
        made = [
            _card(study, number, hypothesis, row, gallery, people)
            for number, (hypothesis, row) in enumerate(
                zip(study.family.hypotheses, table.itertuples(index=False), strict=True), start=1
            )
        ]
        if total > MOST_CARDS:
            yield Text(
                f"Only the {MOST_CARDS} hypotheses with the smallest p are shown, of {total}. The "
                "figures of all hypotheses are in " + code("figures/") + ", their counts in "
                + code("contingency.csv") + ".",
                "note",
            )  # fmt: skip
        order = np.argsort(table["p"].to_numpy(), kind="stable")[:MOST_CARDS]
        yield from (made[position] for position in sorted(order))

    return Section(
        "hypotheses", "Hypothesis by hypothesis", for_each_kind(study, cards), "Hypotheses"
    )


def _card(
    study: Study, number: int, hypothesis: Hypothesis, row: Any, gallery: Gallery, people: People
) -> Card:
    short, sentence = wording.verdict(row, study.family)
    sentences = [
        sentence,
        *(_direction(study, hypothesis, row) if short in wording.SUGGESTIVE else ()),
        wording.beside_the_publication(row, hypothesis) if wording.comparable(study) else "",
    ]
    effect = wording.interval_text(row.effect, row.effect_low, row.effect_high)
    test = study.test_of(hypothesis)
    per_level = f" ({row.n_per_level})" if row.n_per_level else ""
    events = "" if pd.isna(row.events) else f" ({counted(int(row.events), 'event')})"
    count = f"n = {row.n}{events or per_level}"
    numbers = (
        f"{test.title}: {count}, p {wording.p_equals(row.p)} (after Bonferroni correction: "
        f"{wording.p_text(row.p_bonferroni)}), {test.effect} {effect}."
    )
    shown = "" if np.isnan(row.p) else wording.what_n_can_show(row, study, test)
    blocks: list[Block] = [
        Text(" ".join(filter(None, sentences))),
        Text(numbers + "".join(_checks(study, hypothesis, row.masks))),
        *([Text(shown)] if shown else []),
    ]
    counts = of_pair(study.contingency, row.masks, hypothesis.feature, hypothesis.label)
    if not np.isnan(row.p):
        parts: list[Block] = [_drawing(study, number, hypothesis, row.masks, gallery, people)]
        if not counts.empty:
            parts.append(_counts(study, hypothesis, counts))
        blocks.append(SideBySide(parts))
    title = f"{number}. {wording.plain(hypothesis.feature)} × {hypothesis.label}"
    return Card(title, short, blocks)


def _direction(study: Study, hypothesis: Hypothesis, row: Any) -> Iterator[str]:
    """Yield which way the effect goes, and in which levels values are highest and lowest."""
    yield study.test_of(hypothesis).direction(row.effect, study.labels[hypothesis.label])
    yield wording.extremes(study, row.masks, hypothesis)


def _checks(study: Study, hypothesis: Hypothesis, masks: str) -> Iterator[str]:
    """Yield the checks of what the test assumes, each as a sentence."""
    rows: Any = of_pair(study.sensitivity, masks, hypothesis.feature, hypothesis.label)
    for row in rows.itertuples(index=False):
        if row.analysis.startswith(CHECK) and not np.isnan(row.p):
            doubt = ", so they are in doubt" if row.p < study.family.alpha else ""
            what = row.analysis.removeprefix(CHECK)
            yield f" Check of {what}: p {wording.p_equals(row.p)}{doubt}."


def _drawing(
    study: Study, number: int, hypothesis: Hypothesis, masks: str, gallery: Gallery, people: People
) -> Drawing:
    """Draw the feature against the label, as the test shows it."""
    unit = _unit(hypothesis.feature, of_masks(study.data, masks))
    figure = study.test_of(hypothesis).figure(
        study.pair(hypothesis, masks),
        bins=study.bins,
        value_name=on_axis(wording.plain(hypothesis.feature)) + unit,
        targets=people.targets,
    )
    name = wording.plain(hypothesis.feature)
    description = f"{name} by {hypothesis.label}, all patients"
    names = masks, f"{number:03d}", hypothesis.feature, hypothesis.label
    titles = people.titles(hypothesis.feature, masks, hypothesis.label)
    return gallery.keep(figure, description, *names, titles=titles)


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
        f"Number of patients in each group, by {kind} of the feature.",
        "",
        Column("from, to", itemgetter(0), "text"),
        *(Column(level, itemgetter(place)) for place, level in enumerate(levels, start=1)),
    )
