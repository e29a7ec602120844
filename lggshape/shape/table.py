"""From cases to the table of their features."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.case import Case, Spacing
from lggshape.errors import CaseError, InputError
from lggshape.parallel import map_cases
from lggshape.readers import CaseSource
from lggshape.shape.conventions import DEFAULT_CONVENTIONS, Conventions
from lggshape.shape.features import FeatureResult, check_spacing, extract_features
from lggshape.shape.registry import FEATURES

Change = Callable[[Case], NDArray[np.bool_]]
"""From a case to the mask that is measured in place of its own."""

Row = dict[str, str | float | int | bool | None]

COLUMNS = (
    "case", "patient", "masks", *FEATURES, "spacing_known", "slice", "empty_bins", "reason",
)  # fmt: skip
"""Columns of a feature table, in order."""


class FeatureTable(NamedTuple):
    """The features of many cases.

    Attributes
    ----------
    table : DataFrame
        A row a case, in the order of the cases, with the columns `COLUMNS`. What is missing is NaN
        or NA, and `reason` says why. `spacing_known` is missing for a case that could not be read
        or measured.
    failures : dict of str to str
        The cases that could not be read or measured, with the reason. They have a row too. An empty
        mask is no failure.
    """

    table: pd.DataFrame
    failures: dict[str, str]


def measure_case(
    source: CaseSource,
    *,
    masks: str = "manual",
    spacing: Spacing | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
    change: Change | None = None,
) -> Row:
    """Read the mask of a case and measure it.

    Parameters
    ----------
    source : CaseSource
        Where the case is read from.
    masks : str
        Where the masks come from, for the column of that name: manual, automatic or another word.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm; in place of what the files tell.
    conventions : Conventions
        What the definitions leave open.
    change : callable, optional
        Gives the mask to measure, from the case with the mask as it was read.

    Returns
    -------
    dict
        A row of a feature table.

    Raises
    ------
    CaseError
        If the mask cannot be read.
    """
    case = source.read(image=False)
    if case.mask is None:
        msg = f"Expected case {source.id} to have a mask, found none: {source.path}."
        raise CaseError(msg)
    spacing = spacing or case.geometry.spacing
    mask = case.mask if change is None else change(case)
    result = extract_features(mask, spacing=spacing, conventions=conventions)
    return {
        "case": case.id,
        "patient": case.patient,
        "masks": masks,
        **result.values,
        "spacing_known": spacing is not None,
        "slice": result.slice,
        "empty_bins": result.empty_bins,
        "reason": _reason(result),
    }


def feature_table(
    sources: Sequence[CaseSource],
    *,
    masks: str = "manual",
    spacing: Spacing | None = None,
    conventions: Conventions = DEFAULT_CONVENTIONS,
    change: Change | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    on_case: Callable[[], None] | None = None,
) -> FeatureTable:
    """Measure the masks of many cases.

    Parameters
    ----------
    sources : sequence of CaseSource
        The cases, as `lggshape.open_cases` gives them.
    masks : str
        Where the masks come from, for the column of that name: manual, automatic or another word.
    spacing : tuple of float, optional
        Distances between voxel centres along (z, y, x), in mm, of all cases; in place of what their
        files tell.
    conventions : Conventions
        What the definitions leave open.
    change : callable, optional
        Gives the mask to measure, from the case with the mask as it was read. It is called in other
        processes, so it is a function at the top of a module or a `functools.partial` of one.
    jobs : int, optional
        Number of processes; all cores by default.
    scheduler : str, optional
        Address of a Dask scheduler, to work there instead.
    on_case : callable, optional
        Called after each case.

    Returns
    -------
    FeatureTable
        One bad case does not keep the others from being measured: it has a row without features.

    Raises
    ------
    InputError
        If `spacing` is not three numbers of 0.001 to 1000 mm, `masks` is blank, or two cases have
        the same name.
    """
    if spacing is not None:
        check_spacing(spacing)
    if not masks.strip():
        msg = f"Expected masks to be a word such as manual or automatic, found: {masks!r}."
        raise InputError(msg)
    _check_names(sources)
    measure = partial(
        measure_case, masks=masks, spacing=spacing, conventions=conventions, change=change
    )
    rows: list[Row] = []
    failures: dict[str, str] = {}
    for outcome in map_cases(measure, sources, jobs=jobs, scheduler=scheduler):
        if outcome.value is not None:
            rows.append(outcome.value)
        else:
            reason = str(outcome.error)
            failures[outcome.item.id] = reason
            keys = {"case": outcome.item.id, "patient": outcome.item.patient, "masks": masks}
            rows.append({**keys, "reason": reason})
        if on_case is not None:
            on_case()
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    types = dict.fromkeys(("components", "slices", "slice", "empty_bins"), "Int64")
    return FeatureTable(table.astype(types | {"spacing_known": "boolean"}), failures)


def _check_names(sources: Sequence[CaseSource]) -> None:
    first: dict[str, CaseSource] = {}
    for source in sources:
        other = first.setdefault(source.id, source)
        if other is not source:
            msg = f"Expected every case once, found {source.id} twice: {other.path}, {source.path}."
            raise InputError(msg)


def _reason(result: FeatureResult) -> str:
    """Say why features are missing: each reason with its features, or alone if all are missing."""
    if len(result.reasons) == len(FEATURES):
        return "; ".join(dict.fromkeys(result.reasons.values()))
    features: dict[str, list[str]] = {}
    for name, reason in result.reasons.items():
        features.setdefault(reason, []).append(name)
    return "; ".join(f"{reason}: no {', '.join(names)}" for reason, names in features.items())
