"""Networks in memory, and which of them may be used on a case."""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import CaseError, InputError
from lggshape.segmentation._backend import device_scope, precision_for
from lggshape.segmentation.inference.predictor import Predictor
from lggshape.segmentation.networks.configuration import NetworkConfiguration, Task
from lggshape.segmentation.run.folder import Ensemble, Member


class SeenCaseError(CaseError):
    """Every network that there is was trained on the patient."""


class _Built:
    """A network that was built, and whose weights it has; one at a time predicts with it."""

    def __init__(self, configuration: NetworkConfiguration, policy: str, device: str) -> None:
        self.predictor = Predictor(configuration, policy=policy, device=device)
        self.lock = Lock()
        self.loaded: tuple[object, Member] | None = None


@lru_cache(maxsize=1)
def _built(configuration: NetworkConfiguration, policy: str, device: str) -> _Built:
    """Build a network, which takes seconds; the last one is kept for the next call like it."""
    with device_scope(device):
        return _Built(configuration, policy, device)


class Networks:
    """The networks of a run, ready for one case after another.

    Parameters
    ----------
    ensemble : Ensemble
        The networks.
    task : {"segmentation", "detection", "reconstruction"}
        What they are needed for.
    device : {"auto", "cpu", "gpu"}
        Where to compute.

    Attributes
    ----------
    configuration : NetworkConfiguration
        What they look like.
    precision : str
        The dtype policy of Keras that they compute with.

    Raises
    ------
    InputError
        If they were trained for something else, or a GPU is asked for and there is none.
    """

    def __init__(self, ensemble: Ensemble, *, task: Task, device: str = "auto") -> None:
        self.configuration = ensemble.configuration
        if self.configuration.task != task:
            msg = (
                f"Expected networks for {task}, found some for {self.configuration.task}: "
                f"{ensemble.folder}."
            )
            raise InputError(msg)
        self._ensemble = ensemble
        self._device = device
        with device_scope(device):
            self.precision = precision_for(ensemble.precision, device)
        self._owner = object()
        # A case needs several, the next one often others: 15 MB each are little for the time.
        self._states: dict[Member, list[NDArray[np.float32]]] = {}

    def unseen_by(self, case: Case) -> tuple[Sequence[Member], int | None]:
        """Return the networks that were not trained on the patient of a case with FLAIR.

        Returns
        -------
        members : sequence of Member
            At least one.
        fold : int or None
            The fold that the patient was held out in, for a patient of the networks' data set.

        Raises
        ------
        SeenCaseError
            If there is none.
        """
        assert case.image is not None  # it has been prepared
        flair = case.image[..., case.sequences.index(FLAIR)]
        patients = self._ensemble.known.patients_of(case.id, case.patient, flair)
        members = self._ensemble.unseen_by(patients)
        if not members:
            msg = (
                f"Expected a network that was not trained on the patient of case {case.id} "
                f"({', '.join(sorted(patients))}), found none among the finished ones. Train the "
                "other folds, or leave such cases out: skip_seen=True in Python, --skip-seen on "
                "the command line."
            )
            raise SeenCaseError(msg)
        return members, members[0].fold if patients else None

    def predict(
        self,
        member: Member,
        codes: NDArray[np.uint8],
        *,
        flips: Sequence[tuple[int, ...]],
        slices: NDArray[np.intp] | None = None,
    ) -> NDArray[np.float32]:
        """Predict the slices of one volume by one of the networks; see `Predictor.predict`.

        Raises
        ------
        InputError
            If its weights cannot be read.
        """
        # Only now: it may not be needed.
        built = _built(self.configuration, self.precision, self._device)
        with built.lock, device_scope(self._device):
            self._load(built, member)
            return built.predictor.predict(codes, flips=flips, slices=slices)

    def _load(self, built: _Built, member: Member) -> None:
        if built.loaded == (self._owner, member):
            return
        predictor, built.loaded = built.predictor, None  # until all weights are there
        if member in self._states:
            predictor.state = self._states[member]
        else:
            predictor.load(member.weights)
            self._states[member] = predictor.state
        built.loaded = (self._owner, member)
