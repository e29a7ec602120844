"""Folds by patient: who is trained on, and who is held out."""

from collections.abc import Mapping

import numpy as np

from lggshape.errors import InputError
from lggshape.segmentation.run.configuration import TrainingConfiguration


def assign_folds(patients: Mapping[str, str], *, folds: int, seed: int) -> dict[str, int]:
    """Divide patients into folds of nearly equal size, stratified by site.

    Parameters
    ----------
    patients : mapping of str to str
        The site (institution) of each patient; an empty string is a site as well.
    folds : int
        Number of folds.
    seed : int
        Seed of the order within a site.

    Returns
    -------
    dict of str to int
        The fold of each patient, from 0, in the order of the patients' names. Each fold has its
        share of each site to within one patient, and of all patients to within one.

    Raises
    ------
    InputError
        If there are fewer patients than folds.
    """
    if len(patients) < folds:
        msg = f"Expected at least as many patients as folds ({folds}), found {len(patients)}."
        raise InputError(msg)
    rng = np.random.default_rng(seed)
    dealt: list[str] = []
    for site in sorted(set(patients.values())):
        members = sorted(patient for patient in patients if patients[patient] == site)
        dealt += [members[index] for index in rng.permutation(len(members))]
    # Dealt out like cards, site after site: so both shares are even.
    fold_of = {patient: place % folds for place, patient in enumerate(dealt)}
    return {patient: fold_of[patient] for patient in sorted(patients)}


def inner_split(
    patients: Mapping[str, str], *, share: float, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Set some of a fold's training patients aside, stratified by site.

    Parameters
    ----------
    patients : mapping of str to str
        The site of each training patient.
    share : float
        Share of the patients to set aside; 0 sets none aside, any other at least one.
    rng : Generator
        Source of the choice.

    Returns
    -------
    training, inner : list of str
        The patients in the order of their names.

    Raises
    ------
    InputError
        If no patient would be left to train on.
    """
    count = 0 if share == 0 else max(1, round(share * len(patients)))
    if count >= len(patients):
        msg = (
            f"Expected patients to train on beside an inner split of {count}, "
            f"found {len(patients)} in all."
        )
        raise InputError(msg)
    aside = stratified_order(patients, rng)[:count]
    return sorted(set(patients) - set(aside)), sorted(aside)


def stratified_order(patients: Mapping[str, str], rng: np.random.Generator) -> list[str]:
    """Bring patients into a random order in which the first few are of the sites as all are.

    Parameters
    ----------
    patients : mapping of str to str
        The site of each patient.
    rng : Generator
        Source of the order.

    Returns
    -------
    list of str
        All patients.
    """
    # Within a site in random order, evenly along a line; and the sites side by side.
    order: list[tuple[float, str]] = []
    for site in sorted(set(patients.values())):
        members = sorted(patient for patient in patients if patients[patient] == site)
        places = (rng.permutation(len(members)) + rng.random()) / len(members)
        order += list(zip(places.tolist(), members, strict=True))
    return [patient for _, patient in sorted(order)]


def choose_folds(
    sites: Mapping[str, str], given: Mapping[str, int] | None, training: TrainingConfiguration
) -> dict[str, int]:
    """Return the fold of each patient: drawn by site, or as given.

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


def split_patients(
    sites: Mapping[str, str], folds: Mapping[str, int], fold: int, training: TrainingConfiguration
) -> tuple[list[str], list[str]]:
    """Return the patients that the networks of a fold are trained on, and those set aside.

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
