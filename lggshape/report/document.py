"""The report of a study: one HTML file, with its tables and figures beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lggshape.association import Study
from lggshape.figures import Journal
from lggshape.files import StrPath, write_json, write_table
from lggshape.names import counted
from lggshape.progress import OnProgress, counter
from lggshape.provenance import InputFile, recorded
from lggshape.report.adjustment import adjustment
from lggshape.report.answer import answer, sensitivity
from lggshape.report.areas import areas
from lggshape.report.blocks import Section
from lggshape.report.checklists import checklists_of, of_associations
from lggshape.report.closing import provenance
from lggshape.report.cohort import cohort
from lggshape.report.gallery import Gallery
from lggshape.report.hypotheses import hypotheses
from lggshape.report.methods import limits, methods
from lggshape.report.page import Page, made_by, write_page
from lggshape.report.patients import patients
from lggshape.report.people import NO_CHECKS, NO_PORTRAITS, People
from lggshape.report.selection import labels_with_groups, tested_features
from lggshape.results import RECORD, results_folder
from lggshape.shape.portrait import Portrait, read_portraits


def write_report(
    study: Study,
    folder: StrPath,
    *,
    cases: Sequence[StrPath] = (),
    images: bool = False,
    title: str | None = None,
    authors: Sequence[str] = (),
    journal: Journal | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> Path:
    """Write the report of a study, with its tables and figures, to a folder of its own.

    Parameters
    ----------
    study : Study
        The results.
    folder : str or Path
        Where to write: a new or empty folder, or one with an earlier report.
    cases : sequence of str or Path
        Folders of cases with masks, each of another kind, whose outlines the report shows.
    images : bool
        Whether to show the images of the first folder, too. They are personal data of patients.
    title : str, optional
        The heading; by default that of the family.
    authors : sequence of str
        Who wrote it.
    journal : Journal, optional
        A further format of the figures in `figures/`, or another size of one of them.
    overwrite : bool
        Whether an earlier report may be replaced. Only the files that its `run.json` lists are
        removed.
    on_progress : callable, optional
        Called with a `Progress` after each figure.

    Returns
    -------
    Path
        `report.html` in the folder. It stands alone: styles and figures are in it. Beside it are
        the tables as CSV and together in `results.json`, `checklists.csv` to be completed,
        `run.json`, and every figure as PNG and SVG in `figures/`.

    Raises
    ------
    InputError
        If the folder cannot be written to, or holds something else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from lggshape.association import associate
    >>> names = [f"patient_{number}" for number in range(8)]
    >>> labels = pd.DataFrame({"patient": names, "idh": ["mutant", "wild type"] * 4})
    >>> features = pd.DataFrame({"case": names, "patient": names, "masks": "manual"})
    >>> features["volume"] = [9.0, 1, 8, 2, 7, 3, 6, 4]
    >>> study = associate(features, labels)
    >>> with TemporaryDirectory() as folder:
    ...     report = write_report(study, Path(folder, "results"))
    ...     report.name, (report.parent / "associations.csv").exists()
    ('report.html', True)
    """
    drawn, checks = read_portraits(cases, images=images, on_progress=on_progress)
    with (
        results_folder(folder, overwrite=overwrite) as place,
        recorded(
            place / RECORD,
            command="write_report",
            options={},
            inputs=[],
            tables_of="associate",
        ),
    ):
        write_report_files(
            study, place, portraits=drawn, checks=checks, title=title, authors=authors,
            journal=journal, on_progress=on_progress,
        )  # fmt: skip
    return Path(folder) / "report.html"


def write_report_files(
    study: Study,
    folder: Path,
    *,
    inputs: Sequence[InputFile] = (),
    options: Mapping[str, Any] | None = None,
    portraits: Mapping[str, Portrait] = NO_PORTRAITS,
    checks: Mapping[str, Mapping[str, str]] = NO_CHECKS,
    title: str | None = None,
    authors: Sequence[str] = (),
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Write `report.html` and, beside it, its tables and every figure.

    The tables are written as CSV and together as `results.json`, the figures as PNG and SVG, and
    the reporting checklists as `checklists.csv`.

    Parameters
    ----------
    study : Study
        The results.
    folder : Path
        Folder of a run that is being written. Files of the same names are replaced.
    inputs : sequence of InputFile
        The files that the study was made from.
    options : mapping, optional
        The options that it was made with.
    portraits : mapping of str to Portrait
        What is drawn of the patients, by case.
    checks : mapping of str to mapping of str to str
        What is known about their masks, by case: `expected_dice`, `check` and `check_reason`.
    title : str, optional
        The heading; by default that of the family.
    authors : sequence of str
        Who wrote it.
    journal : Journal, optional
        A further format of the figures in `figures/`, or another size of one of them.
    on_progress : callable, optional
        Called with a `Progress` after each figure.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    advance = counter(on_progress, "drawing", _count_figures(study))
    gallery = Gallery(folder, journal=journal, advance=advance)
    sections = study_sections(
        study, gallery, inputs=inputs, options=options, portraits=portraits, checks=checks
    )
    for name, table in study.tables().items():
        write_table(folder / f"{name}.csv", table)
    write_json(folder / "results.json", study.to_dict())
    checklists = checklists_of(study)
    write_table(folder / "checklists.csv", checklists)
    page = Page(
        title or study.family.title, "lggshape · association report",
        [*sections, of_associations(checklists)],
        [("Cohort", _cohort_in_words(study)), *made_by()], authors,
    )  # fmt: skip
    write_page(page, folder / "report.html")


def study_sections(
    study: Study,
    gallery: Gallery,
    *,
    inputs: Sequence[InputFile] = (),
    options: Mapping[str, Any] | None = None,
    portraits: Mapping[str, Portrait] = NO_PORTRAITS,
    checks: Mapping[str, Mapping[str, str]] = NO_CHECKS,
) -> list[Section]:
    """Return the sections of the report of a study, for a page that may have others too.

    Parameters
    ----------
    study : Study
        The results.
    gallery : Gallery
        Keeps the figures.
    inputs, options, portraits, checks : as for `write_report_files`
        What the study was made from, and what is known of its patients.
    """
    people = People(study.data, study.labels, tested_features(study), portraits, checks)
    return [
        answer(study, gallery),
        cohort(study),
        patients(study),
        hypotheses(study, gallery, people),
        people.section(),
        *([areas(study, gallery)] if labels_with_groups(study) else []),
        *([adjustment(study, study.given)] if study.given is not None else []),
        sensitivity(study),
        methods(study),
        limits(study),
        provenance(inputs, options or {}, study.tables(), "results.json"),
    ]


def _cohort_in_words(study: Study) -> str:
    """Return how many patients there are, and which masks."""
    patients = counted(study.data["patient"].nunique(), "patient")
    region = f", region {study.region}" if study.region else ""
    return f"{patients}, {' and '.join(study.masks)} masks{region}"


def _count_figures(study: Study) -> int:
    """Count one for all hypotheses, and one for each tested pair and each label with groups."""
    tested = int(study.associations["p"].notna().sum())
    return 1 + tested + len(study.masks) * len(labels_with_groups(study))
