"""Whether there is tumour in a slice, by networks that were trained to tell that alone."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.errors import InputError
from lggshape.parallel.outcomes import logged, outcome_of
from lggshape.progress import OnProgress, counter
from lggshape.readers import CaseSource
from lggshape.readers.columns import check_columns, with_columns
from lggshape.readers.in_memory import Cases, sources_of
from lggshape.segmentation.inference.network_cache import Networks, SeenCaseError
from lggshape.segmentation.inference.predictor import FLIPS, slice_probability
from lggshape.segmentation.preprocessing.network_input import prepare_input
from lggshape.segmentation.run.folder import Ensemble, read_ensemble, warn_if_changed

COLUMNS = ("case", "patient", "fold", "slice", "score")
"""Columns of `DetectionTable.slices`, in order."""


class Detection(NamedTuple):
    """Where networks found tumour in a case.

    Attributes
    ----------
    probability : ndarray of float32, shape (Z,)
        Calibrated probability of tumour in the slice, the mean over networks and flips.
    evidence : ndarray of float32, shape (Z, Y, X)
        Evidence for tumour (above 0) or against it, on the grid of the case; the mean over
        networks and flips, from a grid that is 32 times coarser. About the logit of a slice is its
        mean over the square that slices are fitted to.
    fold : int or None
        The fold that the patient was held out in, for a patient of the networks' data set.
    """

    probability: NDArray[np.float32]
    evidence: NDArray[np.float32]
    fold: int | None


class Detector:
    """Networks ready to detect the slices of a case that have tumour.

    Parameters
    ----------
    ensemble : Ensemble
        Networks that were trained for detection.
    device : {"auto", "cpu", "gpu"}
        Where to compute.

    Raises
    ------
    InputError
        If the networks do something else, or a GPU is asked for and there is none.
    """

    def __init__(self, ensemble: Ensemble, *, device: str = "auto") -> None:
        self._networks = Networks(ensemble, task="detection", device=device)

    def detect(self, case: Case) -> Detection:
        """Estimate which slices of a case have tumour, by the networks that never saw the patient.

        Parameters
        ----------
        case : Case
            With an image that has FLAIR.

        Returns
        -------
        Detection
            A probability per slice, and the evidence per voxel.

        Raises
        ------
        SeenCaseError
            If all networks were trained on the patient.
        CaseError
            If the image has no FLAIR or cannot be scaled.
        InputError
            If the weights of a network cannot be read.
        """
        configuration = self._networks.configuration
        volume = prepare_input(case, configuration)
        members, fold = self._networks.unseen_by(case)
        probabilities, evidences = [], []
        for member in members:
            evidence = self._networks.predict(member, volume.codes, flips=FLIPS)
            probabilities.append(member.calibration.apply(slice_probability(evidence)))
            evidences.append(evidence.mean(axis=0))
        block = np.ones((1, configuration.reduction, configuration.reduction), dtype=np.float32)
        fine = np.kron(np.mean(evidences, axis=0), block)
        probability = volume.slabs.restore(np.mean(probabilities, axis=0).astype(np.float32))
        return Detection(probability, volume.restore(fine), fold)


class DetectionTable(NamedTuple):
    """What was detected in many cases.

    Attributes
    ----------
    slices : DataFrame
        A row per slice, with the columns `COLUMNS`.
    failures : dict of str to str
        The cases that could not be looked at, with the reason.
    skipped : tuple of str
        The cases that were left out because every network was trained on them.
    """

    slices: pd.DataFrame
    failures: dict[str, str]
    skipped: tuple[str, ...]


def detect_cases(
    cases: Cases,
    networks: str | os.PathLike[str],
    *,
    device: str = "auto",
    skip_seen: bool = False,
    on_progress: OnProgress | None = None,
    on_result: Callable[[str, Detection], None] | None = None,
) -> DetectionTable:
    """Estimate which slices of many cases have tumour.

    Parameters
    ----------
    cases : str, path, or sequence of CaseSource or Case
        Cases with an image: a path, what `open_cases` returns, or cases in memory.
    networks : str or Path
        Folder of a training run for detection.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    skip_seen : bool
        Whether a case that every network was trained on is left out; by default it fails.
    on_progress : callable, optional
        Told after each case how far the work is.
    on_result : callable, optional
        Called with the name of a case and what was found.

    Returns
    -------
    DetectionTable
        One bad case does not keep the others from being looked at.

    Raises
    ------
    InputError
        If `networks` cannot be used, two cases have one name, or a GPU is asked for and there is
        none.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration, train
    >>> network = NetworkConfiguration(task="detection", size=32, neighbours=0)
    >>> training = TrainingConfiguration(folds=2, epochs=1, batch=32, encoder_weights="none")
    >>> with TemporaryDirectory() as folder:
    ...     cases = write_cohort(Path(folder, "cases"), patients=4, size=(4, 48, 48))
    ...     run = Path(folder, "run")
    ...     _ = train(cases, run, network=network, training=training, only=[0], jobs=1)
    ...     found = detect_cases(cases, run, skip_seen=True)
    >>> len(found.skipped), len(found.slices)
    (2, 8)
    """
    sources = sources_of(cases)
    check_columns(sources, COLUMNS)
    ensemble = read_ensemble(Path(networks))
    warn_if_changed(ensemble)
    detector = Detector(ensemble, device=device)
    advance = counter(on_progress, "detecting", len(sources))
    tables, failures, skipped = [pd.DataFrame(columns=list(COLUMNS))], {}, []
    find = partial(_detect, detector, on_result)
    # In this process: the networks use all cores themselves.
    for outcome in logged(outcome_of(find, source) for source in sources):
        name = outcome.item.id
        if outcome.error is None:
            tables.append(outcome.value)
        elif isinstance(outcome.error.__cause__, InputError):
            raise outcome.error.__cause__  # the weights, not the case
        elif isinstance(outcome.error, SeenCaseError) and skip_seen:
            skipped.append(name)
        else:
            failures[name] = str(outcome.error)
        advance()
    slices = with_columns(pd.concat(tables, ignore_index=True), sources)
    return DetectionTable(slices, failures, tuple(skipped))


def _detect(
    detector: Detector,
    on_result: Callable[[str, Detection], None] | None,
    source: CaseSource,
) -> pd.DataFrame:
    found = detector.detect(source.read(mask=False))
    if on_result is not None:
        on_result(source.id, found)
    return pd.DataFrame(
        {
            "case": source.id,
            "patient": source.patient,
            "fold": found.fold,
            "slice": np.arange(1, len(found.probability) + 1),
            "score": found.probability.astype(float),
        },
        columns=list(COLUMNS),
        dtype=object,
    )
