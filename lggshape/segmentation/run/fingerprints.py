"""Recognise cases that are known, also as renamed or converted copies.

A slice is known again by a fingerprint of the order of its intensities, not of the intensities
themselves. It is the same in another file format and number type, after intensities were scaled and
shifted, after the slice was turned or mirrored, and with more or less of an empty margin. It is not
the same after resampling, filtering, or reducing the number of grey levels.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lggshape.errors import InputError
from lggshape.names import hashed_key
from lggshape.readers.layouts import patient_key

MINIMUM_PIXELS = 1000
"""Fewer pixels within the margin, and a slice has no fingerprint."""

MINIMUM_LEVELS = 16
"""Fewer different values, and a slice has no fingerprint."""

_DIGEST_BYTES = 8


class KnownCase(NamedTuple):
    """What a case is known again by.

    Attributes
    ----------
    case : str
        Name of the case.
    patient : str
        Key of the patient.
    fingerprints : tuple of str
        Fingerprints of the FLAIR slices, as `slice_fingerprints` returns them.
    """

    case: str
    patient: str
    fingerprints: tuple[str, ...]


class KnownCases:
    """Cases that are looked up by name, by patient and by their slices.

    Parameters
    ----------
    cases : iterable of KnownCase
        The cases.
    """

    def __init__(self, cases: Iterable[KnownCase]) -> None:
        self._by_case: dict[str, set[str]] = {}
        self._by_fingerprint: dict[str, set[str]] = {}
        self._by_key: dict[str, set[str]] = {}
        for known in cases:
            keys = _keys(known.case, known.patient)
            # Patients of DICOM files are known by the hash of their key.
            for key in keys | set(map(hashed_key, keys)):
                self._by_key.setdefault(key, set()).add(known.patient)
            self._by_case.setdefault(known.case, set()).add(known.patient)
            for fingerprint in known.fingerprints:
                self._by_fingerprint.setdefault(fingerprint, set()).add(known.patient)

    def patients_of(self, case: str, patient: str, flair: NDArray[np.generic]) -> frozenset[str]:
        """Return the known patients that a case may be of.

        Parameters
        ----------
        case, patient : str
            Name of the case, and key of its patient.
        flair : ndarray of shape (Z, Y, X)
            FLAIR. The slices may lie across any of the three axes.

        Returns
        -------
        frozenset of str
            The known patients with that key or one in the name of the case, in whatever spelling,
            of the case of that name, or with any slice in common; empty for a case that is not
            known.
        """
        found = self._named(case, patient)
        for axis in range(3):
            fingerprints = slice_fingerprints(np.moveaxis(flair, axis, 0))
            shared = [f for f in fingerprints if f in self._by_fingerprint]
            if shared:
                # Slices lie across one axis only.
                return frozenset(found.union(*(self._by_fingerprint[f] for f in shared)))
        return frozenset(found)

    def patients_like(self, case: KnownCase) -> frozenset[str]:
        """Return the known patients that a case of known fingerprints may be of."""
        shared = (self._by_fingerprint.get(one, set()) for one in case.fingerprints)
        return frozenset(self._named(case.case, case.patient).union(*shared))

    def _named(self, case: str, patient: str) -> set[str]:
        """Return the known patients with that key, or with a case of that name."""
        keys = _keys(case, patient)
        return self._by_case.get(case, set()).union(*(self._by_key.get(k, set()) for k in keys))


def _keys(case: str, patient: str) -> set[str]:
    """Return the key of a patient in the one spelling, and that in the name of the case."""
    by_case = patient_key(case)
    return {patient_key(patient)} | ({by_case} if by_case != case else set())


def patients_among(cases: Iterable[KnownCase], known: Sequence[KnownCase]) -> set[str]:
    """Return the patients of some cases who are among the patients of others, or share a slice."""
    patients = {patient_key(case.patient) for case in known}
    patients |= set(map(hashed_key, patients))
    slices = {fingerprint for case in known for fingerprint in case.fingerprints}
    return {
        case.patient
        for case in cases
        if patient_key(case.patient) in patients or not slices.isdisjoint(case.fingerprints)
    }


def refuse_shared_slices(cases: Iterable[KnownCase]) -> None:
    """Raise for a slice that two patients share: one of them may be held out and the other not.

    Raises
    ------
    InputError
        If there is one.
    """
    holders: dict[str, KnownCase] = {}
    for case in cases:
        for fingerprint in case.fingerprints:
            other = holders.setdefault(fingerprint, case)
            if other.patient != case.patient:
                msg = (
                    f"Expected every slice to be of one patient, found one in {other.case} and in "
                    f"{case.case}. A manifest can say that they are of one."
                )
                raise InputError(msg)


def slice_fingerprints(flair: NDArray[np.generic]) -> list[str]:
    """Return the fingerprints of the slices of a volume.

    Parameters
    ----------
    flair : ndarray of shape (Z, Y, X)
        Intensities of any number type.

    Returns
    -------
    list of str
        16 hexadecimal digits per slice, in the order of the slices. Slices with too little content
        (less than `MINIMUM_PIXELS` or `MINIMUM_LEVELS`) are left out.
    """
    fingerprints = (_fingerprint(_without_margin(one)) for one in flair)
    return [fingerprint for fingerprint in fingerprints if fingerprint]


def _fingerprint(values: NDArray[np.generic]) -> str:
    """Return the fingerprint of a slice without a margin; empty if it has too little content."""
    if values.size < MINIMUM_PIXELS:
        return ""
    ranks = _dense_ranks(values)
    if ranks.max() < MINIMUM_LEVELS - 1:
        return ""
    turned = [np.rot90(one, quarter) for one in (ranks, ranks.T) for quarter in range(4)]
    return min(map(_digest, turned))


def _digest(ranks: NDArray[np.integer]) -> str:
    digest = blake2b(repr(ranks.shape).encode(), digest_size=_DIGEST_BYTES)
    digest.update(np.ascontiguousarray(ranks).data)
    return digest.hexdigest()


def _without_margin(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Cut off the outer rows and columns that hold nothing but the lowest value.

    Repeated, because below a margin of one value there may be another: what is left does not depend
    on a margin that was added.
    """
    while values.size:
        above = values > values.min()
        rows, columns = (np.flatnonzero(above.any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            return values[:0]
        inner = values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if inner.shape == values.shape:
            break
        values = inner
    return values


def _dense_ranks(values: NDArray[np.generic]) -> NDArray[np.integer]:
    """Replace the different values by 0, 1, 2 ... in ascending order."""
    ranks: NDArray[np.integer]
    if values.dtype == np.uint8:
        # Much faster than sorting.
        levels = np.bincount(values.ravel(), minlength=256) > 0
        ranks = (np.cumsum(levels) - 1)[values]
    else:
        ranks = np.unique(values, return_inverse=True)[1].reshape(values.shape)
    # The same bytes on every machine, and few of them.
    return ranks.astype("<u2" if ranks.max() < 2**16 else "<u4")
