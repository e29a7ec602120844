"""Effects and p over every set of masks of the same patients."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from lggshape.association import Hypothesis
from lggshape.figures import EffectsAndP, effects_beside_p
from lggshape.report.blocks import Block, Column, Drawing, Table, Text
from lggshape.report.wording import interval_text, number_text, p_text, plain, range_text, symbol
from lggshape.studies.buda2019.analyses.sensitivity import BY_RANKS
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.evidence import StudyEvidence, key, label_name, pair_name

FIGURE = "evidence"
"""Name of the figure's files."""

NETWORKS = "networks and flips"
"""What the masks of single networks are called in the tables."""


class MaskSet(NamedTuple):
    """One or more sets of masks of a kind, with the tests of a hypothesis on them.

    Attributes
    ----------
    name : str
        What kind of masks they are.
    dice : list of float
        Mean Dice of each set, where it is known.
    n : int
        Number of patients.
    v : list of float
        Cramér's V of each set.
    low, high : float
        Its interval, if there is one set.
    p, p_ranks : list of float
        p by quartiles (Fisher) and by ranks (Kruskal-Wallis), of each set.
    """

    name: str
    dice: list[float]
    n: int
    v: list[float]
    low: float
    high: float
    p: list[float]
    p_ranks: list[float]


def mask_sets(evidence: StudyEvidence, h: Hypothesis) -> list[MaskSet]:
    """Return every set of masks that a hypothesis was tested on."""
    found = [
        _one(evidence, h, "manual masks", MANUAL, earlier=False),
        _one(evidence, h, "automatic masks", AUTOMATIC, earlier=False),
        _one(evidence, h, "automatic masks, first run", AUTOMATIC, earlier=True),
        _drawn(evidence, h, "single networks", NETWORKS),
        *_noisy(evidence, h),
        _drawn(evidence, h, "masks drawn from probabilities", _first_field(evidence)),
        *(_second(evidence, h, name, masks) for name, masks in _RATERS.items()),
    ]
    return [one for one in found if one is not None]


def _one(
    evidence: StudyEvidence, h: Hypothesis, name: str, masks: str, *, earlier: bool
) -> MaskSet | None:
    row = evidence.row("associations", earlier=earlier, masks=masks, **key(h))
    if row is None:
        return None
    ranks = evidence.row("sensitivity", earlier=earlier, masks=masks, analysis=BY_RANKS, **key(h))
    score = evidence.row("evaluation", earlier=earlier, score="dice")
    dice = [] if masks == MANUAL or score is None else [float(score.mean)]
    p_ranks = [] if ranks is None else [float(ranks.p)]
    return MaskSet(
        name, dice, int(row.n), [row.effect], row.effect_low, row.effect_high, [row.p], p_ranks
    )


def _drawn(evidence: StudyEvidence, h: Hypothesis, name: str, draws: str) -> MaskSet | None:
    return _several(name, evidence.records("draws", draws=draws, **key(h)))


def _several(name: str, rows: list[Any], dice: list[float] | None = None) -> MaskSet | None:
    if not rows:
        return None
    single = rows[0] if len(rows) == 1 else None
    return MaskSet(
        f"{name} ({len(rows)})" if len(rows) > 1 else name,
        [row.dice for row in rows if hasattr(row, "dice")] if dice is None else dice,
        int(rows[0].n),
        [row.effect for row in rows],
        getattr(single, "effect_low", np.nan),
        getattr(single, "effect_high", np.nan),
        [row.p for row in rows],
        [row.p_ranks for row in rows if hasattr(row, "p_ranks")],
    )


def _noisy(evidence: StudyEvidence, h: Hypothesis) -> Iterator[MaskSet | None]:
    levels = evidence.records("noise")
    for noise in dict.fromkeys(level.noise for level in levels if level.noise > 0):
        name = f"{noise:.0%}"
        rows = [
            row
            for row in evidence.records("noise_associations", **key(h))
            if row.analysis.partition(",")[0] == name
        ]
        dice = [float(level.dice_mean) for level in levels if level.noise == noise]
        yield _several(f"images with {noise * 100:g} % noise", rows, dice)


def _first_field(evidence: StudyEvidence) -> str:
    rows = evidence.records("stability")
    return str(rows[0].draws) if rows else ""


_RATERS = {
    "manual, patients outlined twice": MANUAL,
    "automatic, the same patients": AUTOMATIC,
    "second group, the same patients": "second",
}
"""The kinds of outlines of the patients that a second group of raters outlined as well."""


def _second(evidence: StudyEvidence, h: Hypothesis, name: str, masks: str) -> MaskSet | None:
    tests = evidence.second.get("associations")
    ranks = evidence.second.get("associations_by_ranks")
    if tests is None or ranks is None:
        return None

    def row(table: Any) -> Any:
        own = (table["masks"] == masks) & (table["feature"] == h.feature)
        chosen = table[own & (table["label"] == h.label)]
        return next(chosen.itertuples(index=False), None)

    one, other = row(tests), row(ranks)
    if one is None or other is None:
        return None
    return MaskSet(
        name, [], int(one.n), [one.effect], one.effect_low, one.effect_high,
        [one.p], [other.p],
    )  # fmt: skip


def shown(evidence: StudyEvidence) -> list[Hypothesis]:
    """Return the hypotheses of the figure: the first two on the label with reported areas."""
    return evidence.main[:2]


def figure(evidence: StudyEvidence) -> Figure:
    """Draw effects and p over every set of masks."""
    panels = {
        _panel(h): [
            EffectsAndP(
                one.name, one.n, one.v, one.low, one.high,
                {"p by ranks": one.p_ranks or [np.nan], "p by quartiles": one.p},
            )
            for one in mask_sets(evidence, h)
        ]
        for h in shown(evidence)
    }  # fmt: skip
    bounds = {_panel(h): h.reported_below or np.nan for h in shown(evidence)}
    labels = " or ".join(dict.fromkeys(label_name(h.label) for h in shown(evidence)))
    return effects_beside_p(
        panels,
        effect_name="Cramér's V by quartiles (lines: 95 % intervals)",
        bounds=bounds,
        bound_name="bound reported by the paper",
        title=f"Does the association of shape with {labels} clusters depend on the masks?",
    )


def _panel(h: Hypothesis) -> str:
    return f"{plain(h.feature).capitalize()} ({symbol(h.feature)})"


def description(evidence: StudyEvidence) -> str:
    """Return what the figure shows, with its data."""
    parts = []
    for h in shown(evidence):
        rows = [
            f"{one.name}, n {one.n}: V {_effects(one)}, p {range_text(one.p, p_text)} by quartiles"
            f"{f' and {range_text(one.p_ranks, p_text)} by ranks' if one.p_ranks else ''}"
            for one in mask_sets(evidence, h)
        ]
        parts.append(f"{pair_name(h.feature, h.label)}. {'; '.join(rows)}.")
    bounds = [
        f"{h.reported_below:g} for {pair_name(h.feature, h.label)}"
        for h in shown(evidence)
        if h.reported_below
    ]
    return (
        "The same associations on several sets of masks: effects on the left, p-values on the "
        f"right, with the bounds that the paper reports ({', '.join(bounds)}). {' '.join(parts)}"
    ).removesuffix(".")


CAPTION = (
    "Each row is a set of masks, or several sets with a dot each; n is the number of patients. "
    "Left: the effect. Right: p by two tests. "
    "Dots to the left of the dashed line meet the bound that the paper reports. The shaded rows "
    "have only the patients who were outlined twice, so compare them with each other only"
)


def drawing(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the figure, as the README shows it."""
    if evidence.rows("associations").size:
        yield Drawing(FIGURE, description(evidence), "")
        yield Text(f"{CAPTION}.")


def table(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the numbers of the figure, with the Dice of each set of masks."""
    found = {h: mask_sets(evidence, h) for h in evidence.main}
    if any(len(rows) < 2 for rows in found.values()):
        return
    yield Text(
        "Dice is the mean over patients, with the manual masks as reference. p by quartiles is "
        "that of Fisher's exact test, p by ranks that of the Kruskal-Wallis test. A row of several "
        "sets of masks (their number in brackets) gives the lowest and the highest value. The "
        "automatic masks are averaged from the single networks, each applied to the slices and to "
        "their mirror images."
    )
    for h, rows in found.items():
        yield Table.of(
            rows,
            f"{pair_name(h.feature, h.label)} by set of masks",
            "",
            Column("masks", lambda row: row.name, "text"),
            Column("n", lambda row: f"{row.n}"),
            Column("mean Dice", lambda row: range_text(row.dice, partial(number_text, digits=3))),
            Column("V (95 %)", _effects),
            Column("p by quartiles", lambda row: range_text(row.p, p_text)),
            Column("p by ranks", lambda row: range_text(row.p_ranks, p_text)),
        )


def _effects(one: MaskSet) -> str:
    if len(one.v) == 1 and not np.isnan(one.low):
        return interval_text(one.v[0], one.low, one.high)
    if len(one.v) == 1:
        return number_text(one.v[0])
    return range_text(one.v, number_text)
