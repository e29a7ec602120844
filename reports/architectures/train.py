"""Train what is compared here: the rows of `rows.toml`, one after another.

    python reports/architectures/train.py DATASET --out RUNS [--row NAME]...

A row is a folder in RUNS, as `lggshape train` writes it. First the first fold of every row, then
the others. What is done stays; what was interrupted goes on after its last whole epoch.
"""

import argparse
import subprocess
import sys
import tomllib
from collections.abc import Mapping
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


def main() -> None:
    """Train them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--row", action="append")
    options = parser.parse_args()
    rows = tomllib.loads(ROWS.read_text(encoding="utf-8"))
    common = rows.pop("all")
    chosen = {name: rows[name] for name in options.row or rows}
    jobs = [(fold, name) for name, row in chosen.items() for fold in row.get("folds", [0])]
    for fold, name in sorted(jobs, key=lambda job: job[0]):  # the rows stay in their order
        run = options.out / name
        if (run / member_folder(fold, 0) / NETWORK).exists():  # written last
            continue
        configuration = options.out / f"{name}.json"
        write_configuration(configuration, *settings(rows[name], common, options.out))
        arguments = [
            *("train", options.dataset, "--out", run, "--configuration", configuration),
            *("--folds-file", FOLDS, "--fold", fold, "--resume"),
        ]
        command = [sys.executable, "-c", "from lggshape_cli import app; app()"]
        subprocess.run([*command, *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
