"""What `lggshape segment` says of the masks in its folder: `segmentation.csv`, a row a case."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lggshape.files import read_table
from lggshape.readers.source import CaseSource, UnreadableCase

SEGMENTATION = "segmentation.csv"


def as_recorded(cases: Mapping[str, CaseSource], folder: Path) -> dict[str, CaseSource]:
    """Bring the masks found in a folder in line with the table of the run that wrote them.

    Parameters
    ----------
    cases : mapping of str to CaseSource
        The cases that were found, by name.
    folder : Path
        The folder; without the table nothing changes.

    Returns
    -------
    dict of str to CaseSource
        Patients are those of the table. A case that failed, or whose mask is gone, is one that
        cannot be read, so that it stays in every account of n; one that was skipped is left out.

    Raises
    ------
    InputError
        If the table cannot be read or lacks a column.
    """
    found = dict(cases)
    path = folder / SEGMENTATION
    if not path.is_file():
        return found
    table = read_table(path, required=("case", "patient", "status", "reason"))
    for case, patient, status, reason in zip(
        *(table[name] for name in ("case", "patient", "status", "reason")), strict=True
    ):
        source = found.pop(case, None)
        if status == "skipped":
            continue
        if source is None or status == "failed":
            gone = f"Expected case {case} to have a mask, found none: {folder}."
            source = UnreadableCase(
                id=case,
                patient=patient,
                path=folder,
                has_image=False,
                has_mask=False,
                reason=f"segmentation failed: {reason}" if status == "failed" else gone,
            )
        found[case] = replace(source, patient=patient or source.patient)
    return found
