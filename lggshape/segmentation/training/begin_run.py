"""What has to hold before networks are trained, and what is written then."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lggshape.errors import InputError
from lggshape.readers import CaseSource, refuse_repeated_names
from lggshape.results import recorded_in_place
from lggshape.results.places import CONTINUE_IT
from lggshape.segmentation._backend import device_scope
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.run import folder as runs
from lggshape.segmentation.run.configuration import (
    TrainingConfiguration,
    read_configuration,
    settings_without_effect,
    write_configuration,
)
from lggshape.segmentation.run.fingerprints import KnownCase, refuse_shared_slices
from lggshape.segmentation.training.folds import choose_folds, split_patients
from lggshape.segmentation.training.start_encoder import (
    cases_behind_encoder,
    refuse_seen,
    start_encoder,
)
from lggshape.segmentation.training.start_network import (
    cases_behind_start,
    choose_start,
    refuse_other_network,
)
from lggshape.segmentation.training.training_cases import TrainingCase


def refuse_settings(
    network: NetworkConfiguration,
    training: TrainingConfiguration,
    *,
    only: Sequence[int],
    device: str,
) -> None:
    """Raise for what cannot be trained whatever the cases are.

    Raises
    ------
    InputError
        If a fold does not exist, a GPU is asked for and not there, the settings of network and
        training do not fit each other.
    """
    unknown = sorted(set(only) - set(range(training.folds)))
    if unknown:
        msg = f"Expected folds from 0 to {training.folds - 1}, found: {unknown}."
        raise InputError(msg)
    device_scope(device)  # raises if it is not there
    if training.encoder_weights != "none" and not network.kind.pretrained:
        msg = (
            f"Expected encoder weights none for {network.architecture}, which has no encoder of "
            f"its own, found: {training.encoder_weights}."
        )
        raise InputError(msg)
    if training.epoch == "inner" and network.task != "segmentation":
        msg = f"Expected epoch to be last for {network.task}, found: {training.epoch}."
        raise InputError(msg)


def refuse_unused(network: NetworkConfiguration, training: TrainingConfiguration) -> None:
    """Raise for settings that differ from their defaults and have no effect.

    Raises
    ------
    InputError
        With the first of them, and why.
    """
    values = network.to_dict() | training.to_dict()
    defaults = NetworkConfiguration().to_dict()
    defaults |= TrainingConfiguration().for_network(network).to_dict()
    for name, why in settings_without_effect(network, training).items():
        if values[name] != defaults[name]:
            msg = (
                f"Expected settings that have an effect, found {name} {values[name]} {why}. "
                f"Leave it at {defaults[name]}."
            )
            raise InputError(msg)


def refuse_start(network: NetworkConfiguration, training: TrainingConfiguration) -> None:
    """Raise if the weights that a network or its encoder starts from are missing or do not fit."""
    if training.start_from:
        refuse_other_network(network, training)
    elif training.encoder_weights != "none":
        start_encoder(build(network), network.architecture, training)


def refuse_sources(
    sources: Sequence[CaseSource],
    folds: Mapping[str, int] | None,
    training: TrainingConfiguration,
    chosen: Sequence[int],
) -> None:
    """Raise for what cannot be trained on, as far as names tell; nothing is read.

    Raises
    ------
    InputError
        If two cases have one name, none has a mask, or there are too few patients.
    """
    refuse_repeated_names(sources)
    if not any(source.has_mask and source.has_image for source in sources):
        found = "cases without one or the other" if sources else "no case"
        msg = f"Expected cases with image and mask to train on, found: {found}."
        raise InputError(msg)
    sites = {source.patient: source.site for source in sources}
    if folds is not None and sites.keys() - folds.keys():
        return  # those without a fold may turn out to be unreadable
    drawn = choose_folds(sites, folds, training)
    for fold in chosen:
        split_patients(sites, drawn, fold, training)


def refuse_cases(cases: Sequence[TrainingCase], network: NetworkConfiguration) -> None:
    """Raise for cases that were prepared for another network.

    Raises
    ------
    InputError
        If their slices have another size, or another number of sequences.
    """
    wanted = (network.size, network.size, len(network.sequences))
    for case in cases:
        if case.codes.shape[1:] != wanted:
            msg = (
                f"Expected slices of {wanted} (rows, columns, sequences), found "
                f"{case.codes.shape[1:]}: {case.id}."
            )
            raise InputError(msg)


def holds_run(
    out: Path, network: NetworkConfiguration, training: TrainingConfiguration, *, resume: bool
) -> bool:
    """Return whether a folder holds the run to continue; raise if it holds anything else."""
    record = out / runs.CONFIGURATION
    if record.exists():
        if not resume:
            msg = f"Expected {out} to be empty or new, found a run. {CONTINUE_IT}"
            raise InputError(msg)
        before, trained = read_configuration(record)
        settings = ((before, network), (trained.for_network(before), training))
        for earlier, now in settings:
            changed = [
                f"{name} {value} (now {now.to_dict()[name]})"
                for name, value in earlier.to_dict().items()
                if now.to_dict()[name] != value
            ]
            if changed:
                msg = (
                    "Expected the settings of the earlier run, found others than its "
                    f"{', '.join(changed)}: {record}."
                )
                raise InputError(msg)
        return True
    try:
        found = (
            {path.name for path in out.iterdir() if path.name[0] != "."} if out.exists() else set()
        )
    except OSError as error:
        msg = f"Expected {out} to be a folder, found: {error.strerror}."
        raise InputError(msg) from error
    # A run that was killed while it began has left these and no settings.
    if found - {runs.CASES, runs.FOLDS}:
        names = ", ".join(sorted(found))
        msg = f"Expected {out} to be empty or new, or to hold a run, found: {names}."
        raise InputError(msg)
    return False


def begin_run(
    out: Path,
    cases: Sequence[TrainingCase],
    folds: Mapping[str, int],
    network: NetworkConfiguration,
    training: TrainingConfiguration,
    chosen: Sequence[int],
    *,
    begun: bool,
) -> None:
    """Raise for what cannot work, then write what has to be there before the training begins."""
    sites = {case.patient: case.site for case in cases}
    own = [KnownCase(case.id, case.patient, case.fingerprints) for case in cases]
    refuse_shared_slices(own)
    behind = (cases_behind_start if training.start_from else cases_behind_encoder)(training)
    known = own + [case for case in behind if case.patient not in folds]
    for fold in chosen:
        patients, inner = split_patients(sites, folds, fold, training)
        if not any(case.mask.any() for case in cases if case.patient in patients):
            msg = f"Expected tumour in the masks to train fold {fold} on, found none."
            raise InputError(msg)
        apart = {*inner, *(patient for patient in sites if folds[patient] == fold)}
        if training.start_from:
            choose_start(own, apart, fold, training.members, training)
        else:
            refuse_seen(own, behind, apart, fold, training.encoder_weights)
    if begun:
        # All of them: who is known again as a training case must not depend on the call.
        if (runs.read_folds(out / runs.FOLDS), runs.read_cases(out / runs.CASES)) != (folds, known):
            msg = f"Expected the cases of the earlier run, found others: {out / runs.CASES}."
            raise InputError(msg)
        return
    with recorded_in_place(out, runs.CASES, runs.FOLDS, runs.CONFIGURATION):
        runs.write_cases(out / runs.CASES, known)
        runs.write_folds(out / runs.FOLDS, folds)
        write_configuration(out / runs.CONFIGURATION, network, training)  # the others are there
