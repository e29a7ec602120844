"""Networks in memory, and which of them may be used on a case."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lggshape.case import FLAIR, Case
from lggshape.errors import CaseError, InputError
from lggshape.segmentation._backend import device_scope, precision_for
from lggshape.segmentation.inference.predictor import Predictor
from lggshape.segmentation.networks.configuration import Task
from lggshape.segmentation.run.folder import Ensemble, Member, read_weights


class SeenCaseError(CaseError):
    """Every network that there is was trained on the patient."""


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
                f"{ensemble.members[0].weights.parent.parent}."
            )
            raise InputError(msg)
        self._ensemble = ensemble
        self._device = device
        with device_scope(device):
            self.precision = precision_for(ensemble.precision, device)
        self._loaded: Member | None = None
        self._built: Predictor | None = None
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
        self, member: Member, codes: NDArray[np.uint8], *, flips: Sequence[tuple[int, ...]]
    ) -> NDArray[np.float32]:
        """Predict the slices of one volume by one of the networks; see `Predictor.predict`.

        Raises
        ------
        InputError
            If its weights cannot be read.
        """
        with device_scope(self._device):
            if self._built is None:  # only now: it takes seconds, and may not be needed
                self._built = Predictor(self.configuration, policy=self.precision)
            self._load(self._built, member)
            return self._built.predict(codes, flips=flips)

    def _load(self, predictor: Predictor, member: Member) -> None:
        if member == self._loaded:
            return
        self._loaded = None  # until all weights are there
        if member in self._states:
            predictor.state = self._states[member]
        else:
            weights = read_weights(member.weights)
            try:
                predictor.load(weights)
            except (KeyError, ValueError) as error:
                msg = (
                    f"Expected {member.weights} to hold the weights of this network, found others."
                )
                raise InputError(msg) from error
            self._states[member] = predictor.state
        self._loaded = member
