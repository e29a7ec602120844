"""The feature table: one row a patient and kind of mask."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from lggshape.errors import InputError
from lggshape.files import is_missing, read_table
from lggshape.shape import FEATURES

KEYS = ("case", "patient", "masks")
_TEXT = (*KEYS, "reason")
_NOT_MEASURED = ("slice", "empty_bins")


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
        `case`, `patient`, `masks`, `reason` as text, `spacing_known` as True, False or None if it
        is there, then every column that holds numbers alone, as floats (missing is NaN).

    Raises
    ------
    InputError
        If the table cannot be read, lacks a key, has no row, holds a word or an infinite number
        where lggshape has a feature, or has two cases of one patient with one kind of mask and
        `take` does not say which counts.
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
        table["spacing_known"] = _truths(text["spacing_known"], path)
    for name in text.columns.difference([*_TEXT, "spacing_known"], sort=False):
        cells = text[name].mask(is_missing(text[name]), "")
        numbers = pd.to_numeric(cells.replace("", np.nan), errors="coerce").astype(float)
        words = numbers.isna() & (cells != "")
        if words.any() and name not in FEATURES:
            continue
        if words.any() or np.isinf(numbers).any():
            row = int((words | np.isinf(numbers)).to_numpy().argmax())
            msg = (
                f"Expected {name} to be a finite number, found {text[name].iloc[row]!r} for case "
                f"{text['case'].iloc[row]}: {path}."
            )
            raise InputError(msg)
        table[str(name)] = numbers
    return _one_row_a_patient(table, path, take)


def measured_columns(table: pd.DataFrame) -> list[str]:
    """Give the columns of a feature table that can be tested: those of numbers that measure."""
    return [
        str(name)
        for name, column in table.items()
        if column.dtype == float and name not in _NOT_MEASURED
    ]


def _truths(cells: "pd.Series[str]", path: Path) -> "pd.Series[Any]":
    truths = {"true": True, "false": False, "": None}
    unknown = cells[~cells.str.lower().isin(list(truths))]
    if len(unknown):
        msg = f"Expected spacing_known to be True or False, found {unknown.iloc[0]!r}: {path}."
        raise InputError(msg)
    return cells.str.lower().map(truths).astype(object)


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
            f"{patient} ({masks}: {', '.join(cases)}). Say which counts with `take` (--take): "
            "first or last."
        )
        raise InputError(msg)
    return table
