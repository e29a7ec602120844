"""A cohort at a glance: sizes and places of the tumours, intensities of the images."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.figures.intensities import QUANTILES
from lggshape.masks import bounding_box
from lggshape.names import counted
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers.in_memory import Cases
from lggshape.segmentation.preprocessing.intensities import LOWEST, STEP, encode
from lggshape.visualisation.shown_cases import (
    PREDICTED,
    REFERENCE,
    CaseToShow,
    find_cases,
    head_in,
    read_volumes,
)

GRID = (48, 96, 80)
"""Shape (Z, Y, X) of the grid that the bounding box of every head is brought to."""

HEAD, MISSED, ADDED = "head", "missed", "added"
"""Names of what is located besides the masks: the heads, and the errors of predicted masks."""

RAW = tuple(f"flair_p{quantile}" for quantile in QUANTILES)
STANDARDISED = tuple(f"standardised_p{quantile}" for quantile in QUANTILES)

COLUMNS = (
    "case", "patient", "site", "mask", "volume", "spacing_known",
    "centroid_z", "centroid_y", "centroid_x", "slices", "tumour_slices",
    *RAW, *STANDARDISED, "reason",
)  # fmt: skip
"""Columns of `Survey.table`, in order."""


class Described(NamedTuple):
    """What is kept of a case.

    Attributes
    ----------
    row : dict
        A row of `Survey.table`.
    located : dict of str to ndarray of bool, shape `GRID`
        Where in the head the masks and their errors lie, and the head itself; nothing without one.
    spacing : tuple of float or None
        Distances between voxel centres along (z, y, x), in mm; None if they are unknown.
    size : tuple of int or None
        Extent (z, y, x) of the head in voxels; None without a head.
    oriented : bool
        Whether y is known to run towards anterior and x towards the right of the patient.
    """

    row: dict[str, Any]
    located: dict[str, NDArray[np.bool_]]
    spacing: tuple[float, float, float] | None
    size: tuple[int, ...] | None
    oriented: bool


@dataclass(frozen=True, repr=False)
class Survey:
    """What was found about a cohort.

    Attributes
    ----------
    table : DataFrame
        A row per case, with the columns `COLUMNS`. A case that could not be read has a row with the
        reason.
    located : dict of str to ndarray of int, shape `GRID`
        In how many cases a place of the head is inside the reference mask, the predicted mask,
        missed or added by the prediction, and inside the head. If the orientation of some heads is
        known and that of others is not, only the more numerous of the two are mapped.
    counts : Counter
        How many cases each of these is of.
    size : tuple of float
        Median extent of the mapped heads along (z, y, x); in mm, or in voxels with an unknown z
        (NaN) unless the spacing of all is known.
    oriented : bool
        Whether the orientation of the mapped heads is known.
    failures : dict of str to str
        The cases that could not be read, with the reason.
    """

    table: pd.DataFrame
    located: dict[str, NDArray[np.int64]]
    counts: Counter[str]
    size: tuple[float, float, float]
    oriented: bool
    failures: dict[str, str]

    def __repr__(self) -> str:
        """Return the numbers of cases and failures."""
        return f"Survey({counted(len(self.table), 'case')}, {len(self.failures)} failed)"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.table.to_html(max_rows=10)}"


def survey(
    cases: Cases,
    *,
    predicted: Cases | None = None,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> Survey:
    """Describe every case of a cohort.

    Parameters
    ----------
    cases : path, or sequence of CaseSource or Case
        A data set, its cases as `lggshape.open_cases` returns them, or cases in memory.
    predicted : path, or sequence of CaseSource or Case, optional
        Predicted masks of cases of the same names.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Called with a `Progress` after each case.

    Returns
    -------
    Survey
        One bad case does not keep the others from being described.

    Raises
    ------
    InputError
        If a path holds no case, or no predicted mask has the name of a case.

    Examples
    --------
    >>> from lggshape import Case
    >>> mask = np.zeros((5, 9, 9), dtype=bool)
    >>> mask[2:4, 3:6, 3:6] = True
    >>> found = survey([Case("a", "patient_1", mask=mask)], jobs=1)
    >>> found
    Survey(1 case, 0 failed)
    >>> print(found.table.loc[0, "volume"])
    18.0
    """
    shown = find_cases(cases, predicted=predicted)
    rows: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    maps = {True: _Maps(), False: _Maps()}
    advance = counter(on_progress, "describing", len(shown))
    for outcome in map_cases(describe_case, shown, jobs=jobs):
        source = outcome.item.source
        row = {"case": source.id, "patient": source.patient, "site": source.site}
        if outcome.error is None:
            described: Described = outcome.value
            row |= described.row
            maps[described.oriented].add(described)
        else:
            failures[source.id] = row["reason"] = str(outcome.error)
        rows.append(row)
        advance()
    mapped = max(maps.values(), key=lambda one: one.counts[HEAD])
    types = {"spacing_known": "boolean", "slices": "Int64", "tumour_slices": "Int64"}
    return Survey(
        table=pd.DataFrame(rows, columns=list(COLUMNS)).astype(types),
        located=mapped.located,
        counts=mapped.counts,
        size=mapped.median_size(),
        oriented=mapped is maps[True],
        failures=failures,
    )


def describe_case(shown: CaseToShow) -> Described:
    """Read a case and describe it.

    Parameters
    ----------
    shown : CaseToShow
        The case.

    Returns
    -------
    Described
        Volume, slices and centroid are those of the reference mask; without one, of the predicted
        mask.

    Raises
    ------
    CaseError
        If the case cannot be read, or its FLAIR shows no head.
    """
    volumes = read_volumes(shown)
    row: dict[str, Any] = {"spacing_known": volumes.case.geometry.spacing is not None}
    name, mask = next(iter(volumes.masks.items()), (None, None))
    reasons = []
    if mask is None:
        reasons.append("no mask: no volume, no centroid")
    else:
        voxel = float(np.prod(volumes.case.geometry.spacing or 1.0))
        row |= {
            "mask": name,
            "volume": float(np.count_nonzero(mask)) * voxel,
            "slices": len(mask),
            "tumour_slices": int(mask.any(axis=(1, 2)).sum()),
        }
        if not mask.any():
            reasons.append("the mask is empty: no centroid")
    if volumes.flair is None:
        reasons.append("no FLAIR: no centroid, no intensities")
        row["reason"] = "; ".join(reasons)
        return Described(row, {}, volumes.case.geometry.spacing, None, volumes.oriented)
    head = head_in(volumes)
    box = bounding_box(head)
    assert box is not None  # a head is never empty
    row["slices"] = len(head)
    row |= _intensities(volumes.flair, head)
    if STANDARDISED[0] not in row:
        reasons.append("hardly any contrast: no standardised intensities")
    if mask is not None and mask.any():
        places = np.argwhere(mask).mean(axis=0) + 0.5
        for axis, place, side in zip("zyx", places, box, strict=True):
            row[f"centroid_{axis}"] = (place - side.start) / (side.stop - side.start)
    located = {name: to_grid(inside, box) for name, inside in {HEAD: head, **volumes.masks}.items()}
    if {REFERENCE, PREDICTED} <= located.keys():
        located[MISSED] = located[REFERENCE] & ~located[PREDICTED]
        located[ADDED] = located[PREDICTED] & ~located[REFERENCE]
    size = tuple(side.stop - side.start for side in box)
    row["reason"] = "; ".join(reasons)
    return Described(row, located, volumes.case.geometry.spacing, size, volumes.oriented)


def to_grid(inside: NDArray[np.bool_], box: tuple[slice, ...]) -> NDArray[np.bool_]:
    """Resample what lies in a box to the common grid.

    Parameters
    ----------
    inside : ndarray of bool, shape (Z, Y, X)
        A mask.
    box : tuple of slice
        The part (z, y, x) of it to take.

    Returns
    -------
    ndarray of bool, shape `GRID`
        The voxels of the mask in which the centres of the cells of the grid lie.
    """
    places = [
        side.start + ((np.arange(count) + 0.5) / count * (side.stop - side.start)).astype(int)
        for side, count in zip(box, GRID, strict=True)
    ]
    return inside[np.ix_(*places)]


def _intensities(flair: NDArray[np.generic], head: NDArray[np.bool_]) -> dict[str, float]:
    """Compute quantiles of FLAIR in the head, as stored and, if it has contrast, standardised."""
    raw = np.percentile(flair[head].astype(np.float64), QUANTILES)
    found = dict(zip(RAW, raw.tolist(), strict=True))
    codes = encode(flair)
    if codes is not None:
        standardised = LOWEST + (np.percentile(codes[head], QUANTILES) - 1) * STEP
        found |= dict(zip(STANDARDISED, standardised.tolist(), strict=True))
    return found


class _Maps:
    """Heads of one kind, laid on each other."""

    def __init__(self) -> None:
        self.located: dict[str, NDArray[np.int64]] = {}
        self.counts: Counter[str] = Counter()
        self._sizes: list[tuple[int, ...]] = []
        self._spacings: list[tuple[float, float, float] | None] = []

    def add(self, described: Described) -> None:
        for name, inside in described.located.items():
            before = self.located.get(name, np.zeros(GRID, dtype=np.int64))
            self.located[name] = before + inside
            self.counts[name] += 1
        if described.size is not None:
            self._sizes.append(described.size)
            self._spacings.append(described.spacing)

    def median_size(self) -> tuple[float, float, float]:
        if not self._sizes:
            return np.nan, np.nan, np.nan
        known = [spacing for spacing in self._spacings if spacing is not None]
        if len(known) == len(self._sizes):
            z, y, x = np.median(np.multiply(self._sizes, known), axis=0).tolist()
            return z, y, x
        _, y, x = np.median(self._sizes, axis=0).tolist()
        return np.nan, y, x
