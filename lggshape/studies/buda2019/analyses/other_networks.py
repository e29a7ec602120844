"""The results by masks of other networks, beside those of the bundled ones.

Tables of patients have a row per patient and kind of mask: `masks`, `patient`, the features, and
the scores, which manual masks do not have.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import Family, TestedPair
from lggshape.labels import Labels
from lggshape.statistics import cluster_bootstrap
from lggshape.studies.buda2019.analyses.agreement import REPLICATES, agreement_table
from lggshape.studies.buda2019.analyses.comparison import MasksCompared, effect_differences
from lggshape.studies.buda2019.analyses.two_tests import two_tests
from lggshape.studies.buda2019.names import ASD, BEVR, MANUAL, MF

SCORES = ("dice", "surface_dice")
FEATURES = (BEVR, MF, ASD)


def kinds(patients: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each kind of mask, in their order."""
    return {str(name): rows for name, rows in patients.groupby("masks", sort=False)}


def score_table(
    patients: pd.DataFrame, reference: str, *, replicates: int = REPLICATES, seed: int = 0
) -> pd.DataFrame:
    """Compare the scores of masks with those of the reference, in the same patients.

    Parameters
    ----------
    patients : DataFrame
        A table of patients.
    reference : str
        The kind of mask that the others are compared with.
    replicates, seed : int
        How many bootstrap samples of patients, and their seed.

    Returns
    -------
    DataFrame
        A row per kind of mask and score: `masks`, `score`, `n` (patients with the score by both
        kinds), `mean` and its `difference` from that of the reference, each with percentile
        intervals (`mean_low` and so on).
    """
    rows = []
    for score in SCORES:
        wide = patients.pivot(index="patient", columns="masks", values=score).astype(float)
        for masks in kinds(patients.dropna(subset=score)):
            both = wide.dropna(subset=[masks, reference])
            values = np.column_stack([both[masks], both[masks] - both[reference]])
            low, high = cluster_bootstrap(
                partial(_means, values), both.index, replicates=replicates, seed=seed
            )  # fmt: skip
            row: dict[str, Any] = {"masks": masks, "score": score, "n": len(both)}
            for place, name in enumerate(("mean", "difference")):
                row |= {name: values[:, place].mean()}
                row |= {f"{name}_low": low[place], f"{name}_high": high[place]}
            rows.append(row)
    return pd.DataFrame(rows)


def _means(values: NDArray[np.float64], chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    means: NDArray[np.float64] = values[chosen].mean(axis=0)
    return means


def intraclass_table(
    patients: pd.DataFrame, *, replicates: int = REPLICATES, seed: int = 0
) -> pd.DataFrame:
    """Return ICC(A,1) of the features of each kind of mask with those of the manual masks.

    Returns
    -------
    DataFrame
        A row per kind of mask and feature: `masks`, `feature`, `n`, `estimate`, `low`, `high`.
    """
    parts = [
        agreement_table(
            patients, FEATURES, measured=masks, replicates=replicates, seed=seed
        ).assign(masks=masks)
        for masks in kinds(patients)
        if masks != MANUAL
    ]
    table = pd.concat(parts, ignore_index=True).query("measure == 'ICC(A,1)'")
    return table[["masks", "feature", "n", "estimate", "low", "high"]].reset_index(drop=True)


def effect_table(
    patients: pd.DataFrame,
    labels: Labels,
    family: Family,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """Test the hypotheses on each kind of mask, by quartiles and by ranks.

    Returns
    -------
    DataFrame
        A row per kind of mask and hypothesis: `masks`, `feature`, `label`, and the columns of
        `two_tests`.
    """
    pairs = [
        TestedPair.of(hypothesis, labels[hypothesis.label], rows)
        for rows in kinds(patients).values()
        for hypothesis in family.hypotheses
    ]
    return pd.DataFrame(
        [pair.key() | two_tests(pair, replicates=replicates, seed=seed) for pair in pairs]
    )


def difference_table(
    patients: pd.DataFrame,
    networks: Sequence[str],
    reference: str,
    labels: Labels,
    family: Family,
    *,
    draws: int = REPLICATES,
    seed: int = 0,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Compare the epsilon squared of every hypothesis with that by the masks of the reference.

    Returns
    -------
    DataFrame
        A row per network and hypothesis: `masks`, `feature`, `label`, `n`, `effect`,
        `reference_effect`, and their `difference` with `low` and `high`, as from `paired_effects`.
    """
    of = kinds(patients)
    table = effect_differences(
        [MasksCompared(name, of[name], of[reference]) for name in networks],
        labels, family, draws=draws, seed=seed, jobs=jobs,
    ).query("effect_name == 'epsilon_squared'")  # fmt: skip
    names = {"compared": "masks", "first": "effect", "second": "reference_effect"}
    columns = ["feature", "label", "n", "effect", "reference_effect", "difference", "low", "high"]
    return table.rename(columns=names)[["masks", *columns]].reset_index(drop=True)
