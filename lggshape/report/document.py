"""The report of a study: one HTML file, with its tables and figures beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lggshape.association import Hypothesis, Study, irregularity
from lggshape.figures import box_and_points, heat_map, interval_plot
from lggshape.files import write_text
from lggshape.provenance import InputFile
from lggshape.report import wording
from lggshape.report.page import Drawing, Gallery, page_environment
from lggshape.shape import FEATURES

MOST_CARDS = 40
"""A report shows at most this many hypotheses one by one, those with the smallest p; the figures of
all of them lie beside it."""


_LONGEST = 40
"""Longer names are cut in the names of files and on the axes of figures."""


@dataclass(frozen=True)
class Card:
    """One hypothesis with all that belongs to it."""

    number: int
    hypothesis: Hypothesis
    row: Any
    short: str
    sentences: Sequence[str]
    drawing: Drawing | None
    contingency: pd.DataFrame | None
    cuts: Sequence[tuple[float, float]]


def write_report(
    study: Study,
    folder: Path,
    *,
    inputs: Sequence[InputFile] = (),
    options: Mapping[str, Any] | None = None,
    on_figure: Callable[[], None] | None = None,
) -> Path:
    """Write `report.html` and, beside it, every figure as PNG and SVG.

    Parameters
    ----------
    study : Study
        The results.
    folder : Path
        Where to write. Figures go to `figures/` in it.
    inputs : sequence of InputFile
        The files that the study was made from.
    options : mapping, optional
        The options that it was made with.
    on_figure : callable, optional
        Called after each figure, to show progress.

    Returns
    -------
    Path
        The HTML file. It stands alone: styles and figures are in it.
    """
    gallery = Gallery(folder, on_figure=on_figure)
    sections = [_section(study, masks, gallery.keep) for masks in study.masks]
    environment = page_environment()
    environment.filters |= {
        "p": wording.p_text,
        "p_equals": wording.p_equals,
        "plain": wording.plain,
        "symbol": wording.symbol,
        "heading": wording.heading,
        "number": wording.number_text,
    }
    environment.globals["interval"] = wording.interval_text
    page = environment.get_template("report.html.jinja").render(
        study=study,
        family=study.family,
        published=wording.comparable(study)
        and any(h.reported_below is not None for h in study.family.hypotheses),
        sections=sections,
        most_cards=MOST_CARDS,
        features=[FEATURES[name] for name in _tested_features(study) if name in FEATURES],
        abbreviations=_abbreviations(study),
        flow_after=study.flow[study.flow["masks"] == ""],
        inputs=inputs,
        options=options or {},
        tables=list(study.tables()),
    )
    path = folder / "report.html"
    write_text(path, page)
    return path


def count_figures(study: Study) -> int:
    """Say how many figures `write_report` will draw."""
    return len(study.masks) * (len(study.family.hypotheses) + len(_tested_labels(study)) + 1)


def _section(
    study: Study, masks: str, keep: Callable[[str, str, Figure], Drawing]
) -> dict[str, Any]:
    """Collect what the report says about one kind of mask."""

    def of(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["masks"] == masks]

    rows = list(of(study.associations).itertuples(index=False))
    cards = [
        _card(study, masks, number, hypothesis, row, keep)
        for number, (hypothesis, row) in enumerate(
            zip(study.family.hypotheses, rows, strict=True), start=1
        )
    ]
    order = np.argsort([card.row.p for card in cards], kind="stable")[:MOST_CARDS]
    return {
        "masks": masks,
        "summary": wording.summary(study, masks),
        "flow": of(study.flow),
        "patients": of(study.patients),
        "all": cards,
        "cards": [cards[position] for position in sorted(order)],
        "heat_map": _heat_map(study, masks, rows, keep),
        "areas": [_areas(study, masks, label, keep) for label in _tested_labels(study)],
        "analyses": list(dict.fromkeys(of(study.sensitivity)["analysis"])),
        "sensitivity": _side_by_side(of(study.sensitivity)),
    }


def _card(
    study: Study,
    masks: str,
    number: int,
    hypothesis: Hypothesis,
    row: Any,
    keep: Callable[[str, str, Figure], Drawing],
) -> Card:
    short, sentence = wording.verdict(row, study.family)
    sentences = [
        sentence,
        wording.extremes(study, masks, hypothesis) if short in wording.SUGGESTIVE else "",
        wording.beside_the_paper(row, hypothesis) if wording.comparable(study) else "",
    ]
    counts = study.contingency
    if not counts.empty:
        chosen = (
            (counts["masks"] == masks)
            & (counts["feature"] == hypothesis.feature)
            & (counts["label"] == hypothesis.label)
        )
        counts = counts[chosen]
    if counts.empty:
        return Card(number, hypothesis, row, short, sentences, None, None, ())
    levels = study.labels[hypothesis.label].levels
    table = counts.pivot_table(index="bin", columns="level", values="count", observed=False)
    table = table[list(levels)].astype(int)
    bins = counts.drop_duplicates("bin")
    data = study.data[study.data["masks"] == masks]
    label = study.labels[hypothesis.label].values.reindex(data["patient"])
    figure = box_and_points(
        [data.loc[(label == level).to_numpy(), hypothesis.feature].dropna() for level in levels],
        [_cut(level) for level in levels],
        value_name=feature_caption(hypothesis.feature, data),
        cuts=list(bins["high"][:-1]),
    )
    drawing = keep(
        f"{_file_name(masks)}-{number:03d}-{_file_name(hypothesis.feature)}"
        f"-{_file_name(hypothesis.label)}",
        f"{wording.plain(hypothesis.feature)} in each group of {hypothesis.label}, all patients",
        figure,
    )
    return Card(
        number, hypothesis, row, short, sentences, drawing, table,
        list(zip(bins["low"], bins["high"], strict=True)),
    )  # fmt: skip


def feature_caption(feature: str, data: pd.DataFrame) -> str:
    """Name a feature with its unit, as an axis of a figure does."""
    words = wording.plain(feature)
    if feature not in FEATURES:
        return words
    known = "spacing_known" in data and bool((data["spacing_known"] == True).any())  # noqa: E712
    unit = FEATURES[feature].unit if known else FEATURES[feature].unit_without_spacing
    return f"{words} ({unit})" if unit not in {"", "1"} else words


def _heat_map(
    study: Study, masks: str, rows: Sequence[Any], keep: Callable[[str, str, Figure], Drawing]
) -> Drawing:
    features, labels = _tested_features(study), _tested_labels(study)
    values = np.full((len(labels), len(features)), np.nan)
    texts = [["" for _ in features] for _ in labels]
    for row in rows:
        place = labels.index(row.label), features.index(row.feature)
        values[place] = row.effect
        mark = "*" if row.p_bonferroni <= study.family.alpha else ""
        texts[place[0]][place[1]] = f"{row.effect:.2f}{mark}"
    effect = "Cramér's V" if study.test == "fisher" else "epsilon squared"
    figure = heat_map(
        values,
        texts,
        rows=[_cut(name) for name in labels],
        columns=[wording.symbol(name) for name in features],
        value_name=effect,
    )
    description = (
        f"{effect} of every tested pair; a star marks those that hold after Bonferroni correction"
    )
    return keep(f"{_file_name(masks)}-effects", description, figure)


def _areas(
    study: Study, masks: str, label: str, keep: Callable[[str, str, Figure], Drawing]
) -> dict[str, Any]:
    table = study.discrimination
    table = table[(table["masks"] == masks) & (table["label"] == label)]
    rows: list[Any] = list(table.itertuples(index=False))
    reported = [_reported_auc(study, row) for row in rows]
    shown = [
        f"{'1/' if irregularity(row.feature) < 0 else ''}"
        f"{wording.symbol(row.feature)}: {_cut(row.level)}"
        for row in rows
    ]
    figure = interval_plot(
        shown,
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
    drawing = keep(f"{_file_name(masks)}-auc-{_file_name(label)}", description, figure)
    return {
        "label": label,
        "drawing": drawing,
        "rows": list(zip(shown, rows, reported, strict=True)),
        "reported": any(value is not None for value, _ in reported),
    }


def _reported_auc(study: Study, row: Any) -> tuple[float | None, str]:
    """Give the published AUC: of the same kind of mask if there is one, else of another."""
    entries = [
        entry
        for entry in study.family.reported_aucs
        if (entry.feature, entry.label) == (row.feature, row.label) and row.level in entry.values
    ]
    entries.sort(key=lambda entry: entry.masks != row.masks)
    if not entries:
        return None, ""
    return entries[0].values[row.level], entries[0].masks


def _side_by_side(sensitivity: pd.DataFrame) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Give each hypothesis with its result by analysis."""
    for key, group in sensitivity.groupby(["feature", "label"], sort=False):
        yield key, {str(row.analysis): row for row in group.itertuples(index=False)}


def _tested_features(study: Study) -> list[str]:
    return list(dict.fromkeys(h.feature for h in study.family.hypotheses))


def _tested_labels(study: Study) -> list[str]:
    return list(dict.fromkeys(h.label for h in study.family.hypotheses))


def _abbreviations(study: Study) -> str:
    return " ".join(
        f"{wording.symbol(name)}: {wording.plain(name)}."
        for name in _tested_features(study)
        if wording.symbol(name) != wording.plain(name)
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in text)[:_LONGEST]
