"""Which figures of the paper are reached."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from lggshape.report import columns, wording
from lggshape.report.blocks import Column, Section, Table, Text
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.columns import LABEL, MASKS, N, predictor
from lggshape.studies.buda2019.report.findings import Findings, listed, pair_name


def answer(findings: Findings) -> Section:
    """Return the section that says which figures of the paper are reached."""
    claims = findings.tables["claims"]
    own = claims[claims["masks"] == AUTOMATIC]
    missed = own[~own["reached"]]
    lead = f"Automatic masks reach {len(own) - len(missed)} of the {len(own)} reported values."
    if len(missed):
        names = [
            f"{pair_name(feature, label)} ({claim})"
            for feature, label, claim in missed[["feature", "label", "claim"]].to_numpy()
        ]
        lead += f" They do not reach {listed(names)}."
    blocks = [
        Text(lead, "lead"),
        *map(Text, _on_manual_masks(claims, missed)),
        Text(
            "The hypotheses were generated and tested in the same patients. This is a check of the "
            "analysis, not independent evidence for the associations. There was no external "
            "cohort."
        ),
        Table.of(
            claims,
            "The values that the paper reports, and what was found. A bound is reached if p lies "
            "below it. An AUC is reached if its interval excludes 0.5 and contains the paper's "
            "AUC. The paper's bounds are for automatic masks; manual masks are judged by the same "
            "bounds. The effect is Cramér's V, or the AUC. Detectable is the smallest V that a "
            f"test at alpha {findings.family.alpha / len(findings.family.hypotheses):g} finds with "
            "80 % power.",
            "claims",
            MASKS, Column("feature", _claimed, "text"), LABEL,
            columns.words("claim", "claim"), N, Column("found", _found),
            columns.interval("effect (95 %)", "effect", "low", "high"),
            columns.number("detectable", "detectable_v"),
            columns.yes("reached", "reached"),
        ),
    ]  # fmt: skip
    return Section("answer", "What was asked, and the answer", blocks, "Answer")


def _on_manual_masks(claims: pd.DataFrame, missed: pd.DataFrame) -> Iterator[str]:
    """Return what manual masks do with the bounds of p that automatic masks do not reach."""
    key = ["feature", "label", "claim"]
    manual = claims[claims["masks"] == MANUAL].set_index(key)["reached"]
    bounds = missed[missed["claim"].str.startswith("p")][key].itertuples(index=False, name=None)
    found = {pair_name(*pair[:2]): bool(manual[pair]) for pair in bounds if pair in manual.index}
    reached = [name for name, holds in found.items() if holds]
    also_missed = [name for name, holds in found.items() if not holds]
    if reached:
        yield (
            f"Manual masks reach the bound of {listed(reached)}. A p-value can lie on the other "
            "side of a bound although the effects are similar, so compare the intervals."
        )
    if also_missed:
        yield (
            f"Manual masks do not reach the bound of {listed(also_missed)} either, so the networks "
            "are not the reason."
        )


def _claimed(row: Any) -> str:
    return wording.symbol(row.feature) if row.claim.startswith("p") else predictor(row.feature)


def _found(row: Any) -> str:
    if row.claim.startswith("p"):
        return f"p {wording.p_equals(row.found)}"
    return f"AUC {wording.number_text(row.found)}"
