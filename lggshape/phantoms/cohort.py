"""A synthetic cohort: heads, and labels with or without a planted association."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from lggshape.case import Case
from lggshape.checks import check_seed, check_whole_number
from lggshape.errors import InputError
from lggshape.files import write_table, write_text
from lggshape.phantoms.heads import SIZE, make_phantom
from lggshape.phantoms.labels import HYPOTHESES, Patients, draw_patients, label_tables
from lggshape.phantoms.layouts import case_layout
from lggshape.phantoms.radii import Floats

MakeTables = Callable[[Patients, np.random.Generator], dict[str, pd.DataFrame]]
"""Makes tables with a row per patient, by name."""


class Cohort(NamedTuple):
    """A synthetic cohort.

    Attributes
    ----------
    irregularity : ndarray of shape (patients,)
        What the shape of each tumour was drawn from, 0 to 1.
    tables : dict of str to DataFrame
        What is known of the patients: `labels` and `clinical`, each with a row per patient.
    cases : iterator of Case
        The heads, one per patient, made as they are asked for.
    """

    irregularity: Floats
    tables: dict[str, pd.DataFrame]
    cases: Iterator[Case]


def cohort(
    *,
    patients: int = 40,
    seed: int = 0,
    association: bool = True,
    size: tuple[int, int, int] = SIZE,
    tables: MakeTables = label_tables,
) -> Cohort:
    """Make a synthetic cohort.

    Every tenth patient lacks the post-contrast sequence; FLAIR stands in for it, as it does in
    public data sets.

    Parameters
    ----------
    patients : int
        Number of patients.
    seed : int
        Seed of all random numbers. Patient n of a seed has the same head in a cohort of any number.
    association : bool
        Whether the labels depend on the irregularity of the tumours.
    size : tuple of int
        Shape (Z, Y, X) of every case.
    tables : callable
        Makes the label tables of the patients.

    Returns
    -------
    Cohort
        Irregularity, label tables, and the cases as an iterator.

    Examples
    --------
    >>> made = cohort(patients=3, seed=1)
    >>> list(made.tables)
    ['labels', 'clinical']
    >>> next(made.cases).image.shape
    (24, 96, 96, 3)
    """
    check_whole_number(patients, "patients", least=1)
    check_seed(seed)
    shape_seed, label_seed, *head_seeds = np.random.SeedSequence(seed).spawn(patients + 2)
    irregularity = np.random.default_rng(shape_seed).random(patients)
    rng = np.random.default_rng(label_seed)
    drawn = draw_patients(irregularity, rng=rng, association=association)

    def cases() -> Iterator[Case]:
        for index, name in enumerate(drawn.names):
            case = make_phantom(
                np.random.default_rng(head_seeds[index]),
                irregularity=irregularity[index],
                size=size,
                name=name,
            )
            if index % 10 == 9 and case.image is not None:
                case.image[..., 2] = case.image[..., 1]
            yield case

    return Cohort(irregularity, tables(drawn, rng), cases())


def write_cohort(
    folder: str | os.PathLike[str],
    *,
    patients: int = 40,
    seed: int = 0,
    association: bool = True,
    size: tuple[int, int, int] = SIZE,
    tables: MakeTables = label_tables,
    hypotheses: str | None = HYPOTHESES,
    layout: str = "slices",
) -> Path:
    """Write a synthetic cohort as a data set.

    Parameters
    ----------
    folder : str or Path
        Where to write: a new or empty folder.
    patients, seed, association, size, tables
        As for `cohort`.
    hypotheses : str, optional
        Text of `hypotheses.toml`; by default hypotheses on the default labels.
    layout : str
        How the cases are laid out: one of `lggshape.phantoms.layouts.CASE_LAYOUTS`. By default each
        is a folder with a TIFF image and mask per slice, which tell no spacing.

    Returns
    -------
    Path
        The folder. It holds the cases, `labels.csv`, `clinical.csv` and `hypotheses.toml`. Tables
        name patients as the layout does.

    Raises
    ------
    InputError
        If the folder is not empty, or is a file, or the layout is unknown.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as parent:
    ...     folder = write_cohort(Path(parent, "cases"), patients=1, size=(6, 32, 32))
    ...     sorted(path.name for path in folder.iterdir() if path.is_file())
    ['clinical.csv', 'hypotheses.toml', 'labels.csv']
    """
    folder = Path(folder)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        msg = f"Expected {folder} to be a new or empty folder, found something in it."
        raise InputError(msg)
    form = case_layout(layout)
    made = cohort(patients=patients, seed=seed, association=association, size=size, tables=tables)
    written = []
    for case in made.cases:
        form.write(case, folder)
        written.append(replace(case, image=None, sequences=()))
    form.finish(written, folder)
    for name, table in made.tables.items():
        key = table.columns[0]
        write_table(folder / f"{name}.csv", table.assign(**{key: table[key].map(form.patient)}))
    if hypotheses is not None:
        write_text(folder / "hypotheses.toml", hypotheses)
    return folder
