"""Patients who are left out on purpose, each for a reason: masks that a reader did not accept."""

import pandas as pd

from lggshape.association.hypotheses import LeftOut
from lggshape.errors import InputError
from lggshape.names import did_you_mean, first_few
from lggshape.tables import TableSource, read_text_table

_KEYS = ("case", "patient")
_NO_REASON = "no reason given"


def exclude(features: pd.DataFrame, exclusions: TableSource) -> tuple[pd.DataFrame, list[LeftOut]]:
    """Leave patients or cases out of a feature table.

    Parameters
    ----------
    features : DataFrame
        As from `read_features`.
    exclusions : path or DataFrame
        A table with the column `patient` or `case`, and `reason`, as the report of a study saves
        it. A patient is left out with all cases.

    Returns
    -------
    features : DataFrame
        The rows that remain.
    left_out : list of LeftOut
        Who is left out, and why.

    Raises
    ------
    InputError
        If the table cannot be read or has neither column, names nobody of the feature table, or
        leaves nobody.

    Examples
    --------
    >>> features = pd.DataFrame({"case": ["a1", "b1"], "patient": ["a", "b"], "masks": "manual"})
    >>> kept, left_out = exclude(features, pd.DataFrame({"patient": ["b"], "reason": ["motion"]}))
    >>> kept["patient"].tolist(), left_out
    (['a'], [LeftOut(what='patient', name='b', reason='excluded: motion')])
    """
    read = read_text_table(exclusions)
    key = next((name for name in _KEYS if name in read.cells), None)
    if key is None:
        msg = (
            f"Expected {read.where} to have the column patient or case, found "
            f"{first_few(list(read.cells.columns))}. Rename the column with the patients."
        )
        raise InputError(msg)
    names = read.cells[key].tolist()
    given = read.cells["reason"].tolist() if "reason" in read.cells else [""] * len(names)
    known = set(features[key])
    unknown = [
        (name, line) for name, line in zip(names, read.lines, strict=True) if name not in known
    ]
    if unknown:
        name, line = unknown[0]
        msg = (
            f"Expected every {key} of {read.where} to be in the feature table, found {name!r} in "
            f"{line}{f' and {len(unknown) - 1} more' if len(unknown) > 1 else ''}."
            f"{did_you_mean(name, known)} Correct the name, or remove the row."
        )
        raise InputError(msg)
    reasons = {
        name: f"excluded: {reason or _NO_REASON}" for name, reason in zip(names, given, strict=True)
    }
    kept = features[~features[key].isin(list(reasons))]
    if kept.empty:
        msg = f"Expected {read.where} to leave patients to analyse, found all of them in it."
        raise InputError(msg)
    return kept.reset_index(drop=True), [LeftOut(key, *one) for one in reasons.items()]
