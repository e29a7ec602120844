"""Segment all patients by the networks of protocol.md, and measure the masks.

    python reports/architectures/science_masks.py DATASET RUNS WORK

RUNS is that of train.py; WORK keeps the masks. Each patient is segmented by the network of the fold
in which the patient is held out. Writes `science-patients.csv`, of the rows that have all folds.
"""

import sys
from pathlib import Path

import pandas as pd

from lggshape.comparison.held_out import segment_held_out
from lggshape.errors import CaseError
from lggshape.files import write_table
from lggshape.readers import open_cases
from lggshape.segmentation import read_ensemble
from lggshape.shape import feature_table
from lggshape.studies.buda2019.analyses.other_networks import FEATURES, SCORES

HERE = Path(__file__).parent
NETWORKS = ("unet", "resunet", "random", "imagenet")


def patients_of(run: Path, dataset: Path, work: Path) -> pd.DataFrame:
    """Return scores and features of all patients by the networks of a run, a row per patient."""
    found = segment_held_out(run, open_cases(dataset), work, resume=True)
    measured = feature_table(open_cases(work, masks_only=True), masks=run.name)
    for case, reason in (found.failures | measured.failures).items():
        raise CaseError(f"{run.name}, {case}: {reason}")
    table = measured.table[["case", "patient", "masks", *FEATURES]]
    return table.merge(found.scores[["case", *SCORES]], on="case", validate="one_to_one")


def is_whole(run: Path) -> bool:
    """Return whether every fold of a run has its network."""
    if not run.is_dir():
        return False
    ensemble = read_ensemble(run)
    return {member.fold for member in ensemble.members} == set(ensemble.folds.values())


def main(dataset: Path, runs: Path, work: Path) -> None:
    whole = [name for name in NETWORKS if is_whole(runs / name)]
    tables = [patients_of(runs / name, dataset, work / name) for name in whole]
    write_table(HERE / "science-patients.csv", pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
