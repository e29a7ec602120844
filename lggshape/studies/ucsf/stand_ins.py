"""How far the features of UCSF-PDGM can stand in for BEVR, MF and ASD, which it lacks."""

from collections.abc import Iterable

import pandas as pd

from lggshape.statistics import rank_correlation
from lggshape.studies.buda2019.names import ASD, BEVR, MF
from lggshape.studies.ucsf.cohorts import ASSUMED, OutlinedCohort

STAND_INS = ("sphericity", "elongation", "flatness")
ABSENT = (BEVR, MF, ASD)


def stand_in_table(cohorts: Iterable[OutlinedCohort]) -> pd.DataFrame:
    """Return rank correlations of features that UCSF-PDGM has with those that it lacks.

    Parameters
    ----------
    cohorts : iterable of OutlinedCohort
        The cohorts. Those without masks, and those at another distance of slices than the assumed
        one, have no rows.

    Returns
    -------
    DataFrame
        A row per cohort and pair of features: `cohort`, `outlines`, `feature` (of the whole mask),
        `absent` (by the usual conventions), `n`, `rho`, `rho_low` and `rho_high`.
    """
    rows = []
    for cohort in cohorts:
        if cohort.usual is None or cohort.slice_distance not in (1.0, ASSUMED):
            continue
        assert isinstance(cohort.features, pd.DataFrame)  # there are masks
        whole = cohort.features.set_index("case")[list(STAND_INS)]
        both = whole.join(cohort.usual.set_index("case")[list(ABSENT)])
        for feature in STAND_INS:
            for absent in ABSENT:
                pair = both[[feature, absent]].dropna()
                found = rank_correlation(pair[feature].to_numpy(), pair[absent].to_numpy())
                rows.append(
                    {
                        "cohort": cohort.name, "outlines": cohort.outlines, "feature": feature,
                        "absent": absent, "n": len(pair), "rho": found.estimate,
                        "rho_low": found.low, "rho_high": found.high,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)
