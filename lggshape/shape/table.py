"""From cases to the table of their features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lggshape.case import Case, Spacing
from lggshape.errors import InputError
from lggshape.masks import Mask
from lggshape.names import counted
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.readers.columns import check_columns, with_columns
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.readers.segmented import SEGMENTATION
from lggshape.readers.source import check_spacing
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.extraction import extract_features
from lggshape.shape.features import FEATURES

Change = Callable[[Case], Mask]
"""From a case to the mask that is measured in place of its own."""

_Row = dict[str, str | float | int | bool | None]

COLUMNS = (
    "case", "patient", "masks", *FEATURES, "spacing_known", "slice", "empty_bins", "notes",
    "reason",
)  # fmt: skip
"""Columns of a feature table, in order."""


@dataclass(frozen=True, repr=False)
class FeatureTable:
    """The features of many cases.

    Attributes
    ----------
    table : DataFrame
        A row per case, in the order of the cases, with the columns `COLUMNS`, the session if one is
        known, and the further columns of a manifest. What is missing is NaN or NA, and `reason`
        says why, for a reader. `notes` are those of the case, with the plane of the 2D features if
        it is not axial. `spacing_known` is missing for a case that could not be read or measured.
    reasons : dict of str to dict of str to str
        For each case, its missing features, each with the reason.
    failures : dict of str to str
        The cases that could not be read or measured, with the reason. They have a row too. An empty
        mask is not a failure.
    """

    table: pd.DataFrame
    reasons: dict[str, dict[str, str]]
    failures: dict[str, str]

    def __repr__(self) -> str:
        """Return the numbers of cases and failures."""
        return f"FeatureTable({counted(len(self.table), 'case')}, {len(self.failures)} failed)"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.table.to_html(max_rows=10)}"


class _Measured(NamedTuple):
    row: _Row
    reasons: dict[str, str]


def feature_table(
    cases: Cases,
    *,
    masks: str | None = None,
    spacing: Spacing | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
    change: Change | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    on_progress: OnProgress | None = None,
) -> FeatureTable:
    """Measure the masks of many cases.

    Parameters
    ----------
    cases : str, path, or sequence of CaseSource or Case
        The cases: a folder or file that `lggshape.open_cases` reads, what it returns, or cases in
        memory.
    masks : str, optional
        Where the masks come from, for the column of that name: manual, automatic or another word.
        By default automatic for what `lggshape segment` wrote, else manual.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm, of all cases; in place of what their
        files say.
    conventions : Conventions
        What the definitions leave open.
    change : callable, optional
        Returns the mask to measure, from the case with the mask as it was read. It may be defined
        in a script or a notebook.
    jobs : int, optional
        Number of processes; all cores by default.
    scheduler : str, optional
        Address of a Dask scheduler, to work there instead.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    FeatureTable
        One bad case does not keep the others from being measured: it has a row without features.

    Raises
    ------
    InputError
        If the path cannot be opened, `spacing` is not three numbers from 0.001 to 1000 mm, `masks`
        is blank, two cases have the same name, or only some of the masks are automatic and `masks`
        does not say what to call them all.

    Examples
    --------
    >>> import numpy as np
    >>> case = Case("patient_1", "patient_1", mask=np.ones((2, 3, 4), dtype=bool))
    >>> measured = feature_table([case], jobs=1)
    >>> measured
    FeatureTable(1 case, 0 failed)
    >>> measured.table.loc[0, "volume"]
    np.float64(24.0)
    >>> measured.reasons["patient_1"]["sphericity"]
    'the spacing is unknown'
    """
    if spacing is not None:
        spacing = check_spacing(spacing)
    if masks is not None and (not masks.isprintable() or not masks or masks != masks.strip()):
        msg = f"Expected masks to be a word such as manual or automatic, found: {masks!r}."
        raise InputError(msg)
    sources = sources_of(cases, masks_only=True)
    masks = _kind_of(sources) if masks is None else masks
    check_columns(sources, COLUMNS)
    measure = partial(
        _measure, masks=masks, spacing=spacing, conventions=conventions, change=change
    )
    rows: list[_Row] = []
    reasons: dict[str, dict[str, str]] = {}
    failures: dict[str, str] = {}
    advance = counter(on_progress, "measuring", len(sources))
    for outcome in map_cases(measure, sources, jobs=jobs, scheduler=scheduler):
        case = outcome.item
        if outcome.value is not None:
            row, reasons[case.id] = outcome.value
        else:
            failures[case.id] = str(outcome.error)
            row = {"case": case.id, "patient": case.patient, "masks": masks}
            reasons[case.id] = dict.fromkeys(FEATURES, failures[case.id])
        rows.append({**row, "reason": _in_words(reasons[case.id])})
        advance()
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    counts = (name for name, feature in FEATURES.items() if feature.is_count)
    types = dict.fromkeys((*counts, "slice", "empty_bins"), "Int64")
    table = with_columns(table.astype(types | {"spacing_known": "boolean"}), sources)
    return FeatureTable(table, reasons, failures)


def _measure(
    source: CaseSource,
    *,
    masks: str,
    spacing: Spacing | None,
    conventions: Conventions,
    change: Change | None,
) -> _Measured:
    """Read the mask of a case and measure it."""
    case = source.read(image=False)
    assert case.mask is not None  # it is required
    mask = case.mask if change is None else change(case)
    geometry = replace(case.geometry, spacing=spacing or case.geometry.spacing)
    result = extract_features(replace(case, mask=mask, geometry=geometry), conventions=conventions)
    plane = geometry.plane
    turned = [f"2D features in {plane.name} slices"] if plane.axis else []
    row: _Row = {
        "case": case.id,
        "patient": case.patient,
        "masks": masks,
        **result.values,
        "spacing_known": geometry.spacing is not None,
        "slice": result.slice,
        "empty_bins": result.empty_bins,
        "notes": "; ".join([*case.notes, *turned]),
    }
    return _Measured(row, result.reasons)


def _in_words(reasons: dict[str, str]) -> str:
    """Return each reason with its features, or without if no feature could be measured."""
    if len(reasons) == len(FEATURES):
        return "; ".join(dict.fromkeys(reasons.values()))
    features: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        features.setdefault(reason, []).append(name)
    return "; ".join(f"{reason}: no {', '.join(names)}" for reason, names in features.items())


def _kind_of(sources: Sequence[CaseSource]) -> str:
    """Return where masks come from, by what lies beside them."""
    kinds = {_kind_beside(source.path) for source in sources}
    if len(kinds) > 1:
        msg = (
            "Expected masks of one kind, found some that `segment` wrote and others. Say what to "
            "call them all: masks= in Python, --masks on the command line."
        )
        raise InputError(msg)
    return kinds.pop() if kinds else "manual"


def _kind_beside(path: Path) -> str:
    # A case lies in the folder with the table; one that is lost has the folder itself as its place.
    places = (path.parent / SEGMENTATION, path / SEGMENTATION)
    return "automatic" if any(place.is_file() for place in places) else "manual"
