"""The conclusion: what was found in plain sentences, how sure it is, and one figure of it all."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lggshape import shape
from lggshape.association import Study, Test, corrected_alpha
from lggshape.figures.forest import ForestPanel, ForestRow, forest_plot
from lggshape.names import first_few
from lggshape.report import wording
from lggshape.report.blocks import Block, Facts, Folded, Text
from lggshape.report.gallery import Gallery, on_axis
from lggshape.report.selection import decided_by, of_masks, of_pairs, tested_features

MOST_ROWS = 40
"""A figure shows at most this many hypotheses: those with the smallest p."""


def conclusion(study: Study, masks: str) -> list[str]:
    """Return what was found on one kind of mask, a sentence each, what matters most first.

    They say what holds, how strong it is, whether the tests can only be exploratory, how many
    could not be tested, and how many published bounds are reached.
    """
    rows = of_masks(study.associations, masks)
    untested = int(rows["p"].isna().sum())
    sentences = (
        _named(study, rows),
        _strongest(study, rows),
        wording.exploratory(study, masks),
        f"{untested} of {len(rows)} could not be tested." if untested else "",
        wording.published_bounds(study, rows),
    )
    return list(filter(None, sentences))


def _named(study: Study, rows: pd.DataFrame) -> str:
    """Return how many hypotheses hold, and which."""
    alpha = study.family.alpha
    holding = rows[rows["p_bonferroni"] <= alpha].sort_values("p", kind="stable")
    names = [_pair(row) for row in holding.itertuples(index=False)]
    without = "" if study.given is None else "Unadjusted, "
    return (
        f"{without}{len(names)} of {len(rows)} {'hypothesis' if len(rows) == 1 else 'hypotheses'} "
        f"{'holds' if len(names) == 1 else 'hold'} after correction for all of them (Bonferroni, "
        f"{alpha:g}){': ' if names else ''}{first_few(names)}."
    )


def _strongest(study: Study, rows: pd.DataFrame) -> str:
    """Return the effect of the hypothesis with the smallest p, and its direction."""
    rows = rows.dropna(subset=["p"])
    if rows.empty:
        return ""
    row: Any = next(rows.nsmallest(1, "p").itertuples(index=False))
    low, high = wording.number_text(row.effect_low), wording.number_text(row.effect_high)
    return (
        f"The smallest p is that of {_pair(row)} (p {wording.p_equals(row.p)}): its "
        f"{row.effect_name} is {wording.number_text(row.effect)} (95 % interval {low} to {high}) "
        f"in {row.n} patients{_direction(study, row)}."
    )


def _direction(study: Study, row: Any) -> str:
    """Return in which level the feature is highest, which V and epsilon squared do not tell."""
    if wording.verdict(row, study.family)[0] not in wording.SUGGESTIVE:
        return ""
    found = wording.most_and_least(study, row.masks, (row.feature, row.label))
    if found is None:
        return ""
    most, least = found
    return f"; {wording.symbol(row.feature)} is highest in {most.level} and lowest in {least.level}"


def by_chance(study: Study) -> str:
    """Return how often chance alone would give such a result."""
    return (
        f"If no hypothesis were true, one or more would hold by chance in at most "
        f"{100 * study.family.alpha:g} % of such studies. One that does not hold may still be true."
    )


def _pair(row: Any) -> str:
    return f"{wording.symbol(row.feature)} × {row.label}"


def forest(study: Study, gallery: Gallery) -> Iterator[Block]:
    """Yield the figure of every hypothesis with its interval."""
    chosen = _smallest(study)
    panels = [panel for test in study.tests if (panel := _panel(study, test, chosen)).rows]
    if not panels:
        return
    shown = sum(len(panel.rows) for panel in panels)
    bounds = wording.comparable(study) and any(
        bound is not None for bound in study.family.reported_bounds.values()
    )
    description = "Every hypothesis with its effect and 95 % interval, and p at the right"
    total = len(study.family.hypotheses)
    if shown < total:
        description = (
            f"The {shown} hypotheses with the smallest p, of {total}, with effects and 95 % "
            "intervals, and p at the right"
        )
    if bounds:
        description += "; in brackets the bound that was published"
    note = f"uncorrected p{' (published)' if bounds else ''}"
    figure = forest_plot(panels, study.masks, note_name=note)
    rows = [row for panel in panels for row in panel.rows]
    data = "; ".join(f"{row.name}: {_in_words(study.masks, row)}" for row in rows)
    yield gallery.keep(figure, description, "hypotheses", data=data)


def _in_words(masks: Sequence[str], row: ForestRow) -> str:
    found = (
        f"{kind} {wording.interval_text(*estimate)}"
        for kind, estimate in zip(masks, row.estimates, strict=True)
    )
    return f"{', '.join(found)}, p {row.note}"


def _smallest(study: Study) -> set[tuple[str, str]]:
    """Return the features and labels of the hypotheses with the smallest p on any mask."""
    smallest = study.associations.groupby(["feature", "label"], sort=False)["p"].min()
    names = smallest.sort_values(kind="stable").index[:MOST_ROWS]
    return {(str(feature), str(label)) for feature, label in names}


def _panel(study: Study, test: Test, chosen: set[tuple[str, str]]) -> ForestPanel:
    """Return the effects of the hypotheses that a test decided about."""
    pairs = decided_by(study, test) & chosen
    table = of_pairs(study.associations, pairs)
    rows = [_row(study, group) for _, group in table.groupby(["feature", "label"], sort=False)]
    limits = None if test.is_ratio else _limits(table, test)
    return ForestPanel(rows, test.effect, test.no_effect, limits, test.is_ratio)


def _limits(table: pd.DataFrame, test: Test) -> tuple[float, float]:
    """Return the ends of an axis that holds all intervals, within what the effect can be."""
    low, high = test.effect_limits
    values = np.abs(table[["effect", "effect_low", "effect_high"]].to_numpy(dtype=float))
    end = min(high, 1.05 * float(values[np.isfinite(values)].max(initial=0.2)))
    return (max(low, -end) if low < 0 else low - 0.01 * end), end


def _row(study: Study, group: pd.DataFrame) -> ForestRow:
    """Return one hypothesis on all kinds of mask."""
    found: dict[str, Any] = {str(row.masks): row for row in group.itertuples(index=False)}
    first = next(iter(found.values()))
    bounds = study.family.reported_bounds
    bound = bounds[first.feature, first.label] if wording.comparable(study) else None
    note = ", ".join(wording.p_text(row.p) for row in found.values())
    return ForestRow(
        on_axis(_pair(first)),
        [_estimate(found.get(masks)) for masks in study.masks],
        note if bound is None else f"{note} (< {bound:g})",
        filled=[masks in found and _holds(study, found[masks]) for masks in study.masks],
    )


def _holds(study: Study, row: Any) -> bool:
    return bool(row.p_bonferroni <= study.family.alpha)


def _estimate(row: Any) -> tuple[float, float, float]:
    if row is None:
        return math.nan, math.nan, math.nan
    return float(row.effect), float(row.effect_low), float(row.effect_high)


def terms(study: Study) -> Iterator[Block]:
    """Yield what the features and labels are, where they first appear."""
    features = [
        (f"{wording.symbol(name)}", f"{wording.plain(name)}. {shape.FEATURES[name].definition}")
        for name in tested_features(study)
        if name in shape.FEATURES
    ]
    if features:
        yield Facts(features)
    levels = [(name, _levels(study, name)) for name in study.labels]
    yield Folded("What the labels are, and their levels", [Facts(levels)])


def _levels(study: Study, name: str) -> str:
    label = study.labels[name]
    patients = set(study.data["patient"])
    values = label.values[label.values.index.isin(list(patients))]
    if label.events is not None:
        return f"a time to an event, of {len(values)} patients"
    if not label.levels:
        return f"a number, of {len(values)} patients"
    counts = values.value_counts()
    return "groups: " + ", ".join(f"{level} ({counts.get(level, 0)})" for level in label.levels)


def how_to_read(study: Study) -> Text:
    """Return what a reader has to know of the figure."""
    level = corrected_alpha(study.family)
    return Text(
        "Each line is an effect with its 95 % interval; the dashed line is no effect. A hypothesis "
        f"holds if p is at most {level:.2g}, which is {study.family.alpha:g} divided by the number "
        "of hypotheses (Bonferroni). The markers of those that hold are filled. The interval and p "
        "are computed in different ways, so that an interval may reach the dashed line although p "
        f"is below {study.family.alpha:g}.",
        "note",
    )
