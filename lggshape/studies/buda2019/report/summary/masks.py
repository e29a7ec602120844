"""How much the results depend on the masks: two runs, single networks, noise and random draws."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import number_text, p_text, range_text, symbol
from lggshape.statistics.quantiles import quantile_bins
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.buda2019.report.evidence import (
    StudyEvidence,
    effect_text,
    hypothesis_column,
    key,
    pair_name,
)
from lggshape.studies.buda2019.report.findings import listed
from lggshape.studies.buda2019.report.summary import sets


def runs(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield effects and p on every set of masks, and what differs between two of them."""
    yield from sets.table(evidence)
    yield from _beyond_single_networks(evidence)
    yield from _differences(evidence)
    yield from _scatter(evidence)
    yield from _moved(evidence)


def _beyond_single_networks(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield which p of the automatic masks lie outside those of the networks they are made by."""
    for h in evidence.main:
        row = evidence.row("associations", masks=AUTOMATIC, **key(h))
        p = [one.p for one in evidence.records("draws", draws=sets.NETWORKS, **key(h))]
        if row is not None and p and not min(p) <= row.p <= max(p):
            yield Text(
                f"For {pair_name(h.feature, h.label)}, p on automatic masks is {p_text(row.p)}. "
                "This lies outside the range of the single networks that these masks are averaged "
                f"from ({p_text(min(p))} to {p_text(max(p))})."
            )


_EFFECTS = {"epsilon_squared": "epsilon squared (ranks)", "cramers_v": "V (quartiles)"}


def _differences(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the paired differences of effects between two sets of masks."""
    names = dict.fromkeys(row.compared for row in evidence.records("effect_differences"))
    rows = [
        (
            h, name, effect,
            evidence.row("effect_differences", compared=name, effect_name=effect, **key(h)),
        )
        for h in evidence.main
        for name in names
        for effect in _EFFECTS
    ]  # fmt: skip
    if not rows or any(row[3] is None for row in rows):
        return
    yield Table.of(
        rows,
        "Differences between effects in the same patients, with 95 % intervals (bootstrap of "
        "patients)",
        "effect_differences",
        hypothesis_column(),
        Column("comparison", lambda row: _comparison(row[1]), "text"),
        Column("effect", lambda row: _EFFECTS[row[2]], "text"),
        Column("first", lambda row: number_text(row[3].first, 3)),
        Column("second", lambda row: number_text(row[3].second, 3)),
        Column("difference (95 %)", lambda row: _three(row[3].difference, row[3].low, row[3].high)),
    )
    clear = sum(row[3].low > 0 or row[3].high < 0 for row in rows)
    yield Text(
        f"{clear or 'None'} of these {len(rows)} intervals "
        f"{'exclude' if clear > 1 else 'excludes'} 0. An interval that contains 0 does not show "
        "that two effects are equal: every difference within it remains possible."
    )


def _comparison(name: str) -> str:
    """Return a comparison as a table shows it.

    Examples
    --------
    >>> _comparison("this run less the earlier one")
    'this run minus the first run'
    """
    return name.replace(" less ", " minus ").replace("the earlier one", "the first run")


def _three(*values: float) -> str:
    return "{} ({} to {})".format(*(number_text(value, 3) for value in values))


def _scatter(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield how p scatters over sets of masks, by test."""
    tests = dict.fromkeys(row.test for row in evidence.records("scatter"))
    groups = dict.fromkeys(row.group for row in evidence.records("scatter"))
    rows = []
    for h in sets.shown(evidence):
        for group in groups:
            found = [evidence.row("scatter", group=group, test=t, **key(h)) for t in tests]
            if None not in found:
                rows.append((h, group, *found))
    if not rows:
        return
    yield Table.of(
        rows,
        "How much p varies over sets of masks of the same patients, by test: the ratio of the "
        "highest to the lowest p, and the standard deviation (SD) of log10 p",
        "scatter",
        hypothesis_column(),
        Column("masks", lambda row: row[1], "text"),
        Column("sets", lambda row: f"{row[2].sets}"),
        Column("mean Dice", lambda row: _dice_range(row[2])),
        *(Column(test, partial(_spread_at, place)) for place, test in enumerate(tests, start=2)),
    )


def _dice_range(row: Any) -> str:
    low, high = (number_text(value, 3) for value in (row.dice_low, row.dice_high))
    return low if low == high else f"{low} to {high}"


def _spread_at(place: int, row: Any) -> str:
    ratio = row[place].ratio
    return f"{ratio:,.{0 if ratio >= 10 else 1}f}, SD {number_text(row[place].sd_log10_p)}"


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
        "(features.csv of both runs)."
    )


def noise(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield Dice, effects and p of each realisation of noise."""
    levels = evidence.records("noise")
    rows: list[tuple[Any, ...]] = []
    for level in levels:
        repeated = getattr(level, "realisation", 0) and level.noise > 0
        name = f"{level.noise:.0%}" + (f", realisation {level.realisation}" if repeated else "")
        found = [evidence.row("noise_associations", analysis=name, **key(h)) for h in evidence.main]
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
    ]
    single = all(getattr(level, "realisation", 1) == 1 for level in levels)
    yield Table.of(
        rows,
        "Gaussian noise on the images that the networks receive, with its level in standard "
        "deviations. Each "
        + (
            "level is one realisation, so the scatter of p is unknown"
            if single
            else "realisation draws the noise anew, for the same images and networks"
        ),
        "noise_associations",
        Column("noise", lambda row: f"{row[0].noise * 100:g} %"),
        *([] if single else [Column("realisation", _realisation)]),
        Column("mean Dice", lambda row: number_text(row[0].dice_mean, 3)),
        *columns,
    )
    if not single:
        yield from _noise_spread(evidence, rows)


def _realisation(row: Any) -> str:
    return f"{row[0].realisation}" if row[0].noise > 0 else "—"


def _noise_spread(evidence: StudyEvidence, rows: list[tuple[Any, ...]]) -> Iterator[Block]:
    """Yield how V and p of the main hypothesis spread over the realisations of each level."""
    h = evidence.main[0]
    sentences = []
    for amount in dict.fromkeys(row[0].noise for row in rows):
        tests = [row[1] for row in rows if row[0].noise == amount]
        level = f"with {amount * 100:g} % noise" if amount > 0 else "without noise"
        over = f"over {len(tests)} realisations {level}" if len(tests) > 1 else level
        v, p = [test.effect for test in tests], [test.p for test in tests]
        values = f"V is {range_text(v, number_text)} and p {range_text(p, p_text)}"
        sentences.append(f"{over}, {values}")
    yield Text(f"{pair_name(h.feature, h.label)} (n {rows[0][1].n}): {'; '.join(sentences)}.")


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
        f"Share of {rows[0][1].count} random draws of the masks in which p is below "
        f"{evidence.family.alpha:g} after correction, and V and p over the draws",
        "stability",
        hypothesis_column(),
        Column("share of draws", partial(_share_at, 1)),
        *([Column("first run", partial(_share_at, 2))] if has_first else []),
        Column("median V", lambda row: number_text(row[1].effect_median)),
        Column("median p (2.5 to 97.5 %)", lambda row: _p_spread(row[1])),
    )  # fmt: skip
    if has_first:
        yield from _changed(evidence, rows)
    yield from _lengths(evidence)


def _p_spread(row: Any) -> str:
    return f"{p_text(row.p_median)} ({p_text(row.p_low)} to {p_text(row.p_high)})"


def _changed(evidence: StudyEvidence, rows: list[Any]) -> Iterator[Block]:
    """Yield where the shares of the two runs differ."""
    by_change = sorted(rows, key=lambda row: row[1].stability - row[2].stability)
    down = [row for row in by_change if row[1].stability < row[2].stability]
    named = [
        f"{pair_name(h.feature, h.label)} ({number_text(before.stability)} to "
        f"{number_text(now.stability)})"
        for h, now, before in down
    ]
    if named:
        yield Text(f"The share is lower than in the first run for {listed(named)}.")
    found = [(h, evidence.row("draws_of_runs", draws=now.draws, **key(h))) for h, now, _ in rows]
    if any(row is None for _, row in found):
        return
    yield Table.of(
        found,
        "Differences between these shares, this run minus the first run, with 95 % intervals. "
        "These reflect the number of draws only, not how much other networks would differ",
        "draws_of_runs",
        hypothesis_column(),
        Column("draws, this run", lambda row: f"{row[1].significant} of {row[1].count}"),
        Column("first run", lambda row: f"{row[1].significant_earlier} of {row[1].count_earlier}"),
        Column("difference (95 %)", lambda row: _two(row[1])),
    )


def _two(row: Any) -> str:
    values = (number_text(value) for value in (row.difference, row.low, row.high))
    return "{} ({} to {})".format(*values)


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
            "These shares are not probabilities that an association is real. Drawn masks have more "
            f"error than the masks that they are drawn around: the {symbol(spread.feature)} of the "
            f"median draw differs from that of the mask itself by {number_text(spread.shift, 3)} "
            "(median over the patients)."
        )
