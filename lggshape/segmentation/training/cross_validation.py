"""Cross-validated training: folds by patient, resumable by fold and epoch."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lggshape.progress import OnProgress
from lggshape.readers.in_memory import CaseInMemory, Cases, sources_of
from lggshape.readers.source import UnreadableCase
from lggshape.results import alone_in, check_place
from lggshape.segmentation._backend import device_scope
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run import folder as runs
from lggshape.segmentation.run.configuration import TrainingConfiguration
from lggshape.segmentation.training.begin_run import (
    begin_run,
    holds_run,
    refuse_cases,
    refuse_settings,
    refuse_sources,
    refuse_start,
    refuse_unused,
)
from lggshape.segmentation.training.checkpoint import CHECKPOINT
from lggshape.segmentation.training.folds import choose_folds
from lggshape.segmentation.training.start_network import network_to_start_from
from lggshape.segmentation.training.train_fold import FoldTraining
from lggshape.segmentation.training.training_cases import TrainingCase, load_cases


@dataclass(frozen=True)
class TrainingSummary:
    """What a training run came to.

    Attributes
    ----------
    members : tuple of str
        The networks that are finished, those of earlier calls included.
    failures : dict of str to str
        The cases that could not be used, with the reason.
    """

    members: tuple[str, ...]
    failures: dict[str, str]


def train(
    cases: Cases,
    out: str | os.PathLike[str],
    *,
    network: NetworkConfiguration | None = None,
    training: TrainingConfiguration | None = None,
    only: Sequence[int] = (),
    folds: Mapping[str, int] | None = None,
    resume: bool = False,
    device: str = "auto",
    jobs: int | None = None,
    on_progress: OnProgress | None = None,
) -> TrainingSummary:
    """Train networks by patient-level cross-validation.

    Parameters
    ----------
    cases : str, path, or sequence of CaseSource or Case
        Cases with image and mask: a path, what `open_cases` returns, or cases in memory.
    out : str or Path
        Folder of the run, described in `lggshape.segmentation.run.folder`.
    network : NetworkConfiguration, optional
        What the networks look like; by default as `NetworkConfiguration()`, or like those that the
        training starts from.
    training : TrainingConfiguration, optional
        How they are trained; by default as `TrainingConfiguration()`.
    only : sequence of int
        The folds to train, from 0; by default all.
    folds : mapping of str to int, optional
        The fold of each patient, for example by `read_folds`; by default they are drawn. There are
        then as many folds as these.
    resume : bool
        Whether `out` may hold an earlier run of the same settings, which is then continued:
        finished members stay, an unfinished one goes on after its last whole epoch.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    jobs : int, optional
        Number of processes that read the cases; all cores by default.
    on_progress : callable, optional
        Told how far the work is: the cases that were read, then the steps of each network.

    Returns
    -------
    TrainingSummary
        One bad case does not keep the others from being trained on.

    Raises
    ------
    InputError
        If there is no case with a mask or none with one of the sequences, there are too few
        patients, two of them share a slice, a fold does not exist or has no tumour to train on,
        `out` holds something else or an earlier run of other settings or cases, a setting of a new
        run has no effect, weights to start from or a GPU are asked for and not there, or the
        weights were trained on a patient who is held out.

    Examples
    --------
    A network that is far too small, for one of two folds:

    >>> from tempfile import TemporaryDirectory
    >>> from lggshape.phantoms import write_cohort
    >>> network = NetworkConfiguration(architecture="unet", filters=(2, 4), size=32, neighbours=0)
    >>> training = TrainingConfiguration(folds=2, epochs=1)
    >>> with TemporaryDirectory() as folder:
    ...     cases = write_cohort(Path(folder, "cases"), patients=6, size=(6, 48, 48))
    ...     run = Path(folder, "run")
    ...     train(cases, run, network=network, training=training, only=[0], jobs=1).members
    ('fold0-member0',)
    """
    out, training = Path(out), training or TrainingConfiguration()
    if network is None:
        start = training.start_from
        network = network_to_start_from(training) if start else NetworkConfiguration()
    training = _completed(training, network, folds)
    sources, chosen = sources_of(cases), _chosen(only, training)
    # Whatever can be refused is refused before the cases are read, which takes minutes.
    refuse_settings(network, training, only=only, device=device)
    if not holds_run(out, network, training, resume=resume):
        refuse_unused(network, training)
    without_files = (CaseInMemory, UnreadableCase)
    places = [source.path for source in sources if not isinstance(source, without_files)]
    check_place(out, inputs=places)
    refuse_sources(sources, folds, training, chosen)
    refuse_start(network, training)
    loaded, failures = load_cases(sources, network, jobs=jobs, on_progress=on_progress)
    members = train_on(
        loaded, out, network=network, training=training, only=only, folds=folds, resume=resume,
        device=device, on_progress=on_progress,
    )  # fmt: skip
    return TrainingSummary(members, failures)


def train_on(
    cases: Sequence[TrainingCase],
    out: str | os.PathLike[str],
    *,
    network: NetworkConfiguration,
    training: TrainingConfiguration,
    only: Sequence[int] = (),
    folds: Mapping[str, int] | None = None,
    resume: bool = False,
    device: str = "auto",
    on_progress: OnProgress | None = None,
) -> tuple[str, ...]:
    """Train networks on cases in memory: several trainings need not read them again.

    Parameters
    ----------
    cases : sequence of TrainingCase
        As `load_cases` returns them for the network's sequences and size.
    out, network, training, only, folds, resume, device, on_progress
        As for `train`.

    Returns
    -------
    tuple of str
        The networks that are finished.

    Raises
    ------
    InputError
        If the cases were prepared for another size or number of sequences, and as `train` does,
        but for what has to do with reading them.
    """
    training = _completed(training, network, folds)
    out, chosen = Path(out), _chosen(only, training)
    refuse_settings(network, training, only=only, device=device)
    refuse_cases(cases, network)
    begun = holds_run(out, network, training, resume=resume)
    sites = {case.patient: case.site for case in cases}
    folds = choose_folds(sites, folds, training)
    begin_run(out, cases, folds, network, training, chosen, begun=begun)
    finished = []
    for fold in chosen:
        members = range(training.members)
        unfinished = [member for member in members if not _is_finished(out, fold, member)]
        if unfinished:
            with device_scope(device):
                fold_training = FoldTraining(out, cases, folds, fold, network, training, device)
                for member in unfinished:
                    # Others may train other networks of the run at the same time.
                    with alone_in(out / runs.member_folder(fold, member)):
                        fold_training.train_member(member, on_progress)
        for member in members:  # a run that was killed at its end has left them
            (out / runs.member_folder(fold, member) / CHECKPOINT).unlink(missing_ok=True)
        finished += [runs.member_folder(fold, member) for member in members]
    return tuple(finished)


def _completed(
    training: TrainingConfiguration, network: NetworkConfiguration, folds: Mapping[str, int] | None
) -> TrainingConfiguration:
    """Return the settings with those filled in that depend on the network and on given folds."""
    if folds is not None and training.folds == TrainingConfiguration.folds:
        training = replace(training, folds=max(folds.values(), default=-1) + 1)
    return training.for_network(network)


def _chosen(only: Sequence[int], training: TrainingConfiguration) -> list[int]:
    return sorted(set(only)) or list(range(training.folds))


def _is_finished(out: Path, fold: int, member: int) -> bool:
    folder = out / runs.member_folder(fold, member)
    return (folder / runs.NETWORK).exists() and (folder / runs.WEIGHTS).exists()
