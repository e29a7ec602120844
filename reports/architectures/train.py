"""Train what is compared here: the rows of `rows.toml`, one after another.

    python reports/architectures/train.py DATASET --out RUNS [--row NAME]... [--workers N]

A row is a folder in RUNS, as `lggshape train` writes it. First the first fold of every row, then
the others; N networks at a time, each with its share of the cores. What is done stays; what was
interrupted goes on after its last whole epoch.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from lggshape.segmentation import (
    NetworkConfiguration,
    TrainingConfiguration,
    read_folds,
    write_configuration,
)
from lggshape.segmentation.runs import NETWORK, WEIGHTS, member_folder

HERE = Path(__file__).parent
ROWS = HERE / "rows.toml"
FOLDS = HERE.parent / "segmentation" / "folds.json"
"""Those of the networks that ship."""


def settings(
    row: Mapping[str, Any], common: Mapping[str, Any], runs: Path
) -> tuple[NetworkConfiguration, TrainingConfiguration]:
    """Give the settings of a row."""
    network = NetworkConfiguration(**common["network"] | row.get("network", {}))
    training = common["training"] | row.get("training", {})
    if not network.has_encoder:
        training["encoder_weights"] = "none"
    if "encoder" in row:
        training["encoder_weights"] = str(runs / row["encoder"] / member_folder(0, 0) / WEIGHTS)
    return network, TrainingConfiguration(folds=max(read_folds(FOLDS).values()) + 1, **training)


def train(
    dataset: Path, runs: Path, name: str, row: Mapping[str, Any], common: Mapping[str, Any],
    fold: int, threads: int,
) -> None:  # fmt: skip
    """Train a fold of a row."""
    configuration = runs / f"{name}.json"
    write_configuration(configuration, *settings(row, common, runs))
    arguments = [
        *("train", dataset, "--out", runs / name, "--configuration", configuration),
        *("--folds-file", FOLDS, "--fold", fold, "--resume", "--jobs", threads),
    ]
    command = [sys.executable, "-c", "from lggshape_cli import app; app()"]
    limits = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(threads))
    subprocess.run([*command, *map(str, arguments)], check=True, env=os.environ | limits)


def main() -> None:
    """Train them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--row", action="append")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    threads = max(1, (os.cpu_count() or 1) // options.workers)
    rows = tomllib.loads(ROWS.read_text(encoding="utf-8"))
    common = rows.pop("all")
    chosen = {name: rows[name] for name in options.row or rows}
    jobs = [(fold, name) for name, row in chosen.items() for fold in row.get("folds", [0])]
    begun: dict[tuple[int, str], Future[None]] = {}
    with ThreadPoolExecutor(options.workers) as pool:

        def run(fold: int, name: str) -> None:
            before = (0, rows[name].get("encoder", ""))
            wait([begun[before]] if before in begun else [])
            train(options.dataset, options.out, name, rows[name], common, fold, threads)

        for job in sorted(jobs, key=lambda job: job[0]):  # the rows stay in their order
            fold, name = job
            if not (options.out / name / member_folder(fold, 0) / NETWORK).exists():  # written last
                begun[job] = pool.submit(run, *job)
        for future in begun.values():
            future.result()


if __name__ == "__main__":
    main()
