"""The step that compares effects and p-values between sets of masks."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lggshape.errors import InputError
from lggshape.studies.buda2019.analyses.comparison import (
    MasksCompared,
    effect_differences,
    reaching_table,
)
from lggshape.studies.buda2019.analyses.scatter import (
    runs_table,
    scatter_table,
    set_row,
    with_other_tests,
)
from lggshape.studies.buda2019.analyses.uncertainty import BY_NETWORKS, FIELDS
from lggshape.studies.buda2019.names import AUTOMATIC, EARLIER, MANUAL
from lggshape.studies.buda2019.replication import Replication, Tables

NETWORK, DRAWN = "single network", "drawn masks"
GROUPS = {
    "both runs": (AUTOMATIC, EARLIER),
    "single networks": (NETWORK,),
    "noise 10%": ("noise 10%",),
    "noise 20%": ("noise 20%",),
    "both runs, single networks and noise 10%": (AUTOMATIC, EARLIER, NETWORK, "noise 10%"),
    "drawn masks": (DRAWN,),
}
"""Which kinds of masks are taken together: those of one kind, and those of about the same Dice."""

_NEEDED = ("features", "associations", "scores", "stability")


def check_earlier(folder: Path | None) -> None:
    """Refuse the results of an earlier replication that lack what they are compared by.

    Raises
    ------
    InputError
        If a table is missing.
    """
    if folder is None:
        return
    lacking = [f"{name}.csv" for name in _NEEDED if not (folder / f"{name}.csv").is_file()]
    if lacking:
        msg = (
            f"Expected {folder} to hold the results of a whole replication, found no "
            f"{', '.join(lacking)}."
        )
        raise InputError(msg)


def comparison_step(replication: Replication) -> Tables:
    """Compare effects in the same patients, and see how far p can be relied on."""
    manual, own = (replication.features_of(kind) for kind in (MANUAL, AUTOMATIC))
    labels, family = replication.labels, replication.family
    seed, jobs, tell = replication.seed, replication.jobs, replication.on_progress
    comparisons = [MasksCompared("automatic less manual", own, manual)]
    if replication.earlier is not None:
        comparisons.append(
            MasksCompared("this run less the earlier one", own, _earlier(replication))
        )
    tests = pd.concat(_tests(replication), ignore_index=True)
    tables = {
        "effect_differences": effect_differences(
            comparisons, labels, family, seed=seed, jobs=jobs, on_progress=tell
        ),
        "reaching": reaching_table(
            [own, manual], labels, family, seed=seed, jobs=jobs, on_progress=tell
        ),
        "set_tests": tests,
        "scatter": scatter_table(tests, GROUPS),
    }
    if replication.earlier is not None and replication.has("stability"):
        stability = (replication.read("stability"), replication.earlier_table("stability"))
        tables["draws_of_runs"] = runs_table(*stability)
    return tables


def _earlier(replication: Replication) -> pd.DataFrame:
    features = replication.earlier_table("features")
    return features[features["masks"] == AUTOMATIC].reset_index(drop=True)


def _tests(replication: Replication) -> Iterator[pd.DataFrame]:
    """Yield the tests of each set of masks that there is."""
    labels, family = replication.labels, replication.family
    tests, dice = replication.read("associations"), replication.dice.mean()
    for kind, score in ((MANUAL, 1.0), (AUTOMATIC, dice)):
        found, table = tests[tests["masks"] == kind], replication.features_of(kind)
        yield set_row(kind, kind, score, with_other_tests(found, table, labels, family))
    if replication.earlier is not None:
        before = replication.earlier_table("associations")
        found, table = before[before["masks"] == AUTOMATIC], _earlier(replication)
        score = replication.earlier_table("scores")["dice"].mean()
        yield set_row(EARLIER, EARLIER, score, with_other_tests(found, table, labels, family))
    if replication.has("draws"):
        draws = replication.read("draws")
        for name, kind in ((BY_NETWORKS, NETWORK), (FIELDS[0].name, DRAWN)):
            for number, found in draws[draws["draws"] == name].groupby("draw"):
                yield set_row(kind, f"{kind} {number}", found["dice"].iloc[0], found)
    if replication.has("noise_associations"):
        noisy = replication.read("noise_associations")
        levels = replication.read("noise")
        levels = levels[levels["noise"] > 0]
        kinds = noisy[~noisy["analysis"].str.startswith("0%")].groupby("analysis", sort=False)
        scores = zip(levels["noise"].tolist(), levels["dice_mean"].tolist(), strict=True)
        for (level, score), (analysis, found) in zip(scores, kinds, strict=True):
            yield set_row(f"noise {level:.0%}", f"noise {analysis}", score, found)
