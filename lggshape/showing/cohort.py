"""A cohort at a glance: sizes and places of the tumours, intensities of the images."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from lggshape.case import FLAIR
from lggshape.figures.intensities import QUANTILES
from lggshape.parallel import map_cases
from lggshape.segmentation.intensities import LOWEST, STEP, standardise
from lggshape.showing.sources import (
    PREDICTED,
    REFERENCE,
    Material,
    Shown,
    head_in,
    read_material,
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
    size : tuple of float or None
        Extent (z, y, x) of the head, in mm; in voxels if the spacing is unknown.
    oriented : bool
        Whether y is known to run towards anterior and x towards the right of the patient.
    """

    row: dict[str, Any]
    located: dict[str, NDArray[np.bool_]]
    size: tuple[float, ...] | None
    oriented: bool


@dataclass(frozen=True)
class Survey:
    """What was found about a cohort.

    Attributes
    ----------
    table : DataFrame
        A row a case, with the columns `COLUMNS`. A case that could not be read has a row with the
        reason.
    located : dict of str to ndarray of int, shape `GRID`
        In how many cases a place of the head is inside the reference mask, the predicted mask,
        missed or added by the prediction, and inside the head.
    counts : Counter
        How many cases each of these is of.
    size : tuple of float
        Median extent of the heads along (z, y, x); in mm, or in voxels with an unknown z (NaN)
        unless the spacing of all is known.
    oriented : bool
        Whether the orientation of all heads is known.
    failures : dict of str to str
        The cases that could not be read, with the reason.
    """

    table: pd.DataFrame
    located: dict[str, NDArray[np.int64]]
    counts: Counter[str]
    size: tuple[float, float, float]
    oriented: bool
    failures: dict[str, str]


def survey(
    cases: Sequence[Shown],
    *,
    jobs: int | None = None,
    on_case: Callable[[], None] | None = None,
) -> Survey:
    """Describe every case of a cohort.

    Parameters
    ----------
    cases : sequence of Shown
        As `find_cases` gives them.
    jobs : int, optional
        Number of processes; all cores by default.
    on_case : callable, optional
        Called after each case.

    Returns
    -------
    Survey
        One bad case does not keep the others from being described.
    """
    rows: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    located: dict[str, NDArray[np.int64]] = {}
    counts: Counter[str] = Counter()
    heads: list[Described] = []
    for outcome in map_cases(describe_case, cases, jobs=jobs):
        source = outcome.item.source
        row = {"case": source.id, "patient": source.patient, "site": source.site}
        if outcome.error is None:
            described: Described = outcome.value
            row |= described.row
            for name, inside in described.located.items():
                located[name] = located.get(name, np.zeros(GRID, dtype=np.int64)) + inside
                counts[name] += 1
            if described.size is not None:
                heads.append(described._replace(located={}))
        else:
            failures[source.id] = row["reason"] = str(outcome.error)
        rows.append(row)
        if on_case is not None:
            on_case()
    types = {"spacing_known": "boolean", "slices": "Int64", "tumour_slices": "Int64"}
    return Survey(
        table=pd.DataFrame(rows, columns=list(COLUMNS)).astype(types),
        located=located,
        counts=counts,
        size=_median_size(heads),
        oriented=all(head.oriented for head in heads),
        failures=failures,
    )


def describe_case(shown: Shown) -> Described:
    """Read a case and describe it.

    Parameters
    ----------
    shown : Shown
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
    material = read_material(shown)
    row: dict[str, Any] = {"spacing_known": material.case.geometry.spacing is not None}
    name, mask = next(iter(material.masks.items()), (None, None))
    reasons = []
    if mask is None:
        reasons.append("no mask: no volume, no centroid")
    else:
        voxel = float(np.prod(material.case.geometry.spacing or 1.0))
        row |= {
            "mask": name,
            "volume": float(np.count_nonzero(mask)) * voxel,
            "slices": len(mask),
            "tumour_slices": int(mask.any(axis=(1, 2)).sum()),
        }
        if not mask.any():
            reasons.append("the mask is empty: no centroid")
    if material.flair is None:
        reasons.append("no FLAIR: no centroid, no intensities")
        return Described(row | {"reason": "; ".join(reasons)}, {}, None, material.oriented)
    head = head_in(material)
    box = find_objects(head.astype(np.uint8))[0]
    row["slices"] = len(head)
    row |= _intensities(material, head)
    if mask is not None and mask.any():
        places = np.argwhere(mask).mean(axis=0) + 0.5
        for axis, place, side in zip("zyx", places, box, strict=True):
            row[f"centroid_{axis}"] = (place - side.start) / (side.stop - side.start)
    located = {
        name: to_grid(inside, box) for name, inside in {HEAD: head, **material.masks}.items()
    }
    if {REFERENCE, PREDICTED} <= located.keys():
        located[MISSED] = located[REFERENCE] & ~located[PREDICTED]
        located[ADDED] = located[PREDICTED] & ~located[REFERENCE]
    steps = material.case.geometry.spacing or (1.0, 1.0, 1.0)
    size = tuple((side.stop - side.start) * step for side, step in zip(box, steps, strict=True))
    return Described(row | {"reason": "; ".join(reasons)}, located, size, material.oriented)


def to_grid(inside: NDArray[np.bool_], box: tuple[slice, ...]) -> NDArray[np.bool_]:
    """Bring what lies in a box to the common grid.

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


def _intensities(material: Material, head: NDArray[np.bool_]) -> dict[str, float]:
    """Give quantiles of FLAIR in the head, as stored and standardised."""
    assert material.flair is not None
    codes = standardise(material.case, (FLAIR,)).codes[..., 0][head]
    standardised = LOWEST + (np.percentile(codes, QUANTILES) - 1) * STEP
    raw = np.percentile(material.flair[head].astype(np.float64), QUANTILES)
    values = [*raw.tolist(), *standardised.tolist()]
    return dict(zip((*RAW, *STANDARDISED), values, strict=True))


def _median_size(heads: Sequence[Described]) -> tuple[float, float, float]:
    if not heads:
        return np.nan, np.nan, np.nan
    z, y, x = np.median([head.size for head in heads], axis=0).tolist()
    return (z if all(head.row["spacing_known"] for head in heads) else np.nan), y, x
