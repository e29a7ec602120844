"""How cases are read where their files leave something open."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Literal, get_args

from lggshape.case import FLAIR, SEQUENCES, Spacing
from lggshape.errors import InputError
from lggshape.readers.spacing import check_spacing
from lggshape.regions import Regions, RegionSource, read_regions, regions_of_values

PatientFrom = Literal["hash", "dicom"]


@dataclass(frozen=True)
class ReadOptions:
    """What a user says about files that do not say it themselves.

    Attributes
    ----------
    sequences : tuple of str
        The sequences in an image file whose name tells none, in the order of its volumes: names of
        `lggshape.case.SEQUENCES`. Empty if nothing is said; such an image is then refused.
    patient_from : {"hash", "dicom"}
        What the key of a patient of DICOM files is: a hash of the PatientID, or the PatientID.
    regions : Regions or None
        The regions that the values of a mask make; what `read_regions` takes is read.
    mask_values : tuple of int
        The values of a mask that are the tumour, as one region.
    threshold : float or None
        The lowest value of a voxel inside, in a probability map or another mask of fractions.
    register : bool
        Whether sequences in files of their own are aligned with FLAIR by a rigid motion.
    resample_masks : bool
        Whether a mask on another grid than its image is resampled onto it; else it is refused.
    spacing : tuple of float or None
        Distances between voxel centres along (z, y, x) in mm, of cases whose files do not tell
        them. A case whose files tell others, by more than 1 %, is refused.

    Raises
    ------
    InputError
        If a sequence is unknown or named twice, or FLAIR is not among them; if regions, values or
        threshold cannot be used, or more than one of the three is given; if the spacing is not
        three numbers from 0.001 to 1000.

    Examples
    --------
    >>> ReadOptions(mask_values=(1, 4)).wanted_regions.names
    ('1+4',)
    """

    sequences: tuple[str, ...] = ()
    patient_from: PatientFrom = field(default="hash", repr=False)
    regions: RegionSource | None = None
    mask_values: tuple[int, ...] = ()
    threshold: float | None = None
    register: bool = False
    resample_masks: bool = False
    spacing: Spacing | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "sequences", tuple(self.sequences))
        if self.sequences:
            _check_sequences(self.sequences)
        if self.patient_from not in get_args(PatientFrom):
            msg = (
                f"Expected the key of a patient to be from {' or '.join(get_args(PatientFrom))}, "
                f"found: {self.patient_from}."
            )
            raise InputError(msg)
        if self.regions is not None:
            object.__setattr__(self, "regions", read_regions(self.regions))
        _check_list(self.mask_values)
        object.__setattr__(self, "mask_values", tuple(self.mask_values))
        if self.mask_values:
            regions_of_values(self.mask_values)
        if self.spacing is not None:
            object.__setattr__(self, "spacing", check_spacing(self.spacing))
        if self.threshold is not None:
            _check_threshold(self.threshold)
        if (self.regions is not None) + bool(self.mask_values) + (self.threshold is not None) > 1:
            msg = "Expected one of regions, mask values and threshold, found several. Give one."
            raise InputError(msg)

    @property
    def wanted_regions(self) -> Regions | None:
        """The regions to read, by name or as the values of the tumour; None if none are asked."""
        if self.mask_values:
            return regions_of_values(self.mask_values)
        return None if self.regions is None else read_regions(self.regions)


def _check_sequences(names: Iterable[str]) -> None:
    given = list(names)
    unknown = [name for name in given if name not in SEQUENCES]
    if unknown or len(set(given)) < len(given) or FLAIR not in given:
        msg = (
            f"Expected the sequences of an image to be among {', '.join(SEQUENCES)}, each once and "
            f"{FLAIR} one of them, found: {', '.join(given)}."
        )
        raise InputError(msg)


def _check_list(values: object) -> None:
    if not isinstance(values, Iterable):
        msg = f"Expected the values of a mask as a list, found: {values}."
        raise InputError(msg)


def _check_threshold(threshold: Any) -> None:
    # At 0 or below all that is outside would be inside.
    if not isinstance(threshold, Real) or not 0 < float(threshold) < math.inf:
        msg = f"Expected the threshold to be a number above 0, found: {threshold!r}."
        raise InputError(msg)
