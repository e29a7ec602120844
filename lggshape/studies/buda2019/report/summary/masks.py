"""How much the results depend on the masks: two runs, single networks, noise and random draws."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import number_text, p_text, symbol
from lggshape.statistics.quantiles import quantile_bins
from lggshape.studies.buda2019.analyses.sensitivity import BY_RANKS
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.evidence import (
    StudyEvidence,
    effect_text,
    hypothesis_column,
    key,
    pair_name,
)


def runs(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield effects and p by ranks on all three sets of masks, and how far patients move."""
    rows = []
    for h in evidence.main:
        found = {
            "first": evidence.row(
                "sensitivity", earlier=True, masks=AUTOMATIC, analysis=BY_RANKS, **key(h)
            ),
            "present": evidence.row("sensitivity", masks=AUTOMATIC, analysis=BY_RANKS, **key(h)),
            "manual": evidence.row("sensitivity", masks=MANUAL, analysis=BY_RANKS, **key(h)),
        }
        rows.append((h, found["first"], found["present"], found["manual"]))
    if any(row[2] is None or row[3] is None for row in rows):
        return
    first = [
        Column("automatic masks, first run", partial(_effect_at, 1)),
        Column("p first run", partial(_p_at, 1)),
    ]
    if any(row[1] is None for row in rows):
        first = []
    yield Table.of(
        rows,
        "Epsilon squared (95 %) and p of the Kruskal-Wallis test, which uses the ranks of the "
        "values and no quartiles",
        "sensitivity",
        hypothesis_column(),
        *first[:1],
        Column("automatic masks, present run", lambda row: effect_text(row[2])),
        Column("manual masks", lambda row: effect_text(row[3])),
        *first[1:],
        Column("p present run", lambda row: p_text(row[2].p)),
        Column("p manual masks", lambda row: p_text(row[3].p)),
    )  # fmt: skip
    yield from _moved(evidence)
    yield from _networks(evidence)


def _moved(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield how many patients are in another quartile on the masks of the earlier run."""
    now, before = (evidence.rows("features", earlier=e, masks=AUTOMATIC) for e in (False, True))
    if not len(now) or not len(before):
        return
    feature = evidence.reported[0].feature
    columns = [table.set_index("patient")[feature] for table in (now, before)]
    pairs = pd.concat(columns, axis="columns", keys=["now", "before"]).dropna()
    bins = pairs.apply(lambda column: quantile_bins(column.to_numpy()).codes)
    moved = int((bins["now"] != bins["before"]).sum())
    rank = pairs["now"].corr(pairs["before"], method="spearman")
    yield Text(
        f"Between the automatic masks of the two runs, the rank correlation of {symbol(feature)} "
        f"is {number_text(rank)}, and {moved} of the {len(pairs)} patients are in another quartile "
        "(`features.csv` of both)."
    )


def _networks(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the range over the masks of each network and flip by itself."""
    rows = []
    for h in evidence.main:
        found = evidence.rows("draws", draws="networks and flips", **key(h))
        if len(found) < 2:
            return
        rows.append((h, found, evidence.row("associations", masks=AUTOMATIC, **key(h))))
    yield Table.of(
        rows,
        f"The masks of single networks, each applied to the slices and to their mirror images "
        f"({len(rows[0][1])} sets), beside the published masks, which come from the mean of these "
        "predictions",
        "draws",
        hypothesis_column(),
        Column("V, lowest to highest", lambda row: _range(row[1]["effect"])),
        Column("V, published masks", lambda row: effect_text(row[2])),
        Column("p, lowest to highest", lambda row: _p_range(row[1]["p"])),
        Column("p, published masks", lambda row: p_text(row[2].p)),
    )  # fmt: skip


def _p_range(values: "pd.Series[float]") -> str:
    return f"{p_text(values.min())} to {p_text(values.max())}"


def _range(values: "pd.Series[float]") -> str:
    return f"{number_text(values.min())} to {number_text(values.max())}"


def noise(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield Dice, effects and p at each level of noise."""
    rows: list[tuple[Any, ...]] = []
    for level in evidence.records("noise"):
        found = [
            evidence.row("noise_associations", analysis=f"{level.noise:.0%}", **key(h))
            for h in evidence.main
        ]
        if None in found:
            return
        rows.append((level, *found))
    if not rows:
        return
    columns = [
        column
        for place, h in enumerate(evidence.main, start=1)
        for column in (
            Column(f"V of {pair_name(h.feature, h.label)}", partial(_effect_at, place)),
            Column("p", partial(_p_at, place)),
        )
    ]  # fmt: skip
    yield Table.of(
        rows,
        "Gaussian noise on the images that the networks receive, in standard deviations",
        "noise",
        Column("noise", lambda row: f"{row[0].noise:.0%}"),
        Column("mean Dice", lambda row: number_text(row[0].dice_mean, 3)),
        *columns,
    )


def _effect_at(place: int, row: Any) -> str:
    return effect_text(row[place])


def _p_at(place: int, row: Any) -> str:
    return p_text(row[place].p)


def _share_at(place: int, row: Any) -> str:
    return number_text(row[place].stability)


def draws(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield in how many random draws of the masks each reported association stays significant."""
    table = evidence.rows("stability")
    if not len(table):
        return
    field = table["draws"].iloc[0]
    rows = [
        (
            h,
            evidence.row("stability", draws=field, **key(h)),
            evidence.row("stability", earlier=True, draws=field, **key(h)),
        )
        for h in evidence.reported
    ]
    if any(row[1] is None for row in rows):
        return
    has_first = all(row[2] is not None for row in rows)
    yield Table.of(
        rows,
        f"Share of {rows[0][1].count} random draws of the masks in which p stays below "
        f"{evidence.family.alpha:g} after correction, and V and p over the draws",
        "stability",
        hypothesis_column(),
        Column("share of draws", partial(_share_at, 1)),
        *([Column("first run", partial(_share_at, 2))] if has_first else []),
        Column("median V", lambda row: number_text(row[1].effect_median)),
        Column("median p (2.5 to 97.5 %)", lambda row: _p_spread(row[1])),
    )  # fmt: skip
    if has_first:
        yield from _changed(rows)
    yield from _lengths(evidence)


def _p_spread(row: Any) -> str:
    return f"{p_text(row.p_median)} ({p_text(row.p_low)} to {p_text(row.p_high)})"


def _changed(rows: list[Any]) -> Iterator[Block]:
    """Yield where the two runs differ most."""
    most = max(rows, key=lambda row: abs(row[1].stability - row[2].stability))
    least = min(rows, key=lambda row: abs(row[1].stability - row[2].stability))
    yield Text(
        "The two runs differ most for "
        f"{pair_name(most[0].feature, most[0].label)} ({number_text(most[2].stability)} in the "
        f"first run, {number_text(most[1].stability)} in this one) and least for "
        f"{pair_name(least[0].feature, least[0].label)} ({number_text(least[2].stability)} and "
        f"{number_text(least[1].stability)})."
    )


def _lengths(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the shares with other correlation lengths of the draws."""
    table = evidence.rows("stability").dropna(subset="stability")
    names = list(dict.fromkeys(table["draws"]))
    rows = [
        (name, *(evidence.row("stability", draws=name, **key(h)) for h in evidence.main))
        for name in names
    ]
    if len(rows) < 2 or any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        "The same shares by the distance over which neighbouring voxels of a draw are correlated",
        "stability",
        Column("correlation length", lambda row: row[0], "text"),
        Column("draws", lambda row: f"{row[1].count}"),
        *(
            Column(pair_name(h.feature, h.label), partial(_share_at, place))
            for place, h in enumerate(evidence.main, start=1)
        ),
    )  # fmt: skip
    spread = evidence.row("feature_spreads", draws=names[0], feature=evidence.reported[0].feature)
    if spread is not None:
        yield Text(
            "These shares are not the probabilities that an association is real. Drawn masks have "
            f"more error than the mask itself: the median draw has a "
            f"{symbol(spread.feature)} that differs from the mask's own by "
            f"{number_text(spread.shift, 3)} (median over the patients)."
        )
