"""How cases are read where their files leave something open."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from lggshape.case import FLAIR, SEQUENCES
from lggshape.errors import InputError

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

    Raises
    ------
    InputError
        If a sequence is unknown or named twice, or FLAIR is not among them.

    Examples
    --------
    >>> ReadOptions(sequences=("FLAIR",))
    ReadOptions(sequences=('FLAIR',))
    """

    sequences: tuple[str, ...] = ()
    patient_from: PatientFrom = field(default="hash", repr=False)

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


def _check_sequences(names: Iterable[str]) -> None:
    given = list(names)
    unknown = [name for name in given if name not in SEQUENCES]
    if unknown or len(set(given)) < len(given) or FLAIR not in given:
        msg = (
            f"Expected the sequences of an image to be among {', '.join(SEQUENCES)}, each once and "
            f"{FLAIR} one of them, found: {', '.join(given)}."
        )
        raise InputError(msg)
