"""How much the features change when the mask does."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.case import Case
from lggshape.readers import CaseSource
from lggshape.replication.variants import JITTER_DRAWS, jittered
from lggshape.shape import feature_table
from lggshape.shape.perturbation import dilate, erode, resample, smooth, thin
from lggshape.shape.table import Change
from lggshape.statistics import intraclass_correlation


def robustness_table(
    table: pd.DataFrame,
    sources: Sequence[CaseSource],
    names: Sequence[str],
    *,
    seed: int,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Compare the features of masks with those of the same masks changed.

    Parameters
    ----------
    table : DataFrame
        The features of the masks as they are, with `volume` and `slices`.
    sources : sequence of CaseSource
        The masks.
    names : sequence of str
        The features.
    seed : int
        Of the jitter.
    jobs : int, optional
        Number of processes; all cores by default.

    Returns
    -------
    DataFrame
        A row a feature, change and group of patients (all, or a third by volume or by number of
        slices): `feature`, `change`, `patients`, `n`, `icc`, `low`, `high`, and
        `median_relative_change`, the median of |changed / original - 1|. For the jitter the ICC is
        over the original and all draws.
    """
    kind = str(table["masks"].iloc[0])
    measured = {
        name: [feature_table(sources, masks=kind, change=change, jobs=jobs).table]
        for name, change in _CHANGES.items()
    }
    measured["jittered"] = [
        feature_table(
            sources, masks=kind, change=partial(jittered, seed=seed, draw=draw), jobs=jobs
        ).table
        for draw in range(JITTER_DRAWS)
    ]
    everyone = np.ones(len(table), dtype=bool)
    rows: list[dict[str, Any]] = []
    for change, tables in measured.items():
        groups = {"all": everyone}
        if change == "jittered":
            groups |= _thirds(table, "volume") | _thirds(table, "slices")
        for name in names:
            columns = [table[name], *(other[name] for other in tables)]
            values = np.column_stack([column.to_numpy(float) for column in columns])
            for group, chosen in groups.items():
                kept = values[chosen & np.isfinite(values).all(axis=1)]
                row = {"feature": name, "change": change, "patients": group, "n": len(kept)}
                if len(kept):  # a change can leave nobody with a feature
                    icc = intraclass_correlation(kept)
                    relative = np.abs(kept[:, 1:] / kept[:, :1] - 1)
                    row |= {
                        "icc": icc.estimate, "low": icc.low, "high": icc.high,
                        "median_relative_change": float(np.median(relative)),
                    }  # fmt: skip
                rows.append(row)
    return pd.DataFrame(rows)


def _thirds(table: pd.DataFrame, name: str) -> dict[str, NDArray[np.bool_]]:
    ranks = table[name].astype(float).rank(method="first", pct=True)
    parts = {"lowest": ranks <= 1 / 3, "middle": (ranks > 1 / 3) & (ranks <= 2 / 3)}
    parts["highest"] = ranks > 2 / 3
    return {f"{part} third by {name}": chosen.to_numpy() for part, chosen in parts.items()}


def _mask(case: Case) -> NDArray[np.bool_]:
    assert case.mask is not None  # it is read to be measured
    return case.mask


def _eroded(case: Case) -> NDArray[np.bool_]:
    return erode(_mask(case))


def _dilated(case: Case) -> NDArray[np.bool_]:
    return dilate(_mask(case))


def _smoothed(case: Case) -> NDArray[np.bool_]:
    return smooth(_mask(case), 1.0)


def _halved(case: Case) -> NDArray[np.bool_]:
    return resample(_mask(case), 0.5)


def _doubled(case: Case) -> NDArray[np.bool_]:
    return resample(_mask(case), 2.0)


def _turned(case: Case) -> NDArray[np.bool_]:
    return np.rot90(_mask(case), axes=(1, 2))


def _thinned(case: Case) -> NDArray[np.bool_]:
    return thin(_mask(case), 2)


_CHANGES: dict[str, Change] = {
    "eroded by a pixel": _eroded,
    "dilated by a pixel": _dilated,
    "smoothed, 1 pixel": _smoothed,
    "half as many pixels a side": _halved,
    "twice as many pixels a side": _doubled,
    "turned by 90 degrees": _turned,
    "every second slice": _thinned,
}
