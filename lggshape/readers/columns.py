"""What a manifest says of cases besides, passed through to the tables of results."""

from collections.abc import Iterable, Sequence

import pandas as pd

from lggshape.errors import InputError
from lggshape.readers.layouts import whose
from lggshape.readers.source import CaseSource

_SESSION, _SITE = "session", "site"


def check_columns(sources: Iterable[CaseSource], taken: Iterable[str]) -> None:
    """Refuse columns of a manifest that are called like those of a table of results.

    Parameters
    ----------
    sources : iterable of CaseSource
        The cases.
    taken : iterable of str
        The columns of the table.

    Raises
    ------
    InputError
        If there is one.
    """
    clashing = sorted((set(_names(list(sources))) - {_SITE}) & set(taken))
    if clashing:
        msg = (
            "Expected the further columns of a manifest to differ from those of the results, found "
            f"{', '.join(clashing)}. Rename them in the manifest, or in the segmentation.csv that "
            "has them from there."
        )
        raise InputError(msg)


def with_columns(table: pd.DataFrame, sources: Iterable[CaseSource]) -> pd.DataFrame:
    """Return a table of results with what manifests and names say of its cases besides.

    Parameters
    ----------
    table : DataFrame
        A table with the column `case`, of any number of rows per case.
    sources : iterable of CaseSource
        The cases.

    Returns
    -------
    DataFrame
        The same rows. The session comes first among the further columns, if a case has one, and
        then the site, if it is said of a case whose name does not tell it and the table has no
        such column. Cells are text, and empty where nothing is said.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lggshape.readers.source import UnreadableCase
    >>> case = UnreadableCase("A", "P1", Path("A"), columns=(("scanner", "3 T"),))
    >>> with_columns(pd.DataFrame({"case": ["A"], "volume": [7]}), [case]).to_dict("records")
    [{'case': 'A', 'volume': 7, 'scanner': '3 T'}]
    """
    cases = list(sources)
    said = {
        case.id: {_SESSION: case.session, _SITE: case.site, **dict(case.columns)} for case in cases
    }
    further = {
        name: [said.get(case, {}).get(name, "") for case in table["case"]]
        for name in _names(cases)
        if name != _SITE or name not in table
    }
    return table.assign(**further)


def _names(cases: Sequence[CaseSource]) -> list[str]:
    session = [_SESSION] if any(case.session for case in cases) else []
    is_said = any(case.site not in {"", whose(case.id).site} for case in cases)
    columns = (name for case in cases for name, _ in case.columns)
    return list(dict.fromkeys([*session, *[_SITE] * is_said, *columns]))
