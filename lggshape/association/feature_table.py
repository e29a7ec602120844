"""The feature table: one row a patient and kind of mask."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.files import read_table

KEYS = ("case", "patient", "masks")
_TEXT = (*KEYS, "reason")


Take = Literal["first", "last"]
"""Which of several cases of one patient counts."""


def read_features(path: Path, *, take: Take | None = None) -> pd.DataFrame:
    """Read a feature table.

    Parameters
    ----------
    path : Path
        A CSV with the columns `case`, `patient`, `masks` and features, as `lggshape features`
        writes it; any other column of numbers can be a feature too.
    take : {"first", "last"}, optional
        Which case counts if a patient has several with one kind of mask: the first or the last by
        name, so by date where the names hold one. Without it such a table is refused.

    Returns
    -------
    DataFrame
        `case`, `patient`, `masks`, `reason` as text, `spacing_known` as bool if it is there, then
        every column that holds numbers alone, as floats (missing is NaN).

    Raises
    ------
    InputError
        If the table cannot be read, lacks a key, has no row, holds an infinite number, or has two
        cases of one patient with one kind of mask and `take` does not say which counts.
    """
    text = read_table(path, required=KEYS)
    if text.empty:
        msg = f"Expected {path} to have a row a patient, found none."
        raise InputError(msg)
    for key in KEYS:
        if (text[key] == "").any():
            line = int((text[key] == "").to_numpy().argmax()) + 2
            msg = f"Expected every row of {path} to have a {key}, found none in line {line}."
            raise InputError(msg)
    table = text[list(KEYS)].assign(reason=text.get("reason", ""))
    if "spacing_known" in text:
        table["spacing_known"] = text["spacing_known"] == "True"
    for name in text.columns.difference([*_TEXT, "spacing_known"], sort=False):
        numbers = pd.to_numeric(text[name].replace("", np.nan), errors="coerce")
        if (numbers.isna() & (text[name] != "")).any():
            continue
        if np.isinf(numbers).any():
            msg = f"Expected {name} to be finite, found an infinite value: {path}."
            raise InputError(msg)
        table[str(name)] = numbers.astype(float)
    return _one_row_a_patient(table, path, take)


def _one_row_a_patient(table: pd.DataFrame, path: Path, take: Take | None) -> pd.DataFrame:
    unit = ["patient", "masks"]
    several = table[table.duplicated(unit, keep=False)]
    if take is not None:
        order = table.sort_values("case", kind="stable")
        chosen = order.drop_duplicates(unit, keep=take)
        return table.loc[sorted(chosen.index)].reset_index(drop=True)
    if len(several):
        patient, masks = several.iloc[0][unit]
        cases = several[(several["patient"] == patient) & (several["masks"] == masks)]["case"]
        msg = (
            f"Expected one row a patient and kind of mask in {path}, found {len(cases)} of patient "
            f"{patient} ({masks}: {', '.join(cases)}). Say which case counts: first or last."
        )
        raise InputError(msg)
    return table
