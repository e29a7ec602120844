"""The report of a replication: the paper's own companion."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from lggshape.association import Family
from lggshape.files import write_table
from lggshape.labels import Labels
from lggshape.names import counted
from lggshape.progress import OnProgress, counter
from lggshape.report.blocks import Section, Table
from lggshape.report.gallery import Gallery
from lggshape.report.page import Page, made_by, write_page
from lggshape.report.people import People
from lggshape.shape.portrait import Portraits
from lggshape.studies.buda2019.report.agreement import agreement
from lggshape.studies.buda2019.report.answer import answer
from lggshape.studies.buda2019.report.checklists import checklists, read_checklists
from lggshape.studies.buda2019.report.cohort import masks, patients
from lggshape.studies.buda2019.report.confounding import confounding
from lggshape.studies.buda2019.report.disturbances import noise, robustness, uncertainty
from lggshape.studies.buda2019.report.evidence import StudyEvidence, Tables
from lggshape.studies.buda2019.report.failed_attempt import failed_attempt
from lggshape.studies.buda2019.report.findings import Findings
from lggshape.studies.buda2019.report.hypotheses import hypotheses
from lggshape.studies.buda2019.report.mask_sets import mask_sets
from lggshape.studies.buda2019.report.prediction import prediction
from lggshape.studies.buda2019.report.sensitivity import sensitivity

_TITLE = "Replication of Buda et al. 2019: tumour shape and genomic clusters of lower-grade gliomas"


def write_report_files(
    tables: Tables,
    family: Family,
    labels: Labels,
    folder: Path,
    *,
    earlier: Tables = MappingProxyType({}),
    second: Tables = MappingProxyType({}),
    portraits: Portraits | None = None,
    title: str | None = None,
    authors: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> None:
    """Write `report.html`, `checklists.csv` and, beside them, every figure as PNG and SVG.

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
        Folder of a run that is being written.
    earlier : mapping of str to DataFrame
        The tables of an earlier run on other masks, to be shown beside these.
    second : mapping of str to DataFrame
        The tables of a comparison with the outlines of other raters, likewise.
    portraits : Portraits, optional
        What is drawn of the patients.
    title : str, optional
        The heading; by default that of the study.
    authors : sequence of str
        Who wrote it.
    on_progress : callable, optional
        Called with a `Progress` after each section.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    people = _people(tables, family, labels, portraits) if "features" in tables else None
    evidence = StudyEvidence(tables, family, earlier, second)
    findings = Findings(evidence, labels, Gallery(folder), people)
    chosen = [make for needed, make in _SECTIONS if needed in tables]
    advance = counter(on_progress, "drawing", len(chosen))
    sections = []
    for make in chosen:
        section = make(findings)
        sections.append(section if make in _IN_FULL else _in_short(section))
        advance()
    if people is not None:
        sections.append(people.section())
    filled_in = read_checklists()
    write_table(folder / "checklists.csv", filled_in)
    page = Page(
        title or _TITLE, "lggshape · replication report", [*sections, checklists(filled_in)],
        [("Cohort", _cohort_in_words(tables)), *made_by()], authors,
    )  # fmt: skip
    write_page(page, folder / "report.html")


def _people(tables: Tables, family: Family, labels: Labels, portraits: Portraits | None) -> People:
    """Return the patients with the features and labels of the hypotheses."""
    names = dict.fromkeys(h.label for h in family.hypotheses)
    features = list(dict.fromkeys(h.feature for h in family.hypotheses))
    known = {name: labels[name] for name in names if name in labels}
    drawn, checks = portraits or ({}, {})
    return People(tables["features"], known, features, drawn, checks)


def _cohort_in_words(tables: Tables) -> str:
    """Return how many patients were measured, and by which masks."""
    if "features" not in tables:
        return "no patients were measured"
    features = tables["features"]
    kinds = " and ".join(dict.fromkeys(features["masks"]))
    return f"{counted(features['patient'].nunique(), 'patient')}, {kinds} masks"


def _in_short(section: Section) -> Section:
    """Return a section with its tables folded: its sentences and figures tell what is in them."""
    blocks = [
        replace(block, is_folded=True) if isinstance(block, Table) else block
        for block in section.blocks
    ]
    return replace(section, blocks=blocks)


_SECTIONS: Sequence[tuple[str, Callable[[Findings], Section]]] = (
    ("claims", answer),
    ("flow", patients),
    ("evaluation", masks),
    ("associations", hypotheses),
    ("agreement", agreement),
    ("sensitivity", mask_sets),
    ("sensitivity", sensitivity),
    ("adjusted", confounding),
    ("robustness", robustness),
    ("noise", noise),
    ("stability", uncertainty),
    ("failed_attempt", failed_attempt),
    ("prediction", prediction),
)
"""The table that a section needs, and what makes it."""

_IN_FULL = (answer, hypotheses)
"""The sections whose tables are not folded."""
