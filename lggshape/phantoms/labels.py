"""Labels of synthetic patients, with or without an association with the shape of their tumours."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lggshape.phantoms.radii import Floats

HYPOTHESES = """\
# The association that is planted in the labels of a synthetic cohort, and one that is not: the sex
# of the patients depends on nothing.

name = "planted"
title = "Tumour shape and molecular labels of a synthetic cohort"

[[hypothesis]]
feature = "bounding_ellipsoid_volume_ratio"
label = "idh"

[[hypothesis]]
feature = "margin_fluctuation"
label = "idh"

[[hypothesis]]
feature = "angular_standard_deviation"
label = "idh"

[[hypothesis]]
feature = "bounding_ellipsoid_volume_ratio"
label = "molecular_subtype"

[[hypothesis]]
feature = "bounding_ellipsoid_volume_ratio"
label = "sex"
"""
"""Hypotheses on the labels of `label_table`, as TOML."""

_INSTITUTIONS = "ABCD"
_LOCATIONS = ("frontal", "parietal", "temporal", "occipital")


class Patients(NamedTuple):
    """The patients of a synthetic cohort.

    Attributes
    ----------
    names : list of str
        Their names, each with the letter of an institution.
    aggressive : ndarray of bool, shape (patients,)
        Whose tumour is aggressive, not indolent. All labels but the sex depend on it.
    """

    names: list[str]
    aggressive: NDArray[np.bool_]


class Chances(NamedTuple):
    """How likely each level of a label is.

    Attributes
    ----------
    indolent, aggressive : sequence of float
        The probability of each level in indolent and in aggressive tumours.
    missing : float
        The share of patients without a value.
    """

    indolent: Sequence[float]
    aggressive: Sequence[float]
    missing: float


_SUBTYPES = ("S1", "S2", "S3", "S4")
_SUBTYPE = Chances((0.40, 0.05, 0.35, 0.20), (0.05, 0.85, 0.05, 0.05), 0.10)
_IDH_LEVELS = ("wild-type", "mutant")
_IDH = Chances((0.02, 0.98), (0.98, 0.02), 0.03)


def draw_patients(
    irregularity: ArrayLike, *, rng: np.random.Generator, association: bool = True
) -> Patients:
    """Draw patients; the more irregular a tumour is, the more often it is aggressive.

    Parameters
    ----------
    irregularity : array_like of shape (patients,)
        Irregularity of each patient's tumour, 0 to 1.
    rng : numpy Generator
        Source of the random numbers.
    association : bool
        Whether the irregularity matters; without, 28 % of all tumours are aggressive.

    Returns
    -------
    Patients
        Their names, and whose tumours are aggressive.

    Examples
    --------
    >>> patients = draw_patients([0.0, 1.0], rng=np.random.default_rng(0))
    >>> patients.aggressive.tolist()
    [False, True]
    """
    shares = np.asarray(irregularity, dtype=np.float64)
    count = shares.size
    chance = 1 / (1 + np.exp(1.5 - 16 * (shares - 0.5))) if association else np.full(count, 0.28)
    aggressive = rng.random(count) < chance
    institutions = rng.choice(list(_INSTITUTIONS), count)
    names = [f"PHANTOM_{one}_{i:04d}" for i, one in enumerate(institutions, start=1)]
    return Patients(names, aggressive)


def draw_levels(
    patients: Patients, levels: ArrayLike, chances: Chances, *, rng: np.random.Generator
) -> "pd.Series[str]":
    """Draw a level for each patient; missing values are None.

    Examples
    --------
    >>> patients = Patients(["A", "B"], np.array([True, False]))
    >>> certain = Chances([1, 0], [0, 1], missing=0)
    >>> draw_levels(patients, ["low", "high"], certain, rng=np.random.default_rng(0)).tolist()
    ['high', 'low']
    """
    count = len(patients.names)
    aggressive = rng.choice(np.asarray(levels), count, p=chances.aggressive)
    indolent = rng.choice(np.asarray(levels), count, p=chances.indolent)
    drawn = np.where(patients.aggressive, aggressive, indolent).astype(object)
    return pd.Series(drawn, dtype=object).mask(rng.random(count) < chances.missing, None)


def draw_ages(patients: Patients, *, rng: np.random.Generator) -> Floats:
    """Draw the age of each patient in whole years: higher where the tumour is aggressive."""
    count = len(patients.names)
    older, younger = rng.normal(54, 12, count), rng.normal(39, 11, count)
    ages: Floats = np.where(patients.aggressive, older, younger).round().clip(16, 85)
    return ages


def draw_survival(hazard: Floats, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw times to an event, some of them censored within five years.

    Parameters
    ----------
    hazard : ndarray of float, shape (patients,)
        Events per day.
    rng : numpy Generator
        Source of the times.

    Returns
    -------
    tuple of ndarray
        For each patient 1 for an event or 0 if censored, and the time in whole days.
    """
    time = rng.exponential(1 / hazard)
    censored = rng.uniform(200, 5 * 365, len(hazard))
    return (time <= censored).astype(float), np.ceil(np.minimum(time, censored))


def label_table(patients: Patients, *, rng: np.random.Generator) -> pd.DataFrame:
    """Make labels that depend on whether a tumour is aggressive.

    Aggressive tumours are mostly of the molecular subtype S2 and IDH wild-type, and their patients
    older. So the labels are associated with each other, and with the shape of the tumours as far as
    aggressive tumours are irregular.

    Parameters
    ----------
    patients : Patients
        As from `draw_patients`.
    rng : numpy Generator
        Source of the labels.

    Returns
    -------
    DataFrame
        A row per patient: `patient`, `molecular_subtype` (S1 to S4), `idh` (wild-type or
        mutant), `age` in years and `sex`. Some values of the subtype and of IDH are missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> list(label_table(draw_patients([0.1, 0.9], rng=rng), rng=rng))
    ['patient', 'molecular_subtype', 'idh', 'age', 'sex']
    """
    count = len(patients.names)
    return pd.DataFrame(
        {
            "patient": patients.names,
            "molecular_subtype": draw_levels(patients, _SUBTYPES, _SUBTYPE, rng=rng),
            "idh": draw_levels(patients, _IDH_LEVELS, _IDH, rng=rng),
            "age": draw_ages(patients, rng=rng).astype(int),
            "sex": rng.choice(["female", "male"], count),
        }
    )


def clinical_table(labels: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Make clinical data that depend on labels: older patients and IDH wild types fare worse.

    Parameters
    ----------
    labels : DataFrame
        As from `label_table`.
    rng : numpy Generator
        Source of the values.

    Returns
    -------
    DataFrame
        A row per patient: `patient`, `grade` (grade 2 or 3), `laterality`, `location`, `died`
        (1: yes, 0: censored) and `survival_days`, censored within five years.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = label_table(draw_patients([0.1, 0.9], rng=rng), rng=rng)
    >>> list(clinical_table(labels, rng=rng))
    ['patient', 'grade', 'laterality', 'location', 'died', 'survival_days']
    """
    count = len(labels)
    wild_type = (labels["idh"] == _IDH_LEVELS[0]).to_numpy()
    higher = rng.random(count) < np.where(wild_type, 0.8, 0.45)
    laterality = rng.choice(["left", "right"], count)
    location = rng.choice(_LOCATIONS, count)
    hazard = np.exp(1.2 * wild_type + 0.03 * (labels["age"].to_numpy() - 45)) / 2500
    died, days = draw_survival(hazard, rng=rng)
    return pd.DataFrame(
        {
            "patient": labels["patient"],
            "grade": np.where(higher, "grade 3", "grade 2"),
            "laterality": laterality,
            "location": location,
            "died": died.astype(int),
            "survival_days": days.astype(int),
        }
    )


def label_tables(patients: Patients, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Make the label tables of a cohort by name: `labels` and `clinical`."""
    labels = label_table(patients, rng=rng)
    return {"labels": labels, "clinical": clinical_table(labels, rng=rng.spawn(1)[0])}
