"""Whether an association is that of one institution, and who lacks the subtype label."""

from collections.abc import Iterator
from typing import Any

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, number_text, p_text, symbol
from lggshape.studies.buda2019.names import AUTOMATIC
from lggshape.studies.buda2019.report.evidence import (
    KINDS,
    StudyEvidence,
    hypothesis_column,
    key,
    pair_name,
)
from lggshape.studies.buda2019.report.findings import listed


def main_site(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield how much stronger the main association is in the largest institution."""
    h = evidence.reported[0]
    row = evidence.row("site_differences", masks=AUTOMATIC, **key(h))
    if row is not None:
        yield Text(
            f"On automatic masks, epsilon squared of {pair_name(h.feature, h.label)} is "
            f"{number_text(row.epsilon_squared_site, 3)} in institution {row.site} (n "
            f"{row.n_site}) and {number_text(row.epsilon_squared_rest, 3)} in all others (n "
            f"{row.n_rest}). The difference is {_difference(row)}, p {p_text(row.p_membership)}."
        )


def sites(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the tests by ranks within institutions, and with and without the largest one."""
    groups = dict.fromkeys(row.patients for row in evidence.records("sites"))
    rows = [
        (h, group, *(evidence.row("sites", masks=m, patients=group, **key(h)) for m in KINDS))
        for h in evidence.main
        for group in groups
    ]
    if not rows or any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        "The rank test beside the quartile test, with and without the largest institution. Epsilon "
        "squared with its bootstrap interval; p by ranks from permutation within institutions, "
        "after their means were subtracted",
        "sites",
        hypothesis_column(),
        Column("patients", lambda row: row[1], "text"),
        Column("n", lambda row: f"{row[2].n}"),
        Column("automatic masks", lambda row: _share(row[2])),
        Column("p by ranks", lambda row: p_text(row[2].p_within_adjusted)),
        Column("p by quartiles", lambda row: p_text(row[2].p_quartiles)),
        Column("manual masks", lambda row: _share(row[3])),
        Column("p by ranks", lambda row: p_text(row[3].p_within_adjusted)),
        Column("p by quartiles", lambda row: p_text(row[3].p_quartiles)),
    )
    yield from _without(evidence)
    yield from _differences(evidence)
    yield from _subsets(evidence)


def _without(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what is left by ranks without the largest institution."""
    site = evidence.records("site_subsets")
    if not site:
        return
    group = f"without {site[0].without}"
    found = [
        (h, *(evidence.row("sites", masks=m, patients=group, **key(h)) for m in KINDS))
        for h in evidence.main
    ]
    if any(None in row for row in found):
        return
    h, automatic, manual = found[0]
    yield Text(
        f"By ranks, the epsilon squared of {pair_name(h.feature, h.label)} {group} is "
        f"{_within(automatic)} on automatic masks and {_within(manual)} on manual masks (p by "
        "permutation within institutions; in brackets, after their means were subtracted)."
    )
    lost = [
        (h, rows)
        for h, *rows in found
        if all(min(row.p_within, row.p_within_adjusted) > evidence.family.alpha for row in rows)
    ]
    if lost:
        names = listed([pair_name(h.feature, h.label) for h, _ in lost])
        p = [row.p_within_adjusted for _, rows in lost for row in rows]
        yield Text(
            f"For {names}, no association is shown in these {automatic.n} patients (p "
            f"{p_text(min(p))} to {p_text(max(p))}), and the intervals are wide."
        )


def _within(row: Any) -> str:
    return f"{_share(row)}, p {p_text(row.p_within)} ({p_text(row.p_within_adjusted)}),"


def _differences(evidence: StudyEvidence) -> Iterator[Block]:
    rows = [
        (h, *(evidence.row("site_differences", masks=m, **key(h)) for m in KINDS))
        for h in evidence.main
    ]
    if any(None in row for row in rows):
        return
    yield Table.of(
        rows,
        f"Epsilon squared in institution {rows[0][1].site} minus that in all others (95 %, "
        "bootstrap), and p from exchanging at random, within each cluster, which patients are from "
        "that institution",
        "site_differences",
        hypothesis_column(),
        Column("automatic masks", lambda row: _difference(row[1])),
        Column("p", lambda row: p_text(row[1].p_membership)),
        Column("manual masks", lambda row: _difference(row[2])),
        Column("p", lambda row: p_text(row[2].p_membership)),
    )


def _subsets(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield how many random subsets have as low a V as the patients of the other institutions."""
    rows = [evidence.row("site_subsets", masks=AUTOMATIC, **key(h)) for h in evidence.main]
    if None in rows:
        return
    for row in rows[:1]:
        yield Text(
            f"The smaller number of patients alone is an unlikely explanation of the low V of "
            f"{pair_name(row.feature, row.label)} without {row.without} "
            f"({number_text(row.v_without)} on automatic masks): of {row.subsets:,} random subsets "
            f"of {row.n_without} patients, {100 * row.share:.2g} % have one as low. Half of them "
            f"have a V above {number_text(row.v_median)}."
            if row.share < 0.05
            else f"Of {row.subsets:,} random subsets of {row.n_without} patients, "
            f"{100 * row.share:.2g} % have a V of {pair_name(row.feature, row.label)} as low as "
            f"without {row.without} ({number_text(row.v_without)} on automatic masks)."
        )


def missing_subtype(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield how patients without the subtype label differ from the others."""
    rows = evidence.records("missing_subtype")
    if not rows:
        return
    yield Table.of(
        rows,
        f"The {rows[0].n_missing} patients without an RNASeq cluster compared with the others: "
        "counts or medians. The p-values are not corrected",
        "missing_subtype",
        Column("", _characteristic, "text"),
        Column("n", lambda row: f"{row.n}"),
        Column("without", lambda row: str(row.of_missing), "text"),
        Column("with", lambda row: str(row.of_others), "text"),
        Column("effect", lambda row: row.effect, "text"),
        Column("(95 %)", lambda row: interval_text(row.estimate, row.low, row.high)),
        Column("p", lambda row: p_text(row.p)),
    )
    alike = [row for row in rows if row.p > evidence.family.alpha]
    if len(alike) == len(rows):
        yield Text(
            f"No difference between the two groups of patients is shown (p "
            f"{p_text(min(row.p for row in rows))} to {p_text(max(row.p for row in rows))}). With "
            f"only {rows[0].n_missing} patients, all but large differences could be missed."
        )


def _characteristic(row: Any) -> str:
    name = symbol(row.characteristic)
    return f"{name}, {row.masks} masks" if isinstance(row.masks, str) and row.masks else name


def _share(row: Any) -> str:
    return interval_text(row.epsilon_squared, row.epsilon_squared_low, row.epsilon_squared_high)


def _difference(row: Any) -> str:
    values = (row.difference, row.difference_low, row.difference_high)
    return "{} ({} to {})".format(*(number_text(value) for value in values))
