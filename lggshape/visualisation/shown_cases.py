"""The cases to show: found, brought together with predicted masks, and read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import CaseError, InputError
from lggshape.head import find_head
from lggshape.names import first_few
from lggshape.readers import CaseSource
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.readers.predicted import on_grid_of

REFERENCE, PREDICTED = "reference", "predicted"
"""Names of the two masks of a case."""


@dataclass(frozen=True)
class CaseToShow:
    """A case to show.

    Attributes
    ----------
    source : CaseSource
        Where image and reference mask are read from.
    predicted : CaseSource or None
        Where the predicted mask is read from; None if there is none.
    """

    source: CaseSource
    predicted: CaseSource | None = None

    @property
    def id(self) -> str:
        """Name of the case."""
        return self.source.id


class CaseVolumes(NamedTuple):
    """What there is of a case.

    Attributes
    ----------
    case : Case
        With image and reference mask, as far as there are any.
    flair : ndarray of shape (Z, Y, X) or None
        Finite intensities; None if the case has no FLAIR.
    masks : dict of str to ndarray of bool, shape (Z, Y, X)
        The masks that there are, the reference first.
    predicted : dict of str to ndarray of bool, shape (Z, Y, X)
        What is outlined of the predicted mask: its regions, or else the mask itself.
    """

    case: Case
    flair: NDArray[np.generic] | None
    masks: dict[str, NDArray[np.bool_]]
    predicted: dict[str, NDArray[np.bool_]]

    @property
    def outlines(self) -> dict[str, NDArray[np.bool_]]:
        """The masks whose outlines are drawn: the regions or the reference, then the predicted."""
        return outlined(self.case) | self.predicted

    @property
    def oriented(self) -> bool:
        """Whether y is known to run towards anterior and x towards the right of the patient."""
        return self.case.geometry.affine is not None


def outlined(case: Case) -> dict[str, NDArray[np.bool_]]:
    """Return what is outlined of the mask of a case: its regions, or else the mask itself."""
    if case.regions:
        return {name.replace("_", " "): mask for name, mask in case.regions.items()}
    return {} if case.mask is None else {REFERENCE: case.mask}


def predicted_name(region: str) -> str:
    """Return what the outline of a region of a predicted mask is called.

    Examples
    --------
    >>> predicted_name("core")
    'predicted core'
    """
    return f"{PREDICTED} {region}"


def find_cases(
    dataset: Cases,
    *,
    names: str | Iterable[str] = (),
    predicted: Cases | None = None,
) -> list[CaseToShow]:
    """Find the cases to show.

    Parameters
    ----------
    dataset : path, or sequence of CaseSource or Case
        What `lggshape.open_cases` reads or returns, or cases in memory.
    names : str or iterable of str
        Cases or patients; all cases if there are none.
    predicted : path, or sequence of CaseSource or Case, optional
        Predicted masks of cases of the same names.

    Returns
    -------
    list of CaseToShow
        In the order of the data set.

    Raises
    ------
    InputError
        If a path holds no case, no predicted mask has the name of a case, or a name is that of no
        case and no patient.
    """
    wanted = {names} if isinstance(names, str) else set(names)
    sources = sources_of(dataset)
    masks: dict[str, CaseSource] = {}
    if predicted is not None:
        masks = {source.id: source for source in sources_of(predicted, masks_only=True)}
        if masks.keys().isdisjoint(source.id for source in sources):
            msg = (
                "Expected predicted masks of the cases, found none of the same name: the first "
                f"cases are {first_few(list(masks), 3)} among the masks and "
                f"{first_few([source.id for source in sources], 3)} among the cases."
            )
            raise InputError(msg)
    known = {name for source in sources for name in (source.id, source.patient)}
    unknown = sorted(wanted - known)
    if unknown:
        msg = (
            f"Expected names of cases or patients, found no {', '.join(unknown)}: the first cases "
            f"are {first_few([source.id for source in sources], 3)}."
        )
        raise InputError(msg)
    return [
        CaseToShow(source, masks.get(source.id))
        for source in sources
        if not wanted or not wanted.isdisjoint((source.id, source.patient))
    ]


def read_volumes(shown: CaseToShow) -> CaseVolumes:
    """Read what there is of a case.

    Raises
    ------
    CaseError
        If a file cannot be read, FLAIR is not finite, or the masks lie on two grids and the case
        was not opened with `resample_masks`.
    """
    case = shown.source.read()
    masks = {} if case.mask is None else {REFERENCE: case.mask}
    predicted: dict[str, NDArray[np.bool_]] = {}
    if shown.predicted is not None:
        other = on_grid_of_case(case, shown.predicted.read(image=False), shown)
        assert other.mask is not None
        masks[PREDICTED] = other.mask
        predicted = {predicted_name(name): mask for name, mask in outlined(other).items()}
        predicted = predicted if other.regions else {PREDICTED: other.mask}
    flair = None
    if case.image is not None and FLAIR in case.sequences:
        flair = case.image[..., case.sequences.index(FLAIR)]
        if not np.isfinite(flair).all():
            msg = f"Expected FLAIR of case {case.id} to be finite, found NaN or infinity."
            raise CaseError(msg)
    return CaseVolumes(case, flair, masks, predicted)


def head_in(volumes: CaseVolumes) -> NDArray[np.bool_]:
    """Find the head in the FLAIR of a case that has it.

    Returns
    -------
    ndarray of bool, shape (Z, Y, X)
        True inside.

    Raises
    ------
    CaseError
        If there is none.
    """
    assert volumes.flair is not None
    head = find_head(volumes.flair)
    if not head.any():
        msg = f"Expected FLAIR of case {volumes.case.id} to show a head, found none."
        raise CaseError(msg)
    return head


def on_grid_of_case(case: Case, predicted: Case, shown: CaseToShow) -> Case:
    """Return a predicted mask on the grid of its case; refuse one that lies on another."""
    assert predicted.mask is not None
    assert shown.predicted is not None
    own = case.mask if case.image is None else case.image
    shape = predicted.mask.shape
    own_shape = shape if own is None else own.shape[:3]
    found = case.geometry.difference(predicted.geometry, own_shape, shape)
    if not found:
        return predicted
    where = f"{shown.source.path}, {shown.predicted.path}"
    resample = shown.source.options.resample_masks
    return on_grid_of(predicted, case, found=found, where=where, resample=resample)[0]
