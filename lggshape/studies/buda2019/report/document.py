"""The report of a replication: the paper's own companion."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lggshape.association import Family
from lggshape.files import write_table, write_text
from lggshape.labels import Labels
from lggshape.report import blocks
from lggshape.report.blocks import Block, Section
from lggshape.report.page import Gallery, page_environment
from lggshape.studies.buda2019.report import further, primary
from lggshape.studies.buda2019.report.checklists import Checklist, read_checklists
from lggshape.studies.buda2019.report.parts import Report, Tables


def write_report(tables: Tables, family: Family, labels: Labels, folder: Path) -> Path:
    """Write `report.html` and, beside it, every figure as PNG and SVG.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The tables of the steps that were done, by name. A section whose tables are not there is
        left out.
    family : Family
        The hypotheses.
    labels : Labels
        The labels of the patients.
    folder : Path
        Where to write.

    Returns
    -------
    Path
        The HTML file. It stands alone: styles and figures are in it.
    """
    report = Report(tables, family, labels, Gallery(folder))
    sections = [
        Section(name, title, list(make(report)))
        for name, title, needed, make in _SECTIONS
        if needed in tables
    ]
    sections.append(_checklists(folder))
    environment = page_environment(__package__)
    environment.globals["zip"] = zip
    title = "Buda et al. 2019, again: tumour shape and genomic clusters of lower-grade gliomas"
    page = environment.get_template("replication.html.jinja").render(title=title, sections=sections)
    path = folder / "report.html"
    write_text(path, page)
    return path


def as_json(tables: Tables) -> dict[str, Any]:
    """Give all tables as plain values; missing and infinite ones, which JSON lacks, as None."""
    finite = {name: table.replace([np.inf, -np.inf], np.nan) for name, table in tables.items()}
    return {
        name: table.astype(object).where(table.notna(), None).to_dict("records")
        for name, table in finite.items()
    }


def _checklists(folder: Path) -> Section:
    checklists = read_checklists()
    every = [c.table().assign(checklist=c.name) for c in checklists]
    write_table(folder / "checklists.csv", pd.concat(every, ignore_index=True))
    found = [
        blocks.table(
            checklist.table(),
            f"{checklist.name}, filled in where the software knows the answer"
            f"{_score(checklist)}. {checklist.reference}",
            "checklists",
            blocks.count("No.", "number"), blocks.words("section", "section"),
            blocks.words("item", "item"), blocks.words("answer", "answer"),
            blocks.words("where", "where"),
        )
        for checklist in checklists
    ]  # fmt: skip
    return Section("checklists", "Checklists", found)


def _score(checklist: Checklist) -> str:
    return "" if checklist.score is None else f" (score {checklist.score:.1f} %)"


_SECTIONS: Sequence[tuple[str, str, str, Callable[[Report], Sequence[Block]]]] = (
    ("answer", "What was asked, and the answer", "claims", primary.answer),
    ("patients", "Patients", "flow", primary.patients),
    ("masks", "Masks", "evaluation", primary.masks),
    ("tests", "The ten hypotheses", "associations", primary.tests),
    ("agreement", "Automatic and manual", "agreement", primary.agreement),
    ("sensitivity", "Sensitivity", "sensitivity", further.sensitivity),
    ("confounding", "Is it shape, or IDH?", "adjusted", further.confounding),
    ("robustness", "Robustness", "robustness", further.robustness),
    ("noise", "Noise", "noise", further.noise),
    ("uncertainty", "Uncertainty", "stability", further.uncertainty),
    ("failed-attempt", "Why an attempt failed", "failed_attempt", further.failed_attempt),
    ("prediction", "Prediction", "prediction", further.prediction),
)
"""Anchor, heading, the table that it needs, and what makes it."""
