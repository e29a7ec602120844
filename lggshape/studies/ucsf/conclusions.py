"""What the protocol concludes: the tests that decide, corrected as it says."""

import pandas as pd

from lggshape.association import Study
from lggshape.association.adjusted_models import ADJUSTED
from lggshape.statistics import adjust

ALPHA = 0.05
PRIMARY, SECONDARY = "primary", "secondary"

_COLUMNS = [
    "role", "feature", "label", "test", "n", "events", "p", "p_holm", "effect_name", "effect",
    "effect_low", "effect_high", "vif",
]  # fmt: skip


def conclusions_table(study: Study) -> pd.DataFrame:
    """Return the adjusted tests of the protocol, the primary hypothesis first.

    Parameters
    ----------
    study : Study
        The hypotheses of `ucsf.toml`, tested with covariates.

    Returns
    -------
    DataFrame
        A row per hypothesis. `p_holm` of the primary hypothesis is its p; those of the others are
        corrected over all of them, tested or not.
    """
    assert study.given is not None  # there are covariates
    models = study.given.adjusted
    rows = models[models["model"] == ADJUSTED].reset_index(drop=True)
    rows["role"] = [PRIMARY, *[SECONDARY] * (len(rows) - 1)]
    rows["p_holm"] = [rows["p"][0], *adjust(rows["p"][1:].to_numpy(float)).holm]
    return rows[_COLUMNS]


def conclusion(table: pd.DataFrame) -> str:
    """Return what the protocol concludes about the primary hypothesis, in a sentence."""
    primary = table.iloc[0]
    confirmed = primary["p"] < ALPHA and primary["effect"] < 0
    return (
        "In grade 2 and 3, sphericity is "
        f"{'lower' if confirmed else 'not shown to be lower'} in IDH-wildtype than in IDH-mutant "
        f"gliomas, adjusted for volume and age: n = {primary['n']}, {primary['effect_name']} "
        f"{primary['effect']:.2f} (95 % interval {primary['effect_low']:.2f} to "
        f"{primary['effect_high']:.2f}), "
        f"p {primary['p']:.2g}."
    )
