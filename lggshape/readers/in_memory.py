"""Cases in memory, in place of cases that are read from files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.errors import CaseError, InputError
from lggshape.masks import Mask, as_mask
from lggshape.readers.discovery import open_cases
from lggshape.readers.source import CaseSource, refuse_repeated_names
from lggshape.readers.spacing import check_spacing

Cases = str | os.PathLike[str] | Sequence[CaseSource | Case]
"""What functions take as cases: a path, what `open_cases` returns, or cases in memory."""


@dataclass(frozen=True, repr=False)
class CaseInMemory(CaseSource):
    """A case that is in memory already. What it holds is checked when it is read.

    Attributes
    ----------
    case : Case
        The case.
    """

    case: Case = field(default_factory=lambda: Case("", ""), repr=False)

    @property
    def region_names(self) -> tuple[str, ...]:
        """The regions that the case has, in order."""
        return tuple(self.case.regions)

    def _read(self, *, image: bool, mask: bool) -> Case:
        try:
            if self.case.geometry.spacing is not None:
                check_spacing(self.case.geometry.spacing)
            inside = None if self.case.mask is None else as_mask(self.case.mask, ndim=3)
            regions = {
                name: as_mask(one, ndim=3, called=f"the region {name}")
                for name, one in self.case.regions.items()
            }
        except InputError as error:
            msg = f"Case {self.id} in memory: {error}"
            raise CaseError(msg) from error
        self._check_image()
        return replace(
            self.case,
            patient=self.patient,
            image=self.case.image if image else None,
            mask=inside if mask else None,
            regions=self._checked(regions, inside) if mask else {},
        )

    def _checked(self, regions: dict[str, Mask], inside: Mask | None) -> dict[str, Mask]:
        """Return the regions; refuse those of which the mask of the case is not the union."""
        if regions and (
            inside is None
            or any(one.shape != inside.shape for one in regions.values())
            or not np.array_equal(np.logical_or.reduce(list(regions.values())), inside)
        ):
            msg = (
                f"Expected the mask of case {self.id} to be the union of its regions "
                f"({', '.join(regions)}), found another or none."
            )
            raise CaseError(msg)
        return regions

    def _check_image(self) -> None:
        """Refuse an image of other channels than sequences, or of another shape than the mask."""
        if self.case.image is None:
            return
        shape, channels = np.shape(self.case.image), len(self.case.sequences)
        if len(shape) != 4 or shape[3] != channels or 0 in shape:
            msg = (
                f"Expected the image of case {self.id} to have the shape (Z, Y, X, {channels}), a "
                f"channel per sequence, found {shape}."
            )
            raise CaseError(msg)
        if self.case.mask is not None and np.shape(self.case.mask) != shape[:3]:
            msg = (
                f"Expected the image and the mask of case {self.id} to have the same shape, found "
                f"{shape[:3]} and {np.shape(self.case.mask)}."
            )
            raise CaseError(msg)

    def _write(self, folder: Path, volumes: Mapping[str, NDArray[np.generic]]) -> list[str]:
        raise CaseError(self._no_layout())

    def _places(self) -> list[str]:
        raise CaseError(self._no_layout())

    def _no_layout(self) -> str:
        return f"Expected case {self.id} to have files whose layout is kept, found it in memory."


def sources_of(cases: Cases, *, masks_only: bool = False, **options: Any) -> list[CaseSource]:
    """Return where cases are read from, whatever way they are given.

    Parameters
    ----------
    cases : str, path, or sequence of CaseSource or Case
        A path that `open_cases` reads, what it returns, or cases in memory.
    masks_only : bool
        Whether every case has to have a mask.
    **options
        What `open_cases` is told besides, for a path. Cases that are open already were told.

    Returns
    -------
    list of CaseSource
        In the order of `cases`; those of a path in natural order.

    Raises
    ------
    InputError
        If the path cannot be opened, two cases have one name, or there are options for cases that
        are no path.

    Examples
    --------
    >>> case = Case("a", "patient_1", mask=np.ones((1, 2, 3), dtype=bool))
    >>> sources_of([case])[0].read().mask.shape
    (1, 2, 3)
    """
    if isinstance(cases, str | os.PathLike):
        return open_cases(Path(cases), masks_only=masks_only, **options)
    if unused := [name for name, value in options.items() if value not in (None, (), [])]:
        msg = (
            f"Expected a path, for which {' and '.join(unused)} tell how it is read, found cases. "
            "Give these to open_cases."
        )
        raise InputError(msg)
    sources = [_in_memory(case) if isinstance(case, Case) else case for case in cases]
    refuse_repeated_names(sources)
    return [replace(source, mask_required=True) for source in sources] if masks_only else sources


def _in_memory(case: Case) -> CaseInMemory:
    return CaseInMemory(
        id=case.id,
        patient=case.patient,
        path=Path("in memory"),
        has_image=case.image is not None,
        has_mask=case.mask is not None,
        case=case,
    )
