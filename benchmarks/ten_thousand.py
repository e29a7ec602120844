"""How time, memory and results of the commands grow, from 10 to 10,000 cases.

    python benchmarks/ten_thousand.py [--sizes 10 100 1000 10000] [--commands features associate]

The cases are phantoms of 12 x 48 x 48 voxels: forty different ones again and again, with other
intensities each time. The table of features for `associate` is made of theirs and a random change
of each value. Every command is a process of its own. Printed are, as CSV, the seconds by the clock
and of processor time; the largest memory of the process with its workers together; the size of all
results and of the largest file; and the slope: the power of the number of cases by which the
processor time grew since the size before. The start of a command takes a few seconds, which counts
for more the fewer cases there are. With --large, `segment` is measured on one case of 1,000 slices
of 512 x 512 pixels with three sequences.
"""

import argparse
import csv
import math
import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from commands import PROGRAM, run

from lggshape import feature_table
from lggshape.case import FLAIR, Case
from lggshape.files import write_table
from lggshape.phantoms import cohort
from lggshape.phantoms.labels import draw_patients, label_tables
from lggshape.segmentation import NetworkConfiguration, TrainingConfiguration, train

SIZES = (10, 100, 1_000, 10_000)
SPACING = (3.0, 4.0, 4.0)
COLUMNS = (
    "command", "cases", "seconds", "processor_seconds", "memory_mib", "results_mib", "largest_mib",
    "slope",
)  # fmt: skip
SHARDS = 4
WORDS = ("t1", "flair", "t1ce")
"""What the files of the sequences of a phantom are called, in their order."""
CHANGE = 0.1
"""Standard deviation of the random change of a feature, of its logarithm."""

COMMANDS = {
    "verify": ["verify", "cases", "--labels", "labels.csv"],
    "segment": ["segment", "cases", "--networks", "../networks", "--out", "segmented"],
    "features": ["features", "masks", "--out", "features.csv"],
    "merge": ["merge", *(f"part{number}.csv" for number in range(SHARDS)), "--out", "merged.csv"],
    "evaluate": ["evaluate", "masks", "cases", "--out", "evaluation"],
    "evaluate --report": ["evaluate", "masks", "cases", "--out", "evaluated", "--report"],
    "associate": ["associate", "known.csv", "--labels", "labels.csv", "--out", "associated"],
    "associate --report": [
        "associate", "known.csv", "--labels", "labels.csv", "--out", "reported", "--report",
        "--cases", "masks",
    ],
    "show": ["show", "cases", "--out", "shown"],
    "show --worst 10": [
        "show", "cases", "--predicted", "masks", "--worst", "10", "--out", "worst",
    ],
}  # fmt: skip
"""Relative to the folder of the cases; the last file or folder named holds the results."""

MOST = {"show": 1_000}
"""More cases than these are left out, because they would take hours."""


@cache
def phantoms() -> list[Case]:
    return list(cohort(patients=40, seed=1, size=(12, 48, 48)).cases)


def save(path: Path, values: np.ndarray) -> None:
    affine = np.diag([*(-one for one in SPACING[:0:-1]), SPACING[0], 1.0])
    nib.save(nib.Nifti1Image(values.transpose(2, 1, 0), affine), path)


def make(folder: Path, count: int) -> None:
    """Write the cases, masks to compare them with, and the tables."""
    rng = np.random.default_rng(count)
    for name in ("cases", "masks"):
        (folder / name).mkdir()
    patients = draw_patients(rng.random(count), rng=rng)
    for number, name in enumerate(patients.names):
        case = phantoms()[number % len(phantoms())]
        flair = case.image[..., case.sequences.index(FLAIR)].astype(np.int16)
        save(folder / "cases" / f"{name}_flair.nii", flair + np.int16(number))
        save(folder / "cases" / f"{name}_mask.nii", case.mask.astype(np.uint8))
        save(folder / "masks" / f"{name}_mask.nii", np.roll(case.mask, 1, axis=2).astype(np.uint8))
    write_table(folder / "labels.csv", label_tables(patients, rng)["labels"])
    write_table(folder / "known.csv", drawn_features(patients.names, rng))


@cache
def measured() -> pd.DataFrame:
    return feature_table(phantoms(), jobs=1).table


def drawn_features(names: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    """Return the features of the phantoms for other patients, each changed a little."""
    table = measured().iloc[np.arange(len(names)) % len(measured())].reset_index(drop=True)
    numbers = table.select_dtypes("float64").columns
    change = np.exp(CHANGE * rng.standard_normal((len(table), len(numbers))))
    return table.assign(case=names, patient=names, **(table[numbers] * change))


def train_networks(folder: Path, size: int) -> None:
    """Train two networks that are as small as they can be; their masks do not matter."""
    place = folder / "others"
    place.mkdir()
    for number, case in enumerate(phantoms()[:4]):
        for channel, word in enumerate(WORDS):
            save(place / f"other{number}_{word}.nii", case.image[..., channel].astype(np.int16))
        save(place / f"other{number}_mask.nii", case.mask.astype(np.uint8))
    network = NetworkConfiguration(architecture="unet", neighbours=0, filters=(2, 2), size=size)
    training = TrainingConfiguration(folds=2, epochs=1, encoder_weights="none")
    train(place, folder / "networks", network=network, training=training, jobs=1)


def make_large(folder: Path, kind: str) -> None:
    """Write a case of 1,000 slices of 512 x 512 pixels, as large as a case may be."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:512, :512]
    head = 100.0 * (np.hypot(y - 256, x - 256) < 200)
    volume = np.empty((1_000, 512, 512), dtype=kind)
    for one in volume:
        one[:] = head + rng.normal(20, 5, head.shape)
    (folder / "cases").mkdir()
    for word in WORDS:
        volume[0, 0, 0] += 1  # so that no sequence is a copy of another
        save(folder / "cases" / f"large_{word}.nii", volume)


def prepare(folder: Path, command: str) -> None:
    """Do what comes before a command and is not measured."""
    if command == "segment" and not (folder.parent / "networks").exists():
        # As large as the heads of the phantoms, or as those of most networks.
        train_networks(folder.parent, 256 if folder.name == "large" else 64)
    if command == "merge":
        for number in range(SHARDS):
            shard = ["--out", f"part{number}.csv", "--shard", f"{number + 1}/{SHARDS}"]
            run([str(PROGRAM), "features", "masks", *shard], folder=folder)


def result_of(folder: Path, words: Sequence[str]) -> list[Path]:
    """Return the files that a command wrote."""
    if "--out" not in words:
        return []
    place = folder / words[words.index("--out") + 1]
    return [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]


def processor_time() -> float:
    """Return the processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured_row(command: str, folder: Path, count: int) -> tuple[list[object], float]:
    """Run a command; return its row but for the slope, and its processor time."""
    words, start = COMMANDS[command], processor_time()
    seconds, peak = run([str(PROGRAM), *words, "--quiet"], folder=folder)
    spent = processor_time() - start
    held = [one.stat().st_size for one in result_of(folder, words)] or [0]
    sizes = (f"{one / 2**20:.1f}" for one in (sum(held), max(held)))
    return [command, count, f"{seconds:.1f}", f"{spent:.1f}", f"{peak / 2**20:.0f}", *sizes], spent


def measurements(sizes: Sequence[int], commands: Sequence[str]) -> Iterator[list[object]]:
    """Yield a row per command and size."""
    before: dict[str, tuple[int, float]] = {}
    with tempfile.TemporaryDirectory() as place:
        for count in sizes:
            folder = Path(place, str(count))
            folder.mkdir()
            make(folder, count)
            for command in commands:
                if count > MOST.get(command, count):
                    continue
                prepare(folder, command)
                row, spent = measured_row(command, folder, count)
                slope = ""
                if command in before:
                    fewer, earlier = before[command]
                    slope = f"{math.log(spent / earlier) / math.log(count / fewer):.2f}"
                before[command] = count, spent
                yield [*row, slope]


def measured_large(kind: str) -> list[object]:
    """Return the row of `segment` on one large case."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "large")
        folder.mkdir()
        make_large(folder, kind)
        prepare(folder, "segment")
        row, _ = measured_row("segment", folder, 1)
        return [f"segment, 1,000 x 512 x 512, {kind}", *row[1:], ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--large", choices=["int16", "float32"], help="how its values are stored")
    options = parser.parse_args()
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(COLUMNS)
    if options.large:
        table.writerow(measured_large(options.large))
        return
    for row in measurements(sorted(options.sizes), options.commands):
        table.writerow(row)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
