"""What patients without the subtype label have in common with the others."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lggshape.association import irregularity
from lggshape.labels import Labels
from lggshape.statistics import auc, cramers_v, fisher_exact, kruskal_wallis
from lggshape.statistics.rank_shares import rank_share
from lggshape.studies.buda2019.analyses.two_tests import REPLICATES
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.buda2019.roles import Roles

_COLUMNS = [
    "characteristic", "masks", "test", "n", "n_missing", "of_missing", "of_others", "p", "effect",
    "estimate", "low", "high", "auc", "auc_low", "auc_high",
]  # fmt: skip


def missing_subtype(
    features: pd.DataFrame,
    labels: Labels,
    roles: Roles,
    sites: "pd.Series[str]",
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare patients without a level of the subtype label with the others.

    Parameters
    ----------
    features : DataFrame
        A feature table of one or more kinds of mask.
    labels : Labels
        The labels of the patients.
    roles : Roles
        Which label is which.
    sites : Series
        The institution by patient.
    replicates : int
        Bootstrap samples of an epsilon squared.
    seed : int
        Seed of these.

    Returns
    -------
    DataFrame
        A row per characteristic of the patients (institution, IDH/1p19q, grade, age) and per
        feature and kind of mask: `test`, `n` with the characteristic, of them `n_missing` without
        the subtype, `of_missing` and `of_others` (counts of each level, or the median), `p`, the
        name of the `effect` with `estimate`, `low`, `high`; of numbers the AUC, which is above 0.5
        if those without the subtype are older, or more irregular.
    """
    patients = pd.Index(features["patient"].unique())
    absent = labels[roles.subtype].values.reindex(patients).isna()
    levels = {
        "institution": pd.Series(patients.map(sites), patients, dtype=object),
        "IDH/1p19q": labels[roles.idh].values.reindex(patients),
        "grade": labels[roles.grade].values.reindex(patients),
    }
    rows: list[dict[str, Any]] = [
        {"characteristic": name, "masks": ""} | _of_levels(values[values.notna()], absent)
        for name, values in levels.items()
    ]
    numbers = {("age", ""): labels[roles.age].values.reindex(patients).astype(float)}
    for masks, group in features.groupby("masks", sort=False):
        table = group.set_index("patient")
        for name in (BEVR, MF, ASD):
            numbers[name, str(masks)] = table[name].astype(float).reindex(patients)
    rows += [
        {"characteristic": name, "masks": masks}
        | _of_numbers(
            values[values.notna()], absent, irregularity(name) if masks else 1, replicates, seed
        )
        for (name, masks), values in numbers.items()
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _of_levels(values: "pd.Series[str]", absent: "pd.Series[bool]") -> dict[str, Any]:
    missing = absent.reindex(values.index).to_numpy(bool)
    names = sorted(values.unique())
    table = np.array(
        [[np.sum(values[one] == name) for name in names] for one in (missing, ~missing)]
    )
    found: dict[str, Any] = {"test": "fisher_exact", **_counts(missing)}
    for place, who in enumerate(("of_missing", "of_others")):
        found[who] = "; ".join(
            f"{name} {count}" for name, count in zip(names, table[place], strict=True)
        )
    # Without anybody on one side, or with one level, there is nothing to compare.
    if table.any(axis=1).all() and len(names) > 1:
        effect = cramers_v(table)
        found |= {"p": fisher_exact(table).p, "effect": "Cramér's V"}
        found |= {"estimate": effect.estimate, "low": effect.low, "high": effect.high}
    return found


def _of_numbers(
    values: "pd.Series[float]",
    absent: "pd.Series[bool]",
    direction: int,
    replicates: int,
    seed: int,
) -> dict[str, Any]:
    missing = absent.reindex(values.index).to_numpy(bool)
    numbers = values.to_numpy(float)
    found: dict[str, Any] = {"test": "kruskal_wallis", **_counts(missing)}
    if not 0 < missing.sum() < len(missing):
        return found
    share = rank_share(numbers, missing[:, None].astype(float), replicates=replicates, seed=seed)
    area = auc(direction * numbers[missing], direction * numbers[~missing])
    return found | {
        "of_missing": f"{np.median(numbers[missing]):.4g}",
        "of_others": f"{np.median(numbers[~missing]):.4g}",
        "p": kruskal_wallis(numbers, missing).p, "effect": "epsilon squared",
        "estimate": share.estimate, "low": share.low, "high": share.high,
        "auc": area.estimate, "auc_low": area.low, "auc_high": area.high,
    }  # fmt: skip


def _counts(missing: NDArray[np.bool_]) -> dict[str, int]:
    return {"n": len(missing), "n_missing": int(missing.sum())}
