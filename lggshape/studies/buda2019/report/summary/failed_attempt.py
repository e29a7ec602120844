"""The public attempt that did not find the association on its automatic masks."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, number_text, p_text
from lggshape.studies.buda2019.analyses.factors import OURS, THEIRS
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.evidence import StudyEvidence

_CHOICES = ("ellipsoid", "component", "in_plane", "test")

_CHANGED = {
    "ellipsoid": "the ellipsoid",
    "component": "the islands",
    "in_plane": "the 2D features",
    "test": "the test",
    "masks": "the masks",
}

NAME = (
    'the public attempt AIscend-Research/lgg-imaging-repro ("[not Re]", submission 117 to '
    "ReScience, under review)"
)


class Attempt(NamedTuple):
    """What the attempt reports."""

    p: float = 0.0005
    """Smallest p of BEVR and RNASeq on manual masks."""
    area: float = 0.764
    """AUC of 1/BEVR for R2 on manual masks."""
    automatic_area: float = 0.455
    correlation: float = -0.01
    """Of automatic with manual BEVR."""
    dice: float = 0.707


ATTEMPT = Attempt()


def failed_attempt(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield the attempt's figures beside those of its choices on these masks."""
    if not len(evidence.rows("failed_attempt")):
        return
    yield from _manual(evidence)
    kinds = [m for m in dict.fromkeys(evidence.rows("failed_attempt")["masks"]) if m != MANUAL]
    rows = [
        row
        for masks in kinds
        for ellipsoid in (OURS, THEIRS)
        for component in (OURS, THEIRS)
        if (row := _row(evidence, masks, ellipsoid, component, OURS, OURS)) is not None
    ]
    yield Table.of(
        rows,
        "Its ellipsoid (in principal axes) and its handling of islands (all kept) in exchange for "
        "ours, by the masks. Each level of noise is one realisation",
        "failed_attempt",
        Column("masks", lambda row: _masks(evidence, row.masks), "text"),
        Column("ellipsoid", lambda row: row.ellipsoid, "text"),
        Column("islands", lambda row: row.component, "text"),
        Column("n", lambda row: f"{row.n}"),
        Column("AUC of 1/BEVR for R2", _area),
        Column("p of BEVR × RNASeq", lambda row: p_text(row.p_ellipsoid)),
        Column("correlation with manual BEVR", lambda row: number_text(row.pearson)),
    )
    yield from _single_changes(evidence)
    lowest = evidence.rows("failed_attempt")["auc"].min()
    count = len(evidence.rows("failed_attempt"))
    yield Text(
        f"The lowest AUC of all {count} combinations is {number_text(lowest)}. The attempt reports "
        f"{ATTEMPT.automatic_area} for its automatic masks (mean Dice {ATTEMPT.dice}), and a "
        f"correlation of {ATTEMPT.correlation} with manual BEVR."
    )


def _single_changes(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield which single choice changes the AUC most, from ours and from theirs."""
    for start, worst in ((OURS, True), (THEIRS, False)):
        rows = evidence.records("failed_attempt_one_at_a_time", start=start)
        own = next((row for row in rows if row.changed == "nothing"), None)
        if own is None:
            return
        changed = [row for row in rows if row.changed != "nothing"]
        most = (min if worst else max)(changed, key=lambda row: float(row.auc))
        choice, before, after = _CHANGED[most.changed], number_text(own.auc), number_text(most.auc)
        yield Text(
            f"Starting from our choices and changing one at a time, {choice} lowers the AUC most, "
            f"from {before} to {after}."
            if worst
            else f"With all its choices, the AUC is {before}. Replacing {choice} by ours raises it "
            f"most, to {after}."
        )


def _manual(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what its choices, and ours, give on manual masks."""
    theirs = _row(evidence, MANUAL, *[THEIRS] * 4)
    ours = _row(evidence, MANUAL, *[OURS] * 4)
    if theirs is None or ours is None:
        return
    yield Text(
        f"On manual masks, {NAME}, finds the association as this study does. It reports p "
        f"{ATTEMPT.p:g} for BEVR × RNASeq and an AUC of {ATTEMPT.area} for R2. All its choices, "
        f"applied to the same masks here, give p {p_text(theirs.p_ellipsoid)} and an AUC of "
        f"{number_text(theirs.auc, 3)}. The choices of this study give p "
        f"{p_text(ours.p_ellipsoid)} and {number_text(ours.auc, 3)}."
    )


def _row(evidence: StudyEvidence, masks: str, *choices: str) -> Any:
    cells: dict[str, Any] = dict(zip(_CHOICES, choices, strict=True))
    return evidence.row("failed_attempt", masks=masks, **cells)


def _masks(evidence: StudyEvidence, masks: str) -> str:
    """Return a kind of mask with its mean Dice, where the tables have it."""
    if masks == AUTOMATIC:
        row = evidence.row("evaluation", score="dice")
        return masks if row is None else f"{masks} (mean Dice {number_text(row.mean, 3)})"
    for row in evidence.records("failed_attempt_masks"):
        if masks.endswith(f"noise {row.noise:.0%}"):
            return f"{masks} (mean Dice {number_text(row.dice_mean, 3)})"
    return masks


def _area(row: Any) -> str:
    return interval_text(row.auc, row.auc_low, row.auc_high)
