"""Train what is compared here: the rows of `rows.toml`.

    python reports/architectures/train.py DATASET --out RUNS [--row NAME]... [--workers N]

A row is a folder in RUNS, as `lggshape train` writes it but for `run.json`. First the first fold of
every row, then the others; N networks at a time, each with its share of the cores. What is done
stays; what was interrupted goes on after its last whole epoch.
"""

import argparse
import multiprocessing
import os
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from lggshape.errors import InputError
from lggshape.readers import open_cases
from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration, read_folds
from lggshape.segmentation.run.folder import NETWORK, WEIGHTS, member_folder

HERE = Path(__file__).parent
FOLDS = HERE.parent / "segmentation" / "folds.json"
"""Those of the bundled networks."""


@cache
def read_rows() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rows by name, and the settings that they share."""
    rows = tomllib.loads((HERE / "rows.toml").read_text(encoding="utf-8"))
    common = rows.pop("all")
    return rows, common


def settings(name: str, runs: Path) -> tuple[NetworkConfiguration, TrainingConfiguration]:
    """Return the settings of a row."""
    rows, common = read_rows()
    row = rows[name]
    network = NetworkConfiguration(**common["network"] | row.get("network", {}))
    training = common["training"] | row.get("training", {})
    if "encoder" in row:
        training["encoder_weights"] = str(runs / row["encoder"] / member_folder(0, 0) / WEIGHTS)
    return network, TrainingConfiguration(folds=max(read_folds(FOLDS).values()) + 1, **training)


@cache
def prepared(dataset: Path, network: NetworkConfiguration) -> Any:
    """Prepare the cases for a network, once a process."""
    from lggshape.segmentation.training.training_cases import load_cases

    cases, failures = load_cases(open_cases(dataset), network, jobs=1)
    if failures:
        raise InputError(next(iter(failures.values())))
    return cases


def train(dataset: Path, runs: Path, name: str, fold: int) -> None:
    """Train a fold of a row, and what its encoder starts from before it."""
    from lggshape.segmentation._backend import keras
    from lggshape.segmentation.training.cross_validation import train_on

    rows, _ = read_rows()
    if "encoder" in rows[name]:
        train(dataset, runs, rows[name]["encoder"], 0)
    if is_finished(runs, name, fold):
        return
    network, training = settings(name, runs)
    # All that the cases depend on.
    shown = NetworkConfiguration(sequences=network.sequences, size=network.size)
    train_on(
        prepared(dataset, shown), runs / name, network=network, training=training, only=[fold],
        folds=read_folds(FOLDS), resume=True,
    )  # fmt: skip
    keras.utils.clear_session()  # else its graphs stay in memory
    print(f"{name}, fold {fold}", flush=True)


def is_finished(runs: Path, name: str, fold: int) -> bool:
    """Return whether a fold of a row is trained."""
    return (runs / name / member_folder(fold, 0) / NETWORK).exists()  # written last


def jobs(chosen: Sequence[str], rows: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return what is to be trained: rows and folds, the first folds first."""
    every = [(name, fold) for name in chosen for fold in rows[name].get("folds", [0])]
    return sorted(every, key=lambda job: job[1])  # the rows stay in their order


def main() -> None:
    """Train them."""
    rows, _ = read_rows()
    encoders = {row.get("encoder") for row in rows.values()}
    # An encoder is trained with the row that starts from it.
    names = [name for name in rows if name not in encoders]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--row", action="append", choices=names)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    threads = max(1, (os.cpu_count() or 1) // options.workers)
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)
    # A fork of a process that runs a deep-learning library hangs.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=fresh) as pool:
        futures = [
            pool.submit(train, options.dataset, options.out, name, fold)
            for name, fold in jobs(options.row or names, rows)
            if not is_finished(options.out, name, fold)
        ]
        for future in as_completed(futures):
            if future.exception():
                pool.shutdown(cancel_futures=True)
            future.result()


if __name__ == "__main__":
    main()
