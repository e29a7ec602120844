"""Feature tables of other programs: pyradiomics and MIRP."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from lggshape.shape import FEATURES

NAMES: Mapping[str, str] = MappingProxyType(
    {f"original_shape_{one.pyradiomics}": one.name for one in FEATURES.values() if one.pyradiomics}
    | {one.mirp: one.name for one in FEATURES.values() if one.mirp}
)
"""Columns of other programs, and the feature of lggshape that is the same by definition."""

_ABOUT_IMAGES = {
    "pyradiomics": re.compile(r"diagnostics_.+"),
    "MIRP": re.compile(
        r"image_(voxel_size|translation)_[xyz]|image_(noise|rotation|mask|study|series|settings)_.+"
        r"|image_(file_name|directory|modality|measurement_unit|pet_suv_type)"
    ),
}
"""Columns that tell of the images, not of the tumours."""


def with_own_names(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of features under lggshape's names, without what tells of the images.

    Parameters
    ----------
    table : DataFrame
        A table of pyradiomics or MIRP, or any other.

    Returns
    -------
    DataFrame
        Columns that are the same feature by definition have lggshape's name, unless the table has
        that name already. `diagnostics_*` of pyradiomics and `image_*` of MIRP are left out.

    Examples
    --------
    >>> columns = ["ID", "diagnostics_Image-original_Mean", "original_shape_Sphericity"]
    >>> list(with_own_names(pd.DataFrame([["a", 1, 0.5]], columns=columns)))
    ['ID', 'sphericity']
    """
    forms = _ABOUT_IMAGES.values()
    about = [name for name in table if any(form.fullmatch(str(name)) for form in forms)]
    kept = table.drop(columns=about)
    names: dict[str, str] = {}
    for column in kept:
        own = NAMES.get(str(column))
        if own is not None and own not in kept and own not in names.values():
            names[str(column)] = own
    return kept.rename(columns=names)
