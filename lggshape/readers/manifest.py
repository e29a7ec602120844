"""Tell by a table which case belongs to which patient, and where it comes from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lggshape.errors import InputError
from lggshape.files import read_table
from lggshape.readers.source import CaseSource


def assign_patients(sources: Sequence[CaseSource], manifest: Path) -> list[CaseSource]:
    """Replace the patients of the cases, and their sites, by those that a table gives.

    Parameters
    ----------
    sources : sequence of CaseSource
        The cases, as `open_cases` gives them.
    manifest : Path
        A CSV with the columns `case` and `patient`, and perhaps `site`. Rows of other cases are
        left aside. Where there is no site, a case keeps the one that its reader knows.

    Returns
    -------
    list of CaseSource
        The same cases in the same order, with the patients and sites of the table.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, or gives a case no patient or more than one
        row.
    """
    table = read_table(manifest, required=("case", "patient"))
    doubled = sorted(set(table["case"][table["case"].duplicated()]) - {""})
    if doubled:
        msg = f"Expected one row a case, found several for {', '.join(doubled)}: {manifest}."
        raise InputError(msg)
    patients = dict(zip(table["case"], table["patient"], strict=True))
    without = [source.id for source in sources if not patients.get(source.id)]
    if without:
        msg = f"Expected a patient for every case, found none for {', '.join(without)}: {manifest}."
        raise InputError(msg)
    sites = dict(zip(table["case"], table["site"], strict=True)) if "site" in table else {}
    return [
        replace(source, patient=patients[source.id], site=sites.get(source.id) or source.site)
        for source in sources
    ]
