"""Tables of an evaluation with one part per region."""

from collections.abc import Callable, Sequence

import pandas as pd

REGION = "region"
"""The column that names the region: after `patient`, or the first where there are no patients."""


def with_region(columns: Sequence[str], regions: Sequence[str]) -> list[str]:
    """Return the columns of a table of patients, with that of the region if there are any.

    Examples
    --------
    >>> with_region(["case", "patient", "dice"], ["core"])
    ['case', 'patient', 'region', 'dice']
    """
    place = columns.index("patient") + 1
    return [*columns[:place], *[REGION] * bool(regions), *columns[place:]]


def by_region(
    make: Callable[[pd.DataFrame], pd.DataFrame], table: pd.DataFrame, regions: Sequence[str]
) -> pd.DataFrame:
    """Return a table that is made of other rows: of all, or of those of each region by itself.

    Parameters
    ----------
    make : callable
        Makes a table of rows.
    table : DataFrame
        The rows, with the column `region` if there are regions.
    regions : sequence of str
        The regions in order.

    Returns
    -------
    DataFrame
        What `make` returns; of regions one part after the other, with the region in front.

    Examples
    --------
    >>> table = pd.DataFrame({"region": ["core", "whole", "core"], "dice": [0.5, 0.9, 0.7]})
    >>> by_region(lambda rows: pd.DataFrame({"n": [len(rows)]}), table, ["core"]).values.tolist()
    [['core', 2]]
    """
    if not regions:
        return make(table)
    parts = []
    for region in regions:
        part = make(table[table[REGION] == region].reset_index(drop=True))
        part.insert(0, REGION, region)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
