"""The feature table: one row per patient and kind of mask."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from lggshape.association.other_programs import NAMES, with_own_names
from lggshape.errors import InputError
from lggshape.names import first_few, natural_key
from lggshape.shape import FEATURES, FeatureTable
from lggshape.shape.table import LESION, REGION
from lggshape.tables import (
    DecimalMarks,
    TableSource,
    TextTable,
    decimal_marks,
    find_patient_column,
    is_missing,
    is_numeral,
    patient_keys,
    plain_numbers,
    plain_numerals,
    read_text_table,
)

KEYS = ("case", "patient", "masks")
_TEXT = (*KEYS, REGION, "notes", "reason")
_WORDS = ("site", "session")
_NOT_MEASURED = ("slice", "empty_bins")

FeatureSource = TableSource | FeatureTable
"""A feature table: a file, a table in memory, or what `feature_table` returns."""

Take = Literal["first", "last"]
"""Which of several cases of one patient counts."""

UNTOLD = "given"
"""The kind of the masks if a feature table does not tell it."""


def read_features(
    features: FeatureSource,
    *,
    region: str | None = None,
    take: Take | None = None,
    patient_column: str | None = None,
) -> pd.DataFrame:
    """Read a feature table from a file, or check one in memory.

    A table in memory gives the same as its file would. Tables of pyradiomics and MIRP are read as
    they are: features that are the same by definition have lggshape's name, and columns that
    describe the images are left out.

    Parameters
    ----------
    features : path, DataFrame or FeatureTable
        A table of patients and features, as `lggshape features`, `feature_table` or another program
        makes it; any column of numbers can be a feature. `case` is the patient by default, and
        `masks` is "given".
    region : str, optional
        The region whose rows are read. A table of several regions needs it.
    take : {"first", "last"}, optional
        Which case counts if a patient has several with one kind of mask: the first or the last by
        name, so by date where the names hold one. Without it such a table is refused.
    patient_column : str, optional
        The column with the patients' keys in a table without `patient`; by default the only one
        that has a name of patients, such as ID or subject.

    Returns
    -------
    DataFrame
        `case`, `patient`, `masks`, `region` if there is one, `reason` as text, `spacing_known` as
        True, False or None if it is there, then every column that holds numbers alone, as floats
        (missing is NaN), and at last all others but `notes`, as text (missing is empty). `site` and
        `session` are always text.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a key, has no row, has a column twice, holds a word or an
        infinite number where lggshape has a feature, numbers of which the decimal mark is not
        clear, or lesions, has several regions and `region` does not say which, or two cases of one
        patient with one kind of mask and `take` does not say which counts.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"case": ["a1", "b1"], "patient": ["a", "b"], "masks": "manual", "volume": [7, None]}
    ... )
    >>> read_features(table)["volume"].tolist()
    [7.0, nan]
    >>> read_features(pd.DataFrame({"ID": ["a"], "original_shape_Sphericity": [0.5]})).columns[-1]
    'sphericity'
    """
    if take not in {None, "first", "last"}:
        msg = f"Expected take to be 'first' or 'last', found {take!r}."
        raise InputError(msg)
    read = _with_keys(
        read_text_table(features.table if isinstance(features, FeatureTable) else features),
        patient_column,
    )
    text, where = read.cells, read.where
    chosen = _rows_of_region(text, where, region)
    marks = decimal_marks(text, semicolons=read.semicolons)
    text = text[chosen]
    with_region = [*KEYS, *[REGION] * (REGION in text)]
    table = text[with_region].apply(plain_numbers)
    table["reason"] = text.get("reason", "")
    if "spacing_known" in text:
        table["spacing_known"] = _truths(text["spacing_known"], where)
    measured: dict[str, pd.Series[float]] = {}
    others: dict[str, pd.Series[str]] = {}
    for name in text.columns.difference([*_TEXT, "spacing_known"], sort=False):
        numbers = None if name in _WORDS else _numbers(text, str(name), where, marks)
        if numbers is None:
            others[str(name)] = plain_numbers(text[name].mask(is_missing(text[name]), ""))
        else:
            measured[str(name)] = numbers
    # At once: thousands of columns, each inserted by itself, are slow.
    table = pd.concat([table, pd.DataFrame({**measured, **others}, index=table.index)], axis=1)
    return _one_row_per_patient(table.reset_index(drop=True), where, take)


def _with_keys(read: TextTable, patient_column: str | None) -> TextTable:
    """Return a table under lggshape's names, with a case, a patient and a kind of mask in a row."""
    text = with_own_names(read.cells)
    if text.empty:
        msg = f"Expected {read.where} to have a row per patient, found none."
        raise InputError(msg)
    if "patient" not in text:
        named = patient_column in text.columns
        column = str(patient_column) if named else find_patient_column(text.columns, read.where)
        text = text.rename(columns={column: "patient"})
    if "masks" not in text:
        text["masks"] = UNTOLD
    read = replace(read, cells=text)
    text["patient"] = patient_keys(read, "patient")
    text["case"] = text.get("case", text["patient"])
    for key in KEYS:
        lacking = is_missing(text[key]).to_numpy()
        if lacking.any():
            row = read.lines[int(lacking.argmax())]
            msg = f"Expected {key} in every row of {read.where}, found none in {row}."
            raise InputError(msg)
    return read


def measured_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of a feature table that can be tested: those of numbers that measure."""
    return [
        str(name)
        for name, column in table.items()
        if column.dtype == float and name not in _NOT_MEASURED
    ]


def find_feature(name: str, columns: Iterable[str]) -> str | None:
    """Return the column of a feature that is called by its name or by its symbol.

    Parameters
    ----------
    name : str
        A column, also as pyradiomics or MIRP call it, or the symbol of one of lggshape's features,
        in upper or lower case.
    columns : iterable of str
        The features that there are.

    Returns
    -------
    str or None
        The column; None if there is none.

    Examples
    --------
    >>> find_feature("mf", ["margin_fluctuation", "own"])
    'margin_fluctuation'
    """
    there = list(columns)
    if name in there:
        return name
    symbols = {feature.symbol.casefold(): feature.name for feature in FEATURES.values()}
    found = NAMES.get(name) or symbols.get(name.casefold(), "")
    return found if found in there else None


def why_no_number(name: str, table: pd.DataFrame) -> str:
    """Return the end of a message: a column of a feature table that is none of numbers.

    Examples
    --------
    >>> table = read_features(pd.DataFrame({"ID": ["a", "b"], "own": ["0.5", "0.4?"]}))
    >>> why_no_number("own", table)
    " The column own holds '0.4?' for case b, and a feature has numbers alone."
    """
    if name not in table or table[name].dtype == float:
        return ""
    cells = table[name].astype(str)
    words = cells[~cells.map(is_numeral) & (cells != "")]
    if words.empty:
        return ""
    case = table.loc[words.index[0], "case"]
    return (
        f" The column {name} holds {words.iloc[0]!r} for case {case}, and a feature has numbers "
        "alone."
    )


def feature_symbol(feature: str) -> str:
    """Return the symbol of a feature, or its name in words if it has none.

    Examples
    --------
    >>> feature_symbol("margin_fluctuation"), feature_symbol("surface_area")
    ('MF', 'surface area')
    """
    symbol = FEATURES[feature].symbol if feature in FEATURES else ""
    return symbol or feature.replace("_", " ")


def irregularity(feature: str) -> int:
    """Return which way a feature changes with irregular shapes: 1 for up, -1 for down.

    Areas under the curve are taken in this one direction for all levels. A feature that is not
    lggshape's own counts as going up.

    Examples
    --------
    >>> irregularity("margin_fluctuation"), irregularity("sphericity")
    (1, -1)
    """
    return FEATURES[feature].irregularity if feature in FEATURES else 1


def check_units(table: pd.DataFrame, features: Iterable[str]) -> None:
    """Refuse to compare millimetres with voxels.

    Parameters
    ----------
    table : DataFrame
        As from `read_features`.
    features : iterable of str
        The features to be compared.

    Raises
    ------
    InputError
        If a feature has one unit for some patients and another for others.
    """
    if "spacing_known" not in table:
        return
    for name in dict.fromkeys(features):
        feature = FEATURES.get(name)
        if feature is None or feature.unit == feature.unit_without_spacing:
            continue
        for masks, group in table[table[name].notna()].groupby("masks"):
            known = int((group["spacing_known"] == True).sum())  # noqa: E712  (None is neither)
            unknown = int(group["spacing_known"].eq(False).sum())
            if known and unknown:
                msg = (
                    f"Expected {name} of the {masks} masks to have one unit, found {known} cases "
                    f"in {feature.unit} and {unknown} in {feature.unit_without_spacing}: the "
                    "spacing of some is unknown."
                )
                raise InputError(msg)


def _rows_of_region(text: pd.DataFrame, where: str, region: str | None) -> "pd.Series[bool]":
    """Return which rows count: those of one region, as patients are told apart, not lesions."""
    if LESION in text:
        msg = (
            f"Expected {where} to have a row per patient, found lesions. Measure the masks again "
            "without --lesions (lesions=False in Python): their largest component, or all of them."
        )
        raise InputError(msg)
    if REGION not in text:
        if region is None:
            return pd.Series(data=True, index=text.index)
        msg = (
            f"Expected {where} to have the region {region}, found no column {REGION}. Leave "
            "--region out (region= in Python)."
        )
        raise InputError(msg)
    cells = text[REGION].mask(is_missing(text[REGION]), "")
    known = list(dict.fromkeys(cells))
    if region is None and len(known) == 1 and known[0]:
        region = known[0]
    if region is None or region not in known or "" in known:
        found = "a row without one" if "" in known else ", ".join(known)
        wanted = "one region" if region is None else f"the region {region}"
        msg = (
            f"Expected {wanted} in {where}, found: {found}. Say which region is analysed with "
            "--region (region= of read_features in Python)."
        )
        raise InputError(msg)
    return cells == region


def _numbers(
    text: pd.DataFrame, name: str, where: str, marks: DecimalMarks
) -> "pd.Series[float] | None":
    """Return a column as numbers; None if it holds words and is none of lggshape's features."""
    read = plain_numerals(text[name], marks)
    if read.unclear:
        msg = f"Expected {name} to be clear numbers, found {read.unclear}: {where}."
        raise InputError(msg)
    lacking = is_missing(read.cells)
    numbers: pd.Series[float] = pd.to_numeric(
        read.cells.where(~lacking, "nan"), errors="coerce"
    ).astype(float)
    words = numbers.isna() & ~lacking
    if words.any() and name not in FEATURES:
        return None
    if words.any() or np.isinf(numbers).any():
        row = int((words | np.isinf(numbers)).to_numpy().argmax())
        msg = (
            f"Expected {name} to be a finite number, found {text[name].iloc[row]!r} for case "
            f"{text['case'].iloc[row]}: {where}."
        )
        raise InputError(msg)
    return numbers


def _truths(cells: "pd.Series[str]", where: str) -> "pd.Series[Any]":
    words = cells.mask(is_missing(cells), "").str.lower()
    truths = {"true": True, "false": False, "": None}
    unknown = cells[~words.isin(list(truths))]
    if len(unknown):
        msg = f"Expected spacing_known to be True or False, found {unknown.iloc[0]!r}: {where}."
        raise InputError(msg)
    return words.map(truths).astype(object)


def _one_row_per_patient(table: pd.DataFrame, where: str, take: Take | None) -> pd.DataFrame:
    unit = ["patient", "masks"]
    several = table[table.duplicated(unit, keep=False)]
    if take is not None:
        order = table.sort_values("case", kind="stable", key=lambda names: names.map(natural_key))
        chosen = order.drop_duplicates(unit, keep=take)
        return table.loc[sorted(chosen.index)].reset_index(drop=True)
    if len(several):
        patient, masks = several.iloc[0][unit]
        cases = several[(several["patient"] == patient) & (several["masks"] == masks)]["case"]
        msg = (
            f"Expected one row per patient and kind of mask in {where}, found {len(cases)} of "
            f"patient {patient} ({masks}: {first_few(list(cases))}). `take` of read_features "
            "(--take) tells which counts: first or last."
        )
        raise InputError(msg)
    return table
