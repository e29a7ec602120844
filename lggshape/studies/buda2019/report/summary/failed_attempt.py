"""The public attempt that did not find the association on its automatic masks."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from lggshape.report.blocks import Block, Column, Table, Text
from lggshape.report.wording import interval_text, number_text, p_text, range_text
from lggshape.studies.buda2019.analyses.factors import OURS, THEIRS
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL
from lggshape.studies.buda2019.report.evidence import StudyEvidence
from lggshape.studies.buda2019.report.findings import listed

_CHOICES = ("ellipsoid", "component", "in_plane", "test")

_three = partial(number_text, digits=3)

_CHANGED = {"ellipsoid": "the ellipsoid", "component": "the islands", "masks": "the masks"}
"""The choices that can change the AUC. The 2D features and the test do not enter it."""

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
    groups = [
        rows
        for masks in kinds
        for ellipsoid in (OURS, THEIRS)
        for component in (OURS, THEIRS)
        if len(rows := _rows(evidence, masks, ellipsoid, component, OURS, OURS))
    ]
    yield Table.of(
        groups,
        "Each set of masks with our ellipsoid and our handling of islands, and with those of the "
        "attempt (an ellipsoid along the principal axes; all islands kept). Noise of each level is "
        "drawn several times (the number in brackets): such a row has the lowest and the highest "
        "value of the draws instead of an interval",
        "failed_attempt",
        Column("masks", lambda rows: _masks(evidence, rows), "text"),
        Column("ellipsoid", lambda rows: rows["ellipsoid"].iloc[0], "text"),
        Column("islands", lambda rows: rows["component"].iloc[0], "text"),
        Column("n", lambda rows: range_text(list(rows["n"]), str)),
        Column("AUC of 1/BEVR for R2", _area),
        Column("p of BEVR × RNASeq", lambda rows: range_text(list(rows["p_ellipsoid"]), p_text)),
        Column(
            "correlation with BEVR of manual masks, by the same choices",
            lambda rows: range_text(list(rows["pearson"]), number_text),
        ),
    )
    yield from _single_changes(evidence)
    lowest = evidence.rows("failed_attempt")["auc"].min()
    count = len(evidence.rows("failed_attempt"))
    yield Text(
        f"The lowest AUC of all {count} combinations of masks and choices is "
        f"{number_text(lowest)}. The attempt reports {ATTEMPT.automatic_area} for its "
        f"automatic masks (mean Dice {ATTEMPT.dice}), and a "
        f"correlation of {ATTEMPT.correlation} with manual BEVR."
    )


def _single_changes(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what each choice does to the AUC by itself, from ours and from theirs."""
    tried = evidence.rows("failed_attempt_one_at_a_time")
    if not len(tried):
        return
    noise = [name for name in dict.fromkeys(tried["masks"]) if name != AUTOMATIC]
    yield Text(
        f"The masks of the attempt are not at hand. Those with the most noise ({listed(noise)}) "
        f"stand in for them; its Dice was {ATTEMPT.dice}."
    )
    for start, words in (
        (OURS, "With our choices on automatic masks, the AUC is {}. Exchanging one of them gives"),
        (
            THEIRS,
            "With its choices on the masks with noise, the AUC is {}. With one of ours, it is",
        ),
    ):
        areas = tried[tried["start"] == start].groupby("changed")["auc"]
        area = {str(name): range_text(list(values), number_text) for name, values in areas}
        changes = [f"{area[choice]} for {_CHANGED[choice]}" for choice in _CHANGED]
        yield Text(f"{words.format(area['nothing'])} {listed(changes)}.")


def _manual(evidence: StudyEvidence) -> Iterator[Block]:
    """Yield what its choices, and ours, give on manual masks."""
    if not len(_rows(evidence, MANUAL)):
        return
    theirs, ours = (_rows(evidence, MANUAL, *[choice] * 4).iloc[0] for choice in (THEIRS, OURS))
    yield Text(
        f"On manual masks, {NAME}, finds the association as this study does. It reports p "
        f"{ATTEMPT.p:g} for BEVR × RNASeq and an AUC of {ATTEMPT.area} for R2. All its choices, "
        f"applied to the same masks here, give p {p_text(theirs.p_ellipsoid)} and an AUC of "
        f"{number_text(theirs.auc, 3)}. The choices of this study give p "
        f"{p_text(ours.p_ellipsoid)} and {number_text(ours.auc, 3)}."
    )


def _rows(evidence: StudyEvidence, masks: str, *choices: str) -> pd.DataFrame:
    """Return the rows of a kind of mask and its choices, one per realisation of noise."""
    cells: dict[str, Any] = dict(zip(_CHOICES, choices, strict=False))
    return evidence.rows("failed_attempt", masks=masks, **cells)


def _masks(evidence: StudyEvidence, rows: pd.DataFrame) -> str:
    """Return a kind of mask with its number and its mean Dice, where the tables have it."""
    masks = str(rows["masks"].iloc[0])
    if masks == AUTOMATIC:
        means = evidence.rows("evaluation", score="dice")["mean"]
        name = masks
    else:
        tried = evidence.rows("failed_attempt_masks")
        means = tried.loc[[masks.endswith(f"noise {noise:.0%}") for noise in tried["noise"]]][
            "dice_mean"
        ]
        name = f"{masks} ({len(rows)})"
    return f"{name}, mean Dice {range_text(list(means), _three)}" if len(means) else name


def _area(rows: pd.DataFrame) -> str:
    if len(rows) == 1:
        return interval_text(*rows[["auc", "auc_low", "auc_high"]].iloc[0])
    return range_text(list(rows["auc"]), number_text)
