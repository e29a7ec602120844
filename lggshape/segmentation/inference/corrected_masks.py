"""Masks that someone corrected by hand after a run wrote them: kept, never written over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lggshape.case import Case
from lggshape.errors import CaseError, InputError
from lggshape.readers import CaseSource, open_cases
from lggshape.readers.naming import MAPS
from lggshape.readers.segmented import CHECK_COLUMNS
from lggshape.segmentation.inference.segmentation_journal import SegmentedCase

CORRECTED = "corrected"
"""The status of a case whose mask someone changed."""


def find_corrected(
    out: Path,
    sources: Sequence[CaseSource],
    results: Mapping[str, SegmentedCase],
    changed: Iterable[str],
) -> dict[str, SegmentedCase]:
    """Return the cases whose mask was corrected, with what is now true of them.

    Parameters
    ----------
    out : Path
        The folder of the masks.
    sources : sequence of CaseSource
        The cases to segment.
    results : mapping of str to SegmentedCase
        What came of each case in the earlier run.
    changed : iterable of str
        The files in the folder, relative to it, that are not as the earlier run wrote them.

    Returns
    -------
    dict of str to SegmentedCase
        By name of the case. Volume and areas are those of the mask as it is; scores and networks
        are those of the mask that was corrected; nothing is said of the Dice to expect. A mask that
        cannot be read, has other slices than were segmented, or lies on another grid than the
        image, is not among them.
    """
    changed = set(changed)
    candidates = {
        source.id: source
        for source in sources
        if source.id in results and mask_files(results[source.id]) & changed
    }
    if not candidates:
        return {}
    try:
        # Not as masks alone: the table that would be asked then may not be there.
        masks = {one.id: one for one in open_cases(out)}
    except InputError:
        return {}
    found = {}
    for name, source in candidates.items():
        earlier, mask = results[name], _read(masks.get(name), source)
        if mask is not None and all((out / file).exists() for file in earlier.files):
            corrected = _as_corrected(earlier, mask, source.patient)
            if len(corrected.slices) == len(earlier.slices):
                found[name] = corrected
    return found


def mask_files(result: SegmentedCase) -> set[str]:
    """Return the files of a mask, without those of maps."""
    endings = tuple(f"_{kind}." for kind in MAPS)
    return {name for name in result.files if not any(ending in name for ending in endings)}


def _read(mask: CaseSource | None, source: CaseSource) -> Case | None:
    """Return the case of a mask if it can be read and lies on the grid of its image."""
    if mask is None:
        return None
    options = replace(mask.options, spacing=source.options.spacing)
    try:
        own = replace(mask, options=options).read(image=False)
    except CaseError:
        return None
    if own.mask is None:
        return None
    try:
        image = source.read(mask=False)
    except CaseError:  # the image may be mended later; the mask stays
        return own
    if image.image is None:
        return own
    shapes = image.image.shape[:3], own.mask.shape
    return None if image.geometry.difference(own.geometry, *shapes) else own


def _as_corrected(earlier: SegmentedCase, mask: Case, patient: str) -> SegmentedCase:
    assert mask.mask is not None
    areas = [int(area) for area in mask.mask.sum(axis=(1, 2))]
    spacing = mask.geometry.spacing
    volume = sum(areas) * float(np.prod(spacing)) if spacing else sum(areas)
    row = {
        **earlier.row, "patient": patient, "status": CORRECTED, "reason": "", "volume": volume,
        **dict.fromkeys(CHECK_COLUMNS),
    }  # fmt: skip
    slices = [
        (number, area, score)
        for (number, _, score), area in zip(earlier.slices, areas, strict=False)
    ]
    return SegmentedCase(row, slices, earlier.files, earlier.image)
