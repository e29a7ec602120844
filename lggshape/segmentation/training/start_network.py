"""The networks of an earlier run that a training goes on from, with all their layers."""

from collections.abc import Collection, Sequence
from pathlib import Path

from lggshape.errors import InputError
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run import folder as runs
from lggshape.segmentation.run.configuration import TrainingConfiguration
from lggshape.segmentation.run.fingerprints import KnownCase

_BUNDLED = "shipped"


def start_folder(training: TrainingConfiguration) -> Path:
    """Return the folder of the run that a training goes on from."""
    return runs.SHIPPED if training.start_from == _BUNDLED else Path(training.start_from)


def network_to_start_from(training: TrainingConfiguration) -> NetworkConfiguration:
    """Return what the networks look like that a training goes on from.

    Raises
    ------
    InputError
        If the folder is not that of a run, or has no finished network.
    """
    start = runs.read_ensemble(start_folder(training))
    runs.warn_if_changed(start)
    return start.configuration


def refuse_other_network(network: NetworkConfiguration, training: TrainingConfiguration) -> None:
    """Raise for a network that differs from those that the training goes on from.

    Raises
    ------
    InputError
        With the settings that differ, or if the run cannot be read.
    """
    start = network_to_start_from(training).to_dict()
    differ = [
        f"{name} {value} (there {start[name]})"
        for name, value in network.to_dict().items()
        if start[name] != value
    ]
    if differ:
        msg = (
            f"Expected the network of {training.start_from}, which the training starts from, "
            f"found {', '.join(differ)}. Leave these settings out."
        )
        raise InputError(msg)


def choose_start(
    own: Sequence[KnownCase],
    apart: Collection[str],
    fold: int,
    members: int,
    training: TrainingConfiguration,
) -> list[runs.Member]:
    """Choose the networks that those of a fold go on from.

    Parameters
    ----------
    own : sequence of KnownCase
        The cases to train on, to set aside and to hold out.
    apart : collection of str
        The patients whom the fold holds out or sets aside.
    fold, members : int
        The fold, and the number of its networks. They take the networks of the earlier run in
        turns, so that they differ as much as these allow.
    training : TrainingConfiguration
        Names the earlier run.

    Returns
    -------
    list of Member
        One for each network of the fold; none was trained on a patient who is apart.

    Raises
    ------
    InputError
        If every network has seen one of them, or the run cannot be read.
    """
    start = runs.read_ensemble(start_folder(training))
    known = [start.known.patients_like(case) for case in own if case.patient in apart]
    unseen = start.unseen_by(frozenset().union(*known))
    if not unseen:
        msg = (
            f"Expected a network of {training.start_from} that was trained on nobody whom fold "
            f"{fold} holds out or sets aside, found none. Use the folds of that run, without an "
            "inner split."
        )
        raise InputError(msg)
    return [unseen[(fold * members + member) % len(unseen)] for member in range(members)]


def cases_behind_start(training: TrainingConfiguration) -> list[KnownCase]:
    """Return the cases of the run that a training goes on from, whichever network saw them."""
    return runs.read_cases(start_folder(training) / runs.CASES)
