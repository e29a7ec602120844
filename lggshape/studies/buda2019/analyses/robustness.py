"""How much the features change when the mask does."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.masks import Mask
from lggshape.readers import CaseSource
from lggshape.shape import feature_table
from lggshape.statistics.agreement_draws import agreement_coefficients
from lggshape.studies.buda2019.analyses.masks import JITTER_DRAWS, changed, jittered
from lggshape.studies.buda2019.analyses.perturbation import dilate, erode, resample, smooth, thin

REPLICATES = 1_999
"""Bootstrap samples of an ICC."""


def robustness_table(
    table: pd.DataFrame,
    sources: Sequence[CaseSource],
    names: Sequence[str],
    *,
    seed: int,
    replicates: int = REPLICATES,
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
        Seed of the jitter, and of the bootstrap.
    replicates : int
        Bootstrap samples of the interval of an ICC.
    jobs : int, optional
        Number of processes; all cores by default.

    Returns
    -------
    DataFrame
        A row per feature, change and group of patients (all, or a third by volume or by number of
        slices): `feature`, `change`, `patients`, `n`, `icc`, `low`, `high`, and
        `median_relative_change`, the median of |changed / original - 1|. For the jitter the
        medians over the draws.
    """
    kind = str(table["masks"].iloc[0])
    measured = {
        name: [feature_table(sources, masks=kind, change=partial(changed, by=way), jobs=jobs).table]
        for name, way in _WAYS.items()
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
                    each = [
                        agreement_coefficients(
                            kept[:, 0], kept[:, draw], replicates=replicates, seed=seed
                        ).intraclass
                        for draw in range(1, kept.shape[1])
                    ]
                    relative = np.abs(kept[:, 1:] / kept[:, :1] - 1)
                    icc, low, high = np.median(each, axis=0)
                    row |= {
                        "icc": icc, "low": low, "high": high,
                        "median_relative_change": float(np.median(relative)),
                    }  # fmt: skip
                rows.append(row)
    return pd.DataFrame(rows)


def _thirds(table: pd.DataFrame, name: str) -> dict[str, NDArray[np.bool_]]:
    ranks = table[name].astype(float).rank(method="first", pct=True)
    parts = {"lowest": ranks <= 1 / 3, "middle": (ranks > 1 / 3) & (ranks <= 2 / 3)}
    parts["highest"] = ranks > 2 / 3
    return {f"{part} third by {name}": chosen.to_numpy() for part, chosen in parts.items()}


_WAYS: dict[str, Callable[[Mask], Mask]] = {
    "eroded by a pixel": erode,
    "dilated by a pixel": dilate,
    "smoothed, 1 pixel": partial(smooth, sigma=1.0),
    "half as many pixels a side": partial(resample, factor=0.5),
    "twice as many pixels a side": partial(resample, factor=2.0),
    "turned by 90 degrees": partial(np.rot90, axes=(1, 2)),
    "every second slice": partial(thin, step=2),
}
