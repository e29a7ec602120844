"""Tables in Parquet files."""

from io import BytesIO
from pathlib import Path

import pandas as pd

from lggshape.errors import InputError
from lggshape.extras import require


def read_parquet(data: bytes, path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Parameters
    ----------
    data : bytes
        The content of the file.
    path : Path
        What messages call it.

    Returns
    -------
    DataFrame
        The table, with its index if that has a name.

    Raises
    ------
    InputError
        If pyarrow is not installed, or the file cannot be read.
    """
    require("pyarrow", f"to read {path}")
    try:
        table = pd.read_parquet(BytesIO(data), engine="pyarrow")
        for place in range(table.shape[1]):
            table.iloc[:, place].to_numpy()  # text that is none shows here
        return table
    except Exception as error:  # a damaged file makes pyarrow raise errors of any kind
        msg = f"Expected {path} to be a Parquet file, found: {error}."
        raise InputError(msg) from error
