"""The report of a study: one HTML file, with its tables and figures beside it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lggshape.association import Study
from lggshape.files import write_table
from lggshape.progress import OnProgress, counter
from lggshape.provenance import InputFile
from lggshape.report.answer import answer, sensitivity
from lggshape.report.areas import areas
from lggshape.report.gallery import Gallery
from lggshape.report.hypotheses import hypotheses
from lggshape.report.methods import limits, methods, provenance
from lggshape.report.page import Page, write_page
from lggshape.report.patients import patients
from lggshape.report.selection import labels_with_groups


def write_report(
    study: Study,
    folder: str | os.PathLike[str],
    *,
    inputs: Sequence[InputFile] = (),
    options: Mapping[str, Any] | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """Write `report.html` and, beside it, its tables as CSV and every figure as PNG and SVG.

    Parameters
    ----------
    study : Study
        The results.
    folder : str or Path
        Where to write. Figures go to `figures/` in it; files of the same names are replaced.
    inputs : sequence of InputFile
        The files that the study was made from.
    options : mapping, optional
        The options that it was made with.
    on_progress : callable, optional
        Told after each figure how many of how many are drawn.

    Returns
    -------
    Path
        The HTML file. It stands alone: styles and figures are in it.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    gallery = Gallery(folder, advance=counter(on_progress, "drawing", _count_figures(study)))
    sections = [
        answer(study, gallery),
        patients(study),
        hypotheses(study, gallery),
        *([areas(study, gallery)] if labels_with_groups(study) else []),
        sensitivity(study),
        methods(study),
        limits(study),
        provenance(study, inputs, options or {}),
    ]
    path = folder / "report.html"
    for name, table in study.tables().items():
        write_table(folder / f"{name}.csv", table)
    write_page(Page(study.family.title, "lggshape · association report", sections), path)
    return path


def _count_figures(study: Study) -> int:
    """Count one for each tested pair, each label and each map of effects."""
    tested = int(study.associations["p"].notna().sum())
    return tested + len(study.masks) * (len(labels_with_groups(study)) + 1)
