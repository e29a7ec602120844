"""Cases to train on, fitted to the grid of a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import CaseError, InputError
from lggshape.parallel import map_cases
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.preprocessing.intensities import MISSING
from lggshape.segmentation.preprocessing.network_input import Volume, prepare_input
from lggshape.segmentation.run.fingerprints import slice_fingerprints


@dataclass(frozen=True)
class TrainingCase:
    """A case fitted to the grid of the networks, with its reference mask.

    Attributes
    ----------
    id, patient, site : str
        Names of the case, of its patient and of its site.
    codes : ndarray of uint8, shape (S, size, size, C)
        Standardised intensities of S slices, or slabs of thin ones.
    mask : ndarray of uint8, shape (S, size, size)
        1 inside the tumour.
    fingerprints : tuple of str
        Fingerprints of its FLAIR slices, by which a copy of the case is recognised.
    """

    id: str
    patient: str
    site: str
    codes: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    fingerprints: tuple[str, ...]


def load_case(source: CaseSource, configuration: NetworkConfiguration) -> TrainingCase:
    """Read a case with image and mask and fit it to the grid of a network.

    Raises
    ------
    CaseError
        If the case cannot be read, has no FLAIR or no mask.
    """
    case = source.read()
    if case.mask is None:
        msg = f"Expected case {case.id} to have a mask to train on, found none: {source.path}."
        raise CaseError(msg)
    volume = prepare_input(case, configuration)
    return TrainingCase(
        id=case.id,
        patient=case.patient,
        site=source.site,
        codes=volume.codes,
        mask=_fitted(case.mask, volume),
        fingerprints=_fingerprints(case),
    )


def load_cases(
    sources: Sequence[CaseSource],
    network: NetworkConfiguration,
    *,
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[list[TrainingCase], dict[str, str]]:
    """Read the cases to train on.

    Parameters
    ----------
    sources : sequence of CaseSource
        Cases with image and mask.
    network : NetworkConfiguration
        What they are prepared for.
    jobs : int, optional
        Number of processes; all cores by default.
    on_progress : callable, optional
        Told after each case how far the reading is.

    Returns
    -------
    cases : list of TrainingCase
        Those that can be used.
    failures : dict of str to str
        The others, with the reason.

    Raises
    ------
    InputError
        If there is no case with a mask and a tumour, or none with one of the sequences.
    """
    cases: list[TrainingCase] = []
    failures: dict[str, str] = {}
    advance = counter(on_progress, "reading", len(sources))
    for outcome in map_cases(partial(load_case, configuration=network), sources, jobs=jobs):
        if outcome.error is None:
            cases.append(outcome.value)
        else:
            failures[outcome.item.id] = str(outcome.error)
        advance()
    if not any(case.mask.any() for case in cases):
        first = next(iter(failures.values()), "no tumour in any mask")
        msg = f"Expected cases with image and mask to train on, found: {first}"
        raise InputError(msg)
    for channel, name in enumerate(network.sequences):
        if all((case.codes[..., channel] == MISSING).all() for case in cases):
            msg = f"Expected cases with the sequence {name} to train on, found none."
            raise InputError(msg)
    return cases, failures


def _fingerprints(case: Case) -> tuple[str, ...]:
    assert case.image is not None  # prepare_input has refused a case without
    return tuple(slice_fingerprints(case.image[..., case.sequences.index(FLAIR)]))


def _fitted(mask: NDArray[np.bool_], volume: Volume) -> NDArray[np.uint8]:
    """Fit a mask to the slabs and the square: a pixel is inside if it is so by half."""
    inside = np.rint(volume.slabs.average(mask * np.uint8(255))).astype(np.uint8)
    full = volume.frame.fit(inside[..., None], fill=0)[..., 0]
    return (full > 127).astype(np.uint8)
