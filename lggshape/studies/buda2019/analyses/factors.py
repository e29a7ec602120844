"""Why a public attempt failed: its choices and those of the study as factors, one by one.

The attempt is AIscend-Research/lgg-imaging-repro (2026); see `failed_attempt`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import pearsonr

from lggshape.association import Family, TestedPair
from lggshape.association.fisher_on_bins import FisherOnBins
from lggshape.labels import Labels
from lggshape.parallel import map_all
from lggshape.readers import CaseSource
from lggshape.shape import Conventions, extract_features
from lggshape.shape.table import Change
from lggshape.statistics import auc, intraclass_correlation
from lggshape.studies.buda2019.analyses import failed_attempt
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.buda2019.roles import Roles

OURS, THEIRS = "ours", "theirs"
STUDIED = (MF, BEVR)


class Masks(NamedTuple):
    """One kind of mask, with one component and with all that lies above the threshold.

    Attributes
    ----------
    name : str
        What they are.
    sources : sequence of CaseSource
        The cases.
    one, islands : callable
        Return both, from a case.
    realisation : int
        Which of several of this name: noise is drawn more than once.
    """

    name: str
    sources: Sequence[CaseSource]
    one: Change
    islands: Change
    realisation: int = 1


def measure_masks(masks: Masks, *, jobs: int | None = None) -> pd.DataFrame:
    """Measure masks by all combinations of ellipsoid, component and features in the plane.

    Returns
    -------
    DataFrame
        A row per patient and component rule ("ours": one component, "theirs": every island):
        `masks`, `realisation`, `patient`, `component`, and the two features by both definitions, as
        `<feature>:ours` and `<feature>:theirs`.
    """
    rows: list[dict[str, Any]] = []
    measure = partial(_measure, masks=masks)
    for found in map_all(measure, masks.sources, jobs=jobs):
        rows += found
    return pd.DataFrame(rows)


def _measure(source: CaseSource, *, masks: Masks) -> list[dict[str, Any]]:
    case = source.read(image=False)
    rows = []
    for component, change, rule in (
        (OURS, masks.one, Conventions()),
        (THEIRS, masks.islands, Conventions(component="all")),
    ):
        mask = change(case)
        own = extract_features(mask, conventions=rule).values
        other = failed_attempt.measure(mask)
        rows.append(
            {"masks": masks.name, "realisation": masks.realisation}
            | {"patient": case.patient, "component": component}
            | {f"{name}:{OURS}": own[name] for name in STUDIED}
            | {f"{name}:{THEIRS}": other[name] for name in STUDIED}
        )
    return rows


def factor_table(
    measured: pd.DataFrame, reference: pd.DataFrame, labels: Labels, family: Family, roles: Roles
) -> pd.DataFrame:
    """Compute what every combination of choices leads to.

    Parameters
    ----------
    measured : DataFrame
        As from `measure_masks`, of several kinds of mask.
    reference : DataFrame
        The same of the manual masks.
    labels : Labels
        The labels of the patients.
    family : Family
        With the hypotheses on the ellipsoid and on margin fluctuation for the target label.
    roles : Roles
        Which label is which.

    Returns
    -------
    DataFrame
        A row per combination: `masks`, `realisation`, `ellipsoid`, `component`, `in_plane`, `test`
        ("ours" or "theirs"), `n`, `auc` of the inverse ellipsoid ratio for the target level with
        `auc_low` and `auc_high`, `p_ellipsoid`, `p_margin`, and against the manual masks measured
        in the same way `pearson` and `icc` of the ellipsoid ratio.
    """
    hypotheses = {
        h.feature: h for h in family.hypotheses if h.label == roles.subtype and h.feature != ASD
    }
    label = labels[roles.subtype]
    rows = []
    kinds = measured.groupby(["masks", "realisation"], sort=False)
    for ((name, realisation), kind), component, ellipsoid, in_plane in product(
        kinds, (OURS, THEIRS), (OURS, THEIRS), (OURS, THEIRS)
    ):
        own = kind[kind["component"] == component]
        table = own.rename(columns={f"{BEVR}:{ellipsoid}": BEVR, f"{MF}:{in_plane}": MF})
        pairs = {f: TestedPair.of(h, label, table) for f, h in hypotheses.items()}
        same = reference[reference["component"] == component].set_index("patient")
        against = _against(table, same[f"{BEVR}:{ellipsoid}"])
        area = _area(pairs[BEVR], roles.target)
        rows += [
            {
                "masks": name, "realisation": realisation, "ellipsoid": ellipsoid,
                "component": component, "in_plane": in_plane, "test": test,
                "n": int(pairs[BEVR].complete.sum()),
                **area, "p_ellipsoid": _p(pairs[BEVR], test), "p_margin": _p(pairs[MF], test),
                **against,
            }
            for test in (OURS, THEIRS)
        ]  # fmt: skip
    return pd.DataFrame(rows)


def one_at_a_time(table: pd.DataFrame, masks: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of `factor_table` for ours, for theirs, and for one choice exchanged.

    Parameters
    ----------
    table : DataFrame
        All combinations.
    masks : mapping of str to str
        Which kind of mask is "ours", and which "theirs".

    Returns
    -------
    DataFrame
        The rows with `start` ("ours" or "theirs") and `changed` (the choice that was
        exchanged, or "nothing"). There is one for each realisation of the masks.
    """
    choices = ["ellipsoid", "component", "in_plane", "test", "masks"]
    parts = []
    for start, other in ((OURS, THEIRS), (THEIRS, OURS)):
        for changed in ("nothing", *choices):
            wanted = dict.fromkeys(choices, start) | {"masks": masks[start]}
            if changed != "nothing":
                wanted[changed] = masks[other] if changed == "masks" else other
            part = table[(table[choices] == pd.Series(wanted)).all(axis=1)].copy()
            part.insert(0, "changed", changed)
            part.insert(0, "start", start)
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _p(pair: TestedPair, test: str) -> float:
    if test == OURS:
        return FisherOnBins().run(pair, bins=4, seed=np.random.SeedSequence(0)).p
    values = failed_attempt.one_against_rest(pair.feature, pair.level, pair.levels).values()
    return float(np.nanmin(list(values)))


def _area(pair: TestedPair, target: str) -> Mapping[str, float]:
    inside = pair.level == pair.levels.index(target)
    inverse = 1 / pair.feature
    area = auc(inverse[pair.complete & inside], inverse[pair.complete & ~inside])
    return {"auc": area.estimate, "auc_low": area.low, "auc_high": area.high}


def _against(table: pd.DataFrame, manual: "pd.Series[float]") -> Mapping[str, float]:
    both = pd.DataFrame(
        {"one": table.set_index("patient")[BEVR], "other": manual}, dtype=float
    ).dropna()
    values = both.to_numpy()
    if np.array_equal(values[:, 0], values[:, 1]):
        return {"pearson": np.nan, "icc": np.nan}
    return {
        "pearson": float(pearsonr(values[:, 0], values[:, 1]).statistic),
        "icc": intraclass_correlation(values).estimate,
    }
