"""What was asked, and the answer."""

import math
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NamedTuple

from lggshape.names import counted
from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, number_text, p_text
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.columns import predictor
from lggshape.studies.buda2019.report.evidence import (
    KINDS,
    StudyEvidence,
    effect_text,
    hypothesis_column,
    key,
    pair_name,
)
from lggshape.studies.buda2019.report.findings import listed
from lggshape.studies.buda2019.report.summary.sites import main_site


def conclusion(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what was found, in two sentences."""
    yield from _main_effect(evidence)
    yield from _corrected(evidence)


def answer(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the main effects, what remains after correction, and the values of the paper."""
    yield from _main_effect(evidence)
    yield from _main_difference(evidence)
    yield from main_site(evidence)
    yield from _corrected(evidence)
    yield from _reached(evidence)
    rows = list(_claims(evidence))
    if rows:
        yield from _claims_tables(rows)


def _main_effect(evidence: StudyEvidence) -> Iterator[Block]:
    h = evidence.reported[0]
    rows = [evidence.row("associations", masks=masks, **key(h)) for masks in KINDS]
    if None in rows:
        return
    automatic, manual = rows
    yield Text(
        f"Cramér's V of {pair_name(h.feature, h.label)} is {effect_text(automatic)} on automatic "
        f"masks and {effect_text(manual)} on manual masks of the same {manual.n} patients (in "
        "brackets: 95 % intervals).",
        "lead",
    )


def _main_difference(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the paired difference of the main effect between automatic and manual masks."""
    h = evidence.reported[0]
    row = evidence.row("effect_differences", effect_name="epsilon_squared", **key(h))
    if row is not None:
        values = (number_text(value, 3) for value in (row.difference, row.low, row.high))
        open_ended = row.low <= 0 <= row.high
        yield Text(
            f"By ranks, epsilon squared is {number_text(row.first, 3)} on automatic and "
            f"{number_text(row.second, 3)} on manual masks. The paired difference is "
            "{} ({} to {})".format(*values)
            + (": this shows neither a difference nor its absence." if open_ended else ".")
        )


def _corrected(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield which associations remain significant after correction, by kind of mask."""
    parts = []
    count = len(evidence.family.hypotheses)
    for masks in KINDS:
        rows = evidence.records("associations", masks=masks)
        if not rows:
            return
        kept = [row for row in rows if row.p_bonferroni <= evidence.family.alpha]
        names = listed([pair_name(row.feature, row.label) for row in kept])
        named = f" ({names})" if names else ""
        parts.append(f"{len(kept)} on {masks} masks{named}")
    yield Text(
        f"Of the {count} associations, these have p at most {evidence.family.alpha:g} after "
        f"Bonferroni correction: {listed(parts)}."
    )


def _reached(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield how many of the paper's values are matched."""
    found = {masks: evidence.rows("claims", masks=masks) for masks in KINDS}
    parts = [
        f"{masks} masks match {int(rows['reached'].sum())}"
        for masks, rows in found.items()
        if len(rows)
    ]
    if not parts:
        return
    count = len(found[AUTOMATIC])
    yield Text(
        f"Of the {counted(count, 'value')} that the paper reports, {listed(parts)}. A bound of p "
        "is matched if p lies below it. The AUC is matched if its interval excludes 0.5 and "
        "contains the paper's AUC for the same kind of mask. The paper's bounds are for automatic "
        "masks; manual masks are judged by the same bounds. In another sample of this size, p "
        "could easily fall on the other side of a bound, as the second table below shows, so "
        "compare the effects first."
    )


def front(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the shortest table of what was found, for the front page of the project."""
    h = evidence.reported[0]
    tests = [evidence.row("associations", masks=masks, **key(h)) for masks in (MANUAL, AUTOMATIC)]
    claims = list(_claims(evidence))
    areas = [claim for claim in claims if not claim.is_bound]
    dice = evidence.row("evaluation", score="dice")
    if None in tests or dice is None or not areas:
        return
    matched = [evidence.rows("claims", masks=m)["reached"].sum() for m in (MANUAL, AUTOMATIC)]
    area = areas[0]
    pair = pair_name(h.feature, h.label)
    rows = [
        (
            "Dice of automatic masks, mean and median (95 %)", "0.82 and 0.85", "",
            f"{interval_text(dice.mean, dice.mean_low, dice.mean_high)} and "
            f"{interval_text(dice.median, dice.median_low, dice.median_high)}",
        ),
        (f"{pair}: Cramér's V (95 %)", "", *map(effect_text, tests)),
        (f"{area.name} (95 %)", area.paper, _effect(area.manual), _effect(area.automatic)),
        (f"{pair}: p", f"< {h.reported_below:g}", *(p_text(row.p) for row in tests)),
        (f"reported values matched, of {len(claims)}", "", *(f"{count}" for count in matched)),
    ]  # fmt: skip
    titles = ("", "the paper", "manual masks", "automatic masks")
    yield Table.of(rows, "", "", *(Column(title, itemgetter(i)) for i, title in enumerate(titles)))


class _Claim(NamedTuple):
    """A value that the paper reports, with a row of `claims` for each kind of mask."""

    name: str
    paper: str
    automatic: Any
    manual: Any
    first: Any
    difference: Any
    chances: tuple[Any, Any]

    @property
    def is_bound(self) -> bool:
        """Whether the value is a bound of p."""
        return str(self.automatic.claim).startswith("p")


def _claims(evidence: StudyEvidence) -> Iterator[_Claim]:
    for row in evidence.records("claims", masks=AUTOMATIC):
        is_bound = row.claim.startswith("p")
        of: dict[str, Any] = {"feature": row.feature, "label": row.label}
        manual = evidence.records("claims", masks=MANUAL, **of)
        same = (other for other in manual if other.claim.startswith("p") == is_bound)
        other = next(same, None)
        first = evidence.row("claims", earlier=True, masks=AUTOMATIC, claim=row.claim, **of)
        symbol = predictor(row.feature)
        name = (
            pair_name(row.feature, row.label)
            if is_bound
            else f"{row.claim.split(' ')[0]} of {symbol} for {row.claim.split(' ')[2]}"
        )
        paper = row.claim if is_bound else number_text(row.reported)
        if not is_bound and other is not None and other.reported != row.reported:
            paper += f" (manual {number_text(other.reported)})"
        yield _Claim(
            name, paper, row, other, first, _paired(evidence, row, is_bound),
            (
                evidence.row("reaching", masks=AUTOMATIC, truth="V", **of),
                evidence.row("reaching", masks=MANUAL, truth="V", **of),
            ),
        )  # fmt: skip


def _paired(evidence: StudyEvidence, row: Any, is_bound: bool) -> Any:
    """Return how the effects of a claim differ between automatic and manual masks."""
    if is_bound:
        return evidence.row(
            "effect_differences", effect_name="cramers_v", feature=row.feature, label=row.label
        )
    level = row.claim.split(" ")[2]
    feature = row.feature.removeprefix("1/")
    return evidence.row("area_differences", feature=feature, label=row.label, level=level)


def _effect(row: Any) -> str:
    return "—" if row is None else interval_text(row.effect, row.low, row.high)


def _p(row: Any) -> str:
    return "—" if row is None or not row.claim.startswith("p") else p_text(row.found)


def _difference(row: Any) -> str:
    return "—" if row is None else interval_text(row.difference, row.low, row.high)


def _claims_tables(rows: list[_Claim]) -> Iterator[Table]:
    """Yield the effects, and p beside the paper's bounds."""
    first = any(row.first is not None for row in rows)
    compared = any(row.difference is not None for row in rows)
    bounds = [row for row in rows if row.is_bound]
    likely = all(None not in row.chances for row in bounds)
    yield Table.of(
        rows,
        "The effects behind the values that the paper reports: Cramér's V, or the AUC",
        "claims",
        Column("", lambda row: row.name, "text"),
        Column("n", lambda row: f"{row.automatic.n}"),
        Column("automatic masks", lambda row: _effect(row.automatic)),
        Column("manual masks", lambda row: _effect(row.manual)),
        *[Column("automatic minus manual", lambda row: _difference(row.difference))] * compared,
        *[Column("automatic masks, first run", lambda row: _effect(row.first))] * first,
        Column("the paper", lambda row: "—" if row.is_bound else row.paper),
    )
    yield Table.of(
        bounds,
        "The same associations as p-values. "
        + (
            "The last three columns give the chance that p would fall below the bound in a new "
            "sample of this size. They assume that the true V is the one found on automatic masks, "
            "the one on manual masks, or either end of its interval on manual masks. The last "
            "column uses the chi-squared test"
            if likely
            else "The bounds are the paper's"
        ),
        "reaching" if likely else "claims",
        Column("", lambda row: row.name, "text"),
        Column("the paper", lambda row: row.paper),
        Column("p, automatic masks", lambda row: _p(row.automatic)),
        Column("p, manual masks", lambda row: _p(row.manual)),
        *[Column("p, first run", lambda row: _p(row.first))] * first,
        *(_CHANCES if likely else ()),
    )


def _ends(row: _Claim) -> str:
    manual = row.chances[1]
    return f"{number_text(manual.probability_v_low)} to {number_text(manual.probability_v_high)}"


_CHANCES = (
    Column("chance, V of automatic masks", lambda row: number_text(row.chances[0].probability)),
    Column("chance, V of manual masks", lambda row: number_text(row.chances[1].probability)),
    Column("at the ends of its interval", _ends),
)
"""How likely p is to lie below the bound in another sample of the same size."""


def hypotheses(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the ten hypotheses on both kinds of mask."""
    rows = [
        (h, *(evidence.row("associations", masks=masks, **key(h)) for masks in KINDS))
        for h in evidence.family.hypotheses
    ]
    if any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        "Fisher's exact test of quartiles against clusters. The p-values are not corrected, except "
        "in the last two columns",
        "associations",
        hypothesis_column("hypothesis"),
        Column("n", lambda row: f"{row[1].n}"),
        Column("V, automatic masks", lambda row: effect_text(row[1])),
        Column("V, manual masks", lambda row: effect_text(row[2])),
        Column("p, automatic", lambda row: p_text(row[1].p)),
        Column("p, manual", lambda row: p_text(row[2].p)),
        Column("Bonferroni, automatic", lambda row: p_text(row[1].p_bonferroni)),
        Column("Bonferroni, manual", lambda row: p_text(row[2].p_bonferroni)),
    )
    claims = evidence.records("claims", masks=AUTOMATIC)
    detectable = [row.detectable_v for row in claims if not math.isnan(row.detectable_v)]
    if detectable:
        low, high = min(detectable), max(detectable)
        level = evidence.family.alpha / len(evidence.family.hypotheses)
        yield Text(
            f"At alpha {level:g}, the tests have 80 % power only for a V of {number_text(low)} to "
            f"{number_text(high)} or more, depending on the number of patients and of clusters. "
            "They miss smaller effects more often, and tend to overestimate those that they find."
        )
