"""Detection: whether a slice shows tumour or not."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.statistics import cluster_bootstrap, clustered_auc, clustered_proportion

_Slices = NDArray[np.bool_]
_Estimate = tuple[float, float, float]

COLUMNS = ("measure", "estimate", "low", "high", "slices", "patients")
"""Columns of the table of detection, in order."""

SPECIFICITY = 0.95
"""At which the sensitivity of the slice score is reported."""


def detection_table(slices: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Compute how well slices with and without tumour are distinguished.

    Parameters
    ----------
    slices : DataFrame
        A row per slice with the columns `patient`, `reference_area`, `predicted_area` and `score`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        A row per measure, with its 95 % interval (a patient's slices are one cluster) and the
        numbers of slices and patients behind it. Without such slices it is missing.

        - `sensitivity`, `specificity`: shares of the slices with tumour in which the predicted mask
          has any, and of those without in which it has none.
        - `auc`: area under the ROC curve of the slice score.
        - `sensitivity_at_95_specificity`: the sensitivity of the score at the lowest threshold that
          at least 95 % of the slices without tumour do not exceed.
        - `false_positive_slices`: share of the slices without tumour in which the predicted mask
          has any.
        - `false_positive_area`: mean predicted area of a slice without tumour, in pixels.
    """
    tumour = slices["reference_area"].to_numpy() > 0
    areas = slices["predicted_area"].to_numpy(dtype=float)
    scores = slices["score"].to_numpy()
    patients = slices["patient"].to_numpy(dtype=str)
    found = areas > 0

    def proportion(successes: _Slices, of: _Slices) -> _Estimate:
        return clustered_proportion(successes[of], patients[of])[:3]

    def resampled(statistic: Callable[[NDArray[np.intp]], float]) -> _Estimate:
        low, high = cluster_bootstrap(statistic, patients, seed=seed)[:, 0]
        return statistic(np.arange(len(slices))), low, high

    def at_specificity(rows: NDArray[np.intp]) -> float:
        return sensitivity_at(scores[rows], tumour[rows], SPECIFICITY)

    def mean_area(rows: NDArray[np.intp]) -> float:
        free = rows[~tumour[rows]]
        return float(areas[free].mean()) if free.size else np.nan

    # A measure of both kinds needs both.
    both = np.full_like(tumour, tumour.any() and not tumour.all())
    measures: dict[str, tuple[_Slices, Callable[[], _Estimate]]] = {
        "sensitivity": (tumour, lambda: proportion(found, tumour)),
        "specificity": (~tumour, lambda: proportion(~found, ~tumour)),
        "auc": (both, lambda: clustered_auc(scores, tumour, patients)[:3]),
        "sensitivity_at_95_specificity": (both, lambda: resampled(at_specificity)),
        "false_positive_slices": (~tumour, lambda: proportion(found, ~tumour)),
        "false_positive_area": (~tumour, lambda: resampled(mean_area)),
    }
    rows = []
    for name, (of, measure) in measures.items():
        values = measure() if of.any() else (np.nan, np.nan, np.nan)
        rows.append((name, *values, int(of.sum()), len(np.unique(patients[of]))))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def sensitivity_at(
    scores: NDArray[np.float64], tumour: NDArray[np.bool_], specificity: float
) -> float:
    """Return the largest sensitivity of any threshold that has at least a given specificity.

    Parameters
    ----------
    scores : ndarray of shape (N,)
        The higher the score, the more likely a tumour.
    tumour : ndarray of bool, shape (N,)
        Whether there is one.
    specificity : float
        Least share of the scores without tumour that do not exceed the threshold.

    Returns
    -------
    float
        Share of the scores with tumour above the threshold; NaN if one kind is absent.

    Examples
    --------
    >>> sensitivity_at(np.array([1, 2, 3, 4, 3, 5, 6]), np.arange(7) > 3, 0.75)
    0.6666666666666666
    """
    if tumour.all() or not tumour.any():
        return np.nan
    threshold = np.quantile(scores[~tumour], specificity, method="inverted_cdf")
    return float((scores[tumour] > threshold).mean())
