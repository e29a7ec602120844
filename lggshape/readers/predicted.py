"""Predicted masks beside the cases that they are of: how they are read, and on which grid."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lggshape.case import Case
from lggshape.errors import CaseError
from lggshape.masks import Mask
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.readers.resampling import resample_mask
from lggshape.readers.segmented import SEGMENTATION
from lggshape.readers.source import CaseSource
from lggshape.readers.unusable import UnusableError
from lggshape.regions import RegionSource

_SAY_RESAMPLE = (
    "To resample the predicted mask, say --resample-masks (resample_masks=True in Python)."
)


class MaskMeaning(NamedTuple):
    """What the values of masks mean, as `lggshape.open_cases` takes it.

    Attributes
    ----------
    regions, mask_values
        Of the masks that are read from a path: references, and predicted masks unless `segment`
        wrote them or there is a threshold.
    threshold : float or None
        The lowest value inside the predicted masks.
    """

    regions: RegionSource | None = None
    mask_values: tuple[int, ...] = ()
    threshold: float | None = None

    def of_references(self, reference: Cases) -> dict[str, Any]:
        """Return what `open_cases` is told of references; those that are open were told before."""
        if folder_of(reference) is None:
            return {}
        return {"regions": self.regions, "mask_values": self.mask_values}

    def of_predicted(self, predicted: Cases) -> dict[str, Any]:
        """Return what `open_cases` is told of predicted masks."""
        options = {"threshold": self.threshold}
        folder = folder_of(predicted)
        if folder is None or self.threshold is not None or holds_a_run(folder):
            return options
        return options | self.of_references(predicted)


def open_predicted(predicted: Cases, meaning: MaskMeaning) -> list[CaseSource]:
    """Find predicted masks.

    Parameters
    ----------
    predicted : str, path, or sequence of CaseSource or Case
        What `lggshape.open_cases` reads or returns, or cases in memory.
    meaning : MaskMeaning
        What their values mean, if they are read from a path.

    Returns
    -------
    list of CaseSource
        Each fails when it is read if it has no mask.

    Raises
    ------
    InputError
        If the path cannot be opened, or a threshold is given for cases that are open.
    """
    return sources_of(predicted, masks_only=True, **meaning.of_predicted(predicted))


def folder_of(cases: Cases) -> Path | None:
    """Return the path that cases are read from; None if they are given themselves."""
    return Path(cases) if isinstance(cases, str | os.PathLike) else None


def holds_a_run(folder: Path | None) -> bool:
    """Return whether a folder holds the masks of a run of `segment`."""
    return folder is not None and (folder / SEGMENTATION).is_file()


def on_grid_of(
    predicted: Case, case: Case, *, found: str, where: str, resample: bool
) -> tuple[Case, str]:
    """Bring a predicted mask that lies on another grid than its case onto the grid of the case.

    Parameters
    ----------
    predicted, case : Case
        The predicted mask with its regions, and the case with an image or a mask.
    found : str
        In what the two grids differ.
    where : str
        The files, for messages.
    resample : bool
        Whether it is resampled.

    Returns
    -------
    predicted : Case
        Of each voxel the value of the nearest one.
    note : str
        What was done, and by how many millimetres.

    Raises
    ------
    CaseError
        If it is not to be resampled, a grid has no affine, or all of the mask lies outside.
    """
    own = case.mask if case.image is None else case.image
    assert own is not None
    assert predicted.mask is not None
    msg = (
        f"Expected case {case.id} and its predicted mask to lie on one grid, found {found}: "
        f"{where}."
    )
    if predicted.geometry.affine is None or case.geometry.affine is None:
        raise CaseError(f"{msg} Without an affine of both, nothing can be resampled.")
    if not resample:
        raise CaseError(f"{msg} {_SAY_RESAMPLE}")
    notes = []

    def resampled(mask: Mask) -> Mask:
        values = mask.astype(np.uint8)
        done = resample_mask(values, predicted.geometry, case.geometry, own.shape[:3])
        notes.append(done.note)
        inside: Mask = np.not_equal(done.values, 0)
        return inside

    try:
        mask = resampled(predicted.mask)
        regions = {
            name: resampled(one) if one.any() else np.zeros_like(mask)
            for name, one in predicted.regions.items()
        }
    except UnusableError as error:
        msg = f"Expected the predicted mask of case {case.id} to lie on it, found {error}: {where}."
        raise CaseError(msg) from error
    moved = replace(predicted, mask=mask, regions=regions, geometry=case.geometry)
    return moved, f"predicted mask resampled ({notes[0]})"
