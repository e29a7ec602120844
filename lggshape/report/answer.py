"""What was asked and the answer, and the answers that other analyses give."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lggshape.association import POWER, SMALL_COHORT, Study, corrected_alpha
from lggshape.association.adjusted_models import ADJUSTED
from lggshape.report import columns, wording
from lggshape.report.blocks import Block, Column, Section, Table, Text, strong
from lggshape.report.conclusion import by_chance, conclusion, forest, how_to_read, terms
from lggshape.report.gallery import Gallery
from lggshape.report.selection import (
    decided_by,
    for_each_kind,
    of_masks,
    of_pairs,
    test_name,
)

MOST_SENTENCES = 3
"""The conclusion on a kind of mask has at most this many sentences; further ones stand below."""


def answer(study: Study, gallery: Gallery) -> Section:
    """Return the section that answers what was asked."""
    family, count = study.family, len(study.family.hypotheses)
    leads: list[Block] = []
    further = [by_chance(study)]
    for masks in study.masks:
        heading = wording.heading(masks)
        sentences = [*_given_sentence(study, masks), *conclusion(study, masks)]
        lead, rest = sentences[:MOST_SENTENCES], sentences[MOST_SENTENCES:]
        leads.append(Text(strong(f"{heading}:") + " " + " ".join(lead), "lead"))
        further += [f"{heading}: {' '.join(rest)}"] if rest else []
    figure = list(forest(study, gallery))
    leads += [*figure, *([how_to_read(study)] if figure else [])]
    leads += [Text(strong("How sure is this?") + " " + " ".join(further)), *terms(study)]
    asked = Text(
        strong("Question:")
        + " Is the shape of the tumour associated with the labels of the patients?"
        + (f" The shape is that of the region {study.region}." if study.region else "")
        + f" The family “{family.name}” has {count} "
        + f"{'hypothesis' if count == 1 else 'hypotheses'}.",
        "lead",
    )
    source = [Text(f"Source of the hypotheses: {family.reference}")] if family.reference else []

    blocks = [asked, *leads, *source, *for_each_kind(study, partial(_tests, study))]
    return Section("answer", "What was asked, and the answer", blocks, "Answer")


def _given_sentence(study: Study, masks: str) -> Iterator[str]:
    """Yield the answer of the tests given covariates, which comes first if they were asked for."""
    if study.given is None:
        return
    rows, alpha = _given(study, masks), study.family.alpha
    title = study.given.adjustment.title
    remaining = int((rows["p_holm"] <= alpha).sum())
    several = "hypothesis" if len(rows) == 1 else "hypotheses"
    yield (
        f"{title[:1].upper()}{title[1:]}: p is at most {alpha:g} after Holm's correction for "
        f"{remaining} of {len(rows)} {several}."
    )


def _given(study: Study, masks: str) -> pd.DataFrame:
    """Return the tests given covariates, a row per hypothesis; none without covariates."""
    if study.given is None:
        return pd.DataFrame()
    rows = of_masks(study.given.adjusted, masks)
    return rows[rows["model"] == ADJUSTED]


def _tests(study: Study, masks: str) -> Iterator[Block]:
    """Return the table of all hypotheses, with what is needed to read it."""
    family = study.family
    rows = of_masks(study.associations, masks)
    numbers = {(h.feature, h.label): place for place, h in enumerate(family.hypotheses, start=1)}
    caption = (
        f"Every hypothesis, tested by {test_name(study)}. The p-values are corrected "
        f"over all {len(family.hypotheses)} hypotheses of the family “{family.name}” (BH: "
        "Benjamini and Hochberg)."
    )
    yield from _given_table(study, masks)
    yield Table.of(
        rows,
        caption,
        "associations",
        Column("No.", lambda row: str(numbers[row.feature, row.label])),
        columns.feature(),
        columns.label(),
        Column("verdict", lambda row: wording.verdict(row, family)[0], "tag"),
        _number_column(study),
        _p_column(study),
        columns.p("Bonferroni", "p_bonferroni"),
        columns.p("BH", "p_bh"),
        _effect_column(study),
        *_highest(study),
    )
    notes = []
    if rows["exploratory"].any():
        notes.append("‡ Exploratory: see the table below.")
    if any(test.is_ratio for test in study.tests):
        notes.append("A hazard ratio of 1 is no effect; SD is a standard deviation of the feature.")
    if rows["p_standard_error"].notna().any():
        notes.append("† Monte Carlo p, because the exact p would take too long.")
    if notes:
        yield Text(" ".join(notes), "note")
    yield _what_n_can_show(study, rows)


def _number_column(study: Study) -> Column:
    """Return the column of the numbers of patients, with those of events if there are any."""
    if all(label.events is None for label in study.labels.values()):
        return Column("n", lambda row: f"{row.n}{_mark(row)}")

    def cell(row: Any) -> str:
        events = "" if pd.isna(row.events) else f" ({row.events})"
        return f"{row.n}{events}{_mark(row)}"

    return Column("n (events)", cell)


def _mark(row: Any) -> str:
    return "‡" if row.exploratory else ""


def _what_n_can_show(study: Study, rows: pd.DataFrame) -> Table:
    """Return the table of the smallest effects that the tests could have shown.

    They depend on the label and the number of patients, so that features share a row.
    """
    shared = ["label", "n", "events", "effect_name", *SMALL_COHORT]
    rows = rows[rows["p"].notna()]
    return Table.of(
        rows.groupby(shared, sort=False, dropna=False)["feature"].agg(list).reset_index(),
        "What this number of patients can show. Detectable is the smallest effect that a test "
        f"finds with {100 * POWER:.0f} % power at {corrected_alpha(study.family):.2g}, the level "
        "after Bonferroni correction; — if it would miss even the largest.",
        "associations",
        columns.label(),
        Column("features", lambda row: _features(row.feature, rows), "text"),
        _number_column(study),
        columns.words("n per level", "n_per_level"),
        columns.words("effect", "effect_name"),
        columns.number("detectable", "detectable"),
        columns.number("large", "large"),
        Column("exploratory", lambda row: row.exploratory or "no", "text"),
    )


def _features(names: list[str], rows: pd.DataFrame) -> str:
    everything = len(names) == rows["feature"].nunique() and len(names) > 1
    return "all" if everything else ", ".join(map(wording.symbol, names))


def _p(row: Any) -> str:
    return f"{wording.p_text(row.p)}{'' if np.isnan(row.p_standard_error) else '†'}"


def _p_column(study: Study) -> Column:
    """Return the column of p, with the published bounds if p can be compared with any."""
    bounds = study.family.reported_bounds
    if not wording.comparable(study) or all(bound is None for bound in bounds.values()):
        return Column("p", _p)

    def cell(row: Any) -> str:
        bound = bounds[row.feature, row.label]
        return _p(row) if bound is None else f"{_p(row)} (< {bound:g})"

    return Column("p (published)", cell)


def _highest(study: Study) -> Iterator[Column]:
    """Yield the column of the level in which the feature is highest, if there are levels."""

    def cell(row: Any) -> str:
        found = wording.most_and_least(study, row.masks, (row.feature, row.label))
        if found is None or wording.verdict(row, study.family)[0] not in wording.SUGGESTIVE:
            return "—"
        return str(found[0].level)

    if not study.discrimination.empty:
        yield Column("highest in", cell, "text")


def _effect_column(study: Study) -> Column:
    """Return the column of the effects, each with its name if not all are of one kind."""
    if len(study.tests) == 1:
        title = f"{study.tests[0].effect} (95 %)"
        return columns.interval(title, "effect", "effect_low", "effect_high")

    def cell(row: Any) -> str:
        effect = wording.interval_text(row.effect, row.effect_low, row.effect_high)
        return f"{row.effect_name} {effect}".strip()

    return Column("effect (95 %)", cell, "text")


def _given_table(study: Study, masks: str) -> Iterator[Table]:
    """Yield the table of the tests given covariates, if there are any."""
    rows = _given(study, masks)
    if study.given is None or rows.empty:
        return

    def effect(row: Any) -> str:
        return wording.interval_text(row.effect, row.effect_low, row.effect_high)

    yield Table.of(
        rows,
        f"Every hypothesis {study.given.adjustment.title}, tested on the patients who have all "
        "covariates. The p-values are corrected over all hypotheses of the family.",
        "adjusted",
        columns.feature(),
        columns.label(),
        columns.count("n", "n"),
        columns.p("p, adjusted"),
        columns.p("Holm, adjusted", "p_holm"),
        columns.words("effect", "effect_name"),
        Column("adjusted (95 %)", effect),
    )


def sensitivity(study: Study) -> Section:
    """Return the section on the same hypotheses by other analyses."""

    def tables(masks: str) -> Iterator[Block]:
        results = of_masks(study.sensitivity, masks)
        for test in study.tests:
            rows = of_pairs(results, decided_by(study, test))
            if rows.empty:
                continue
            by_pair = {
                pair: {str(row.analysis): row for row in group.itertuples(index=False)}
                for pair, group in rows.groupby(["feature", "label"], sort=False)
            }
            analyses = list(dict.fromkeys(rows["analysis"]))
            yield Table.of(
                rows[["feature", "label"]].drop_duplicates(),
                f"Primary test: {test.title}." if len(study.tests) > 1 else "",
                "sensitivity",
                columns.feature(),
                columns.label(),
                *(column for name in analyses for column in _analysis(name, by_pair)),
            )

    effects = dict.fromkeys(
        f"{test.effect} ({test.title})" for test in (*study.tests, *study.other_tests)
    )
    blocks: list[Block] = [
        Text(
            "The same hypotheses, analysed in other ways. There are no verdicts here, because the "
            "correction covers the primary tests only."
        ),
        *for_each_kind(study, tables),
        Text(f"Effects: {', '.join(effects)}.", "note"),
    ]
    return Section("sensitivity", "Sensitivity", blocks)


def _analysis(name: str, by_pair: dict[Any, dict[str, Any]]) -> Iterator[Column]:
    """Return the columns of one analysis: p, and the effect if it has one."""

    def p(row: Any) -> str:
        result = by_pair[row.feature, row.label].get(name)
        return "" if result is None else wording.p_text(result.p)

    def effect(row: Any) -> str:
        r = by_pair[row.feature, row.label].get(name)
        return "" if r is None else wording.interval_text(r.effect, r.effect_low, r.effect_high)

    yield Column(f"{name}: p", p)
    if any(found[name].effect_name for found in by_pair.values() if name in found):
        yield Column("effect (95 %)", effect)
