"""Verify a data set: whether every case is whole, and whether cases and labels fit together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.case import FLAIR, SEQUENCES, Case
from lggshape.errors import CaseError
from lggshape.files import names_cell, to_records
from lggshape.head import describe_misfit
from lggshape.labels import (
    Labels,
    LabelSource,
    LabelTable,
    MatchIds,
    PatientMatch,
    as_labels,
    match_patients,
)
from lggshape.masks import bounding_box, find_components
from lggshape.names import counted, first_few
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.tables import table_title

_COUNTS = ("slices", "tumour_slices", "tumour_voxels", "components_6", "components_26")
COLUMNS = (
    "case", "patient", "status", "shape", "type", "missing_sequences", *_COUNTS, "touches_edge",
    "messages",
)  # fmt: skip
"""Columns of `Verification.cases`, in order."""


@dataclass(frozen=True, repr=False)
class Verification:
    """What was found in a data set.

    Attributes
    ----------
    cases : DataFrame
        A row per case: `case`, `patient`; `status` (ok, warning, failed); `shape` (Z x Y x X) and
        `type` of the image, or of the mask if there is no image; `missing_sequences`, as
        `Case.missing_sequences` tells them, joined by "; ", or none; `slices`, `tumour_slices`,
        `tumour_voxels`; `components_6` and `components_26`, the numbers of 6-connected and of
        26-connected components of the mask; `touches_edge`, whether the mask reaches
        the edge of the volume; and `messages`. What does not apply is missing.
    labels : DataFrame
        A row per label column: `table`, `column`, `labelled`, the number of patients of the data
        set with a label, and `unlabelled`, the other patients, joined by "; ". A cell that says
        missing, such as NA or [Not Available], is no label.
    messages : tuple of str
        What involves more than one case, and what was done to the label tables on reading.
    match : PatientMatch or None
        How the patients of the cases and of the labels were matched; None without labels.
    """

    cases: pd.DataFrame
    labels: pd.DataFrame
    messages: tuple[str, ...]
    match: PatientMatch | None = None

    def __repr__(self) -> str:
        """Return the numbers of cases and failures."""
        return f"Verification({counted(len(self.cases), 'case')}, {len(self.failures)} failed)"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.cases.to_html(max_rows=10)}"

    @property
    def failures(self) -> dict[str, str]:
        """The cases that cannot be used, with the reason."""
        failed = self.cases[self.cases["status"] == "failed"]
        return dict(zip(failed["case"], failed["messages"], strict=True))

    def summary(self) -> str:
        """Return what was found in words, one line for each finding, without the failures."""
        status = Counter(self.cases["status"])
        patients = self.cases["patient"].nunique()
        lines = [
            f"{counted(len(self.cases), 'case')} of {counted(patients, 'patient')}: "
            f"{status['ok']} ok, {status['warning']} with warnings, {status['failed']} failed"
        ]
        warned = self.cases[self.cases["status"] == "warning"]
        lines += [f"  {row.case}: {row.messages}" for row in warned.itertuples()]
        lines += [f"  {message}" for message in self.messages]
        lines += [] if self.match is None else [f"  {self.match.summary()[0]}"]
        for row in self.labels.itertuples():
            line = f"  {row.table}, {row.column}: {row.labelled} of {counted(patients, 'patient')}"
            if row.labelled and row.unlabelled:
                line += f", without: {first_few(str(row.unlabelled).split('; '))}"
            lines.append(line)
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return {
            "status": dict(Counter(self.cases["status"])),
            "messages": list(self.messages),
            "labels": to_records(self.labels),
            "cases": to_records(self.cases),
        }


class _Checked(NamedTuple):
    row: dict[str, Any]
    digests: list[bytes]


def verify(
    cases: Cases,
    *,
    labels: Labels | LabelSource | None = None,
    patient_column: str | None = None,
    match_ids: MatchIds = "exact",
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Verification:
    """Read every case and look for what could spoil a study.

    Parameters
    ----------
    cases : path, or sequence of CaseSource or Case
        A data set, its cases as `lggshape.open_cases` returns them, or cases in memory.
    labels : Labels, or what `read_labels` takes, optional
        Labels of the patients: files or tables in memory with one row per patient.
    patient_column : str, optional
        The column of the label tables with the patients' keys, as for `read_labels`.
    match_ids : {"exact", "loose"}
        Whether the patients' keys have to be equal, or may differ in case, blanks, leading zeros,
        and `-` for `_`.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    Verification
        A case that cannot be read or contradicts itself has failed, and one whose image is not
        finite or shows nothing. Warnings are a missing sequence, a mask that is empty, in several
        parts, at the edge, beside the head or over more than half of it, and the notes of a case.

    Raises
    ------
    InputError
        If the path holds no case, two cases have the same name, or the labels cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> with TemporaryDirectory() as folder:
    ...     cohort = write_cohort(Path(folder) / "cohort", patients=2, size=(6, 24, 24))
    ...     found = verify(cohort, labels=cohort / "labels.csv", jobs=1)
    >>> found
    Verification(2 cases, 0 failed)
    """
    sources = sources_of(cases)
    known = None if labels is None else as_labels(labels, patient_column=patient_column)
    advance = counter(on_progress, "verifying", len(sources))
    rows = []
    digests: dict[str, list[bytes]] = {}
    for outcome in map_cases(check_case, sources, jobs=jobs):
        source = outcome.item
        if outcome.error is None:
            rows.append(outcome.value.row)
            digests[source.id] = outcome.value.digests
        else:
            keys = {"case": source.id, "patient": source.patient}
            rows.append({**keys, "status": "failed", "messages": str(outcome.error)})
        advance()
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(_COUNTS, "Int64") | {"touches_edge": "boolean"})
    patients = list(dict.fromkeys(source.patient for source in sources))
    match = None if known is None else match_patients(patients, known, match_ids=match_ids)
    tables = () if match is None else match.labels.tables
    messages = [
        *_several_cases(sources),
        *_shared_slices(sources, digests),
        *_strangers(tables, patients),
        *([] if match is None else (*match.near_misses(), *match.labels.notes)),
        *(message for table in tables for message in table.unusable.values()),
    ]
    return Verification(table, _label_counts(tables, patients), tuple(messages), match)


def check_case(source: CaseSource) -> _Checked:
    """Read a case and describe it.

    Raises
    ------
    CaseError
        If it cannot be read, has neither an image nor a mask, or its image has intensities that are
        not finite, or one value everywhere.
    """
    case = source.read()
    voxels = case.image if case.image is not None else case.mask
    assert voxels is not None  # one of them is required
    if case.image is not None:
        _check_intensities(case.image, case, source.path)
    missing = case.missing_sequences(SEQUENCES) if case.image is not None else ()
    row: dict[str, Any] = {
        "case": case.id,
        "patient": case.patient,
        "shape": " x ".join(map(str, voxels.shape[:3])),
        "type": str(voxels.dtype),
        "missing_sequences": names_cell(missing) if case.image is not None else None,
        "slices": voxels.shape[0],
    }
    warnings = list(case.notes)
    warnings += [
        f"{name} is missing: it has one value or equals {FLAIR} everywhere"
        if name in case.sequences
        else f"{name} is missing"
        for name in missing
    ]
    if case.mask is None:
        warnings.append("no mask")
    else:
        row |= _describe_mask(case.mask)
        if row["tumour_voxels"] == 0:
            warnings.append("the mask is empty")
        if row["components_6"] > 1:
            warnings.append(
                f"the mask has {row['components_6']} parts that share no face "
                f"({row['components_26']} if parts that touch at an edge or a corner count as one)"
            )
        if row["touches_edge"]:
            warnings.append("the mask reaches the edge of the volume")
        if case.image is not None and FLAIR in case.sequences:
            flair = case.image[..., case.sequences.index(FLAIR)]
            warnings += filter(None, [describe_misfit(case.mask, flair.__getitem__)])
    row["status"] = "warning" if warnings else "ok"
    row["messages"] = "; ".join(warnings)
    return _Checked(row, _slice_digests(case.image) if case.image is not None else [])


def _check_intensities(image: NDArray[np.generic], case: Case, path: Path) -> None:
    """Refuse an image that is not finite, or shows nothing."""
    for name, channel in zip(case.sequences, np.moveaxis(image, -1, 0), strict=True):
        count = int(np.count_nonzero(~np.isfinite(channel)))
        if count:
            msg = (
                f"Expected the intensities of case {case.id} to be finite, found NaN or infinity "
                f"in {counted(count, 'voxel')} of {name}: {path}. Write numbers in their place."
            )
            raise CaseError(msg)
    if image.min() == image.max():
        msg = (
            f"Expected the image of case {case.id} to show something, found the value "
            f"{image.flat[0]:g} everywhere: {path}."
        )
        raise CaseError(msg)


def _describe_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    box = bounding_box(mask)
    if box is None:
        return dict.fromkeys(_COUNTS[1:], 0) | {"touches_edge": False}
    tumour = mask[box]
    return {
        "tumour_slices": int(tumour.any(axis=(1, 2)).sum()),
        "tumour_voxels": int(tumour.sum()),
        "components_6": find_components(tumour).number,
        "components_26": find_components(tumour, diagonal=True).number,
        "touches_edge": any(
            part.start == 0 or part.stop == length
            for part, length in zip(box, mask.shape, strict=True)
            if length > 1
        ),
    }


def _slice_digests(image: NDArray[np.generic]) -> list[bytes]:
    """Compute a digest of every slice that has more than one value."""
    return [
        blake2b(np.ascontiguousarray(one).data, digest_size=16).digest()
        for one in image
        if one.min() != one.max()
    ]


def _several_cases(sources: Sequence[CaseSource]) -> list[str]:
    by_patient: dict[str, list[str]] = {}
    for source in sources:
        by_patient.setdefault(source.patient, []).append(source.id)
    return [
        f"patient {patient} has {len(cases)} cases: {', '.join(cases)}"
        for patient, cases in by_patient.items()
        if len(cases) > 1
    ]


def _shared_slices(sources: Iterable[CaseSource], digests: dict[str, list[bytes]]) -> list[str]:
    """Find slices that two patients have in common to the bit."""
    patient_of = {source.id: source.patient for source in sources}
    first: dict[bytes, str] = {}
    shared: Counter[tuple[str, str]] = Counter()
    for case, slices in digests.items():
        for digest in slices:
            other = first.setdefault(digest, case)
            if patient_of[other] != patient_of[case]:
                shared[other, case] += 1
    return [
        f"cases {one} and {other} are of different patients and share {counted(count, 'slice')}"
        for (one, other), count in shared.items()
    ]


def _strangers(tables: Iterable[LabelTable], patients: list[str]) -> list[str]:
    messages = []
    for table in tables:
        strangers = pd.Index(table.patients).difference(pd.Index(patients), sort=False)
        if len(strangers):
            messages.append(
                f"{counted(len(strangers), 'patient')} of {_file_name(table)} without a case: "
                f"{first_few(list(strangers), 10)}"
            )
    return messages


def _label_counts(tables: Iterable[LabelTable], patients: list[str]) -> pd.DataFrame:
    rows = []
    for table in tables:
        for column, label in table.labels.items():
            unlabelled = [patient for patient in patients if patient not in label.values.index]
            rows.append(
                {
                    "table": _file_name(table),
                    "column": column,
                    "labelled": len(patients) - len(unlabelled),
                    "unlabelled": "; ".join(unlabelled),
                }
            )
    return pd.DataFrame(rows, columns=["table", "column", "labelled", "unlabelled"])


def _file_name(table: LabelTable) -> str:
    """Return the name of the file that a table is named after, else the name that it was given."""
    if not isinstance(table.source, pd.DataFrame) and table_title(table.source) == table.name:
        return Path(table.source).name
    return table.name
