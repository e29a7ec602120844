"""What was asked and the answer, and the answers that other analyses give."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lggshape.association import Study
from lggshape.figures import heat_map
from lggshape.report import columns, wording
from lggshape.report.blocks import Block, Column, Drawing, Section, Table, Text, strong
from lggshape.report.gallery import Gallery, on_axis
from lggshape.report.selection import (
    effect_name,
    for_each_kind,
    of_masks,
    test_name,
    tested_features,
    tested_labels,
)


def answer(study: Study, gallery: Gallery) -> Section:
    """Return the section that answers what was asked."""
    family, count = study.family, len(study.family.hypotheses)
    leads: list[Block] = [
        Text(strong(f"{wording.heading(masks)}.") + " " + wording.summary(study, masks), "lead")
        for masks in study.masks
    ]
    asked = Text(
        "The question is whether the shape of the tumour is associated with the labels of the "
        "patients. The family “"
        + strong(family.name)
        + f"” has {count} {'hypothesis' if count == 1 else 'hypotheses'}."
        + (f" The shape is that of the region {study.region}." if study.region else "")
        + (f" Source: {family.reference}" if family.reference else "")
    )

    def tests(masks: str) -> Iterator[Block]:
        yield from _tests(study, masks)
        yield _effects(study, masks, gallery)

    blocks = [*leads, asked, *for_each_kind(study, tests)]
    return Section("answer", "What was asked, and the answer", blocks, "Answer")


def _tests(study: Study, masks: str) -> Iterator[Block]:
    """Return the table of all hypotheses, with what is needed to read it."""
    family = study.family
    rows = of_masks(study.associations, masks)
    numbers = {(h.feature, h.label): place for place, h in enumerate(family.hypotheses, start=1)}
    yield Table.of(
        rows,
        f"Every hypothesis, tested by {test_name(study)}. The p-values are corrected "
        f"over all {len(family.hypotheses)} hypotheses of the family “{family.name}” (BH: "
        "Benjamini and Hochberg).",
        "associations",
        Column("No.", lambda row: str(numbers[row.feature, row.label])),
        columns.feature(),
        columns.words("label", "label"),
        Column("verdict", lambda row: wording.verdict(row, family)[0], "tag"),
        columns.count("n", "n"),
        Column("p", _p),
        columns.p("Bonferroni", "p_bonferroni"),
        columns.p("Holm", "p_holm"),
        columns.p("BH", "p_bh"),
        columns.interval(f"{effect_name(study)} (95 %)", "effect", "effect_low", "effect_high"),
        *_published(study),
    )
    notes = []
    if rows["p_standard_error"].notna().any():
        notes.append("† Monte Carlo p, because the exact p would take too long.")
    notes += [
        f"{wording.symbol(name)}: {wording.plain(name)}."
        for name in tested_features(study)
        if wording.symbol(name) != wording.plain(name)
    ]
    if notes:
        yield Text(" ".join(notes), "note")


def _p(row: Any) -> str:
    return f"{wording.p_text(row.p)}{'' if np.isnan(row.p_standard_error) else '†'}"


def _published(study: Study) -> Iterator[Column]:
    """Return the column of published bounds, if there are any that p can be compared with."""
    bounds = study.family.reported_bounds

    def cell(row: Any) -> str:
        bound = bounds[row.feature, row.label]
        return "—" if bound is None else f"< {bound:g}"

    if wording.comparable(study) and any(bound is not None for bound in bounds.values()):
        yield Column("published", cell)


def _effects(study: Study, masks: str, gallery: Gallery) -> Drawing:
    """Draw the effect of every tested pair."""
    features, labels = tested_features(study), tested_labels(study)
    values = np.full((len(labels), len(features)), np.nan)
    texts = [["" for _ in features] for _ in labels]
    row: Any
    for row in of_masks(study.associations, masks).itertuples(index=False):
        place = labels.index(row.label), features.index(row.feature)
        values[place] = row.effect
        mark = "*" if row.p_bonferroni <= study.family.alpha else ""
        texts[place[0]][place[1]] = f"{row.effect:.2f}{mark}"
    effect = effect_name(study)
    figure = heat_map(
        values,
        texts,
        rows=[on_axis(name) for name in labels],
        columns=[on_axis(wording.symbol(name)) for name in features],
        value_name=effect,
    )
    description = (
        f"{effect} of every tested pair; a star marks those that remain significant after "
        "Bonferroni correction"
    )
    return gallery.keep(figure, description, masks, "effects")


def sensitivity(study: Study) -> Section:
    """Return the section on the same hypotheses by other analyses."""

    def table(masks: str) -> Iterator[Block]:
        results = of_masks(study.sensitivity, masks)
        by_pair = {
            pair: {str(row.analysis): row for row in group.itertuples(index=False)}
            for pair, group in results.groupby(["feature", "label"], sort=False)
        }
        pairs = results[["feature", "label"]].drop_duplicates()
        analyses = list(dict.fromkeys(results["analysis"]))
        yield Table.of(
            pairs,
            "",
            "sensitivity",
            columns.feature(),
            columns.words("label", "label"),
            *(column for name in analyses for column in _analysis(name, by_pair)),
        )

    effects = [f"{test.effect} ({test.title})" for test in (*study.tests, *study.other_tests)]
    blocks: list[Block] = [
        Text(
            "The same hypotheses, analysed in other ways. There are no verdicts here, because the "
            "correction covers the primary tests only."
        ),
        *for_each_kind(study, table),
        Text(f"Effects: {', '.join(effects)}.", "note"),
    ]
    return Section("sensitivity", "Sensitivity", blocks)


def _analysis(name: str, by_pair: dict[Any, dict[str, Any]]) -> tuple[Column, Column]:
    """Return the columns of one analysis: p, and the effect."""

    def p(row: Any) -> str:
        result = by_pair[row.feature, row.label].get(name)
        return "" if result is None else wording.p_text(result.p)

    def effect(row: Any) -> str:
        r = by_pair[row.feature, row.label].get(name)
        return "" if r is None else wording.interval_text(r.effect, r.effect_low, r.effect_high)

    return Column(f"{name}: p", p), Column("effect (95 %)", effect)
