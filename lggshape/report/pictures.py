"""A page of pictures: cases with their outlines, and links to the figures of each."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from lggshape.names import counted
from lggshape.report.blocks import (
    Block,
    CasePicture,
    Column,
    Pictures,
    Section,
    Table,
    Text,
    link,
)
from lggshape.report.page import Page, made_by, write_page
from lggshape.report.patient_picture import draw_portrait
from lggshape.visualisation.case_figures import WrittenCase

INDEX = "index.html"

MOST_PICTURES = 500
"""A page shows at most this many pictures; of further cases it has the links."""


def write_pictures(
    cases: Sequence[WrittenCase], folder: Path, *, checks: Mapping[str, Mapping[str, str]]
) -> None:
    """Write `index.html`, to lie beside the figures of cases.

    Parameters
    ----------
    cases : sequence of WrittenCase
        The cases, in the order in which they are shown.
    folder : Path
        Folder of the figures.
    checks : mapping of str to mapping of str to str
        What `segment` said of its masks, by case: `expected_dice`, `check` and `check_reason`.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    shown = [one for one in cases if not one.reason]
    failed = [one for one in cases if one.reason]
    many = len(shown) > MOST_PICTURES
    further = f" After {MOST_PICTURES} pictures, there are only links." if many else ""
    blocks: list[Block] = [
        Text(
            "Each picture is the slice of the largest area, and leads to all slices of the case. "
            "Images of patients are personal data: pass this folder on only where their consent, "
            "the law and the licence of the data allow it. " + link("run.json")
            + f" has the options.{further}"
        ),
        Pictures(
            [
                _picture(one, checks.get(one.case, {}), is_drawn=place < MOST_PICTURES)
                for place, one in enumerate(shown)
            ]
        ),
    ]  # fmt: skip
    sections = [Section("cases", "The cases", blocks)]
    if failed:
        table = Table.of(
            failed,
            "Cases that could not be drawn.",
            "",
            Column("case", lambda one: one.case, "text"),
            Column("reason", lambda one: one.reason, "long"),
        )
        sections.append(Section("failed", "Not drawn", [table]))
    facts = [("Cohort", counted(len(shown), "case")), *made_by()]
    page = Page("Pictures of the cases", "lggshape · pictures", sections, facts)
    write_page(page, folder / INDEX)


def _picture(case: WrittenCase, check: Mapping[str, str], *, is_drawn: bool) -> CasePicture:
    values = []
    if not math.isnan(case.dice):
        values.append(("Dice", f"{case.dice:.3f}"))
    if expected := check.get("expected_dice"):
        values.append(("Dice to expect", f"{float(expected):.3f}"))
    if verdict := check.get("check"):
        reason = check.get("check_reason", "")
        values.append(("Check", f"{verdict}: {reason}" if reason else verdict))
    picture = draw_portrait(case.portrait) if is_drawn and case.portrait is not None else None
    return CasePicture(case.case, case.patient, picture, values)
