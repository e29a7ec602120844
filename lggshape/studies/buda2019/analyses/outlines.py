"""Outlines of some patients, from the worst automatic mask to the best: no pixel of an image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lggshape.readers import CaseSource
from lggshape.shape.radial import trace_rings
from lggshape.studies.buda2019.analyses.masks import own_mask
from lggshape.studies.buda2019.names import AUTOMATIC, MANUAL

SHOWN = 8
"""How many patients, at equal steps of the rank of their Dice."""

_COLUMNS = ["patient", "dice", "slice", "masks", "part", "row", "column"]


def outline_table(
    automatic: Sequence[CaseSource], manual: Sequence[CaseSource], dice: "pd.Series[float]"
) -> pd.DataFrame:
    """Trace automatic and manual masks of some patients.

    Parameters
    ----------
    automatic, manual : sequence of CaseSource
        The masks.
    dice : Series
        The Dice of the automatic masks by case; missing ones are left out.

    Returns
    -------
    DataFrame
        A row per point, in the slice of the largest manual area: `patient`, `dice`, `slice` (from
        0), `masks`, `part` (of the outline, from 1), `row`, `column` (in pixels; the outline is
        the level 0.5 of the mask).
    """
    both = [{source.id: source for source in sources} for sources in (automatic, manual)]
    ranked = [case for case in dice.dropna().sort_values(kind="stable").index if case in both[0]]
    places = np.unique(np.linspace(0, len(ranked) - 1, SHOWN).round().astype(int))
    rows: list[dict[str, Any]] = []
    for case in (ranked[place] for place in places) if ranked else ():
        own, reference = (own_mask(known[case].read(image=False)) for known in both)
        plane = int(reference.sum(axis=(1, 2)).argmax())
        key = {"patient": both[1][case].patient, "dice": dice[case], "slice": plane}
        for kind, mask in ((AUTOMATIC, own), (MANUAL, reference)):
            rows += [
                key | {"masks": kind, "part": number, "row": row, "column": column}
                for number, part in enumerate(trace_rings(mask[plane]), start=1)
                for row, column in part
            ]
    return pd.DataFrame(rows, columns=_COLUMNS)
