"""What has to hold before networks are trained, and what is written then."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from lggshape.errors import InputError
from lggshape.parallel import map_cases
from lggshape.readers import CaseSource
from lggshape.segmentation._backend import device_scope, keras
from lggshape.segmentation.networks.build_network import build
from lggshape.segmentation.networks.configuration import NetworkConfiguration
from lggshape.segmentation.networks.efficientnet import PREFIX, load_imagenet
from lggshape.segmentation.preprocessing.intensities import MISSING
from lggshape.segmentation.run import folder as runs
from lggshape.segmentation.run.configuration import (
    TrainingConfiguration,
    read_configuration,
    write_configuration,
)
from lggshape.segmentation.run.fingerprints import KnownCase, patients_among, refuse_shared_slices
from lggshape.segmentation.training.folds import assign_folds, inner_split, stratified_order
from lggshape.segmentation.training.sampling import TrainingCase, load_case


def refuse_settings(
    network: NetworkConfiguration,
    training: TrainingConfiguration,
    *,
    only: Sequence[int],
    device: str,
) -> None:
    """Refuse what cannot be trained whatever the cases are.

    Raises
    ------
    InputError
        If a fold does not exist, a GPU is asked for and not there, the settings of network and
        training do not fit each other, or weights to start from cannot be read.
    """
    unknown = sorted(set(only) - set(range(training.folds)))
    if unknown:
        msg = f"Expected folds from 0 to {training.folds - 1}, found: {unknown}."
        raise InputError(msg)
    device_scope(device)  # raises if it is not there
    if training.encoder_weights != "none" and not network.has_encoder:
        msg = (
            f"Expected encoder weights none for {network.architecture}, which has no encoder of "
            f"its own, found: {training.encoder_weights}."
        )
        raise InputError(msg)
    if training.encoder_weights not in ("none", "imagenet"):
        runs.read_weights(Path(training.encoder_weights))
    if training.epoch == "inner" and network.task != "segmentation":
        msg = f"Expected epoch to be last for {network.task}, found: {training.epoch}."
        raise InputError(msg)


def refuse_cases(cases: Sequence[TrainingCase], network: NetworkConfiguration) -> None:
    """Refuse cases that were prepared for another network.

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
    """Tell whether a folder holds the run to continue; refuse one that holds anything else."""
    record = out / runs.CONFIGURATION
    if record.exists():
        if not resume:
            msg = f"Expected {out} to be empty or new, found a run. --resume continues it."
            raise InputError(msg)
        for earlier, now in zip(read_configuration(record), (network, training), strict=True):
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


def load_cases(
    sources: Sequence[CaseSource], network: NetworkConfiguration, *, jobs: int | None
) -> tuple[list[TrainingCase], dict[str, str]]:
    """Read the cases to train on; give them, and those that cannot be used with the reason.

    Raises
    ------
    InputError
        If there is no case with a mask and a tumour, or none with one of the sequences.
    """
    cases, failures = [], {}
    for outcome in map_cases(partial(load_case, configuration=network), sources, jobs=jobs):
        if outcome.error is None:
            cases.append(outcome.value)
        else:
            failures[outcome.item.id] = str(outcome.error)
    if not any(case.mask.any() for case in cases):
        first = next(iter(failures.values()), "no tumour in any mask")
        msg = f"Expected cases with image and mask to train on, found: {first}"
        raise InputError(msg)
    for channel, name in enumerate(network.sequences):
        if all((case.codes[..., channel] == MISSING).all() for case in cases):
            msg = f"Expected cases with the sequence {name} to train on, found none."
            raise InputError(msg)
    return cases, failures


def choose_folds(
    sites: Mapping[str, str], given: Mapping[str, int] | None, training: TrainingConfiguration
) -> dict[str, int]:
    """Give the fold of each patient: drawn by site, or as given.

    Raises
    ------
    InputError
        If there are too few patients, or those given are not of all patients and as many folds.
    """
    if given is None:
        return assign_folds(sites, folds=training.folds, seed=training.seed)
    without = sorted(set(sites) - given.keys())
    if without or set(given.values()) != set(range(training.folds)):
        found = f"none for {', '.join(without)}" if without else f"{sorted(set(given.values()))}"
        msg = f"Expected a fold from 0 to {training.folds - 1} for every patient, found {found}."
        raise InputError(msg)
    return {patient: given[patient] for patient in sorted(sites)}


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
    """Refuse what cannot work, then write what has to be there before the training begins."""
    sites = {case.patient: case.site for case in cases}
    own = [KnownCase(case.id, case.patient, case.fingerprints) for case in cases]
    refuse_shared_slices(own)
    behind = _cases_behind_encoder(training)
    known = own + [case for case in behind if case.patient not in folds]
    for fold in chosen:
        patients, inner = split_patients(sites, folds, fold, training)
        if not any(case.mask.any() for case in cases if case.patient in patients):
            msg = f"Expected tumour in the masks to train fold {fold} on, found none."
            raise InputError(msg)
        apart = {*inner, *(patient for patient in sites if folds[patient] == fold)}
        _refuse_seen(own, behind, apart, fold, training.encoder_weights)
    if begun:
        # All of them: who is known again as a training case must not depend on the call.
        if (runs.read_folds(out / runs.FOLDS), runs.read_cases(out / runs.CASES)) != (folds, known):
            msg = f"Expected the cases of the earlier run, found others: {out / runs.CASES}."
            raise InputError(msg)
        return
    start_encoder(build(network), network.architecture, training)
    runs.write_cases(out / runs.CASES, known)
    runs.write_folds(out / runs.FOLDS, folds)
    write_configuration(out / runs.CONFIGURATION, network, training)  # the others are there


def split_patients(
    sites: Mapping[str, str], folds: Mapping[str, int], fold: int, training: TrainingConfiguration
) -> tuple[list[str], list[str]]:
    """Give the patients that the networks of a fold are trained on, and those set aside.

    Raises
    ------
    InputError
        If there are fewer than are asked for.
    """
    others = {patient: site for patient, site in sites.items() if folds[patient] != fold}
    # Of the seed and the fold alone: all members have the same inner split.
    rng = np.random.default_rng([training.seed, fold])
    left, inner = inner_split(others, share=training.inner, rng=rng)
    if training.patients > len(left):
        msg = f"Expected {training.patients} patients to train fold {fold} on, found {len(left)}."
        raise InputError(msg)
    if training.patients:
        order = stratified_order({patient: sites[patient] for patient in left}, rng)
        left = sorted(order[: training.patients])
    return left, inner


def _cases_behind_encoder(training: TrainingConfiguration) -> list[KnownCase]:
    """Give the cases that the weights which the encoder starts from were trained on."""
    source = training.encoder_weights
    if source in ("none", "imagenet"):
        return []
    return runs.cases_behind(Path(source))


def _refuse_seen(
    own: Sequence[KnownCase],
    behind: Sequence[KnownCase],
    apart: Collection[str],
    fold: int,
    weights: str,
) -> None:
    """Refuse an encoder that has seen a patient whom a fold holds out or sets aside."""
    seen = patients_among([case for case in own if case.patient in apart], behind)
    if seen:
        msg = (
            f"Expected an encoder that was not trained on a patient whom fold {fold} holds out or "
            f"sets aside, found {', '.join(sorted(seen))}: {weights}."
        )
        raise InputError(msg)


def start_encoder(model: "keras.Model", architecture: str, training: TrainingConfiguration) -> None:
    """Give an ImageNet-like encoder the weights it starts from."""
    source = training.encoder_weights
    if source == "none":
        return
    if source == "imagenet":
        load_imagenet(model, architecture)
        return
    weights = runs.read_weights(Path(source))
    for variable in model.variables:
        if variable.path.startswith(PREFIX):
            given = weights.get(variable.path)
            if given is None or given.shape != tuple(variable.shape):
                found = "none" if given is None else f"one of shape {given.shape}"
                msg = (
                    f"Expected weights {variable.path} of shape {tuple(variable.shape)}, "
                    f"found {found}: {source}."
                )
                raise InputError(msg)
            variable.assign(given)
