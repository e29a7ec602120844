"""Labels of synthetic patients in the columns and codes of the public tables of the study."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from lggshape.phantoms import Patients, write_cohort
from lggshape.phantoms.labels import Chances, draw_ages, draw_levels, draw_survival

_IDH = "idh_1p19q_buda_table2"
_IDH_LEVELS = ("IDHwt", "IDHmut-non-codel", "IDHmut-codel")
_LOCATIONS = tuple(
    f"Supratentorial, {lobe} Lobe" for lobe in ("Frontal", "Parietal", "Temporal", "Occipital")
)

_CLUSTERS = {
    "RNASeqCluster": Chances((0.40, 0.05, 0.35, 0.20), (0.05, 0.85, 0.05, 0.05), 0.10),
    "MethylationCluster": Chances(
        (0.10, 0.30, 0.30, 0.05, 0.25), (0.10, 0.10, 0.10, 0.60, 0.10), 0.02
    ),
    "miRNACluster": Chances((0.40, 0.30, 0.20, 0.10), (0.15, 0.15, 0.15, 0.55), 0.05),
    "CNCluster": Chances((0.45, 0.10, 0.45), (0.20, 0.65, 0.15), 0.03),
    "COCCluster": Chances((0.50, 0.10, 0.40), (0.10, 0.80, 0.10), 0.08),
}
_IDH_CHANCES = Chances((0.05, 0.60, 0.35), (0.85, 0.10, 0.05), 0.03)


def cluster_table(patients: Patients, *, rng: np.random.Generator) -> pd.DataFrame:
    """Make the labels of the hypotheses, with gender and age.

    Aggressive tumours are mostly R2 and IDH wild type, and their patients older.

    Parameters
    ----------
    patients : Patients
        As from `lggshape.phantoms.draw_patients`.
    rng : numpy Generator
        Source of the labels.

    Returns
    -------
    DataFrame
        A row per patient: `Patient`; the clusters, gender and age under the names and codes of the
        public table, some of them missing; and the subtype by IDH and 1p/19q in words.
    """
    count = len(patients.names)
    table = pd.DataFrame({"Patient": patients.names})
    for column, chances in _CLUSTERS.items():
        codes = np.arange(1, len(chances.indolent) + 1)
        table[column] = draw_levels(patients, codes, chances, rng=rng).astype("Int64")
    table[_IDH] = draw_levels(patients, _IDH_LEVELS, _IDH_CHANCES, rng=rng)
    ages = draw_ages(patients, rng=rng)
    table["gender"] = pd.Series(rng.integers(1, 3, count), dtype="Int64")
    table["age_at_initial_pathologic"] = (
        pd.Series(ages).astype("Int64").mask(rng.random(count) < 0.01)
    )
    return table


def clinical_table(clusters: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Make a clinical table that depends on the clusters' table: IDH wild types fare worse.

    Parameters
    ----------
    clusters : DataFrame
        As from `cluster_table`.
    rng : numpy Generator
        Source of the values.

    Returns
    -------
    DataFrame
        A row per patient, in the words of the public clinical table: `Patient`,
        `neoplasm_histologic_grade`, `laterality`, `tumor_location`; `OS` and `PFI` (1: an event)
        with `OS.time` and `PFI.time` in days, censored within five years.
    """
    count = len(clusters)
    wild_type = (clusters[_IDH] == _IDH_LEVELS[0]).to_numpy()
    age = clusters["age_at_initial_pathologic"].astype("Float64").fillna(45).to_numpy(float)
    table = clusters[["Patient"]].copy()
    grade = rng.random(count) < np.where(wild_type, 0.8, 0.45)
    table["neoplasm_histologic_grade"] = np.where(grade, "G3", "G2")
    table["laterality"] = rng.choice(["Left", "Right"], count)
    table["tumor_location"] = rng.choice(_LOCATIONS, count)
    hazard = np.exp(1.2 * wild_type + 0.03 * (age - 45)) / 2500
    for endpoint, faster in (("OS", 1.0), ("PFI", 1.8)):
        event, days = draw_survival(faster * hazard, rng=rng)
        table[endpoint] = event.astype(int)
        table[f"{endpoint}.time"] = days.astype(int)
    return table


def public_tables(patients: Patients, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Make tables as they are public, by name: `labels`, `idh_1p19q` and `clinical`."""
    clusters = cluster_table(patients, rng=rng)
    return {
        "labels": clusters.drop(columns=_IDH),
        "idh_1p19q": clusters[["Patient", _IDH]],
        "clinical": clinical_table(clusters, rng=rng.spawn(1)[0]),
    }


def write_phantoms(
    folder: str | os.PathLike[str],
    *,
    patients: int = 24,
    seed: int = 0,
    association: bool = True,
    size: tuple[int, int, int] = (10, 48, 48),
) -> Path:
    """Write a synthetic cohort that the study can be replicated on.

    Parameters
    ----------
    folder : str or Path
        Where to write: a new or empty folder.
    patients, seed, association, size
        As for `lggshape.phantoms.cohort`.

    Returns
    -------
    Path
        The folder. It holds a folder per patient, `labels.csv`, `idh_1p19q.csv` and `clinical.csv`.
    """
    return write_cohort(
        folder,
        patients=patients,
        seed=seed,
        association=association,
        size=size,
        tables=public_tables,
        hypotheses=None,
    )
