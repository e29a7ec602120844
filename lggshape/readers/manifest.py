"""Take from a table which case belongs to which patient, and where it comes from."""

from collections.abc import Sequence
from dataclasses import replace

from lggshape.errors import InputError
from lggshape.files import TableSource, is_missing, plain_numbers, read_table, row_name, table_name
from lggshape.names import first_few, what_is_unsafe
from lggshape.readers.source import CaseSource


def assign_patients(sources: Sequence[CaseSource], manifest: TableSource) -> list[CaseSource]:
    """Replace the patients of the cases, and their sites, by those of a table.

    Parameters
    ----------
    sources : sequence of CaseSource
        The cases, as `open_cases` returns them.
    manifest : path or DataFrame
        A CSV file or a table in memory with the columns `case` and `patient`, and perhaps `site`.
        Rows of other cases are left aside. Where there is no site, a case keeps the one that is
        known.

    Returns
    -------
    list of CaseSource
        The same cases in the same order, with the patients and sites of the table.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, names something that cannot be a case, or has
        several rows for a case, or if a case has no patient in it.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from lggshape.readers.source import UnreadableCase
    >>> case = UnreadableCase("scan_1", "scan_1", Path("scan_1"))
    >>> manifest = pd.DataFrame({"case": ["scan_1"], "patient": [7], "site": ["Bonn"]})
    >>> (assigned,) = assign_patients([case], manifest)
    >>> assigned.patient, assigned.site
    ('7', 'Bonn')
    """
    table = read_table(manifest, required=("case", "patient"))
    where = table_name(manifest)
    # Keys are those of the label tables, which are read in the same way.
    patients = plain_numbers(table["patient"]).mask(is_missing(table["patient"]), "")
    sites = table["site"] if "site" in table else [""] * len(table)
    known: dict[str, tuple[str, str]] = {}
    doubled = []
    for position, (case, patient, site) in enumerate(
        zip(table["case"], patients, sites, strict=True)
    ):
        unsafe = what_is_unsafe(case) if case else ""
        if unsafe or not patient.isprintable():
            wrong = f"{unsafe} in the name {case!r}" if unsafe else f"the patient {patient!r}"
            msg = (
                f"Expected {where} to name cases and patients, found {wrong} in "
                f"{row_name(manifest, position)}."
            )
            raise InputError(msg)
        if case and case in known:
            doubled.append(case)
        known[case] = patient, site
    if doubled:
        cases = first_few(list(dict.fromkeys(doubled)))
        msg = f"Expected one row per case in {where}, found several for {cases}."
        raise InputError(msg)
    without = [source.id for source in sources if not known.get(source.id, ("", ""))[0]]
    if without:
        msg = f"Expected a patient for every case in {where}, found none for {first_few(without)}."
        raise InputError(msg)
    return [
        replace(source, patient=patient, site=site or source.site)
        for source in sources
        for patient, site in [known[source.id]]
    ]
